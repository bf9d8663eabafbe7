package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// usageOf is what one child process took.
type usageOf struct {
	wall, processor time.Duration
	memory          int64 // bytes, at its peak
}

// measure runs a program to its end and says what it took.
func measure(ctx context.Context, arguments ...string) (usageOf, error) {
	child := exec.CommandContext(ctx, arguments[0], arguments[1:]...)
	var said strings.Builder
	child.Stdout, child.Stderr = &said, &said
	start := time.Now()
	if err := child.Run(); err != nil {
		return usageOf{}, fmt.Errorf("%s: %w\n%s", strings.Join(arguments, " "), err, said.String())
	}
	seen := usageOf{wall: time.Since(start), processor: child.ProcessState.UserTime() + child.ProcessState.SystemTime()}
	if usage, ok := child.ProcessState.SysUsage().(*syscall.Rusage); ok {
		seen.memory = usage.Maxrss * 1024 // Linux counts in KiB
	}
	return seen, nil
}

const heading = "| | wall, least | wall, median | processor, least | processor, median | peak memory |\n" +
	"|---|---|---|---|---|---|\n"

// printTable shows all three, and the ratios of medians and least values to
// the yardstick's.
func printTable(out io.Writer, ours, updates, theirs []usageOf) {
	fmt.Fprint(out, heading)
	printRow(out, "yardstick", theirs)
	printRow(out, "cold run", ours)
	printRatio(out, "ratio", ours, theirs)
	if len(updates) > 0 {
		printRow(out, "run with one source new", updates)
		printRatio(out, "ratio", updates, theirs)
	}
}

func printRatio(out io.Writer, name string, ours, theirs []usageOf) {
	ratio := func(value func(usageOf) float64) string {
		ourLeast, ourMiddle := spread(ours, value)
		least, middle := spread(theirs, value)
		return fmt.Sprintf("%.2f | %.2f", ourLeast/least, ourMiddle/middle)
	}
	_, ourPeak := spread(ours, memory)
	_, peak := spread(theirs, memory)
	fmt.Fprintf(out, "| %s | %s | %s | %.2f |\n", name, ratio(wall), ratio(processor), ourPeak/peak)
}

func printRow(out io.Writer, name string, seen []usageOf) {
	wallLeast, wallMiddle := spread(seen, wall)
	least, middle := spread(seen, processor)
	_, peak := spread(seen, memory)
	fmt.Fprintf(out, "| %s | %.2f s | %.2f s | %.2f s | %.2f s | %.0f MiB |\n", name, wallLeast, wallMiddle, least, middle, peak)
}

func wall(u usageOf) float64      { return u.wall.Seconds() }
func processor(u usageOf) float64 { return u.processor.Seconds() }
func memory(u usageOf) float64    { return float64(u.memory) / (1 << 20) }

// spread gives the least value and the median (of an even number, the lower).
func spread(seen []usageOf, value func(usageOf) float64) (least, median float64) {
	values := make([]float64, len(seen))
	for i, one := range seen {
		values[i] = value(one)
	}
	slices.Sort(values)
	return values[0], values[(len(values)-1)/2]
}

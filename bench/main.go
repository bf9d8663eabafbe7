// Command bench times a cold run of a pipeline against a yardstick: one
// DuckDB process, tuned by hand, that reads the same plain files and computes
// the same results (yardstick_PIPELINE.sql).
//
// In come a number of schools and of repeats; out comes a Markdown table with
// wall time, processor time and peak memory of both, their ratio, and the
// number of values in which their results differ (compare_PIPELINE.sql), and
// the figures that the results must show (figures_PIPELINE.sql). Both run as
// child processes, in turn, each time with empty folders; and so does the run
// that follows a cold one when one source alone is new.
//
// It holds no results: whoever wants a figure runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
)

const usage = `Time a cold run of the pipeline against one hand-tuned DuckDB process.

Usage: go run ./bench [flags]          (from the repository's root)

Examples:
  go run ./bench                               140,392 schools, three times each
  go run ./bench -schools 20000 -repeat 1      a quick look
  go run ./bench -soak docs/soak.md            a country, and ten times that: does it scale?
  go run ./bench -decode registry              also time the reading of one source,
                                               from the publishers' own formats
  go run ./bench -pipeline np -schools 36000   the districts' Equity Index

Flags:
`

// settings is what the flags say.
type settings struct {
	schools, repeat, workers int
	work, decode, soak       string
	update                   string
	yardstick, plan          string // of the child process
	pipeline                 string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s, err := parse(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		os.Exit(2)
	case s.yardstick != "":
		err = runYardstick(ctx, s)
	case s.soak != "":
		err = soak(ctx, s)
	default:
		err = bench(ctx, s, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

func parse(arguments []string, out io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&s.pipeline, "pipeline", "mx", "the pipeline: mx or np")
	flags.IntVar(&s.schools, "schools", 140392, "schools in the synthetic sample")
	flags.IntVar(&s.repeat, "repeat", 3, "runs of each, in turn")
	flags.IntVar(&s.workers, "workers", runtime.NumCPU(), "steps beside each other in the pipeline, threads of the yardstick")
	flags.StringVar(&s.work, "work", filepath.Join("bench", "work"), "folder for samples, results and the plan; samples there are used again")
	flags.StringVar(&s.soak, "soak", "", "in place of the yardstick, a cold run of -schools and one of ten times that; the page to write")
	flags.StringVar(&s.update, "update", "deaths_ssa", "the source that has one day more in the run after each cold one (mx)")
	flags.StringVar(&s.decode, "decode", "", "a source whose reading is timed apart, from the publishers' own formats")
	flags.StringVar(&s.yardstick, "yardstick", "", "run only the yardstick, over this project (what bench does in a child process)")
	flags.StringVar(&s.plan, "plan", "", "with -yardstick: write what DuckDB did, and how long it took, to this file")
	flags.Usage = func() {
		fmt.Fprint(out, usage)
		flags.PrintDefaults()
	}
	if err := flags.Parse(arguments); err != nil {
		return s, fmt.Errorf("read the flags: %w", err)
	}
	if _, isKnown := measures[s.pipeline]; !isKnown {
		fmt.Fprintln(out, "error: -pipeline is mx or np; -help shows examples")
		return s, errors.New("usage")
	}
	if s.schools < 1 || s.repeat < 1 || s.workers < 1 || flags.NArg() > 0 {
		fmt.Fprintln(out, "error: -schools, -repeat and -workers are at least 1, and there are no arguments; -help shows examples")
		return s, errors.New("usage")
	}
	return s, nil
}

// bench prepares the sample, runs both in turn and prints what it saw.
func bench(ctx context.Context, s settings, out io.Writer) error {
	tamiz, err := build(ctx, s)
	if err != nil {
		return err
	}
	project, err := sample(ctx, s, tamiz, measures[s.pipeline].kind, "--plain")
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	yardstick := []string{self, "-yardstick", project, "-pipeline", s.pipeline, "-work", s.work, "-workers", fmt.Sprint(s.workers)}
	run := []string{tamiz, "run", s.pipeline, "--project", project, "--workers", fmt.Sprint(s.workers)}
	var ours, theirs, updates []usageOf
	for i := range s.repeat {
		fmt.Fprintf(os.Stderr, "run %d of %d\n", i+1, s.repeat)
		seen, err := measure(ctx, yardstick...)
		if err != nil {
			return err
		}
		theirs = append(theirs, seen)
		if measures[s.pipeline].isUpdated {
			if seen, err = update(ctx, s, project, run); err != nil {
				return err
			}
			updates = append(updates, seen)
		}
		if err := forget(project); err != nil {
			return err
		}
		if seen, err = measure(ctx, run...); err != nil {
			return err
		}
		ours = append(ours, seen)
	}
	plan := filepath.Join(s.work, "plan.txt")
	if err := command(ctx, append(yardstick, "-plan", plan)...); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d schools, %d cores, %d workers, %d runs of each in turn\n\n", s.schools, runtime.NumCPU(), s.workers, s.repeat)
	printTable(out, ours, updates, theirs)
	if err := compare(ctx, s, project, out); err != nil {
		return err
	}
	if err := figures(ctx, s, project, out); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nThe yardstick's plan: %s\n", plan)
	if s.decode == "" {
		return nil
	}
	return decode(ctx, s, tamiz, out)
}

// update times a run after a cold one in which one source alone is new.
func update(ctx context.Context, s settings, project string, run []string) (usageOf, error) {
	if err := errors.Join(forget(project), command(ctx, run...)); err != nil {
		return usageOf{}, err
	}
	undo, err := addDay(project, s.update)
	if err != nil {
		return usageOf{}, err
	}
	seen, err := measure(ctx, run...)
	return seen, errors.Join(err, undo())
}

// build makes the program that is timed.
func build(ctx context.Context, s settings) (string, error) {
	if err := os.MkdirAll(s.work, 0o755); err != nil {
		return "", fmt.Errorf("make the work folder: %w", err)
	}
	tamiz := filepath.Join(s.work, "tamiz")
	return tamiz, command(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", tamiz, "./cmd/tamiz")
}

// sample makes a project with a synthetic sample, unless it is there.
func sample(ctx context.Context, s settings, tamiz, kind string, flags ...string) (string, error) {
	project := filepath.Join(s.work, fmt.Sprintf("%s-%d", kind, s.schools))
	if _, err := os.Stat(filepath.Join(project, "tamiz.yml")); err == nil {
		// The sample stays; config and SQL are those of the program.
		return project, errors.Join(os.RemoveAll(filepath.Join(project, "config")), os.RemoveAll(filepath.Join(project, "sql")))
	}
	arguments := append([]string{tamiz, "init", s.pipeline, project, "--sample", "--schools", fmt.Sprint(s.schools)}, flags...)
	if err := command(ctx, arguments...); err != nil {
		return "", err
	}
	return sample(ctx, s, tamiz, kind, flags...)
}

// forget empties a project's warehouse and store: the next run is cold.
func forget(project string) error {
	return errors.Join(os.RemoveAll(filepath.Join(project, "warehouse")), os.RemoveAll(filepath.Join(project, "store")))
}

// decode times the reading of one source in the publishers' own formats.
func decode(ctx context.Context, s settings, tamiz string, out io.Writer) error {
	project, err := sample(ctx, s, tamiz, "original")
	if err != nil {
		return err
	}
	var seen []usageOf
	for range s.repeat {
		if err := forget(project); err != nil {
			return err
		}
		one, err := measure(ctx, tamiz, "run", s.pipeline, "--project", project, "--select", "raw."+s.decode, "--workers", fmt.Sprint(s.workers))
		if err != nil {
			return err
		}
		seen = append(seen, one)
	}
	fmt.Fprintf(out, "\nReading %s from the publishers' own formats, timed apart:\n\n%s", s.decode, heading)
	printRow(out, "read "+s.decode, seen)
	return nil
}

// command runs a program; what it says is shown only if it fails.
func command(ctx context.Context, arguments ...string) error {
	said, err := exec.CommandContext(ctx, arguments[0], arguments[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(arguments, " "), err, said)
	}
	return nil
}

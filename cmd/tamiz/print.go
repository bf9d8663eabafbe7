package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"tamiz/pipeline"
)

// joined is what errors.Join gives.
type joined interface{ Unwrap() []error }

// printError prints each of the joined errors on its own.
func printError(w io.Writer, err error) {
	var list joined
	if errors.As(err, &list) {
		for _, one := range list.Unwrap() {
			printError(w, one)
		}
		return
	}
	fmt.Fprintln(w, paint(w, red, "error: ")+err.Error())
}

type colour string

const (
	red    colour = "31"
	yellow colour = "33"
	green  colour = "32"
)

// paint colours text on a terminal, unless NO_COLOR is set.
func paint(w io.Writer, c colour, text string) string {
	if !isTerminal(w) || os.Getenv("NO_COLOR") != "" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// printJSON prints a value for machines.
func printJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("print JSON: %w", err)
	}
	return nil
}

// count writes a number with thousands separators.
func count[N int | int64](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// size writes a number of bytes for people.
func size(bytes int64) string {
	switch {
	case bytes >= 1<<30:
		return fmt.Sprintf("%.1f GB", float64(bytes)/1e9)
	case bytes >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
	case bytes >= 1e3:
		return fmt.Sprintf("%.1f kB", float64(bytes)/1e3)
	}
	return fmt.Sprintf("%d B", bytes)
}

func plural[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

// bar shows how far a walk is: in place on a terminal, else as a few lines.
type bar struct {
	w       io.Writer
	began   time.Time
	printed int // quarters, off a terminal
}

func (b *bar) show(event pipeline.Event) {
	if event.Total == 0 {
		return
	}
	const width = 20
	filled := width * event.Done / event.Total
	if isTerminal(b.w) {
		fmt.Fprintf(b.w, "\r  %-10s%s%s %d/%d %-40.40s", "steps", strings.Repeat("█", filled), strings.Repeat("░", width-filled), event.Done, event.Total, event.Step.Label)
		if event.Done == event.Total {
			fmt.Fprintf(b.w, "\r%-90s\r", "")
		}
		return
	}
	if quarter := 4 * event.Done / event.Total; time.Since(b.began) > 10*time.Second && quarter > b.printed && event.Done < event.Total {
		b.printed = quarter
		fmt.Fprintf(b.w, "  steps     %d of %d done after %.0f s\n", event.Done, event.Total, time.Since(b.began).Seconds())
	}
}

// asking tells, on a terminal, which source is asked for now; off a terminal,
// when the asking has taken long.
func (b *bar) asking(source string, done, total int) {
	if isTerminal(b.w) {
		fmt.Fprintf(b.w, "\r  %-10s%d of %d: asking for %-40.40s", "sources", done+1, total, source)
		return
	}
	if b.printed == 0 && time.Since(b.began) > 10*time.Second {
		b.printed = 1
		fmt.Fprintf(b.w, "  sources   %d of %d asked after %.0f s, now %s\n", done, total, time.Since(b.began).Seconds(), source)
	}
}

// clear takes what asking showed away.
func (b *bar) clear() {
	if isTerminal(b.w) {
		fmt.Fprintf(b.w, "\r%-90s\r", "")
	}
}

// wrap breaks a sentence into lines of at most width characters; further
// lines begin with indent.
func wrap(text string, width int, indent string) string {
	var b strings.Builder
	length := 0
	for i, word := range strings.Fields(text) {
		if i > 0 {
			if length+1+len([]rune(word)) > width {
				b.WriteString("\n" + indent)
				length = len(indent)
			} else {
				b.WriteString(" ")
				length++
			}
		}
		b.WriteString(word)
		length += len([]rune(word))
	}
	return b.String()
}

// table prints rows under headings, columns aligned.
func table(w io.Writer, headings []string, rows [][]string) {
	widths := make([]int, len(headings))
	all := append([][]string{headings}, rows...)
	for _, row := range all {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for _, row := range all {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell)
			if i < len(row)-1 {
				line.WriteString(strings.Repeat(" ", widths[i]-len([]rune(cell))+2))
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// addDay gives a daily source one day more: the rows of its last day again,
// dated a day later. Its rows begin with a date and end with the newest day.
// It gives the file back as it was when undo is called.
func addDay(project, source string) (undo func() error, err error) {
	files, err := filepath.Glob(filepath.Join(project, "sample", source, "*.[ct]sv"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("%s: the sample has no plain file of %s", project, source)
	}
	file := files[len(files)-1]
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	lines := bytes.Split(bytes.TrimRight(text, "\n"), []byte("\n"))
	last := lines[len(lines)-1]
	if len(last) < len(time.DateOnly) {
		return nil, fmt.Errorf("%s: its last line does not begin with a date", file)
	}
	day, err := time.Parse(time.DateOnly, string(last[:len(time.DateOnly)]))
	if err != nil {
		return nil, fmt.Errorf("%s: its last line does not begin with a date: %w", file, err)
	}
	more := bytes.TrimRight(text, "\n")
	for _, line := range lines {
		if rest, ok := bytes.CutPrefix(line, []byte(day.Format(time.DateOnly))); ok {
			more = append(append(append(more, '\n'), day.AddDate(0, 0, 1).Format(time.DateOnly)...), rest...)
		}
	}
	if err := os.WriteFile(file, append(more, '\n'), 0o644); err != nil {
		return nil, fmt.Errorf("write %s: %w", file, err)
	}
	return func() error { return os.WriteFile(file, text, 0o644) }, nil
}

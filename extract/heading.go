package extract

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"tamiz/extract/csvtext"
	"tamiz/pipeline"
)

// headerSearch is how many lines below its place a header is looked for when
// it is not where the card says.
const headerSearch = 5

// headerLine is one record that may be a header row.
type headerLine struct {
	cells []string
	line  int64
}

// readHeader reads the header of a part and finds the card's columns in it.
// After it, r.grid stands before the first record of data.
func (r *reading) readHeader(t table) error {
	skip, rows := r.source.Parsing.SkipRows, r.source.Parsing.HeaderRows
	if t.named {
		skip, rows = 0, 1
	}
	var err error
	if r.grid, err = t.open(skip); err != nil {
		return err
	}
	lines, err := r.headerLines(rows)
	if err != nil {
		return err
	}
	if len(lines) < rows {
		return &pipeline.Error{Kind: pipeline.Drift, Problem: "the file ends before its header does",
			Expected: fmt.Sprintf("%d header rows after %d lines", rows, skip),
			Found:    fmt.Sprintf("%d rows", len(lines)), Hint: "the file may have been cut short; get it again"}
	}
	header := newHeader(lines)
	places, mismatches := header.Match(r.source.Parsing.Columns)
	if len(mismatches) > 0 {
		return r.mismatch(t, lines[0], mismatches)
	}
	r.header, r.places, r.needed = header, places, header.LastTitled()
	for _, place := range places {
		r.needed = max(r.needed, place+1)
	}
	return nil
}

func newHeader(lines []headerLine) *csvtext.Header {
	rows := make([][]string, len(lines))
	for i, line := range lines {
		rows[i] = line.cells
	}
	return csvtext.NewHeader(rows)
}

// headerLines reads up to n records as header rows.
func (r *reading) headerLines(n int) ([]headerLine, error) {
	var lines []headerLine
	for len(lines) < n {
		record, err := r.grid.next()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return lines, err
		}
		line := headerLine{line: record.Line}
		for _, field := range record.Fields {
			line.cells = append(line.cells, string(r.grid.text(nil, field)))
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// mismatch tells all columns that were not found, and how to mend the card.
func (r *reading) mismatch(t table, first headerLine, mismatches []csvtext.Mismatch) error {
	if skip, ok := r.findHeader(t); ok {
		return &pipeline.Error{Kind: pipeline.Drift, Problem: "the header is not where the card says",
			Expected: fmt.Sprintf("the header on line %d", r.source.Parsing.SkipRows+1),
			Found:    fmt.Sprintf("it begins on line %d", skip+1),
			Hint: fmt.Sprintf("if the lines before it are only titles, write into %s:\n  skip_rows: %d\nthen: tamiz run --fetch",
				r.source.Path, skip)}
	}
	if n := len(r.source.Parsing.Columns); len(mismatches) > 2 && 2*len(mismatches) > n {
		return r.otherFile(first, len(mismatches))
	}
	var expected, found, premises, lines []string
	for _, m := range mismatches {
		premises = append(premises, m.Premise)
		expected = append(expected, m.Expected)
		lines = append(lines, "  "+m.Line)
		if len(mismatches) > 1 {
			m.Found = m.Column + ": " + m.Found
		}
		found = append(found, m.Found)
	}
	let := "let this line under columns read:"
	if len(lines) > 1 {
		let = "let these lines under columns read:"
	}
	return &pipeline.Error{Kind: pipeline.Drift, Problem: "the file no longer fits its card",
		Expected: strings.Join(expected, "\n"), Found: strings.Join(found, "\n"),
		Hint: fmt.Sprintf("%s, in %s %s\n%s\nthen: tamiz run --fetch",
			strings.Join(premises, ",\n"), r.source.Path, let, strings.Join(lines, "\n"))}
}

// otherFile says that hardly anything of the card is in the file: there are
// no columns to rename, it is the wrong file or the wrong header.
func (r *reading) otherFile(first headerLine, missing int) error {
	parsing := &r.source.Parsing
	var titles []string
	for _, column := range parsing.Columns[:min(6, len(parsing.Columns))] {
		titles = append(titles, strings.Join(column.Titles, " or "))
	}
	found := csvtext.Cut(strings.Join(first.cells, parsing.Separator))
	return &pipeline.Error{Kind: pipeline.Drift, Problem: "this does not look like the source's file",
		Expected: fmt.Sprintf("%d columns, among them %s", len(parsing.Columns), strings.Join(titles, ", ")),
		Found:    fmt.Sprintf("%d of them are missing; the header reads: %s", missing, found),
		Hint: fmt.Sprintf("see that the right file lies in the folder of this source; if the publisher has changed all of it,\n"+
			"write the new titles into %s, under columns, then: tamiz run --fetch", r.source.Path)}
}

// findHeader looks for a header that fits the card entirely, from the first
// line of the file to some lines below its place, and tells how many lines
// stand before it.
func (r *reading) findHeader(t table) (skip int, ok bool) {
	parsing := &r.source.Parsing
	if t.named {
		return 0, false
	}
	var err error
	if r.grid, err = t.open(0); err != nil {
		return 0, false
	}
	lines, _ := r.headerLines(parsing.SkipRows + headerSearch + parsing.HeaderRows) // as far as it can be read
	for from := 0; from+parsing.HeaderRows <= len(lines); from++ {
		if _, mismatches := newHeader(lines[from : from+parsing.HeaderRows]).Match(parsing.Columns); len(mismatches) == 0 {
			return int(lines[from].line) - 1, true
		}
	}
	return 0, false
}

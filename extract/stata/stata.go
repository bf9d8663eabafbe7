// Package stata reads tables in Stata's .dta files of the formats 113 (Stata 8
// and 9), 114 (Stata 10 and 11) and 115 (Stata 12), in either byte order.
//
// In come the bytes of a file, at random access. Out come its observations,
// one after another, each a row of cells as text; the variables are the
// columns. Strings are read as windows-1252: these formats do not say which
// encoding they are in, and that is what Stata for Windows wrote. The layout is
// the one of Stata's own help page "dta_113", "dta_114" and "dta_115".
//
// This package never applies value labels or display formats: a coded answer
// stays its code, a date the raw number of days or milliseconds since 1960. It
// knows neither where files are kept nor what their columns mean.
package stata

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Table is the table in a Stata file. Its methods must not be called at the
// same time.
type Table struct {
	in     *bufio.Reader
	order  binary.ByteOrder
	kinds  []byte // by variable, as the file gives them
	titles []string
	labels []string

	rows, row int64
	raw       []byte // one observation
	text      []byte // its cells, one after another
	ends      []int  // where each cell ends in text
	cells     []string
}

// Open reads the description of a Stata file of size bytes, up to its first
// observation. Errors say which format a file is in that is not read here, or
// how many observations a file lacks that was cut short.
//
// Memory is about as much as the description takes in the file, 150 bytes a
// variable and more, plus one observation.
func Open(r io.ReaderAt, size int64) (*Table, error) {
	in := &input{Reader: bufio.NewReaderSize(io.NewSectionReader(r, 0, size), bufferSize), size: size}
	t := &Table{in: in.Reader}
	head, err := t.readHeader(in)
	if err != nil {
		return nil, err
	}
	if err := t.readVariables(in, head); err != nil {
		return nil, err
	}
	if err := skipExpansion(in, t.order); err != nil {
		return nil, err
	}
	width := int64(0)
	for i, kind := range t.kinds {
		w := cellWidth(kind)
		if w == 0 {
			return nil, fmt.Errorf("variable %d, %q: its type has the code %d, which format %d does not know: the file is damaged", i+1, t.titles[i], kind, head.format)
		}
		width += w
	}
	if here := (size - in.at) / width; here < t.rows {
		return nil, fmt.Errorf("the file is cut short: it promises %d observations and holds %d whole ones, so %d are missing: get the file again", t.rows, here, t.rows-here)
	}
	if t.rows > 0 {
		t.raw = make([]byte, width)
	}
	t.cells = make([]string, len(t.kinds))
	t.ends = make([]int, len(t.kinds))
	return t, nil
}

// Titles gives the names of the variables, which are the columns' titles.
func (t *Table) Titles() []string { return t.titles }

// Labels gives the variables' labels, what each is in words; "" where it has
// none.
func (t *Table) Labels() []string { return t.labels }

// Next gives the next observation, as text, and its number, from 1; io.EOF
// after the last. The slice is reused by the next call.
//
// The missing value "." is "", and ".a" to ".z" stay ".a" to ".z". A float is
// the shortest decimal that gives the same 32 bits back, a double that of its
// 64 bits; never with an exponent. A number beyond the missing values' codes,
// an infinity or NaN is "".
func (t *Table) Next() ([]string, int64, error) {
	if t.row == t.rows {
		return nil, 0, io.EOF
	}
	if _, err := io.ReadFull(t.in, t.raw); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = fmt.Errorf("the file ends in it, %d observations are missing: %w", t.rows-t.row, io.ErrUnexpectedEOF)
		}
		return nil, 0, fmt.Errorf("observation %d: %w", t.row+1, err)
	}
	t.row++
	t.text = t.text[:0]
	raw := t.raw
	for i, kind := range t.kinds {
		w := cellWidth(kind)
		t.text = t.appendCell(t.text, kind, raw[:w])
		t.ends[i], raw = len(t.text), raw[w:]
	}
	whole, from := string(t.text), 0
	for i, end := range t.ends {
		t.cells[i], from = whole[from:end], end
	}
	return t.cells, t.row, nil
}

// Package jsontext reads tables in JSON (RFC 8259): arrays of objects, and
// JSON Lines, which is objects one after another.
//
// In come the bytes of a document, at random access, and the way to the array
// in it. Out come its records, one after another, each a row of cells as text.
// The columns are the dotted paths of the records' members, "coords.lat" for
// {"coords": {"lat": …}}, in the order in which they first appear.
//
// The document is read twice: once for its columns, and to find what is wrong
// with it before any row is given; and once for the rows. One record at a time
// is in memory.
//
// This package never rewrites a number, never guesses which of several arrays
// is meant, and knows neither where files are kept nor what columns mean.
package jsontext

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// Limits of a document. What is beyond is an error.
const (
	TitlesLimit = 5000     // columns; objects within records, by path
	DepthLimit  = 32       // parts of a path
	TitleLimit  = 1 << 10  // bytes of a path
	RecordLimit = 64 << 20 // bytes of a record with the space before it, or of any value beside the records
)

// nestingLimit is how deep arrays and objects may lie in each other where they
// are no columns: as deep as encoding/json lets them within a record.
const nestingLimit = 10000

// Table is the table in a JSON document. Its methods must not be called at the
// same time.
type Table struct {
	stream  *stream
	columns columns
	row     int64 // records read in this pass
	cells   []string
	filled  []int        // columns that the last record had
	compact bytes.Buffer // of use within a cell
	text    []byte       // likewise
}

// Open reads a document of size bytes in UTF-8 to its end and finds its
// columns. The path is the dotted way to the array of records; "" says that the
// document is that array, or JSON Lines.
//
// Errors name the record, from 1, and the byte of the file, from 0. A document
// that is one object, where path is "", and a path that leads to no array, are
// errors that name the arrays that are there, and the line for the source card.
func Open(r io.ReaderAt, size int64, path string) (*Table, error) {
	start, first, err := begin(r, size)
	if err != nil {
		return nil, err
	}
	t := &Table{columns: newColumns()}
	from, lines := start, false
	switch {
	case first == '[' && path == "":
		err = t.surveyArray(r, size, start)
	case first == '[':
		err = fmt.Errorf("the document is an array itself, so there is no %q in it: take the path out of the card", path)
	case path == "":
		lines = true
		err = t.surveyLines(r, size, start)
	default:
		from, err = t.surveyPath(r, size, start, path)
	}
	if err != nil {
		return nil, err
	}
	t.columns.rewind()
	t.row = 0
	t.cells = make([]string, len(t.columns.titles))
	t.stream = newStream(r, size, from)
	t.stream.lines = lines
	if !lines {
		if _, err := t.stream.token(); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Titles gives the dotted paths of all members that a record has, in the order
// in which they first appear.
func (t *Table) Titles() []string { return t.columns.titles }

// Next gives the next record, as text, and its number, from 1; io.EOF after
// the last. The slice is reused by the next call.
//
// A number stands as it is written in the document, a string without its
// escapes, true and false as TRUE and FALSE; null, and a member that the record
// lacks, as "". An array, and the object in a member that is called geometry,
// are their own JSON text without the space in it.
func (t *Table) Next() ([]string, int64, error) {
	for _, column := range t.filled {
		t.cells[column] = ""
	}
	t.filled = t.filled[:0]
	if err := t.read(t.fill); err != nil {
		return nil, 0, err
	}
	return t.cells, t.row, nil
}

// fill puts a value into its cell.
func (t *Table) fill(column int, value []byte) error {
	var err error
	t.text = t.text[:0]
	switch value[0] {
	case '"':
		t.text, err = appendString(t.text, value)
	case '[', '{':
		t.text, err = t.appendCompact(t.text, value)
	case 't':
		t.text = append(t.text, "TRUE"...)
	case 'f':
		t.text = append(t.text, "FALSE"...)
	case 'n':
	default:
		t.text = append(t.text, value...)
	}
	if err != nil {
		return err
	}
	if column >= len(t.cells) {
		return errors.New("a member is new: the file was changed while it was read")
	}
	t.cells[column] = string(t.text)
	t.filled = append(t.filled, column)
	return nil
}

// read reads one record and visits its members.
func (t *Table) read(visit func(column int, value []byte) error) error {
	raw, at, err := t.stream.record()
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	t.row++
	if err == nil {
		err = t.columns.walk(raw, t.row, visit)
	}
	if err != nil {
		return fmt.Errorf("record %d, at byte %d: %w", t.row, at, err)
	}
	return nil
}

// begin finds the first byte that is no space, and refuses what is no JSON.
func begin(r io.ReaderAt, size int64) (at int64, first byte, err error) {
	in := newInput(r, size, 0)
	mark, err := in.Peek(3)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return 0, 0, fmt.Errorf("read the beginning of the file: %w", err)
	case bytes.Equal(mark, []byte("\xEF\xBB\xBF")):
		at = 3
		in = newInput(r, size, at)
	case bytes.HasPrefix(mark, []byte("\xFF\xFE")), bytes.HasPrefix(mark, []byte("\xFE\xFF")):
		return 0, 0, errors.New("the file is in UTF-16: save it as UTF-8")
	}
	for ; ; at++ {
		if first, err = in.ReadByte(); err != nil {
			break
		}
		if !isSpace(first) {
			break
		}
	}
	switch {
	case errors.Is(err, io.EOF):
		return 0, 0, errors.New("the file is empty")
	case err != nil:
		return 0, 0, fmt.Errorf("read the beginning of the file: %w", err)
	case first == '[' || first == '{':
		return at, first, nil
	}
	rest, _ := in.Peek(60)
	head := beginning(first, rest)
	if first == '<' {
		return 0, 0, fmt.Errorf("got a web page instead of JSON: the file begins with %q", head)
	}
	return 0, 0, fmt.Errorf("the file holds no array of records: it begins with %q, at byte %d, where [ or { should stand", head, at)
}

// beginning gives the first characters of a text.
func beginning(first byte, rest []byte) string {
	head := append([]byte{first}, rest...)
	if len(head) > 40 {
		head = head[:40]
		for len(head) > 37 && !utf8.Valid(head) {
			head = head[:len(head)-1]
		}
	}
	return string(head)
}

package xlsx

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"
)

// spillLimit is how many bytes of XML of a part excelize holds in memory.
const spillLimit = 1 << 20

// Sheet reads the rows of a worksheet.
type Sheet struct {
	name  string
	book  *Workbook
	guard *guard
	dir   string
	file  *excelize.File
	rows  *excelize.Rows
	at    int   // the row that excelize is at
	err   error // that ended the reading
}

func openSheet(w *Workbook, name, path string) (_ *Sheet, err error) {
	part, err := w.parts.find(path, UnpackedLimit)
	if err != nil {
		return nil, err
	}
	if t := w.strings.file; t != nil && part.UncompressedSize64+t.UncompressedSize64 > UnpackedLimit {
		return nil, fmt.Errorf("it unpacks, with the shared strings, to more than the limit of %d bytes", UnpackedLimit)
	}
	raw, err := repack(part, w.strings.file)
	if err != nil {
		return nil, err
	}
	s := &Sheet{name: name, book: w}
	defer func() {
		if err != nil || s.rows == nil { // also on the way out of a panic
			err = errors.Join(err, s.Close())
		}
	}()
	if s.dir, err = os.MkdirTemp(w.tempDir, "xlsx-"); err != nil {
		return nil, fmt.Errorf("make a folder to unpack into: %w", err)
	}
	stream, err := w.parts.stream(path, UnpackedLimit)
	if err != nil {
		return nil, err
	}
	s.guard = &guard{stream: stream, texts: w.strings}
	s.file, err = excelize.OpenReader(bytes.NewReader(raw), excelize.Options{RawCellValue: true, TmpDir: s.dir,
		UnzipSizeLimit: UnpackedLimit + spillLimit, UnzipXMLSizeLimit: spillLimit})
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	if s.rows, err = s.file.Rows(onlySheet); err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	return s, nil
}

// Next gives the next row that has a cell with a value: its cells from column
// A to the last one that is not empty, and its number in the sheet, from 1.
// Rows that are empty or not written in the file are passed over; numbers stay
// right. io.EOF comes after the last row, and an error comes again and again.
func (s *Sheet) Next() (cells []string, number int64, err error) {
	if s.err != nil {
		return nil, 0, s.err
	}
	cells, number, err = s.next()
	if s.err = err; err != nil && !errors.Is(err, io.EOF) {
		s.err = fmt.Errorf("sheet %q: %w", s.name, err)
	}
	return cells, number, s.err
}

func (s *Sheet) next() (cells []string, number int64, err error) {
	defer rescue(&err)
	for {
		row, err := s.guard.next()
		if err != nil {
			return nil, 0, err
		}
		if cells, err = s.values(row); err != nil {
			return nil, 0, fmt.Errorf("row %d: %w", row.number, err)
		}
		if len(cells) > 0 {
			return cells, int64(row.number), nil
		}
	}
}

// values lets excelize read a row that the guard has found sound.
func (s *Sheet) values(row row) (cells []string, err error) {
	for s.at < row.number {
		if len(cells) > 0 || !s.rows.Next() {
			return nil, errApart
		}
		if cells, err = s.rows.Columns(); err != nil {
			return nil, fmt.Errorf("read: %w", err)
		}
		s.at++
	}
	if len(cells) > len(row.kinds) {
		return nil, errApart
	}
	for i, k := range row.kinds {
		if i >= len(cells) {
			if k == number || k == boolean {
				return nil, errApart
			}
			continue
		}
		switch {
		case k == number:
			cells[i], err = decimal(cells[i])
		case k == boolean:
			cells[i], err = logical(cells[i])
		case k == absent && cells[i] != "":
			err = errApart
		}
		if err != nil {
			return nil, fmt.Errorf("cell %s: %w", cellName(i+1, row.number), err)
		}
	}
	for len(cells) > 0 && cells[len(cells)-1] == "" {
		cells = cells[:len(cells)-1]
	}
	return cells, nil
}

// errApart says that the guard and excelize read different things; no file is
// known that does it.
var errApart = errors.New("two ways to read the row do not agree: its XML is damaged")

// Close ends the reading and removes the files that were unpacked.
func (s *Sheet) Close() (err error) {
	defer rescue(&err)
	if s.err == nil {
		s.err = errors.New("the sheet is closed")
	}
	delete(s.book.open, s)
	if s.guard != nil {
		err = s.guard.stream.close()
	}
	if s.rows != nil {
		err = errors.Join(err, s.rows.Close())
	}
	if s.file != nil {
		err = errors.Join(err, s.file.Close())
	}
	if s.dir != "" {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	s.guard, s.rows, s.file, s.dir = nil, nil, nil, ""
	return err
}

// decimal writes the number of a cell in the shortest way that gives the same
// float64 back; what is beyond a float64 is "".
func decimal(value string) (string, error) {
	value = strings.Trim(value, " \t\r\n")
	v, err := strconv.ParseFloat(value, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) || strings.Trim(value, "+-.0123456789eE") != "" {
		return "", fmt.Errorf("%q is no number", shortened(value))
	}
	switch {
	case math.IsInf(v, 0):
		return "", nil
	case v == 0:
		return "0", nil // never -0
	}
	return strconv.FormatFloat(v, 'f', -1, 64), nil
}

func logical(value string) (string, error) {
	switch value {
	case "1", "true":
		return "TRUE", nil
	case "0", "false":
		return "FALSE", nil
	}
	return "", fmt.Errorf("%q is no logical value, want 0 or 1", shortened(value))
}

func shortened(value string) string {
	const limit = 60
	if runes := []rune(value[:min(len(value), 4*limit)]); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return value
}

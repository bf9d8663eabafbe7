package biff

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// Sheet reads the rows of one worksheet.
type Sheet struct {
	workbook *Workbook
	name     string
	in       *records
	row      int // the next one to give, from 0
	last     int // with a cell; -1 if there is none
	cells    []string
	given    int64 // bytes of text
	err      error // that ended the reading

	// Only of a sheet whose cells are not in the order of their rows:
	held  []byte // its records
	index []cellPlace
}

// cellPlace is where a record with cells of a row stands.
type cellPlace struct{ row, at uint32 }

// openSheet looks over the records of a sheet once, without decoding them: to
// know its first and last row, and whether its cells are in the order of rows.
func (w *Workbook) openSheet(place sheetPlace) (*Sheet, error) {
	s := &Sheet{workbook: w, name: place.name, row: RowsLimit, last: -1}
	r, err := s.begin(place.at)
	if err != nil {
		return nil, err
	}
	sorted := true
	before := 0
	err = r.eachCell(func(row int, _ int64) {
		sorted = sorted && row >= before
		s.row, s.last, before = min(s.row, row), max(s.last, row), row
	})
	if err != nil {
		return nil, fmt.Errorf("sheet %q, behind row %d: %w", s.name, before+1, err)
	}
	size := r.at
	if s.in, err = s.begin(place.at); err != nil || sorted {
		return s, err
	}
	return s, s.sort(place.at, size)
}

// begin goes to the first record behind the beginning of the sheet.
func (s *Sheet) begin(at int64) (*records, error) {
	r, err := s.workbook.recordsAt(at)
	if err != nil {
		return nil, fmt.Errorf("sheet %q: %w", s.name, err)
	}
	if _, err := r.beginning(); err != nil {
		return nil, fmt.Errorf("sheet %q: %w", s.name, err)
	}
	return r, nil
}

// sort holds the records of a sheet, undecoded, and the order of their rows.
// Both together take about twice the bytes of the sheet.
func (s *Sheet) sort(at, size int64) error {
	r, err := s.workbook.recordsAt(at)
	if err != nil {
		return fmt.Errorf("sheet %q: %w", s.name, err)
	}
	s.held = make([]byte, size+4) // up to the record that ends it, and that one's head
	if _, err := io.ReadFull(r.in, s.held); err != nil {
		return fmt.Errorf("sheet %q: %w", s.name, cutOff(err))
	}
	if err := s.in.eachCell(func(row int, at int64) {
		s.index = append(s.index, cellPlace{uint32(row), uint32(at)})
	}); err != nil {
		return fmt.Errorf("sheet %q: %w", s.name, err)
	}
	slices.SortStableFunc(s.index, func(a, b cellPlace) int { return int(a.row) - int(b.row) })
	s.in = &records{in: bufio.NewReaderSize(bytes.NewReader(nil), 64)} // small: filled anew for each record
	return nil
}

// Next gives the next row: the text of its cells from column A to the last
// that has one, and its number in the sheet (from 1). Rows come in order from
// the first that has a cell to the last; a row between them without any is
// empty. Cells that have a format but no value are no cells. io.EOF comes
// after the last row. The slice is used again by the next call. An error names
// sheet, row and cell, and ends the reading.
func (s *Sheet) Next() (cells []string, number int64, err error) {
	if s.err != nil {
		return nil, 0, s.err
	}
	if s.row > s.last {
		return nil, 0, io.EOF
	}
	if err := s.readRow(); err != nil {
		s.err = fmt.Errorf("sheet %q, row %d: %w", s.name, s.row+1, err)
		return nil, 0, s.err
	}
	s.row++
	return s.cells, int64(s.row), nil
}

// readRow fills s.cells.
func (s *Sheet) readRow() (err error) {
	defer caught(&err)
	s.cells = s.cells[:0]
	for {
		r, row, more, err := s.nextCell()
		if err != nil || !more || row != s.row {
			return err
		}
		if err := s.readCell(r); err != nil {
			return err
		}
		if s.index != nil {
			s.index = s.index[1:]
		}
	}
}

// nextCell tells in which row the next record with cells is, and who will read
// it.
func (s *Sheet) nextCell() (r *records, row int, more bool, err error) {
	if s.held == nil {
		row, more, err = s.in.toCell()
		return s.in, row, more, err
	}
	if len(s.index) == 0 {
		return nil, 0, false, nil
	}
	place := s.index[0]
	if int(place.row) == s.row {
		s.in.in.Reset(bytes.NewReader(s.held[place.at:]))
	}
	return s.in, int(place.row), true, nil
}

// eachCell visits all records with cells up to the end of the sheet.
func (r *records) eachCell(visit func(row int, at int64)) error {
	for {
		row, more, err := r.toCell()
		if err != nil || !more {
			return err
		}
		at := r.at
		if err := r.pass(); err != nil {
			return err
		}
		visit(row, at)
	}
}

// toCell passes over records until the next one has cells with values, and
// tells its row; no more if the sheet ends before. Parts inside of the sheet
// (charts) are left out.
func (r *records) toCell() (row int, more bool, err error) {
	for depth := 0; ; {
		kind, size, err := r.peek()
		switch {
		case err != nil:
			return 0, false, err
		case kind == kindEOF && depth == 0:
			return 0, false, nil
		case kind == kindEOF:
			depth--
		case kind == kindBOF:
			depth++
		case depth == 0 && isCell(kind) && size < 6:
			return 0, false, damaged("%w", errShort)
		case depth == 0 && isCell(kind):
			head, err := r.in.Peek(6)
			if err != nil {
				return 0, false, cutOff(err)
			}
			return int(binary.LittleEndian.Uint16(head[4:])), true, nil
		}
		if err := r.pass(); err != nil {
			return 0, false, err
		}
	}
}

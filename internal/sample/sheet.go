package sample

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// layout is how a publisher writes a file, apart from its columns.
type layout struct {
	page       *charmap.Charmap // nil: UTF-8
	mark       bool             // starts with a byte order mark
	lineEnd    string
	separator  byte
	quoteTexts bool // every text in quotes, as R writes it
	openEnd    bool // no line end after the last row
}

// plain is the layout of the same cells as UTF-8 text with line feeds.
func (l layout) plain() layout { return layout{lineEnd: "\n", separator: l.separator} }

// table takes the cells of a table one after the other, whatever it writes them to.
type table interface {
	text(value string)
	numbered(before string, n, width int, after string)
	count(n int)
	percent(k, n int)
	empty(cells int)
	end()
}

// sheet writes the rows of one text file. The first error stays, and close gives it.
type sheet struct {
	layout
	out   *bufio.Writer
	row   []byte
	cells int
	rows  int
	err   error
}

func newSheet(file io.Writer, layout layout) *sheet {
	s := &sheet{layout: layout, out: bufio.NewWriterSize(file, 1<<16), row: make([]byte, 0, 1024)}
	if layout.mark {
		s.keep(s.out.WriteString("\uFEFF"))
	}
	return s
}

func (s *sheet) keep(_ int, err error) {
	if s.err == nil && err != nil {
		s.err = err
	}
}

// next begins a cell.
func (s *sheet) next() {
	if s.cells > 0 {
		s.row = append(s.row, s.separator)
	}
	s.cells++
}

// text writes a cell of text, in quotes where a reader needs them.
func (s *sheet) text(value string) {
	s.next()
	if !s.quoteTexts && strings.IndexByte(value, s.separator) < 0 && !strings.ContainsAny(value, "\"\r\n") {
		s.row = append(s.row, value...)
		return
	}
	s.row = append(s.row, '"')
	s.row = append(s.row, strings.ReplaceAll(value, `"`, `""`)...)
	s.row = append(s.row, '"')
}

// numbered writes a text that holds a number of the given width between two texts without separators or quotes.
func (s *sheet) numbered(before string, n, width int, after string) {
	s.next()
	if s.quoteTexts {
		s.row = append(s.row, '"')
	}
	s.row = append(s.row, before...)
	s.row = appendPadded(s.row, n, width)
	s.row = append(s.row, after...)
	if s.quoteTexts {
		s.row = append(s.row, '"')
	}
}

// code writes a number as a code of a fixed width, with its leading zeros.
func (s *sheet) code(n, width int) { s.numbered("", n, width, "") }

// count writes a whole number.
func (s *sheet) count(n int) {
	s.next()
	s.row = strconv.AppendInt(s.row, int64(n), 10)
}

// counts writes several whole numbers.
func (s *sheet) counts(ns ...int) {
	for _, n := range ns {
		s.count(n)
	}
}

// decimal writes a number with so many places; -1 means as many as it takes to read the same number back.
func (s *sheet) decimal(x float64, places int) {
	s.next()
	s.row = strconv.AppendFloat(s.row, x, 'f', places, 64)
}

// percent writes k of n as "49.1%", the way PLANEA prints shares.
func (s *sheet) percent(k, n int) {
	s.next()
	s.row = appendPercent(s.row, k, n)
}

// empty writes so many cells without anything in them.
func (s *sheet) empty(cells int) {
	for range cells {
		s.next()
	}
}

// end ends the row.
func (s *sheet) end() { s.endTimes(1) }

// endTimes ends the row and writes it so many times: a publisher's exact duplicates.
func (s *sheet) endTimes(times int) {
	if s.cells == 0 {
		return
	}
	if s.page != nil {
		s.encode()
	}
	for range times {
		// The line end comes before the next row, so that the last row can go without one.
		if s.rows > 0 {
			s.keep(s.out.WriteString(s.lineEnd))
		}
		s.keep(s.out.Write(s.row))
		s.rows++
	}
	s.row, s.cells = s.row[:0], 0
}

// encode turns the row into the sheet's code page, in place: no code page here is longer than UTF-8.
func (s *sheet) encode() {
	kept := s.row[:0]
	for i := 0; i < len(s.row); {
		if s.row[i] < utf8.RuneSelf {
			kept = append(kept, s.row[i])
			i++
			continue
		}
		r, size := utf8.DecodeRune(s.row[i:])
		b, ok := s.page.EncodeRune(r)
		if !ok {
			s.keep(0, fmt.Errorf("%v has no %q", s.page, r))
		}
		kept = append(kept, b)
		i += size
	}
	s.row = kept
}

func (s *sheet) close() error {
	if s.rows > 0 && !s.openEnd {
		s.keep(s.out.WriteString(s.lineEnd))
	}
	s.keep(0, s.out.Flush())
	return s.err
}

// appendPercent appends k of n as "49.1%".
func appendPercent(to []byte, k, n int) []byte {
	return append(strconv.AppendFloat(to, 100*float64(k)/float64(n), 'f', 1, 64), '%')
}

// appendPadded appends n in decimal with leading zeros up to the width.
func appendPadded(to []byte, n, width int) []byte {
	var digits [20]byte
	text := strconv.AppendInt(digits[:0], int64(n), 10)
	for range width - len(text) {
		to = append(to, '0')
	}
	return append(to, text...)
}

package csvtext

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// pathMark stands between the parts of a title that was stacked over several
// header rows.
const pathMark = " > "

// Header names the columns of a file.
type Header struct {
	titles []string // as people read them: "A > B"
	folded []string // as they are compared
}

// NewHeader builds the titles from stacked header rows. A cell of an upper row
// that is empty was merged with the one to its left, as long as the rows above
// it agree; the last row stands for itself.
func NewHeader(rows [][]string) *Header {
	width := 0
	for _, row := range rows {
		width = max(width, len(row))
	}
	h := &Header{}
	carried := make([]string, len(rows))
	for column := range width {
		var path []string
		own := false
		for i, row := range rows {
			cell := ""
			if column < len(row) {
				cell = foldSpace(row[column])
			}
			switch {
			case cell != "":
				own = true
				clear(carried[i:]) // what hung below the old cell ends with it
				carried[i] = cell
			case i < len(rows)-1:
				cell = carried[i]
			}
			if cell != "" {
				path = append(path, cell)
			}
		}
		title := ""
		if own {
			title = strings.Join(path, pathMark)
		}
		h.titles = append(h.titles, title)
		h.folded = append(h.folded, foldTitle(title))
	}
	return h
}

// Width is the number of columns.
func (h *Header) Width() int { return len(h.titles) }

// Title gives the title of a column, from 0, as people read it.
func (h *Header) Title(column int) string { return h.titles[column] }

// LastTitled is the number of columns up to the last one that has a title.
func (h *Header) LastTitled() int {
	n := len(h.titles)
	for n > 0 && h.titles[n-1] == "" {
		n--
	}
	return n
}

// find gives the columns that a card's title names: those whose whole path it
// is or, if there are none, those whose path ends with it.
func (h *Header) find(title string) []int {
	wanted := foldTitle(title)
	if wanted == "" {
		return nil
	}
	var whole, tail []int
	for i, folded := range h.folded {
		switch {
		case folded == wanted:
			whole = append(whole, i)
		case strings.HasSuffix(folded, pathMark+wanted):
			tail = append(tail, i)
		}
	}
	if len(whole) > 0 {
		return whole
	}
	return tail
}

// fits reports whether a column's path ends with a card's title.
func (h *Header) fits(column int, title string) bool {
	wanted, folded := foldTitle(title), h.folded[column]
	return wanted != "" && (folded == wanted || strings.HasSuffix(folded, pathMark+wanted))
}

// foldSpace trims text and makes each run of white space one blank.
func foldSpace(text string) string { return strings.Join(strings.Fields(text), " ") }

// foldTitle brings a title to the form in which titles are compared: composed
// characters, single blanks, one case.
func foldTitle(title string) string {
	parts := strings.Split(norm.NFC.String(title), ">")
	for i, part := range parts {
		parts[i] = foldSpace(part)
	}
	return strings.Map(foldCase, strings.Join(parts, pathMark))
}

// foldCase gives the smallest of the characters that differ in case only.
func foldCase(r rune) rune {
	least := r
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		least = min(least, other)
	}
	return least
}

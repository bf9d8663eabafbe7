package csvtext

import (
	"fmt"
	"strings"

	"tamiz/pipeline"
)

// Absent is the place of an optional column that the file does not have.
const Absent = -1

// Bounds of the search for the nearest title.
const (
	comparedColumns = 2000
	comparedRunes   = 200
)

// Mismatch is one column of a card that a file's header does not answer.
type Mismatch struct {
	Column   string // name on the card
	Expected string
	Found    string
	Premise  string // what must hold before Line is right
	Line     string // of the card, so that it would fit
}

// Match finds the columns of a card in the header: the place of each, from 0,
// or [Absent]. All columns that cannot be found are told at once.
//
// A column is known by any of its titles; if several of them stand in the
// file, the first on the card counts. A title that stands in the file twice
// must be told apart by the column's position.
func (h *Header) Match(columns []pipeline.SourceColumn) ([]int, []Mismatch) {
	places := make([]int, len(columns))
	var mismatches []Mismatch
	var missing []int
	claimed := map[int]bool{}
	for i, column := range columns {
		place, mismatch := h.place(column)
		places[i] = place
		switch {
		case mismatch != nil:
			mismatches = append(mismatches, *mismatch)
		case place != Absent:
			claimed[place] = true
		case !column.Optional:
			missing = append(missing, i)
		}
	}
	for _, i := range missing {
		mismatches = append(mismatches, h.missing(columns[i], claimed))
	}
	return places, mismatches
}

// place finds one column. No mismatch and [Absent] mean that none of its
// titles stands in the file.
func (h *Header) place(column pipeline.SourceColumn) (int, *Mismatch) {
	if column.Position > 0 {
		return h.atPosition(column)
	}
	for _, title := range column.Titles {
		found := h.find(title)
		if len(found) > 1 {
			return Absent, h.ambiguous(column, title, found)
		}
		if len(found) == 1 {
			return found[0], nil
		}
	}
	return Absent, nil
}

// atPosition takes the column at its position, if its title is there one of
// the card's.
func (h *Header) atPosition(column pipeline.SourceColumn) (int, *Mismatch) {
	place := column.Position - 1
	if place < h.Width() {
		if len(column.Titles) == 0 {
			return place, nil
		}
		for _, title := range column.Titles {
			if h.fits(place, title) {
				return place, nil
			}
		}
	}
	mismatch := &Mismatch{Column: column.Name,
		Expected: fmt.Sprintf("%s as column %d of the file", describe(column), column.Position),
		Found:    fmt.Sprintf("%d columns", h.Width())}
	if place < h.Width() {
		mismatch.Found = fmt.Sprintf("column %d is %q", column.Position, h.titles[place])
	}
	for _, title := range column.Titles {
		for _, other := range h.find(title) {
			moved := column
			moved.Position = other + 1
			mismatch.Found += fmt.Sprintf("; %q is column %d", h.titles[other], other+1)
			mismatch.Premise = fmt.Sprintf("if column %d is the one", other+1)
			mismatch.Line = CardLine(moved)
			return Absent, mismatch
		}
	}
	if column.Optional {
		return Absent, nil
	}
	return Absent, mismatch
}

func (h *Header) ambiguous(column pipeline.SourceColumn, title string, found []int) *Mismatch {
	var where []string
	for _, place := range found {
		where = append(where, fmt.Sprintf("column %d (%s)", place+1, h.titles[place]))
	}
	chosen := column
	chosen.Position = found[0] + 1
	return &Mismatch{Column: column.Name, Expected: fmt.Sprintf("one column that is titled %q", title),
		Found:   fmt.Sprintf("%d of them: %s", len(found), strings.Join(where, ", ")),
		Premise: fmt.Sprintf("say which with position; if it is column %d", found[0]+1), Line: CardLine(chosen)}
}

// missing is the mismatch of a column that the file does not have, with the
// column that is most like it among those that the card does not know.
func (h *Header) missing(column pipeline.SourceColumn, claimed map[int]bool) Mismatch {
	mismatch := Mismatch{Column: column.Name, Expected: describe(column),
		Found: fmt.Sprintf("%d columns, none of that name", h.Width())}
	best, least := Absent, 0
	for place, title := range h.titles {
		if title == "" || claimed[place] || place >= comparedColumns {
			continue
		}
		for _, wanted := range column.Titles {
			if d := h.distance(place, wanted); best == Absent || d < least {
				best, least = place, d
			}
		}
	}
	if best == Absent {
		optional := column
		optional.Optional = true
		mismatch.Premise, mismatch.Line = "if it is gone for good", CardLine(optional)
		return mismatch
	}
	nearest := h.shortest(best)
	mismatch.Found += "; nearest: " + nearest
	mismatch.Premise = "if " + nearest + " is the same quantity"
	renamed := column
	renamed.Titles = append(append([]string{}, column.Titles...), nearest)
	mismatch.Line = CardLine(renamed)
	return mismatch
}

// shortest gives the shortest tail of a column's path that no other column
// answers to.
func (h *Header) shortest(place int) string {
	parts := strings.Split(h.titles[place], pathMark)
	for from := len(parts) - 1; from > 0; from-- {
		tail := strings.Join(parts[from:], pathMark)
		if found := h.find(tail); len(found) == 1 && found[0] == place {
			return tail
		}
	}
	return h.titles[place]
}

// distance tells how far a column's title is from a wanted one, comparing as
// many parts of its path as the wanted one has.
func (h *Header) distance(place int, wanted string) int {
	wanted = foldTitle(wanted)
	parts := strings.Split(h.folded[place], pathMark)
	tail := min(len(parts), strings.Count(wanted, pathMark)+1)
	return editDistance([]rune(strings.Join(parts[len(parts)-tail:], pathMark)), []rune(wanted))
}

// editDistance counts the insertions, deletions, replacements and swaps of
// neighbours between two titles.
func editDistance(a, b []rune) int {
	a, b = a[:min(len(a), comparedRunes)], b[:min(len(b), comparedRunes)]
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i, x := range a {
		row[0] = i + 1
		for j, y := range b {
			change := last[j]
			if x != y {
				change++
			}
			row[j+1] = min(change, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && x == b[j-1] && y == a[i-1] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

func describe(column pipeline.SourceColumn) string {
	title := column.Name
	if len(column.Titles) > 0 {
		title = strings.Join(column.Titles, " or ")
	}
	text := "a column " + title
	if column.Description != "" {
		text += ", " + strings.TrimSuffix(foldSpace(column.Description), ".")
	}
	return text
}

package main

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"tamiz/pipeline"
)

// unit is a row of the mart that adoption compares.
type unit struct {
	key          []string
	inPopulation bool
	level        *string // what the condition of high says: "true" or "false"; nil: unknown
	matched      bool    // a row of the list names it
}

func (u *unit) isHigh() bool { return u.level != nil && *u.level == "true" }

// actedRow is a row of the list of those that acted: what it says of the key,
// "" where it says nothing.
type actedRow struct {
	line int
	key  []string
}

// aside counts rows of the list that do not count, and tells the first.
type aside struct {
	Count int      `json:"count"`
	First []string `json:"first,omitempty"`
}

// shown is how many rows that do not count are told one by one.
const shown = 5

func (a *aside) add(row actedRow) {
	if a.Count++; len(a.First) < shown {
		parts := make([]string, len(row.key))
		for i, part := range row.key {
			parts[i] = cmp.Or(part, "–")
		}
		a.First = append(a.First, fmt.Sprintf("line %d: %s", row.line, strings.Join(parts, ", ")))
	}
}

// actedRows says what became of each row of the list.
type actedRows struct {
	Read       int   `json:"read"`
	Counted    int   `json:"counted"`
	ByPart     int   `json:"matched_by_part_of_the_key"`
	WithoutKey aside `json:"without_a_key"`
	Unknown    aside `json:"unknown_to_the_snapshot"`
	Ambiguous  aside `json:"ambiguous"`
	Duplicate  aside `json:"duplicate"`
	Outside    aside `json:"not_in_the_population"`
}

// folded is how keys are compared: without blanks around them, small letters
// as capitals.
func folded(text string) string { return strings.ToUpper(strings.TrimSpace(text)) }

// readActed reads the key columns of a CSV file; its other columns are not
// looked at. The first of the key must be there.
func readActed(file string, key []string) ([]actedRow, error) {
	source, err := os.Open(file)
	if err != nil {
		return nil, &pipeline.Error{Kind: pipeline.Config, Subject: file, Problem: "the list of those that acted cannot be read", Err: err}
	}
	defer source.Close()
	content, err := io.ReadAll(source)
	if err != nil {
		return nil, &pipeline.Error{Kind: pipeline.Config, Subject: file, Problem: "the list of those that acted cannot be read", Err: err}
	}
	text := strings.TrimPrefix(string(content), "\ufeff")
	reader := csv.NewReader(strings.NewReader(text))
	reader.FieldsPerRecord, reader.Comma = -1, separator(text)
	titles, err := reader.Read()
	if errors.Is(err, io.EOF) {
		titles, err = nil, nil
	}
	if err != nil {
		return nil, &pipeline.Error{Kind: pipeline.Config, Subject: file, Problem: "this is no CSV file", Err: err}
	}
	places := make([]int, len(key)) // 1-based; 0: absent
	for i, title := range titles {
		for j, column := range key {
			if folded(title) != folded(column) {
				continue
			}
			if places[j] != 0 {
				return nil, &pipeline.Error{Kind: pipeline.Config, Subject: file, Problem: "the column " + column + " is there twice", Hint: "name one of them otherwise"}
			}
			places[j] = i + 1
		}
	}
	if places[0] == 0 {
		return nil, &pipeline.Error{Kind: pipeline.Config, Subject: file, Problem: "the column " + key[0] + " is missing",
			Expected: "a first line with the columns " + strings.Join(key, ", "), Found: strings.Join(titles, ", "), Hint: "rename the column that holds it"}
	}
	var rows []actedRow
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, &pipeline.Error{Kind: pipeline.Config, Subject: file, Problem: "this is no CSV file", Err: err}
		}
		line, _ := reader.FieldPos(0)
		row := actedRow{line: line, key: make([]string, len(key))}
		for j, place := range places {
			if place > 0 && place <= len(record) {
				row.key[j] = strings.TrimSpace(record[place-1])
			}
		}
		rows = append(rows, row)
	}
}

// separator is the one of comma, semicolon and tab that the first line has
// most of.
func separator(text string) rune {
	line, _, _ := strings.Cut(text, "\n")
	best := ','
	for _, candidate := range ";\t" {
		if strings.Count(line, string(candidate)) > strings.Count(line, string(best)) {
			best = candidate
		}
	}
	return best
}

// matchActed finds the unit of each row and marks it. A row that leaves out
// part of the key is matched by the rest, if that tells one unit.
func matchActed(units []unit, rows []actedRow) actedRows {
	indices := map[string]map[string][]int{} // by which parts of the key are given; by their text
	index := func(parts string) map[string][]int {
		if found := indices[parts]; found != nil {
			return found
		}
		made := map[string][]int{}
		for i := range units {
			text := partOf(units[i].key, parts)
			made[text] = append(made[text], i)
		}
		indices[parts] = made
		return made
	}
	result := actedRows{Read: len(rows)}
	for _, row := range rows {
		given := strings.Builder{}
		for _, part := range row.key {
			given.WriteByte("01"[min(1, len(part))])
		}
		parts := given.String()
		if parts[0] == '0' {
			result.WithoutKey.add(row)
			continue
		}
		found := index(parts)[partOf(row.key, parts)]
		switch {
		case len(found) == 0:
			result.Unknown.add(row)
		case len(found) > 1:
			result.Ambiguous.add(row)
		case units[found[0]].matched:
			result.Duplicate.add(row)
		default:
			one := &units[found[0]]
			one.matched = true
			if !one.inPopulation || one.level == nil {
				result.Outside.add(row)
				continue
			}
			result.Counted++
			if strings.Contains(parts, "0") {
				result.ByPart++
			}
		}
	}
	return result
}

// partOf joins those parts of a key that have a 1.
func partOf(key []string, parts string) string {
	var b strings.Builder
	for i, part := range key {
		if parts[i] == '1' {
			b.WriteString(folded(part) + "\x00")
		}
	}
	return b.String()
}

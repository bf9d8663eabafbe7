package extract

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"tamiz/extract/csvtext"
	"tamiz/pipeline"
)

// contract holds the promises of a card about values: ranges and numbers of
// records. Text that is no number, such as a mask, is not judged here.
type contract struct {
	source  *pipeline.Source
	places  []int // of the card's columns in the present part
	records int64
	ranges  []*rangeRule
}

// rangeRule is the range of one column and what lay outside of it.
type rangeRule struct {
	column      pipeline.SourceColumn
	index       int // on the card
	violations  int64
	firstRecord int64
	firstWhere  string
	firstValue  string
}

func newContract(source *pipeline.Source) *contract {
	c := &contract{source: source}
	for i, column := range source.Parsing.Columns {
		if column.Min != nil || column.Max != nil {
			c.ranges = append(c.ranges, &rangeRule{column: column, index: i})
		}
	}
	return c
}

// begin tells where the columns stand in the part that comes.
func (c *contract) begin(places []int) { c.places = places }

// judge looks at one record. Only too many records stop the reading: what lies
// out of range is counted to the end.
func (c *contract) judge(record csvtext.Record, part string) error {
	c.records++
	if most := c.source.Parsing.MaxRecords; most > 0 && c.records > most {
		return &pipeline.Error{Kind: pipeline.Drift, Problem: "the file has more records than its card allows",
			Expected: "at most " + csvtext.Count(most),
			Hint: fmt.Sprintf("if the file is the right one, raise the limit in %s, under limits:\n  records: %d",
				c.source.Path, 2*most)}
	}
	for _, rule := range c.ranges {
		place := c.places[rule.index]
		if place == csvtext.Absent || place >= len(record.Fields) {
			continue
		}
		value, ok := numberIn(record.Fields[place])
		if !ok || (rule.column.Min == nil || value >= *rule.column.Min) && (rule.column.Max == nil || value <= *rule.column.Max) {
			continue
		}
		if rule.violations++; rule.violations == 1 {
			rule.firstRecord, rule.firstWhere = c.records, strings.TrimPrefix(part+", line ", ", ")+csvtext.Count(record.Line)
			rule.firstValue = csvtext.Cut(string(record.Fields[place]))
		}
	}
	return nil
}

// finish tells all that broke the contract, when every record has been seen.
func (c *contract) finish() error {
	if least := c.source.Parsing.MinRecords; c.records < least {
		return &pipeline.Error{Kind: pipeline.Drift, Problem: "the file has fewer records than its card asks for",
			Expected: "at least " + csvtext.Count(least), Found: csvtext.Count(c.records),
			Hint: "the file may have been cut short; get it again\n" +
				"if it is whole, lower min_records in " + c.source.Path + ", under limits"}
	}
	var expected, found []string
	for _, rule := range c.ranges {
		if rule.violations == 0 {
			continue
		}
		expected = append(expected, rule.column.Name+" "+rule.bounds())
		found = append(found, fmt.Sprintf("%s in %s of %s records; the first is record %s (%s): %q", rule.column.Name,
			csvtext.Count(rule.violations), csvtext.Count(c.records), csvtext.Count(rule.firstRecord),
			rule.firstWhere, rule.firstValue))
	}
	if len(found) == 0 {
		return nil
	}
	return &pipeline.Error{Kind: pipeline.Drift, Problem: "values lie outside of the range that the card gives",
		Expected: strings.Join(expected, "\n"), Found: strings.Join(found, "\n"),
		Hint: "columns may have been swapped, or a unit or the decimal point changed: compare with the last file\n" +
			"if the values are right, widen range in " + c.source.Path}
}

func (r *rangeRule) bounds() string {
	text := func(bound float64) string { return strconv.FormatFloat(bound, 'f', -1, 64) }
	switch {
	case r.column.Min == nil:
		return "at most " + text(*r.column.Max)
	case r.column.Max == nil:
		return "at least " + text(*r.column.Min)
	}
	return "from " + text(*r.column.Min) + " to " + text(*r.column.Max)
}

// numberIn reads a number as publishers write it: with blanks around, commas
// between thousands, a percent sign.
func numberIn(field []byte) (float64, bool) {
	field = bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(field), []byte{'%'}))
	if len(field) == 0 || len(field) > 64 {
		return 0, false
	}
	if value, ok := wholeNumber(field); ok {
		return value, true
	}
	digits := make([]byte, 0, 64)
	for _, b := range field {
		switch {
		case b == ',':
		case b >= '0' && b <= '9', b == '.', b == '-', b == '+', b == 'e', b == 'E':
			digits = append(digits, b)
		default: // "NaN", "0x1F" and "1_000" are text
			return 0, false
		}
	}
	value, err := strconv.ParseFloat(string(digits), 64)
	return value, err == nil
}

// wholeNumber reads the most common case without going through a string.
func wholeNumber(field []byte) (float64, bool) {
	if len(field) > 15 {
		return 0, false
	}
	var value int64
	for _, b := range field {
		if b < '0' || b > '9' {
			return 0, false
		}
		value = 10*value + int64(b-'0')
	}
	return float64(value), true
}

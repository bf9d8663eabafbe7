package pipeline

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// RecordedAt is the column of every log's table that says when a record was
// added, by the clock of who added it; nobody types it.
const RecordedAt = "recorded_at"

// EntryRule is what a column of a log may hold. It is kept at the door, when
// a record is added; it is no part of how a table is read.
type EntryRule struct {
	Required bool
	Assigned bool     // the record's own number; nobody types it
	Date     bool     // such as 2026-11-29
	OneOf    []string // the words that are allowed
	Like     *Form
	By       string           // the column that Likes depends on
	Likes    map[string]*Form // word of that column → what this one then looks like, in place of Like
	Log      string           // the log that a value refers to
	Column   string           // and its column
}

// Form is how a value is written: a pattern that all of it matches or, without
// one, a whole number from Low to High.
type Form struct {
	Pattern   *regexp.Regexp
	Example   string
	Low, High int64
}

func (f *Form) fits(value string) bool {
	if f.Pattern != nil {
		return f.Pattern.FindString(value) == value
	}
	number, err := strconv.ParseInt(value, 10, 64)
	return err == nil && f.Low <= number && number <= f.High
}

// String says in words what fits.
func (f *Form) String() string {
	switch {
	case f.Pattern == nil:
		return fmt.Sprintf("a whole number from %d to %d", f.Low, f.High)
	case f.Example != "":
		return "a text such as " + f.Example
	}
	text := strings.TrimSuffix(strings.TrimPrefix(f.Pattern.String(), "^(?:"), ")$")
	return strings.ReplaceAll(text, "|", " or ")
}

// Refers reports whether a column of a log holds a value.
type Refers func(log, column, value string) (bool, error)

// Entry completes a record of the source's log: it drops empty values, gives
// assigned ones, and wants all of them to keep the card's rules. Its error, of
// kind Config, names each column that does not, and what is allowed. Any other
// error is that of refers.
func (s *Source) Entry(values map[string]string, refers Refers) (map[string]string, error) {
	entry := map[string]string{}
	var problems []error
	for name, value := range values {
		if value = strings.TrimSpace(value); value != "" {
			entry[name] = value
		}
		if !slices.ContainsFunc(s.Parsing.Columns, func(c SourceColumn) bool { return c.Name == name && c.Entry != nil && !c.Entry.Assigned }) {
			problems = append(problems, fmt.Errorf("%s is no column that can be given", name))
		}
	}
	for _, column := range s.Parsing.Columns {
		if column.Entry == nil || column.Entry.Assigned {
			continue
		}
		problem, err := column.judge(entry, refers)
		if err != nil {
			return nil, err
		}
		if problem != "" {
			problems = append(problems, errors.New(problem))
		}
	}
	if len(problems) > 0 {
		slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
		return nil, &Error{Kind: Config, Subject: s.Name, Problem: "the record does not fit the log: nothing was added",
			Where: s.Path, Found: errors.Join(problems...).Error(), Expected: "column=value for each of " + s.EntryColumns()}
	}
	return entry, nil
}

// EntryColumns lists the columns of a log that people give, those in brackets
// if they like.
func (s *Source) EntryColumns() string {
	var names []string
	for _, column := range s.Parsing.Columns {
		switch {
		case column.Entry == nil || column.Entry.Assigned:
		case column.Entry.Required:
			names = append(names, column.Name)
		default:
			names = append(names, "["+column.Name+"]")
		}
	}
	return strings.Join(names, ", ")
}

// Assign puts a record's number into the columns that are assigned.
func (s *Source) Assign(entry map[string]string, sequence int64) map[string]string {
	for _, column := range s.Parsing.Columns {
		if column.Entry != nil && column.Entry.Assigned {
			entry[column.Name] = strconv.FormatInt(sequence, 10)
		}
	}
	return entry
}

// judge says what is wrong with the value of a column, "" if nothing is.
func (c *SourceColumn) judge(entry map[string]string, refers Refers) (string, error) {
	value, rule := entry[c.Name], c.Entry
	if value == "" {
		if rule.Required {
			return c.Name + " is missing" + c.Allowed(entry), nil
		}
		return "", nil
	}
	like := rule.Like
	if other, ok := rule.Likes[entry[rule.By]]; ok {
		like = other
	}
	_, notDate := time.Parse(DateLayout, value)
	switch {
	case len(rule.OneOf) > 0 && !slices.Contains(rule.OneOf, value), rule.Date && notDate != nil,
		like != nil && !like.fits(value):
		return fmt.Sprintf("%s is %q%s", c.Name, value, c.Allowed(entry)), nil
	case rule.Log != "":
		known, err := refers(rule.Log, rule.Column, value)
		if err == nil && !known {
			return fmt.Sprintf("%s is %q: no record of %s has that %s", c.Name, value, rule.Log, rule.Column), nil
		}
		return "", err
	}
	return "", nil
}

// Allowed says what a column may hold in a record.
func (c *SourceColumn) Allowed(entry map[string]string) string {
	rule := c.Entry
	like, when := rule.Like, ""
	if other, ok := rule.Likes[entry[rule.By]]; ok {
		like, when = other, fmt.Sprintf(" where %s is %s", rule.By, entry[rule.By])
	}
	switch {
	case len(rule.OneOf) > 0:
		return ": want one of " + strings.Join(rule.OneOf, ", ")
	case rule.Date:
		return ": want a date such as 2026-11-29"
	case like != nil:
		return fmt.Sprintf(": want %s%s", like, when)
	case rule.Log != "":
		return fmt.Sprintf(": want the %s of a record of %s", rule.Column, rule.Log)
	}
	return ""
}

package lineage

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tamiz/pipeline"
)

// PublishedTable is the shape in which an edition publishes a mart.
type PublishedTable struct {
	Name    string // without its schema
	Key     []string
	Columns []pipeline.Column // with their types and, where they will go, since when
}

// SchemaBreak is a change that readers of a table cannot have expected.
type SchemaBreak struct {
	Table   string
	Columns []string // that it is about
	Changes []string // in words
}

// SchemaBreaks compares the shape of an edition with that of the one before it.
// Tables and columns may be added; one may be removed or retyped, and a key
// changed, only if the column was deprecated a year of period dates ago. A new
// deprecation that is older than the edition before is a break too: no reader
// could have seen it. Dates are such as 2026-11-29; the breaks come by table.
func SchemaBreaks(before, after []PublishedTable, periodBefore, period string) []SchemaBreak {
	var breaks []SchemaBreak
	for _, old := range before {
		b := SchemaBreak{Table: old.Name}
		note := func(column, format string, arguments ...any) {
			b.Columns, b.Changes = append(b.Columns, column), append(b.Changes, fmt.Sprintf(format, arguments...))
		}
		at := slices.IndexFunc(after, func(t PublishedTable) bool { return t.Name == old.Name })
		present := PublishedTable{}
		if at >= 0 {
			present = after[at]
		}
		for _, column := range old.Columns {
			isOver := column.Deprecated != nil && yearAfter(column.Deprecated.Since) <= period
			i := slices.IndexFunc(present.Columns, func(c pipeline.Column) bool { return c.Name == column.Name })
			switch {
			case isOver && i < 0:
			case i < 0 && column.Deprecated != nil:
				note(column.Name, "%s is gone; it was deprecated since %s, and may go from %s on", column.Name, column.Deprecated.Since, yearAfter(column.Deprecated.Since))
			case i < 0:
				note(column.Name, "%s is gone", column.Name)
			case present.Columns[i].Type != column.Type && !isOver:
				note(column.Name, "%s was %s and would be %s", column.Name, column.Type, present.Columns[i].Type)
			case column.Deprecated == nil && present.Columns[i].Deprecated != nil && present.Columns[i].Deprecated.Since < periodBefore:
				note(column.Name, "%s is said to be deprecated since %s, but the edition of %s did not say so", column.Name, present.Columns[i].Deprecated.Since, periodBefore)
			}
		}
		if at >= 0 && !slices.Equal(old.Key, present.Key) && len(b.Changes) == 0 && !slices.ContainsFunc(old.Columns, func(c pipeline.Column) bool {
			return slices.Contains(old.Key, c.Name) && c.Deprecated != nil
		}) {
			note(strings.Join(present.Key, ", "), "the key was %s and would be %s", strings.Join(old.Key, ", "), strings.Join(present.Key, ", "))
		}
		if len(b.Changes) > 0 {
			breaks = append(breaks, b)
		}
	}
	slices.SortFunc(breaks, func(a, b SchemaBreak) int { return strings.Compare(a.Table, b.Table) })
	return breaks
}

// yearAfter gives the date a year later; config has judged the text.
func yearAfter(date string) string {
	at, err := time.Parse(pipeline.DateLayout, date)
	if err != nil {
		return "9999-12-31"
	}
	return at.AddDate(1, 0, 0).Format(pipeline.DateLayout)
}

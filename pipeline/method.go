package pipeline

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Comparison says how a pipeline compares two snapshots, or two methods.
type Comparison struct {
	Mart      string // without its schema
	Key       []string
	Value     string // the column whose change counts
	One, Many string // what a row of the mart is called
	Groups    []ComparisonGroup
	Indices   []string // figures of the mart whose movement is told; none: the value, if it is a figure
	Because   []ComparisonFact
	Path      string // for messages
}

// ComparisonGroup is SQL over the marts that gives the columns of the key,
// then the name of the group that the unit is in.
type ComparisonGroup struct{ Title, SQL string }

// ComparisonFact is what is told of one unit when its value has changed: SQL
// over the marts that gives the columns of the key, then what the title names.
type ComparisonFact struct{ Title, Unit, SQL string }

// Anchor says how rows of a method's table are computed from a snapshot: SQL
// over its marts that gives the columns of Key, which name a row, and columns
// of the table, which it sets.
type Anchor struct {
	Table string // method.x
	Key   []string
	SQL   string
	Path  string // for messages
}

// MethodTables lists the tables of the method, by name.
func (p *Pipeline) MethodTables() []Table {
	return slices.DeleteFunc(slices.Clone(p.Tables), func(t Table) bool { return !isMethod(t) })
}

// WithMethod is the pipeline with other tables for its method.
func (p *Pipeline) WithMethod(tables []Table) *Pipeline {
	other := *p
	other.Tables = append(slices.DeleteFunc(slices.Clone(p.Tables), isMethod), tables...)
	slices.SortFunc(other.Tables, func(a, b Table) int { return strings.Compare(a.Name, b.Name) })
	return &other
}

func isMethod(t Table) bool { return strings.HasPrefix(t.Name, "method.") }

// MeaningOf is the digest of what tables hold: names, types and values, each
// in its place. Comments, blanks and descriptions are no part of it, for no
// figure stands on them.
func MeaningOf(tables []Table) Digest {
	var parts []string
	for _, table := range tables {
		parts = append(parts, table.Name, strconv.Itoa(len(table.Columns)), strconv.Itoa(len(table.Rows)))
		for _, column := range table.Columns {
			parts = append(parts, column.Name, column.Type)
		}
		for row := range table.Rows {
			for column := range table.Columns {
				parts = append(parts, table.Value(row, column))
			}
		}
	}
	return DigestOf(parts...)
}

// Value is a cell for people, and for comparing: texts and numbers without
// quotes, NULL as null.
func (t Table) Value(row, column int) string {
	literal := t.Rows[row][column]
	if !strings.HasPrefix(literal, "'") {
		return literal
	}
	text := strings.ReplaceAll(literal[1:len(literal)-1], "''", "'")
	if t.Columns[column].Type == "VARCHAR" && text == "null" {
		return literal // the text, not the absence of one
	}
	return text
}

// MethodChange is one parameter that differs between two methods: a cell or,
// where too much differs, a whole table.
type MethodChange struct {
	Table  string // method.x
	Row    string // the cells that name the row; "" in a table of one row
	Column string // "" for a whole table
	Before string // for a whole table: what differs, in words
	After  string

	row, column int
}

// manyCells is from how many changed cells on a table is one change: each
// change is computed on its own.
const manyCells = 13

// CompareMethods lists what differs between the tables of two methods, in the
// order of tables, rows and columns.
func CompareMethods(before, after []Table) []MethodChange {
	var changes []MethodChange
	others := map[string]Table{}
	for _, table := range after {
		others[table.Name] = table
	}
	for _, table := range before {
		other, ok := others[table.Name]
		delete(others, table.Name)
		if !ok {
			changes = append(changes, MethodChange{Table: table.Name, Before: "there", After: "taken out"})
			continue
		}
		changes = append(changes, compareTables(table, other)...)
	}
	for _, name := range sortedKeys(others) {
		changes = append(changes, MethodChange{Table: name, Before: "not there", After: "added"})
	}
	return changes
}

func compareTables(before, after Table) []MethodChange {
	if MeaningOf([]Table{before}) == MeaningOf([]Table{after}) {
		return nil
	}
	before = before.widened(after)
	width := keyWidth(before)
	sameColumns := slices.EqualFunc(before.Columns, after.Columns, func(a, b TableColumn) bool { return a.Name == b.Name })
	if !sameColumns || len(before.Rows) != len(after.Rows) || width < 0 {
		return []MethodChange{{Table: before.Name, Before: shape(before), After: shape(after)}}
	}
	var changes []MethodChange
	for row := range before.Rows {
		for column := range before.Columns {
			if before.Value(row, column) == after.Value(row, column) {
				continue
			}
			if column < width {
				return []MethodChange{{Table: before.Name, Before: shape(before), After: "other rows"}}
			}
			changes = append(changes, MethodChange{Table: before.Name, Row: rowName(before, row, width), Column: before.Columns[column].Name,
				Before: before.Value(row, column), After: after.Value(row, column), row: row, column: column})
		}
	}
	if len(changes) >= manyCells || len(changes) == 0 { // none: a type alone, such as 1 for 1.0
		return []MethodChange{{Table: before.Name, Before: shape(before), After: fmt.Sprintf("%d other cells", len(changes))}}
	}
	return changes
}

// widened gives a table the further columns of another one, unknown in each
// row, if the other begins with its columns: a method that is anchored says
// more of the same rows.
func (t Table) widened(other Table) Table {
	for i, column := range t.Columns {
		if i >= len(other.Columns) || other.Columns[i].Name != column.Name {
			return t
		}
	}
	further := other.Columns[len(t.Columns):]
	rows := make([][]string, len(t.Rows))
	for i, row := range t.Rows {
		rows[i] = slices.Clone(row)
		for range further {
			rows[i] = append(rows[i], "null")
		}
	}
	t.Columns, t.Rows = append(slices.Clone(t.Columns), further...), rows
	return t
}

func shape(t Table) string { return fmt.Sprintf("%d rows of %d columns", len(t.Rows), len(t.Columns)) }

// keyWidth is how many of the first columns tell all rows apart: 0 for a
// table of one row, -1 if none do.
func keyWidth(t Table) int {
	for width := range t.Columns {
		seen := map[string]bool{}
		for row := range t.Rows {
			seen[rowName(t, row, width)] = true
		}
		if len(seen) == len(t.Rows) {
			return width
		}
	}
	return -1
}

func rowName(t Table, row, width int) string {
	var cells []string
	for column := range width {
		cells = append(cells, t.Value(row, column))
	}
	return strings.Join(cells, ", ")
}

// Name is how people call what changed: table[row].column.
func (c MethodChange) Name() string {
	name := BaseName(c.Table)
	if c.Row != "" {
		name += "[" + c.Row + "]"
	}
	if c.Column != "" {
		name += "." + c.Column
	}
	return name
}

// Apply makes this change alone: the tables of before with what it takes from
// after.
func (c MethodChange) Apply(before, after []Table) []Table {
	var tables []Table
	for _, table := range before {
		if table.Name != c.Table {
			tables = append(tables, table)
		} else if c.Column != "" {
			tables = append(tables, c.applyCell(table, tableNamed(after, c.Table)))
		}
	}
	if c.Column == "" {
		tables = append(tables, tableNamed(after, c.Table))
	}
	return slices.DeleteFunc(tables, func(t Table) bool { return t.Name == "" })
}

func tableNamed(tables []Table, name string) Table {
	for _, table := range tables {
		if table.Name == name {
			return table
		}
	}
	return Table{}
}

func (c MethodChange) applyCell(table, after Table) Table {
	table = table.widened(after) // a copy
	table.Rows[c.row][c.column] = after.Rows[c.row][c.column]
	column, wanted := &table.Columns[c.column], after.Columns[c.column].Type
	if column.Type != "DOUBLE" || wanted != "BIGINT" { // a double holds the whole number, too
		column.Type = wanted
	}
	return table
}

// NextVersion raises the middle number of a version such as 1.2.0, until it
// is none of those that are used. It gives "" for a version of another form.
func NextVersion(version string, used []string) string {
	parts := strings.Split(version, ".")
	if len(parts) < 2 {
		return ""
	}
	number, err := strconv.Atoi(parts[1])
	if err != nil || number < 0 {
		return ""
	}
	for {
		number++
		next := fmt.Sprintf("%s.%d.0", parts[0], number)
		if !slices.Contains(used, next) {
			return next
		}
	}
}

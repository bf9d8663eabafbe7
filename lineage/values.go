package lineage

import (
	"fmt"
	"slices"
	"strings"

	"tamiz/pipeline"
)

// valueRef is a value: a column of a row.
type valueRef struct {
	row    int
	column string
}

// value writes a value and, below it, those that make it. A value that was
// handed on unchanged is passed over: what made it stands in its place.
func (p *printer) value(at int, column, indent string) {
	row := p.Rows[at]
	table := p.Tables[row.Table]
	described := table.column(column)
	text := column + " = " + quantity(p.Value(row, column), described.Unit)
	text += p.interval(row, column)
	if meaning := FirstSentence(described.Description, 84); meaning != "" {
		text += "   " + meaning
	}
	p.line("%s", text)
	p.made(valueRef{at, column}, indent)
}

// interval gives the bounds that a row has for a value.
func (p *printer) interval(row Row, column string) string {
	low, high := p.Value(row, column+"_low"), p.Value(row, column+"_high")
	if low == nil || high == nil {
		return ""
	}
	return " [" + short(low) + ", " + short(high) + "]"
}

// column describes a column.
func (t *Table) column(name string) pipeline.Column {
	for _, column := range t.Columns {
		if column.Name == name {
			return column
		}
	}
	return pipeline.Column{Name: name}
}

// valueBranch is one line below a value, with what is below it.
type valueBranch struct {
	text  string
	below func(indent string)
}

// made writes what makes a value.
func (p *printer) made(ref valueRef, indent string) {
	branches := p.branches(ref)
	for i, b := range branches {
		sign, below := "├─ ", "│  "
		if i == len(branches)-1 {
			sign, below = "└─ ", "   "
		}
		p.line("%s%s%s", indent, sign, b.text)
		if b.below != nil {
			b.below(indent + below)
		}
	}
}

// bringing gives the inputs that bring a value; where none but constants do,
// as where a code is looked up, also the conditions that choose among them.
func (p *printer) bringing(ref valueRef) []pipeline.ColumnInput {
	row := p.Rows[ref.row]
	all := p.lineage[row.Table].Columns[ref.column]
	var list []pipeline.ColumnInput
	traced := false
	for _, input := range all {
		if input.Kind != pipeline.Condition {
			list = append(list, input)
			traced = traced || p.isTraced(row, input.Table)
		}
	}
	if traced {
		return list
	}
	for _, input := range all {
		if input.Kind == pipeline.Condition && !slices.ContainsFunc(list, func(i pipeline.ColumnInput) bool { return i.ColumnRef == input.ColumnRef }) {
			list = append(list, input)
		}
	}
	return list
}

func (p *printer) isTraced(row Row, table string) bool {
	return slices.ContainsFunc(row.Inputs, func(i Input) bool { return i.Table == table && (len(i.Rows) > 0 || len(i.Records) > 0) })
}

// fewValues is how many values of one column of several rows are shown.
const fewValues = 3

// branches lists what makes a value: values of other rows, small tables, and
// records. Of rows from which the value could have been taken, the one that
// has it stands for all.
func (p *printer) branches(ref valueRef) []valueBranch {
	row := p.Rows[ref.row]
	var list []valueBranch
	small, records := map[string][]string{}, map[int][]string{}
	var order []int
	var tables []string
	var children []valueRef
	for _, input := range p.bringing(ref) {
		at := slices.IndexFunc(row.Inputs, func(i Input) bool { return i.Table == input.Table })
		if at < 0 {
			continue
		}
		found := row.Inputs[at]
		switch {
		case found.Trace == pipeline.TraceBroadcast || found.Trace == pipeline.TraceWhole:
			if small[input.Table] == nil {
				tables = append(tables, input.Table)
			}
			small[input.Table] = append(small[input.Table], input.Column)
		case !found.Followed && found.Count > 0:
			list = append(list, valueBranch{text: fmt.Sprintf("%s of %s of %s, not followed", input.Column, rowsText(found.Count), found.Table)})
		}
		shown := 0
		for _, child := range found.Rows {
			next := valueRef{child, input.Column}
			value := p.Value(p.Rows[child], input.Column)
			if value == nil || input.Kind == pipeline.Condition && p.isKey(next) {
				continue // unknown, or it only says which rows belong together
			}
			handed := input.Kind == pipeline.Identical || input.Column == ref.column && len(found.Rows) == 1
			if handed && *value == TextOf(p.Value(row, ref.column)) && !p.isKey(next) {
				return []valueBranch{p.child(next)}
			}
			if shown++; shown <= fewValues {
				children = append(children, next)
			}
		}
		if shown > fewValues {
			list = append(list, valueBranch{text: fmt.Sprintf("%s of %d rows more of %s", input.Column, shown-fewValues, input.Table)})
		}
		for _, record := range found.Records {
			if records[record] == nil {
				order = append(order, record)
			}
			records[record] = append(records[record], input.Column)
		}
	}
	var first []valueBranch
	for _, child := range children {
		first = append(first, p.child(child))
	}
	list = append(first, list...)
	for _, table := range tables {
		list = append(list, p.smallTable(table, small[table]))
	}
	for _, record := range order {
		list = append(list, p.recordBranch(record))
	}
	return list
}

func (p *printer) isKey(ref valueRef) bool {
	return slices.Contains(p.Tables[p.Rows[ref.row].Table].Key, ref.column)
}

// child is the valueBranch of a value of an input's row.
func (p *printer) child(given valueRef) valueBranch {
	ref := p.origin(given)
	row := p.Rows[ref.row]
	described := p.Tables[row.Table]
	column := described.column(ref.column)
	text := ref.column + " = " + Cut(quantity(p.Value(row, ref.column), column.Unit), 100) + p.interval(row, ref.column)
	if ref.column != given.column {
		text = given.column + " ← " + text
	}
	if p.seen[ref] {
		return valueBranch{text: text + "   as above"}
	}
	p.seen[ref] = true
	if meaning := FirstSentence(column.Description, 64); meaning != "" {
		text += "   " + meaning
	}
	if key := p.keyUnlike(row); key != "" {
		text += "   (" + pipeline.BaseName(row.Table) + key + ")"
	}
	if at, only := p.onlyRecord(ref); only && p.told[at] {
		return valueBranch{text: text + "   ← " + recordPlace(p.Records[at])}
	}
	return valueBranch{text, func(indent string) { p.made(ref, indent) }}
}

// onlyRecord reports whether a value comes from one record and nothing else.
func (p *printer) onlyRecord(ref valueRef) (at int, only bool) {
	at = -1
	for _, input := range p.Rows[ref.row].Inputs {
		if len(input.Rows) > 0 || len(input.Records) > 1 || at >= 0 && len(input.Records) > 0 {
			return 0, false
		}
		if len(input.Records) == 1 {
			at = input.Records[0]
		}
	}
	return at, at >= 0
}

// keyUnlike gives the key of a row if it is not that of the row asked for.
func (p *printer) keyUnlike(row Row) string {
	key := strings.Join(p.KeyOf(row), " ")
	if key == "" || strings.HasPrefix(key, strings.Join(p.Key, " ")) {
		return ""
	}
	return " " + key
}

// origin passes over rows that only hand a value on.
func (p *printer) origin(ref valueRef) valueRef {
	for {
		row := p.Rows[ref.row]
		next := valueRef{row: -1}
		for _, input := range p.bringing(ref) {
			at := slices.IndexFunc(row.Inputs, func(i Input) bool { return i.Table == input.Table })
			if input.Kind != pipeline.Identical || next.row >= 0 || at < 0 || len(row.Inputs[at].Rows) != 1 {
				return ref
			}
			next = valueRef{row.Inputs[at].Rows[0], input.Column}
		}
		if next.row < 0 || TextOf(p.Value(row, ref.column)) != TextOf(p.Value(p.Rows[next.row], next.column)) {
			return ref
		}
		ref = next
	}
}

// fewRows is how many rows of a small table are written out.
const fewRows = 3

// smallTable is the valueBranch of a table that is used whole.
func (p *printer) smallTable(name string, columns []string) valueBranch {
	table := p.Tables[name]
	text := fmt.Sprintf("%s: %s · sha256 %s…", name, rowsText(table.Count), table.Digest.Short())
	if len(table.Rows) == 0 || len(table.Rows) > fewRows {
		if len(table.Sources) > 0 {
			text += " · from " + strings.Join(table.Sources, ", ")
		}
		return valueBranch{text: text + " · " + strings.Join(columns, ", ")}
	}
	var used []string
	for _, row := range table.Rows {
		var cells []string
		for i, column := range table.Columns {
			if row[i] != nil && (slices.Contains(columns, column.Name) || i == 0 && len(table.Rows) > 1) {
				cells = append(cells, column.Name+" = "+short(row[i]))
			}
		}
		used = append(used, strings.Join(cells, " · "))
	}
	return valueBranch{text, func(indent string) {
		for _, line := range used {
			p.line("%s%s", indent, Cut(line, 150))
		}
	}}
}

// recordBranch is the valueBranch of a record.
func (p *printer) recordBranch(at int) valueBranch {
	record := p.Records[at]
	if p.told[at] {
		return valueBranch{text: recordPlace(record) + "   as above"}
	}
	p.told[at] = true
	text := recordPlace(record)
	if !p.sourced[record.Source] {
		p.sourced[record.Source] = true
		text = Cut(record.Title+", "+record.Publisher, 90) + " · " + text
	}
	return valueBranch{text, func(indent string) {
		p.line("%s%s", indent, Cut(record.Shown(), 150))
		p.line("%ssha256 %s… · seen %s%s", indent, record.Digest.Short(), record.Retrieved.UTC().Format("2006-01-02"), carried(record))
	}}
}

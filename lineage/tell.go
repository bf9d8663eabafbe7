package lineage

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"tamiz/pipeline"
)

// smallTable is the most rows that a table used whole may have to be shown.
const smallTable = 200

// Found reports whether the i-th row that was asked for is there.
func (g *Derivations) Found(i int) bool { return g.roots[i].values != nil }

// Derivation gives what the graph holds of the i-th row that was asked for.
// With tables, it reads the small tables that are used whole.
func (g *Derivations) Derivation(ctx context.Context, i int, tables bool) (*Derivation, error) {
	pins := &g.Plan.Pins
	d := &Derivation{Pipeline: g.Plan.Pipeline.Name, PeriodEnd: pins.PeriodEnd, AsOf: pins.AsOf, Synthetic: pins.Synthetic,
		Method: g.Plan.Pipeline.MethodVersion, Mart: g.Mart.Name, Column: g.Column, Notes: []string{},
		Rows: []Row{}, Records: []Record{}, Tables: map[string]Table{}}
	for _, value := range g.roots[i].key {
		d.Key = append(d.Key, TextOf(value))
	}
	t := &telling{g, d, map[*node]int{}, map[*Record]int{}}
	t.row(g.roots[i])
	for _, table := range slices.Sorted(maps.Keys(d.Tables)) {
		described, err := g.describe(ctx, table, t.isUsedWhole(table), tables)
		if err != nil {
			return nil, err
		}
		described.Needed = slices.Sorted(maps.Keys(g.needs[table]))
		d.Tables[table] = described
	}
	if g.Column != "" {
		d.lineage = g.Lineage
	}
	t.sumUp()
	return d, nil
}

// TextOf writes a value for people.
func TextOf(value *string) string {
	if value == nil {
		return "unknown"
	}
	return *value
}

// telling turns a part of the graph into a derivation.
type telling struct {
	g       *Derivations
	d       *Derivation
	rows    map[*node]int
	records map[*Record]int
}

func (t *telling) row(n *node) int {
	if at, known := t.rows[n]; known {
		return at
	}
	at := len(t.d.Rows)
	t.rows[n] = at
	masked := t.g.masked[n.table]
	row := Row{Table: n.table, Values: n.values, Inputs: []Input{}, Proof: n.proof, Fault: n.fault, Masked: masked}
	if masked {
		row.Values = maskAll(n.values)
		if n.fault != nil {
			row.Fault = &RowFault{n.fault.Problem, n.fault.Columns, mask(n.fault.Want), mask(n.fault.Found)}
		}
	}
	if row.Proof == NotProved && t.g.inFull[n.table] {
		row.Proof = ProvedInFull
	}
	t.d.Tables[n.table] = Table{}
	t.d.Rows = append(t.d.Rows, row)
	for _, e := range n.inputs {
		input := Input{Table: e.table, Trace: e.kind, Count: e.count, Followed: e.followed}
		for _, child := range e.rows {
			input.Rows = append(input.Rows, t.row(child))
		}
		for _, record := range e.records {
			input.Records = append(input.Records, t.record(record))
		}
		t.d.Tables[e.table] = Table{}
		t.d.Rows[at].Inputs = append(t.d.Rows[at].Inputs, input)
	}
	return at
}

func (t *telling) record(r *Record) int {
	if at, known := t.records[r]; known {
		return at
	}
	t.records[r] = len(t.d.Records)
	record := *r
	if t.g.Plan.Table(r.Table)[0].Source.Private {
		record.Masked = true
		record.Text, record.Values = mask(r.Text), slices.Clone(r.Values)
		for i, column := range t.g.columns[r.Table] {
			if !strings.HasPrefix(column.Name, "_") { // where it stands is told
				record.Values[i] = maskAll(r.Values[i : i+1])[0]
			}
		}
		record.Cells = nil
		for _, cell := range r.Cells {
			record.Cells = append(record.Cells, mask(cell))
		}
	}
	t.d.Records = append(t.d.Records, record)
	return t.records[r]
}

// mask hides letters and digits, and keeps how a text is built.
func mask(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) {
			return '•'
		}
		return r
	}, text)
}

func maskAll(values []*string) []*string {
	hidden := make([]*string, len(values))
	for i, value := range values {
		if value != nil {
			text := mask(*value)
			hidden[i] = &text
		}
	}
	return hidden
}

func (t *telling) isUsedWhole(table string) bool {
	for _, row := range t.d.Rows {
		for _, input := range row.Inputs {
			if input.Table == table && (input.Trace == pipeline.TraceBroadcast || input.Trace == pipeline.TraceWhole) {
				return true
			}
		}
	}
	return false
}

// describe tells what a table is; with show, what a small one holds that is
// used whole.
func (g *Derivations) describe(ctx context.Context, table string, whole, show bool) (Table, error) {
	steps := g.Plan.Table(table)
	t := Table{Kind: steps[0].Kind, Columns: g.columns[table]}
	t.Count, t.Digest = g.size(pipeline.StepInput{Steps: steps})
	if len(steps) == 1 {
		t.Fingerprint = steps[0].Fingerprint
	}
	switch model := steps[0].Model; {
	case model != nil:
		t.Description, t.Key, t.Program, t.Place = strings.TrimSpace(model.Description), model.Key, steps[0].SQL, model.Place()
		if model.Transform != nil {
			t.Method = model.Transform.Method
		}
		if t.Columns == nil {
			t.Columns = model.Columns
		}
	case steps[0].Source != nil:
		t.Description = steps[0].Source.Title
	default:
		for _, constant := range g.Plan.Pipeline.Tables {
			if constant.Name == table {
				t.Description, t.Place = strings.TrimSpace(constant.Description), constant.Path
			}
		}
		if t.Columns == nil {
			t.Columns = g.constantColumns(table)
		}
	}
	if t.Columns == nil {
		t.Columns = []pipeline.Column{}
	}
	if whole {
		t.Sources = g.standsOn(table)
	}
	if !whole || !show || t.Count > smallTable || steps[0].Model != nil && g.isMasked(steps[0].Model) || g.Plan.IsRead(table) {
		return t, nil
	}
	var files []string
	for _, step := range steps {
		files = append(files, g.Walk.TablePath(step.Fingerprint))
	}
	names, rows, err := g.Tracer.Table(ctx, files)
	if err != nil {
		return t, fmt.Errorf("show %s: %w", table, err)
	}
	t.Columns, t.Rows = namedColumns(names, t.Columns), rows
	return t, nil
}

// standsOn lists the raw tables from which a table is made.
func (g *Derivations) standsOn(table string) []string {
	found := map[string]bool{}
	seen := map[*pipeline.Step]bool{}
	var visit func(step *pipeline.Step)
	visit = func(step *pipeline.Step) {
		if seen[step] {
			return
		}
		seen[step] = true
		if step.Kind == pipeline.StepRead {
			found[step.Table] = true
		}
		for _, input := range step.Inputs {
			for _, parent := range input.Steps {
				visit(parent)
			}
		}
	}
	for _, step := range g.Plan.Table(table) {
		visit(step)
	}
	return slices.Sorted(maps.Keys(found))
}

// sumUp counts what was proved.
func (t *telling) sumUp() {
	proof := &t.d.Proof
	steps, whole := map[string]bool{}, map[string]bool{}
	for _, row := range t.d.Rows {
		switch row.Proof {
		case ProvedIdentical:
			steps[row.Table] = true
			proof.Rows++
		case ProvedDifferent:
			steps[row.Table] = true
			proof.Faults = append(proof.Faults, Fault{Table: row.Table, Key: t.d.KeyOf(row), RowFault: *row.Fault})
		case NotProved:
			whole[row.Table] = true
		case ProvedConstant, ProvedInFull:
		}
	}
	for _, record := range t.d.Records {
		if record.Proof == ProvedIdentical {
			proof.Records++
			continue
		}
		proof.Faults = append(proof.Faults, Fault{Table: record.Table, Key: []string{string(record.Digest), fmt.Sprint(record.Number)},
			RowFault: RowFault{Problem: "read again from the archive, the record holds other values", Columns: []string{}}})
	}
	proof.Faults = append(proof.Faults, t.g.unlike...)
	proof.InFull = slices.Sorted(maps.Keys(t.g.inFull))
	proof.Steps, proof.Whole, proof.Proved = len(steps), slices.Sorted(maps.Keys(whole)), len(proof.Faults) == 0
}

// KeyOf gives the key of a row as text.
func (d *Derivation) KeyOf(row Row) []string {
	var key []string
	for _, name := range d.Tables[row.Table].Key {
		key = append(key, TextOf(d.Value(row, name)))
	}
	return key
}

// Value gives a column of a row; nil if it is unknown.
func (d *Derivation) Value(row Row, column string) *string {
	for i, described := range d.Tables[row.Table].Columns {
		if described.Name == column && i < len(row.Values) {
			return row.Values[i]
		}
	}
	return nil
}

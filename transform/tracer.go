package transform

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"tamiz/internal/duck"
	"tamiz/pipeline"
)

var _ pipeline.Tracer = SQL{}

// Trace tells of rows of a model which rows of its inputs make them, and runs
// the model again on those rows alone. Of inputs and output it reads only what
// it needs.
func (SQL) Trace(ctx context.Context, task pipeline.TraceTask) (*pipeline.Traced, error) {
	db, err := duck.Share(ctx, duck.Options{Memory: task.Memory})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if err := db.Macros(ctx, task.Step.Macros); err != nil {
		return nil, fmt.Errorf("%s: make its macros: %w", task.Step.Label, err)
	}
	r := newReplayer(ctx, db, task.Step)
	defer r.close()
	t := &tracing{replayer: r, task: task, columns: map[string][]string{}}
	if err := t.loadOutput(); err != nil {
		return nil, fmt.Errorf("%s: find the rows to trace: %w", task.Step.Label, err)
	}
	if len(t.rows) > 0 {
		if err := t.loadInputs(); err != nil {
			return nil, fmt.Errorf("%s: trace its rows: %w", task.Step.Label, err)
		}
	}
	if task.Found != nil {
		task.Found(t.traced())
	}
	if len(t.rows) > 0 {
		if err := t.prove(); err != nil {
			return nil, err
		}
	}
	return t.traced(), nil
}

// traced is what is known so far, by the task's keys.
func (t *tracing) traced() *pipeline.Traced {
	traced := &pipeline.Traced{Columns: t.names, Inputs: t.columns}
	for _, key := range t.task.Keys {
		row := pipeline.TracedRow{}
		if found := t.byKey[KeyText(key)]; found != nil {
			row = found.TracedRow
		}
		traced.Rows = append(traced.Rows, row)
	}
	return traced
}

// Table reads a small table.
func (SQL) Table(ctx context.Context, files []string) (columns []string, rows [][]*string, err error) {
	db, err := duck.Reuse(ctx, duck.Options{})
	if err != nil {
		return nil, nil, err
	}
	defer db.Close()
	if columns, rows, err = db.Rows(ctx, duck.ReadParquet(files)); err != nil {
		return nil, nil, fmt.Errorf("read a table: %w", err)
	}
	return columns, rows, nil
}

// KeyText makes one text of a key, or of any values.
func KeyText(values []*string) string {
	var b strings.Builder
	for _, value := range values {
		if value == nil {
			b.WriteString("\x1e\x1f")
			continue
		}
		b.WriteString(*value + "\x1f")
	}
	return b.String()
}

// tracing is the work on one task.
type tracing struct {
	*replayer
	task    pipeline.TraceTask
	names   []string            // columns of the output
	columns map[string][]string // of the inputs
	rows    []*traceRow
	byKey   map[string]*traceRow
	values  map[string][]*string // column of the output → its values in these rows, each once
}

// traceRow is a row while it is traced.
type traceRow struct {
	pipeline.TracedRow
	id   string // replay_id
	text string // all of it, as JSON
	key  string
}

// loadOutput finds the rows of the output.
func (t *tracing) loadOutput() error {
	wanted := map[string]bool{}
	lists := make([][]*string, len(t.model.Key))
	for _, key := range t.task.Keys {
		wanted[KeyText(key)] = true
		for i, value := range key {
			lists[i] = append(lists[i], value)
		}
	}
	read := duck.ReadParquet([]string{t.task.Output})
	if len(t.task.Keys) <= fewValues {
		var conditions []string
		for i, column := range t.model.Key {
			conditions = append(conditions, oneOf(pipeline.QuoteName(column), t.typeOf(column), distinct(lists[i])))
		}
		var err error
		if read, err = t.keptRows([]string{t.task.Output}, conditions); err != nil {
			return err
		}
	}
	if err := t.begin(read); err != nil {
		return err
	}
	columns, rows, err := t.db.Rows(t.ctx, "select cast(to_json(kept) as varchar) as row_text, kept.* from everything.output as kept")
	if err != nil {
		return err
	}
	t.names = columns[2:]
	places := make([]int, len(t.model.Key))
	for i, name := range t.model.Key {
		places[i] = slices.Index(t.names, name)
	}
	t.byKey = map[string]*traceRow{}
	lacking := []string{}
	for _, row := range rows {
		values, key := row[2:], make([]*string, len(places))
		for i, place := range places {
			key[i] = values[place]
		}
		text := KeyText(key)
		if !wanted[text] {
			lacking = append(lacking, *row[1])
			continue
		}
		_, rest, _ := strings.Cut(*row[0], ",") // without its replay_id
		found := &traceRow{TracedRow: pipeline.TracedRow{Values: values, Inputs: map[string][][]*string{}}, id: *row[1], text: "{" + rest, key: text}
		t.rows, t.byKey[text] = append(t.rows, found), found
	}
	t.values = map[string][]*string{}
	for i, name := range t.names {
		var values []*string
		for _, row := range t.rows {
			values = append(values, row.Values[i])
		}
		t.values[name] = distinct(values)
	}
	if len(lacking) == 0 {
		return nil
	}
	return t.db.Exec(t.ctx, "delete from everything.output where replay_id in ("+strings.Join(lacking, ", ")+")")
}

func distinct(values []*string) []*string {
	seen := map[string]bool{}
	var kept []*string
	for _, value := range values {
		text := KeyText([]*string{value})
		if !seen[text] {
			seen[text] = true
			kept = append(kept, value)
		}
	}
	return kept
}

// oneOf is the condition that an expression has one of some values.
func oneOf(expression, kind string, values []*string) string {
	var list []string
	null := false
	for _, value := range values {
		if value == nil {
			null = true
			continue
		}
		literal := pipeline.QuoteText(*value)
		if kind != "VARCHAR" {
			literal = "try_cast(" + literal + " as " + kind + ")"
		}
		list = append(list, literal)
	}
	condition := "false"
	switch len(list) {
	case 0:
	case 1:
		condition = expression + " = " + list[0]
	default:
		condition = expression + " in (" + strings.Join(list, ", ") + ")"
	}
	if null {
		condition = "(" + condition + " or " + expression + " is null)"
	}
	return condition
}

func (t *tracing) typeOf(column string) string {
	for _, described := range t.model.Columns {
		if described.Name == column && described.Type != "" {
			return described.Type
		}
	}
	return "VARCHAR"
}

// loadInputs takes the rows of each input that belong to any of the rows; a
// broadcast one is read where it lies.
func (t *tracing) loadInputs() error {
	inputs := make([]string, len(t.task.Inputs))
	for i, input := range t.task.Inputs {
		read := duck.ReadParquet(input.Files)
		switch trace := t.model.Trace[input.Table]; {
		case trace.Kind == pipeline.TraceBroadcast:
			kept, err := t.db.Kept(t.ctx, read)
			if err != nil {
				return err
			}
			inputs[i] = "view as select * from " + kept
		case len(trace.Match) == 0:
			inputs[i] = "view as " + read
		default:
			rows, err := t.rowsOf(input, trace.Match)
			if err != nil {
				return err
			}
			inputs[i] = "table as select *" + t.traceColumns(input.Table) + " from (" + rows + ")"
			if t.isOne() { // no other row of the input was taken
				inputs[i] = "view as " + rows
			}
		}
	}
	view := t.tracedRows
	if t.task.Together {
		view = t.tracedTogether
	}
	if err := t.keep(t.task.Task, inputs, view); err != nil {
		return err
	}
	byID := map[string]*traceRow{}
	for _, row := range t.rows {
		byID[row.id] = row
	}
	for i, input := range t.task.Inputs {
		match := t.model.Trace[input.Table].Match
		if len(match) == 0 {
			continue
		}
		query := fmt.Sprintf("select made.replay_id, input.* exclude (%s) from everything.input_%d as input inner join everything.output as made on %s",
			strings.Join(traceNames(match), ", "), i, strings.Join(t.belong(match), " and "))
		if t.isOne() {
			query = fmt.Sprintf("select %s as replay_id, * from %s", t.rows[0].id, pipeline.QuoteTable(input.Table))
		}
		columns, rows, err := t.db.Rows(t.ctx, query)
		if err != nil {
			return err
		}
		t.columns[input.Table] = columns[1:]
		for _, row := range rows {
			owner := byID[*row[0]]
			owner.Inputs[input.Table] = append(owner.Inputs[input.Table], row[1:])
		}
	}
	return nil
}

// isOne reports whether one row is traced, so that all rows taken belong to it.
func (t *tracing) isOne() bool { return t.task.Together && len(t.rows) == 1 }

// tracedTogether is the select of an input's rows that belong to any row.
func (t *tracing) tracedTogether(i int, table string) string {
	match := t.model.Trace[table].Match
	if len(match) == 0 {
		return t.tracedRows(i, table)
	}
	return fmt.Sprintf("select * exclude (%s) from everything.input_%d as input where exists (select 1 from everything.output as made where %s)",
		strings.Join(traceNames(match), ", "), i, strings.Join(t.belong(match), " and "))
}

func traceNames(match []pipeline.Match) []string {
	names := make([]string, len(match))
	for i := range match {
		names[i] = fmt.Sprintf("_trace_%d", i)
	}
	return names
}

// belong is the condition that a row of an input belongs to one of the output.
func (t *tracing) belong(match []pipeline.Match) []string {
	var conditions []string
	for i, match := range match {
		conditions = append(conditions, fmt.Sprintf("input._trace_%d is not distinct from made.%s", i, pipeline.QuoteName(match.Output)))
	}
	return conditions
}

// prove runs the model again on the traced rows. For several rows together it
// runs on all that make any of them; a row that comes out different then is
// tried alone before it counts.
func (t *tracing) prove() error {
	if t.model.ReproducedWhole() {
		return nil
	}
	alone := t.rows
	if t.task.Together {
		var err error
		if alone, err = t.proveTogether(); err != nil {
			return err
		}
	}
	for _, row := range alone {
		if err := t.choose(row.id); err != nil {
			return err
		}
		t.want = row.text
		fault, err := t.replayer.prove()
		if err != nil && t.ctx.Err() == nil { // the step itself ran: it is these rows that it cannot stand on
			fault, err = &pipeline.TraceFault{Problem: "the trace is insufficient: the program does not run on the traced rows alone", Columns: []string{}, Want: row.text, Found: err.Error()}, nil
		}
		if err != nil {
			return err
		}
		row.Fault = fault
	}
	return nil
}

// proveTogether gives the rows that do not come out identical.
func (t *tracing) proveTogether() ([]*traceRow, error) {
	made, err := t.run("everything.output")
	if err != nil && t.ctx.Err() != nil {
		return nil, err
	}
	there := map[string]int{}
	for _, row := range made {
		there[*row[0]]++
	}
	var left []*traceRow
	for _, row := range t.rows {
		if there[row.text] != 1 {
			left = append(left, row)
		}
	}
	if len(left) == 0 || t.isOne() {
		return left, nil
	}
	var b strings.Builder
	for i, input := range t.task.Inputs {
		if len(t.model.Trace[input.Table].Match) == 0 {
			continue
		}
		fmt.Fprintf(&b, "create or replace view %s as %s;\n", pipeline.QuoteTable(input.Table), t.tracedRows(i, input.Table))
	}
	return left, t.db.Exec(t.ctx, b.String())
}

// run runs the program over what the views hold, and gives those of its rows,
// as JSON, whose key is in a table.
func (t *tracing) run(keys string) ([][]*string, error) {
	if t.model.Transform != nil {
		if err := evaluate(t.ctx, t.db, t.model); err != nil {
			return nil, err
		}
	}
	_, made, err := t.db.Rows(t.ctx, t.query(keys))
	return made, err
}

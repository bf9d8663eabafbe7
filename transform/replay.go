package transform

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"tamiz/internal/duck"
	"tamiz/pipeline"
)

// Replay proves a model's trace: it draws up to sample rows of the model's
// output by the hash of seed and key, runs its program again for each of them
// on its traced input rows alone, and compares. It gives the number of rows
// proved, and an error that names the first row that came out different.
func Replay(ctx context.Context, task pipeline.Task, output string, sample int, seed string) (int, error) {
	db, err := duck.Open(ctx, duck.Options{Memory: task.Memory})
	if err != nil {
		return 0, err
	}
	defer db.Close()
	r := newReplayer(ctx, db, task.Step)
	defer r.close()
	r.seed = seed
	for _, macro := range task.Step.Macros {
		if err := db.Exec(ctx, macro.SQL); err != nil {
			return 0, fmt.Errorf("%s: make its macros: %w", task.Step.Label, err)
		}
	}
	if err := r.load(task, output); err != nil {
		return 0, fmt.Errorf("%s: load for replay: %w", task.Step.Label, err)
	}
	ids, err := r.draw(sample)
	if err != nil {
		return 0, fmt.Errorf("%s: draw rows to replay: %w", task.Step.Label, err)
	}
	for i, id := range ids {
		if err := r.row(id); err != nil {
			return i, err
		}
	}
	return len(ids), nil
}

type replayer struct {
	ctx   context.Context
	db    *duck.DB
	model *pipeline.Model
	step  *pipeline.Step
	seed  string

	planned   *duck.Query            // the program over the traced rows
	tracing   map[string]*duck.Query // the traced rows of each input
	evaluated bool                   // a transform has been run
	want      string                 // the chosen row as JSON, where that is known already
}

func newReplayer(ctx context.Context, db *duck.DB, step *pipeline.Step) *replayer {
	return &replayer{ctx: ctx, db: db, model: step.Model, step: step, tracing: map[string]*duck.Query{}}
}

// close frees the plans; the database stays open.
func (r *replayer) close() {
	if r.planned != nil {
		r.planned.Close()
	}
	for _, query := range r.tracing {
		query.Close()
	}
}

// load puts inputs and output into memory, all of their rows.
func (r *replayer) load(task pipeline.Task, output string) error {
	if err := r.begin("select * from (" + duck.ReadParquet([]string{output}) + ")"); err != nil {
		return err
	}
	inputs := make([]string, len(task.Inputs))
	for i, input := range task.Inputs {
		inputs[i] = "table as select *" + r.traceColumns(input.Table) + " from (" + duck.ReadParquet(input.Files) + ")"
	}
	return r.keep(task, inputs, r.tracedRows)
}

// begin makes the tables of the output's rows, and of the one that is chosen.
func (r *replayer) begin(output string) error {
	var b strings.Builder
	b.WriteString("create schema everything;")
	seen := map[string]bool{}
	for _, input := range r.step.Inputs {
		if schema, _, _ := strings.Cut(input.Table, "."); !seen[schema] {
			seen[schema] = true
			b.WriteString("create schema " + schema + ";")
		}
	}
	b.WriteString("create table everything.output as select row_number() over () as replay_id, * from (" + output + ");\n")
	b.WriteString("create table everything.chosen as select * from everything.output limit 0;\n")
	return r.db.Exec(r.ctx, b.String())
}

// keep makes of each input what the SQL sees under its name: a view which holds
// the traced rows alone, over everything.<n> or, where that would be a view,
// too, instead of it.
func (r *replayer) keep(task pipeline.Task, inputs []string, view func(i int, table string) string) error {
	var b strings.Builder
	for i, input := range task.Inputs {
		kind, query, _ := strings.Cut(inputs[i], " as ")
		if kind == "table" {
			fmt.Fprintf(&b, "create table everything.input_%d as %s;\n", i, query)
			query = view(i, input.Table)
		}
		fmt.Fprintf(&b, "create view %s as %s;\n", pipeline.QuoteTable(input.Table), query)
	}
	return r.db.Exec(r.ctx, b.String())
}

// traceColumns evaluates the trace's expressions once for all rows.
func (r *replayer) traceColumns(table string) string {
	var list strings.Builder
	for i, match := range r.model.Trace[table].Match {
		fmt.Fprintf(&list, ", (%s) as _trace_%d", match.Input, i)
	}
	return list.String()
}

// tracedRows is the select of an input's rows that belong to the chosen row.
func (r *replayer) tracedRows(i int, table string) string {
	trace := r.model.Trace[table]
	if trace.Kind == pipeline.TraceBroadcast || trace.Kind == pipeline.TraceWhole {
		return fmt.Sprintf("select * from everything.input_%d", i)
	}
	var conditions, helpers []string
	for j, match := range trace.Match {
		helpers = append(helpers, fmt.Sprintf("_trace_%d", j))
		conditions = append(conditions, fmt.Sprintf("_trace_%d is not distinct from (select %s from everything.chosen)", j, pipeline.QuoteName(match.Output)))
	}
	return fmt.Sprintf("select * exclude (%s) from everything.input_%d where %s", strings.Join(helpers, ", "), i, strings.Join(conditions, " and "))
}

// draw chooses rows by the hash of seed and key, and adds nothing of chance.
func (r *replayer) draw(sample int) ([]string, error) {
	var keys []string
	for _, column := range r.model.Key {
		keys = append(keys, "coalesce(cast("+pipeline.QuoteName(column)+" as varchar), '')")
	}
	_, rows, err := r.db.Rows(r.ctx, fmt.Sprintf("select replay_id from everything.output order by sha256(%s || '|' || concat_ws('|', %s)), replay_id limit %d",
		pipeline.QuoteText(r.seed), strings.Join(keys, ", "), sample))
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = *row[0]
	}
	return ids, nil
}

// query is the SQL over the traced rows, narrowed to the keys that a table
// holds.
func (r *replayer) query(keys string) string {
	exclude, kept := "", ""
	var match []string
	for _, column := range r.model.Key {
		match = append(match, fmt.Sprintf("made.%s is not distinct from wanted.%s", pipeline.QuoteName(column), pipeline.QuoteName(column)))
	}
	if r.step.SetsAside {
		exclude, kept = " exclude ("+asideColumn+")", " and made."+asideColumn+" is null"
	}
	program := r.step.SQL
	if r.model.Transform != nil {
		program = "select * from " + evaluated
	}
	return "select cast(to_json(again) as varchar) as row_text from (select *" + exclude + " from (\n" +
		program + "\n) as made where exists (select 1 from " + keys + " as wanted where " + strings.Join(match, " and ") + ")" + kept + ") as again"
}

// row replays one row.
func (r *replayer) row(id string) error {
	if err := r.choose(id); err != nil {
		return err
	}
	fault, err := r.prove()
	if err != nil || fault == nil {
		return err
	}
	return &pipeline.Error{Kind: pipeline.Config, Subject: r.model.Name, Where: r.model.DocPath, Problem: fault.Problem, Expected: fault.Want, Found: fault.Found,
		Hint: "widen the trace of one of its inputs (group in place of key), or take what depends on the whole table from a small summary model"}
}

// choose points at a row of the output.
func (r *replayer) choose(id string) error {
	if err := r.db.Exec(r.ctx, "delete from everything.chosen; insert into everything.chosen select * from everything.output where replay_id = "+id); err != nil {
		return fmt.Errorf("%s: choose a row: %w", r.model.Name, err)
	}
	return nil
}

// prove runs the program on the rows that make the chosen one. The plan is
// made once, with a first row chosen; a row that comes out different is tried
// again with a plan of its own before it counts, since a plan may lean on what
// the tables held when it was made.
func (r *replayer) prove() (*pipeline.TraceFault, error) {
	if r.model.Transform != nil {
		return r.transformed()
	}
	if r.planned == nil {
		var err error
		if r.planned, err = r.db.Prepare(r.ctx, r.query("everything.chosen")); err != nil {
			return nil, sqlError(r.model.SQLPath, r.step.SQL, err)
		}
	}
	_, made, err := r.planned.Rows(r.ctx)
	if err != nil {
		return nil, sqlError(r.model.SQLPath, r.step.SQL, err)
	}
	if fault, err := r.compare(made); err != nil || fault == nil {
		return nil, err
	}
	if _, made, err = r.db.Rows(r.ctx, r.query("everything.chosen")); err != nil {
		return nil, sqlError(r.model.SQLPath, r.step.SQL, err)
	}
	return r.compare(made)
}

// transformed replays a row of a Go transform. One that is handed its inputs
// whole makes all rows at once: it is run once for all of them.
func (r *replayer) transformed() (*pipeline.TraceFault, error) {
	if !r.evaluated || !r.allWhole() {
		if err := evaluate(r.ctx, r.db, r.model); err != nil {
			return nil, err
		}
		r.evaluated = true
	}
	_, made, err := r.db.Rows(r.ctx, r.query("everything.chosen"))
	if err != nil {
		return nil, fmt.Errorf("%s: read the row that was made again: %w", r.model.Name, err)
	}
	return r.compare(made)
}

func (r *replayer) allWhole() bool {
	for _, trace := range r.model.Trace {
		if len(trace.Match) > 0 {
			return false
		}
	}
	return true
}

// compare wants exactly the chosen row, and says which columns differ.
func (r *replayer) compare(made [][]*string) (*pipeline.TraceFault, error) {
	want := r.want
	if want == "" {
		_, rows, err := r.db.Rows(r.ctx, "select cast(to_json(before) as varchar) as row_text from (select * exclude (replay_id) from everything.chosen) as before")
		if err != nil {
			return nil, fmt.Errorf("%s: read the chosen row: %w", r.model.Name, err)
		}
		want = *rows[0][0]
	}
	if len(made) == 1 && *made[0][0] == want {
		return nil, nil
	}
	fault := &pipeline.TraceFault{Problem: "the trace is insufficient: replayed on its traced rows alone, a row came out different",
		Columns: []string{}, Want: want, Found: fmt.Sprintf("%d rows", len(made))}
	if len(made) == 1 {
		fault.Found = *made[0][0]
		fault.Columns = differing(fault.Want, fault.Found)
	}
	return fault, nil
}

// differing names the columns in which two rows, as JSON, are not the same.
func differing(a, b string) []string {
	var one, other map[string]json.RawMessage
	names := []string{}
	if json.Unmarshal([]byte(a), &one) != nil || json.Unmarshal([]byte(b), &other) != nil {
		return names
	}
	for name, value := range one {
		if string(value) != string(other[name]) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

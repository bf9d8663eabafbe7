package transform

import (
	"context"
	"fmt"
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
	r := &replayer{ctx: ctx, db: db, model: task.Step.Model, step: task.Step, seed: seed}
	if err := r.load(task, output); err != nil {
		return 0, fmt.Errorf("%s: load for replay: %w", task.Step.Label, err)
	}
	defer func() {
		if r.planned != nil {
			r.planned.Close()
		}
	}()
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

	planned   *duck.Query
	evaluated bool // a transform has been run
}

// load puts inputs and output into memory. The whole of an input is kept as
// everything.<n>; the SQL sees a view of that name which holds traced rows.
func (r *replayer) load(task pipeline.Task, output string) error {
	var b strings.Builder
	b.WriteString(duck.CreateSchemas + "create schema everything;")
	for _, macro := range task.Step.Macros {
		b.WriteString("\n" + macro.SQL + ";\n")
	}
	for i, input := range task.Inputs {
		fmt.Fprintf(&b, "create table everything.input_%d as select *%s from (%s);\n", i, r.traceColumns(input.Table), duck.ReadParquet(input.Files))
	}
	b.WriteString("create table everything.output as select row_number() over () as replay_id, * from (" + duck.ReadParquet([]string{output}) + ");\n")
	b.WriteString("create table everything.chosen as select * from everything.output limit 0;\n")
	for i, input := range task.Inputs {
		fmt.Fprintf(&b, "create view %s as %s;\n", pipeline.QuoteTable(input.Table), r.traced(i, input.Table))
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

// traced is the select of an input's rows that belong to the chosen row.
func (r *replayer) traced(i int, table string) string {
	trace := r.model.Trace[table]
	from := fmt.Sprintf("select * from everything.input_%d", i)
	if trace.Kind == pipeline.TraceBroadcast || trace.Kind == pipeline.TraceWhole {
		return from
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

// query is the SQL over the traced rows, narrowed to the chosen row's key.
func (r *replayer) query() string {
	exclude := ""
	var match []string
	for _, column := range r.model.Key {
		match = append(match, fmt.Sprintf("made.%s is not distinct from (select %s from everything.chosen)", pipeline.QuoteName(column), pipeline.QuoteName(column)))
	}
	if r.step.SetsAside {
		exclude = " exclude (" + asideColumn + ")"
		match = append(match, "made."+asideColumn+" is null")
	}
	program := r.step.SQL
	if r.model.Transform != nil {
		program = "select * from " + evaluated
	}
	return "select cast(to_json(again) as varchar) as row_text from (select *" + exclude + " from (\n" +
		program + "\n) as made where " + strings.Join(match, " and ") + ") as again"
}

// row replays one row. The plan is made once, with a first row chosen; a row
// that comes out different is tried again with a plan of its own before it
// counts, since a plan may lean on what the tables held when it was made.
func (r *replayer) row(id string) error {
	if err := r.db.Exec(r.ctx, "delete from everything.chosen; insert into everything.chosen select * from everything.output where replay_id = "+id); err != nil {
		return fmt.Errorf("%s: choose a row: %w", r.model.Name, err)
	}
	if r.model.Transform != nil {
		return r.transformed()
	}
	if r.planned == nil {
		var err error
		if r.planned, err = r.db.Prepare(r.ctx, r.query()); err != nil {
			return sqlError(r.model.SQLPath, r.step.SQL, err)
		}
	}
	_, made, err := r.planned.Rows(r.ctx)
	if err != nil {
		return sqlError(r.model.SQLPath, r.step.SQL, err)
	}
	if r.compare(made) == nil {
		return nil
	}
	if _, made, err = r.db.Rows(r.ctx, r.query()); err != nil {
		return sqlError(r.model.SQLPath, r.step.SQL, err)
	}
	return r.compare(made)
}

// transformed replays a row of a Go transform. One that is handed its inputs
// whole makes all rows at once: it is run once for all of them.
func (r *replayer) transformed() error {
	if !r.evaluated || !r.allWhole() {
		if err := evaluate(r.ctx, r.db, r.model); err != nil {
			return err
		}
		r.evaluated = true
	}
	_, made, err := r.db.Rows(r.ctx, r.query())
	if err != nil {
		return fmt.Errorf("%s: read the row that was made again: %w", r.model.Name, err)
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

// compare wants exactly the chosen row.
func (r *replayer) compare(made [][]*string) error {
	_, want, err := r.db.Rows(r.ctx, "select cast(to_json(before) as varchar) as row_text from (select * exclude (replay_id) from everything.chosen) as before")
	if err != nil {
		return fmt.Errorf("%s: read the chosen row: %w", r.model.Name, err)
	}
	if len(made) == 1 && *made[0][0] == *want[0][0] {
		return nil
	}
	found := fmt.Sprintf("%d rows", len(made))
	if len(made) == 1 {
		found = *made[0][0]
	}
	return &pipeline.Error{Kind: pipeline.Config, Subject: r.model.Name, Where: r.model.DocPath,
		Problem:  "the trace is insufficient: replayed on its traced rows alone, a row came out different",
		Expected: *want[0][0], Found: found, Hint: "widen the trace of one of its inputs (group in place of key), or take what depends on the whole table from a small summary model"}
}

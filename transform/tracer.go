package transform

import (
	"context"
	"fmt"
	"strings"

	"tamiz/internal/duck"
	"tamiz/pipeline"
)

// Tracer tells of one model which rows of its inputs make a row of its
// output. It holds the model's inputs and output in memory. Close it.
type Tracer struct{ r *replayer }

// OpenTracer loads what a model's step read and made.
func OpenTracer(ctx context.Context, task pipeline.Task, output string) (*Tracer, error) {
	db, err := duck.Open(ctx, duck.Options{Memory: task.Memory})
	if err != nil {
		return nil, err
	}
	r := &replayer{ctx: ctx, db: db, model: task.Step.Model, step: task.Step}
	if err := r.load(task, output); err != nil {
		db.Close()
		return nil, fmt.Errorf("%s: load to trace its rows: %w", task.Step.Label, err)
	}
	return &Tracer{r}, nil
}

// Close frees the tracer's memory.
func (t *Tracer) Close() error { return t.r.db.Close() }

// Choose points at the row of the output that has this key, in the order of
// the model's key and as DuckDB writes it in text, and gives its columns and
// values; nil is NULL.
func (t *Tracer) Choose(key []*string) (columns []string, row []*string, err error) {
	if len(key) != len(t.r.model.Key) {
		return nil, nil, fmt.Errorf("%s: the key has %d columns, not %d", t.r.model.Name, len(t.r.model.Key), len(key))
	}
	var match []string
	for i, column := range t.r.model.Key {
		value := "null"
		if key[i] != nil {
			value = pipeline.QuoteText(*key[i])
		}
		match = append(match, "cast("+pipeline.QuoteName(column)+" as varchar) is not distinct from "+value)
	}
	if err := t.r.db.Exec(t.r.ctx, "delete from everything.chosen; insert into everything.chosen select * from everything.output where "+
		strings.Join(match, " and ")); err != nil {
		return nil, nil, fmt.Errorf("%s: choose a row: %w", t.r.model.Name, err)
	}
	columns, rows, err := t.r.db.Rows(t.r.ctx, "select * exclude (replay_id) from everything.chosen")
	if err != nil {
		return nil, nil, fmt.Errorf("%s: read the chosen row: %w", t.r.model.Name, err)
	}
	if len(rows) != 1 {
		return nil, nil, fmt.Errorf("%s: %d rows have that key, want 1", t.r.model.Name, len(rows))
	}
	return columns, rows[0], nil
}

// Rows gives those rows of an input that make the chosen row. An input that
// is traced as broadcast or whole gives all of its rows.
func (t *Tracer) Rows(input string) (columns []string, rows [][]*string, err error) {
	columns, rows, err = t.r.db.Rows(t.r.ctx, "select * from "+pipeline.QuoteTable(input))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: trace its rows of %s: %w", t.r.model.Name, input, err)
	}
	return columns, rows, nil
}

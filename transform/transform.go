// Package transform runs the pure steps over tables: constant tables, models in
// SQL or Go, and checks, each alone in a DuckDB of its own.
//
// In come a step and the Parquet files of its inputs ([pipeline.Task]); out
// goes one sorted Parquet file, with the rows that were set aside beside it,
// and the counts that show that no row was lost. [Bind] reads all SQL of a
// pipeline without data: order, columns, and whatever would make a result
// depend on chance, on the clock, or on the order of rows.
//
// It never fetches, never publishes, and never looks at a table that the step
// did not name as an input.
package transform

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"tamiz/internal/duck"
	"tamiz/pipeline"
)

// writer is how results are written; it is part of every fingerprint. Row
// groups are small so that one row can be read over HTTP with few bytes.
const (
	writer       = "tamiz-sql/1 zstd"
	rowGroupSize = 8192
)

// Engine names what runs SQL steps, for fingerprints.
func Engine(duckVersion string) string {
	return fmt.Sprintf("%s %d DuckDB %s", writer, rowGroupSize, duckVersion)
}

// SQL runs constant tables, models, transforms and checks.
type SQL struct{}

// Run does one step.
func (SQL) Run(ctx context.Context, task pipeline.Task) (pipeline.Result, error) {
	db, err := openWithInputs(ctx, task)
	if err != nil {
		return pipeline.Result{}, err
	}
	defer db.Close()
	switch task.Step.Kind {
	case pipeline.StepTable:
		return runTable(ctx, db, task)
	case pipeline.StepModel, pipeline.StepGo:
		return runModel(ctx, db, task)
	case pipeline.StepCheck:
		return runChecks(ctx, db, task)
	}
	return pipeline.Result{}, fmt.Errorf("%s: SQL does not run steps of kind %s", task.Step.Label, task.Step.Kind)
}

// openWithInputs opens a database in which each input is a view over files.
func openWithInputs(ctx context.Context, task pipeline.Task) (*duck.DB, error) {
	db, err := duck.Reuse(ctx, duck.Options{Memory: task.Memory, Temp: filepath.Join(task.Dir, "..")})
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString(duck.CreateSchemas)
	for _, macro := range task.Step.Macros {
		b.WriteString("\n" + macro.SQL + ";\n")
	}
	for _, input := range task.Inputs {
		fmt.Fprintf(&b, "create view %s as %s;\n", pipeline.QuoteTable(input.Table), duck.ReadParquet(input.Files))
	}
	if err := db.Exec(ctx, b.String()); err != nil {
		db.Close()
		return nil, fmt.Errorf("%s: open its inputs: %w", task.Step.Label, err)
	}
	return db, nil
}

func runTable(ctx context.Context, db *duck.DB, task pipeline.Task) (pipeline.Result, error) {
	rows, err := copyTo(ctx, db, task.Step.SQL+"\norder by all", filepath.Join(task.Dir, pipeline.TableFile), nil)
	if err != nil {
		return pipeline.Result{}, fmt.Errorf("%s: make the table: %w", task.Step.Label, err)
	}
	return pipeline.Result{Rows: rows}, nil
}

// copyTo writes a query as one Parquet file and counts its rows.
func copyTo(ctx context.Context, db *duck.DB, query, file string, metadata []keyValue) (int64, error) {
	options := fmt.Sprintf("format parquet, compression zstd, row_group_size %d", rowGroupSize)
	if len(metadata) > 0 {
		var pairs []string
		for _, item := range metadata {
			pairs = append(pairs, pipeline.QuoteName(item.Key)+": "+pipeline.QuoteText(item.Value))
		}
		options += ", kv_metadata {" + strings.Join(pairs, ", ") + "}"
	}
	return db.Number(ctx, fmt.Sprintf("copy (\n%s\n) to %s (%s)", query, pipeline.QuoteText(file), options))
}

type keyValue struct{ Key, Value string }

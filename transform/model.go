package transform

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"tamiz/internal/duck"
	"tamiz/pipeline"
)

// asideColumn holds the reason for which a staging model sets a row aside.
const asideColumn = "_set_aside"

// runModel writes a model's rows, sorted by its key, and beside them the rows
// that it set aside; then it counts.
func runModel(ctx context.Context, db *duck.DB, task pipeline.Task) (pipeline.Result, error) {
	step, model := task.Step, task.Step.Model
	result := pipeline.Result{}
	var err error
	table, query := filepath.Join(task.Dir, pipeline.TableFile), step.SQL
	if model.Transform != nil {
		if err := evaluate(ctx, db, model); err != nil {
			return result, err
		}
		query = "select * from " + evaluated
	}
	if step.SetsAside { // both files come from one evaluation
		if err := db.Exec(ctx, "create temp table evaluated as\n"+step.SQL); err != nil {
			return result, sqlError(model.SQLPath, step.SQL, err)
		}
		query = "select * exclude (" + asideColumn + ") from evaluated where " + asideColumn + " is null"
		result.Aside, err = copyTo(ctx, db, "select * from evaluated where "+asideColumn+" is not null order by all",
			filepath.Join(task.Dir, pipeline.AsideFile), nil)
		if err != nil {
			return result, sqlError(model.SQLPath, step.SQL, err)
		}
	}
	result.Rows, err = copyTo(ctx, db, "select * from (\n"+query+"\n)\norder by "+keyOrder(model), table, metadata(step))
	if err != nil {
		return result, sqlError(model.SQLPath, step.SQL, err)
	}
	if result.RowsIn, err = countInputs(ctx, db, task); err != nil {
		return result, err
	}
	if err := conserve(ctx, db, task, result, table); err != nil {
		return result, err
	}
	if model.IsMart() {
		result.RowDigest, err = rowDigest(ctx, db, model, table)
	}
	return result, err
}

func keyOrder(model *pipeline.Model) string {
	var names []string
	for _, column := range model.Key {
		names = append(names, pipeline.QuoteName(column))
	}
	return strings.Join(names, ", ")
}

// metadata is what a mart's file tells about itself; nothing in it changes
// while the rows and their meaning do not.
func metadata(step *pipeline.Step) []keyValue {
	if !step.Model.IsMart() {
		return nil
	}
	dictionary, err := json.Marshal(step.Model.Columns)
	if err != nil {
		panic("transform: a column that cannot be JSON: " + err.Error())
	}
	pairs := []keyValue{
		{"dataset", step.Model.Base()}, {"description", step.Model.Description},
		{"key", strings.Join(step.Model.Key, ", ")}, {"columns", string(dictionary)},
	}
	if step.Synthetic {
		pairs = append(pairs, keyValue{"synthetic", "made of synthetic data; no figure in it is real"})
	}
	return pairs
}

// rowDigest hashes the rows, cell by cell as text, in the order of the file,
// which is that of the key: it stays the same when an upgrade changes only how
// bytes are packed. Control characters stand between cells and rows and for
// NULL; no table holds them.
func rowDigest(ctx context.Context, db *duck.DB, model *pipeline.Model, table string) (pipeline.Digest, error) {
	var cells []string
	for _, column := range model.Columns {
		cells = append(cells, "coalesce(cast("+pipeline.QuoteName(column.Name)+" as varchar), chr(30))")
	}
	hash := sha256.New()
	err := db.Texts(ctx, fmt.Sprintf("select concat_ws(chr(31), %s) from (%s)", strings.Join(cells, ", "), duck.ReadParquet([]string{table})),
		func(text sql.RawBytes) {
			hash.Write(text)
			hash.Write([]byte{29})
		})
	if err != nil {
		return "", fmt.Errorf("%s: hash its rows: %w", model.Name, err)
	}
	return pipeline.Digest(hex.EncodeToString(hash.Sum(nil))), nil
}

func countInputs(ctx context.Context, db *duck.DB, task pipeline.Task) (map[string]int64, error) {
	counts := map[string]int64{}
	for _, input := range task.Inputs {
		n, err := db.Number(ctx, "select count(*) from "+pipeline.QuoteTable(input.Table))
		if err != nil {
			return nil, fmt.Errorf("%s: count %s: %w", task.Step.Label, input.Table, err)
		}
		counts[input.Table] = n
		if trace := task.Step.Model.Trace[input.Table]; trace.Kind == pipeline.TraceBroadcast && n > pipeline.BroadcastRows {
			return nil, &pipeline.Error{Kind: pipeline.Config, Subject: task.Step.Label, Where: task.Step.Model.DocPath,
				Problem:  fmt.Sprintf("%s is traced as broadcast but has %d rows", input.Table, n),
				Expected: fmt.Sprintf("at most %d rows", pipeline.BroadcastRows), Hint: "trace it by key or group, or sum it up in a small model first"}
		}
	}
	return counts, nil
}

// conserve checks the model's rule of rows: nothing is silently dropped.
func conserve(ctx context.Context, db *duck.DB, task pipeline.Task, result pipeline.Result, table string) error {
	model := task.Step.Model
	rule := model.Rows
	in := int64(0)
	for _, input := range rule.From {
		n, known := result.RowsIn[input]
		if !known {
			return &pipeline.Error{Kind: pipeline.Config, Subject: model.Name, Where: model.DocPath,
				Problem: fmt.Sprintf("its rule of rows names %s, which its SQL does not read", input)}
		}
		if rule.Where != "" {
			var err error
			if n, err = db.Number(ctx, "select count(*) from "+pipeline.QuoteTable(input)+" where "+rule.Where); err != nil {
				return fmt.Errorf("%s: count the rows of %s: %w", model.DocPath, input, err)
			}
		}
		in += n
	}
	out := result.Rows + result.Aside
	switch rule.Kind {
	case pipeline.RowsGenerated:
		return nil
	case pipeline.RowsJoined:
		out = result.Rows
	case pipeline.RowsGrouped:
		var err error
		out, err = db.Number(ctx, "select coalesce(sum("+pipeline.QuoteName(rule.Counting)+"), 0)::bigint from ("+duck.ReadParquet([]string{table})+")")
		if err != nil {
			return fmt.Errorf("%s: add up %s: %w", model.DocPath, rule.Counting, err)
		}
	case pipeline.RowsOnePer, pipeline.RowsStacked:
	}
	if in == out {
		return nil
	}
	return &pipeline.Error{Kind: pipeline.Failed, Subject: model.Name, Where: model.Place(),
		Problem:  "rows were lost or doubled",
		Expected: fmt.Sprintf("rows %s %s: %d", rule.Kind, strings.Join(rule.From, ", "), in),
		Found:    fmt.Sprintf("%d (%d kept, %d set aside)", out, result.Rows, result.Aside),
		Effect:   "nothing of it is used", Hint: "look for an inner join, a filter, or a join that matches more than one row"}
}

// sqlError puts file and line before DuckDB's message. That a step has too
// little memory or disk is no mistake in its SQL.
func sqlError(file, sql string, err error) error {
	if pipeline.KindOf(err) == pipeline.Storage {
		return err
	}
	if strings.HasPrefix(err.Error(), "Out of Memory Error") {
		return &pipeline.Error{Kind: pipeline.Storage, Problem: "the step needs more memory than it may use", Where: file,
			Hint: "raise memory in tamiz.yml (it is for one step; --workers says how many run beside each other), then run again"}
	}
	return &pipeline.Error{Kind: pipeline.Config, Where: fmt.Sprintf("%s:%d", file, lineOfError(sql, err)), Err: err}
}

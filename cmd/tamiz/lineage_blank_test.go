package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"tamiz/internal/duck"
	"tamiz/pipeline"
)

// TestLineage_BlankedColumnsChangeNothingElse is what column lineage means:
// without an input column's values, no output column changes but those that
// are said to stand on it. Few input columns of each model are drawn; make audit
// takes all. One that decides which rows there are bears on all columns, and is
// left out.
func TestLineage_BlankedColumnsChangeNothingElse(t *testing.T) {
	for name, schools := range map[string]int{"mx": 200, "np": 200} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := sampleProject(t, name, schools)
			runRecord(t, "--project", dir)
			project, err := (&options{project: dir}).openProject()
			if err != nil {
				t.Fatal(err)
			}
			s, err := openSession(t.Context(), project, name)
			if err != nil {
				t.Fatal(err)
			}
			lineage, err := s.columns()
			if err != nil {
				t.Fatal(err)
			}
			pins, err := s.runs.LastPins()
			if err != nil {
				t.Fatal(err)
			}
			walk := s.walk(1)
			b := &blanking{}
			for _, step := range pipeline.NewPlan(s.p, s.binding, *pins, s.engines).Steps {
				if step.Kind == pipeline.StepModel {
					b.model(t, pipeline.Task{Step: step, Inputs: walk.InputFiles(step), Memory: 2 << 30}, s.binding, lineage[step.Table])
				}
			}
			t.Logf("%s: %d models, %d input columns blanked, %d output columns compared and none changed; of %d that stand on them %d changed; %d refused NULL",
				name, b.models, b.blanked, b.same, b.claimed, b.changed, b.refused)
			if b.blanked < b.models || b.same < 10*b.models {
				t.Errorf("%s: too little was compared", name)
			}
		})
	}
}

type blanking struct{ models, blanked, same, claimed, changed, refused int }

// model blanks input columns of one model, one after the other.
func (b *blanking) model(t *testing.T, task pipeline.Task, binding *pipeline.Binding, lineage pipeline.TableLineage) {
	t.Helper()
	b.models++
	ctx := t.Context()
	db, err := duck.Open(ctx, duck.Options{Memory: task.Memory})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var setup strings.Builder
	setup.WriteString(duck.CreateSchemas + "create schema whole;")
	for _, macro := range task.Step.Macros {
		setup.WriteString("\n" + macro.SQL + ";\n")
	}
	type input struct {
		table  string
		column pipeline.Column
	}
	var inputs []input
	for _, given := range task.Inputs {
		whole := `whole.` + pipeline.QuoteName(given.Table)
		fmt.Fprintf(&setup, "create table %s as %s; create view %s as from %s;\n", whole, duck.ReadParquet(given.Files), pipeline.QuoteTable(given.Table), whole)
		for _, column := range binding.Columns[given.Table] {
			inputs = append(inputs, input{given.Table, column})
		}
	}
	if err := db.Exec(ctx, setup.String()); err != nil {
		t.Fatalf("%s: %v", task.Step.Table, err)
	}
	columns := slices.Sorted(maps.Keys(lineage.Columns))
	before, err := sumsOf(ctx, db, task.Step, columns)
	if err != nil {
		t.Fatalf("%s: %v", task.Step.Table, err)
	}
	slices.SortFunc(inputs, func(x, y input) int { // drawn by a hash, the same in each run
		return strings.Compare(string(pipeline.DigestOf("blank", task.Step.Table, x.table, x.column.Name)), string(pipeline.DigestOf("blank", task.Step.Table, y.table, y.column.Name)))
	})
	drawn := 0
	for _, in := range inputs {
		ref := pipeline.ColumnRef{Table: in.table, Column: in.column.Name}
		if names(lineage.Rows, ref) || (drawn == 3 && !*isAudit) { // it bears on all columns
			continue
		}
		drawn++
		b.blanked++
		view := "create or replace view " + pipeline.QuoteTable(in.table) + " as select * "
		from := " from whole." + pipeline.QuoteName(in.table)
		if err := db.Exec(ctx, view+"replace (cast(null as "+in.column.Type+") as "+pipeline.QuoteName(in.column.Name)+")"+from); err != nil {
			t.Fatalf("%s: blank %s: %v", task.Step.Table, ref, err)
		}
		after, err := sumsOf(ctx, db, task.Step, columns)
		if err != nil {
			b.refused++
		}
		for i, column := range columns {
			switch {
			case err != nil:
			case names(lineage.Columns[column], ref):
				b.claimed++
				if before[i] != after[i] {
					b.changed++
				}
			case before[i] != after[i]:
				t.Errorf("%s.%s changes without %s, of which its lineage says nothing", task.Step.Table, column, ref)
			default:
				b.same++
			}
		}
		if err := db.Exec(ctx, view+from); err != nil {
			t.Fatal(err)
		}
	}
}

func names(inputs []pipeline.ColumnInput, ref pipeline.ColumnRef) bool {
	return slices.ContainsFunc(inputs, func(input pipeline.ColumnInput) bool { return input.ColumnRef == ref })
}

// sumsOf gives for each column of a model's rows one number that stands for
// all of its values, whatever their order.
func sumsOf(ctx context.Context, db *duck.DB, step *pipeline.Step, columns []string) ([]string, error) {
	var list []string
	for _, column := range columns {
		list = append(list, "coalesce(sum(hash("+pipeline.QuoteName(column)+")), 0) || ' in ' || count(*)")
	}
	query := "select " + strings.Join(list, ", ") + " from (\n" + step.SQL + "\n)"
	if step.SetsAside {
		query += " where _set_aside is null"
	}
	_, rows, err := db.Rows(ctx, query)
	if err != nil {
		return nil, err
	}
	sums := make([]string, len(columns))
	for i, cell := range rows[0] {
		sums[i] = *cell
	}
	return sums, nil
}

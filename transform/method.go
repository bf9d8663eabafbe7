package transform

import (
	"context"
	"fmt"
	"sort"
	"strings"

	"tamiz/internal/duck"
	"tamiz/pipeline"
	"tamiz/transform/methods"
)

// evaluated is the temporary table that holds what a program made.
const evaluated = "evaluated"

// GoEngine names what runs Go transforms, for fingerprints.
func GoEngine(duckVersion string) string { return Engine(duckVersion) + "\n" + methods.Program() }

// evaluate runs the Go method of a model over the tables of db, and leaves its
// rows in the temporary table evaluated.
func evaluate(ctx context.Context, db *duck.DB, model *pipeline.Model) error {
	method, known := methods.All[model.Transform.Method]
	if !known {
		return &pipeline.Error{Kind: pipeline.Config, Subject: model.Name, Where: model.DocPath, Problem: "there is no transform " + model.Transform.Method}
	}
	// Rows are kept until the method is done: a connection cannot append to one
	// table while it reads another.
	var made [][]any
	keep := rowKeeper(func(row []any) { made = append(made, row) })
	if err := method.Run(ctx, &roleReader{db, model, method}, keep); err != nil {
		return fmt.Errorf("%s: transform %s: %w", model.Name, model.Transform.Method, err)
	}
	err := db.Fill(ctx, evaluated, outputColumns(method), func(appendRow func(values ...any) error) error {
		for _, row := range made {
			if err := appendRow(row...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: keep what transform %s made: %w", model.Name, model.Transform.Method, err)
	}
	return nil
}

func outputColumns(method methods.Method) []pipeline.Column {
	columns := make([]pipeline.Column, len(method.Output))
	for i, column := range method.Output {
		columns[i] = pipeline.Column{Name: column.Name, Type: column.Type}
	}
	return columns
}

type rowKeeper func(row []any)

// Append keeps one row.
func (k rowKeeper) Append(values ...any) error {
	k(append([]any(nil), values...))
	return nil
}

// roleReader reads the tables that play a method's roles.
type roleReader struct {
	db     *duck.DB
	model  *pipeline.Model
	method methods.Method
}

// Rows visits the rows of a role in the order of its key.
func (r *roleReader) Rows(ctx context.Context, role string, targets []any, visit func() error) error {
	for _, declared := range r.method.Inputs {
		if declared.Name != role {
			continue
		}
		return r.db.Scan(ctx, "select "+roleColumns(declared)+" from "+pipeline.QuoteTable(r.model.Transform.Inputs[role])+
			" order by "+quoteNames(declared.Key), targets, visit)
	}
	return fmt.Errorf("the transform declares no input %s", role)
}

func roleColumns(role methods.Role) string {
	var list []string
	for _, column := range role.Columns {
		list = append(list, "cast("+pipeline.QuoteName(column.Name)+" as "+column.Type+") as "+pipeline.QuoteName(column.Name))
	}
	return strings.Join(list, ", ")
}

func quoteNames(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = pipeline.QuoteName(name)
	}
	return strings.Join(quoted, ", ")
}

// readRoles finds which tables a transform reads, and that they are known.
func (b *binder) readRoles(model *pipeline.Model, known map[string]bool) {
	where := inDoc(model, "transform:")
	method, ok := methods.All[model.Transform.Method]
	if !ok {
		b.problem(where, model.Name, "known: "+strings.Join(sortedNames(methods.All), ", "), "there is no transform %q", model.Transform.Method)
		return
	}
	wanted := map[string]bool{}
	for _, role := range method.Inputs {
		wanted[role.Name] = true
		if model.Transform.Inputs[role.Name] == "" {
			b.problem(where, model.Name, "add under inputs:\n    "+role.Name+": intermediate.…", "transform %s wants a table for its input %s", model.Transform.Method, role.Name)
		}
	}
	tables := map[string]bool{}
	for role, table := range model.Transform.Inputs {
		switch {
		case !wanted[role]:
			b.problem(where, model.Name, "", "transform %s has no input %s", model.Transform.Method, role)
		case !known[table]:
			b.problem(inDoc(model, role+":"), model.Name, nearestTable(table, known), "it reads %s, which is unknown", table)
		case layerProblem(model, table) != "":
			b.problem(inDoc(model, role+":"), model.Name, "", "%s", layerProblem(model, table))
		}
		tables[table] = true
	}
	b.out.Inputs[model.Name] = sortedNames(tables)
}

// bindTransform wants each input to have the columns of its role, and makes
// the empty table of the output.
func (b *binder) bindTransform(model *pipeline.Model) []pipeline.Column {
	method := methods.All[model.Transform.Method]
	for _, role := range method.Inputs {
		table := model.Transform.Inputs[role.Name]
		for _, column := range role.Columns {
			if !hasColumn(b.out.Columns[table], column.Name) {
				b.problem(inDoc(model, role.Name+":"), model.Name, "", "transform %s wants a column %s (%s) of %s, which has none", model.Transform.Method, column.Name, column.Type, table)
			}
		}
		if len(b.problems) > 0 {
			continue
		}
		if _, err := b.db.Columns(b.ctx, "select "+roleColumns(role)+" from "+pipeline.QuoteTable(table)); err != nil {
			b.problem(inDoc(model, role.Name+":"), model.Name, "", "%s: %v", table, err)
		}
	}
	columns := outputColumns(method)
	var list []string
	for _, column := range columns {
		list = append(list, pipeline.QuoteName(column.Name)+" "+column.Type)
	}
	if err := b.db.Exec(b.ctx, "create table "+pipeline.QuoteTable(model.Name)+" ("+strings.Join(list, ", ")+")"); err != nil {
		b.problem(model.DocPath, model.Name, "", "%v", err)
	}
	return columns
}

func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

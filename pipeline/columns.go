package pipeline

import (
	"cmp"
	"slices"
)

// ColumnRef names a column of a table of the plan, or, of a raw table, the
// title that the column has in the publisher's file: then Table is the name of
// the source card, without a schema.
type ColumnRef struct {
	Table  string `json:"table"`
	Column string `json:"column"`
}

// String gives table.column.
func (r ColumnRef) String() string { return r.Table + "." + r.Column }

// Influence says how an input column bears on an output column.
type Influence string

// The ways in which an input column bears on an output column. The first three
// bring the value; a condition decides which value, or which rows.
const (
	Identical      Influence = "identity"       // the value as it is
	Transformation Influence = "transformation" // the value, computed from one row
	Aggregation    Influence = "aggregation"    // the value, computed from several rows
	Condition      Influence = "condition"      // see [ColumnInput.By]
)

// ColumnInput is one input column of an output column.
type ColumnInput struct {
	ColumnRef
	Kind Influence `json:"kind"`
	// By tells, of a condition, what it is: join, filter, group, sort, window
	// or case.
	By string `json:"by,omitempty"`
	// Rows is set for a condition that decides which rows there are, and so
	// bears on each column of the table alike.
	Rows bool `json:"rows,omitempty"`
}

// ColumnLineage tells of each table, and of each of its columns, which columns
// of the tables that it reads make it: table → column → inputs, sorted. An
// output column without inputs is a constant. Transform makes it.
type ColumnLineage map[string]map[string][]ColumnInput

// Of gives the inputs of a column: those that make it, and, if rows is set,
// also those that decide which rows there are.
func (l ColumnLineage) Of(column ColumnRef, rows bool) []ColumnInput {
	var inputs []ColumnInput
	for _, input := range l[column.Table][column.Column] {
		if rows || !input.Rows {
			inputs = append(inputs, input)
		}
	}
	return inputs
}

// Origins follows a column's inputs to the end, without the conditions that
// only decide which rows there are, and gives those that have no inputs of
// their own: titles in the publishers' files, columns of constant tables, and
// what Tamiz itself records of a row. Sorted.
func (l ColumnLineage) Origins(column ColumnRef) []ColumnRef {
	var origins []ColumnRef
	seen := map[ColumnRef]bool{}
	var follow func(ColumnRef)
	follow = func(ref ColumnRef) {
		if seen[ref] {
			return
		}
		seen[ref] = true
		inputs := l.Of(ref, false)
		if len(inputs) == 0 {
			origins = append(origins, ref)
		}
		for _, input := range inputs {
			follow(input.ColumnRef)
		}
	}
	follow(column)
	slices.SortFunc(origins, func(a, b ColumnRef) int {
		return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Column, b.Column))
	})
	return origins
}

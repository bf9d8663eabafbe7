package pipeline

import "cmp"

// ColumnRef names a column of a table of the plan, or, of a raw table, the
// title that the column has in the publisher's file: then Table is the name of
// the source card, without a schema.
type ColumnRef struct {
	Table  string `json:"table"`
	Column string `json:"column"`
}

// String gives table.column.
func (r ColumnRef) String() string { return r.Table + "." + r.Column }

// Compare orders by table, then by column.
func (r ColumnRef) Compare(other ColumnRef) int {
	return cmp.Or(cmp.Compare(r.Table, other.Table), cmp.Compare(r.Column, other.Column))
}

// Influence says how an input column bears on an output column.
type Influence string

// The ways in which an input column bears on an output column. The first three
// bring the value; a condition decides which value it is.
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
	// By tells, of a condition, what it is: join, filter, group, sort, window,
	// unnest or case.
	By string `json:"by,omitempty"`
}

// TableLineage tells of one table which columns of the tables that it reads
// make each of its columns. A column without inputs is a constant. Rows are the
// conditions that decide which rows the table has, and so bear on all of its
// columns alike. All lists are sorted.
type TableLineage struct {
	Columns map[string][]ColumnInput `json:"columns"`
	Rows    []ColumnInput            `json:"rows,omitempty"`
	// Coarse is set where it is not known which inputs make which column, so
	// that each column is said to stand on all: a transform in Go.
	Coarse bool `json:"coarse,omitempty"`
}

// ColumnLineage is the lineage of all tables, by name. A table that is not in
// it is a constant.
type ColumnLineage map[string]TableLineage

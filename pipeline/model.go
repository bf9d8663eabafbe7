package pipeline

import "strings"

// Model is one SQL select, or one Go transform, with its meaning: files with
// one name.
type Model struct {
	Name        string     // schema.table: staging.x, intermediate.x or marts.x
	SQL         string     // "" for a transform
	Transform   *Transform // nil for a select
	Description string
	Key         []string
	Rows        RowRule
	Trace       map[string]Trace // by input table
	Columns     []Column         // as described, in order
	Checks      []Check
	Cases       string // the text of x.txtar, "" if there is none

	SQLPath, DocPath, CasesPath string
	DocText                     string // canonical text of the yml
}

// Transform says which Go method makes a table, and from which tables.
type Transform struct {
	Method string            `json:"method"`
	Inputs map[string]string `json:"inputs"` // role of the method → table
}

// Place is where the program of the model stands, for messages.
func (m *Model) Place() string {
	if m.Transform != nil {
		return m.DocPath
	}
	return m.SQLPath
}

// IsMart reports whether the model is published.
func (m *Model) IsMart() bool { return strings.HasPrefix(m.Name, "marts.") }

// IsStaging reports whether the model stands next to a raw table.
func (m *Model) IsStaging() bool { return strings.HasPrefix(m.Name, "staging.") }

// Base is the name without its schema.
func (m *Model) Base() string { return BaseName(m.Name) }

// BaseName drops the schema of a table name.
func BaseName(table string) string {
	_, name, _ := strings.Cut(table, ".")
	return name
}

// Column is one column of a model with its meaning.
type Column struct {
	Name        string `json:"name"`
	Type        string `json:"type,omitempty"` // known after binding
	Description string `json:"description,omitempty"`
	Unit        string `json:"unit,omitempty"`
	Source      string `json:"source,omitempty"`

	Deprecated *Deprecation `json:"deprecated,omitempty"` // nil: it stays

	// What its checks promise, for dictionaries. OneOf lists the words that it
	// may hold, Range the least and the greatest figure; nil: no promise.
	NotNull bool      `json:"-"`
	OneOf   []string  `json:"-"`
	Range   []float64 `json:"-"`
}

// Deprecation announces that a published column will go, and what to use then.
// It may be removed, renamed or retyped a year of period dates later.
type Deprecation struct {
	Since   string `json:"since"` // a date, such as 2026-11-29
	Instead string `json:"instead"`
}

// RowRule says how rows are conserved; it is checked in every run.
type RowRule struct {
	Kind     RowKind
	From     []string // input tables
	Counting string   // for grouped rows: the column that counts input rows
	Where    string   // which input rows are meant; "" = all
}

// RowKind is one of the ways in which rows are conserved.
type RowKind string

// The ways in which rows are conserved.
const (
	RowsOnePer    RowKind = "one per"      // rows in = rows out + set aside
	RowsJoined    RowKind = "joined onto"  // rows out = rows of the spine
	RowsStacked   RowKind = "stacked from" // sum of rows in = rows out + set aside
	RowsGrouped   RowKind = "grouped from" // sum of a counting column = rows in
	RowsGenerated RowKind = "generated"    // made from constants only
)

// Trace says which rows of an input make one row of the output.
type Trace struct {
	Kind  TraceKind
	Match []Match // for key and group
}

// TraceKind is how an input is traced.
type TraceKind string

// The ways of tracing. A broadcast input is a small table passed whole.
const (
	TraceKey       TraceKind = "key"
	TraceGroup     TraceKind = "group"
	TraceBroadcast TraceKind = "broadcast"
	TraceWhole     TraceKind = "whole"
)

// BroadcastRows is the most rows that a table traced as broadcast may have.
const BroadcastRows = 10_000

// Match pairs an SQL expression over an input's columns with a column of the
// output; rows belong together where the two are not distinct.
type Match struct{ Input, Output string }

// Check is a select that returns offending rows. Where is set if it is a
// condition on single rows of its own table: many such are counted in one
// scan.
type Check struct {
	Name     string   `json:"name"`
	Column   string   `json:"-"` // that it is about; "" for the whole table
	SQL      string   `json:"sql"`
	Where    string   `json:"where,omitempty"`
	Severity Severity `json:"severity"`
	MaxShare float64  `json:"max_share"` // share of rows that may offend
	Previous bool     `json:"previous"`  // it reads the previous snapshot, or a source's last good version
	Problem  string   `json:"-"`         // in words, for gates

	Question map[string]string `json:"-"` // by language, for checks that hold

	Hint string `json:"-"` // what to do, for gates
	Path string `json:"-"`
}

// Severity says what a failing check does.
type Severity string

// A failing warning is shown. A failing hold is a question: the publication
// waits until a person says yes or no. A failing error is a promise that is
// broken: the publication waits until somebody has mended it.
const (
	Warn  Severity = "warn"
	Ask   Severity = "hold"
	Fatal Severity = "error"
)

// CheckResult is what one check found.
type CheckResult struct {
	Table    string   `json:"table"`
	Name     string   `json:"name"`
	Severity Severity `json:"severity"`
	Failing  int64    `json:"failing"`
	Rows     int64    `json:"rows"`
	MaxShare float64  `json:"max_share"`
	Passed   bool     `json:"passed"`
	Sample   []string `json:"sample,omitempty"` // the first offending rows, as JSON
}

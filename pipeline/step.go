package pipeline

import (
	"context"
	"encoding/json"
	"time"
)

// StepKind says which runner does a step.
type StepKind string

// The kinds of step that are pure.
const (
	StepRead  StepKind = "read"      // raw bytes → a table of text columns
	StepTable StepKind = "table"     // a constant table
	StepModel StepKind = "model"     // one SQL select
	StepGo    StepKind = "transform" // one Go method over tables
	StepCheck StepKind = "check"     // selects that return offending rows
	StepBind  StepKind = "bind"      // all SQL, read without data
)

// Step is one pure function call: a program, its parameters and its inputs.
type Step struct {
	Kind   StepKind
	Table  string // the table that it makes or, for a check, looks at
	Label  string // how people see it; unique in a plan
	Source *Source
	Model  *Model
	SQL    string  // for tables, models
	Macros []Macro // that its SQL needs
	Checks []Check // for checks
	Inputs []StepInput
	Raw    Digest   // for reads
	Beside []Beside // for reads: what belongs to the raw file
	File   string   // for reads: the file's name, for messages only

	SetsAside bool // a model that may set rows aside
	Synthetic bool // a mart made of synthetic data; its file says so

	Parts       map[string]Digest // what the fingerprint is made of, by name
	Fingerprint Digest
}

// StepInput is one table that a step reads: the artifacts that make it up.
// Outside is set for a file that is no artifact (a previous snapshot's mart).
type StepInput struct {
	Table   string
	Steps   []*Step
	Outside string
	Digest  Digest // of the outside file
}

// seal computes the fingerprint from the parts.
func (s *Step) seal() {
	for _, input := range s.Inputs {
		var all []string
		for _, step := range input.Steps {
			all = append(all, string(step.Fingerprint))
		}
		if input.Outside != "" {
			all = append(all, string(input.Digest))
		}
		s.Parts[input.Table] = DigestOf(all...)
	}
	list := []string{string(s.Kind), s.Table}
	for _, name := range sortedKeys(s.Parts) {
		list = append(list, name, string(s.Parts[name]))
	}
	s.Fingerprint = DigestOf(list...)
}

// Task is a step as a message: where its inputs lie, and where its output
// goes. A runner writes table.parquet, and aside.parquet if rows were set
// aside, into Dir.
type Task struct {
	Step   *Step
	Inputs []TaskInput
	Dir    string
	Memory int64 // bytes
}

// TaskInput is one input table as files, in the order that counts.
type TaskInput struct {
	Table string
	Files []string
}

// Names of the files of an artifact.
const (
	TableFile = "table.parquet"
	AsideFile = "aside.parquet"
)

// PlacesFile may lie beside the table of a raw file: it says where in the file
// records begin, so that some can be read again without all before them. It is
// no part of the artifact, in which no digest vouches for it.
const PlacesFile = "places.json"

// Result is what a runner tells about what it made.
type Result struct {
	Rows      int64            `json:"rows"`
	Aside     int64            `json:"rows_set_aside"`
	RowsIn    map[string]int64 `json:"rows_in,omitempty"`
	RowDigest Digest           `json:"row_digest,omitempty"` // of a mart's rows, whatever their encoding
	Columns   []Column         `json:"columns,omitempty"`    // of a table that was read
	Checks    []CheckResult    `json:"checks,omitempty"`
	Notes     []string         `json:"notes,omitempty"` // what a person should know, such as the encoding found
}

// Runner does the steps of one kind. It is pure: the same task gives the same
// bytes.
type Runner interface {
	Run(ctx context.Context, task Task) (Result, error)
}

// Record is what the warehouse keeps beside an artifact.
type Record struct {
	Kind        StepKind          `json:"kind"`
	Table       string            `json:"table"`
	Fingerprint Digest            `json:"fingerprint"`
	Parts       map[string]Digest `json:"parts"`
	Digests     map[string]Digest `json:"digests"` // file → SHA-256 of its bytes
	Bytes       int64             `json:"bytes"`
	Result
	Seconds    float64   `json:"seconds"`
	FinishedAt time.Time `json:"finished_at"`
}

// canonical gives JSON with sorted keys for hashing.
func canonical(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic("pipeline: a value that cannot be JSON: " + err.Error())
	}
	return string(text)
}

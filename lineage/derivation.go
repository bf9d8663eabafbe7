package lineage

import (
	"time"

	"tamiz/pipeline"
)

// Derivation says how one row of a mart came about, down to the records of the
// raw files, and whether each step makes the same row again. It is what
// `tamiz why -o json` prints: fields are added, never renamed.
//
// Rows and records stand in it once, however often they are used: they refer
// to each other by their places in the lists Rows and Records.
type Derivation struct {
	Pipeline  string          `json:"pipeline"`
	Snapshot  string          `json:"snapshot"`
	Manifest  pipeline.Digest `json:"manifest_sha256"`
	PeriodEnd string          `json:"period_end"`
	AsOf      string          `json:"as_of"`
	Synthetic bool            `json:"synthetic"` // no figure in it is real
	Method    string          `json:"method_version"`
	Mart      string          `json:"mart"`             // table, such as marts.x
	Column    string          `json:"column,omitempty"` // the one that was asked for: what it does not need is not followed
	Key       []string        `json:"key"`              // in the order of the mart's key
	Notes     []string        `json:"notes"`            // what a reader should know about this answer

	Rows    []Row            `json:"rows"` // the first is the row that was asked for
	Records []Record         `json:"records"`
	Tables  map[string]Table `json:"tables"` // every table that is named here
	Proof   Proof            `json:"proof"`

	lineage pipeline.ColumnLineage // nil if no column was asked for
}

// Row is a row of a table with the rows that make it.
type Row struct {
	Table  string     `json:"table"`
	Values []*string  `json:"values"` // by the columns of the table; null is unknown
	Inputs []Input    `json:"inputs"` // empty for a constant
	Proof  ProofOfRow `json:"proof"`
	Fault  *RowFault  `json:"fault,omitempty"` // if it did not come out identical
	Masked bool       `json:"masked,omitempty"`
}

// ProofOfRow says whether a row was made again.
type ProofOfRow string

// How a row is proved.
const (
	ProvedIdentical ProofOfRow = "identical" // its step, run on its traced rows alone, made it again
	ProvedDifferent ProofOfRow = "different" // the trace is insufficient
	ProvedConstant  ProofOfRow = "constant"  // it stands in a file of the configuration
	NotProved       ProofOfRow = "whole"     // its step needs whole tables, and was not run
	ProvedInFull    ProofOfRow = "in full"   // its step was run in full: all rows came out identical
)

// RowFault says how a row came out when it was made again.
type RowFault struct {
	Problem string   `json:"problem"`
	Columns []string `json:"columns"` // that differ; none if no row, or more than one, came out
	Want    string   `json:"expected"`
	Found   string   `json:"found"`
}

// Input is one table that a step reads, with those of its rows that make the
// row. Of a table traced as broadcast or whole all rows count: it is named, and
// a small one is shown in Tables.
type Input struct {
	Table    string             `json:"table"`
	Trace    pipeline.TraceKind `json:"trace"`
	Count    int64              `json:"count"`             // of its rows that belong to the row
	Rows     []int              `json:"rows,omitempty"`    // places in Derivation.Rows
	Records  []int              `json:"records,omitempty"` // places in Derivation.Records
	Followed bool               `json:"followed"`          // false: its rows are counted, not shown
}

// Record is a record of a raw file: the end of the way.
type Record struct {
	Table     string          `json:"table"` // raw.x
	Source    string          `json:"source"`
	Title     string          `json:"title"`
	Publisher string          `json:"publisher"`
	Licence   string          `json:"licence"`
	URL       string          `json:"url"`
	File      string          `json:"file"` // as it was called
	Digest    pipeline.Digest `json:"sha256"`
	Bytes     int64           `json:"bytes"`
	Retrieved time.Time       `json:"retrieved_at"`
	Carried   string          `json:"carried_forward,omitempty"` // why an older version is used
	Part      string          `json:"part,omitempty"`            // member of the archive › sheet of the workbook
	Number    int64           `json:"record"`                    // in the file, from 1
	Line      int64           `json:"line"`                      // of the text, or row of the sheet
	Text      string          `json:"text,omitempty"`            // the record as it stands in a text file
	Titles    []string        `json:"titles,omitempty"`          // of the file's columns
	Cells     []string        `json:"cells,omitempty"`           // of the record, in the order of the titles
	Values    []*string       `json:"values"`                    // as the card reads them, by the columns of the table
	Masked    bool            `json:"masked,omitempty"`          // the source is private: letters and digits are hidden
	Proof     ProofOfRow      `json:"proof"`                     // identical: read again from the archive, it holds these values
}

// Table describes a table that is named.
type Table struct {
	Kind        pipeline.StepKind `json:"kind"`
	Description string            `json:"description"`
	Method      string            `json:"method,omitempty"`  // a transform in Go
	Program     string            `json:"program,omitempty"` // the SQL
	Place       string            `json:"place,omitempty"`   // of the program in the configuration
	Key         []string          `json:"key,omitempty"`
	Columns     []pipeline.Column `json:"columns"`
	Needed      []string          `json:"columns_needed,omitempty"` // of a derivation of one column: those that it needs
	Fingerprint pipeline.Digest   `json:"fingerprint,omitempty"`    // of its step; a table of several raw files has several
	Digest      pipeline.Digest   `json:"sha256,omitempty"`         // of its file
	Count       int64             `json:"count"`                    // of its rows
	Rows        [][]*string       `json:"rows,omitempty"`           // all of them, of a small table that is used whole
	Sources     []string          `json:"sources,omitempty"`        // of a table that is used whole: the raw tables that it stands on
}

// Proof sums up what was run again.
type Proof struct {
	Proved  bool     `json:"proved"` // nothing came out different
	Steps   int      `json:"steps"`
	Rows    int      `json:"rows"`
	Records int      `json:"records"`           // read again from the archive
	Whole   []string `json:"not_run,omitempty"` // steps that need whole tables and were not run; see --deep
	InFull  []string `json:"in_full,omitempty"` // steps that were run in full
	Faults  []Fault  `json:"faults,omitempty"`
}

// Fault is a row, a record or a step that did not come out as it was.
type Fault struct {
	Table string   `json:"table"`
	Key   []string `json:"key,omitempty"`
	RowFault
}

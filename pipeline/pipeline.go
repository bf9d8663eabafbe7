package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// Digest is the SHA-256 of some bytes, in lower-case hexadecimal.
type Digest string

// Short gives the first twelve characters, for people.
func (d Digest) Short() string { return string(d[:min(12, len(d))]) }

// DigestOf hashes parts one by one, each with its length before it, so that
// no two different lists of parts give the same digest.
func DigestOf(parts ...string) Digest {
	h := sha256.New()
	for _, part := range parts {
		n := len(part)
		h.Write([]byte{byte(n >> 56), byte(n >> 48), byte(n >> 40), byte(n >> 32), byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
		h.Write([]byte(part))
	}
	return Digest(hex.EncodeToString(h.Sum(nil)))
}

// Pipeline is one pipeline as data: all that distinguishes mx from np.
type Pipeline struct {
	Name          string
	Title         map[string]string // by language
	Description   string
	Calendar      Calendar
	Schedule      *Schedule // nil: it runs by hand alone
	Sources       []Source  // by name
	Tables        []Table   // method.* and reference.*, by name
	Models        []Model   // by name
	Macros        []Macro   // by name
	MethodVersion string
	MethodText    []byte      // of the whole method file
	Examples      []string    // SQL over the marts, for newcomers to try
	Summary       []string    // SQL over the marts; its rows are printed after a run
	Adoption      *Adoption   // nil: the pipeline says nothing of it
	Allocation    *Allocation // nil: nor of a budget
	Comparison    *Comparison // nil: its snapshots cannot be compared
	Anchors       []Anchor
	Files         map[string][]byte // the YAML and SQL that it was loaded from, by path
}

// Adoption says how those that acted are compared with what the index says of
// them (METHODS 2.5). It enters no fingerprint: it is asked of a snapshot.
type Adoption struct {
	Mart       string            // name of the mart, without its schema
	Key        []string          // its key; of a list of those that acted, the first column must be known
	High       string            // SQL condition: the index speaks for acting
	Population string            // SQL condition: which rows are compared
	Warning    map[string]string // by language: what the figures do not prove
	Path       string            // file and line, for messages
}

// Allocation says how a budget is shared out by a snapshot (METHODS 1.9). It
// enters no fingerprint: it is asked of a snapshot.
type Allocation struct {
	SQL     string            // formula, unit, previous_amount, target_share, floor_amount, cap_amount
	Warning map[string]string // by language: what the formula rewards
	Path    string            // file and line, for messages
}

// Model gives the model of that name, or nil.
func (p *Pipeline) Model(name string) *Model {
	for i := range p.Models {
		if p.Models[i].Name == name {
			return &p.Models[i]
		}
	}
	return nil
}

// Marts lists the models that are published, by name.
func (p *Pipeline) Marts() []*Model {
	var marts []*Model
	for i := range p.Models {
		if p.Models[i].IsMart() {
			marts = append(marts, &p.Models[i])
		}
	}
	return marts
}

// Source is a source card: where a table's bytes come from, how they are
// read, and what they must hold.
type Source struct {
	Name, Title, Publisher, Licence, Citation, URL string

	Mirrors    []string // further addresses of the same files, in order
	Hosts      []string // further hosts that redirects may lead to
	Folder     string   // pattern of the folder where people put its files: its inbox
	Log        bool     // its records lie in a log of the store, not in files that somebody publishes
	Private    bool     // raw bytes stay out of the store
	PupilLevel bool     // METHODS 0, disclosure
	Required   bool     // without it there is no run
	DeadAfter  int      // days after which a source that fails counts as dead; 0: never
	History    int      // how many of its last good versions a run pins; 0: the present one alone
	Dead       string   // why a project has declared it dead; "" if it has not

	Parsing Parsing
	Gates   []Check // what a new version must pass; previous.<name> is the last good one
	Path    string  // of the card, for messages
}

// Table is the name of the raw table that the source makes.
func (s *Source) Table() string { return "raw." + s.Name }

// Online reports whether the source has an address that Tamiz may fetch.
func (s *Source) Online() bool { return strings.Contains(s.URL, "://") }

// Companions are the endings of the files that belong to each file of a
// source, under the same name: a shapefile is several files.
func (s *Source) Companions() []string {
	if slices.Contains(s.Parsing.Formats, "shapefile") {
		return []string{".dbf", ".prj", ".cpg"}
	}
	return nil
}

// Parsing is the part of a card that decides what a file's table looks like.
// It alone enters fingerprints: a new URL or licence recomputes nothing.
type Parsing struct {
	Formats    []string       `json:"formats"`           // csv, xlsx, xls, dbf, shapefile, dta, json
	Members    string         `json:"members,omitempty"` // pattern of the names that are read in a ZIP archive
	Sheets     []string       `json:"sheets,omitempty"`  // names of the sheet over the years
	JSONPath   string         `json:"json_path,omitempty"`
	Footer     []string       `json:"footer,omitempty"` // with which words the rows below the data begin
	Encodings  []string       `json:"encodings"`
	Expect     []string       `json:"expect"`
	Separator  string         `json:"separator"`
	HeaderRows int            `json:"header_rows"`
	SkipRows   int            `json:"skip_rows"`
	MaxBytes   int64          `json:"max_bytes"`
	MaxRecords int64          `json:"max_records"`
	MinRecords int64          `json:"min_records"`
	Columns    []SourceColumn `json:"columns"` // in the card's order
}

// SourceColumn maps one column of the file, under any of its titles over the
// years, to one column of the raw table.
type SourceColumn struct {
	Name        string   `json:"name"`
	Titles      []string `json:"titles"`
	Position    int      `json:"position,omitempty"` // 1-based, where titles repeat
	Optional    bool     `json:"optional,omitempty"`
	Min         *float64 `json:"min,omitempty"`
	Max         *float64 `json:"max,omitempty"`
	Description string   `json:"-"`

	Entry *EntryRule `json:"-"` // of a log: what a record may hold
}

// Table is a small constant table that people write in YAML: the method's
// weights and cut points, or a catalogue.
type Table struct {
	Name        string // method.x or reference.x
	Description string
	Columns     []TableColumn
	Rows        [][]string // SQL literals, by column
	Path        string
}

// TableColumn is a column of a constant table with its DuckDB type.
type TableColumn struct{ Name, Type, Description string }

// SQL gives the select that makes the table: a constant is a model without
// inputs.
func (t Table) SQL() string {
	var b strings.Builder
	b.WriteString("select * from (values\n")
	for i, row := range t.Rows {
		if i > 0 {
			b.WriteString(",\n")
		}
		b.WriteString("    (")
		for j, literal := range row {
			if j > 0 {
				b.WriteString(", ")
			}
			b.WriteString("cast(" + literal + " as " + t.Columns[j].Type + ")")
		}
		b.WriteString(")")
	}
	b.WriteString("\n) as constant_rows(")
	for i, column := range t.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(QuoteName(column.Name))
	}
	b.WriteString(")")
	return b.String()
}

// Macro is one SQL macro; a model's fingerprint holds the macros it mentions.
type Macro struct {
	Name, SQL string
	Path      string `json:"-"` // for messages, never in a fingerprint
}

// QuoteName quotes an SQL identifier.
func QuoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// QuoteTable quotes schema.table.
func QuoteTable(table string) string {
	schema, name, _ := strings.Cut(table, ".")
	return QuoteName(schema) + "." + QuoteName(name)
}

// QuoteText quotes an SQL string.
func QuoteText(text string) string { return `'` + strings.ReplaceAll(text, `'`, `''`) + `'` }

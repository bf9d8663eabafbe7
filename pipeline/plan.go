package pipeline

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Pin is one file that a source stands on in a run.
type Pin struct {
	Digest     Digest    `json:"digest"`
	Name       string    `json:"name"` // of the file, for people; never in a fingerprint
	Bytes      int64     `json:"bytes"`
	ObservedAt time.Time `json:"observed_at"`
	Carried    string    `json:"carried_forward,omitempty"` // why an older version is used
	Beside     []Beside  `json:"beside,omitempty"`          // the files that belong to it
}

// Beside is a file that belongs to another: the attributes of a shapefile.
type Beside struct {
	Ending string `json:"ending"` // such as .dbf
	Digest Digest `json:"digest"`
	Bytes  int64  `json:"bytes"`
}

// Identity is the digest of a pinned file together with what belongs to it.
func (p Pin) Identity() Digest { return Identity(p.Digest, p.Beside) }

// Identity is the digest of a file together with what belongs to it.
func Identity(file Digest, beside []Beside) Digest {
	if len(beside) == 0 {
		return file
	}
	parts := []string{string(file)}
	for _, other := range beside {
		parts = append(parts, other.Ending, string(other.Digest))
	}
	return DigestOf(parts...)
}

// Digests gives the digests of a pinned file and of what belongs to it.
func (p Pin) Digests() []Digest {
	digests := []Digest{p.Digest}
	for _, other := range p.Beside {
		digests = append(digests, other.Digest)
	}
	return digests
}

// SameFiles reports whether two lists of pins hold the same bytes.
func SameFiles(a, b []Pin) bool {
	return slices.EqualFunc(a, b, func(x, y Pin) bool { return x.Identity() == y.Identity() })
}

// Pins is what a run stands on; from there on all is pure.
type Pins struct {
	PeriodEnd string           `json:"period_end"`
	AsOf      string           `json:"as_of"`
	Synthetic bool             `json:"synthetic,omitempty"` // what is made of it says so
	Sources   map[string][]Pin `json:"sources"`             // each list sorted by digest
	Previous  *Previous        `json:"previous,omitempty"`

	Vintages map[string][]Vintage `json:"vintages,omitempty"` // of sources with a history, by day
}

// Versions gives all versions of a source that a run stands on: the present
// one, then those of its history.
func (p *Pins) Versions(source string) [][]Pin {
	versions := [][]Pin{p.Sources[source]}
	for _, vintage := range p.Vintages[source] {
		versions = append(versions, vintage.Files)
	}
	return versions
}

// Previous is the snapshot that a run is compared with; only checks read it.
type Previous struct {
	Snapshot string            `json:"snapshot"`
	Manifest Digest            `json:"manifest"`
	Marts    map[string]Digest `json:"marts"` // mart → digest of its file
	Made     map[string]Digest `json:"made"`  // mart → fingerprint of the step that made it
	Paths    map[string]string `json:"-"`     // mart → where its file lies now
}

// Binding is what reading all SQL without data tells; transform makes it.
type Binding struct {
	Order       []string            // models, inputs first
	Inputs      map[string][]string // model → the tables that it reads
	CheckInputs map[string][]string // model → the tables that its checks read
	Columns     map[string][]Column // table → its columns with types
	Macros      map[string][]Macro  // model → the macros that it needs
	CheckMacros map[string][]Macro  // model, or raw table of a source → the macros that its checks need
	Aside       []string            // models that set rows aside

	Lineage ColumnLineage `json:"-"` // large, and seldom wanted: kept in a file of its own
}

// SetsAside reports whether a model sets rows aside.
func (b *Binding) SetsAside(model string) bool { return slices.Contains(b.Aside, model) }

// Apply writes the types of columns into the models' descriptions.
func (b *Binding) Apply(p *Pipeline) {
	for i := range p.Models {
		types := map[string]string{}
		for _, column := range b.Columns[p.Models[i].Name] {
			types[column.Name] = column.Type
		}
		for j := range p.Models[i].Columns {
			p.Models[i].Columns[j].Type = types[p.Models[i].Columns[j].Name]
		}
	}
}

// SourceText is everything that a binding is made of, for its fingerprint:
// binding is a step too, pure like the others.
func (p *Pipeline) SourceText() Digest {
	parts := []string{}
	for _, source := range p.Sources {
		parts = append(parts, source.Name, canonical(source.Parsing), canonical(source.Gates), strconv.FormatBool(source.History > 0))
	}
	for _, table := range p.Tables {
		parts = append(parts, table.Name, table.SQL())
	}
	for _, macro := range p.Macros {
		parts = append(parts, macro.SQL)
	}
	for _, model := range p.Models {
		parts = append(parts, model.Name, model.SQL, canonical(model.Transform), model.DocText)
	}
	return DigestOf(parts...)
}

// Plan is the graph of steps of one run, inputs first.
type Plan struct {
	Pipeline *Pipeline
	Pins     Pins
	Steps    []*Step
	byTable  map[string][]*Step
}

// Engines names, for each kind of step, what runs it: its version is part of
// the fingerprint.
type Engines map[StepKind]string

// NewPlan builds the graph and its fingerprints.
func NewPlan(p *Pipeline, binding *Binding, pins Pins, engines Engines) *Plan {
	plan := &Plan{Pipeline: p, Pins: pins, byTable: map[string][]*Step{}}
	for i := range p.Sources {
		plan.addReads(&p.Sources[i], pins.Sources[p.Sources[i].Name], engines)
		if p.Sources[i].History > 0 {
			plan.addHistory(&p.Sources[i], pins, engines)
		}
	}
	for _, table := range append([]Table{RunTable(p, pins)}, p.Tables...) {
		plan.addTable(table.Name, table.SQL(), engines)
	}
	for _, name := range binding.Order {
		plan.addModel(p.Model(name), binding, engines)
	}
	for _, name := range binding.Order {
		plan.addChecks(p.Model(name), binding, engines)
	}
	return plan
}

// RunTable is raw.run: the run's dates, as data.
func RunTable(p *Pipeline, pins Pins) Table {
	return Table{Name: "raw.run",
		Columns: []TableColumn{{Name: "pipeline", Type: "VARCHAR"}, {Name: "period_end", Type: "DATE"}, {Name: "as_of_date", Type: "DATE"}},
		Rows:    [][]string{{QuoteText(p.Name), QuoteText(pins.PeriodEnd), QuoteText(pins.AsOf)}}}
}

func (plan *Plan) add(step *Step) {
	if step.Label == "" {
		step.Label = step.Table
	}
	step.seal()
	plan.Steps = append(plan.Steps, step)
	if step.Kind != StepCheck {
		plan.byTable[step.Table] = append(plan.byTable[step.Table], step)
	}
}

// addTable adds a constant table.
func (plan *Plan) addTable(table, sql string, engines Engines) {
	plan.add(&Step{Kind: StepTable, Table: table, SQL: sql,
		Parts: map[string]Digest{"program": DigestOf(sql), "engine": DigestOf(engines[StepTable])}})
}

// addReads adds a step for each pinned file. A source without files is an
// empty table, which is a constant.
func (plan *Plan) addReads(source *Source, pins []Pin, engines Engines) {
	for _, step := range readSteps(source, pins, engines) {
		plan.add(step)
	}
	if len(pins) == 0 {
		plan.addTable(source.Table(), EmptyRawSQL(source), engines)
	}
}

// readSteps makes the steps that read a version of a source.
func readSteps(source *Source, pins []Pin, engines Engines) []*Step {
	table := source.Table()
	parsing := canonical(source.Parsing)
	steps := make([]*Step, len(pins))
	for i, pin := range pins {
		steps[i] = &Step{Kind: StepRead, Table: table, Source: source, Raw: pin.Digest, Beside: pin.Beside, File: pin.Name,
			Label: table, Parts: map[string]Digest{
				"file": pin.Identity(), "card": DigestOf(parsing), "engine": DigestOf(engines[StepRead]),
			}}
		if len(pins) > 1 {
			steps[i].Label = fmt.Sprintf("%s (%d of %d)", table, i+1, len(pins))
		}
	}
	return steps
}

// RawColumns lists the columns of a source's raw table: those of the card,
// then the digest of the file, the part of it (a member of an archive, a sheet
// of a workbook), the number of the record in the file, and its line or row.
func RawColumns(source *Source) []Column {
	var columns []Column
	for _, column := range source.Parsing.Columns {
		columns = append(columns, Column{Name: column.Name, Type: "VARCHAR", Description: column.Description})
	}
	return append(columns,
		Column{Name: "_file", Type: "VARCHAR", Description: "SHA-256 of the raw file"},
		Column{Name: "_part", Type: "VARCHAR", Description: "Member of the archive and sheet of the workbook; empty for a plain file"},
		Column{Name: "_record", Type: "BIGINT", Description: "Number of the record in the file, from 1"},
		Column{Name: "_line", Type: "BIGINT", Description: "Line of the text, or row of the sheet, where the record begins"})
}

// EmptyRawSQL is the select of a raw table without rows.
func EmptyRawSQL(source *Source) string {
	var list []string
	for _, column := range RawColumns(source) {
		list = append(list, "cast(null as "+column.Type+") as "+QuoteName(column.Name))
	}
	return "select " + strings.Join(list, ", ") + " where false"
}

func (plan *Plan) inputs(tables []string) []StepInput {
	var inputs []StepInput
	for _, table := range tables {
		inputs = append(inputs, StepInput{Table: table, Steps: plan.byTable[table]})
	}
	return inputs
}

func (plan *Plan) addModel(model *Model, binding *Binding, engines Engines) {
	params := struct {
		Key    []string
		Rows   RowRule
		Macros []Macro
	}{model.Key, model.Rows, binding.Macros[model.Name]}
	kind, program := StepModel, DigestOf(model.SQL)
	if model.Transform != nil {
		kind, program = StepGo, DigestOf(canonical(model.Transform))
	}
	step := &Step{Kind: kind, Table: model.Name, Model: model, SQL: model.SQL,
		Macros: binding.Macros[model.Name], SetsAside: binding.SetsAside(model.Name), Inputs: plan.inputs(binding.Inputs[model.Name]),
		Parts: map[string]Digest{
			"program": program, "parameters": DigestOf(canonical(params)), "engine": DigestOf(engines[kind]),
		}}
	if model.IsMart() { // its texts stand in its file
		step.Parts["texts"] = DigestOf(model.DocText, strconv.FormatBool(plan.Pins.Synthetic))
		step.Synthetic = plan.Pins.Synthetic
	}
	plan.add(step)
}

// addChecks adds one step for the checks of the present, and one for those
// that compare with the previous snapshot, if there is one and the model is
// not what it was there.
func (plan *Plan) addChecks(model *Model, binding *Binding, engines Engines) {
	for _, previous := range []bool{false, true} {
		var checks []Check
		for _, check := range model.Checks {
			if check.Previous == previous {
				checks = append(checks, check)
			}
		}
		if len(checks) == 0 || (previous && !plan.moved(model)) {
			continue
		}
		step := &Step{Kind: StepCheck, Table: model.Name, Label: "check " + model.Name, Model: model, Checks: checks,
			Macros: binding.CheckMacros[model.Name], Inputs: plan.inputs(binding.CheckInputs[model.Name]),
			Parts: map[string]Digest{"program": DigestOf(canonical(checks), canonical(binding.CheckMacros[model.Name])), "engine": DigestOf(engines[StepCheck])}}
		if previous {
			step.Label += " against " + plan.Pins.Previous.Snapshot
			ok := true
			for _, table := range previousTables(checks) {
				digest, known := plan.Pins.Previous.Marts[table]
				ok = ok && known
				step.Inputs = append(step.Inputs, StepInput{Table: "previous." + table, Outside: plan.Pins.Previous.Paths[table], Digest: digest})
			}
			if !ok { // a new mart has nothing to be compared with
				continue
			}
		}
		plan.add(step)
	}
}

// moved reports whether a model is something else than in the previous
// snapshot, so that comparing means something.
func (plan *Plan) moved(model *Model) bool {
	previous := plan.Pins.Previous
	return previous != nil && previous.Made[model.Base()] != plan.byTable[model.Name][0].Fingerprint
}

// previousTables lists the marts of the previous snapshot that checks name.
func previousTables(checks []Check) []string {
	seen := map[string]bool{}
	for _, check := range checks {
		for _, rest := range strings.Split(check.SQL, "previous.")[1:] {
			end := strings.IndexFunc(rest, func(r rune) bool {
				return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
			})
			if end < 0 {
				end = len(rest)
			}
			seen[rest[:end]] = true
		}
	}
	return sortedKeys(seen)
}

// Table gives the steps that make a table.
func (plan *Plan) Table(name string) []*Step { return plan.byTable[name] }

func sortedKeys[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

package pipeline

// MadeStep is what a snapshot tells of a step that its marts stand on: of what
// it was made, and what came out. It holds no time and no place, so that equal
// runs tell the same.
type MadeStep struct {
	Step        string            `json:"step"`
	Kind        StepKind          `json:"kind"`
	Fingerprint Digest            `json:"fingerprint"`
	Parts       map[string]Digest `json:"parts"`
	Rows        int64             `json:"rows"`
	Aside       int64             `json:"rows_set_aside"`
	Digests     map[string]Digest `json:"sha256"` // file of the result → digest of its bytes
}

// MadeSteps is the file of a snapshot that lists them, inputs first.
type MadeSteps struct {
	Format string     `json:"format"`
	Steps  []MadeStep `json:"steps"`
}

// Names of that file, and of its form.
const (
	MadeFile   = "steps.json"
	MadeFormat = "tamiz-steps/1"
)

// Behind gives the steps that targets stand on and the targets themselves,
// inputs first.
func (plan *Plan) Behind(targets []*Step) []*Step {
	behind := map[*Step]bool{}
	for _, step := range targets {
		behind[step] = true
	}
	for i := len(plan.Steps) - 1; i >= 0; i-- {
		if !behind[plan.Steps[i]] {
			continue
		}
		for _, input := range plan.Steps[i].Inputs {
			for _, parent := range input.Steps {
				behind[parent] = true
			}
		}
	}
	var steps []*Step
	for _, step := range plan.Steps {
		if behind[step] {
			steps = append(steps, step)
		}
	}
	return steps
}

// Marts gives the steps that make what is published.
func (plan *Plan) Marts() []*Step {
	var steps []*Step
	for _, mart := range plan.Pipeline.Marts() {
		steps = append(steps, plan.Table(mart.Name)...)
	}
	return steps
}

// Made reads from a warehouse what came of steps, all of which must be there.
func (w *Warehouse) Made(steps []*Step) (MadeSteps, error) {
	made := MadeSteps{Format: MadeFormat, Steps: []MadeStep{}}
	for _, step := range steps {
		record, err := w.Record(step.Fingerprint)
		if err != nil {
			return made, err
		}
		made.Steps = append(made.Steps, MadeStep{Step: step.Label, Kind: step.Kind, Fingerprint: step.Fingerprint, Parts: step.Parts,
			Rows: record.Rows, Aside: record.Aside, Digests: record.Digests})
	}
	return made, nil
}

// TableDifference says how two files of one table differ, value by value.
type TableDifference struct {
	Shape      string             `json:"shape,omitempty"` // other columns or types: then only common columns were compared
	Added      []Column           `json:"columns_added,omitempty"`
	Removed    []Column           `json:"columns_removed,omitempty"`
	Retyped    []RetypedColumn    `json:"columns_retyped,omitempty"` // compared as text
	OnlyBefore int64              `json:"rows_only_before"`
	OnlyAfter  int64              `json:"rows_only_after"`
	Changed    int64              `json:"rows_changed"` // of those on both sides
	Columns    []ColumnDifference `json:"columns"`      // that differ by more than the tolerance
	Largest    float64            `json:"largest"`      // difference of two figures that counts as none, of the larger one or of 1
}

// RetypedColumn is a column whose values are of another type.
type RetypedColumn struct {
	Column string `json:"column"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// ColumnDifference is a column with values that are not the same.
type ColumnDifference struct {
	Column string `json:"column"`
	Rows   int64  `json:"rows"`
	Key    string `json:"key"` // of the first such row
	Before string `json:"before"`
	After  string `json:"after"`
}

// IsNone reports whether the two hold the same, figures within the tolerance.
func (d *TableDifference) IsNone() bool {
	return d.Shape == "" && d.OnlyBefore == 0 && d.OnlyAfter == 0 && len(d.Columns) == 0
}

// Movement says how a figure of a table moved from one file of it to another.
type Movement struct {
	Column     string    `json:"column"`
	Unit       string    `json:"unit,omitempty"`
	Both       int64     `json:"known_on_both_sides"` // rows
	Moved      int64     `json:"moved"`               // of them
	MeanBefore *float64  `json:"mean_before"`         // over the rows that are known before; nil: none is
	MeanAfter  *float64  `json:"mean_after"`          // over those known after
	Quantiles  []float64 `json:"quantiles"`           // of the change where both sides are known, at [MovementQuantiles]; none: no row is
	Movers     []Mover   `json:"movers"`              // that moved furthest, the furthest first
}

// MovementQuantiles are the probabilities of a movement's quantiles.
var MovementQuantiles = []float64{0, 0.05, 0.25, 0.5, 0.75, 0.95, 1}

// Mover is a row whose figure moved.
type Mover struct {
	Key    []string `json:"key"`
	Before float64  `json:"before"`
	After  float64  `json:"after"`
}

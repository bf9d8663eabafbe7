package pipeline

import "context"

// TraceTask asks which rows of a model's inputs make some rows of its output,
// and whether the model, run again on those rows alone, makes the same rows.
type TraceTask struct {
	Task          // the step with its inputs; nothing is written into Dir
	Output string // Parquet file that holds the rows
	Keys   [][]*string

	// Together has the model run once, on the rows that make any of the rows.
	// It is quicker, and proves that what was traced is enough for all of them;
	// one by one, the rows prove the trace itself.
	Together bool

	// Found, if it is not nil, is told the answer as soon as the rows are found
	// and before any is proved: without faults.
	Found func(*Traced)
}

// Traced is the answer to a [TraceTask]. All values are text as DuckDB writes
// it, nil for NULL.
type Traced struct {
	Columns []string
	Inputs  map[string][]string // traced input → its columns
	Rows    []TracedRow         // by the task's keys
}

// TracedRow is one row with those that make it. A row that is not there has no
// Values.
type TracedRow struct {
	Values []*string
	Inputs map[string][][]*string // input traced by key or group → its rows
	Fault  *TraceFault            // nil if the row came out identical, or was not run again
}

// TraceFault says how a row differs that was made again on its traced rows
// alone: the trace is insufficient, or the row is not what the step makes.
type TraceFault struct {
	Problem string   `json:"problem"`
	Columns []string `json:"columns"` // that differ; none if no row, or more than one, came out
	Want    string   `json:"expected"`
	Found   string   `json:"found"`
}

// Tracer traces rows, and proves them by running the model again. A row of a
// model of which an input is traced as whole is not run again.
type Tracer interface {
	Trace(ctx context.Context, task TraceTask) (*Traced, error)
	// Table gives all rows of a small table that lies in these files.
	Table(ctx context.Context, files []string) (columns []string, rows [][]*string, err error)
}

// RawRecord is one record of a raw file, read again from its bytes.
type RawRecord struct {
	Number int64  // in the file, from 1
	Line   int64  // of the text, or row of the sheet
	Part   string // member of the archive and sheet
	Text   string // the record as it stands in a text file, decoded; "" in other formats
	Titles []string
	Cells  []string  // all of them, whether the card names them or not
	Values []*string // of the card's columns, in its order; nil for a column that the file does not have
}

// RecordReader reads records of a raw file again.
type RecordReader interface {
	// Records gives the records of these numbers, in that order, which must
	// rise. The task is that of a step of kind read; Dir is a folder for what
	// lives no longer than the reading. Places is the [PlacesFile] that a reading
	// of the whole file has left; without it, or if it is "", all that stands
	// before the records is read. The records themselves come from the raw bytes
	// either way, whose digest is compared first.
	Records(ctx context.Context, task Task, places string, numbers []int64) ([]RawRecord, error)
}

// ReproducedWhole reports whether a model has an input that is traced as
// whole, so that only running it in full proves it.
func (m *Model) ReproducedWhole() bool {
	for _, trace := range m.Trace {
		if trace.Kind == TraceWhole {
			return true
		}
	}
	return false
}

// IsRead reports whether a table of a plan holds records of raw files.
func (plan *Plan) IsRead(table string) bool {
	steps := plan.byTable[table]
	return len(steps) > 0 && steps[0].Kind == StepRead
}

package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"time"
)

// Verdict is what came of a run.
type Verdict string

// The verdicts of a run.
const (
	Published  Verdict = "published"
	NothingNew Verdict = "nothing new"
	Held       Verdict = "held"
	FailedRun  Verdict = "failed"
	Partial    Verdict = "not published" // a selection was run
)

// RunRecord is what is kept of a run.
type RunRecord struct {
	ID         string            `json:"run"`
	Pipeline   string            `json:"pipeline"`
	StartedAt  time.Time         `json:"started_at"`
	FinishedAt time.Time         `json:"finished_at"`
	Verdict    Verdict           `json:"verdict"`
	Reason     string            `json:"reason,omitempty"`
	Because    Sentence          `json:"because,omitzero"`     // the reason, to be said in any language
	Period     string            `json:"period_end,omitempty"` // for which it ran
	DueAt      time.Time         `json:"due_at,omitzero"`      // of a run of the schedule
	Holds      []Hold            `json:"holds,omitempty"`      // what a person must decide about
	Causes     []Cause           `json:"causes,omitempty"`     // what a result in question comes from
	Snapshot   string            `json:"snapshot,omitempty"`
	Tamiz      string            `json:"tamiz"`
	DuckDB     string            `json:"duckdb"`
	Platform   map[string]string `json:"platform"`
	PeakMemory int64             `json:"peak_memory_bytes"`
	Workers    int               `json:"workers"`
	Sources    []SourceRecord    `json:"sources"`
	Steps      []StepRecord      `json:"steps"`
}

// Hold is one reason why a run was held.
type Hold struct {
	Kind       string   `json:"kind"`             // gate, promise, dead source, damaged, withdrawn
	Gate       string   `json:"gate,omitempty"`   // table.name of the check
	Source     string   `json:"source,omitempty"` // that it is about
	Because    Sentence `json:"because"`
	Details    string   `json:"details,omitempty"` // the first offending rows, or the whole message
	Approvable bool     `json:"approvable"`        // a person may let it pass
}

// Cause says how much of a result in question comes from one source, from the
// method or from the models.
type Cause struct {
	Group   string `json:"group"`            // sources, method or models
	Source  string `json:"source,omitempty"` // of sources: which
	Changed int    `json:"changed"`          // units that its new version alone changes
}

// The kinds of holds.
const (
	HoldGate      = "gate"        // a question about the result
	HoldPromise   = "promise"     // the data break a promise: somebody must mend it
	HoldDead      = "dead source" // a required source has failed for too long
	HoldDamaged   = "damaged"     // raw bytes that it stands on are not what they were
	HoldWithdrawn = "withdrawn"   // it is what was withdrawn before
	HoldSchema    = "schema"      // a published table would lose what its readers rely on
)

// SourceRecord says how a source stood in a run.
type SourceRecord struct {
	Source  string    `json:"source"`
	State   string    `json:"state"`             // good, carried forward, left out, dead, never fetched
	Cause   string    `json:"cause,omitempty"`   // down, refused, rejected
	Problem string    `json:"problem,omitempty"` // in one line
	Effect  string    `json:"effect,omitempty"`
	Message string    `json:"message,omitempty"` // all of it: where, what was expected, what to do
	Since   time.Time `json:"failing_since,omitzero"`
	Days    int       `json:"failing_days,omitempty"`
	Notes   []string  `json:"notes,omitempty"` // where it came from, and what reading it showed
	Pins    []Pin     `json:"files"`
}

// StepRecord is one step of a run, whether it ran or was up to date.
type StepRecord struct {
	Step        string            `json:"step"`
	Kind        StepKind          `json:"kind"`
	Fingerprint Digest            `json:"fingerprint"`
	Parts       map[string]Digest `json:"parts"`
	Ran         bool              `json:"ran"`
	Reason      string            `json:"reason,omitempty"`
	RowsIn      map[string]int64  `json:"rows_in,omitempty"`
	Rows        int64             `json:"rows"`
	Aside       int64             `json:"rows_set_aside"`
	Seconds     float64           `json:"seconds,omitempty"`
	Checks      []CheckResult     `json:"checks,omitempty"`
}

// Names of the files of a run.
const (
	RunPinsFile   = "inputs.json" // what it stands on
	RunRecordFile = "run.json"    // what came of it
)

// Runs is the folder in which the runs of one pipeline are kept.
type Runs struct{ dir string }

// OpenRuns gives the runs of a pipeline in a warehouse.
func (w *Warehouse) OpenRuns(pipeline string) Runs {
	return Runs{dir: filepath.Join(w.dir, pipeline, "runs")}
}

// Dir is the folder of one run.
func (r Runs) Dir(id string) string { return filepath.Join(r.dir, id) }

// WritePins keeps what a run stands on, before anything else happens.
func (r Runs) WritePins(id string, pins Pins) error {
	return r.write(id, RunPinsFile, pins)
}

// WriteRecord keeps what came of a run.
func (r Runs) WriteRecord(record *RunRecord) error {
	return r.write(record.ID, RunRecordFile, record)
}

func (r Runs) write(id, name string, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return WriteFile(filepath.Join(r.dir, id, name), append(text, '\n'))
}

// IDs lists the runs, the oldest first.
func (r Runs) IDs() ([]string, error) {
	entries, err := os.ReadDir(r.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	var ids []string
	for _, entry := range entries {
		if entry.IsDir() {
			ids = append(ids, entry.Name())
		}
	}
	sort.Strings(ids)
	return ids, nil
}

// Record reads one run's record; fs.ErrNotExist if it was interrupted.
func (r Runs) Record(id string) (*RunRecord, error) {
	var record RunRecord
	return &record, r.read(id, RunRecordFile, &record)
}

// LastPins reads what the latest run stood on, nil if there was none.
func (r Runs) LastPins() (*Pins, error) {
	ids, err := r.IDs()
	if err != nil {
		return nil, err
	}
	for i := len(ids) - 1; i >= 0; i-- {
		var pins Pins
		err := r.read(ids[i], RunPinsFile, &pins)
		if err == nil {
			return &pins, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return nil, nil
}

// LastGood reads what the latest run stood on that published, or found
// nothing new: its versions were accepted. It is nil if there was none.
func (r Runs) LastGood() (*Pins, error) {
	ids, err := r.IDs()
	if err != nil {
		return nil, err
	}
	for i := len(ids) - 1; i >= 0; i-- {
		record, err := r.Record(ids[i])
		if errors.Is(err, fs.ErrNotExist) || err == nil && record.Verdict != Published && record.Verdict != NothingNew {
			continue
		}
		if err != nil {
			return nil, err
		}
		var pins Pins
		if err := r.read(ids[i], RunPinsFile, &pins); !errors.Is(err, fs.ErrNotExist) { // else its period was settled before it looked
			return &pins, err
		}
	}
	return nil, nil
}

// LastParts gives, by step, the parts of the fingerprints of the latest run
// that was not interrupted.
func (r Runs) LastParts() (map[string]map[string]Digest, error) {
	ids, err := r.IDs()
	if err != nil {
		return nil, err
	}
	parts := map[string]map[string]Digest{}
	for i := len(ids) - 1; i >= 0; i-- {
		record, err := r.Record(ids[i])
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if len(record.Steps) == 0 { // it only looked at the sources
			continue
		}
		for _, step := range record.Steps {
			parts[step.Step] = step.Parts
		}
		return parts, nil
	}
	return parts, nil
}

func (r Runs) read(id, name string, target any) error {
	text, err := os.ReadFile(filepath.Join(r.dir, id, name))
	if err != nil {
		return fmt.Errorf("read run %s: %w", id, err)
	}
	if err := json.Unmarshal(text, target); err != nil {
		return fmt.Errorf("read %s of run %s: %w", name, id, err)
	}
	return nil
}

package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Pruning says what stays in a warehouse. Nothing in it is needed for ever:
// an artifact that is gone is computed again from the raw bytes, which pruning
// never touches.
type Pruning struct {
	Runs    int                 // of each pipeline, the last so many keep their records and artifacts; 2 at least
	Waiting map[string][]string // by pipeline: runs that wait for a decision
	Now     time.Time           // what is younger than a day stays: somebody may be at work with it
	DryRun  bool                // only say what would go
}

// Pruned says what went, or would go.
type Pruned struct {
	Artifacts int      `json:"artifacts"`
	Runs      []string `json:"runs"` // as pipeline/run
	Bytes     int64    `json:"bytes"`
}

// youngFor is how long an artifact stays that no kept run names.
const youngFor = 24 * time.Hour

// Prune removes the runs that no longer count, and the artifacts that none of
// the others names. The last run that was accepted, the last with pins and the
// last that was finished always stay. Only who holds the lock of the warehouse
// may call it.
func (w *Warehouse) Prune(rule Pruning) (Pruned, error) {
	result := Pruned{Runs: []string{}}
	names, err := w.pipelines()
	if err != nil {
		return result, err
	}
	roots := map[Digest]bool{}
	for _, name := range names {
		runs := w.OpenRuns(name)
		ids, err := runs.IDs()
		if err != nil {
			return result, err
		}
		stays, err := runs.staying(ids, rule.Runs, rule.Waiting[name])
		if err != nil {
			return result, err
		}
		for _, id := range ids {
			if !stays[id] {
				result.Runs = append(result.Runs, name+"/"+id)
				if err := w.discard(runs.Dir(id), rule.DryRun, &result.Bytes); err != nil {
					return result, err
				}
				continue
			}
			record, err := runs.Record(id)
			if err != nil && !errors.Is(err, fs.ErrNotExist) { // else it was interrupted
				return result, err
			}
			for _, step := range record.Steps {
				roots[step.Fingerprint] = true
			}
			if err := runs.pinnedFiles(id, roots); err != nil {
				return result, err
			}
		}
	}
	return result, w.pruneArtifacts(roots, rule, &result)
}

// pipelines lists those that have runs here.
func (w *Warehouse) pipelines() ([]string, error) {
	folders, err := filepath.Glob(filepath.Join(w.dir, "*", "runs"))
	if err != nil {
		return nil, fmt.Errorf("list the pipelines of the warehouse: %w", err)
	}
	for i, folder := range folders {
		folders[i] = filepath.Base(filepath.Dir(folder))
	}
	return folders, nil
}

// staying chooses the runs that stay.
func (r Runs) staying(ids []string, keep int, waiting []string) (map[string]bool, error) {
	stays := map[string]bool{}
	for i, id := range ids {
		if i >= len(ids)-max(keep, 2) || slices.Contains(waiting, id) {
			stays[id] = true
		}
	}
	var accepted, pinned, finished bool
	for i := len(ids) - 1; i >= 0 && !(accepted && pinned && finished); i-- {
		record, err := r.Record(ids[i])
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		last := func(found *bool, is bool) {
			if is && !*found {
				*found, stays[ids[i]] = true, true
			}
		}
		last(&finished, err == nil && len(record.Steps) > 0)
		last(&accepted, err == nil && (record.Verdict == Published || record.Verdict == NothingNew))
		_, err = os.Stat(filepath.Join(r.Dir(ids[i]), RunPinsFile))
		last(&pinned, err == nil)
	}
	return stays, nil
}

// pinnedFiles adds the files that a run stands on: a look at the sources, which
// makes no mart, has read them for the next run.
func (r Runs) pinnedFiles(id string, roots map[Digest]bool) error {
	var pins Pins
	if err := r.read(id, RunPinsFile, &pins); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	for source := range pins.Sources {
		for _, version := range pins.Versions(source) {
			for _, pin := range version {
				roots[pin.Identity()] = true
			}
		}
	}
	return nil
}

// pruneArtifacts removes the artifacts that are neither roots nor young, nor
// what a root was read into.
func (w *Warehouse) pruneArtifacts(roots map[Digest]bool, rule Pruning, result *Pruned) error {
	dirs, err := filepath.Glob(filepath.Join(w.dir, "artifacts", "??", "*"))
	if err != nil {
		return fmt.Errorf("list the artifacts: %w", err)
	}
	for _, dir := range dirs {
		if roots[Digest(filepath.Base(dir))] {
			continue
		}
		record, finishedAt := recordIn(dir)
		if record.Kind == StepRead && roots[record.Parts["file"]] || rule.Now.Sub(finishedAt) < youngFor {
			continue
		}
		result.Artifacts++
		if err := w.discard(dir, rule.DryRun, &result.Bytes); err != nil {
			return err
		}
	}
	return nil
}

// recordIn reads the record of an artifact, and when it was made, as far as
// can be told.
func recordIn(dir string) (record Record, finishedAt time.Time) {
	text, err := os.ReadFile(filepath.Join(dir, recordFile))
	if err == nil && json.Unmarshal(text, &record) == nil && !record.FinishedAt.IsZero() {
		return record, record.FinishedAt
	}
	if info, err := os.Stat(dir); err == nil {
		finishedAt = info.ModTime()
	}
	return record, finishedAt
}

// discard moves a folder aside before it removes it, so that it is there whole
// or not at all, and adds up its bytes.
func (w *Warehouse) discard(dir string, dryRun bool, bytes *int64) error {
	err := filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			*bytes += info.Size()
		}
		return err
	})
	if err == nil && !dryRun {
		aside := filepath.Join(w.dir, "tmp", "pruned-"+filepath.Base(dir))
		if err = os.Rename(dir, aside); err == nil {
			err = os.RemoveAll(aside)
		}
	}
	if err != nil {
		return &Error{Kind: Storage, Problem: "remove what the warehouse no longer needs", Err: err}
	}
	return nil
}

package pipeline_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tamiz/pipeline"
)

// TestPrune_KeepsWhatCounts makes runs, one a day, each with an artifact of
// its own and one that all share, and prunes.
func TestPrune_KeepsWhatCounts(t *testing.T) {
	first := time.Date(2026, 1, 1, 6, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name     string
		verdicts string // a letter a run: p published, h held, i interrupted after its pins, f failed before them
		waiting  []string
		want     string // days of the runs that stay
	}{
		{"the last two", "ppppp", nil, "04 05"},
		{"and the last that was accepted", "pphhh", nil, "02 04 05"},
		{"and the last with pins and with steps", "hpfff", nil, "02 04 05"},
		{"and one that waits", "phppp", []string{"02"}, "02 04 05"},
		{"an interrupted one is no reason to forget the one before", "ppiii", nil, "02 04 05"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w, err := pipeline.OpenWarehouse(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			runs := w.OpenRuns("mx")
			shared := pipeline.DigestOf("shared")
			artifact(t, w, shared, first)
			for i, letter := range test.verdicts {
				at := first.AddDate(0, 0, i)
				id := at.Format("20060102T150405.000")
				own := pipeline.DigestOf(id)
				artifact(t, w, own, at)
				record := &pipeline.RunRecord{ID: id, Pipeline: "mx", Verdict: map[rune]pipeline.Verdict{'p': pipeline.Published, 'h': pipeline.Held, 'f': pipeline.FailedRun}[letter]}
				if letter != 'f' {
					record.Steps = []pipeline.StepRecord{{Step: "a", Fingerprint: own}, {Step: "b", Fingerprint: shared}}
					if err := runs.WritePins(id, pipeline.Pins{}); err != nil {
						t.Fatal(err)
					}
				}
				if letter != 'i' {
					if err := runs.WriteRecord(record); err != nil {
						t.Fatal(err)
					}
				}
			}
			rule := pipeline.Pruning{Runs: 2, Now: first.AddDate(0, 0, 30), Waiting: map[string][]string{}, DryRun: true}
			for _, day := range test.waiting {
				rule.Waiting["mx"] = append(rule.Waiting["mx"], "202601"+day+"T060000.000")
			}
			promised, err := w.Prune(rule)
			if err != nil {
				t.Fatal(err)
			}
			if ids, _ := runs.IDs(); len(ids) != len(test.verdicts) {
				t.Errorf("a dry run removed runs: %v are left", ids)
			}
			rule.DryRun = false
			done, err := w.Prune(rule)
			if err != nil {
				t.Fatal(err)
			}
			if done.Artifacts != promised.Artifacts || done.Bytes != promised.Bytes || !slices.Equal(done.Runs, promised.Runs) {
				t.Errorf("the dry run promised %+v, but %+v was done", promised, done)
			}
			ids, err := runs.IDs()
			if err != nil {
				t.Fatal(err)
			}
			var days []string
			for _, id := range ids {
				days = append(days, id[6:8])
				record, err := runs.Record(id)
				if err == nil && len(record.Steps) > 0 && !w.Has(record.Steps[0].Fingerprint) {
					t.Errorf("the artifact of run %s, which stays, is gone", id)
				}
			}
			if got := strings.Join(days, " "); got != test.want {
				t.Errorf("runs that stay: got %s, want %s", got, test.want)
			}
			if !w.Has(shared) {
				t.Error("the artifact that all runs share is gone")
			}
			if again, err := w.Prune(rule); err != nil || again.Artifacts+len(again.Runs) > 0 {
				t.Errorf("a second pruning: got %+v, %v, want nothing to do", again, err)
			}
		})
	}
}

// artifact puts a small artifact into the warehouse.
func artifact(t *testing.T, w *pipeline.Warehouse, fingerprint pipeline.Digest, at time.Time) {
	t.Helper()
	scratch, err := w.Scratch(pipeline.StepModel)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(scratch, pipeline.TableFile), []byte(fingerprint), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := w.Keep(scratch, &pipeline.Record{Kind: pipeline.StepModel, Fingerprint: fingerprint, FinishedAt: at}); err != nil {
		t.Fatal(err)
	}
}

// TestPrune_LeavesWhatWasReadForTheNextRun has a look at the sources, which
// names no steps, but has read a new file.
func TestPrune_LeavesWhatWasReadForTheNextRun(t *testing.T) {
	now := time.Date(2026, 1, 10, 6, 0, 0, 0, time.UTC)
	w, err := pipeline.OpenWarehouse(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	pin := pipeline.Pin{Digest: pipeline.DigestOf("a new file")}
	if err := w.OpenRuns("mx").WritePins("20260108T060000.000", pipeline.Pins{Sources: map[string][]pipeline.Pin{"deaths": {pin}}}); err != nil {
		t.Fatal(err)
	}
	kept := map[string]pipeline.Digest{"read": pin.Identity(), "gone": pipeline.DigestOf("an older file")}
	for name, file := range kept {
		scratch, err := w.Scratch(pipeline.StepRead)
		if err != nil {
			t.Fatal(err)
		}
		record := &pipeline.Record{Kind: pipeline.StepRead, Fingerprint: pipeline.DigestOf(name), Parts: map[string]pipeline.Digest{"file": file}, FinishedAt: now.AddDate(0, 0, -2)}
		if err := w.Keep(scratch, record); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Prune(pipeline.Pruning{Runs: 2, Now: now}); err != nil {
		t.Fatal(err)
	}
	if !w.Has(pipeline.DigestOf("read")) || w.Has(pipeline.DigestOf("gone")) {
		t.Errorf("what the pinned file was read into is there: %v; what another was: %v", w.Has(pipeline.DigestOf("read")), w.Has(pipeline.DigestOf("gone")))
	}
}

func TestPrune_LeavesWhatIsYoung(t *testing.T) {
	now := time.Date(2026, 1, 10, 6, 0, 0, 0, time.UTC)
	w, err := pipeline.OpenWarehouse(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	young, old := pipeline.DigestOf("young"), pipeline.DigestOf("old")
	artifact(t, w, young, now.Add(-23*time.Hour))
	artifact(t, w, old, now.Add(-25*time.Hour))
	pruned, err := w.Prune(pipeline.Pruning{Runs: 2, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if pruned.Artifacts != 1 || !w.Has(young) || w.Has(old) {
		t.Errorf("got %+v, young there %v, old there %v; want the old one gone alone", pruned, w.Has(young), w.Has(old))
	}
}

func TestWarehouse_OfANewerFormatIsRefused(t *testing.T) {
	dir := t.TempDir()
	w, err := pipeline.OpenWarehouse(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Stamp("0.1.0"); err != nil { // an older one, without the file, is taken over
		t.Fatal(err)
	}
	if _, err := pipeline.OpenWarehouse(dir); err != nil {
		t.Fatal(err)
	}
	newer := `{"format": 99, "tamiz": "7.0.0", "and": "more"}`
	if err := os.WriteFile(filepath.Join(dir, "format"), []byte(newer), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = pipeline.OpenWarehouse(dir)
	if pipeline.KindOf(err) != pipeline.Config {
		t.Fatalf("got %v, want an error of kind config", err)
	}
	for _, word := range []string{"newer Tamiz", "99", "7.0.0", "format 1", "move the folder away"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the message does not say %q:\n%v", word, err)
		}
	}
}

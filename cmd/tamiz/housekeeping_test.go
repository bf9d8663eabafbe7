package main

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tamiz/load"
	"tamiz/pipeline"
)

// TestPrune_LosesNothing prunes a warehouse of many runs: what was published
// is made again to the byte, and a trial of a method still works.
func TestPrune_LosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a pipeline several times")
	}
	project := smallProject(t, 60)
	amend(t, filepath.Join(project, "tamiz.yml"), "keep: {runs: 2}\n")
	model := filepath.Join(project, "sql", "np", "intermediate", "int_years.sql")
	original, err := os.ReadFile(model)
	if err != nil {
		t.Fatal(err)
	}
	tamiz(t, "run", "--project", project, "--at", "2026-06-01T06:00:00Z")
	published := digests(t, project, "np")
	for _, day := range []string{"02", "03", "04"} { // other programs, the same rows
		if err := os.WriteFile(model, append(slices.Clone(original), "-- "+day+"\n"...), 0o644); err != nil {
			t.Fatal(err)
		}
		tamiz(t, "run", "--project", project, "--at", "2026-06-"+day+"T06:00:00Z")
	}
	artifacts := func() int {
		found, err := filepath.Glob(filepath.Join(project, "warehouse", "artifacts", "??", "*"))
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	before := artifacts()
	tamiz(t, "warehouse", "prune", "--dry-run", "--project", project)
	if artifacts() != before {
		t.Error("a dry run removed results")
	}
	record := runRecord(t, "--project", project, "--at", "2026-06-20T06:00:00Z", "--due", "2026-06-20T06:00:00Z")
	after := artifacts()
	if after >= before {
		t.Errorf("%d results before the run of the schedule and its pruning, %d after it", before, after)
	}
	if ran := stepsRun(record); len(ran) > 0 {
		t.Errorf("steps ran: %v", ran)
	}
	if ran := stepsRun(runRecord(t, "--project", project)); len(ran) > 0 {
		t.Errorf("the run after a pruning had to compute %v", ran)
	}
	if err := os.WriteFile(model, original, 0o644); err != nil { // whose results were pruned
		t.Fatal(err)
	}
	if again := runRecord(t, "--project", project, "--full-refresh"); again.Verdict != pipeline.NothingNew || len(stepsRun(again)) == 0 {
		t.Errorf("after the pruning: %s, %d steps run; want nothing new, made again", again.Verdict, len(stepsRun(again)))
	}
	if again := digests(t, project, "np"); !maps.Equal(again, published) {
		t.Errorf("other bytes after the pruning:\n%v\nbefore\n%v", again, published)
	}
	p, err := (&options{project: project}).openProject()
	if err != nil {
		t.Fatal(err)
	}
	runs := runsOf(t, p.Warehouse, "np")
	last := runs[len(runs)-1]
	for _, step := range last.Steps {
		name, isMart := strings.CutPrefix(step.Step, "marts.")
		if digest := fileDigest(t, p.Warehouse, step.Fingerprint); isMart && digest != published[name] {
			t.Errorf("%s, made again, has other bytes", name)
		}
	}
	tamiz(t, "diff", "latest", "--method", filepath.Join(project, "config", "np", "method.yml"), "--project", project)
}

func runsOf(t *testing.T, warehouse, name string) []*pipeline.RunRecord {
	t.Helper()
	w, err := pipeline.OpenWarehouse(warehouse)
	if err != nil {
		t.Fatal(err)
	}
	runs := w.OpenRuns(name)
	ids, err := runs.IDs()
	if err != nil {
		t.Fatal(err)
	}
	var records []*pipeline.RunRecord
	for _, id := range ids {
		record, err := runs.Record(id)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, record)
	}
	return records
}

func fileDigest(t *testing.T, warehouse string, fingerprint pipeline.Digest) pipeline.Digest {
	t.Helper()
	w, err := pipeline.OpenWarehouse(warehouse)
	if err != nil {
		t.Fatal(err)
	}
	digest, _, err := pipeline.HashFile(filepath.Join(w.ArtifactDir(fingerprint), pipeline.TableFile))
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

// amend writes further lines at the end of a file.
func amend(t *testing.T, file, lines string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(text, lines...), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestUpgrade_AnOlderProjectGoesOn takes from a project what older versions of
// Tamiz did not write: the ledger, the runs and the observations in the store,
// the format of the warehouse. The next run makes up for it.
func TestUpgrade_AnOlderProjectGoesOn(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a pipeline several times")
	}
	project := smallProject(t, 60)
	tamiz(t, "run", "--project", project)
	published := digests(t, project, "np")
	for _, path := range []string{"store/np/ledger", "store/np/runs", "store/np/observations.jsonl", "store/np/lock.json", "store/np/catalog.json", "warehouse/format", "warehouse/id"} {
		if err := os.RemoveAll(filepath.Join(project, filepath.FromSlash(path))); err != nil {
			t.Fatal(err)
		}
	}
	for _, pattern := range []string{"observations.jsonl", "runs/*/run.json", "runs/*/inputs.json"} { // and what newer ones write is passed over
		files, err := filepath.Glob(filepath.Join(project, "warehouse", "np", filepath.FromSlash(pattern)))
		if err != nil || len(files) != 1 {
			t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		text, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(files[0], []byte(`{"of_a_later_version": {"x": 1},`+strings.TrimPrefix(string(text), "{")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if record := runRecord(t, "--project", project); record.Verdict != pipeline.NothingNew {
		t.Errorf("got %s, want nothing new", record.Verdict)
	}
	if again := digests(t, project, "np"); !maps.Equal(again, published) {
		t.Error("the published tables changed")
	}
	p, err := (&options{project: project}).openProject()
	if err != nil {
		t.Fatal(err)
	}
	store, err := openStore(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	verdicts, err := load.OpenLedger(store, "np").Verdicts(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(verdicts) != 1 || !verdicts[0].Settled() {
		t.Errorf("verdicts: %+v, want one that is settled", verdicts)
	}
	if _, err := os.Stat(filepath.Join(project, "store", "np", "observations.jsonl")); err != nil {
		t.Error(err)
	}
}

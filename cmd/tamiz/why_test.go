package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tamiz/internal/u01"
	"tamiz/lineage"
	"tamiz/pipeline"
)

// reportedProject is a sample in which a report of a school was accepted. It gives
// that school's key.
func reportedProject(t *testing.T) (dir string, school [2]string) {
	t.Helper()
	dir = sampleProject(t, "mx", 800)
	runRecord(t, "--project", dir)
	for _, row := range query(t, dir, "select cct, shift from profiles where level = 'PRIMARY' and profile is not null and not learning_is_imputed order by all limit 1") {
		school = [2]string{row[0], row[1]}
	}
	tamiz(t, "log", "add", "mx", "school_reports", "cct="+school[0], "shift="+school[1], "item=teachers", "value=41", "observed_on=2021-08-01", "reporter_role=head", "--project", dir)
	tamiz(t, "log", "add", "mx", "school_report_decisions", "report_id=1", "decision=accepted", "decided_by=office", "decided_on=2021-08-02", "--project", dir)
	if record := runRecord(t, "--project", dir); record.Verdict != "published" {
		t.Fatalf("%s: %s", record.Verdict, record.Reason)
	}
	return dir, school
}

// exits runs the command and wants it to end with this code.
func exits(t *testing.T, code int, arguments ...string) (stdout, stderr string) {
	t.Helper()
	c := command(arguments...)
	var said strings.Builder
	c.Stderr = &said
	out, err := c.Output()
	var exit *exec.ExitError
	if got := c.ProcessState.ExitCode(); got != code || err != nil && !errors.As(err, &exit) {
		t.Fatalf("tamiz %s: %v, exit %d, want %d\n%s%s", strings.Join(arguments, " "), err, got, code, out, said.String())
	}
	return string(out), said.String()
}

// derivation asks why and reads the answer.
func derivation(t *testing.T, code int, arguments ...string) *lineage.Derivation {
	t.Helper()
	out, _ := exits(t, code, append([]string{"why", "-o", "json"}, arguments...)...)
	d := &lineage.Derivation{}
	if err := json.Unmarshal([]byte(out), d); err != nil {
		t.Fatal(err)
	}
	return d
}

func recordOf(t *testing.T, d *lineage.Derivation, source string) lineage.Record {
	t.Helper()
	i := slices.IndexFunc(d.Records, func(r lineage.Record) bool { return r.Source == source })
	if i < 0 {
		t.Fatalf("it names no record of %s", source)
	}
	return d.Records[i]
}

func rowOf(t *testing.T, d *lineage.Derivation, table string) lineage.Row {
	t.Helper()
	i := slices.IndexFunc(d.Rows, func(r lineage.Row) bool { return r.Table == table })
	if i < 0 {
		t.Fatalf("it names no row of %s", table)
	}
	return d.Rows[i]
}

func TestWhy(t *testing.T) {
	dir, school := reportedProject(t)
	project := []string{"--project", dir}
	ask := func(arguments ...string) []string { return append(append([]string{"mx"}, arguments...), project...) }

	t.Run("an accepted report stands beside the register that it overrides", func(t *testing.T) {
		d := derivation(t, 0, ask("profiles", school[0], school[1])...)
		registered := lineage.TextOf(d.Value(rowOf(t, d, "intermediate.int_crowding_schools"), "registered_teachers_count"))
		if registered == "41" || !strings.Contains(recordOf(t, d, "registry").Text, ","+registered+",") {
			t.Errorf("the register's %s teachers are not shown: %s", registered, recordOf(t, d, "registry").Text)
		}
		if row := rowOf(t, d, "intermediate.int_reports_schools"); !slices.ContainsFunc(row.Values, func(value *string) bool { return value != nil && *value == "41" }) {
			t.Errorf("the reported 41 teachers are not shown")
		}
		if report := recordOf(t, d, "school_reports"); !slices.ContainsFunc(report.Cells, func(cell string) bool { return cell == "41" }) && !strings.Contains(report.Text, "41") {
			t.Errorf("the report is not shown: %+v", report)
		}
		recordOf(t, d, "school_report_decisions")
	})
	t.Run("an imputed value shows its donors", func(t *testing.T) {
		for _, row := range query(t, dir, "select cct, shift from profiles where learning_is_imputed and profile is not null order by all limit 1") {
			d := derivation(t, 0, append(ask("profiles", row[0], row[1]), "--deep")...)
			donors := 0
			for _, row := range d.Rows {
				if row.Table == "intermediate.int_learning_donors" {
					donors++
				}
			}
			imputed := rowOf(t, d, "intermediate.int_learning_imputed")
			if donors < 2 || d.Value(imputed, "low") == nil || d.Value(imputed, "high") == nil {
				t.Errorf("%d donors, interval %v", donors, imputed.Values)
			}
			if len(d.Proof.Whole) > 0 || !slices.Contains(d.Proof.InFull, "intermediate.int_imputation_matches") || !d.Proof.Proved {
				t.Errorf("deep: %+v", d.Proof)
			}
		}
	})
	t.Run("raw lines carry the values", func(t *testing.T) { proveWhy(t, dir, "profile is not null", 30, 0, inOneGo) })
	t.Run("costs few queries", func(t *testing.T) { whyCost(t, dir, school) })
	w := openedWhy(t, dir)
	t.Run("every mart", func(t *testing.T) { whyEveryMart(t, w, dir) })
	t.Run("one column", func(t *testing.T) {
		d := derivation(t, 0, append(ask("profiles", school[0], school[1]), "--column", "feasibility_crowding")...)
		if slices.ContainsFunc(d.Records, func(r lineage.Record) bool { return r.Source == "census_ageb" }) {
			t.Error("space needs no record of homes")
		}
		recordOf(t, d, "registry")
		out, _ := exits(t, 0, append([]string{"why"}, append(ask("profiles", school[0], school[1]), "--column", "feasibility_crowding")...)...)
		for _, want := range []string{"feasibility_crowding = ", "├─ teachers_count = 41 teachers", "method.crowding: 1 row", "synthetic_registry_", "proved: "} {
			if !strings.Contains(out, want) {
				t.Errorf("it does not say %q:\n%s", want, out)
			}
		}
	})
	t.Run("for people", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "why.html")
		short, _ := exits(t, 0, append([]string{"why"}, append(ask("profiles", school[0], school[1]), "--html", file)...)...)
		full, _ := exits(t, 0, append([]string{"why", "--full"}, ask("profiles", school[0], school[1])...)...)
		page, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(full, "\n") < 3*strings.Count(short, "\n") || !strings.Contains(short, "all identical") {
			t.Errorf("short:\n%s", short)
		}
		if text := string(page); strings.Contains(text, "<script") || strings.Contains(text, "src=") || !strings.Contains(text, "all identical") || !strings.Contains(text, school[0]) {
			t.Errorf("the page is not what it should be: %.300s", text)
		}
	})
	t.Run("a wrong key", func(t *testing.T) {
		_, said := exits(t, 2, append([]string{"why"}, ask("profiles", school[0], "NIGHT")...)...)
		if !strings.Contains(said, school[0]+" "+school[1]) {
			t.Errorf("no near hit: %s", said)
		}
		for _, row := range query(t, dir, "select cct from schools order by all limit 1") {
			if _, said := exits(t, 2, append([]string{"why"}, ask("profiles", row[0])...)...); !strings.Contains(said, "its key has 2 columns, not 1") {
				t.Error(said)
			}
		}
		if out, _ := exits(t, 0, append([]string{"why"}, ask()...)...); !strings.Contains(out, "CCT SHIFT") {
			t.Error(out)
		}
	})
	t.Run("a record that was set aside", func(t *testing.T) {
		row := setAsideRow(t, w)
		_, said := exits(t, 2, append([]string{"why"}, ask("profiles", *row[0], "NIGHT")...)...)
		for _, want := range []string{"records of it were set aside", "staging.stg_registry__schools: " + *row[1] + " record " + *row[2] + " file " + *row[3]} {
			if !strings.Contains(said, want) {
				t.Errorf("it does not say %q: %s", want, said)
			}
		}
	})
	t.Run("what was pruned is made again", func(t *testing.T) {
		for _, table := range []string{"intermediate.int_crowding_schools", "staging.stg_registry__schools"} {
			if err := os.RemoveAll(w.warehouse.ArtifactDir(w.plan.Table(table)[0].Fingerprint)); err != nil {
				t.Fatal(err)
			}
		}
		_, said := exits(t, 0, append([]string{"why"}, ask("profiles", school[0], school[1])...)...)
		if !strings.Contains(said, "computing again") {
			t.Errorf("it does not say so: %q", said)
		}
	})
	ownDefinition(t, dir)
	t.Run("a source that is private by now is masked", func(t *testing.T) {
		replaceIn(t, filepath.Join(dir, "config", "mx", "sources", "registry.yml"), "archive: public", "archive: private")
		out, _ := exits(t, 0, append([]string{"why", "-o", "json"}, ask("profiles", school[0], school[1])...)...)
		d := &lineage.Derivation{}
		if err := json.Unmarshal([]byte(out), d); err != nil {
			t.Fatal(err)
		}
		record := recordOf(t, d, "registry")
		if !record.Masked || strings.ContainsAny(record.Text, "0123456789") || record.Number == 0 || len(record.Digest) != 64 || strings.Contains(out, "CALLE SINT") {
			t.Errorf("got %+v", record)
		}
		if row := rowOf(t, d, "staging.stg_registry__schools"); !row.Masked || *row.Values[0] == school[0] {
			t.Errorf("its staging is not masked: %v", row)
		}
	})
	// A trace that lies, in the project of today.
	replaceIn(t, filepath.Join(dir, "sql", "mx", "intermediate", "int_urgency_schools.yml"), "  intermediate.int_schools_described: key", "  intermediate.int_schools_described: {key: {level: cct}}")
	t.Run("the definition is the snapshot's own", func(t *testing.T) {
		out, _ := exits(t, 0, append([]string{"why"}, ask("profiles", school[0], school[1])...)...)
		if strings.Contains(out, "note:") {
			t.Error(out)
		}
	})
	t.Run("a snapshot without a definition", func(t *testing.T) {
		id := w.snapshot.Snapshot
		manifest := filepath.Join(dir, "store", "mx", "snapshots", id, "manifest.json")
		replaceIn(t, manifest, `"definition.zip"`, `"another.zip"`)
		replaceIn(t, manifest, `"licence": "`, `"licence": "of that day, `)
		out, _ := exits(t, 3, append([]string{"why", "--full", "--snapshot", id}, ask("profiles", school[0], school[1])...)...)
		for _, want := range []string{"NOT PROVED: intermediate.int_urgency_schools", "the trace is insufficient", "licence: of that day, "} {
			if !strings.Contains(out, want) {
				t.Errorf("it does not say %q:\n%s", want, out)
			}
		}
	})
}

// mostQueries is how many plain queries of a mart one answer may cost, each in
// a process of its own.
const mostQueries = 35

// whyCost compares what an answer costs with a plain query in the same minute,
// in processor time: this machine may be busy with other things.
func whyCost(t *testing.T, dir string, school [2]string) {
	cost := func(arguments ...string) time.Duration {
		var all []time.Duration
		for range 3 {
			c := command(append(arguments, "--project", dir)...)
			if out, err := c.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			all = append(all, c.ProcessState.UserTime()+c.ProcessState.SystemTime())
		}
		slices.Sort(all)
		return all[1]
	}
	query := cost("query", "select count(distinct profiles) from profiles")
	answer := cost("why", "mx", "profiles", school[0], school[1])
	t.Logf("an answer costs %s, %.1f queries of %s", answer.Round(time.Millisecond), float64(answer)/float64(query), query.Round(time.Millisecond))
	if answer > mostQueries*query {
		t.Errorf("an answer costs %.1f queries, want at most %d", float64(answer)/float64(query), mostQueries)
	}
}

// ownDefinition gives a project a copy of the definition, to be changed.
func ownDefinition(t *testing.T, dir string) {
	t.Helper()
	for _, folder := range []string{"config", "sql"} {
		if err := os.RemoveAll(filepath.Join(dir, folder)); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(filepath.Join(dir, folder), os.DirFS(filepath.Join("..", "..", folder))); err != nil {
			t.Fatal(err)
		}
	}
}

// replaceIn replaces a text that must be there, wherever it stands.
func replaceIn(t *testing.T, file, old, new string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s does not hold %q", file, old)
	}
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(text), old, new)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// setAsideRow gives key, reason, number and file of a record of the register
// that was set aside.
func setAsideRow(t *testing.T, w *whyWork) []*string {
	t.Helper()
	file := filepath.Join(w.warehouse.ArtifactDir(w.plan.Table("staging.stg_registry__schools")[0].Fingerprint), pipeline.AsideFile)
	_, rows, err := ask(t.Context(), map[string]string{"aside": file}, "select cct, _set_aside, _record, _file from aside order by all limit 1")
	if err != nil || len(rows) == 0 {
		t.Fatalf("the sample has none: %v", err)
	}
	return rows[0]
}

// openedWhy opens the latest snapshot of a project.
func openedWhy(t *testing.T, dir string, vars ...string) *whyWork {
	t.Helper()
	opened, err := (&options{project: dir, vars: vars}).openProject()
	if err != nil {
		t.Fatal(err)
	}
	w, err := openWhy(context.Background(), opened, "mx", "", io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// whyEveryMart derives some rows of each mart.
func whyEveryMart(t *testing.T, w *whyWork, dir string) {
	t.Helper()
	for _, table := range w.snapshot.Tables {
		d, err := w.deriver(context.Background(), table.Name, "", false)
		if err != nil {
			t.Fatal(err)
		}
		d.Most = 3 // larger groups are followed from the profiles
		keys := drawnKeys(t, dir, table.Name, table.Key, "true", 1)
		graph, err := d.Derive(context.Background(), keys)
		if err != nil {
			t.Fatalf("%s: %v", table.Name, err)
		}
		for i := range keys {
			derived, err := graph.Derivation(context.Background(), i, false)
			if err != nil || !graph.Found(i) || !derived.Proof.Proved {
				t.Errorf("%s %v: found %t, %v, %+v", table.Name, derived.Key, graph.Found(i), err, derived.Proof.Faults)
			}
		}
	}
}

// drawnKeys gives the keys of so many rows of a mart, the same in every run.
func drawnKeys(t *testing.T, dir, mart string, key []string, where string, many int, flags ...string) [][]*string {
	t.Helper()
	var list []string
	for _, name := range key {
		list = append(list, `"`+name+`"`)
	}
	out := tamiz(t, append([]string{"query", "--project", dir, "-o", "json", "select " + strings.Join(list, ", ") + " from " + mart + " where " + where}, flags...)...)
	var rows []map[string]*string
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		t.Fatal(err)
	}
	var keys [][]*string
	for _, row := range rows {
		var values []*string
		for _, name := range key {
			values = append(values, row[name])
		}
		keys = append(keys, values)
	}
	chance := func(values []*string) float64 {
		text := "why|" + mart
		for _, value := range values {
			text += "|" + textOf(value)
		}
		return u01.Of(text)
	}
	slices.SortFunc(keys, func(a, b []*string) int { return cmp.Compare(chance(a), chance(b)) })
	return keys[:min(many, len(keys))]
}

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tamiz/pipeline"
)

// toldProject is a pipeline of one source with a history, and a mart of what
// its publisher told on which day.
var toldProject = map[string]string{
	"tamiz.yml":                   "pipelines: [toy]\nwarehouse: warehouse\nstore: store\nas_of: 2026-01-31\n",
	"config/toy/pipeline.yml":     "title: {en: Toy}\ncalendar: iso-fortnight\n",
	"config/toy/method.yml":       "version: 1.0.0\ntables: {}\n",
	"config/toy/reference.yml":    "tables: {}\n",
	"config/toy/sources/x.yml":    "title: X\npublisher: P\nlicence: L\nfolder: in/*.csv\narchive: public\nhistory: 3\nformat: csv\ncolumns: {day: [day], deaths: [deaths]}\ngates: {rows: {max_fall: 0.5}}\n",
	"sql/macros/none.sql":         "",
	"sql/toy/staging/stg_x.sql":   "-- One row per vintage and day.\nselect as_of_date, day, cast(deaths as bigint) as deaths, _file, _record,\nfrom raw.x__history\ninner join raw.x__vintages using (_file)\n",
	"sql/toy/staging/stg_x.yml":   "description: D\nkey: [as_of_date, day]\nrows: one per raw.x__history\ntrace: {raw.x__history: key, raw.x__vintages: broadcast}\ncolumns:\n  as_of_date: {description: A.}\n  day: {description: D.}\n  deaths: {description: N.}\n  _file: {description: F.}\n  _record: {description: R.}\n",
	"sql/toy/marts/told.sql":      "-- One row per vintage and day.\nselect as_of_date, day, deaths from staging.stg_x\n",
	"sql/toy/marts/told.yml":      "description: D\nkey: [as_of_date, day]\nrows: one per staging.stg_x\ntrace: {staging.stg_x: key}\ncolumns:\n  as_of_date: {description: A.}\n  day: {description: D.}\n  deaths: {description: N.}\n",
	"sql/toy/staging/stg_x.txtar": "", "sql/toy/marts/told.txtar": "",
}

// toldOn lets the clock stand on a day of February 2026, publishes content if
// it is not empty, and runs.
func toldOn(t *testing.T, dir string, day int, content string, flags runFlags) *pipeline.RunRecord {
	t.Helper()
	if content != "" {
		writeInto(t, dir, "in/x.csv", content)
	}
	project, err := (&options{project: dir}).openProject()
	if err != nil {
		t.Fatal(err)
	}
	s, err := openSession(t.Context(), project, "toy")
	if err != nil {
		t.Fatal(err)
	}
	s.now = func() time.Time { return time.Date(2026, 2, day, 8, 0, 0, 0, time.UTC) }
	if err := s.openFolders(); err != nil {
		t.Fatal(err)
	}
	record, err := s.run(t.Context(), &flags, io.Discard, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.replay(t.Context(), 100, func(string, int) {}); err != nil {
		t.Fatal(err)
	}
	return record
}

func writeInto(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// toldRows is the mart: "05 mon 1" for each vintage's day and each day of it.
func toldRows(t *testing.T, dir string) string {
	t.Helper()
	var list []string
	for _, row := range query(t, dir, "select strftime(as_of_date, '%d'), day, deaths from told order by all") {
		list = append(list, strings.Join(row, " "))
	}
	return strings.Join(list, ", ")
}

func fingerprintsOf(record *pipeline.RunRecord) string {
	text := ""
	for _, step := range record.Steps {
		text += fmt.Sprintln(step.Step, step.Fingerprint)
	}
	return text
}

// TestVintages_EachVersionStandsWithItsDay publishes versions of a file over
// several runs: the history holds the last three good ones with the days on
// which they were first seen.
func TestVintages_EachVersionStandsWithItsDay(t *testing.T) {
	dir, fetch := t.TempDir(), runFlags{fetch: true}
	for name, text := range toldProject {
		writeInto(t, dir, name, text)
	}
	first, second, third := "day,deaths\nmon,1\n", "day,deaths\nmon,2\ntue,1\n", "day,deaths\nmon,2\ntue,5\nwed,1\n"
	toldOn(t, dir, 1, first, fetch)
	toldOn(t, dir, 2, second, fetch)
	record := toldOn(t, dir, 3, third, fetch)
	const all = "01 mon 1, 02 mon 2, 02 tue 1, 03 mon 2, 03 tue 5, 03 wed 1"
	if got := toldRows(t, dir); got != all {
		t.Fatalf("told: %s, want %s", got, all)
	}
	reads := 0
	for _, step := range record.Steps {
		if step.Kind == pipeline.StepRead && step.Step != "raw.x" && step.Ran {
			t.Errorf("%s ran again", step.Step)
		}
		if step.Kind == pipeline.StepRead {
			reads++
		}
	}
	if reads != 3 {
		t.Errorf("%d reads, want 3", reads)
	}

	// Equal bytes add nothing; a run of the same files has the same fingerprints.
	again := toldOn(t, dir, 4, "", fetch)
	if got := fingerprintsOf(again); got != fingerprintsOf(record) || again.Verdict != pipeline.NothingNew {
		t.Errorf("verdict %s; other fingerprints:\n%s\nwant\n%s", again.Verdict, got, fingerprintsOf(record))
	}
	if got := fingerprintsOf(toldOn(t, dir, 5, "", runFlags{})); got != fingerprintsOf(record) {
		t.Errorf("replayed, other fingerprints:\n%s", got)
	}

	// A version that fails its gates never stands in the history; the last good one is carried.
	carried := toldOn(t, dir, 6, "day,deaths\nmon,9\n", fetch)
	if carried.Sources[0].State != sourceCarried || toldRows(t, dir) != all {
		t.Errorf("%s, told: %s", carried.Sources[0].State, toldRows(t, dir))
	}

	// A fourth drives the first out; the days survive a lost warehouse.
	toldOn(t, dir, 7, "day,deaths\nmon,2\ntue,5\nwed,3\nthu,1\n", fetch)
	const last = "02 mon 2, 02 tue 1, 03 mon 2, 03 tue 5, 03 wed 1, 07 mon 2, 07 thu 1, 07 tue 5, 07 wed 3"
	if got := toldRows(t, dir); got != last {
		t.Errorf("told: %s, want %s", got, last)
	}
	if err := os.RemoveAll(filepath.Join(dir, "warehouse")); err != nil {
		t.Fatal(err)
	}
	if record := toldOn(t, dir, 9, "", fetch); record.Verdict != pipeline.NothingNew {
		t.Errorf("without its warehouse: %s, told: %s", record.Verdict, toldRows(t, dir))
	}

	// A card that an older version does not fit leaves that one out, and says so.
	writeInto(t, dir, "config/toy/sources/x.yml", strings.Replace(toldProject["config/toy/sources/x.yml"], "format: csv", "limits: {min_records: 3}\nformat: csv", 1))
	record = toldOn(t, dir, 10, "", fetch)
	if notes := strings.Join(record.Sources[0].Notes, " "); !strings.Contains(notes, "the version of 2026-02-02 is left out of the history") || strings.Contains(toldRows(t, dir), "02 ") {
		t.Errorf("notes %q, told: %s", notes, toldRows(t, dir))
	}
	var pins pipeline.Pins
	text, err := os.ReadFile(filepath.Join(dir, "warehouse", "toy", "runs", record.ID, "inputs.json"))
	if err == nil {
		err = json.Unmarshal(text, &pins)
	}
	if err != nil || len(pins.Vintages["x"]) != 2 || !slices.IsSortedFunc(pins.Vintages["x"], func(a, b pipeline.Vintage) int { return strings.Compare(a.AsOf, b.AsOf) }) {
		t.Errorf("pinned: %v, %v", pins.Vintages, err)
	}
}

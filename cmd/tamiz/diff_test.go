package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tamiz/config"
	"tamiz/lineage"
	"tamiz/load"
	"tamiz/pipeline"
)

// causedProject is a pipeline small enough to split by hand: four schools, whose
// score is the weighted mean of their homes' and their region's figure.
var causedProject = map[string]string{
	"tamiz.yml":                      "pipelines: [toy]\nas_of: 2026-01-31\n",
	"config/toy/pipeline.yml":        "title: {en: Toy}\ncalendar: iso-fortnight\ndiff:\n  mart: schools\n  key: [school]\n  value: level\n  unit: {one: school, many: schools}\n  groups: [{title: by region, sql: \"select school, region from marts.schools\"}]\n  indices: [score]\n  because:\n    - {title: the region's excess mortality, unit: \"%\", sql: \"select school, 100 * regions.excess from marts.schools inner join marts.regions using (region)\"}\n    - {title: what homes lack, unit: share, sql: \"select school, homes from marts.schools\"}\n",
	"config/toy/method.yml":          "version: 1.0.0\ntables:\n  weights:\n    description: W.\n    columns: {homes_weight: H, high_from: F}\n    rows: [{homes_weight: 0.5, high_from: 0.5}]\n",
	"config/toy/reference.yml":       "tables: {}\n",
	"config/toy/sources/deaths.yml":  "title: Deaths\npublisher: P\nlicence: L\nfolder: in/deaths.csv\narchive: public\nformat: csv\ncolumns: {region: [region], deaths: [deaths]}\n",
	"config/toy/sources/census.yml":  "title: Census\npublisher: P\nlicence: L\nfolder: in/census.csv\narchive: public\nformat: csv\ncolumns: {school: [school], region: [region], homes: [homes]}\n",
	"config/toy/sources/other.yml":   "title: Other\npublisher: P\nlicence: L\nfolder: in/other.csv\narchive: public\nformat: csv\ncolumns: {id: [id]}\n",
	"sql/macros/none.sql":            "",
	"sql/toy/staging/stg_deaths.sql": "-- One row per region.\nselect region, cast(deaths as double) as deaths, _file, _record,\nfrom raw.deaths\n",
	"sql/toy/staging/stg_deaths.yml": "description: D\nkey: [region]\nrows: one per raw.deaths\ntrace: {raw.deaths: key}\ncolumns:\n  region: {description: R.}\n  deaths: {description: D.}\n  _file: {description: F.}\n  _record: {description: R.}\n",
	"sql/toy/staging/stg_census.sql": "-- One row per school.\nselect school, region, cast(homes as double) as homes, _file, _record,\nfrom raw.census\n",
	"sql/toy/staging/stg_census.yml": "description: D\nkey: [school]\nrows: one per raw.census\ntrace: {raw.census: key}\ncolumns:\n  school: {description: S.}\n  region: {description: R.}\n  homes: {description: H.}\n  _file: {description: F.}\n  _record: {description: R.}\n",
	"sql/toy/staging/stg_other.sql":  "-- One row per id.\nselect id, _file, _record,\nfrom raw.other\n",
	"sql/toy/staging/stg_other.yml":  "description: D\nkey: [id]\nrows: one per raw.other\ntrace: {raw.other: key}\ncolumns:\n  id: {description: I.}\n  _file: {description: F.}\n  _record: {description: R.}\n",
	"sql/toy/marts/others.sql":       "-- One row per id.\nselect id from staging.stg_other\n",
	"sql/toy/marts/others.yml":       "description: D\nkey: [id]\nrows: one per staging.stg_other\ntrace: {staging.stg_other: key}\ncolumns:\n  id: {description: I.}\n",
	"sql/toy/marts/regions.sql":      "-- One row per region.\nselect region, deaths / 100 as excess from staging.stg_deaths\n",
	"sql/toy/marts/regions.yml":      "description: D\nkey: [region]\nrows: one per staging.stg_deaths\ntrace: {staging.stg_deaths: key}\ncolumns:\n  region: {description: R.}\n  excess: {description: E., unit: share}\n",
	"sql/toy/marts/schools.sql":      causedSQL,
	"sql/toy/marts/schools.yml":      causedYML,
	"in/deaths.csv":                  "region,deaths\nN,20\nS,80\n",
	"in/census.csv":                  "school,region,homes\na,N,0.9\nb,N,0.1\nc,S,0.9\nd,S,0.1\n",
	"in/other.csv":                   "id\n1\n",
}

const (
	causedSQL = `-- One row per school.
select
    school, region, homes, excess,
    homes_weight * homes + (1 - homes_weight) * excess as score,
    if(score >= high_from, 'H', 'L') as level,
from staging.stg_census
left join marts.regions using (region)
cross join method.weights
`
	causedYML = `description: D
key: [school]
rows: joined onto staging.stg_census
trace: {staging.stg_census: key, marts.regions: {key: {region: region}}, method.weights: broadcast}
columns:
  school: {description: S.}
  region: {description: R.}
  homes: {description: H., unit: share}
  excess: {description: E., unit: share}
  score: {description: S., unit: share}
  level: {description: L.}
`
)

// What the cases change.
var (
	moreDeaths  = map[string]string{"in/deaths.csv": "region,deaths\nN,20\nS,100\n"}
	newCensus   = map[string]string{"in/census.csv": "school,region,homes\na,N,0.7\nb,N,0.1\nc,S,0.9\nd,S,0.1\n"}
	otherWeight = map[string]string{"config/toy/method.yml": strings.NewReplacer("1.0.0", "1.1.0", "homes_weight: 0.5", "homes_weight: 0.2").Replace(causedProject["config/toy/method.yml"])}
	otherModel  = map[string]string{
		"sql/toy/marts/schools.sql": strings.Replace(causedSQL, "high_from,", "high_from + 0.1,", 1),
	}
	wideModel = map[string]string{
		"sql/toy/marts/schools.sql": strings.NewReplacer("score >= high_from", "score >= high_from + 0.1", "as level,", "as level,\n    homes * 2 as twice,").Replace(causedSQL),
		"sql/toy/marts/schools.yml": causedYML + "  twice: {description: T.}\n",
	}
	// A file whose column has a new title, which the old card does not know.
	newTitle = map[string]string{
		"in/census.csv":                 strings.Replace(newCensus["in/census.csv"], "homes", "hogares", 1),
		"config/toy/sources/census.yml": strings.Replace(causedProject["config/toy/sources/census.yml"], "homes: [homes]", "homes: [hogares]", 1),
	}
	otherFile   = map[string]string{"in/other.csv": "id\n1\n2\n"}
	otherPeriod = map[string]string{"tamiz.yml": strings.Replace(causedProject["tamiz.yml"], "2026-01-31", "2026-02-20", 1)}
)

// caused publishes a snapshot of the project with these changes, and names it.
// Where the run is held because a column goes, and for nothing else, a person
// approves it.
func caused(t *testing.T, dir string, changes ...map[string]string) string {
	t.Helper()
	files := maps.Clone(causedProject)
	for _, change := range changes {
		maps.Copy(files, change)
	}
	for name, text := range files {
		writeInto(t, dir, name, text)
		if base, ok := strings.CutSuffix(name, ".sql"); ok && !strings.Contains(name, "macros") {
			writeInto(t, dir, base+".txtar", "")
		}
	}
	said := outputOf(command("run", "-o", "json", "--project", dir))
	isOther := func(hold pipeline.Hold) bool { return hold.Kind != pipeline.HoldSchema }
	record := onlyRecord(t, said)
	if record.Verdict == pipeline.Held && !slices.ContainsFunc(record.Holds, isOther) {
		said = outputOf(command("approve", record.ID, "--reason", "No reader is left.", "-o", "json", "--project", dir))
		record = onlyRecord(t, said)
	}
	if record.Verdict != pipeline.Published {
		t.Fatalf("%s", said)
	}
	return record.Snapshot
}

// toldDiff runs tamiz diff, for machines, and gives what it says and its exit code.
func toldDiff(t *testing.T, arguments ...string) (c comparison, code int, said string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	run := command(append([]string{"diff", "-o", "json"}, arguments...)...)
	run.Stdout, run.Stderr = &stdout, &stderr
	var exit *exec.ExitError
	if err := run.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	code, said = run.ProcessState.ExitCode(), stdout.String()+stderr.String()
	if stdout.Len() > 0 {
		if err := json.Unmarshal(stdout.Bytes(), &c); err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
	}
	return c, code, said
}

// wantAddUp wants the parts of all causes to add up to the whole: exactly in
// units, to 1e-12 in the means of the indices. It gives the parts in units.
func wantAddUp(t *testing.T, c *comparison) map[string]string {
	t.Helper()
	if c.Causes == nil || c.Causes.Failed != "" {
		t.Fatalf("no causes: %+v", c.Causes)
	}
	units := new(big.Rat)
	means := make([]float64, len(c.Indices))
	parts := map[string]string{}
	for _, cause := range c.Causes.Causes {
		exact, ok := new(big.Rat).SetString(cause.Units.Exact)
		if !ok {
			t.Fatalf("%+v", cause)
		}
		units.Add(units, exact)
		for i, index := range cause.Indices {
			if index.Part == nil {
				t.Errorf("%s has no part in %s", cause.Name, index.Index)
				continue
			}
			means[i] += index.Part.Value
		}
		if cause.Name != lineage.CauseEngine || !cause.Units.IsNone() {
			parts[cause.Name] = cause.Units.Exact
		}
	}
	if units.Cmp(big.NewRat(int64(c.Changed), 1)) != 0 || c.Causes.Units != c.Changed {
		t.Errorf("the parts add up to %s units, %d changed", units, c.Changed)
	}
	for i, index := range c.Indices {
		if whole := *index.MeanAfter - *index.MeanBefore; math.Abs(means[i]-whole) > 1e-12 {
			t.Errorf("%s: the parts add up to %v, the mean moved by %v", index.Column, means[i], whole)
		}
	}
	return parts
}

func TestDiff_ThePartsGoToTheRightCauses(t *testing.T) {
	dir := t.TempDir()
	base := caused(t, dir)
	for _, c := range []struct {
		name    string
		changes []map[string]string
		parts   map[string]string
		run     int // worlds that had to be computed
		column  string
		unit    string
		says    string // of that school

		unrelated string
	}{
		{"only mortality changed", []map[string]string{moreDeaths}, map[string]string{"deaths": "1"}, 0, "", "d",
			"level L → H, because the region's excess mortality rose from 80 % to 100 % (deaths)", ""},
		{"a census file was revised", []map[string]string{newCensus}, map[string]string{"census": "1"}, 0, "", "a",
			"level H → L, because what homes lack fell from 0.9 to 0.7 (census)", ""},
		{"a weight changed", []map[string]string{otherWeight}, map[string]string{"method": "2"}, 0, "", "a",
			"level H → L, because of the method (weights.homes_weight 0.5 → 0.2): score fell from 0.55 to 0.34", ""},
		{"all three at once", []map[string]string{moreDeaths, newCensus, otherWeight}, map[string]string{"deaths": "1/2", "census": "1/2", "method": "1"}, 6, "", "b",
			"level L, as before; also score rose from 0.15 to 0.18", ""},
		{"a model changed, and has a new column", []map[string]string{wideModel}, map[string]string{"models": "1"}, 0, "twice", "a",
			"level H → L, because of the models (marts.schools)", ""},
		{"a model and a file that it undoes", []map[string]string{otherModel, moreDeaths}, map[string]string{"models": "1/2", "deaths": "1/2"}, 2, "", "d", "level L, as before", ""},
		{"a card that fits its new file alone", []map[string]string{newTitle}, map[string]string{"census + models": "1"}, 0, "", "a",
			"level H → L, because of the census + models (", ""},
		{"what the mart does not stand on", []map[string]string{moreDeaths, otherFile, otherPeriod}, map[string]string{"deaths": "1"}, 0, "", "a", "level H, as before", "other, the period"},
	} {
		t.Run(c.name, func(t *testing.T) {
			id := caused(t, dir, c.changes...)
			found, code, said := toldDiff(t, base, id, "--project", dir, "--key", c.unit)
			if code != exitDiffers {
				t.Fatalf("exit code %d: %s", code, said)
			}
			if parts := wantAddUp(t, &found); !maps.Equal(parts, c.parts) || found.Causes.Run != c.run {
				t.Errorf("parts %v with %d worlds run, want %v with %d", parts, found.Causes.Run, c.parts, c.run)
			}
			if found.Unit == nil || !strings.HasPrefix(found.Unit.Sentence, c.says) {
				t.Errorf("%+v, want %q", found.Unit, c.says)
			}
			at := slices.IndexFunc(found.Tables, func(table tableChange) bool { return table.Mart == "schools" })
			var added []string
			for _, column := range found.Tables[at].Added {
				added = append(added, column.Name)
			}
			if strings.Join(added, " ") != c.column {
				t.Errorf("columns added: %v", added)
			}
			if got := strings.Join(found.Causes.Unrelated, ", "); got != c.unrelated {
				t.Errorf("unrelated: %s", got)
			}
		})
	}

	t.Run("for people", func(t *testing.T) {
		for _, c := range []struct{ arguments, words string }{
			{"", "caused by"}, {"--quick", "marts with"}, {"--mart regions", "changed the excess of"}, {"--key d", "d: level"}, {"--quick --key d", "d: level"},
		} {
			said := string(outputOf(command(append([]string{"diff", base, "latest", "--project", dir}, strings.Fields(c.arguments)...)...)))
			if c.arguments == "--quick" {
				if strings.Contains(said, "caused by") {
					t.Errorf("--quick tells causes:\n%s", said)
				}
			} else if !strings.Contains(said, c.words) {
				t.Errorf("%s: want %q in\n%s", c.arguments, c.words, said)
			}
		}
		if same, code, said := toldDiff(t, base, base, "--project", dir); code != exitDone || same.Causes != nil {
			t.Errorf("exit code %d: %s", code, said)
		}
	})
	t.Run("mistakes", func(t *testing.T) {
		for arguments, words := range map[string]string{
			"--mart none": "no such mart", "--column none": `no column \"none\"`, "--key a,b": "want SCHOOL", "--key z": "neither snapshot has such a row",
			"--method x.yml": "want two snapshots",
		} {
			if _, code, said := toldDiff(t, append([]string{base, "latest", "--project", dir}, strings.Fields(arguments)...)...); code != exitUsage || !strings.Contains(said, strings.ReplaceAll(words, `\`, "")) {
				t.Errorf("%s: exit code %d, want %q in %s", arguments, code, words, said)
			}
		}
	})
}

// TestDiff_TellsColumnsOfOneSnapshot compares snapshots of which one alone has
// a column, which a group and a reason ask for, too.
func TestDiff_TellsColumnsOfOneSnapshot(t *testing.T) {
	dir := t.TempDir()
	base := caused(t, dir)
	wide := caused(t, dir, wideModel, map[string]string{
		"config/toy/pipeline.yml": strings.NewReplacer("marts.schools\"}]", "marts.schools\"}, {title: by double, sql: \"select school, twice from marts.schools\"}]",
			"  because:\n", "  because:\n    - {title: the double, sql: \"select school, twice from marts.schools\"}\n").Replace(causedProject["config/toy/pipeline.yml"]),
	})
	// Today's models have a column that neither has.
	writeInto(t, dir, "sql/toy/marts/schools.sql", strings.Replace(causedSQL, "as level,", "as level,\n    homes * 3 as thrice,", 1))
	writeInto(t, dir, "sql/toy/marts/schools.yml", causedYML+"  thrice: {description: T.}\n")

	double := "1.8"
	for _, c := range []struct {
		ids           []string
		is            string
		before, after *string
		words         string
	}{
		{[]string{base, wide}, lineage.Added, nil, &double, "the double is new (1.8)"},
		{[]string{wide, base}, lineage.Removed, &double, nil, "the double is gone (was 1.8)"},
	} {
		found, code, said := toldDiff(t, append(c.ids, "--project", dir, "--key", "a")...)
		if code != exitDiffers || found.Unit == nil || !strings.Contains(found.Unit.Sentence, c.words) {
			t.Fatalf("exit code %d, want %q in %s", code, c.words, said)
		}
		var told []string
		for _, fact := range found.Unit.Facts {
			if fact.Is == "" {
				continue
			}
			told = append(told, fact.Column+fact.Title)
			if fact.Is != c.is || cells([]*string{fact.Before}, "-")[0] != cells([]*string{c.before}, "-")[0] || cells([]*string{fact.After}, "-")[0] != cells([]*string{c.after}, "-")[0] ||
				len(fact.Causes) != 1 || fact.Causes[0].Cause != lineage.CauseModels || fact.Causes[0].Part.Exact != "1" {
				t.Errorf("%+v", fact)
			}
		}
		if !slices.Equal(told, []string{"twiceT.", "the double"}) {
			t.Errorf("on one side only: %q", told)
		}
		if parts := wantAddUp(t, &found); !maps.Equal(parts, map[string]string{"models": "1"}) {
			t.Errorf("parts %v", parts)
		}
		if said := string(outputOf(command(append([]string{"diff", "--project", dir, "--key", "a"}, c.ids...)...))); !strings.Contains(said, "absent") {
			t.Errorf("nothing is absent in\n%s", said)
		}
		if _, code, said := toldDiff(t, append(c.ids, "--project", dir, "--column", "twice")...); code != exitUsage || !strings.Contains(said, `its column "twice" stands in `+wide+` only`) {
			t.Errorf("exit code %d: %s", code, said)
		}
	}
}

// TestHeld_EachCauseIsCountedAlone holds runs in which several things are new.
func TestHeld_EachCauseIsCountedAlone(t *testing.T) {
	dir := t.TempDir()
	asks := map[string]string{"sql/toy/marts/schools.yml": causedYML + "checks:\n  - name: the_score_moves_little\n    change: {measure: \"avg(score)\", max_share: 0.001}\n    severity: hold\n    question: {en: Is that real?, es: Es real?}\n"}
	caused(t, dir, asks)
	for _, c := range []struct {
		name    string
		changes []map[string]string
		causes  []pipeline.Cause
		words   string
	}{
		{"a source and the method", []map[string]string{moreDeaths, otherWeight}, []pipeline.Cause{{Group: "sources", Source: "deaths", Changed: 1}, {Group: "method", Changed: 2}}, ""},
		{"a source, the method and a model", []map[string]string{newCensus, otherWeight, otherModel}, []pipeline.Cause{{Group: "sources", Source: "census", Changed: 0}, {Group: "method", Changed: 1}, {Group: "models", Changed: 1}}, ""},
		{"a source", []map[string]string{moreDeaths}, []pipeline.Cause{{Group: "sources", Source: "deaths", Changed: 1}}, ""},
		{"a card that fits its new file alone", []map[string]string{newTitle}, nil, "cannot be counted alone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, change := range append([]map[string]string{causedProject}, append(c.changes, asks)...) {
				for name, text := range change {
					writeInto(t, dir, name, text)
				}
			}
			record := onlyRecord(t, outputOf(command("run", "-o", "json", "--project", dir)))
			if record.Verdict != pipeline.Held || !slices.Equal(record.Causes, c.causes) {
				t.Fatalf("%s: %+v, want %+v", record.Verdict, record.Causes, c.causes)
			}
			if !strings.Contains(record.Holds[0].Details, c.words) {
				t.Errorf("want %q in %s", c.words, record.Holds[0].Details)
			}
			said := string(outputOf(command("run", "--project", dir)))
			for _, cause := range c.causes {
				words := fmt.Sprintf("by the new %s alone: level of %s", cause.Group, plural(cause.Changed, "school", "schools"))
				if cause.Source != "" {
					words = fmt.Sprintf("by the new version of %s alone: level of %s", cause.Source, plural(cause.Changed, "school", "schools"))
				}
				if !strings.Contains(said, "  "+words) || !strings.Contains(record.Holds[0].Details, words) {
					t.Errorf("want %q in\n%s\nand in\n%s", words, said, record.Holds[0].Details)
				}
			}
		})
	}
}

func outputOf(c *exec.Cmd) []byte {
	out, _ := c.Output()
	return out
}

// TestDiff_WhatIsNotExplainedIsTheEngines takes its models from the first
// snapshot, then what it was made by.
func TestDiff_WhatIsNotExplainedIsTheEngines(t *testing.T) {
	dir := t.TempDir()
	base := caused(t, dir)
	id := caused(t, dir, otherModel, moreDeaths)
	edit := func(change func(m *load.Manifest)) {
		file := filepath.Join(dir, "store", "toy", "snapshots", base, "manifest.json")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var m load.Manifest
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatal(err)
		}
		change(&m)
		if text, err = json.Marshal(m); err != nil {
			t.Fatal(err)
		}
		overwrite(t, file, text)
	}
	edit(func(m *load.Manifest) {
		m.Files = slices.DeleteFunc(m.Files, func(f load.ManifestFile) bool { return f.File == config.DefinitionFile })
	})
	found, _, said := toldDiff(t, base, id, "--project", dir)
	if parts := wantAddUp(t, &found); !maps.Equal(parts, map[string]string{"deaths": "0", "engine": "1"}) || !strings.Contains(said, base+" carries no definition") {
		t.Errorf("%v in %s", parts, said)
	}
	found, _, said = toldDiff(t, base, caused(t, dir, moreDeaths), "--project", dir)
	if parts := wantAddUp(t, &found); !maps.Equal(parts, map[string]string{"deaths": "1"}) {
		t.Errorf("%v in %s", parts, said)
	}

	// Published by another engine, which made of it what others made of id.
	from, to := filepath.Join(dir, "store", "toy", "snapshots", id, "data", "schools.parquet"), filepath.Join(dir, "store", "toy", "snapshots", base, "data", "schools.parquet")
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	overwrite(t, to, text)
	edit(func(m *load.Manifest) {
		m.Engine.Tamiz = "0.0.9"
		for i := range m.Tables {
			m.Tables[i].Fingerprint, m.Tables[i].RowDigest = "", ""
		}
	})
	found, _, said = toldDiff(t, base, "latest", "--project", dir)
	if parts := wantAddUp(t, &found); !maps.Equal(parts, map[string]string{"deaths": "1", "engine": "1"}) || found.Changed != 2 || !strings.Contains(said, "tamiz 0.0.9 →") {
		t.Errorf("%v in %s", parts, said)
	}

	// What cannot be computed is told; what was published is compared all the same.
	if err := os.Remove(filepath.Join(dir, "store", "toy", "snapshots", id, config.DefinitionFile)); err != nil {
		t.Fatal(err)
	}
	found, code, said := toldDiff(t, id, "latest", "--project", dir, "--key", "a")
	if code != exitDiffers || found.Causes == nil || !strings.Contains(found.Causes.Failed, "is not the one that was published") || found.Unit == nil || found.Unit.Sentence != "level L → H" {
		t.Errorf("exit code %d: %s", code, said)
	}
}

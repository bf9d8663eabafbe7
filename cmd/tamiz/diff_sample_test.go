package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tamiz/lineage"
	"tamiz/pipeline"
)

// diffOfSample changes the sample, and wants the difference to go to its cause:
// mortality, which also tells a school why its profile changed. The audit goes on
// with a census file, then a weight, then all three at once, to each its part.
func diffOfSample(t *testing.T, dir, base string) {
	const state = "28" // whose deaths fall by a third in the last months
	ids := []string{base}
	changes := []func(){
		func() {
			editSample(t, dir, "deaths_ssa", func(row map[string]*string) {
				if *row["CVE_ENT"] == state && *row["fecha"] >= "2021-04" {
					scale(row["def_registradas"], 0.67)
				}
			})
		},
		func() {
			editSample(t, dir, "census_ageb", func(row map[string]*string) {
				scale(row["VPH_INTER"], 0.6)
				scale(row["VPH_PC"], 0.6)
			})
		},
		func() {
			file := filepath.Join(dir, "config", "mx", "method.yml")
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			edited := strings.NewReplacer("version: 1.2.0", "version: 1.3.0", "wash_weight: 0.4", "wash_weight: 0.6").Replace(string(text))
			if edited == string(text) {
				t.Fatal("the method has no such weight")
			}
			writeInto(t, dir, "config/mx/method.yml", edited)
		},
	}
	causes := []string{"deaths_ssa", "census_ageb", "method"}
	if !*isAudit {
		changes, causes = changes[:1], causes[:1]
	}
	for _, change := range changes {
		change()
		record := runRecord(t, "--project", dir)
		if record.Verdict != pipeline.Published {
			t.Fatalf("%s: %s", record.Verdict, record.Reason)
		}
		ids = append(ids, record.Snapshot)
	}
	for i, cause := range causes {
		found, code, said := toldDiff(t, ids[i], ids[i+1], "--project", dir)
		if code != exitDiffers {
			t.Fatalf("exit code %d: %s", code, said)
		}
		if parts := wantAddUp(t, &found); !maps.Equal(parts, map[string]string{cause: strconv.Itoa(found.Changed)}) || found.Changed == 0 || found.Causes.Run != 0 {
			t.Errorf("%s alone: parts %v of %d, %d worlds run", cause, parts, found.Changed, found.Causes.Run)
		}
	}
	changed := query(t, dir, fmt.Sprintf("select cct, shift from profiles where state_code = '%s' and profile is not null order by all", state))
	told := 0
	for _, key := range changed[:min(2, len(changed))] {
		unit, _, said := toldDiff(t, ids[0], ids[1], "--project", dir, "--key", strings.Join(key, ","))
		if unit.Unit == nil {
			t.Fatal(said)
		}
		if strings.Contains(unit.Unit.Sentence, "because the state's excess mortality fell from ") && strings.HasSuffix(unit.Unit.Sentence, "(deaths_ssa)") {
			told++
		}
		if sum := partsOf(unit.Unit.Value); sum != "0" && sum != "1" {
			t.Errorf("%v: the parts add up to %s", key, sum)
		}
		t.Log(unit.Unit.Sentence)
	}
	if told == 0 {
		t.Errorf("of %d schools of the state none says why its profile changed", len(changed))
	}
	if *isAudit {
		allThree(t, dir, ids[0], ids[3], causes)
	}
}

// allThree wants each of the causes to have a part, in the index that it moves.
func allThree(t *testing.T, dir, before, after string, causes []string) {
	found, _, _ := toldDiff(t, before, after, "--project", dir)
	parts := wantAddUp(t, &found)
	if names := slices.Sorted(maps.Keys(parts)); !slices.Equal(names, slices.Sorted(slices.Values(causes))) || slices.Contains(slices.Collect(maps.Values(parts)), "0") || found.Causes.Worlds != 8 {
		t.Errorf("all three: %v of %d worlds", parts, found.Causes.Worlds)
	}
	for _, cause := range found.Causes.Causes {
		for _, index := range cause.Indices {
			moves := map[string]string{"deaths_ssa": "feasibility", "census_ageb": "urgency", "method": "feasibility"}[cause.Name]
			if has := index.Part.Value != 0; has != (index.Index == moves) {
				t.Errorf("%s has %v in the mean %s", cause.Name, index.Part.Value, index.Index)
			}
		}
	}
	t.Logf("all three: %v of %d", parts, found.Changed)
}

// partsOf adds up the parts of a fact's causes.
func partsOf(fact lineage.Fact) string {
	if len(fact.Causes) == 0 {
		return "0"
	}
	sum := 0.0
	for _, cause := range fact.Causes {
		sum += cause.Part.Value
	}
	return strconv.FormatFloat(sum, 'f', -1, 64)
}

// scale makes a count smaller; what is no count stays.
func scale(cell *string, by float64) {
	if n, err := strconv.ParseFloat(*cell, 64); err == nil {
		*cell = strconv.Itoa(int(n * by))
	}
}

// editSample edits the rows of a source's files.
func editSample(t *testing.T, dir, source string, edit func(row map[string]*string)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "sample", source, "*.*sv"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no file: %v", source, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(text), "\n")
		titles := strings.Split(strings.TrimSpace(lines[0]), ",")
		for i, line := range lines[1:] {
			cells := strings.Split(line, ",")
			if len(cells) != len(titles) {
				continue // a quoted comma, or the end
			}
			row := map[string]*string{}
			for at, title := range titles {
				row[title] = &cells[at]
			}
			edit(row)
			lines[i+1] = strings.Join(cells, ",")
		}
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

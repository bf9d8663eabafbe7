package main

import (
	"bufio"
	"encoding/csv"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
)

// TestReal is the real run: published files of Jalisco, Aguascalientes,
// Colima, CONAPO and the health ministry, each figure checked against the
// files themselves or against what PROVENANCE.md counted.
func TestReal_TheRealFilesBecomeASnapshot(t *testing.T) {
	dir, data := realProject(t)
	flags := []string{"--project", dir, "--var", "data=" + data}
	record := runRecord(t, append([]string{"mx"}, flags...)...)
	if record.Verdict != "published" || record.Snapshot != "2021-08-29.1" {
		t.Fatalf("%s %s: %s", record.Verdict, record.Snapshot, record.Reason)
	}
	for _, step := range record.Steps {
		if step.Step == "raw.registry" && step.Rows != 14018 {
			t.Errorf("the registry has %d records, want 14,018", step.Rows)
		}
	}
	t.Run("schools", func(t *testing.T) { realSchools(t, dir, data) })
	t.Run("mortality", func(t *testing.T) { realMortality(t, dir, data) })
	t.Run("report", func(t *testing.T) { realReport(t, dir) })
	t.Run("levels", func(t *testing.T) { realLevels(t, dir) })
	t.Run("places", func(t *testing.T) { realPlaces(t, dir, record) })
	t.Run("traced cells hold the value", func(t *testing.T) { realTraced(t, dir, data) })
	t.Run("why", func(t *testing.T) {
		many, how := 20, inOneGo
		if *isAudit {
			many, how = 1<<20, rowByRow
		}
		proveWhy(t, dir, "profile is not null", many, 0, how, "--var", "data="+data)
	})
	t.Run("replay", func(t *testing.T) {
		out := tamiz(t, append([]string{"test", "mx", "--replay", "20"}, flags...)...)
		if !strings.Contains(out, "all identical: true") {
			t.Error(out)
		}
	})
	t.Run("rebuild", func(t *testing.T) {
		workers := []string{"4"}
		if *isAudit {
			workers = append(workers, "1")
		}
		wantRebuilt(t, record.Snapshot, filepath.Join(dir, "store"), workers...)
	})
	t.Run("second", func(t *testing.T) {
		second := runRecord(t, append([]string{"mx"}, flags...)...)
		if second.Verdict != "nothing new" || len(stepsRun(second)) != 0 {
			t.Errorf("second run: %s, steps %v", second.Verdict, stepsRun(second))
		}
	})
}

func realSchools(t *testing.T, dir, data string) {
	t.Helper()
	const registered = "from schools where state_code = '14' and is_in_registry"
	const jalisco = registered + " and level in ('PRIMARY', 'SECONDARY')"
	for sql, want := range map[string]float64{
		"select count(*) " + jalisco:                                        7980,
		"select sum(pupils_count)::bigint " + jalisco:                       1375367,
		"select count(*) " + jalisco + " and municipality_code is not null": 7980,
		// ten records of five upper secondary schools share a key and shift, and differ: they are set aside
		"select count(*) " + registered:                  14008,
		"select sum(pupils_count)::bigint " + registered: 1828957,
		"select count(*) from context semi join schools using (cct, shift) where state_code = '14' and municipality_marginalization_index is not null": 14008,
	} {
		if got := number(t, dir, sql); got != want {
			t.Errorf("%s: %v, want %v", sql, got, want)
		}
	}
	want := namesInRegister(t, data)
	wrong, withAccent := 0, 0
	found := map[string]string{}
	for _, row := range query(t, dir, "select cct, school_name "+jalisco) {
		cct, name := row[0], row[1]
		found[cct] = name
		if !want[cct+" "+name] {
			if wrong++; wrong <= 5 {
				t.Errorf("school %s is called %q, which the file does not say", cct, name)
			}
		}
		if strings.ContainsAny(name, "ÑÁÉÍÓÚÜ") {
			withAccent++
		}
	}
	if withAccent < 100 {
		t.Errorf("only %d names have an accent or Ñ", withAccent)
	}
	for cct, name := range map[string]string{"14DPR0252D": "NIÑO ARTILLERO", "14DPR0489P": "AGUSTIN YAÑEZ", "14DPR0204U": "NIÑOS HEROES"} {
		if found[cct] != name {
			t.Errorf("school %s is called %q, want %q", cct, found[cct], name)
		}
	}
}

// namesInRegister reads the register in another way than the product does:
// the whole file decoded at once, records by encoding/csv.
func namesInRegister(t *testing.T, data string) map[string]bool {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(data, "mx", "registry", "jalisco_cct_estadistica_5.csv"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := charmap.Macintosh.NewDecoder().String(string(raw))
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(strings.NewReader(strings.ReplaceAll(text, "\r", "\n"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != 14019 {
		t.Errorf("the file has %d records and a header, want 14,019", len(records))
	}
	names := map[string]bool{}
	for _, record := range records[1:] {
		names[record[0]+" "+strings.Join(strings.Fields(record[2]), " ")] = true
	}
	return names
}

// deathsIn adds up a column of a deaths file by state, for states 01 to 32.
func deathsIn(t *testing.T, file, separator string, column int) map[string]int64 {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sums := map[string]int64{}
	for scanner := bufio.NewScanner(f); scanner.Scan(); {
		cells := strings.Split(strings.TrimSpace(scanner.Text()), separator)
		state, err := strconv.Atoi(cells[1])
		if err != nil || state < 1 || state > 32 {
			continue
		}
		n, err := strconv.ParseInt(cells[column], 10, 64)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		sums[cells[1]] += n
	}
	return sums
}

func realMortality(t *testing.T, dir, data string) {
	t.Helper()
	if got := number(t, dir, "select count(distinct state_code) from mortality"); got != 32 {
		t.Errorf("%v states, want 32", got)
	}
	for _, c := range []struct {
		file, separator, source, measure string
		column                           int
	}{
		{"inegi_2012_2018_defunciones_por_entidad.tsv", "\t", "INEGI", "deaths_registered_count", 2},
		{"inegi_2012_2018_defunciones_por_entidad.tsv", "\t", "INEGI", "deaths_resident_count", 3},
		{"inegi_2012_2018_defunciones_por_entidad.tsv", "\t", "INEGI", "deaths_occurred_count", 4},
		{"ssa_2020_2022_defunciones_por_entidad.csv", ",", "SSA", "deaths_registered_count", 2},
	} {
		want := deathsIn(t, filepath.Join(data, "mortality", c.file), c.separator, c.column)
		rows := query(t, dir, "select state_code, sum("+c.measure+")::bigint from mortality where source = '"+c.source+"' group by all")
		if len(rows) != 32 {
			t.Errorf("%s: %d states", c.source, len(rows))
		}
		for _, row := range rows {
			if got, _ := strconv.ParseInt(row[1], 10, 64); got != want[row[0]] {
				t.Errorf("%s, state %s, %s: %d, the file has %d", c.source, row[0], c.measure, got, want[row[0]])
			}
		}
	}
}

// TestReal_OnlyWhatStandsOnAChangedFileRunsAgain changes one mortality file.
func TestReal_OnlyWhatStandsOnAChangedFileRunsAgain(t *testing.T) {
	dir, data := realProject(t)
	copied := filepath.Join(t.TempDir(), "ssa.csv")
	content, err := os.ReadFile(filepath.Join(data, "mortality", "ssa_2020_2022_defunciones_por_entidad.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(copied, content, 0o644); err != nil {
		t.Fatal(err)
	}
	project := filepath.Join(dir, "tamiz.yml")
	text, err := os.ReadFile(project)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), `"{data}/mortality/ssa_*_defunciones_por_entidad.csv"`, copied, 1)
	if changed == string(text) {
		t.Fatal("the example project names the file in another way")
	}
	if err := os.WriteFile(project, []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	flags := []string{"mx", "--project", dir, "--var", "data=" + data}
	runRecord(t, flags...)
	if err := os.WriteFile(copied, []byte(strings.Replace(string(content), "2019-12-29,01,23", "2019-12-29,01,24", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	record := runRecord(t, flags...)
	if record.Verdict != "published" || record.Snapshot != "2021-08-29.2" {
		t.Errorf("%s %s, want published 2021-08-29.2", record.Verdict, record.Snapshot)
	}
	// Deaths reach the profiles, and what is computed from them, by the
	// epidemiology of feasibility alone: nothing of urgency is done again.
	untouched := regexp.MustCompile(`staging\.stg_(census|registry|planea|enlace|buildings|marginalization|population|school|state|ageb)|` +
		`intermediate\.int_(buildings|census|crowding|household|imputation|learning_[^s]|level|links|marginalization|population|schools|upper|urgency)|` +
		`marts\.(context|imputation_validation|learning|linkage|reports|schools|upper_secondary|urgency)$`)
	var outside []string
	for _, name := range stepsRun(record) {
		base := strings.TrimPrefix(name, "check ")
		base, _, _ = strings.Cut(base, " against ")
		if untouched.MatchString(base) {
			outside = append(outside, name)
		}
	}
	if len(outside) > 0 {
		t.Errorf("steps ran that do not stand on the changed file: %v", outside)
	}
	if got := len(stepsRun(record)); got < 3 {
		t.Errorf("only %d steps ran", got)
	}
}

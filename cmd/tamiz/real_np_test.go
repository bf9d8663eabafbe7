package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestRealNp runs examples/np-real over the published lists by district: what
// they hold is there for 75 districts, figure by figure as in the files; what
// they cannot give is not computed, and the run and the status say why.
func TestRealNp_TheListsByDistrictBecomeFactsAndNoIndex(t *testing.T) {
	data := realData(t)
	text, err := os.ReadFile("../../examples/np-real/tamiz.yml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "tamiz.yml"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	flags := []string{"--project", dir, "--var", "data=" + data}
	out := tamiz(t, append([]string{"run", "np"}, flags...)...)
	status := tamiz(t, append([]string{"status", "np"}, flags...)...)
	const reason = "the ministry publishes no pupils by school, group and grade with repeaters"
	for what, said := range map[string]string{"the run": out, "the status": status} {
		said = strings.Join(strings.Fields(said), " ")
		for _, want := range []string{"not computed: ", "enrolment", reason} {
			if !strings.Contains(said, want) {
				t.Errorf("%s does not say %q:\n%s", what, want, said)
			}
		}
	}
	for _, mart := range []string{"district_index", "district_drivers", "district_groups", "survival", "transitions", "quadrants", "progress", "allocation", "composite", "context", "vdc_index", "school_index", "learning", "resources", "rank_stability"} {
		if rows := number(t, dir, "select count(*) from "+mart); rows != 0 {
			t.Errorf("%s has %v rows: they are invented", mart, rows)
		}
	}
	if rows := number(t, dir, "select count(*) from district_facts where ei_en like 'not computed: %' and ei_ne is not null"); rows != 75 {
		t.Errorf("%v districts say why there is no index, want 75", rows)
	}
	realNpFigures(t, dir, filepath.Join(data, "np"))
}

// realNpFigures compares every figure of every district with its file, read by
// encoding/csv; a district stands under its name or under one of these.
func realNpFigures(t *testing.T, dir, data string) {
	t.Helper()
	aliases := map[string]string{
		"Chitawan": "Chitwan", "Dhanusa": "Dhanusha", "KanchaMCur": "Kanchanpur", "Kapilbastu": "Kapilvastu", "Tanahu": "Tanahun",
		"Nawalparasi_East": "Nawalparasi", "Nawalparasi_ West": "Nawalparasi", "Rukum_East": "Rukum", "Rukum_ West": "Rukum",
	}
	named := func(written string) string {
		written = strings.TrimSpace(written)
		if name, ok := aliases[written]; ok {
			return name
		}
		return written
	}
	compare := func(what string, want map[string]float64, column string) {
		rows := query(t, dir, "select district_75, "+column+" from district_facts")
		if len(rows) != 75 || len(want) != 75 {
			t.Errorf("%s: %d districts, the file has %d, want 75", what, len(rows), len(want))
		}
		for _, row := range rows {
			figure, known := want[row[0]]
			if !known {
				t.Errorf("%s: the file has no %s", what, row[0])
				continue
			}
			near(t, what+" of "+row[0], float(t, row[1]), figure)
		}
	}
	add := func(list [][]string, first, last int) map[string]float64 {
		sums := map[string]float64{}
		for _, record := range list {
			for _, cell := range record[first : last+1] {
				n, err := strconv.ParseFloat(strings.NewReplacer(",", "", "%", "").Replace(cell), 64)
				if err != nil {
					t.Fatal(err)
				}
				sums[record[0]] += n
			}
		}
		return sums
	}
	list := func(pattern string, district int) (records [][]string) {
		paths, err := filepath.Glob(filepath.Join(data, pattern))
		if err != nil || len(paths) != 1 {
			t.Fatalf("%s: %v, %v", pattern, paths, err)
		}
		file, err := os.Open(paths[0])
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		all, err := csv.NewReader(file).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, record := range all[1:] {
			name := named(record[district])
			if name != "" && !strings.Contains(strings.ToLower(strings.Join(record[:district+1], " ")), "total") {
				records = append(records, append([]string{name}, record[district+1:]...))
			}
		}
		return records
	}
	pupils := list("emis/cleaned_total-enrollment-at-all-levels_community*.csv", 1)
	compare("pupils of the basic level", add(pupils, 1, 8), "pupils_basic_count")
	compare("pupils of the secondary level", add(pupils, 9, 12), "pupils_secondary_count")
	glance := list("census2011/district_at_glance.csv", 0)
	compare("people", add(glance, 1, 1), "population_count")
	compare("poverty", add(glance, 2, 2), "poverty_share * 100")
	compare("literacy", add(glance, 3, 3), "literacy_share * 100")
	teachers := list("emis/cleaned_total-teachers-in-approved-position*.csv", 1)
	compare("approved posts", add(teachers, 1, 3), "posts_approved_count")
	compare("rahat posts", add(teachers, 4, 6), "posts_rahat_count")
}

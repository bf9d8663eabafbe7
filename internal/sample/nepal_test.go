package sample_test

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"tamiz/internal/sample"
)

// flows are pupils and repeaters by year and grade.
type flows struct{ enrolled, repeaters map[[2]int]int }

// survival is S(1→8) of the pair of years that begins with year (METHODS 1.1).
func (f flows) survival(year int) float64 {
	s := 1.0
	for g := 1; g < 8; g++ {
		promoted := f.enrolled[[2]int{year + 1, g + 1}] - f.repeaters[[2]int{year, g + 1}]
		atRisk := f.enrolled[[2]int{year, g}] - f.repeaters[[2]int{year, g}]
		s *= float64(promoted) / float64(atRisk)
	}
	return s
}

func enrolment(t *testing.T) []row {
	t.Helper()
	return nepal(t, "enrolment")
}

// nepal gives a file of a Nepali sample of a thousand schools.
func nepal(t *testing.T, name string) []row {
	t.Helper()
	dir := t.TempDir()
	write(t, "np", dir, sample.Options{Schools: 1000})
	return rows(t, decoded(t, filepath.Join(dir, name, "synthetic_"+name+".csv"), nil), ',')
}

// sumFlows adds the rows that keep wants, under the group it names.
func sumFlows(all []row, group func(row) string) map[string]flows {
	sums := map[string]flows{}
	for _, r := range all {
		name := group(r)
		if sums[name].enrolled == nil {
			sums[name] = flows{map[[2]int]int{}, map[[2]int]int{}}
		}
		year, _ := strconv.Atoi(r["year_bs"])
		grade, _ := strconv.Atoi(r["grade"])
		enrolled, _ := strconv.Atoi(r["enrolled"])
		repeaters, _ := strconv.Atoi(r["repeaters_next"])
		sums[name].enrolled[[2]int{year, grade}] += enrolled
		sums[name].repeaters[[2]int{year, grade}] += repeaters
	}
	return sums
}

func TestEnrolment_SurvivalIsPlausible(t *testing.T) {
	all := enrolment(t)
	// The code of a school begins with its district, which has several names.
	districts := sumFlows(all, func(r row) string { return r["school_code"][:2] })
	if len(districts) != 77 {
		t.Errorf("%d districts, want 77", len(districts))
	}
	for name, flows := range districts {
		for _, year := range []int{2070, 2071} {
			if s := flows.survival(year); s < 0.4 || s > 0.95 {
				t.Errorf("%s: survival %v from %d", name, s, year)
			}
		}
	}
	castes := sumFlows(all, func(r row) string { return r["caste"] })
	if dalit, other := castes["Dalit"].survival(2070), castes["Brahmin-Chhetri"].survival(2070); dalit >= other-0.05 {
		t.Errorf("survival of Dalit pupils %v, of Brahmin-Chhetri %v", dalit, other)
	}
	places := sumFlows(all, func(r row) string { return r["location"] })
	if rural, urban := places["rural"].survival(2070), places["urban"].survival(2070); rural >= urban-0.02 {
		t.Errorf("survival in villages %v, in towns %v", rural, urban)
	}
}

func TestEnrolment_FlowsAreConsistentInEverySchool(t *testing.T) {
	all := enrolment(t)
	// A cell that nobody can read, or a row twice, breaks the sums of its school.
	spoilt, seen := map[string]bool{}, map[string]bool{}
	for _, r := range all {
		key := strings.Join([]string{r["year_bs"], r["school_code"], r["grade"], r["sex"], r["caste"], r["disability"]}, "|")
		if seen[key] || r["enrolled"] == "N/D" || r["repeaters_next"] == "N/D" {
			spoilt[r["school_code"]] = true
		}
		seen[key] = true
	}
	for name, flows := range sumFlows(all, func(r row) string { return r["school_code"] }) {
		if spoilt[name] {
			continue
		}
		for at, enrolled := range flows.enrolled {
			year, grade := at[0], at[1]
			if year == 2072 {
				continue
			}
			staying := enrolled - flows.repeaters[at]
			promoted := flows.enrolled[[2]int{year + 1, grade + 1}] - flows.repeaters[[2]int{year, grade + 1}]
			if staying < 0 || promoted < 0 || promoted > staying {
				t.Fatalf("school %s, year %d, grade %d: %d pupils, %d do not repeat, %d promoted",
					name, year, grade, enrolled, staying, promoted)
			}
		}
	}
	if len(spoilt) < 2 || len(spoilt) > 60 {
		t.Errorf("%d schools have an unreadable cell or a row twice", len(spoilt))
	}
}

func TestEnrolment_KeepsToTheVocabulary(t *testing.T) {
	words := map[string][]string{
		"year_bs":    {"2070", "2071", "2072"},
		"sex":        {"F", "M"},
		"caste":      {"Dalit", "Janajati", "Brahmin-Chhetri", "Other"},
		"disability": {"no", "yes"},
		"location":   {"urban", "rural"},
	}
	met := map[string]map[string]int{}
	for column := range words {
		met[column] = map[string]int{}
	}
	blanks := 0
	for _, r := range enrolment(t) {
		for column := range words {
			met[column][r[column]]++
		}
		if r["disability"] == "yes" && r["repeaters_next"] != "" {
			t.Fatalf("repeaters of pupils with a disability, whom the registers do not tell apart: %v", r)
		}
		if r["year_bs"] == "2072" && r["repeaters_next"] != "" {
			t.Fatalf("repeaters of a year that has not come: %v", r)
		}
		if r["district"] != strings.TrimSpace(r["district"]) {
			blanks++
		}
	}
	for column, want := range words {
		if len(met[column]) != len(want) {
			t.Errorf("%s: %v, want %v", column, met[column], want)
		}
		for _, word := range want {
			if met[column][word] == 0 {
				t.Errorf("%s: never %s", column, word)
			}
		}
	}
	if blanks == 0 {
		t.Error("no district with a trailing blank")
	}
}

func TestEnrolment_HasAsManySchoolsAsTheScaleSays(t *testing.T) {
	for schools, want := range map[int]int{1: 77, 100: 100, 900: 900} {
		dir := t.TempDir()
		write(t, "np", dir, sample.Options{Schools: schools})
		codes := map[string]bool{}
		path := filepath.Join(dir, "enrolment", "synthetic_enrolment.csv")
		for _, r := range rows(t, decoded(t, path, nil), ',') {
			codes[r["school_code"]] = true
		}
		if len(codes) != want {
			t.Errorf("%d schools in Nepal for %d, want %d", len(codes), schools, want)
		}
	}
}

func TestNepal_FilesFitTheEnrolment(t *testing.T) {
	dir := t.TempDir()
	write(t, "np", dir, sample.Options{Schools: 200})
	read := func(name string) []row {
		return rows(t, decoded(t, filepath.Join(dir, name, "synthetic_"+name+".csv"), nil), ',')
	}
	pupils, spellings := map[string]int{}, map[string]bool{}
	for _, r := range read("enrolment") {
		n, _ := strconv.Atoi(r["enrolled"])
		pupils[strings.Join([]string{r["year_bs"], r["school_code"], r["grade"], r["sex"]}, "|")] += n
		spellings[r["district"]] = true
	}
	if len(spellings) < 85 {
		t.Errorf("%d spellings of 77 districts: too few to try a crosswalk", len(spellings))
	}
	impossible := 0
	for _, r := range read("exams") {
		grade := map[string]string{"GRADE8": "8", "SLC": "10"}[r["exam"]]
		appeared, _ := strconv.Atoi(r["appeared"])
		passed, _ := strconv.Atoi(r["passed"])
		key := strings.Join([]string{r["year_bs"], r["school_code"], grade, r["sex"]}, "|")
		// A smudge in the enrolment may hide pupils.
		if appeared > pupils[key] && pupils[key] > 0 && appeared > pupils[key]+9 {
			t.Errorf("%s: %d appeared of %d", key, appeared, pupils[key])
		}
		if passed > appeared {
			impossible++
		}
	}
	if impossible != 1 {
		t.Errorf("%d results that cannot be, want 1", impossible)
	}
	schools := map[string]int{}
	for _, r := range read("schools") {
		schools[r["year_bs"]]++
	}
	if schools["2071"] != 200 || schools["2070"] != 201 {
		t.Errorf("schools by year %v, want 200, and one of them twice in 2070", schools)
	}
	digits := 0
	for _, r := range read("population") {
		if strings.ContainsAny(r["population"], "०१२३४५६७८९") {
			digits++
		}
	}
	if digits == 0 || len(read("population")) != 77*12*2*3 || len(read("allocations")) != 77*3 {
		t.Errorf("%d numbers of the population in the country's digits", digits)
	}
}

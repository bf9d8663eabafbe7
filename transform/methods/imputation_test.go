package methods_test

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"tamiz/internal/u01"
)

// school is a row of the units, in short: what is not said is NULL.
type school struct {
	id, stratum, area string
	score             float64 // < 0: none
	count             float64 // < 8: unreliable
	year, spread      float64
	covariates        []any
}

// units makes the rows that the methods read; strata are the school's own,
// then "wide", in the pool "pool".
func units(schools ...school) [][]any {
	slices.SortFunc(schools, func(a, b school) int { return strings.Compare(a.id, b.id) })
	var rows [][]any
	for _, s := range schools {
		gives := s.score >= 0 && s.count >= 8
		row := []any{s.id, "pool", []any{"pool|" + s.stratum, "pool|wide"}, nil, nil, s.count, gives, !gives, nil, nil, s.covariates}
		if s.area != "" {
			row[3] = s.area
		}
		if s.score >= 0 {
			row[4] = s.score
		}
		if s.spread > 0 {
			row[8], row[9] = s.year, s.spread
		}
		rows = append(rows, row)
	}
	return rows
}

// Three donors, four draws; five donors make a stratum, five judged scores a judgement.
var smallParameters = [][]any{{int64(3), int64(4), int64(7), int64(5), 0.3, int64(5), int64(1000)}}

// match runs fits and matches, every stratum using the method.
func match(t *testing.T, method string, rows [][]any) map[string][]any {
	t.Helper()
	fits := rowsOf(t, "imputation_fits", map[string][][]any{"units": rows, "parameters": smallParameters})
	var lines, choices [][]any
	for _, fit := range fits {
		lines = append(lines, []any{fit[0], fit[1], fit[12], fit[14], fit[15], fit[16], list(fit[17]), list(fit[18]), fit[20], fit[21]})
		if fit[1] == strings.Repeat("1", len(fit[1].(string))) {
			choice := any(method)
			if fit[16] == nil { // no line to match on
				choice = "EB"
			}
			choices = append(choices, []any{"PROPENSITY", fit[0], choice, true})
		}
	}
	made := rowsOf(t, "imputation_matches", map[string][][]any{"units": rows, "parameters": smallParameters, "fits": lines, "choices": choices})
	byID := map[string][]any{}
	for _, row := range made {
		byID[row[0].(string)] = row
	}
	return byID
}

// list gives numbers as a database would.
func list(value any) any {
	numbers, ok := value.([]float64)
	if !ok {
		return nil
	}
	values := make([]any, len(numbers))
	for i, number := range numbers {
		values[i] = number
	}
	return values
}

// line is donors whose logits rise with the covariate x.
func line(n int, stratum string) []school {
	var schools []school
	for i := range n {
		x := float64(i) / float64(n)
		schools = append(schools, school{id: fmt.Sprintf("%s%02d", stratum, i), stratum: stratum, score: 1 / (1 + math.Exp(1-2*x)), count: 1000, covariates: []any{x}})
	}
	return schools
}

func TestImputationMatches_TheNearestGive(t *testing.T) {
	schools := append(line(20, "a"), school{id: "q", stratum: "a", score: -1, covariates: []any{0.5}})
	for _, method := range []string{"PMM", "KNN"} {
		got := match(t, method, units(schools...))["q"]
		if want := []string{"a10", "a09", "a11"}; got[1] != method || !reflect.DeepEqual(got[5], want) {
			t.Errorf("%s gave %v", method, got)
		}
		var want []int64
		for draw := 1; draw <= 4; draw++ {
			want = append(want, int64(math.Floor(u01.Of(fmt.Sprintf("7|q|%d", draw))*3)))
		}
		if !reflect.DeepEqual(got[6], want) {
			t.Errorf("%s drew %v, METHODS 4 wants %v", method, got[6], want)
		}
	}
}

func TestImputationMatches_EdgesOfWhatIsKnown(t *testing.T) {
	constant := func(n int, x any) []school {
		var schools []school
		for i := range n {
			schools = append(schools, school{id: fmt.Sprintf("c%02d", i), stratum: "c", score: 0.1 * float64(i%9+1), count: 20, covariates: []any{x}})
		}
		return schools
	}
	recipient := school{id: "q", stratum: "c", score: -1, covariates: []any{nil}}
	cases := []struct {
		name    string
		schools []school
		method  any
		donors  []string
	}{
		{"equal ones by id", constant(8, 1.0), "PMM", []string{"c00", "c01", "c02"}},
		{"nothing known of anybody", constant(8, nil), "PMM", []string{"c00", "c01", "c02"}},
		{"no donor", nil, nil, nil},
		{"one donor", constant(1, 1.0), nil, nil},
		{"as many as are needed", constant(5, 2.0), "PMM", []string{"c00", "c01", "c02"}},
		{"a wider stratum has them", line(20, "d"), "PMM", nil},
	}
	for _, c := range cases {
		got := match(t, "PMM", units(append(c.schools, recipient)...))["q"]
		if len(got) == 0 || got[1] != c.method {
			t.Errorf("%s: got %v, want the method %v", c.name, got, c.method)
			continue
		}
		if c.donors != nil && !reflect.DeepEqual(got[5], c.donors) {
			t.Errorf("%s: got the donors %v, want %v", c.name, got[5], c.donors)
		}
	}
}

func TestImputationMatches_OwnResults(t *testing.T) {
	schools := append(line(30, "a"),
		school{id: "q", stratum: "a", score: -1, covariates: []any{0.5}},
		school{id: "r", stratum: "a", score: 1, count: 5, covariates: []any{0.5}},
		school{id: "y", stratum: "a", score: -1, year: 0.4, spread: 0.1, covariates: []any{0.5}})
	for i := range schools[:30] { // so that the line leaves something open
		schools[i].score = math.Min(0.95, schools[i].score+0.2*float64(i%3))
	}
	got := match(t, "PMM", units(schools...))
	if got["y"][1] != "OWN_YEAR" || got["y"][7] != 0.4 || got["y"][8] != 0.1 || len(got["y"][9].([]float64)) != 4 {
		t.Errorf("another year gave %v", got["y"])
	}
	if weight := got["r"][4].(float64); weight <= 0 || weight >= 1 || got["r"][3].(float64) <= got["q"][3].(float64) {
		t.Errorf("an unreliable high result gave %v beside %v without one", got["r"], got["q"])
	}
	shrunken := match(t, "EB", units(schools...))
	if shrunken["q"][1] != "EB" || shrunken["r"][7].(float64) <= shrunken["q"][7].(float64) {
		t.Errorf("shrunken means gave %v and %v", shrunken["q"], shrunken["r"])
	}
}

// The mean of the others leaves out the unit itself, and what is hidden.
func TestImputationFits_StandOnTheOthersOfTheArea(t *testing.T) {
	var schools []school
	for i := range 40 {
		score := 0.2
		if i%2 == 1 {
			score = 0.7
		}
		schools = append(schools, school{id: fmt.Sprintf("a%02d", i), stratum: "a", area: fmt.Sprint("town ", i%2), score: score, count: 100, covariates: []any{1.0}})
	}
	schools = append(schools, school{id: "q", stratum: "a", area: "town 1", score: -1, covariates: []any{1.0}},
		school{id: "r", stratum: "a", area: "nowhere", score: -1, covariates: []any{1.0}})
	got := match(t, "PMM", units(schools...))
	if want := math.Log(0.7 / 0.3); math.Abs(got["q"][3].(float64)-want) > 1e-9 {
		t.Errorf("a school of the second town is fitted as %v, want %g", got["q"], want)
	}
	if want := (math.Log(0.7/0.3) + math.Log(0.2/0.8)) / 2; math.Abs(got["r"][3].(float64)-want) > 1e-9 {
		t.Errorf("a school of no town is fitted as %v, want %g", got["r"], want)
	}
}

// used gives the methods used by stratum, and what was judged for all.
func used(t *testing.T, rows [][]any) (methods map[string]any, rmse map[string]float64) {
	t.Helper()
	methods, rmse = map[string]any{}, map[string]float64{}
	for _, row := range rowsOf(t, "imputation_validation", map[string][][]any{"units": rows, "parameters": smallParameters}) {
		if row[0] == "PROPENSITY" && row[12] == true {
			methods[row[1].(string)] = row[2]
		}
		if row[1] == "ALL" && row[5] != nil {
			rmse[row[0].(string)+" "+row[2].(string)] = row[5].(float64)
		}
	}
	return methods, rmse
}

func TestImputationValidation_WhatDoesNotBeatTheMeanIsNotUsed(t *testing.T) {
	var told, noise []school
	for i := range 200 {
		x, e := u01.Of(fmt.Sprint("x", i)), u01.Of(fmt.Sprint("e", i))
		id, missing := fmt.Sprintf("a%03d", i), i%3 == 0
		one := school{id: id, stratum: "a", score: 0.1 + 0.8*x, count: 50, covariates: []any{x}}
		other := school{id: id, stratum: "a", score: e, count: 50, covariates: []any{x}}
		if missing {
			one.score, other.score = -1, -1
		}
		told, noise = append(told, one), append(noise, other)
	}
	if methods, rmse := used(t, units(told...)); methods["pool|a"] != "PMM" || rmse["RANDOM PMM"] >= rmse["RANDOM STRATUM_MEAN"] {
		t.Errorf("a covariate that tells all: used %v, errors %v", methods, rmse)
	}
	if methods, rmse := used(t, units(noise...)); methods["pool|a"] == "PMM" || methods["pool|a"] == "KNN" {
		t.Errorf("a covariate that tells nothing: used %v, errors %v", methods, rmse)
	}
}

func TestImputationValidation_NothingToJudge(t *testing.T) {
	recipient := school{id: "q", stratum: "a", score: -1, covariates: []any{0.5}}
	if methods, _ := used(t, units(recipient)); methods["pool|wide"] != "EB" {
		t.Errorf("without donors: used %v, want what needs no proof", methods)
	}
	if methods, _ := used(t, units(append(line(6, "a"), recipient)...)); methods["pool|a"] != "EB" {
		t.Errorf("with too few to judge: used %v", methods)
	}
}

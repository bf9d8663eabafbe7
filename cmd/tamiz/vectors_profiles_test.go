package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tamiz/transform"
)

// cellOfNumber writes a number as a cell; nil is NULL.
func cellOfNumber(value *float64) string {
	if value == nil {
		return ""
	}
	return strconv.FormatFloat(*value, 'g', -1, 64)
}

// fortnightsOf gives the last fortnight's P-score of each state and its lower
// bound, in per cent, from state 01 on.
func fortnightsOf(scores, lows []float64) transform.Given {
	var rows [][]string
	for i := range scores {
		rows = append(rows, []string{fmt.Sprintf("%02d", i+1), "FORTNIGHT", "2021-F13", "FINAL", "2021-07-04", cellOfNumber(&scores[i]), cellOfNumber(&lows[i])})
	}
	return given("intermediate.int_excess_windows", "state_code window_kind window_name delay_status window_end_date p_score p_score_low_floor", rows...)
}

func vectorsRelativeAbsolute(t *testing.T, content []byte) {
	v := parse[struct {
		P     []float64 `json:"p_scores"`
		Cuts  []float64 `json:"relative_cut_type7"`
		Low   []bool    `json:"relative_low"`
		Class []string  `json:"absolute_class"`
	}](t, content)
	b := bench(t, "mx")
	rows := []transform.Given{fortnightsOf(v.P, v.P), asOf(time.Date(2021, time.August, 29, 0, 0, 0, 0, time.UTC))}
	got := rowsOf(t, b, rows, "intermediate.int_epidemiology_states", "select * from intermediate.int_epidemiology_states order by state_code")
	for i := range v.P {
		at := fmt.Sprintf("state %d ", i+1)
		same(t, at+"first cut", got[i]["first_cut"], &v.Cuts[0])
		same(t, at+"second cut", got[i]["second_cut"], &v.Cuts[1])
		if worst := got[i]["tercile"] == "3"; worst != v.Low[i] {
			t.Errorf("%stercile: got %s, worst should be %t", at, got[i]["tercile"], v.Low[i])
		}
		if got[i]["epidemiology_class"] != v.Class[i] {
			t.Errorf("%sclass: got %s, want %s", at, got[i]["epidemiology_class"], v.Class[i])
		}
	}
}

type profileCase struct {
	Name  string
	Input struct {
		Language *float64 `json:"leng_I"`
		Maths    *float64 `json:"mat_I"`
		HH       *struct{ Viv, Inter, PC, TV, Cel *float64 }
		Grap     *float64
		Wash     struct{ Water, Drain, Toilet, Hand *float64 }
		Students *float64
		Rooms    *float64
		Teachers *float64
		Epi      *struct {
			P       float64
			Low     float64 `json:"p_lo"`
			Tercile int
		}
	}
	Output map[string]any
}

// given puts a case into the publishers' layouts: one school of state 01, its
// AGEB, and 31 other states that make the tercile.
func (c profileCase) given() []transform.Given {
	const cct, shift = "01DPR0001Z", "MATUTINO"
	in := c.Input
	percent := func(value *float64) string {
		if value == nil {
			return ""
		}
		return cellOfNumber(value) + "%"
	}
	home := []string{"*", "*", "*", "*", "*"}
	if in.HH != nil {
		home = []string{cellOfNumber(in.HH.Viv), cellOfNumber(in.HH.TV), cellOfNumber(in.HH.PC), cellOfNumber(in.HH.Cel), cellOfNumber(in.HH.Inter)}
	}
	rows := []transform.Given{
		given("raw.registry", "cct shift name municipality_code locality_code control level program pupils_total teachers",
			[]string{cct, shift, "A", "1", "1", "FEDERAL", "PRIMARIA", "GENERAL", cellOfNumber(in.Students), cellOfNumber(in.Teachers)}),
		given("raw.planea", "cct shift name level year programmed language_tested maths_tested language_level_1 maths_level_1",
			[]string{cct, shift, "A", "PRIMARIA", "2018", "30", "30", "30", percent(in.Language), percent(in.Maths)}),
		given("raw.census_ageb", "state_code municipality_code locality_code ageb block population schooling_years inhabited_dwellings private_dwellings described_dwellings television computer cellphone internet",
			append([]string{"01", "001", "0001", "0010", "000", "1600", cellOfNumber(in.Grap), home[0], home[0]}, home...)),
		given("raw.buildings", "cct shift state_code municipality_code locality_code ageb water drainage toilets handwashing classrooms",
			[]string{cct, shift, "01", "001", "0001", "0010", cellOfNumber(in.Wash.Water), cellOfNumber(in.Wash.Drain), cellOfNumber(in.Wash.Toilet), cellOfNumber(in.Wash.Hand), cellOfNumber(in.Rooms)}),
		// One school is too little for its level to enter by the rule of coverage; the cases take that as given.
		given("intermediate.int_level_coverage", "level is_in_index", []string{"PRIMARY", "true"}),
		asOf(time.Date(2021, time.August, 29, 0, 0, 0, 0, time.UTC)),
	}
	if in.Epi == nil {
		return rows
	}
	scores, lows := []float64{in.Epi.P}, []float64{in.Epi.Low}
	for i := range 31 {
		others := map[int]float64{1: 5, 2: float64(10*(i%2) - 5), 3: -5}[in.Epi.Tercile]
		scores, lows = append(scores, in.Epi.P+others), append(lows, in.Epi.P)
	}
	return append(rows, fortnightsOf(scores, lows))
}

func vectorsProfiles(t *testing.T, content []byte) {
	v := parse[struct {
		Params struct {
			WU, WF, CutU, CutF []float64
			Full               float64 `json:"grap_max"`
			QLow               float64 `json:"q_lo"`
			QHigh              float64 `json:"q_hi"`
			STLow              float64 `json:"st_lo"`
			STHigh             float64 `json:"st_hi"`
			Eps                float64
			Green              float64 `json:"p_green"`
			Red                float64 `json:"p_red"`
		}
		Cases []profileCase
	}](t, content)
	b := bench(t, "mx")
	p := v.Params
	text := func(value float64) string { return cellOfNumber(&value) }
	method := []transform.Given{
		constant(t, b, "method.urgency", map[string]string{"learning_weight": text(p.WU[0]), "household_weight": text(p.WU[1]), "adults_weight": text(p.WU[2]), "full_schooling_years": text(p.Full), "equity_epsilon": text(p.Eps)}),
		constant(t, b, "method.feasibility", map[string]string{"wash_weight": text(p.WF[0]), "crowding_weight": text(p.WF[1]), "epidemiology_weight": text(p.WF[2])}),
		constant(t, b, "method.crowding", map[string]string{"pupils_per_room_low": text(p.QLow), "pupils_per_room_high": text(p.QHigh), "pupils_per_teacher_low": text(p.STLow), "pupils_per_teacher_high": text(p.STHigh)}),
		constant(t, b, "method.epidemiology", map[string]string{"green_below": text(p.Green), "red_from": text(p.Red)}),
		given("method.cut_points", "index_name medium_from high_from is_anchored",
			[]string{"urgency", text(p.CutU[0]), text(p.CutU[1]), "false"}, []string{"feasibility", text(p.CutF[0]), text(p.CutF[1]), "false"}),
	}
	columns := map[string]string{
		"U1": "urgency_learning", "U2": "urgency_household", "U3": "urgency_adults", "U": "urgency", "W": "feasibility_wash",
		"crowd": "feasibility_crowding", "epi": "feasibility_epidemiology", "F": "feasibility", "profile": "profile",
	}
	words := map[string]string{"U_level": "urgency_level", "F_level": "feasibility_level", "epi_class": "epidemiology_class"}
	for _, c := range v.Cases {
		row := rowsOf(t, b, append(c.given(), method...), "marts.profiles",
			"select profiles.*, epidemiology_class from marts.profiles inner join intermediate.int_feasibility_schools using (cct, shift)")[0]
		for key, want := range c.Output {
			switch want := want.(type) {
			case nil:
				same(t, c.Name+" "+key, row[columns[key]], nil)
			case float64:
				same(t, c.Name+" "+key, row[columns[key]], &want)
			case string:
				if row[words[key]] != want {
					t.Errorf("%s %s: got %s, want %s", c.Name, key, row[words[key]], want)
				}
			case []any:
				c.checkFlags(t, row["flags"], want)
			}
		}
	}
}

// checkFlags compares the flags of the parts. Beside them the product says
// how sure an index is, where a school lies, whether other weights would change
// its profile, and whether it was better a fortnight before, which the vectors
// leave out.
func (c profileCase) checkFlags(t *testing.T, text string, want []any) {
	t.Helper()
	beside := []string{"UNANCHORED", "NO_UNCERTAINTY", "NO_GEOGRAPHY", "WORSENED", "BORDERLINE", ""}
	got := slices.DeleteFunc(strings.Split(strings.Trim(text, "[]"), ", "), func(flag string) bool { return slices.Contains(beside, flag) })
	wanted := []string{}
	for _, flag := range want {
		wanted = append(wanted, fmt.Sprint(flag))
	}
	slices.Sort(wanted)
	if !slices.Equal(got, wanted) {
		t.Errorf("%s flags: got %v, want %v", c.Name, got, wanted)
	}
}

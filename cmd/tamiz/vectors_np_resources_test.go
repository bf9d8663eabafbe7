package main

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"tamiz/transform"
)

// written is a number of a vector as text; "" if it is null.
func written(value *float64) string {
	if value == nil {
		return ""
	}
	return strconv.FormatFloat(*value, 'g', -1, 64)
}

func vectorsResources(t *testing.T, content []byte) {
	b := bench(t, "np")
	for number, v := range parse[[]struct {
		Counts  []int    `json:"N0_5"`
		Index   *float64 `json:"RI"`
		Literal *float64 `json:"RI_seed_literal"`
		Zero    *float64 `json:"zero_share"`
	}](t, content) {
		schools, levels, teachers := [][]string{}, [][]string{}, [][]string{}
		add := func(kind string, met int) {
			code := fmt.Sprintf("S%03d", len(schools))
			meets := func(position int) string { return strconv.FormatBool(met >= position) }
			rooms := map[bool]string{true: "1", false: "0"}[met >= 4]
			schools = append(schools, []string{"2070", code, "D", "V", kind, rooms, meets(2), meets(3), meets(5)})
			levels = append(levels, []string{code, "basic", "2070", "D", "V", "10"})
			teachers = append(teachers, []string{"2070", code, meets(1)})
		}
		for met, count := range v.Counts {
			for range count {
				add("community", met)
			}
		}
		add("institutional", 5) // does not count
		rows := rowsOf(t, b, []transform.Given{
			given("staging.stg_schools__schools", "year_bs school_code district_name vdc_name school_type classrooms_count textbooks book_corner latrines", schools...),
			given("intermediate.int_school_levels", "school_code level year_bs district_name vdc_name pupils_count", levels...),
			given("intermediate.int_school_teachers", "year_bs school_code has_teachers", teachers...),
		}, "marts.resources", "select * from marts.resources where unit_level = 'district'")
		at := fmt.Sprint("case ", number, " ")
		same(t, at+"index", rows[0]["resource_index"], v.Index)
		same(t, at+"literal index", rows[0]["resource_index_seed_literal"], v.Literal)
		same(t, at+"share of schools with nothing", rows[0]["zero_share"], v.Zero)
	}
}

func vectorsTeachers(t *testing.T, content []byte) {
	v := parse[struct {
		Schools []struct{ E, T, Norm, Min float64 }
		Result  struct {
			Required, Adequacy, Shortage, Surplus []*float64
			UnitAdequacy                          *float64 `json:"unit_adequacy"`
			SurplusShare                          *float64 `json:"surplus_share"`
			Naive                                 *float64 `json:"ptr_naive"`
		}
	}](t, content)
	b := bench(t, "np")
	var schools, levels, norms [][]string
	for i, s := range v.Schools {
		code := fmt.Sprint("S", i)
		schools = append(schools, []string{"2070", code, "D", "V", code, "community", written(&s.T)})
		levels = append(levels, []string{code, "basic", "2070", "5", written(&s.E)})
		norms = append(norms, []string{code, written(&s.Norm)}) // a belt of its own
	}
	rows := []transform.Given{
		given("staging.stg_schools__schools", "year_bs school_code district_name vdc_name belt school_type teachers_count", schools...),
		given("intermediate.int_school_levels", "school_code level year_bs taught_grade_count pupils_count", levels...),
		given("method.teacher_norms", "belt pupils_per_teacher", norms...),
	}
	for i, row := range rowsOf(t, b, rows, "intermediate.int_school_teachers", "select * from intermediate.int_school_teachers order by school_code") {
		for column, want := range map[string]*float64{"required_teachers_count": v.Result.Required[i], "teacher_adequacy": v.Result.Adequacy[i],
			"teacher_shortage_count": v.Result.Shortage[i], "teacher_surplus_count": v.Result.Surplus[i]} {
			same(t, fmt.Sprint("school ", i, " ", column), row[column], want)
		}
	}
	unit := rowsOf(t, b, rows, "marts.teachers", "select * from marts.teachers where unit_level = 'district'")[0]
	same(t, "adequacy", unit["teacher_adequacy"], v.Result.UnitAdequacy)
	same(t, "share of surplus teachers", unit["surplus_share"], v.Result.SurplusShare)
	same(t, "pupils per teacher", unit["pupils_per_teacher"], v.Result.Naive)
}

func vectorsQuadrants(t *testing.T, content []byte) {
	v := parse[struct {
		IndexThreshold    *float64 `json:"thr_EI"`
		ResourceThreshold *float64 `json:"thr_RI"`
		Units             []struct {
			Code, Quadrant string
			EI, RI         *float64
		}
	}](t, content)
	var standings, resources [][]string
	for _, unit := range v.Units {
		standings = append(standings, []string{unit.Code, "basic", "2070", "100", written(unit.EI)})
		resources = append(resources, []string{"district", unit.Code, "basic", "2070", unit.Code, written(unit.RI)})
	}
	rows := rowsOf(t, bench(t, "np"), []transform.Given{
		given("intermediate.int_district_standings", "district_name level year_bs pupils_count ei", standings...),
		given("intermediate.int_unit_resources", "unit_level unit_code level year_bs district_name resource_index", resources...),
	}, "marts.quadrants", "select * from marts.quadrants order by district_name")
	for i, unit := range v.Units {
		same(t, unit.Code+" threshold of results", rows[i]["ei_threshold"], v.IndexThreshold)
		same(t, unit.Code+" threshold of resources", rows[i]["resource_threshold"], v.ResourceThreshold)
		if rows[i]["quadrant"] != unit.Quadrant {
			t.Errorf("%s: quadrant %s, want %s", unit.Code, rows[i]["quadrant"], unit.Quadrant)
		}
	}
}

func vectorsComposite(t *testing.T, content []byte) {
	v := parse[struct {
		Components            map[string]*float64
		Geometric, Arithmetic *float64
	}](t, content)
	names := map[string]string{"survival": "survival", "slc": "learning", "attendance": "participation"}
	var components [][]string
	for name, value := range v.Components {
		components = append(components, []string{"D", "2070", names[name], written(value)})
	}
	rows := rowsOf(t, bench(t, "np"), []transform.Given{
		given("intermediate.int_district_components", "district_name year_bs component component_index", components...),
	}, "marts.composite", "select * from marts.composite")
	same(t, "geometric", rows[0]["composite_index"], v.Geometric)
	same(t, "arithmetic", rows[0]["arithmetic_composite"], v.Arithmetic)
}

func vectorsContext(t *testing.T, content []byte) {
	v := parse[struct {
		National struct {
			Groups []string
			C, N   []*float64
		}
		Nation    *float64 `json:"C_nat"`
		Districts []struct {
			D          string
			N          []float64
			CBar       *float64 `json:"C_bar"`
			Expected   *float64
			Raw        *float64 `json:"context_raw"`
			ValueAdded *float64 `json:"value_added"`
		}
	}](t, content)
	var national, standings, groups [][]string
	for i, name := range v.National.Groups {
		location, caste, _ := strings.Cut(name, "_")
		national = append(national, []string{"basic", "2070", "any", caste, location, "any", written(v.National.N[i]), written(v.National.C[i])})
		for _, d := range v.Districts {
			if d.N[i] > 0 { // a group without pupils has no row
				groups = append(groups, []string{d.D, "basic", "2070", "any", caste, location, "any", written(&d.N[i])})
			}
		}
	}
	for _, d := range v.Districts {
		standings = append(standings, []string{d.D, "basic", "2070", written(d.CBar)})
	}
	rows := rowsOf(t, bench(t, "np"), []transform.Given{
		given("intermediate.int_national_groups", "level year_bs context_gender context_caste context_location context_disability pupils_count coverage", national...),
		given("intermediate.int_context_groups", "district_name level year_bs context_gender context_caste context_location context_disability pupils_count", groups...),
		given("intermediate.int_district_standings", "district_name level year_bs c_bar", standings...),
	}, "marts.context", "select * from marts.context order by district_name")
	for i, d := range v.Districts {
		same(t, d.D+" nation", rows[i]["national_coverage"], v.Nation)
		same(t, d.D+" expected", rows[i]["expected_coverage"], d.Expected)
		same(t, d.D+" context", rows[i]["context_raw"], d.Raw)
		same(t, d.D+" value added", rows[i]["value_added"], d.ValueAdded)
	}
}

func vectorsAllocation(t *testing.T, content []byte) {
	v := parse[struct {
		B                           int64
		Alpha, Beta, Gamma          float64
		N, Need, Progress, Previous []float64
		Floor, Cap                  float64
		Target, Final, Rounded      []*float64
		Lambda                      *float64 `json:"lambda_implied"`
	}](t, content)
	b := bench(t, "np")
	var needs [][]string
	for i := range v.N {
		progress := max(0, v.Progress[i]) // only a rise counts
		needs = append(needs, []string{fmt.Sprint("D", i), "2070", written(&v.N[i]), written(&v.Need[i]), written(&progress), written(&v.Previous[i])})
	}
	number := func(value float64) string { return written(&value) }
	rows := rowsOf(t, b, []transform.Given{
		given("intermediate.int_district_needs", "district_name year_bs pupils_count need progress previous_amount", needs...),
		constant(t, b, "method.allocation", map[string]string{"budget": strconv.FormatInt(v.B, 10), "floor_ratio": number(v.Floor), "cap_ratio": number(v.Cap)}),
		given("method.allocation_formulas", "formula pupils_share need_share progress_share", []string{"full", number(v.Alpha), number(v.Beta), number(v.Gamma)}),
	}, "marts.allocation", "select a.*, exact_amount from marts.allocation as a inner join intermediate.int_allocation_amounts on unit_id = district_name order by district_name")
	for i, row := range rows {
		at := fmt.Sprint("unit ", i, " ")
		same(t, at+"target", row["target_amount"], v.Target[i])
		same(t, at+"exact", row["exact_amount"], v.Final[i])
		same(t, at+"rounded", row["amount"], v.Rounded[i])
		same(t, at+"multiplier", row["multiplier"], v.Lambda)
	}
}

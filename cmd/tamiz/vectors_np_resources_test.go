package main

import (
	"fmt"
	"strconv"
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

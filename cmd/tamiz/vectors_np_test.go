package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tamiz/transform"
)

// flows are the head counts of one group: grades in year t, the same in year
// t+1, and the repeaters among the latter.
type flows struct {
	E0 []int64 `json:"E_t"`
	E1 []int64 `json:"E_t1"`
	R1 []int64 `json:"R_t1"`
}

// cell is one group with its place in the raw layout's columns.
type cell struct {
	sex, caste, disability, location string
	flows
}

var dimensionWords = map[string]string{"dalit": "Dalit", "other": "Other", "dis": "yes", "nodis": "no", "F": "F", "M": "M", "rural": "rural", "urban": "urban"}

// cellOf puts a vector's key into the raw layout.
func cellOf(t *testing.T, dims, key []string, f flows) cell {
	t.Helper()
	c := cell{sex: "F", caste: "Other", disability: "no", location: "rural", flows: f}
	for i, dim := range dims {
		word, ok := dimensionWords[key[i]]
		if !ok {
			t.Fatalf("the vector has an unknown word %q", key[i])
		}
		switch dim {
		case "gender":
			c.sex = word
		case "caste":
			c.caste = word
		case "disability":
			c.disability = word
		case "location":
			c.location = word
		default:
			t.Fatalf("the vector has an unknown dimension %q", dim)
		}
	}
	return c
}

// enrolment writes cells as the rows of the raw layout: one school of one
// district, years 2070 and 2071. Repeaters stand in the row of year t.
func enrolment(cells []cell) transform.Given {
	given := transform.Given{Table: "raw.enrolment", Columns: []string{"year_bs", "district", "vdc", "school_code", "grade", "sex", "caste", "disability", "location", "enrolled", "repeaters_next"}}
	add := func(year string, grade int, c cell, enrolled, repeaters string) {
		var row []*string
		for _, text := range []string{year, "D", "V", "S1", strconv.Itoa(grade), c.sex, c.caste, c.disability, c.location, enrolled, repeaters} {
			row = append(row, &text)
		}
		given.Rows = append(given.Rows, row)
	}
	for _, c := range cells {
		for i := range c.E0 {
			repeaters := ""
			if c.R1 != nil {
				repeaters = strconv.FormatInt(c.R1[i], 10)
			}
			add("2070", i+1, c, strconv.FormatInt(c.E0[i], 10), repeaters)
			add("2071", i+1, c, strconv.FormatInt(c.E1[i], 10), "")
		}
	}
	return given
}

// constant gives a method table with some values replaced.
func constant(t *testing.T, b *transform.Bench, table string, changes map[string]string) transform.Given {
	t.Helper()
	columns, rows, err := b.Select(t.Context(), nil, nil, "select * from "+table+" limit 1")
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range changes {
		i := slices.Index(columns, name)
		if i < 0 {
			t.Fatalf("%s has no column %s", table, name)
		}
		rows[0][i] = &value
	}
	return transform.Given{Table: table, Columns: columns, Rows: rows}
}

func levels(t *testing.T, b *transform.Bench, grades int) transform.Given {
	t.Helper()
	return constant(t, b, "method.levels", map[string]string{"level": "basic", "first_grade": "1", "last_grade": strconv.Itoa(grades)})
}

// rowsOf selects rows as maps.
func rowsOf(t *testing.T, b *transform.Bench, given []transform.Given, mart, query string) []map[string]string {
	t.Helper()
	columns, rows, err := b.Select(t.Context(), given, []string{mart}, query)
	if err != nil {
		t.Fatal(err)
	}
	var list []map[string]string
	for _, row := range rows {
		object := map[string]string{}
		for i, value := range cells(row, "NULL") {
			object[columns[i]] = value
		}
		list = append(list, object)
	}
	return list
}

// same compares a value of the pipeline with one of a vector, which may be
// null.
func same(t *testing.T, what, got string, want *float64) {
	t.Helper()
	if want == nil {
		if got != "NULL" {
			t.Errorf("%s: got %s, want NULL", what, got)
		}
		return
	}
	value, err := strconv.ParseFloat(got, 64)
	if err != nil {
		t.Errorf("%s: got %s, want %v", what, got, *want)
		return
	}
	near(t, what, value, *want)
}

type transition struct {
	P, R, D, S *float64
	AtRisk     *float64 `json:"at_risk"`
	Flags      []string
}

// checkTransitions compares promotion, repetition, dropout and transition.
func checkTransitions(t *testing.T, b *transform.Bench, given []transform.Given, want []transition) {
	t.Helper()
	rows := rowsOf(t, b, given, "marts.transitions", "select * from marts.transitions where unit_level = 'district' and year_bs = 2070 order by grade")
	if len(rows) < len(want) {
		t.Fatalf("%d transitions, want %d", len(rows), len(want))
	}
	for i, w := range want {
		at := fmt.Sprintf("grade %d ", i+1)
		same(t, at+"p", rows[i]["promotion_share"], w.P)
		same(t, at+"r", rows[i]["repetition_share"], w.R)
		same(t, at+"d", rows[i]["dropout_share"], w.D)
		same(t, at+"s", rows[i]["transition"], w.S)
		same(t, at+"at risk", rows[i]["at_risk_count"], w.AtRisk)
		slices.Sort(w.Flags)
		if want := "[" + strings.Join(w.Flags, ", ") + "]"; rows[i]["flags"] != want {
			t.Errorf("%sflags: got %s, want %s", at, rows[i]["flags"], want)
		}
	}
}

func vectorsFlows(t *testing.T, content []byte) {
	v := parse[struct {
		flows
		Transitions []transition
		Survival    *float64            `json:"survival_1_8"`
		SE          *float64            `json:"se_greenwood"`
		CI          []float64           `json:"ci95"`
		Capped      map[string]*float64 `json:"survival_max_repeats_total"`
		Apparent    *float64            `json:"apparent_1_8"`
		Promotion   *float64            `json:"product_of_promotion_only"`
	}](t, content)
	b := bench(t, "np")
	given := []transform.Given{levels(t, b, len(v.E0)), enrolment([]cell{cellOf(t, nil, nil, v.flows)})}
	checkTransitions(t, b, given, v.Transitions)
	survival := func(more ...transform.Given) map[string]string {
		return rowsOf(t, b, append(more, given...), "marts.survival", "select * from marts.survival where unit_level = 'district' and year_bs = 2070")[0]
	}
	row := survival()
	same(t, "survival", row["survival"], v.Survival)
	same(t, "standard error", row["survival_se"], v.SE)
	same(t, "apparent survival", row["apparent_survival"], v.Apparent)
	same(t, "product of promotion", row["survival_k0"], v.Promotion)
	if len(v.CI) == 2 {
		same(t, "lower bound", row["survival_low"], &v.CI[0])
		same(t, "upper bound", row["survival_high"], &v.CI[1])
	}
	for k, want := range v.Capped {
		row := survival(constant(t, b, "method.flows", map[string]string{"max_repeats_total": k}))
		same(t, "survival with at most "+k+" repetitions", row["survival_k2"], want)
	}
}

func vectorsFlowsEdge(t *testing.T, content []byte) {
	b := bench(t, "np")
	for _, v := range parse[[]struct {
		Name string
		flows
		Transitions []transition
	}](t, content) {
		t.Run(v.Name, func(t *testing.T) {
			checkTransitions(t, b, []transform.Given{levels(t, b, len(v.E0)), enrolment([]cell{cellOf(t, nil, nil, v.flows)})}, v.Transitions)
		})
	}
}

// index gives the one row of district_index and the groups in order.
func index(t *testing.T, b *transform.Bench, given []transform.Given) (map[string]string, []map[string]string) {
	t.Helper()
	rows := rowsOf(t, b, given, "marts.district_index", "select * from marts.district_index where year_bs = 2070")
	if len(rows) != 1 {
		t.Fatalf("%d districts, want 1", len(rows))
	}
	return rows[0], rowsOf(t, b, given, "marts.district_groups", "select * from marts.district_groups where year_bs = 2070")
}

// groupOf finds the group of a cell.
func groupOf(t *testing.T, groups []map[string]string, c cell) map[string]string {
	t.Helper()
	codes := map[string]string{"Dalit": "dalit", "Other": "non-dalit", "yes": "disabled", "no": "non-disabled"}
	for _, group := range groups {
		if group["gender"] == c.sex && group["caste"] == codes[c.caste] && group["location"] == c.location && group["disability"] == codes[c.disability] {
			return group
		}
	}
	t.Fatalf("there is no group %+v", c)
	return nil
}

func vectorsDissimilarity(t *testing.T, content []byte) {
	v := parse[struct {
		District struct {
			Cells []struct {
				Key []string
				flows
				Survival, SE, N *float64
			}
			Dims   []string
			CBar   *float64 `json:"C_bar"`
			D, EI  *float64
			CPool  *float64 `json:"C_pool"`
			DSeed  *float64 `json:"D_seed_literal"`
			EISeed *float64 `json:"EI_seed_literal"`
			D0     *float64 `json:"noise_floor"`
		}
		Counter struct {
			Groups  []flows
			N       []float64
			CGroups []float64 `json:"C_groups"`
			CPool   *float64  `json:"C_pool"`
			DSeed   *float64  `json:"D_seed_literal"`
			CBar    *float64  `json:"C_bar"`
			D       *float64  `json:"D_consistent"`
		} `json:"seed_literal_counterexample"`
	}](t, content)
	raw := parse[map[string]map[string]json.RawMessage](t, content)
	b := bench(t, "np")
	free := ungated(t, b)
	for name, fields := range raw {
		if fields["c"] == nil { // groups are not given by their coverage
			continue
		}
		t.Run(name, func(t *testing.T) {
			rates := groupRates(optional[[]float64](t, fields["w"]), optional[[]float64](t, fields["n"]), optional[[]float64](t, fields["c"]))
			row := rowsOf(t, b, append(rates, free), "marts.district_index", "select * from marts.district_index")[0]
			same(t, "C", row["c_bar"], optional[*float64](t, fields["C"]))
			same(t, "D", row["dissimilarity"], optional[*float64](t, fields["D"]))
			same(t, "EI", row["ei"], optional[*float64](t, fields["HOI"]))
			for _, flag := range optional[[]string](t, fields["flags"]) {
				if !strings.Contains(row["flags"], flag) {
					t.Errorf("flags %s lack %s", row["flags"], flag)
				}
			}
		})
	}
	t.Run("seed_literal_counterexample", func(t *testing.T) {
		var list []cell
		for i, group := range v.Counter.Groups {
			list = append(list, cellOf(t, []string{"gender"}, []string{[]string{"F", "M"}[i]}, group))
		}
		row, groups := index(t, b, []transform.Given{levels(t, b, len(list[0].E0)), free, enrolment(list)})
		same(t, "C_pool", row["c_pool"], v.Counter.CPool)
		same(t, "D_seed_literal", row["d_seed_literal"], v.Counter.DSeed)
		same(t, "C_bar", row["c_bar"], v.Counter.CBar)
		same(t, "D", row["dissimilarity"], v.Counter.D)
		for i, c := range list {
			same(t, "C of a group", groupOf(t, groups, c)["coverage"], &v.Counter.CGroups[i])
			same(t, "n of a group", groupOf(t, groups, c)["pupils_count"], &v.Counter.N[i])
		}
	})
	t.Run("district", func(t *testing.T) {
		var list []cell
		for _, c := range v.District.Cells {
			list = append(list, cellOf(t, v.District.Dims, c.Key, c.flows))
		}
		row, groups := index(t, b, []transform.Given{levels(t, b, len(list[0].E0)), enrolment(list)})
		for column, want := range map[string]*float64{"c_bar": v.District.CBar, "dissimilarity": v.District.D, "ei": v.District.EI, "c_pool": v.District.CPool,
			"d_seed_literal": v.District.DSeed, "ei_seed_literal": v.District.EISeed, "d0": v.District.D0} {
			same(t, column, row[column], want)
		}
		for i, c := range list {
			group := groupOf(t, groups, c)
			same(t, "survival of a group", group["coverage"], v.District.Cells[i].Survival)
			same(t, "standard error of a group", group["coverage_se"], v.District.Cells[i].SE)
			same(t, "n of a group", group["pupils_count"], v.District.Cells[i].N)
		}
	})
}

// optional decodes one field, which may be absent.
func optional[T any](t *testing.T, field json.RawMessage) T {
	t.Helper()
	if field == nil {
		field = []byte("null")
	}
	return parse[T](t, field)
}

// groupRates gives the index's inputs directly: one row per group.
func groupRates(weights, counts, coverage []float64) []transform.Given {
	if counts == nil {
		counts = millionths(weights)
	}
	var keys [][]string
	for i := range coverage {
		keys = append(keys, []string{fmt.Sprint("g", i), "x"})
	}
	return yearRates([]year{{2070, keys, counts, coverage}})
}

// year is what the groups of a district have in one school year: gender and
// location, pupils, and coverage.
type year struct {
	number           int
	keys             [][]string
	counts, coverage []float64
}

func yearRates(years []year) []transform.Given {
	rates := transform.Given{Table: "intermediate.int_group_rates", Columns: []string{"variant", "district_name", "level", "year_bs", "gender", "caste", "location", "disability",
		"group_count", "pupils_count", "weight_count", "pool_pupils_count", "coverage", "coverage_se", "backoff", "is_estimated"}}
	leftOut := transform.Given{Table: "intermediate.int_district_left_out", Columns: []string{"variant", "district_name", "level", "year_bs", "district_count", "left_out_share", "is_partial", "is_missing"}}
	add := func(given *transform.Given, texts ...string) {
		var row []*string
		for _, text := range texts {
			row = append(row, &text)
		}
		given.Rows = append(given.Rows, row)
	}
	for _, y := range years {
		for i, c := range y.coverage {
			n := strconv.FormatFloat(y.counts[i], 'f', 0, 64)
			add(&rates, "index", "D", "basic", strconv.Itoa(y.number), y.keys[i][0], "x", y.keys[i][1], "x", "1", n, n, n, strconv.FormatFloat(c, 'g', -1, 64), "0", "0", "false")
		}
		add(&leftOut, "index", "D", "basic", strconv.Itoa(y.number), "1", "0", "false", "false")
	}
	return []transform.Given{rates, leftOut}
}

// ungated lets every group and district be published, however small.
func ungated(t *testing.T, b *transform.Bench) transform.Given {
	t.Helper()
	return constant(t, b, "method.equity", map[string]string{"min_n": "0", "min_at_risk": "0", "coverage_only_below_n": "0"})
}

func millionths(weights []float64) []float64 {
	var counts []float64
	for _, weight := range weights {
		counts = append(counts, weight*1e6)
	}
	return counts
}

func vectorsShapley(t *testing.T, content []byte) {
	v := parse[struct {
		W, C   []float64
		Keys   [][]string
		Result struct {
			Values, Shapley, Share map[string]*float64
			OneWay                 map[string]*float64 `json:"one_way"`
			LastIn                 map[string]*float64 `json:"last_in"`
			D                      *float64
		}
	}](t, content)
	b := bench(t, "np")
	given := append(yearRates([]year{{2070, v.Keys, millionths(v.W), v.C}}), ungated(t, b))
	rows := rowsOf(t, b, given, "marts.district_drivers", "select * from marts.district_drivers")
	for _, row := range rows {
		dimension := row["dimension"]
		if v.Result.Shapley[dimension] == nil { // one that has one value in the data
			for _, column := range []string{"shapley", "one_way", "last_in", "share"} {
				zero := 0.0
				same(t, dimension+" "+column, row[column], &zero)
			}
			continue
		}
		same(t, dimension+" shapley", row["shapley"], v.Result.Shapley[dimension])
		same(t, dimension+" share", row["share"], v.Result.Share[dimension])
		same(t, dimension+" one way", row["one_way"], v.Result.OneWay[dimension])
		same(t, dimension+" alone", row["one_way"], v.Result.Values[dimension])
		same(t, dimension+" last in", row["last_in"], v.Result.LastIn[dimension])
		same(t, "D", row["dissimilarity"], v.Result.D)
	}
	if len(rows) != 4 {
		t.Errorf("%d drivers, want one for each of the 4 dimensions", len(rows))
	}
}

func vectorsBackoff(t *testing.T, content []byte) {
	v := parse[struct {
		Dims  []string
		Cells []struct {
			Key []string
			flows
		}
		MinN      int `json:"min_n"`
		MinAtRisk int `json:"min_at_risk"`
		Result    struct {
			Cells []struct {
				Key        []string
				N, Backoff *float64
				Pooled     *float64 `json:"n_pooled"`
				C          *float64
			}
			CPool  *float64 `json:"C_pool"`
			CBar   *float64 `json:"C_bar"`
			D, EI  *float64
			Weight *float64 `json:"backoff_weight"`
			N      *float64
			Flags  []string
		}
	}](t, content)
	b := bench(t, "np")
	var list []cell
	for _, c := range v.Cells {
		list = append(list, cellOf(t, v.Dims, c.Key, c.flows))
	}
	given := []transform.Given{levels(t, b, len(list[0].E0)), enrolment(list)}
	if v.MinN > 0 {
		given = append(given, constant(t, b, "method.equity", map[string]string{"min_n": strconv.Itoa(v.MinN), "min_at_risk": strconv.Itoa(v.MinAtRisk)}))
	}
	row, groups := index(t, b, given)
	for column, want := range map[string]*float64{"c_bar": v.Result.CBar, "c_pool": v.Result.CPool, "backoff_weight": v.Result.Weight, "pupils_count": v.Result.N, "dissimilarity": v.Result.D, "ei": v.Result.EI} {
		same(t, column, row[column], want)
	}
	for _, flag := range v.Result.Flags {
		if !strings.Contains(row["flags"], flag) {
			t.Errorf("flags %s lack %s", row["flags"], flag)
		}
	}
	for i, c := range v.Result.Cells {
		group := groupOf(t, groups, cellOf(t, v.Dims, c.Key, v.Cells[i].flows))
		for column, want := range map[string]*float64{"pupils_count": c.N, "backoff": c.Backoff, "pool_pupils_count": c.Pooled, "coverage": c.C} {
			same(t, fmt.Sprint(c.Key, " ", column), group[column], want)
		}
	}
}

func vectorsDisability(t *testing.T, content []byte) {
	v := parse[struct {
		Total    flows
		Disabled flows
		Results  map[string]struct {
			RDis    []float64 `json:"R_dis"`
			RNondis []float64 `json:"R_nondis"`
			SDis    *float64  `json:"S_dis"`
			SNondis *float64  `json:"S_nondis"`
		}
	}](t, content)
	b := bench(t, "np")
	others := flows{R1: v.Total.R1}
	for i := range v.Total.E0 {
		others.E0 = append(others.E0, v.Total.E0[i]-v.Disabled.E0[i])
		others.E1 = append(others.E1, v.Total.E1[i]-v.Disabled.E1[i])
	}
	list := []cell{cellOf(t, []string{"disability"}, []string{"nodis"}, others), cellOf(t, []string{"disability"}, []string{"dis"}, flows{E0: v.Disabled.E0, E1: v.Disabled.E1})}
	for phi, want := range v.Results {
		given := []transform.Given{levels(t, b, len(v.Total.E0)), enrolment(list),
			constant(t, b, "method.variants", map[string]string{"disability_phi": phi}),
			ungated(t, b)}
		for code, counts := range map[string][]float64{"disabled": want.RDis, "non-disabled": want.RNondis} {
			rows := rowsOf(t, b, given, "intermediate.int_group_repeaters", "select * from intermediate.int_group_repeaters where year_bs = 2070 and disability = '"+code+"' order by grade")
			for i := range counts {
				same(t, fmt.Sprintf("phi %s, grade %d, repeaters %s", phi, i+1, code), rows[i]["repeaters_count"], &counts[i])
			}
		}
		_, groups := index(t, b, given)
		same(t, "phi "+phi+", survival of the disabled", groupOf(t, groups, list[1])["coverage"], want.SDis)
		same(t, "phi "+phi+", survival of the others", groupOf(t, groups, list[0])["coverage"], want.SNondis)
	}
}

func vectorsChange(t *testing.T, content []byte) {
	v := parse[struct {
		W0, C0, W1, C1 []float64
		Result         map[string]*float64
	}](t, content)
	b := bench(t, "np")
	var keys [][]string
	for i := range v.C0 {
		keys = append(keys, []string{fmt.Sprint("g", i), "x"})
	}
	// Survival stands on flows, which the vector lacks; the mart has a row for each unit that has one.
	survival := transform.Given{Table: "intermediate.int_unit_progress", Columns: []string{"unit_level", "unit_code", "level", "year_bs", "year_count", "has_earlier"}}
	var row []*string
	for _, text := range []string{"district", "D", "basic", "2071", "1", "true"} {
		row = append(row, &text)
	}
	survival.Rows = append(survival.Rows, row)
	given := append(yearRates([]year{{2070, keys, millionths(v.W0), v.C0}, {2071, keys, millionths(v.W1), v.C1}}), ungated(t, b), survival)
	progress := rowsOf(t, b, given, "marts.progress", "select * from marts.progress")[0]
	for column, want := range map[string]string{"ei_before": "H0", "ei": "H1", "ei_change": "delta", "c_bar_before": "C0", "c_bar": "C1",
		"dissimilarity_before": "D0", "dissimilarity": "D1", "composition": "composition", "scale": "scale", "equalisation": "equalisation"} {
		same(t, column, progress[column], v.Result[want])
	}
}

func vectorsOutOfSchool(t *testing.T, content []byte) {
	b := bench(t, "np")
	for i, v := range parse[[]struct {
		Enrolled []int64
		Pop      []float64
		Labels   []string
		OOSR     []*float64 `json:"oosr_raw"`
		Total    *float64   `json:"oosr_total_raw"`
		CBar     *float64   `json:"C_bar"`
		D, EI    *float64
		Flags    []string
	}](t, content) {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			var list []cell
			people := transform.Given{Table: "raw.population", Columns: []string{"year_bs", "district", "age", "sex", "population"}}
			for i, sex := range v.Labels {
				c := cellOf(t, []string{"gender"}, []string{sex}, flows{E0: v.Enrolled[i : i+1], E1: v.Enrolled[i : i+1]})
				list = append(list, c)
				var row []*string
				for _, text := range []string{"2070", "D", "5", sex, strconv.FormatFloat(v.Pop[i], 'f', 0, 64)} {
					row = append(row, &text)
				}
				people.Rows = append(people.Rows, row)
			}
			levels := constant(t, b, "method.levels", map[string]string{"level": "basic", "first_grade": "1", "last_grade": "1", "first_age": "5", "last_age": "5"})
			given := []transform.Given{levels, enrolment(list), people}
			row := rowsOf(t, b, given, "marts.out_of_school", "select * from marts.out_of_school where unit_level = 'district' and year_bs = 2070")[0]
			for column, want := range map[string]*float64{"out_of_school_rate": v.Total, "c_bar": v.CBar, "dissimilarity": v.D, "ei": v.EI} {
				same(t, column, row[column], want)
			}
			for _, flag := range v.Flags {
				if !strings.Contains(row["flags"], flag) {
					t.Errorf("flags %s lack %s", row["flags"], flag)
				}
			}
			for i, sex := range v.Labels {
				column := map[string]string{"F": "out_of_school_rate_girls", "M": "out_of_school_rate_boys"}[sex]
				same(t, column, row[column], v.OOSR[i])
			}
		})
	}
}

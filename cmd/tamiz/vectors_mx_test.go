package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tamiz/pipeline"
	"tamiz/transform"
)

// given makes the rows of a table from texts; "" is NULL.
func given(table, columns string, rows ...[]string) transform.Given {
	g := transform.Given{Table: table, Columns: strings.Fields(columns)}
	for _, row := range rows {
		var texts []*string
		for _, text := range row {
			if text == "" {
				texts = append(texts, nil)
			} else {
				texts = append(texts, &text)
			}
		}
		g.Rows = append(g.Rows, texts)
	}
	return g
}

// weekEnd gives the Sunday of an ISO week, which may be too late for its year.
func weekEnd(year, week int) time.Time {
	fourth := time.Date(year, time.January, 4, 0, 0, 0, 0, time.UTC)
	return fourth.AddDate(0, 0, 7*week-7+(7-int(fourth.Weekday()))%7)
}

// asOf gives the run's dates.
func asOf(day time.Time) transform.Given {
	text := day.Format(pipeline.DateLayout)
	return given("raw.run", "pipeline period_end as_of_date", []string{"mx", text, text})
}

// deathsByYear is what the excess vectors give: of each year the deaths of its
// weeks (or months, taken as its first twelve weeks); null is not observed.
type deathsByYear map[string][]*int

// years gives the years in order.
func (d deathsByYear) years(t *testing.T) []int {
	t.Helper()
	var years []int
	for text := range d {
		year, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		years = append(years, year)
	}
	slices.Sort(years)
	return years
}

// given gives the rows of one state's weeks, the method with the years of the
// baseline, and the named spans of weeks.
func (d deathsByYear) given(t *testing.T, b *transform.Bench, from, to int, spans ...[]string) []transform.Given {
	t.Helper()
	var rows [][]string
	for _, year := range d.years(t) {
		for i, deaths := range d[strconv.Itoa(year)] {
			row := []string{"01", strconv.Itoa(year), strconv.Itoa(i + 1), "1", "", "INEGI", "[]", weekEnd(year, i+1).Format(pipeline.DateLayout)}
			if deaths != nil {
				row[4] = strconv.Itoa(*deaths)
			}
			rows = append(rows, row)
		}
	}
	return []transform.Given{
		given("intermediate.int_deaths_weeks", "state_code iso_year iso_week state_count deaths_count source flags week_end_date", rows...),
		constant(t, b, "method.excess", map[string]string{ // the vectors' periods are fitted as they stand, however small
			"baseline_from": strconv.Itoa(from), "baseline_to": strconv.Itoa(to), "hold_year": strconv.Itoa(to + 1),
			"min_weekly_deaths": "0", "min_fortnight_deaths": "0",
		}),
		given("method.excess_windows", "window_name iso_year first_week last_week", spans...),
		asOf(time.Date(to+5, time.January, 1, 0, 0, 0, 0, time.UTC)),
	}
}

// excess is the result for a window.
type excess struct {
	Deaths, Baseline, Excess, SD, Z *float64
	Floor                           *float64  `json:"sd_floor"`
	Interval                        []float64 `json:"pi95_excess"`
	P                               *float64  `json:"p_score"`
	PInterval                       []float64 `json:"p_pi95"`
	Fortnight                       int
}

// check compares the published row with it.
func (e excess) check(t *testing.T, what string, row map[string]string) {
	t.Helper()
	for column, want := range map[string]*float64{
		"deaths_count": e.Deaths, "baseline_count": e.Baseline, "excess_count": e.Excess, "excess_sd": e.SD,
		"excess_sd_floor": e.Floor, "p_score": e.P, "z_score": e.Z,
	} {
		same(t, what+" "+column, row[column], want)
	}
	for i, bound := range []string{"low", "high"} {
		if len(e.Interval) == 2 {
			same(t, what+" excess "+bound, row["excess_"+bound], &e.Interval[i])
		}
		if len(e.PInterval) == 2 {
			same(t, what+" P-score "+bound, row["p_score_"+bound], &e.PInterval[i])
		}
	}
}

// fit is the regression of the baseline.
type fit struct {
	N, DF, Slope *float64
	Sigma2       *float64
}

func (f fit) check(t *testing.T, b *transform.Bench, rows []transform.Given) {
	t.Helper()
	row := rowsOf(t, b, rows, "intermediate.int_excess_fits", "select * from intermediate.int_excess_fits")[0]
	if f.N != nil {
		same(t, "fitted periods", row["fitted_count"], f.N)
	}
	same(t, "degrees of freedom", row["degrees_of_freedom"], f.DF)
	same(t, "slope", row["slope"], f.Slope)
	same(t, "variance", row["variance"], f.Sigma2)
}

// spanOf gives the row of a named span.
func spanOf(t *testing.T, b *transform.Bench, rows []transform.Given, name string) map[string]string {
	t.Helper()
	return rowsOf(t, b, rows, "marts.excess_windows", "select * from marts.excess_windows where state_code = '01' and window_name = "+pipeline.QuoteText(name))[0]
}

// checkBaseline compares the baseline of a year's weeks.
func checkBaseline(t *testing.T, b *transform.Bench, rows []transform.Given, year int, want []float64) {
	t.Helper()
	weeks := rowsOf(t, b, rows, "intermediate.int_excess_weeks", fmt.Sprintf("select * from intermediate.int_excess_weeks where iso_year = %d and state_code = '01' order by iso_week", year))
	for i := range want {
		same(t, fmt.Sprintf("baseline of week %d", i+1), weeks[i]["baseline_count"], &want[i])
	}
}

func vectorsExcessHand(t *testing.T, content []byte) {
	v := parse[struct {
		Deaths       deathsByYear
		Slope        *float64
		Intercepts   []float64
		Sigma2       *float64
		DF           *float64
		BaselineLast []float64 `json:"baseline_2020"`
		Result       excess
		Each         []excess
	}](t, content)
	b := bench(t, "mx")
	years := v.Deaths.years(t)
	last := years[len(years)-1]
	year := strconv.Itoa(last)
	spans := [][]string{{"all", year, "1", "53"}}
	for i := range v.Each {
		spans = append(spans, []string{fmt.Sprint("week ", i+1), year, strconv.Itoa(i + 1), strconv.Itoa(i + 1)})
	}
	rows := v.Deaths.given(t, b, years[0], years[len(years)-2], spans...)
	fit{DF: v.DF, Slope: v.Slope, Sigma2: v.Sigma2}.check(t, b, rows)
	checkBaseline(t, b, rows, last, v.BaselineLast)
	v.Result.check(t, "all", spanOf(t, b, rows, "all"))
	for i, each := range v.Each {
		name := fmt.Sprint("week ", i+1)
		each.check(t, name, spanOf(t, b, rows, name))
	}
	means := rowsOf(t, b, rows, "intermediate.int_excess_fits", "select deaths_mean - slope * year_mean as intercept from intermediate.int_excess_means inner join intermediate.int_excess_fits using (state_code) order by period")
	for i := range v.Intercepts {
		same(t, fmt.Sprintf("intercept %d", i+1), means[i]["intercept"], &v.Intercepts[i])
	}
}

func vectorsExcessMexico(t *testing.T, content []byte) {
	v := parse[struct {
		Published struct{ Excess, SD float64 }
		Deaths    deathsByYear
		Fit       fit
		Baseline  []float64 `json:"baseline_2020_weeks_1_52"`
		Total     excess    `json:"total_weeks_10_53"`
		Share     float64   `json:"excess_pct_of_annual_baseline_53w"`
		Annual    float64   `json:"annual_baseline_53"`
		Of2020    []excess  `json:"fortnights_2020"`
		Of2021    []excess  `json:"fortnights_2021_hold2020"`
	}](t, content)
	b := bench(t, "mx")
	rows := v.Deaths.given(t, b, 2015, 2019, []string{"weeks 10-53", "2020", "10", "53"})
	v.Fit.check(t, b, rows)
	checkBaseline(t, b, rows, 2020, v.Baseline)
	total := spanOf(t, b, rows, "weeks 10-53")
	v.Total.check(t, "weeks 10-53", total)
	share := v.Share / 100
	same(t, "share of the annual baseline", total["annual_baseline_share"], &share)
	for column, want := range map[string]float64{"excess_count": v.Published.Excess, "excess_sd": v.Published.SD} {
		if got, _ := strconv.ParseFloat(total[column], 64); fmt.Sprintf("%.0f", got) != fmt.Sprintf("%.0f", want) {
			t.Errorf("%s: got %s, published %.0f", column, total[column], want)
		}
	}
	year := rowsOf(t, b, rows, "intermediate.int_excess_years", "select * from intermediate.int_excess_years where iso_year = 2020")[0]
	same(t, "annual baseline", year["annual_baseline_count"], &v.Annual)
	for year, wanted := range map[int][]excess{2020: v.Of2020, 2021: v.Of2021} {
		got := rowsOf(t, b, rows, "marts.excess_mortality", fmt.Sprintf("select * from marts.excess_mortality where iso_year = %d order by fortnight", year))
		for i, want := range wanted {
			want.check(t, fmt.Sprintf("%d fortnight %d", year, i+1), got[i])
			if long := strings.Contains(got[i]["flags"], "LONG_FORTNIGHT"); long != (year == 2020 && i == 25) {
				t.Errorf("%d fortnight %d: flags %s", year, i+1, got[i]["flags"])
			}
		}
	}
}

func vectorsExcessMoldova(t *testing.T, content []byte) {
	v := parse[struct {
		Deaths   deathsByYear
		Fit      fit
		Baseline []float64 `json:"baseline_2020"`
		Total    excess    `json:"total_months_3_12"`
		Share    float64   `json:"excess_pct_of_annual_baseline"`
	}](t, content)
	b := bench(t, "mx")
	rows := v.Deaths.given(t, b, 2015, 2019, []string{"months 3-12", "2020", "3", "12"})
	v.Fit.check(t, b, rows)
	checkBaseline(t, b, rows, 2020, v.Baseline)
	total := spanOf(t, b, rows, "months 3-12")
	v.Total.check(t, "months 3-12", total)
	share := v.Share / 100
	same(t, "share of the annual baseline", total["annual_baseline_share"], &share)
}

func vectorsExcessDelay(t *testing.T, content []byte) {
	v := parse[struct {
		Triangle [][]int
		L        int
		Result   struct {
			Factors      []*float64
			Completeness []*float64 `json:"completeness_by_lag"`
			Weeks        []struct {
				Observed                int
				Completeness, Corrected *float64
				Status                  string
			}
		}
	}](t, content)
	b := bench(t, "mx")
	var vintages, weeks [][]string
	now := weekEnd(2021, len(v.Triangle))
	for i, counts := range v.Triangle {
		end := weekEnd(2021, i+1)
		for lag, deaths := range counts {
			vintages = append(vintages, []string{"SSA", end.AddDate(0, 0, 7*lag).Format(pipeline.DateLayout), "2021", strconv.Itoa(i + 1), strconv.Itoa(lag), strconv.Itoa(deaths)})
		}
		weeks = append(weeks, []string{"01", "2021", strconv.Itoa(i + 1), "1", strconv.Itoa(counts[len(counts)-1]), "SSA", "[]", end.Format(pipeline.DateLayout)})
	}
	rows := []transform.Given{
		given("intermediate.int_deaths_vintages", "source vintage_date iso_year iso_week lag_weeks deaths_count", vintages...),
		given("intermediate.int_deaths_weeks", "state_code iso_year iso_week state_count deaths_count source flags week_end_date", weeks...),
		constant(t, b, "method.excess", map[string]string{"max_lag_weeks": strconv.Itoa(v.L)}),
		asOf(now),
	}
	lags := rowsOf(t, b, rows, "intermediate.int_deaths_completeness", "select * from intermediate.int_deaths_completeness order by lag_weeks")
	for lag, want := range v.Result.Completeness {
		same(t, fmt.Sprintf("completeness at lag %d", lag), lags[lag]["completeness"], want)
		if lag < len(v.Result.Factors) {
			same(t, fmt.Sprintf("factor at lag %d", lag), lags[lag]["factor"], v.Result.Factors[lag])
		}
	}
	got := rowsOf(t, b, rows, "intermediate.int_excess_weeks", "select *, deaths_reported_count / completeness as corrected from intermediate.int_excess_weeks order by iso_week")
	for i, want := range v.Result.Weeks {
		at := fmt.Sprintf("week %d ", i+1)
		same(t, at+"completeness", got[i]["completeness"], want.Completeness)
		same(t, at+"corrected", got[i]["corrected"], want.Corrected)
		if got[i]["delay_status"] != want.Status {
			t.Errorf("%sstatus: got %s, want %s", at, got[i]["delay_status"], want.Status)
		}
		if suppressed := got[i]["deaths_count"] == "NULL"; suppressed != (want.Status == "SUPPRESSED") {
			t.Errorf("%sdeaths: got %s of a week that is %s", at, got[i]["deaths_count"], want.Status)
		}
	}
}

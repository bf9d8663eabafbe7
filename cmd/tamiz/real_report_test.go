package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

var updateReal = flag.Bool("update-real", false, "write docs/real-files.md")

const threeStates = `select concat(states.state_name, ', ', lower(replace(coalesce(schools.level, 'unknown level'), '_', ' '))),
	count(*), count(*) filter (where is_in_registry), count(urgency.observed_urgency_learning),
	count(*) filter (where urgency.learning_is_imputed), count(urgency.urgency_household),
	count(profiles.feasibility_wash), count(profiles.feasibility_crowding),
	count(profiles.feasibility_epidemiology), count(profiles.profile), count(*) filter (where is_borderline),
	count(*) filter (where no_profile_reason = 'LEVEL_DATA_POOR'),
	count(*) filter (where no_profile_reason = 'NO_URGENCY'),
	count(*) filter (where no_profile_reason = 'NO_FEASIBILITY')
	from schools inner join urgency using (cct, shift) inner join profiles using (cct, shift)
	inner join states on states.state_code = schools.state_code
	where schools.state_code in ('01', '14', '31') group by states.state_name, schools.level order by 1`

const excessOf2020 = `select state_name, round(deaths_count)::bigint, round(excess_count)::bigint, round(excess_low)::bigint,
	round(excess_high)::bigint, format('{:.1f}', p_score), format('{:.1f}', p_score_low), format('{:.1f}', p_score_high),
	format('{:.0f}', excess_per_100k), array_to_string(list_filter(flags, lambda flag: flag in
	('FORTNIGHT_FIT', 'FOUR_WEEK_FIT', 'POISSON_FLOOR')), ', ')
	from excess_windows where window_name = '2020' order by state_code`

// bothOf are the schools of Jalisco that the register and the test of upper
// secondary both name.
const bothOf = `from schools inner join profiles using (cct, shift) where schools.state_code = '14'
	and schools.cct in (select cct from upper_secondary) and schools.cct in (select cct from schools where is_in_registry)`

// realReport compares docs/real-files.md with what the real files give.
func realReport(t *testing.T, dir string) {
	t.Helper()
	var page bytes.Buffer
	fmt.Fprint(&page, "# The real files\n\nMade by `make real` from `examples/mx-real` over the published files that we have, as of 2021-08-29. "+
		"The cut points are test parameters.\n\n## Three states: what is known, and who has a profile\n\n"+
		"| state and level | schools and shifts | in the register | learning observed | learning imputed | homes | water and toilets | space | epidemiology | "+
		"profile | of them borderline | none: the level's data are too poor | none: urgency | none: feasibility |\n|---|"+strings.Repeat("---:|", 13)+"\n")
	writeRows(&page, query(t, dir, threeStates))
	both, profiled := number(t, dir, "select count(distinct schools.cct) "+bothOf), number(t, dir, "select count(distinct schools.cct) "+bothOf+" and profile is not null")
	fmt.Fprintf(&page, "\nOf the %.0f schools of Jalisco that both the register and PLANEA of upper secondary name, %.0f have a profile: "+
		"learning, space and epidemiology are known there, homes and water are not. (332 keys stand in both files; three are "+
		"set aside, because the register tells of them twice and differently.) ENLACE of 2012 never feeds the index.\n", both, profiled)
	if profiled <= 200 {
		t.Errorf("%.0f schools of Jalisco have a profile, want more than 200", profiled)
	}
	fmt.Fprint(&page, "\n## Excess deaths of 2020, by state\n\nBaseline 2015 to 2018 (METHODS 3.1), 95 % intervals; deaths by state of registration.\n\n"+
		"| state | deaths | excess | from | to | P-score % | from | to | per 100,000 | fit |\n|---|"+strings.Repeat("---:|", 8)+"---|\n")
	writeRows(&page, query(t, dir, excessOf2020))
	fmt.Fprint(&page, "\n"+missingYear(t, dir))
	file := filepath.Join("..", "..", "docs", "real-files.md")
	if *updateReal {
		if err := os.WriteFile(file, page.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	written, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(written, page.Bytes()) {
		t.Errorf("docs/real-files.md is not what the real files give: run make real\n%s", page.String())
	}
}

func writeRows(page *bytes.Buffer, rows [][]string) {
	for _, row := range rows {
		fmt.Fprintf(page, "| %s |\n", strings.Join(row, " | "))
	}
}

// missingYear says what the missing 2019 does: the national series that was
// published with 2019 is fitted with and without it.
func missingYear(t *testing.T, dir string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(vectorsDir(), "excess_mexico_weekly.json"))
	if err != nil {
		t.Skipf("the published national series is not there: %v", err)
	}
	var v struct{ Deaths deathsByYear }
	if err := json.Unmarshal(content, &v); err != nil {
		t.Fatal(err)
	}
	span := func(to int) (excess, sd float64) {
		b := bench(t, "mx")
		rows := v.Deaths.given(t, b, 2015, to, []string{"weeks 10-53", "2020", "10", "53"})
		rows = append(rows, constant(t, b, "method.excess", map[string]string{
			"baseline_from": "2015", "baseline_to": strconv.Itoa(to), "hold_year": "2020", "min_weekly_deaths": "0", "min_fortnight_deaths": "0",
		}))
		row := spanOf(t, b, rows, "weeks 10-53")
		return float(t, row["excess_count"]), float(t, row["excess_sd"])
	}
	with, sdWith := span(2019)
	without, sdWithout := span(2018)
	ours := number(t, dir, "select excess_count from excess_windows where state_code = '00' and window_name = '2020 weeks 10-53'")
	return fmt.Sprintf("**What the missing 2019 does.** The open files by state lack 2019. On the national series that was published with it "+
		"(World Mortality Dataset), the excess of weeks 10 to 53 of 2020 is %.0f (sd %.0f) with 2019 in the baseline and %.0f (sd %.0f) "+
		"without: %.1f %%, and a wider interval. The files by state give %.0f: the rest of the difference is the files, not the year "+
		"(their 2018 has fewer deaths, their 2020 more).\n", with, sdWith, without, sdWithout, 100*(without-with)/with, ours)
}

func float(t *testing.T, text string) float64 {
	t.Helper()
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

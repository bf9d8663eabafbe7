package config_test

import (
	"strings"
	"testing"
)

const card = "title: S\npublisher: P\nlicence: L\nfolder: inbox/s/*\narchive: public\nformat: [xlsx, csv]\nsheet: A\ndead_after: 90d\ncolumns:\n  x: [X]\n  y: [Y]\n"

func TestLoad_TurnsGatesIntoChecks(t *testing.T) {
	p, err := load(map[string]string{"config/toy/sources/s.yml": card + `gates:
  key: {columns: [x], max_conflicts: 0.02}
  rows: {max_fall: 0.2}
  groups: {by: "left(x, 2)", max_fall: 0.3, min_rows: 20}
  sums: [{total: x, parts: [y], max_share: 0.05}]
  scale: {columns: [y], max_ratio: 2}
  masks: {words: ["*"], max_rise: 1}
  dates: {columns: [x], max_future: 0.01}
  checks:
    - {name: x_is_short, where: length(x) > 9, max_share: 0.1, problem: x is long, hint: cut it}
    - {name: x_stays, sql: select x from good.s except select x from raw.s, problem: x went}
`})
	if err != nil {
		t.Fatal(err)
	}
	source := p.Sources[0]
	if source.DeadAfter != 90 || len(source.Parsing.Formats) != 2 || source.Parsing.Sheets[0] != "A" {
		t.Errorf("card: %+v", source)
	}
	want := map[string]bool{"keys_do_not_conflict": false, "rows_do_not_fall": true, "groups_do_not_fall": true, "sums_of_x": false, "masks_do_not_rise": true,
		"scale_of_y": true, "dates_of_x": false, "x_is_short": false, "x_stays": true}
	if len(source.Gates) != len(want) {
		t.Errorf("%d gates, want %d", len(source.Gates), len(want))
	}
	for _, gate := range source.Gates {
		previous, known := want[gate.Name]
		if !known || gate.Previous != previous || gate.Problem == "" {
			t.Errorf("gate %+v", gate)
		}
	}
}

func TestLoad_RefusesGatesThatMeanNothing(t *testing.T) {
	_, err := load(map[string]string{"config/toy/sources/s.yml": strings.Replace(card, "90d", "3 months", 1)})
	if err == nil || !strings.Contains(err.Error(), `"3 months" is not a number of days such as 400d`) {
		t.Errorf("dead_after: %v", err)
	}
	_, err = load(map[string]string{"config/toy/sources/s.yml": card + `gates:
  key: {columns: [z]}
  checks:
    - {name: a, where: x = 1}
    - {name: b, problem: nothing}
`})
	for _, want := range []string{`the card has no column "z"`, "check a: problem is missing", "check b: want one of where, sql"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
}

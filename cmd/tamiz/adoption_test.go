package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tamiz/pipeline"
)

// school makes a unit; level is "true", "false", or "" for unknown.
func school(inPopulation bool, level string, key ...string) unit {
	one := unit{key: key, inPopulation: inPopulation}
	if level != "" {
		one.level = &level
	}
	return one
}

// TestAdoption_Sinaloa lets a list and a mart of the published size go through
// the functions of the verb; the figures are those of METHODS 2.5.
func TestAdoption_Sinaloa(t *testing.T) {
	const all, high, acted, actedHigh = 3626, 1131, 370, 229
	var units []unit
	var rows []actedRow
	for i := range all {
		units = append(units, school(true, fmt.Sprint(i < high), fmt.Sprintf("25S%04d", i), "1"))
		if i < actedHigh || i >= high && i < high+acted-actedHigh {
			rows = append(rows, actedRow{line: i + 2, key: []string{fmt.Sprintf(" 25s%04d", i), "1"}})
		}
	}
	for i := range 50 { // schools of which the index says nothing change nothing
		units = append(units, school(i%2 == 0, "", fmt.Sprintf("25X%04d", i), "1"))
		rows = append(rows, actedRow{line: 9000 + i, key: units[len(units)-1].key})
	}
	report := &adoptionReport{Key: []string{"school", "shift"}}
	if err := report.compare(units, rows); err != nil {
		t.Fatal(err)
	}
	if report.Rows.Counted != acted || report.Rows.Outside.Count != 50 || report.Outside != 25 || report.HighUnknown != 25 {
		t.Errorf("%+v", report)
	}
	got := map[string]adoptionFigure{}
	for _, figure := range report.Figures {
		got[figure.Name] = figure
	}
	for name, want := range map[string][]float64{
		"units": {all}, "high": {high}, "acted": {acted}, "acted_high": {actedHigh},
		"lift": {1.9842617153, 1.82246343387, 2.13822471057}, "risk_ratio": {3.58281443021, 2.94013083748, 4.36598231537},
		"adoption_high": {0.202475685234, 0.180081430416, 0.226884190404}, "adoption_rest": {0.0565130260521, 0.0481155699026, 0.0662740236476},
		"share_not_acted": {0.277027027027},
	} {
		near(t, name, *got[name].Value, want[0])
		if len(want) == 3 {
			near(t, name+" low", *got[name].Low, want[1])
			near(t, name+" high", *got[name].High, want[2])
		}
	}
	near(t, "log p", math.Log(*got["p_upper"].Value), math.Log(5.25281790068e-38))
}

func TestMatchActed_TellsEveryRow(t *testing.T) {
	units := []unit{
		school(true, "true", "A", "1"), school(true, "false", "A", "2"), school(true, "true", "B", "1"), school(false, "", "C", "1"),
		school(true, "", "D", "1"), school(true, "false", "E", "1"),
	}
	rows := []actedRow{
		{2, []string{"A", "2"}}, {3, []string{"a ", "2"}}, {4, []string{"A", ""}}, {5, []string{"B", ""}}, {6, []string{"b", "1"}},
		{7, []string{"C", "1"}}, {8, []string{"D", "1"}}, {9, []string{"Z", "1"}}, {10, []string{"A", "3"}}, {11, []string{"", "1"}},
	}
	got := matchActed(units, rows)
	for what, c := range map[string]struct {
		rows aside
		want []string
	}{
		"duplicate": {got.Duplicate, []string{"line 3: a , 2", "line 6: b, 1"}}, "ambiguous": {got.Ambiguous, []string{"line 4: A, –"}},
		"outside": {got.Outside, []string{"line 7: C, 1", "line 8: D, 1"}}, "unknown": {got.Unknown, []string{"line 9: Z, 1", "line 10: A, 3"}},
		"without a key": {got.WithoutKey, []string{"line 11: –, 1"}},
	} {
		if c.rows.Count != len(c.want) || !slices.Equal(c.rows.First, c.want) {
			t.Errorf("%s: %+v, want %q", what, c.rows, c.want)
		}
	}
	if got.Read != len(rows) || got.Counted != 2 || got.ByPart != 1 {
		t.Errorf("%+v", got)
	}
}

func TestReadActed_TakesWhatSpreadsheetsWrite(t *testing.T) {
	want := []actedRow{{2, []string{"A", "1"}}, {4, []string{"B", ""}}}
	for what, text := range map[string]string{
		"commas":           "note,School,shift\n\"x, y\",A,1\n\n,B\n",
		"semicolons, mark": "\ufeffSCHOOL ;Shift\r\nA ;1\r\n\r\nB;\r\n",
		"tabs":             "school\tname\tshift\nA\tN\t1\n\nB\tM\t\n",
	} {
		file := filepath.Join(t.TempDir(), "list.csv")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := readActed(file, []string{"school", "shift"})
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, %v", what, got, err)
		}
	}
	for _, wrong := range []struct{ text, problem string }{
		{"", "column school is missing"}, {"shift\n1\n", "column school is missing"}, {"school,School\nA,B\n", "is there twice"}, {"school\n\"A\n", "no CSV file"},
	} {
		file := filepath.Join(t.TempDir(), "list.csv")
		if err := os.WriteFile(file, []byte(wrong.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readActed(file, []string{"school", "shift"}); pipeline.KindOf(err) != pipeline.Config || !strings.Contains(err.Error(), wrong.problem) {
			t.Errorf("%q: %v", wrong.text, err)
		}
	}
}

func TestAdoption_UnknownRatiosSayWhy(t *testing.T) {
	units := []unit{school(true, "true", "A"), school(true, "false", "B"), school(true, "false", "C")}
	report := &adoptionReport{Key: []string{"school"}, Warning: map[string]string{"en": "Not an effect."}}
	if err := report.compare(units, []actedRow{{2, []string{"B"}}}); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), `{"name":"risk_ratio","value":null,"unknown":"none that acted is high"}`) {
		t.Error(string(text))
	}
	var printed strings.Builder
	report.print(&printed)
	for _, want := range []string{"their ratio (RR)", "unknown  none that acted is high", "\nNot an effect.\n"} {
		if !strings.Contains(printed.String(), want) {
			t.Errorf("%q is not in\n%s", want, printed.String())
		}
	}
	if err := report.compare([]unit{school(false, "", "A")}, []actedRow{{2, []string{"A"}}}); pipeline.KindOf(err) != pipeline.Failed {
		t.Errorf("without a population: %v", err)
	}
}

package methods_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"tamiz/transform/methods"
)

func TestOpportunityDrivers_TakesAnyDimensions(t *testing.T) {
	// Who is rich goes to school, whatever the mother learned.
	groups := [][]any{
		{"u", int64(1), []any{"learned", "rich"}, "-", 1.0, 1.0}, {"u", int64(1), []any{"learned", "poor"}, "-", 1.0, 0.0},
		{"u", int64(1), []any{"none", "rich"}, "-", 1.0, 1.0}, {"u", int64(1), []any{"none", "poor"}, "-", 1.0, 0.0},
	}
	rows := rowsOf(t, "opportunity_drivers", map[string][][]any{"groups": groups, "dimensions": {{"mother", nil}, {"wealth", nil}}})
	if got := fmt.Sprint(rows); got != "[[u 1 mother 0.5 0.5 0 0 0 4] [u 1 wealth 0.5 0.5 0.5 0.5 0.5 0]]" {
		t.Error(got)
	}
}

func TestOpportunityIntervals_AgreeWithTheirFormula(t *testing.T) {
	// Two groups of 400 at risk, 0.5 and 0.8: coverage has a standard error of sqrt((.25 + .16)/400)/2.
	given := map[string][][]any{
		"groups":      {{"u", int64(1), []any{"a"}, "a", 1.0, 0.5}, {"u", int64(1), []any{"b"}, "b", 1.0, 0.8}},
		"transitions": {{"u", int64(1), "a", int64(1), 400.0, 0.5}, {"u", int64(1), "b", int64(1), 400.0, 0.8}},
		"dimensions":  {{"one", nil}},
		"parameters":  {{int64(2000)}},
	}
	row := rowsOf(t, "opportunity_intervals", given)[0]
	se := math.Sqrt((0.25+0.16)/400) / 2
	for i, want := range map[int]float64{2: 0.65 - 1.96*se, 3: 0.65 + 1.96*se, 4: se} {
		if got := row[i].(float64); math.Abs(got-want) > 0.1*se {
			t.Errorf("value %d is %.5f, want about %.5f", i, got, want)
		}
	}
}

func TestOpportunity_RefusesWhatItCannotTake(t *testing.T) {
	dimensions := [][]any{{"one", nil}}
	for name, c := range map[string]struct {
		group []any
		want  string
	}{
		"weight of 0":          {[]any{"u", int64(1), []any{"a"}, "-", 0.0, 0.5}, "weight 0"},
		"rate above 1":         {[]any{"u", int64(1), []any{"a"}, "-", 1.0, 1.5}, "rate 1.5"},
		"a dimension too many": {[]any{"u", int64(1), []any{"a", "b"}, "-", 1.0, 0.5}, "has 2 values"},
	} {
		given := tables{"groups": {c.group}, "dimensions": dimensions}
		err := methods.All["opportunity_drivers"].Run(t.Context(), given, &collector{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v does not say %q", name, err, c.want)
		}
	}
	given := tables{"parameters": {{int64(1)}}}
	if err := methods.All["opportunity_intervals"].Run(t.Context(), given, &collector{}); err == nil {
		t.Error("one draw has an interval")
	}
}

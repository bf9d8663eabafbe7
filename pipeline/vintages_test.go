package pipeline_test

import (
	"strings"
	"testing"
	"time"

	"tamiz/pipeline"
)

// version is one file, first seen on a day of January 2026.
func version(digest string, day int) pipeline.Vintage {
	at := time.Date(2026, 1, day, 9, 0, 0, 0, time.UTC)
	return pipeline.Vintage{AsOf: at.Format(pipeline.DateLayout), Files: []pipeline.Pin{{Digest: pipeline.Digest(digest), Name: digest + ".csv", ObservedAt: at}}}
}

// shown writes vintages such as "05:a 12:b".
func shown(vintages []pipeline.Vintage) string {
	var list []string
	for _, vintage := range vintages {
		list = append(list, vintage.AsOf[8:]+":"+string(vintage.Files[0].Digest))
	}
	return strings.Join(list, " ")
}

func TestVintages_AreTheLastGoodVersionsByDay(t *testing.T) {
	a, b, c, d := version("a", 5), version("b", 12), version("c", 19), version("d", 26)
	for name, test := range map[string]struct {
		seen    []pipeline.Vintage
		current pipeline.Vintage
		keep    int
		want    string
	}{
		"nothing was seen before":               {nil, c, 12, "19:c"},
		"all fit":                               {[]pipeline.Vintage{a, b, c}, c, 12, "05:a 12:b 19:c"},
		"the last ones":                         {[]pipeline.Vintage{a, b, c, d}, d, 2, "19:c 26:d"},
		"equal bytes count once":                {[]pipeline.Vintage{a, b, version("b", 19), b}, b, 12, "05:a 12:b"},
		"a version that came back":              {[]pipeline.Vintage{a, b, c, version("a", 26)}, a, 2, "05:a 19:c"},
		"only the present one":                  {[]pipeline.Vintage{a, b, c}, a, 1, "05:a"},
		"the last of a day":                     {[]pipeline.Vintage{a, version("b", 5), version("c", 5)}, version("c", 5), 12, "05:c"},
		"the present one goes before its day's": {[]pipeline.Vintage{a, version("b", 5), d}, a, 12, "05:a 26:d"},
		"out of order":                          {[]pipeline.Vintage{c, a, b}, c, 12, "05:a 12:b 19:c"},
		"no history":                            {[]pipeline.Vintage{a}, a, 0, ""},
	} {
		if got := shown(pipeline.Vintages(test.seen, test.current.Files, test.keep)); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	if got := pipeline.Vintages([]pipeline.Vintage{a}, nil, 12); got != nil {
		t.Errorf("a source that is left out has the history %v", got)
	}
	carried := version("a", 5)
	carried.Files[0].Carried = "down"
	if got := pipeline.Vintages(nil, carried.Files, 12); got[0].Files[0].Carried != "" || carried.Files[0].Carried == "" {
		t.Errorf("carried forward: %v", got)
	}
}

// historyPlan plans a model over a source's history.
func historyPlan(current pipeline.Vintage, vintages ...pipeline.Vintage) *pipeline.Plan {
	p := &pipeline.Pipeline{Name: "t", Sources: []pipeline.Source{{Name: "x", History: 3}}, Models: []pipeline.Model{{Name: "staging.s"}}}
	binding := &pipeline.Binding{Order: []string{"staging.s"}, Inputs: map[string][]string{"staging.s": {"raw.x__history", "raw.x__vintages"}}}
	pins := pipeline.Pins{Sources: map[string][]pipeline.Pin{}, Vintages: map[string][]pipeline.Vintage{}}
	if current.Files != nil {
		pins.Sources["x"] = current.Files
	}
	if len(vintages) > 0 {
		pins.Vintages["x"] = vintages
	}
	return pipeline.NewPlan(p, binding, pins, pipeline.Engines{})
}

func TestPlan_HistorySharesTheReadOfThePresentVersion(t *testing.T) {
	a, b := version("a", 5), version("b", 12)
	plan := historyPlan(b, a, b)
	reads, labels := 0, ""
	for _, step := range plan.Steps {
		if step.Kind == pipeline.StepRead {
			reads++
			labels += step.Label + " "
		}
	}
	history := plan.Table("raw.x__history")
	if reads != 2 || len(history) != 2 || history[1] != plan.Table("raw.x")[0] || labels != "raw.x raw.x of 2026-01-05 " {
		t.Errorf("%d reads (%s), %d of the history", reads, labels, len(history))
	}
	if earlier := historyPlan(a, a).Table("raw.x")[0]; history[0].Fingerprint != earlier.Fingerprint {
		t.Error("an older version is read anew, although it was read in its day")
	}
	if sql := plan.Table("raw.x__vintages")[0].SQL; !strings.Contains(sql, "2026-01-05") || !strings.Contains(sql, "2026-01-12") {
		t.Errorf("vintages: %s", sql)
	}
}

func TestPlan_DaysOfVintagesEnterTheirTableAlone(t *testing.T) {
	a, b := version("a", 5), version("b", 12)
	before, moved := historyPlan(b, a, b), historyPlan(b, version("a", 6), b)
	for i, step := range before.Steps {
		same := step.Fingerprint == moved.Steps[i].Fingerprint
		if dated := step.Table == "raw.x__vintages" || step.Table == "staging.s"; same == dated {
			t.Errorf("%s: same fingerprint %t", step.Label, same)
		}
	}
}

func TestPlan_WithoutPastTheHistoryIsThePresent(t *testing.T) {
	plan := historyPlan(version("b", 12))
	if history := plan.Table("raw.x__history"); len(history) != 1 || history[0] != plan.Table("raw.x")[0] {
		t.Errorf("history of %d steps", len(history))
	}
	empty := historyPlan(pipeline.Vintage{})
	for _, table := range []string{"raw.x", "raw.x__history", "raw.x__vintages"} {
		if steps := empty.Table(table); len(steps) != 1 || steps[0].Kind != pipeline.StepTable {
			t.Errorf("%s without files: %v", table, steps)
		}
	}
}

func TestPlan_AFileOfSeveralVersionsIsReadOnce(t *testing.T) {
	a, b := version("a", 5), version("b", 12)
	both := b
	both.Files = append(append([]pipeline.Pin{}, a.Files...), b.Files...)
	plan := historyPlan(both, a, both)
	if got := len(plan.Table("raw.x__history")); got != 2 {
		t.Errorf("%d files in the history, want 2", got)
	}
	if got := strings.Count(plan.Table("raw.x__vintages")[0].SQL, "2026-01-12"); got != 2 {
		t.Errorf("%d files on the later day, want 2", got)
	}
}

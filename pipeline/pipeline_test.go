package pipeline_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tamiz/pipeline"
)

func date(text string) time.Time {
	d, err := time.Parse(pipeline.DateLayout, text)
	if err != nil {
		panic(err)
	}
	return d
}

func TestCalendar_NamesFortnightsByTheirLastSunday(t *testing.T) {
	for _, c := range []struct{ on, want string }{
		{"2026-11-22", "2026-11-15"}, // a Sunday that ends week 47
		{"2026-11-29", "2026-11-29"}, // the Sunday that ends week 48
		{"2026-11-28", "2026-11-15"},
		{"2021-08-29", "2021-08-29"},
		{"2021-01-03", "2021-01-03"}, // 2020 has a week 53: fortnight 26 has three weeks
		{"2020-12-27", "2020-12-13"},
		{"2021-01-17", "2021-01-17"},
		{"2026-12-31", "2026-12-13"},
		{"2027-01-03", "2027-01-03"}, // 2026 has a week 53
	} {
		got, err := pipeline.Calendar{ISOFortnight: true}.PeriodEnd(date(c.on))
		if err != nil || got.Format(pipeline.DateLayout) != c.want {
			t.Errorf("on %s: %s, %v; want %s", c.on, got.Format(pipeline.DateLayout), err, c.want)
		}
	}
}

func TestCalendar_EveryYearHas26Fortnights(t *testing.T) {
	for year := 2015; year < 2060; year++ {
		ends := map[string]bool{}
		for d := date(fmt.Sprintf("%d-01-01", year)); ; d = d.AddDate(0, 0, 1) {
			if isoYear, _ := d.ISOWeek(); isoYear > year {
				break
			}
			end, err := pipeline.Calendar{ISOFortnight: true}.PeriodEnd(d)
			if err != nil {
				t.Fatal(err)
			}
			if isoYear, _ := end.ISOWeek(); isoYear == year {
				ends[end.Format(pipeline.DateLayout)] = true
			}
		}
		if len(ends) != 26 {
			t.Errorf("%d has %d fortnights", year, len(ends))
		}
	}
}

func TestCalendar_OfDatesEndsLoudly(t *testing.T) {
	c := pipeline.Calendar{Dates: []time.Time{date("2025-04-13"), date("2026-04-13")}}
	if got, err := c.PeriodEnd(date("2026-11-22")); err != nil || got != date("2026-04-13") {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := c.PeriodEnd(date("2025-01-01")); err == nil {
		t.Error("a date before the first period was accepted")
	}
	if _, err := c.PeriodEnd(date("2028-01-01")); err == nil {
		t.Error("a date long after the last period was accepted")
	}
}

func TestDigestOf_TellsListsApart(t *testing.T) {
	if pipeline.DigestOf("ab", "c") == pipeline.DigestOf("a", "bc") || pipeline.DigestOf("a") == pipeline.DigestOf("a", "") {
		t.Error("two different lists have one digest")
	}
}

// graph is sources a, b → staging s_a, s_b → mart m (reads both).
func graph(t *testing.T, digestA, digestB string) *pipeline.Plan {
	t.Helper()
	source := func(name string) pipeline.Source {
		return pipeline.Source{Name: name, Parsing: pipeline.Parsing{Columns: []pipeline.SourceColumn{{Name: "x", Titles: []string{"X"}}}}}
	}
	p := &pipeline.Pipeline{Name: "toy", Sources: []pipeline.Source{source("a"), source("b")}, Models: []pipeline.Model{
		{Name: "marts.m", SQL: "m", Checks: []pipeline.Check{{Name: "c", SQL: "select"}}}, {Name: "staging.s_a", SQL: "a"}, {Name: "staging.s_b", SQL: "b"}}}
	binding := &pipeline.Binding{Order: []string{"staging.s_a", "staging.s_b", "marts.m"},
		Inputs:      map[string][]string{"staging.s_a": {"raw.a"}, "staging.s_b": {"raw.b"}, "marts.m": {"staging.s_a", "staging.s_b"}},
		CheckInputs: map[string][]string{"marts.m": {"marts.m"}}}
	pins := pipeline.Pins{Sources: map[string][]pipeline.Pin{"a": {{Digest: pipeline.Digest(digestA)}}, "b": {{Digest: pipeline.Digest(digestB)}}}}
	return pipeline.NewPlan(p, binding, pins, pipeline.Engines{})
}

func labels(steps map[*pipeline.Step]bool, plan *pipeline.Plan) string {
	var list []string
	for _, step := range plan.Steps {
		if steps[step] {
			list = append(list, step.Label)
		}
	}
	return strings.Join(list, " ")
}

func TestSelect_FollowsThePlusSigns(t *testing.T) {
	plan := graph(t, "1", "2")
	for selector, want := range map[string]string{
		"s_a": "staging.s_a", "staging.s_*": "staging.s_a staging.s_b", "+s_a": "raw.a staging.s_a",
		"raw.b+": "raw.b staging.s_b marts.m check marts.m", "+m": "raw.a raw.b staging.s_a staging.s_b marts.m check marts.m",
	} {
		steps, err := plan.Select(selector)
		if got := labels(steps, plan); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", selector, got, err, want)
		}
	}
	if _, err := plan.Select("nobody"); pipeline.KindOf(err) != pipeline.Config {
		t.Errorf("an unknown name: %v", err)
	}
}

func TestPlan_OnlyWhatStandsOnAChangeGetsANewFingerprint(t *testing.T) {
	before, after := graph(t, "1", "2"), graph(t, "1", "3")
	for i, step := range before.Steps {
		same := step.Fingerprint == after.Steps[i].Fingerprint
		downstream := strings.Contains("raw.b staging.s_b marts.m check marts.m", step.Label)
		if same == downstream {
			t.Errorf("%s: same fingerprint %t, stands on the change %t", step.Label, same, downstream)
		}
	}
}

func TestNeeds_SayWhy(t *testing.T) {
	warehouse, err := pipeline.OpenWarehouse(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	before, after := graph(t, "1", "2"), graph(t, "1", "3")
	last := map[string]map[string]pipeline.Digest{}
	for _, step := range before.Steps {
		last[step.Label] = step.Parts
	}
	walk := &pipeline.Walk{Warehouse: warehouse}
	targets, err := after.Targets(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string]string{}
	for _, need := range walk.Needs(after, targets, nil, last) {
		reasons[need.Step.Label] = need.Reason
	}
	for label, want := range map[string]string{
		"raw.b": "the file has a new version 3", "staging.s_b": "← raw.b", "marts.m": "← staging.s_b",
		"raw.a": "its artifact is not in the warehouse, and staging.s_a needs it",
	} {
		if reasons[label] != want {
			t.Errorf("%s: %q, want %q", label, reasons[label], want)
		}
	}
}

func TestWarehouse_KeepsWholeArtifactsOnly(t *testing.T) {
	w, err := pipeline.OpenWarehouse(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	keep := func(content string) error {
		dir, err := w.Scratch(pipeline.StepModel)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, pipeline.TableFile), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return w.Keep(dir, &pipeline.Record{Fingerprint: "abcdef", Table: "t"})
	}
	if w.Has("abcdef") {
		t.Error("an artifact is there before it was kept")
	}
	if err := keep("one"); err != nil || !w.Has("abcdef") {
		t.Fatalf("keep: %v", err)
	}
	if err := keep("one"); err != nil {
		t.Errorf("the same again: %v", err)
	}
	if err := keep("two"); err == nil || !strings.Contains(err.Error(), "not pure") {
		t.Errorf("other bytes for the same fingerprint: %v", err)
	}
	if err := os.WriteFile(filepath.Join(w.ArtifactDir("abcdef"), pipeline.TableFile), []byte("0ne"), 0o644); err != nil {
		t.Fatal(err)
	}
	if ok, err := w.Verify("abcdef"); ok || err != nil || w.Has("abcdef") {
		t.Errorf("a damaged artifact: sound %t, %v, still there %t", ok, err, w.Has("abcdef"))
	}
	if _, err := w.Scratch(pipeline.StepModel); err != nil {
		t.Fatal(err)
	}
	if err := w.Sweep(); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(filepath.Join(w.Dir(), "tmp")); len(left) != 0 {
		t.Errorf("%d things left after sweeping", len(left))
	}
}

func TestError_SaysWhatWhereAndWhatToDo(t *testing.T) {
	err := fmt.Errorf("read: %w", &pipeline.Error{Kind: pipeline.Drift, Subject: "census", Problem: "the file no longer fits its card",
		Where: "a.csv", Expected: "a column X", Hint: "add it", Err: errors.New("cause")})
	for _, want := range []string{"census: the file no longer fits its card: cause", "where     a.csv", "expected  a column X", "to mend   add it"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nlacks %q", err, want)
		}
	}
	if pipeline.KindOf(err) != pipeline.Drift || pipeline.KindOf(errors.New("x")) != pipeline.Internal {
		t.Error("the kind got lost")
	}
}

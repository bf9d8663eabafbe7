package pipeline_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tamiz/pipeline"
)

// calendars draws a calendar of any form.
func calendars(t *rapid.T) pipeline.Calendar {
	anchor := date("2020-01-05").AddDate(0, 0, rapid.IntRange(-4000, 4000).Draw(t, "anchor"))
	switch rapid.SampledFrom([]string{"fortnight", "every", "dates"}).Draw(t, "form") {
	case "fortnight":
		return pipeline.Calendar{ISOFortnight: true}
	case "every":
		return pipeline.Calendar{Every: rapid.IntRange(1, 60).Draw(t, "every"), Anchor: anchor}
	}
	c := pipeline.Calendar{Dates: []time.Time{anchor}}
	for _, gap := range rapid.SliceOfN(rapid.IntRange(1, 400), 0, 30).Draw(t, "gaps") {
		c.Dates = append(c.Dates, c.Dates[len(c.Dates)-1].AddDate(0, 0, gap))
	}
	return c
}

// TestCalendar_EndsAgreeWithPeriodEnd asks for each day what the latest period
// is: the ends are the days on which the answer changes.
func TestCalendar_EndsAgreeWithPeriodEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := calendars(t)
		after := date("2020-01-05").AddDate(0, 0, rapid.IntRange(-5000, 5000).Draw(t, "after"))
		until := after.AddDate(0, 0, rapid.IntRange(0, 900).Draw(t, "days"))
		got, err := c.Ends(after, until)
		var want []time.Time
		var last error
		for d := after.AddDate(0, 0, 1); !d.After(until); d = d.AddDate(0, 0, 1) {
			end, err := c.PeriodEnd(d)
			if err == nil && end.Equal(d) {
				want = append(want, d)
			}
			last = err
		}
		if err != nil {
			if last == nil && !until.Equal(after) {
				t.Fatalf("it failed where PeriodEnd did not: %v", err)
			}
			return
		}
		if !slices.EqualFunc(got, want, time.Time.Equal) {
			t.Fatalf("(%s, %s]: %v, want %v", after, until, got, want)
		}
	})
}

func TestCalendar_EveryReachesBothWaysFromItsAnchor(t *testing.T) {
	c := pipeline.Calendar{Every: 14, Anchor: date("2026-01-04")}
	for _, k := range []struct{ on, want string }{
		{"2026-01-04", "2026-01-04"}, {"2026-01-03", "2025-12-21"}, {"2025-12-21", "2025-12-21"}, {"2025-12-20", "2025-12-07"},
		{"2026-01-17", "2026-01-04"}, {"2026-01-18", "2026-01-18"}, {"2020-02-23", "2020-02-23"}, {"2020-02-22", "2020-02-09"},
	} {
		if got, err := c.PeriodEnd(date(k.on)); err != nil || got != date(k.want) {
			t.Errorf("on %s: %v, %v; want %s", k.on, got, err, k.want)
		}
	}
}

func TestCalendar_AFortnightOfAYearWith53WeeksHasThree(t *testing.T) {
	got, err := pipeline.Calendar{ISOFortnight: true}.Ends(date("2020-12-01"), date("2021-01-31"))
	want := []time.Time{date("2020-12-13"), date("2021-01-03"), date("2021-01-17"), date("2021-01-31")}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestCalendar_EndsOfAListThatIsExhaustedFailLoudly(t *testing.T) {
	c := pipeline.Calendar{Dates: []time.Time{date("2025-04-13"), date("2026-04-13")}}
	if got, err := c.Ends(date("2020-01-01"), date("2025-01-01")); err != nil || len(got) != 0 {
		t.Errorf("before its first date: %v, %v", got, err)
	}
	if got, err := c.Ends(date("2020-01-01"), date("2027-01-01")); err != nil || len(got) != 2 {
		t.Errorf("over all its dates: %v, %v", got, err)
	}
	if _, err := c.Ends(date("2020-01-01"), date("2028-01-01")); err == nil {
		t.Error("a date long after its last was accepted")
	}
}

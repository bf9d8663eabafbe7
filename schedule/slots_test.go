package schedule_test

import (
	"testing"
	"time"
	_ "time/tzdata" // the same clocks on every machine

	"pgregory.net/rapid"

	"tamiz/pipeline"
	"tamiz/schedule"
)

func date(text string) time.Time {
	d, err := time.Parse(pipeline.DateLayout, text)
	if err != nil {
		panic(err)
	}
	return d
}

func moment(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return at
}

func zone(name string) *time.Location {
	location, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return location
}

// clock gives a schedule of a delay.
func clock(location string, days, hour, minute int) *pipeline.Schedule {
	return &pipeline.Schedule{DueDays: days, DueClock: time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute,
		TimeZone: zone(location), Catchup: pipeline.CatchupLatest, Retry: time.Hour, Limit: 6 * time.Hour}
}

var fortnights = pipeline.Calendar{ISOFortnight: true}

func TestSlots_KeepToTheClockOfTheirZone(t *testing.T) {
	for _, c := range []struct {
		name, zone, end string
		hour, minute    int
		want            string // UTC
	}{
		{"the gap of spring is due at its end", "America/New_York", "2026-03-07", 2, 30, "2026-03-08T07:00:00Z"},
		{"just before the gap", "America/New_York", "2026-03-07", 1, 59, "2026-03-08T06:59:00Z"},
		{"just after the gap", "America/New_York", "2026-03-07", 3, 0, "2026-03-08T07:00:00Z"},
		{"what comes twice is due the first time", "America/New_York", "2026-10-31", 1, 30, "2026-11-01T05:30:00Z"},
		{"after what comes twice", "America/New_York", "2026-10-31", 2, 0, "2026-11-01T07:00:00Z"},
		{"the gap, east of Greenwich", "Europe/Madrid", "2026-03-28", 2, 30, "2026-03-29T01:00:00Z"},
		{"twice, east of Greenwich", "Europe/Madrid", "2026-10-24", 2, 30, "2026-10-25T00:30:00Z"},
		{"the gap while there was one", "America/Mexico_City", "2021-04-03", 2, 30, "2021-04-04T08:00:00Z"},
		{"twice while there was one", "America/Mexico_City", "2021-10-30", 1, 30, "2021-10-31T06:30:00Z"},
		{"no gap any more", "America/Mexico_City", "2023-04-01", 2, 30, "2023-04-02T08:30:00Z"},
		{"three quarters of an hour", "Asia/Kathmandu", "2026-04-13", 6, 0, "2026-04-14T00:15:00Z"},
		{"a leap day", "Asia/Kathmandu", "2028-02-28", 6, 0, "2028-02-29T00:15:00Z"},
		{"after a leap day", "UTC", "2028-02-29", 6, 0, "2028-03-01T06:00:00Z"},
		{"a day that was skipped whole", "Pacific/Apia", "2011-12-29", 6, 0, "2011-12-30T10:00:00Z"},
	} {
		end := date(c.end)
		slots, err := schedule.Slots(clock(c.zone, 1, c.hour, c.minute), pipeline.Calendar{Dates: []time.Time{end}}, end.AddDate(0, 0, -3), end.AddDate(0, 0, 5))
		if err != nil || len(slots) != 1 || slots[0].Period != c.end || slots[0].DueAt.UTC().Format(time.RFC3339) != c.want {
			t.Errorf("%s: %v, %v; want %s", c.name, slots, err, c.want)
		}
	}
}

// TestSlots_FirstMomentAtWhichTheClockHasGotThere looks at the clock minute by
// minute.
func TestSlots_FirstMomentAtWhichTheClockHasGotThere(t *testing.T) {
	zones := []string{"America/New_York", "Europe/Madrid", "America/Mexico_City", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Sao_Paulo", "America/St_Johns", "UTC"}
	rapid.Check(t, func(t *rapid.T) {
		location := rapid.SampledFrom(zones).Draw(t, "zone")
		at := clock(location, 1, rapid.IntRange(0, 23).Draw(t, "hour"), rapid.IntRange(0, 59).Draw(t, "minute"))
		end := date("2015-01-01").AddDate(0, 0, rapid.IntRange(0, 5000).Draw(t, "day"))
		slots, err := schedule.Slots(at, pipeline.Calendar{Every: 1, Anchor: end}, end.AddDate(0, 0, -1), end.AddDate(0, 0, 3))
		if err != nil {
			t.Fatal(err)
		}
		want := end.AddDate(0, 0, 1).Add(at.DueClock)
		for _, slot := range slots {
			if slot.Period != end.Format(pipeline.DateLayout) {
				continue
			}
			shows := func(moment time.Time) time.Time {
				local := moment.In(at.TimeZone)
				return time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), 0, 0, time.UTC)
			}
			if shows(slot.DueAt).Before(want) {
				t.Fatalf("%s: due at %s, before the clock got there", location, slot.DueAt)
			}
			for earlier := slot.DueAt.Add(-4 * time.Hour); earlier.Before(slot.DueAt); earlier = earlier.Add(time.Minute) {
				if !shows(earlier).Before(want) {
					t.Fatalf("%s: due at %s, but the clock had got there at %s", location, slot.DueAt, earlier)
				}
			}
			return
		}
		t.Fatalf("%s: no slot of %s among %v", location, end, slots)
	})
}

func TestSlots_AYearWith53WeeksHas26(t *testing.T) {
	slots, err := schedule.Slots(clock("America/Mexico_City", 2, 6, 0), fortnights, moment("2026-01-07T00:00:00Z"), moment("2027-01-06T00:00:00Z"))
	if err != nil || len(slots) != 26 {
		t.Fatalf("%d slots, %v", len(slots), err)
	}
	last := slots[25]
	if last.Period != "2027-01-03" || !last.DueAt.Equal(moment("2027-01-05T12:00:00Z")) || slots[24].Period != "2026-12-13" {
		t.Errorf("the last ones: %v", slots[24:])
	}
}

func TestSlots_WindowsJoinWithoutLossAndWithoutRepeat(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := clock("Europe/Madrid", rapid.IntRange(1, 40).Draw(t, "days"), 2, 30)
		if rapid.Bool().Draw(t, "cron") {
			at.Cron = rapid.SampledFrom([]string{"30 2 * * *", "0 6 * * 1", "15 2 1 * *", "0 0 29 2 *"}).Draw(t, "line")
			at.DueDays, at.DueClock = 0, 0
		}
		from := moment("2026-01-01T00:00:00Z").Add(time.Duration(rapid.IntRange(0, 500_000).Draw(t, "from")) * time.Minute)
		middle := from.Add(time.Duration(rapid.IntRange(0, 500_000).Draw(t, "middle")) * time.Minute)
		until := middle.Add(time.Duration(rapid.IntRange(0, 500_000).Draw(t, "until")) * time.Minute)
		slots := func(after, until time.Time) []schedule.Slot {
			list, err := schedule.Slots(at, fortnights, after, until)
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		whole, parts := slots(from, until), append(slots(from, middle), slots(middle, until)...)
		if len(whole) != len(parts) {
			t.Fatalf("%v\n%v", whole, parts)
		}
		for i := range whole {
			if whole[i] != parts[i] || i > 0 && (whole[i].Period <= whole[i-1].Period || !whole[i].DueAt.After(whole[i-1].DueAt)) {
				t.Fatalf("%v\n%v", whole, parts)
			}
		}
	})
}

func TestSlots_ACronLineTakesTheLastPeriodThatEnded(t *testing.T) {
	at := clock("Asia/Kathmandu", 0, 0, 0)
	at.Cron = "0 6 * * 1" // Mondays
	slots, err := schedule.Slots(at, fortnights, moment("2026-11-01T00:00:00Z"), moment("2026-12-20T00:00:00Z"))
	want := []schedule.Slot{{Period: "2026-11-01", DueAt: moment("2026-11-02T00:15:00Z")}, {Period: "2026-11-15", DueAt: moment("2026-11-16T00:15:00Z")},
		{Period: "2026-11-29", DueAt: moment("2026-11-30T00:15:00Z")}, {Period: "2026-12-13", DueAt: moment("2026-12-14T00:15:00Z")}}
	if err != nil || len(slots) != len(want) {
		t.Fatalf("%v, %v", slots, err)
	}
	for i := range want {
		if slots[i].Period != want[i].Period || !slots[i].DueAt.Equal(want[i].DueAt) {
			t.Errorf("%v, want %v", slots[i], want[i])
		}
	}
	at.Cron = "0 6 1 * *" // once a month: of two fortnights, one is never due
	slots, err = schedule.Slots(at, fortnights, moment("2026-01-01T12:00:00Z"), moment("2027-01-01T00:30:00Z"))
	if err != nil || len(slots) != 12 {
		t.Errorf("monthly: %d slots, %v: %v", len(slots), err, slots)
	}
}

func TestNext_LooksAsFarAsACalendarReaches(t *testing.T) {
	years := pipeline.Calendar{Dates: []time.Time{date("2025-04-13"), date("2026-04-13")}}
	at := clock("Asia/Kathmandu", 30, 6, 0)
	if next, ok := schedule.Next(at, years, moment("2025-06-01T00:00:00Z")); !ok || next.Period != "2026-04-13" || !next.DueAt.Equal(moment("2026-05-13T00:15:00Z")) {
		t.Errorf("got %v, %v", next, ok)
	}
	if next, ok := schedule.Next(at, years, moment("2026-06-01T00:00:00Z")); ok {
		t.Errorf("after the last date: %v", next)
	}
	if _, err := schedule.Slots(at, years, moment("2026-06-01T00:00:00Z"), moment("2028-01-01T00:00:00Z")); err == nil {
		t.Error("a calendar that is exhausted was not told of")
	}
}

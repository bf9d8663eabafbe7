package schedule_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tamiz/pipeline"
	"tamiz/schedule"
)

// ledger reads records such as "2026-11-01 failed again 2026-11-03T06:10:00Z".
func ledger(t *testing.T, lines ...string) []pipeline.PeriodVerdict {
	t.Helper()
	var records []pipeline.PeriodVerdict
	for _, line := range lines {
		words := strings.Fields(line)
		record := pipeline.PeriodVerdict{Period: words[0], Again: slices.Contains(words, "again"), At: moment(words[len(words)-1])}
		record.Verdict = map[string]pipeline.Verdict{"published": pipeline.Published, "nothing": pipeline.NothingNew, "held": pipeline.Held,
			"failed": pipeline.FailedRun, "passed": pipeline.PassedOver}[words[1]]
		if record.Verdict == "" {
			t.Fatalf("no verdict: %s", line)
		}
		records = append(records, record)
	}
	return records
}

func TestDecide(t *testing.T) {
	for _, c := range []struct {
		name, now, started string
		catchup            pipeline.Catchup
		records            []string
		want               string // passed over | run | wake | waiting
	}{
		{"a new project runs the latest, and asks for none before", "2026-11-10T00:00:00Z", "2026-11-10T00:00:00Z", "latest", nil,
			" | 2026-11-01 | 2026-11-17T06:00:00Z | 2026-11-01"},
		{"a new project, whatever the rule", "2026-11-10T00:00:00Z", "2026-11-10T00:00:00Z", "none", nil,
			" | 2026-11-01 | 2026-11-17T06:00:00Z | 2026-11-01"},
		{"nothing is due", "2026-11-10T00:00:00Z", "2026-11-01T00:00:00Z", "latest", []string{"2026-11-01 published 2026-11-03T06:05:00Z"},
			" |  | 2026-11-17T06:00:00Z | "},
		{"a period falls due", "2026-11-17T06:00:00Z", "2026-11-01T00:00:00Z", "latest", []string{"2026-11-01 published 2026-11-03T06:05:00Z"},
			" | 2026-11-15 | 2026-12-01T06:00:00Z | 2026-11-15"},
		{"missed ones are passed over, the latest is run", "2026-11-17T09:00:00Z", "2026-11-17T09:00:00Z", "latest", []string{"2026-10-04 published 2026-10-06T06:05:00Z"},
			"2026-10-18 2026-11-01 | 2026-11-15 | 2026-12-01T06:00:00Z | 2026-11-15"},
		{"all missed ones are run, the oldest first", "2026-11-17T09:00:00Z", "2026-11-17T09:00:00Z", "all", []string{"2026-10-04 published 2026-10-06T06:05:00Z"},
			" | 2026-10-18 | 2026-12-01T06:00:00Z | 2026-11-15"},
		{"of all missed ones the next", "2026-11-17T09:30:00Z", "2026-11-17T09:00:00Z", "all",
			[]string{"2026-10-04 published 2026-10-06T06:05:00Z", "2026-10-18 nothing 2026-11-17T09:20:00Z"},
			" | 2026-11-01 | 2026-12-01T06:00:00Z | 2026-11-15"},
		{"none of the missed ones", "2026-11-17T09:00:00Z", "2026-11-17T09:00:00Z", "none", []string{"2026-10-04 published 2026-10-06T06:05:00Z"},
			"2026-10-18 2026-11-01 2026-11-15 |  | 2026-12-01T06:00:00Z | "},
		{"within a tick of the start it is not missed", "2026-11-17T06:01:00Z", "2026-11-17T06:01:00Z", "none", []string{"2026-10-04 published 2026-10-06T06:05:00Z"},
			"2026-10-18 2026-11-01 | 2026-11-15 | 2026-12-01T06:00:00Z | 2026-11-15"},
		{"what failed waits for its time", "2026-11-17T06:30:00Z", "2026-11-01T00:00:00Z", "latest",
			[]string{"2026-11-01 published 2026-11-03T06:05:00Z", "2026-11-15 failed again 2026-11-17T06:10:00Z"},
			" |  | 2026-11-17T07:10:00Z | 2026-11-15"},
		{"what failed is tried again", "2026-11-17T07:10:00Z", "2026-11-01T00:00:00Z", "latest",
			[]string{"2026-11-01 published 2026-11-03T06:05:00Z", "2026-11-15 failed again 2026-11-17T06:10:00Z"},
			" | 2026-11-15 | 2026-12-01T06:00:00Z | 2026-11-15"},
		{"what a person has cancelled stays so", "2026-11-20T00:00:00Z", "2026-11-01T00:00:00Z", "latest",
			[]string{"2026-11-01 published 2026-11-03T06:05:00Z", "2026-11-15 failed 2026-11-17T06:10:00Z"},
			" |  | 2026-12-01T06:00:00Z | "},
		{"a failure stands once a later period is due", "2026-11-17T06:00:00Z", "2026-11-01T00:00:00Z", "latest",
			[]string{"2026-10-18 published 2026-10-20T06:05:00Z", "2026-11-01 failed again 2026-11-17T05:59:00Z"},
			" | 2026-11-15 | 2026-12-01T06:00:00Z | 2026-11-15"},
		{"what is held waits for a person", "2026-11-10T00:00:00Z", "2026-11-10T00:00:00Z", "latest",
			[]string{"2026-10-18 published 2026-10-20T06:05:00Z", "2026-11-01 held 2026-11-03T06:05:00Z"},
			" |  | 2026-11-17T06:00:00Z | "},
		{"a later period goes ahead of what is held", "2026-11-17T06:00:00Z", "2026-11-10T00:00:00Z", "latest",
			[]string{"2026-10-18 published 2026-10-20T06:05:00Z", "2026-11-01 held 2026-11-03T06:05:00Z"},
			" | 2026-11-15 | 2026-12-01T06:00:00Z | 2026-11-15"},
		{"settled after a failure is settled", "2026-11-10T00:00:00Z", "2026-11-10T00:00:00Z", "latest",
			[]string{"2026-11-01 failed again 2026-11-03T06:05:00Z", "2026-11-01 published 2026-11-03T07:05:00Z"},
			" |  | 2026-11-17T06:00:00Z | "},
		{"what a later one has overtaken is passed over", "2026-11-10T00:00:00Z", "2026-11-10T00:00:00Z", "all",
			[]string{"2026-10-04 published 2026-10-06T06:05:00Z", "2026-11-01 published 2026-11-02T06:05:00Z"},
			"2026-10-18 |  | 2026-11-17T06:00:00Z | "},
		{"a clock put back an hour repeats nothing", "2026-11-17T05:30:00Z", "2026-11-01T00:00:00Z", "latest",
			[]string{"2026-11-01 published 2026-11-03T06:05:00Z", "2026-11-15 published 2026-11-17T06:10:00Z"},
			" |  | 2026-11-17T06:00:00Z | "},
		{"and nothing when the time comes again", "2026-11-17T06:00:00Z", "2026-11-01T00:00:00Z", "latest",
			[]string{"2026-11-01 published 2026-11-03T06:05:00Z", "2026-11-15 published 2026-11-17T06:10:00Z"},
			" |  | 2026-12-01T06:00:00Z | "},
		{"a failure of a clock that was a day fast does not block", "2026-11-17T06:00:00Z", "2026-11-01T00:00:00Z", "latest",
			[]string{"2026-11-01 published 2026-11-03T06:05:00Z", "2026-11-15 failed again 2026-11-18T05:00:00Z"},
			" | 2026-11-15 | 2026-12-01T06:00:00Z | 2026-11-15"},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := clock("UTC", 2, 6, 0)
			at.Catchup = c.catchup
			records := ledger(t, c.records...)
			slots, err := schedule.Window(moment(c.now), at, fortnights, records)
			if err != nil {
				t.Fatal(err)
			}
			got := told(schedule.Decide(moment(c.now), moment(c.started), at, slots, records))
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func told(d schedule.Decision) string {
	var passed []string
	for _, slot := range d.PassOver {
		passed = append(passed, slot.Period)
	}
	name := func(slot *schedule.Slot) string {
		if slot == nil {
			return ""
		}
		return slot.Period
	}
	return fmt.Sprintf("%s | %s | %s | %s", strings.Join(passed, " "), name(d.Run), d.Wake.UTC().Format(time.RFC3339), name(d.Waiting))
}

// TestDecide_EveryDuePeriodGetsItsOneVerdict lets clocks jump, processes
// restart and runs fail, in any order.
func TestDecide_EveryDuePeriodGetsItsOneVerdict(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := clock("America/New_York", rapid.IntRange(1, 20).Draw(t, "days"), 2, 30)
		at.Catchup = rapid.SampledFrom([]pipeline.Catchup{pipeline.CatchupLatest, pipeline.CatchupAll, pipeline.CatchupNone}).Draw(t, "catchup")
		now := moment("2026-01-01T00:00:00Z")
		started := now
		var records []pipeline.PeriodVerdict
		record := func(slot schedule.Slot, verdict pipeline.Verdict) {
			if before := pipeline.VerdictOf(records, slot.Period); before != nil && before.Settled() {
				t.Fatalf("%s was settled, and became %s", slot.Period, verdict)
			}
			records = append(records, pipeline.PeriodVerdict{Period: slot.Period, Verdict: verdict, Again: true, At: now})
		}
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(-120, 30*24*60).Draw(t, "minutes")) * time.Minute)
			if rapid.Bool().Draw(t, "restart") {
				started = now
			}
			for range 30 { // as many ticks as there may be periods to do
				slots, err := schedule.Window(now, at, fortnights, records)
				if err != nil {
					t.Fatal(err)
				}
				decision := schedule.Decide(now, started, at, slots, records)
				for _, slot := range decision.PassOver {
					record(slot, pipeline.PassedOver)
				}
				if decision.Run == nil {
					break
				}
				record(*decision.Run, rapid.SampledFrom([]pipeline.Verdict{pipeline.Published, pipeline.NothingNew, pipeline.Held, pipeline.FailedRun}).Draw(t, "verdict"))
			}
		}
		oldest := ""
		for _, r := range records {
			if oldest == "" || r.Period < oldest {
				oldest = r.Period
			}
		}
		slots, err := schedule.Slots(at, fortnights, moment("2025-06-01T00:00:00Z"), now)
		if err != nil {
			t.Fatal(err)
		}
		for _, slot := range slots {
			if oldest != "" && slot.Period >= oldest && pipeline.VerdictOf(records, slot.Period) == nil {
				t.Fatalf("%s was due at %s and has no verdict at %s", slot.Period, slot.DueAt, now)
			}
		}
	})
}

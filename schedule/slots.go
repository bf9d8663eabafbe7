// Package schedule says when a pipeline's periods fall due, and starts their
// runs.
//
// In come pipelines with their schedules and calendars, the ledger of what is
// known about their periods, and a [Launcher]; out go runs, at most one of a
// pipeline at a time, and records of periods that were passed over and of runs
// that died without a word. What to do now is a pure function of the time and
// of the ledger ([Decide]), so that restarts, clock jumps and rivals change
// nothing.
//
// It never computes, publishes or judges anything: each run is a process of
// its own, and writes its verdict itself.
package schedule

import (
	"fmt"
	"time"

	"github.com/robfig/cron/v3"

	"tamiz/pipeline"
)

// Slot is a period and when it falls due.
type Slot struct {
	Period string // its last date
	DueAt  time.Time
}

// horizon is how far ahead the next slot is looked for, in days: a list of
// dates may have no later one, which is no mistake yet.
var horizon = []int{40, 200, 390}

// Slots gives the slots that fall due after one instant and not after another,
// in order. A due time that the clock skips (daylight saving begins) is due at
// the first instant after the gap; one that comes twice is due the first time.
// With a cron line, a period is due when the line fires first after the
// period's last date; if the next period ends before that, it is never due.
// It fails where the calendar does, and where a cron line is malformed.
func Slots(schedule *pipeline.Schedule, calendar pipeline.Calendar, after, until time.Time) ([]Slot, error) {
	dueAt, days, err := dueRule(schedule, calendar)
	if err != nil {
		return nil, err
	}
	from := after.In(schedule.TimeZone).AddDate(0, 0, -days-1)
	if end, err := calendar.PeriodEnd(from); err == nil {
		from = end.AddDate(0, 0, -1) // a cron line may fire long after its period ended
	}
	ends, err := calendar.Ends(from, until.In(schedule.TimeZone))
	if err != nil {
		return nil, fmt.Errorf("find the periods that are due: %w", err)
	}
	var slots []Slot
	for _, end := range ends {
		if at := dueAt(end); at.After(after) && !at.After(until) {
			slots = append(slots, Slot{Period: end.Format(pipeline.DateLayout), DueAt: at})
		}
	}
	return slots, nil
}

// Next gives the first slot after an instant, and false if the calendar names
// none within a year.
func Next(schedule *pipeline.Schedule, calendar pipeline.Calendar, after time.Time) (Slot, bool) {
	for _, days := range horizon {
		if slots, err := Slots(schedule, calendar, after, after.AddDate(0, 0, days)); err == nil && len(slots) > 0 {
			return slots[0], true
		}
	}
	return Slot{}, false
}

// dueRule gives the due time of a period that ended on a date, the zero time
// if it is never due; and by how many days at least it lies after that date.
func dueRule(schedule *pipeline.Schedule, calendar pipeline.Calendar) (func(end time.Time) time.Time, int, error) {
	if schedule.Cron == "" {
		return func(end time.Time) time.Time {
			return instant(end.AddDate(0, 0, schedule.DueDays).Add(schedule.DueClock), schedule.TimeZone)
		}, schedule.DueDays, nil
	}
	line, err := parse(schedule.Cron)
	if err != nil {
		return nil, 0, err
	}
	return func(end time.Time) time.Time {
		fires := line.Next(end.AddDate(0, 0, 1).Add(-time.Second))
		if last, err := calendar.PeriodEnd(fires.AddDate(0, 0, -1)); fires.IsZero() || err != nil || !last.Equal(end) {
			return time.Time{}
		}
		return instant(fires, schedule.TimeZone)
	}, 1, nil
}

// parse reads a cron line of five fields. It is asked about wall-clock times
// that are written as if they were UTC, so that it need not know how clocks
// are put forward and back; [instant] does.
func parse(line string) (cron.Schedule, error) {
	parsed, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow).Parse(line)
	if err != nil {
		return nil, &pipeline.Error{Kind: pipeline.Config, Problem: fmt.Sprintf("%q is no cron line", line), Err: err}
	}
	return parsed, nil
}

// firesWithin reports whether a cron line fires after one instant and not
// after another, on the clock of a zone.
func firesWithin(line cron.Schedule, zone *time.Location, after, until time.Time) bool {
	fires := line.Next(wallOf(after, zone).Add(-time.Hour)) // where the clock was put back, the same times come again
	for !fires.IsZero() {
		at := instant(fires, zone)
		if at.After(until) {
			return false
		}
		if at.After(after) {
			return true
		}
		fires = line.Next(fires)
	}
	return false
}

// wallOf gives what a clock of the zone shows, as if it were UTC.
func wallOf(t time.Time, zone *time.Location) time.Time {
	local := t.In(zone)
	_, offset := local.Zone()
	return local.UTC().Add(time.Duration(offset) * time.Second)
}

// instant gives the moment at which a clock of the zone shows wall (written as
// if it were UTC): the first, if it shows it twice; the first moment after the
// gap, if it never does.
func instant(wall time.Time, zone *time.Location) time.Time {
	offset := func(t time.Time) time.Duration {
		_, seconds := t.In(zone).Zone()
		return time.Duration(seconds) * time.Second
	}
	before := wall.Add(-offset(wall.Add(-24 * time.Hour))).In(zone)
	after := wall.Add(-offset(wall.Add(24 * time.Hour))).In(zone)
	switch {
	case wallOf(before, zone).Equal(wall):
		return before // which is the first: clocks are put back after it
	case wallOf(after, zone).Equal(wall):
		return after
	}
	start, _ := before.ZoneBounds()
	return start
}

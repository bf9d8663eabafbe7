package schedule

import (
	"fmt"
	"slices"
	"time"

	"tamiz/pipeline"
)

// Tick is how often the daemon looks at the clock.
const Tick = time.Minute

// Decision is what is to be done about a pipeline now.
type Decision struct {
	PassOver []Slot    // to be recorded as passed over, in this order, before anything runs
	Run      *Slot     // to be run now; nil: nothing
	Wake     time.Time // when there is next something to decide; zero: nobody knows
	Waiting  *Slot     // the latest due slot, if its verdict is still to come: none was recorded, or it failed and is tried again
}

// Decide says what is to be done at a moment. Slots are those due by now and
// the next one, in order; records are the ledger's, the oldest first; started
// is when the daemon began to watch.
//
// Where the ledger is empty the project is new: the latest due period is run,
// and those before it were never asked for. Else each due period since the
// oldest recorded one is passed over, run, or left alone: one that is settled
// or held is left; one that failed is tried again after the schedule's Retry,
// unless a person has cancelled it, until a later period is due; one without a
// record is dealt with by the rule of catching up. The oldest is run first.
func Decide(now, started time.Time, schedule *pipeline.Schedule, slots []Slot, records []pipeline.PeriodVerdict) Decision {
	var decision Decision
	due := slots
	if i := slices.IndexFunc(slots, func(s Slot) bool { return s.DueAt.After(now) }); i >= 0 {
		due, decision.Wake = slots[:i], slots[i].DueAt
	}
	if len(due) == 0 {
		return decision
	}
	oldest, newest := bounds(records)
	if oldest == "" {
		due = due[len(due)-1:]
	}
	for i, slot := range due {
		if slot.Period < oldest {
			continue
		}
		latest := i == len(due)-1
		verdict := pipeline.VerdictOf(records, slot.Period)
		if latest && (verdict == nil || verdict.Verdict == pipeline.FailedRun && verdict.Again) {
			decision.Waiting = &due[i]
		}
		switch {
		case verdict == nil && oldest != "" && passedOver(slot, latest, newest, started, schedule.Catchup):
			decision.PassOver = append(decision.PassOver, slot)
			if latest {
				decision.Waiting = nil
			}
		case verdict == nil && decision.Run == nil:
			decision.Run = &due[i]
		case verdict != nil && latest && verdict.Verdict == pipeline.FailedRun && verdict.Again && decision.Run == nil:
			again := retryAt(now, verdict.At, schedule.Retry)
			if !again.After(now) {
				decision.Run = &due[i]
			} else if decision.Wake.IsZero() || again.Before(decision.Wake) {
				decision.Wake = again
			}
		}
	}
	return decision
}

// Window gives the slots that [Decide] needs: those due by now since the oldest
// recorded period, or the latest ones if there is no record; and the next.
func Window(now time.Time, schedule *pipeline.Schedule, calendar pipeline.Calendar, records []pipeline.PeriodVerdict) ([]Slot, error) {
	after := now.AddDate(-2, 0, 0)
	if oldest, _ := bounds(records); oldest != "" {
		var err error
		if after, err = time.Parse(pipeline.DateLayout, oldest); err != nil {
			return nil, fmt.Errorf("read the ledger of verdicts: %w", err)
		}
	}
	slots, err := Slots(schedule, calendar, after, now)
	if err != nil {
		return nil, err
	}
	if next, ok := Next(schedule, calendar, now); ok {
		slots = append(slots, next)
	}
	return slots, nil
}

// bounds gives the oldest and the newest period that has a record, both "" if
// there is none.
func bounds(records []pipeline.PeriodVerdict) (oldest, newest string) {
	for _, record := range records {
		if oldest == "" || record.Period < oldest {
			oldest = record.Period
		}
		newest = max(newest, record.Period)
	}
	return oldest, newest
}

// passedOver says whether a due slot that has no record is not to be run any
// more.
func passedOver(slot Slot, latest bool, newest string, started time.Time, catchup pipeline.Catchup) bool {
	if slot.Period < newest {
		return true // a later period was run, by hand or by a clock that was fast
	}
	switch catchup {
	case pipeline.CatchupAll:
		return false
	case pipeline.CatchupNone:
		return slot.DueAt.Before(started.Add(-Tick))
	}
	return !latest
}

// retryAt is when to try again what failed at a moment. A moment that lies far
// ahead was read from a clock that has been put back since.
func retryAt(now, failed time.Time, retry time.Duration) time.Time {
	if failed.After(now.Add(retry)) {
		return now
	}
	return failed.Add(retry)
}

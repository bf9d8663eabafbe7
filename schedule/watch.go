package schedule

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"tamiz/pipeline"
)

// watch is one pipeline while the daemon runs.
type watch struct {
	*Daemon
	Watched
	started time.Time
	ticks   chan struct{}

	// Of the watching goroutine alone.
	looked  time.Time // until when the fetch line was followed
	read    time.Time // when the ledger was read
	wake    time.Time // before which there is nothing to decide
	paused  string    // a period that is not started again …
	resumes time.Time // … before this
	mute    error     // how the last run ended, if it left no verdict
	records []pipeline.PeriodVerdict

	state State // guarded by Daemon.mu
}

func (w *watch) watch(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.ticks:
			w.look(ctx)
		}
	}
}

// look is what happens at a tick. A run looks at the sources itself, so that
// there is nothing to fetch where one is due.
func (w *watch) look(ctx context.Context) {
	now := w.Now()
	fetch := w.fetchDue(now)
	if !fetch && now.Before(w.wake) && !now.Before(w.read) && now.Sub(w.read) < reread {
		return
	}
	decision, err := w.decide(ctx)
	if err != nil {
		return
	}
	if run := w.ready(decision); run == nil && !fetch {
		return
	}
	select {
	case <-ctx.Done():
		return
	case w.places <- struct{}{}:
	}
	defer func() { <-w.places }()
	if decision, err = w.decide(ctx); err != nil { // it may have waited for its place
		return
	}
	if run := w.ready(decision); run != nil {
		if outcome := w.launch(ctx, run); outcome.Verdict != nil && outcome.Verdict.Settled() {
			w.again() // there may be more to catch up
		}
	} else if fetch {
		w.launch(ctx, nil)
	}
}

// again looks once more without waiting for the next tick.
func (w *watch) again() {
	select {
	case w.ticks <- struct{}{}:
	default:
	}
}

// ready gives the slot to be run now. One that ended lately without a verdict
// has to wait: what cannot even write one is not started each minute.
func (w *watch) ready(decision Decision) *Slot {
	now := w.Now()
	if run := decision.Run; run == nil || run.Period == w.paused && now.Before(w.resumes) && w.resumes.Sub(now) <= w.Schedule.Retry {
		return nil
	}
	return decision.Run
}

func (w *watch) fetchDue(now time.Time) bool {
	since := w.looked
	w.looked = now
	if w.Schedule.Fetch == "" {
		return false
	}
	line, err := parse(w.Schedule.Fetch)
	if err != nil {
		w.Log.Error(w.Name+": "+err.Error(), zap.String("pipeline", w.Name))
		return false
	}
	return firesWithin(line, w.Schedule.TimeZone, since, now)
}

// decide reads the ledger, decides, and records what is passed over.
func (w *watch) decide(ctx context.Context) (decision Decision, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	defer func() { w.tell(decision, err) }()
	w.wake = time.Time{}
	if w.records, err = w.Ledger.Verdicts(ctx); err != nil {
		return decision, fmt.Errorf("read the ledger: %w", err)
	}
	now := w.Now()
	w.read = now
	slots, err := Window(now, w.Schedule, w.Calendar, w.records)
	if err != nil {
		return decision, err
	}
	decision = Decide(now, w.started, w.Schedule, slots, w.records)
	for _, slot := range decision.PassOver {
		reason := pipeline.Sentence{Key: "passed_over", Values: map[string]any{"period": slot.Period, "due": slot.DueAt.In(w.Schedule.TimeZone).Format(pipeline.DateLayout)}}
		if _, err := w.Ledger.Record(ctx, w.verdict(slot, pipeline.PassedOver, reason)); err != nil {
			return decision, fmt.Errorf("record that %s is passed over: %w", slot.Period, err)
		}
		w.Log.Info(fmt.Sprintf("%s: the period to %s is passed over; nobody was there to compute it", w.Name, slot.Period),
			zap.String("pipeline", w.Name), zap.String("period", slot.Period))
	}
	switch w.wake = decision.Wake; {
	case decision.Run != nil || len(decision.PassOver) > 0:
		w.wake = time.Time{} // the next tick looks at what has come of it
	case w.wake.IsZero():
		w.wake = now.Add(reread)
	}
	return decision, nil
}

// verdict is a record that the daemon itself writes.
func (w *watch) verdict(slot Slot, verdict pipeline.Verdict, reason pipeline.Sentence) pipeline.PeriodVerdict {
	record := pipeline.PeriodVerdict{Period: slot.Period, DueAt: slot.DueAt, Verdict: verdict, Reason: w.Say(reason), At: w.Now(), By: w.Machine}
	for _, before := range w.records {
		if before.Snapshot != "" {
			record.Snapshot = before.Snapshot
		}
	}
	return record
}

// launch starts a slot's run, or a look at the sources if slot is nil, waits,
// and sees to it that what died without a word has a verdict.
func (w *watch) launch(ctx context.Context, slot *Slot) Outcome {
	job := Job{Pipeline: w.Name, Slot: slot, Limit: w.Schedule.Limit, Memory: w.Schedule.Memory}
	log := w.Log.With(zap.String("pipeline", w.Name))
	what := "looking at the sources"
	if slot != nil {
		log = log.With(zap.String("period", slot.Period), zap.Time("due_at", slot.DueAt))
		what = "the run for the period to " + slot.Period
	}
	log.Info(fmt.Sprintf("%s: %s begins", w.Name, what))
	w.begin(&job)
	outcome := Outcome{Job: job, End: w.Launcher.Launch(ctx, job)}
	end := outcome.End
	log = log.With(zap.String("run", end.Run), zap.String("end", string(end.Kind)), zap.Int("exit_code", end.Code), zap.Float64("seconds", end.Took.Seconds()))
	settle, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience) // what has ended is recorded, even while we stop
	defer cancel()
	if slot != nil {
		w.settle(settle, &outcome, log)
	}
	w.end(outcome)
	switch {
	case end.Busy() && slot == nil:
		log.Info(fmt.Sprintf("%s: another run is at work, which looks at the sources itself", w.Name))
		return outcome
	case end.Busy():
		log.Info(fmt.Sprintf("%s: another run is at work; %s is tried again in a minute", w.Name, what))
		return outcome
	case outcome.Verdict != nil:
		log.Info(fmt.Sprintf("%s: %s has ended: %s", w.Name, what, outcome.Verdict.Verdict), zap.String("verdict", string(outcome.Verdict.Verdict)))
	case end.Kind == Exited && end.Code == 0:
		log.Info(fmt.Sprintf("%s: %s has ended", w.Name, what))
	default:
		log.Warn(fmt.Sprintf("%s: %s has ended (%s, exit code %d) without a verdict", w.Name, what, end.Kind, end.Code))
	}
	if w.After != nil {
		w.After(settle, outcome)
	}
	return outcome
}

// settle finds what the run has recorded, and records a failure for one that
// could not.
func (w *watch) settle(ctx context.Context, outcome *Outcome, log *zap.Logger) {
	slot, before := outcome.Job.Slot, count(w.records, outcome.Job.Slot.Period)
	records, err := w.Ledger.Verdicts(ctx)
	if err == nil && count(records, slot.Period) == before {
		if reason, dumb := outcome.End.dumb(outcome.Job); dumb {
			record := w.verdict(*slot, pipeline.FailedRun, reason)
			record.Run, record.Again = outcome.End.Run, true
			if _, err = w.Ledger.Record(ctx, record); err == nil {
				records, err = w.Ledger.Verdicts(ctx)
			}
		}
	}
	if err != nil {
		log.Error(fmt.Sprintf("%s: the ledger cannot be reached: %v", w.Name, err), zap.Error(err))
	} else {
		w.records = records
	}
	if count(w.records, slot.Period) > before {
		outcome.Verdict, w.mute = pipeline.VerdictOf(w.records, slot.Period), nil
	} else if !outcome.End.Busy() {
		w.paused, w.resumes = slot.Period, w.Now().Add(w.Schedule.Retry)
		w.mute = fmt.Errorf("the run for the period to %s ended without a verdict (%s, exit code %d); it is tried again at %s",
			slot.Period, outcome.End.Kind, outcome.End.Code, w.resumes.In(w.Schedule.TimeZone).Format("2006-01-02 15:04 MST"))
	}
}

func count(records []pipeline.PeriodVerdict, period string) int {
	n := 0
	for _, record := range records {
		if record.Period == period {
			n++
		}
	}
	return n
}

package schedule

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/robfig/cron/v3"
	"go.uber.org/zap"

	"tamiz/pipeline"
)

// Ledger is what is known for ever about a pipeline's periods.
type Ledger interface {
	// Verdicts gives all records, the oldest first.
	Verdicts(ctx context.Context) ([]pipeline.PeriodVerdict, error)
	// Record adds a verdict unless the period is settled, and reports whether it did.
	Record(ctx context.Context, verdict pipeline.PeriodVerdict) (bool, error)
}

// Watched is one pipeline that the daemon watches.
type Watched struct {
	Name     string
	Schedule *pipeline.Schedule // with its time zone
	Calendar pipeline.Calendar
	Ledger   Ledger
}

// Outcome is what came of a job.
type Outcome struct {
	Job     Job
	End     End
	Verdict *pipeline.PeriodVerdict // the slot's, by the ledger; nil if it has none, and of a look at the sources
}

// Daemon starts the runs of pipelines when they fall due. All fields but those
// that may be nil must be set; they are not changed once it runs.
type Daemon struct {
	Pipelines []Watched
	Launcher  Launcher
	AtOnce    int // jobs of different pipelines beside each other
	Now       func() time.Time
	Log       *zap.Logger
	Machine   string                                     // whose records these are
	Say       func(pipeline.Sentence) map[string]string  // a sentence in each language
	After     func(ctx context.Context, outcome Outcome) // may be nil; after each job but one that found another at work
	Ticked    func()                                     // may be nil; at each tick

	places  chan struct{} // one for each job that may be at work
	watches []*watch

	mu     sync.Mutex
	ticked time.Time // by the machine's clock: the last tick
}

const (
	// reread is how long the ledger is taken to be as it was: people decide,
	// and other machines write to it.
	reread = 30 * time.Minute
	// patience is how long a store may take to answer.
	patience = 2 * time.Minute
)

// open prepares what a daemon needs.
func (d *Daemon) open() {
	d.places = make(chan struct{}, max(1, d.AtOnce))
	started := d.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ticked = time.Now()
	d.watches = nil
	for _, watched := range d.Pipelines {
		d.watches = append(d.watches, &watch{Daemon: d, Watched: watched, started: started, looked: started, ticks: make(chan struct{}, 1)})
	}
}

// Run watches until ctx is done; then it waits for the jobs to end, which the
// [Launcher] stops. It ticks once a minute. Each pipeline is watched by a
// goroutine of its own, so that none waits for another's store or run.
func (d *Daemon) Run(ctx context.Context) {
	d.open()
	var watching sync.WaitGroup
	for _, w := range d.watches {
		watching.Go(func() { w.watch(ctx) })
	}
	ticker := cron.New(cron.WithLogger(cron.DiscardLogger))
	ticker.Schedule(cron.Every(Tick), cron.FuncJob(d.tick))
	d.tick()
	ticker.Start()
	<-ctx.Done()
	<-ticker.Stop().Done()
	watching.Wait()
}

func (d *Daemon) tick() {
	d.mu.Lock()
	d.ticked = time.Now()
	d.mu.Unlock()
	for _, w := range d.watches {
		select {
		case w.ticks <- struct{}{}:
		default: // it is still at work
		}
	}
	if d.Ticked != nil {
		d.Ticked()
	}
}

// Once does what is due now, one after the other, and gives what came of it.
// Each slot is started once. There is no time before it during which nobody
// was there, so that catchup none is the same as latest.
func (d *Daemon) Once(ctx context.Context) ([]Outcome, error) {
	d.open()
	var outcomes []Outcome
	var errs []error
	for _, w := range d.watches {
		if w.Schedule.Catchup == pipeline.CatchupNone {
			once := *w.Schedule
			once.Catchup = pipeline.CatchupLatest
			w.Schedule = &once
		}
		begun := map[string]bool{}
		for ctx.Err() == nil {
			decision, err := w.decide(ctx)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", w.Name, err))
				break
			}
			if decision.Run == nil || begun[decision.Run.Period] {
				break
			}
			begun[decision.Run.Period] = true
			outcomes = append(outcomes, w.launch(ctx, decision.Run))
		}
	}
	return outcomes, errors.Join(append(errs, ctx.Err())...)
}

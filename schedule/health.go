package schedule

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"

	"tamiz/pipeline"
)

// State is what the daemon knows of a pipeline, as of the last time it looked.
type State struct {
	Pipeline    string
	Last        *pipeline.PeriodVerdict // the newest period's verdict; nil: none yet
	PublishedAt time.Time               // of the latest record that something was published; zero: none
	Failures    int                     // how often the newest period's run failed one after the other
	Held        int                     // periods that wait for a decision
	Next        *Slot                   // what falls due next; nil: the calendar names nothing
	Waiting     *Slot                   // what is due and has no verdict that stands
	Running     *Job                    // at work now; nil: nothing
	Took        time.Duration           // the last run; zero: none since the daemon started
	Problem     error                   // why the daemon cannot decide, or how the last run ended without a verdict; nil: all is well
}

// States gives what is known of each pipeline, in the order of the daemon.
func (d *Daemon) States() []State {
	d.mu.Lock()
	defer d.mu.Unlock()
	states := make([]State, len(d.watches))
	for i, w := range d.watches {
		states[i] = w.state
		states[i].Pipeline = w.Name
	}
	return states
}

// tell keeps what was decided for those who ask.
func (w *watch) tell(decision Decision, problem error) {
	if errors.Is(problem, context.Canceled) {
		return // we stop
	}
	if problem != nil {
		w.Log.Error(fmt.Sprintf("%s: %v", w.Name, problem), zap.String("pipeline", w.Name), zap.Error(problem))
	} else if decision.Waiting != nil {
		problem = w.mute
	}
	state := stateOf(w.records)
	if next, ok := Next(w.Schedule, w.Calendar, w.Now()); ok {
		state.Next = &next
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	state.Running, state.Took, state.Problem, state.Waiting = w.state.Running, w.state.Took, problem, decision.Waiting
	w.state = state
}

func (w *watch) begin(job *Job) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state.Running = job
}

func (w *watch) end(outcome Outcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state.Running = nil
	if outcome.Job.Slot == nil {
		return
	}
	state := stateOf(w.records)
	state.Next, state.Problem, state.Took, state.Waiting = w.state.Next, w.mute, outcome.End.Took, w.state.Waiting
	if verdict := outcome.Verdict; verdict != nil && (verdict.Verdict != pipeline.FailedRun || !verdict.Again) {
		state.Waiting = nil
	}
	w.state = state
}

// stateOf reads the ledger's records.
func stateOf(records []pipeline.PeriodVerdict) State {
	var state State
	var periods []string
	for _, record := range records {
		periods = append(periods, record.Period)
		if record.Verdict == pipeline.Published {
			state.PublishedAt = record.At
		}
	}
	slices.Sort(periods)
	for _, period := range slices.Compact(periods) {
		state.Last = pipeline.VerdictOf(records, period)
		if state.Last.Verdict == pipeline.Held {
			state.Held++
		}
	}
	if state.Last == nil || state.Last.Verdict != pipeline.FailedRun {
		return state
	}
	for _, record := range records {
		if record.Period == state.Last.Period {
			state.Failures++
			if record.Verdict != pipeline.FailedRun {
				state.Failures = 0
			}
		}
	}
	return state
}

// stale is after how long without a tick the daemon is taken to hang.
const stale = 5 * Tick

// Ailments tells what is wrong, a sentence each; none if all is well. A period
// is overdue that has no verdict although the daemon has had the time that a
// run may take.
func (d *Daemon) Ailments() []string {
	var found []string
	d.mu.Lock()
	watches, ticked := d.watches, d.ticked
	d.mu.Unlock()
	if ticked.IsZero() {
		return []string{"the daemon is starting"}
	}
	if silent := time.Since(ticked); silent > stale {
		found = append(found, fmt.Sprintf("the daemon has not looked at the clock for %s", silent.Round(time.Second)))
	}
	now := d.Now()
	for i, state := range d.States() {
		w := watches[i]
		if state.Problem != nil {
			line, _, _ := strings.Cut(state.Problem.Error(), "\n")
			found = append(found, fmt.Sprintf("%s: %s", w.Name, line))
		}
		if slot := state.Waiting; slot != nil {
			since := slot.DueAt
			if w.started.After(since) {
				since = w.started
			}
			if now.After(since.Add(w.Schedule.Limit)) {
				found = append(found, fmt.Sprintf("%s: the period to %s fell due at %s and still has no verdict; tamiz status %s tells more",
					w.Name, slot.Period, slot.DueAt.Format(time.RFC3339), w.Name))
			}
		}
	}
	return found
}

// Handler serves /healthz (200 while all is well, else 503, with a sentence)
// and /metrics in the format of Prometheus. Both tell what the daemon knows;
// neither asks the store.
func (d *Daemon) Handler() http.Handler {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(&collector{d})
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		ailments := d.Ailments()
		if len(ailments) == 0 {
			fmt.Fprintln(w, "all is well")
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, strings.Join(ailments, "\n"))
	})
	return mux
}

// collector gives the states as metrics.
type collector struct{ *Daemon }

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("tamiz_"+name, help, append([]string{"pipeline"}, labels...), nil)
}

// metrics, in the order in which they are told.
var (
	metricVerdict  = describe("last_verdict", "1 for the verdict of the newest period.", "verdict")
	metricAge      = describe("snapshot_age_seconds", "Time since a snapshot was last published.")
	metricTook     = describe("last_run_seconds", "How long the last run took.")
	metricFailures = describe("consecutive_failures", "How often the newest period's run has failed one after the other.")
	metricHeld     = describe("held_waiting", "Periods that wait for a person's decision.")
	metricNext     = describe("next_due_timestamp_seconds", "When the next period falls due.")
	metricOverdue  = describe("due_waiting", "1 while a period is due and has no verdict that stands.")
	metricAtWork   = describe("running", "1 while a run or a look at the sources is at work.")
	metricProblem  = describe("problem", "1 while the daemon cannot decide, such as when the store does not answer, or the last run left no verdict.")
)

// Describe names the metrics.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{metricVerdict, metricAge, metricTook, metricFailures, metricHeld, metricNext, metricOverdue, metricAtWork, metricProblem} {
		to <- desc
	}
}

// Collect tells their values.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	now := c.Now()
	for _, s := range c.States() {
		gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
			to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, append([]string{s.Pipeline}, labels...)...)
		}
		if s.Last != nil {
			gauge(metricVerdict, 1, string(s.Last.Verdict))
		}
		if !s.PublishedAt.IsZero() {
			gauge(metricAge, now.Sub(s.PublishedAt).Seconds())
		}
		if s.Took > 0 {
			gauge(metricTook, s.Took.Seconds())
		}
		if s.Next != nil {
			gauge(metricNext, float64(s.Next.DueAt.Unix()))
		}
		gauge(metricFailures, float64(s.Failures))
		gauge(metricHeld, float64(s.Held))
		gauge(metricOverdue, number(s.Waiting != nil))
		gauge(metricAtWork, number(s.Running != nil))
		gauge(metricProblem, number(s.Problem != nil))
	}
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

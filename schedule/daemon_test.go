package schedule_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"tamiz/pipeline"
	"tamiz/schedule"
)

// memory is a ledger in memory with the rules of the real one.
type memory struct {
	mu      sync.Mutex
	records []pipeline.PeriodVerdict
	down    error
}

func (m *memory) Verdicts(context.Context) ([]pipeline.PeriodVerdict, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.records), m.down
}

func (m *memory) Record(_ context.Context, verdict pipeline.PeriodVerdict) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down != nil {
		return false, m.down
	}
	if last := pipeline.VerdictOf(m.records, verdict.Period); last != nil && (last.Settled() || last.Verdict == verdict.Verdict && last.Run == verdict.Run) {
		return false, nil
	}
	m.records = append(m.records, verdict)
	return true, nil
}

func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down = err
}

// world is a daemon with all that stands around it.
type world struct {
	*schedule.Daemon
	ledgers map[string]*memory
	lives   func(w *world, ctx context.Context, job schedule.Job, n int) schedule.End // the n-th job of a pipeline, from 0
	shift   time.Duration                                                             // of the clock

	mu       sync.Mutex
	told     []string // jobs, as "name period at"
	counts   map[string]int
	atWork   int
	most     int
	outcomes []schedule.Outcome
}

func newWorld(at *pipeline.Schedule, names ...string) *world {
	w := &world{ledgers: map[string]*memory{}, counts: map[string]int{}, lives: publishes}
	w.Daemon = &schedule.Daemon{Launcher: w, Log: zap.NewNop(), Machine: "here", Now: w.clock,
		Say: func(s pipeline.Sentence) map[string]string { return map[string]string{"en": s.Key} },
		After: func(_ context.Context, outcome schedule.Outcome) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.outcomes = append(w.outcomes, outcome)
		}}
	for _, name := range names {
		w.ledgers[name] = &memory{}
		w.Pipelines = append(w.Pipelines, schedule.Watched{Name: name, Schedule: at, Calendar: fortnights, Ledger: w.ledgers[name]})
	}
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.shift)
}

func (w *world) shiftClock(by time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shift += by
}

func (w *world) Launch(ctx context.Context, job schedule.Job) schedule.End {
	period := "fetch"
	if job.Slot != nil {
		period = job.Slot.Period
	}
	at := w.clock().UTC().Format("01-02 15:04")
	w.mu.Lock()
	w.told = append(w.told, strings.Join([]string{job.Pipeline, period, at}, " "))
	n := w.counts[job.Pipeline]
	w.counts[job.Pipeline]++
	w.atWork++
	w.most = max(w.most, w.atWork)
	w.mu.Unlock()
	end := w.lives(w, ctx, job, n)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.atWork--
	return end
}

// write is what a run does at its end.
func (w *world) write(job schedule.Job, verdict pipeline.Verdict, again bool) {
	w.ledgers[job.Pipeline].Record(context.Background(), pipeline.PeriodVerdict{Period: job.Slot.Period, DueAt: job.Slot.DueAt, Verdict: verdict,
		Run: fmt.Sprint("run ", time.Now().UnixNano()), Snapshot: job.Slot.Period + ".1", Again: again, At: w.clock()})
}

func publishes(w *world, _ context.Context, job schedule.Job, _ int) schedule.End {
	time.Sleep(5 * time.Minute)
	if job.Slot != nil {
		w.write(job, pipeline.Published, false)
	}
	return schedule.End{Kind: schedule.Exited, Took: 5 * time.Minute}
}

// lives in turn: the last one stays.
func inTurn(lives ...func(w *world, ctx context.Context, job schedule.Job, n int) schedule.End) func(w *world, ctx context.Context, job schedule.Job, n int) schedule.End {
	return func(w *world, ctx context.Context, job schedule.Job, n int) schedule.End {
		return lives[min(n, len(lives)-1)](w, ctx, job, n)
	}
}

func exits(code int) func(w *world, ctx context.Context, job schedule.Job, n int) schedule.End {
	return func(*world, context.Context, schedule.Job, int) schedule.End {
		time.Sleep(time.Minute / 2)
		return schedule.End{Kind: schedule.Exited, Code: code}
	}
}

func dies(kind schedule.EndKind) func(w *world, ctx context.Context, job schedule.Job, n int) schedule.End {
	return func(*world, context.Context, schedule.Job, int) schedule.End {
		time.Sleep(10 * time.Minute)
		return schedule.End{Kind: kind, Signal: "SIGKILL", Run: fmt.Sprint("run ", time.Now().UnixNano()), Err: errors.New("no such file")}
	}
}

func writes(verdict pipeline.Verdict, again bool) func(w *world, ctx context.Context, job schedule.Job, n int) schedule.End {
	return func(w *world, _ context.Context, job schedule.Job, _ int) schedule.End {
		time.Sleep(5 * time.Minute)
		w.write(job, verdict, again)
		return schedule.End{Kind: schedule.Exited, Code: 1}
	}
}

// watches lets the daemon run for a time, in a bubble whose clock begins with
// the year 2000, and stops it.
func (w *world) watches(t *testing.T, acts ...func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.Run(ctx)
	}()
	for _, act := range acts {
		act()
	}
	cancel()
	<-done
}

func wait(d time.Duration) func() { return func() { time.Sleep(d) } }

const day = 24 * time.Hour

// verdicts tells a ledger as "period verdict …".
func (w *world) verdicts(name string) string {
	var lines []string
	for _, record := range w.ledgers[name].records {
		line := record.Period + " " + string(record.Verdict)
		if record.Reason["en"] != "" {
			line += " (" + record.Reason["en"] + ")"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, ", ")
}

// On 1 January 2000 the latest fortnight that was due ended on 19 December;
// the next ones end on 2, 16 and 30 January, and are due two days later.
func TestDaemon(t *testing.T) {
	seed := func(w *world) {
		w.ledgers["x"].records = []pipeline.PeriodVerdict{{Period: "1999-12-19", Verdict: pipeline.Published, Run: "r", Snapshot: "s", At: moment("1999-12-21T07:00:00Z")}}
	}
	for _, c := range []struct {
		name     string
		lives    func(w *world, ctx context.Context, job schedule.Job, n int) schedule.End
		change   func(w *world, at *pipeline.Schedule)
		acts     func(w *world) []func()
		jobs     string
		verdicts string
	}{
		{"a new project begins at once, and then keeps to its dates", publishes, func(w *world, _ *pipeline.Schedule) { w.ledgers["x"].records = nil },
			func(*world) []func() { return []func(){wait(31 * day)} },
			"1999-12-19 01-01 00:00, 2000-01-02 01-04 06:00, 2000-01-16 01-18 06:00",
			"1999-12-19 published, 2000-01-02 published, 2000-01-16 published"},
		{"what failed is tried again after an hour", inTurn(writes(pipeline.FailedRun, true), publishes), nil,
			func(*world) []func() { return []func(){wait(10 * day)} },
			"2000-01-02 01-04 06:00, 2000-01-02 01-04 07:05", "2000-01-02 failed, 2000-01-02 published"},
		{"what died without a word has failed", inTurn(dies(schedule.Killed), dies(schedule.OverTime), dies(schedule.OverMemory), dies(schedule.NotStarted), exits(134), publishes), nil,
			func(*world) []func() { return []func(){wait(10 * day)} },
			"2000-01-02 01-04 06:00, 2000-01-02 01-04 07:10, 2000-01-02 01-04 08:20, 2000-01-02 01-04 09:30, 2000-01-02 01-04 10:40, 2000-01-02 01-04 11:41",
			"2000-01-02 failed (failed_crashed), 2000-01-02 failed (failed_time_limit), 2000-01-02 failed (failed_memory_limit), 2000-01-02 failed (failed_not_started), 2000-01-02 failed (failed_crashed), 2000-01-02 published"},
		{"where another is at work it comes back the next minute", inTurn(exits(75), exits(75), publishes), nil,
			func(*world) []func() { return []func(){wait(10 * day)} },
			"2000-01-02 01-04 06:00, 2000-01-02 01-04 06:01, 2000-01-02 01-04 06:02", "2000-01-02 published"},
		{"what writes no verdict is not started each minute", inTurn(exits(2), exits(1), exits(0), publishes), nil,
			func(*world) []func() { return []func(){wait(10 * day)} },
			"2000-01-02 01-04 06:00, 2000-01-02 01-04 07:01, 2000-01-02 01-04 08:02, 2000-01-02 01-04 09:03", "2000-01-02 published"},
		{"what a person has cancelled waits for the next period", inTurn(writes(pipeline.FailedRun, false), publishes), nil,
			func(*world) []func() { return []func(){wait(20 * day)} },
			"2000-01-02 01-04 06:00, 2000-01-16 01-18 06:00", "2000-01-02 failed, 2000-01-16 published"},
		{"what is held waits, and the next period goes ahead", inTurn(writes(pipeline.Held, false), publishes), nil,
			func(*world) []func() { return []func(){wait(20 * day)} },
			"2000-01-02 01-04 06:00, 2000-01-16 01-18 06:00", "2000-01-02 held, 2000-01-16 published"},
		{"a failure stands once the next period is due", inTurn(writes(pipeline.FailedRun, true), publishes),
			func(_ *world, at *pipeline.Schedule) { at.Retry = 30 * day },
			func(*world) []func() { return []func(){wait(25 * day)} },
			"2000-01-02 01-04 06:00, 2000-01-16 01-18 06:00", "2000-01-02 failed, 2000-01-16 published"},
		{"a store that is down is asked until it answers", publishes, nil,
			func(w *world) []func() {
				return []func(){wait(3 * day), func() { w.ledgers["x"].fail(errors.New("down")) }, wait(12*time.Hour + time.Minute/2), func() { w.ledgers["x"].fail(nil) }, wait(6 * day)}
			},
			"2000-01-02 01-04 12:01", "2000-01-02 published"},
		{"a clock put back an hour repeats nothing", publishes, nil,
			func(w *world) []func() {
				return []func(){wait(3*day + 6*time.Hour + 20*time.Minute), func() { w.shiftClock(-time.Hour) }, wait(6 * day)}
			},
			"2000-01-02 01-04 06:00", "2000-01-02 published"},
		{"a clock put forward a day, and back, repeats nothing", publishes, nil,
			func(w *world) []func() {
				return []func(){wait(2*day + 12*time.Hour + time.Minute/2), func() { w.shiftClock(day) }, wait(time.Hour), func() { w.shiftClock(-day) }, wait(20 * day)}
			},
			"2000-01-02 01-04 12:01, 2000-01-16 01-18 06:00", "2000-01-02 published, 2000-01-16 published"},
		{"after a long sleep the latest is run, and those before are passed over", publishes, nil,
			func(w *world) []func() {
				return []func(){wait(time.Hour + time.Minute/2), func() { w.shiftClock(40 * day) }, wait(time.Hour)}
			},
			"2000-01-30 02-10 01:01", "2000-01-02 passed over (passed_over), 2000-01-16 passed over (passed_over), 2000-01-30 published"},
		{"the sources are looked at every day, but not when a run does", publishes,
			func(_ *world, at *pipeline.Schedule) { at.Fetch = "0 6 * * *" },
			func(*world) []func() { return []func(){wait(5 * day)} },
			"fetch 01-01 06:00, fetch 01-02 06:00, fetch 01-03 06:00, 2000-01-02 01-04 06:00, fetch 01-05 06:00", "2000-01-02 published"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				at := clock("UTC", 2, 6, 0)
				w := newWorld(at, "x")
				seed(w)
				if c.change != nil {
					c.change(w, at)
				}
				w.lives = c.lives
				w.watches(t, c.acts(w)...)
				if got := strings.ReplaceAll(strings.Join(w.told, ", "), "x ", ""); got != c.jobs {
					t.Errorf("jobs\ngot  %s\nwant %s", got, c.jobs)
				}
				if got := strings.TrimPrefix(w.verdicts("x"), "1999-12-19 published, "); got != strings.TrimPrefix(c.verdicts, "1999-12-19 published, ") {
					t.Errorf("verdicts\ngot  %s\nwant %s", got, c.verdicts)
				}
			})
		})
	}
}

func TestDaemon_StopsItsRunAndWaitsForItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(clock("UTC", 2, 6, 0), "x")
		ended := false
		w.lives = func(_ *world, ctx context.Context, _ schedule.Job, _ int) schedule.End {
			<-ctx.Done()
			time.Sleep(20 * time.Second) // it tidies up
			ended = true
			return schedule.End{Kind: schedule.Stopped}
		}
		w.watches(t, wait(time.Minute))
		if !ended || len(w.ledgers["x"].records) != 0 {
			t.Errorf("ended %v, records %v: a run that we stop has no verdict", ended, w.ledgers["x"].records)
		}
		w.lives = publishes
		w.watches(t, wait(time.Hour))
		if got := w.verdicts("x"); got != "1999-12-19 published" {
			t.Errorf("after the next start: %s", got)
		}
	})
}

func TestDaemon_RunsAtMostSoManyBesideEachOther(t *testing.T) {
	for _, atOnce := range []int{1, 2} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(clock("UTC", 2, 6, 0), "x", "y", "z")
			w.AtOnce = atOnce
			w.watches(t, wait(10*day))
			if len(w.told) != 6 || w.most != atOnce {
				t.Errorf("at most %d: %d beside each other, jobs %v", atOnce, w.most, w.told)
			}
		})
	}
}

func TestDaemon_OnceDoesWhatIsDueAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := clock("UTC", 2, 6, 0)
		at.Catchup = pipeline.CatchupAll
		w := newWorld(at, "x", "y")
		for name, ledger := range w.ledgers {
			ledger.records = []pipeline.PeriodVerdict{{Period: "1999-11-07", Verdict: pipeline.Published, Run: name, At: moment("1999-11-09T07:00:00Z")}}
		}
		w.lives = inTurn(publishes, writes(pipeline.FailedRun, true), publishes)
		outcomes, err := w.Once(t.Context())
		if err != nil || len(outcomes) != 6 || outcomes[1].Verdict.Verdict != pipeline.FailedRun || outcomes[2].Verdict.Verdict != pipeline.Published {
			t.Errorf("%d outcomes, %v: %v", len(outcomes), err, w.told)
		}
		if outcomes, err = w.Once(t.Context()); err != nil || len(outcomes) != 0 {
			t.Errorf("and again: %v, %v", outcomes, err)
		}
		w.ledgers["x"].fail(errors.New("down"))
		if _, err = w.Once(t.Context()); err == nil || !strings.Contains(err.Error(), "down") {
			t.Errorf("a store that is down: %v", err)
		}
	})
}

func TestDaemon_TellsHowItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(clock("UTC", 2, 6, 0), "x")
		handler := w.Handler()
		ask := func(path string, code int, wants ...string) {
			t.Helper()
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
			if answer.Code != code {
				t.Errorf("%s: %d, want %d: %s", path, answer.Code, code, answer.Body)
			}
			for _, want := range wants {
				if !strings.Contains(answer.Body.String(), want) {
					t.Errorf("%s lacks %q:\n%s", path, want, answer.Body)
				}
			}
		}
		w.lives = inTurn(publishes, writes(pipeline.FailedRun, true))
		w.watches(t, wait(2*time.Minute), func() { ask("/metrics", 200, `tamiz_running{pipeline="x"} 1`, `tamiz_due_waiting{pipeline="x"} 1`) },
			wait(time.Hour), func() {
				ask("/healthz", 200, "all is well")
				ask("/metrics", 200, `tamiz_last_verdict{pipeline="x",verdict="published"} 1`, `tamiz_snapshot_age_seconds{pipeline="x"} 3420`,
					`tamiz_last_run_seconds{pipeline="x"} 300`, `tamiz_consecutive_failures{pipeline="x"} 0`, `tamiz_held_waiting{pipeline="x"} 0`,
					`tamiz_next_due_timestamp_seconds{pipeline="x"} 9.469656e+08`)
			},
			wait(3*day+6*time.Hour), func() {
				ask("/healthz", 200)
				ask("/metrics", 200, `tamiz_last_verdict{pipeline="x",verdict="failed"} 1`, `tamiz_consecutive_failures{pipeline="x"} 1`)
			},
			wait(7*time.Hour), func() {
				ask("/healthz", 503, "x: the period to 2000-01-02 fell due at 2000-01-04T06:00:00Z and still has no verdict")
			},
			func() { w.ledgers["x"].fail(errors.New("the store is down")) },
			wait(time.Hour), func() { ask("/healthz", 503, "x: read the ledger: the store is down") })
		time.Sleep(10 * time.Minute)
		ask("/healthz", 503, "the daemon has not looked at the clock for")
	})
}

func TestDaemon_TellsOfARunThatLeftNoVerdict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(clock("UTC", 2, 6, 0), "x")
		w.lives = inTurn(exits(2), publishes)
		w.watches(t, wait(5*time.Minute), func() {
			want := "x: the run for the period to 1999-12-19 ended without a verdict (exited, exit code 2); it is tried again at 2000-01-01 01:00 UTC"
			if got := w.Ailments(); len(got) != 1 || got[0] != want {
				t.Errorf("got  %v\nwant %s", got, want)
			}
		}, wait(2*time.Hour), func() {
			if got := w.Ailments(); len(got) != 0 {
				t.Errorf("after it was published: %v", got)
			}
		})
	})
}

// TestDaemon_TwoShareOneStore lets two machines, whose clocks differ, follow 20
// due dates. A run takes the lease and looks whether its period is settled, as
// tamiz run does.
func TestDaemon_TwoShareOneStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := clock("UTC", 2, 6, 0)
		var lease sync.Mutex
		published := map[string]int{}
		chance := rand.New(rand.NewPCG(3, 4))
		run := func(w *world, _ context.Context, job schedule.Job, _ int) schedule.End {
			if !lease.TryLock() {
				return schedule.End{Kind: schedule.Exited, Code: 75}
			}
			defer lease.Unlock()
			if verdict := pipeline.VerdictOf(w.ledgers["x"].records, job.Slot.Period); verdict != nil && verdict.Settled() {
				return schedule.End{Kind: schedule.Exited}
			}
			time.Sleep(time.Duration(1+chance.IntN(90)) * time.Minute)
			if chance.IntN(3) == 0 {
				return schedule.End{Kind: schedule.Killed, Signal: "SIGKILL", Run: fmt.Sprint(time.Now().UnixNano())}
			}
			published[job.Slot.Period]++
			w.write(job, pipeline.Published, false)
			return schedule.End{Kind: schedule.Exited}
		}
		one, two := newWorld(at, "x"), newWorld(at, "x")
		two.ledgers["x"] = one.ledgers["x"]
		two.Pipelines[0].Ledger = one.ledgers["x"]
		one.lives, two.lives = run, run
		two.shiftClock(20 * time.Second)
		one.watches(t, func() { two.watches(t, wait(20*14*day)) })
		slots, err := schedule.Slots(at, fortnights, moment("1999-12-20T00:00:00Z"), time.Now().Add(-day))
		if err != nil || len(slots) < 20 {
			t.Fatalf("%d slots, %v", len(slots), err)
		}
		for _, slot := range slots {
			if published[slot.Period] != 1 {
				t.Errorf("%s was published %d times", slot.Period, published[slot.Period])
			}
		}
		t.Logf("%d periods; jobs: %d here, %d there", len(slots), len(one.told), len(two.told))
	})
}

// TestDaemon_ThreeYears lets runs fail in every way, at random, for three
// years: each period that fell due has exactly one verdict that stands.
func TestDaemon_ThreeYears(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		at := clock("America/New_York", 2, 2, 30)
		w := newWorld(at, "x")
		chance := rand.New(rand.NewPCG(1, 2))
		lives := []func(w *world, ctx context.Context, job schedule.Job, n int) schedule.End{
			publishes, publishes, writes(pipeline.NothingNew, false), writes(pipeline.FailedRun, true), dies(schedule.Killed), dies(schedule.OverTime),
			dies(schedule.OverMemory), exits(75), exits(2), exits(134),
			func(_ *world, ctx context.Context, _ schedule.Job, _ int) schedule.End {
				select {
				case <-ctx.Done():
					return schedule.End{Kind: schedule.Stopped}
				case <-time.After(5 * time.Hour):
					return schedule.End{Kind: schedule.Killed, Signal: "SIGKILL", Run: fmt.Sprint(time.Now().UnixNano())}
				}
			},
		}
		w.lives = func(w *world, ctx context.Context, job schedule.Job, n int) schedule.End {
			return lives[chance.IntN(len(lives))](w, ctx, job, n)
		}
		began := time.Now()
		for time.Since(began) < 3*365*day {
			w.watches(t, wait(time.Duration(chance.IntN(60*24))*time.Hour))
			time.Sleep(time.Duration(chance.IntN(40*24)) * time.Hour * time.Duration(chance.IntN(5)/4)) // now and then nobody is there
		}
		w.lives = publishes
		w.watches(t, wait(time.Hour))
		slots, err := schedule.Slots(at, fortnights, began.Add(-5*day), time.Now().Add(-time.Hour))
		if err != nil || len(slots) < 78 {
			t.Fatalf("%d slots, %v", len(slots), err)
		}
		verdicts := map[pipeline.Verdict]int{}
		for _, slot := range slots {
			settled := 0
			for _, record := range w.ledgers["x"].records {
				if record.Period == slot.Period && record.Settled() {
					settled++
					verdicts[record.Verdict]++
				}
			}
			verdict := pipeline.VerdictOf(w.ledgers["x"].records, slot.Period)
			if verdict == nil || settled > 1 || settled == 0 && verdict.Verdict != pipeline.FailedRun {
				t.Errorf("%s: %d settled, %+v", slot.Period, settled, verdict)
			}
			if settled == 0 {
				verdicts[pipeline.FailedRun]++
			}
		}
		t.Logf("%d periods in %d jobs: %v", len(slots), len(w.told), verdicts)
		if verdicts[pipeline.FailedRun] > 5 || verdicts[pipeline.Published] < 30 || verdicts[pipeline.PassedOver] == 0 {
			t.Errorf("an unlikely outcome: %v", verdicts)
		}
	})
}

// TestDaemon_LooksAtTheSourcesOnceADay while clocks are put back and forward.
func TestDaemon_LooksAtTheSourcesOnceADay(t *testing.T) {
	for _, c := range []struct{ from, line, want string }{
		{"2026-10-31T04:00:00Z", "30 1 * * *", "x fetch 10-31 05:30, x fetch 11-01 05:30, x fetch 11-02 06:30"},
		{"2026-03-07T05:00:00Z", "30 2 * * *", "x fetch 03-07 07:30, x fetch 03-08 07:00, x fetch 03-09 06:30"},
	} {
		synctest.Test(t, func(t *testing.T) {
			at := clock("America/New_York", 2, 6, 0)
			at.Fetch = c.line
			w := newWorld(at, "x")
			w.shiftClock(time.Until(moment(c.from)))
			slots, err := schedule.Slots(at, fortnights, w.clock().AddDate(0, 0, -30), w.clock())
			if err != nil {
				t.Fatal(err)
			}
			for _, slot := range slots {
				w.ledgers["x"].records = append(w.ledgers["x"].records, pipeline.PeriodVerdict{Period: slot.Period, Verdict: pipeline.Published})
			}
			w.watches(t, wait(2*day+3*time.Hour))
			if got := strings.Join(w.told, ", "); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

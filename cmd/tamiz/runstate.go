package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"tamiz/load"
	"tamiz/pipeline"
)

// runState is one run while it lasts.
type runState struct {
	*session
	ctx        context.Context
	flags      *runFlags
	out        io.Writer
	asOf       time.Time
	pins       pipeline.Pins
	latest     *load.Snapshot
	graph      *pipeline.Plan
	needs      []pipeline.Need
	record     *pipeline.RunRecord
	published  *load.Snapshot
	targets    []*pipeline.Step
	fresh      map[*pipeline.Step]bool
	same       bool // every mart is what is published already
	ran        map[pipeline.Digest]*pipeline.Record
	passed     int
	warnings   []pipeline.CheckResult
	failures   []failure
	changed    int // sources with other files than in the last run
	gates      int // steps that judged new versions
	ledger     *load.Ledger
	decisions  []pipeline.Decision     // that people have taken, the oldest first
	approved   []string                // gates that a person let pass for this very result
	before     *pipeline.PeriodVerdict // the last verdict before this run's; nil if there is none
	isRecorded bool                    // the run gave its period a verdict
	isLeased   bool                    // it holds the lease, so that the store can be reached and written
	isMute     bool                    // it could not reach the ledger to say so
	teller     *teller
	unsent     string // why lineage events were not sent
	lookTime   time.Duration
	stepTime   time.Duration
	events     *zap.Logger
	closers    []func()
}

// begin takes the lock and opens the run's folder and log.
func (s *session) begin(ctx context.Context, f *runFlags, out io.Writer) (*runState, error) {
	asOf, err := f.date()
	if err != nil {
		return nil, err
	}
	dueAt := time.Time{}
	if f.due != "" {
		if dueAt, err = parseTime("--due", f.due); err != nil {
			return nil, err
		}
	}
	unlock, err := s.lock()
	if err != nil {
		return nil, err
	}
	if err := s.warehouse.Sweep(); err != nil {
		unlock()
		return nil, err
	}
	began := s.now().UTC()
	r := &runState{session: s, ctx: ctx, flags: f, out: out, asOf: asOf, closers: []func(){unlock}, ran: map[pipeline.Digest]*pipeline.Record{},
		record: &pipeline.RunRecord{ID: fmt.Sprintf("%s-%04x", began.Format("20060102T150405.000"), os.Getpid()&0xffff), Pipeline: s.p.Name,
			StartedAt: began, DueAt: dueAt, Tamiz: versionText(), DuckDB: s.duckDB, Platform: platform(), Workers: f.workers}}
	if r.record.Workers == 0 {
		r.record.Workers = s.project.Workers
	}
	if r.record.Workers == 0 {
		r.record.Workers = runtime.NumCPU()
	}
	if err := r.openLog(); err != nil {
		unlock()
		return nil, err
	}
	r.events.Info("run begins", zap.String("pipeline", s.p.Name), zap.Any("platform", r.record.Platform))
	return r, nil
}

// openLog writes JSON lines beside the run's record.
func (r *runState) openLog() error {
	dir := r.runs.Dir(r.record.ID)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return &pipeline.Error{Kind: pipeline.Storage, Problem: "make the run's folder", Err: err}
	}
	file, err := os.OpenFile(filepath.Join(dir, "log.jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return &pipeline.Error{Kind: pipeline.Storage, Problem: "open the run's log", Err: err}
	}
	encoder := zap.NewProductionEncoderConfig()
	encoder.TimeKey, encoder.EncodeTime = "time", zapcore.RFC3339NanoTimeEncoder
	r.events = zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(encoder), zapcore.AddSync(file), zap.InfoLevel)).With(zap.String("run", r.record.ID))
	r.closers = append(r.closers, func() { file.Close() })
	return nil
}

func (r *runState) end() {
	for i := len(r.closers) - 1; i >= 0; i-- {
		r.closers[i]()
	}
}

// pin looks at the world, or takes the last run's files, and keeps what this
// run stands on.
func (r *runState) pin() error {
	began := time.Now()
	before, err := r.runs.LastPins()
	if err != nil {
		return err
	}
	accepted, err := r.runs.LastGood()
	if err != nil {
		return err
	}
	var previous *pipeline.Previous
	if r.latest, previous, err = r.session.latest(r.ctx); err != nil {
		return err
	}
	if r.flags.pinned != "" {
		return r.pinAs(r.flags.pinned, previous)
	}
	r.pins = pipeline.Pins{Synthetic: r.project.Synthetic}
	if r.pins.PeriodEnd, r.pins.AsOf, err = r.dates(r.asOf); err != nil {
		return err
	}
	r.record.Period = r.pins.PeriodEnd
	if r.flags.fetch || before == nil {
		if r.pins.Sources, err = r.look(r.goodVersions(accepted)); err == nil {
			err = r.pinVintages(accepted)
		}
	} else {
		r.pins.Sources, r.pins.Vintages = before.Sources, before.Vintages
	}
	if err != nil {
		return err
	}
	r.pins.Previous = previous
	for _, source := range r.p.Sources {
		var last []pipeline.Pin
		if before != nil {
			last = before.Sources[source.Name]
		}
		if !pipeline.SameFiles(last, r.pins.Sources[source.Name]) {
			r.changed++
		}
	}
	r.lookTime = time.Since(began)
	return r.runs.WritePins(r.record.ID, r.pins)
}

// plan builds the graph and finds what it is for.
func (r *runState) plan() error {
	var err error
	if r.graph, r.targets, r.fresh, r.same, err = r.session.graph(r.pins, r.latest, r.flags); err != nil {
		return err
	}
	return r.readApprovals()
}

// graph plans a run over pins. If every mart would be what is published
// already (same), there is nothing to compare with the previous snapshot, and
// only the checks are targets: one of them may be new, or still fail.
func (s *session) graph(pins pipeline.Pins, latest *load.Snapshot, f *runFlags) (graph *pipeline.Plan, targets []*pipeline.Step, fresh map[*pipeline.Step]bool, same bool, err error) {
	graph = pipeline.NewPlan(s.p, s.binding, pins, s.engines)
	if same = !f.fullRefresh && !f.partial() && s.publishes(graph, latest); same {
		pins.Previous = nil
		graph = pipeline.NewPlan(s.p, s.binding, pins, s.engines)
		for _, step := range graph.Steps {
			if step.Kind == pipeline.StepCheck {
				targets = append(targets, step)
			}
		}
		return graph, targets, nil, same, nil
	}
	targets, fresh, err = f.targets(graph)
	return graph, targets, fresh, same, err
}

// publishes reports whether the latest snapshot holds the marts of a graph.
func (s *session) publishes(graph *pipeline.Plan, latest *load.Snapshot) bool {
	if latest == nil || len(latest.Tables) != len(s.p.Marts()) || !load.SameCarried(latest.Sources, graph.Pins.Sources) {
		return false
	}
	for _, table := range latest.Tables {
		steps := graph.Table("marts." + table.Name)
		if len(steps) != 1 || steps[0].Fingerprint != table.Fingerprint {
			return false
		}
	}
	return true
}

// targets chooses what a run is for, and what is run even if it is there.
func (f *runFlags) targets(graph *pipeline.Plan) (targets []*pipeline.Step, fresh map[*pipeline.Step]bool, err error) {
	targets, err = graph.Targets(f.selectors, f.excluded)
	fresh = map[*pipeline.Step]bool{}
	if f.fullRefresh {
		for _, step := range targets {
			fresh[step] = true
		}
		if len(f.selectors) == 0 {
			for _, step := range graph.Steps {
				fresh[step] = step.Kind != pipeline.StepCheck || fresh[step]
			}
			targets = graph.Steps
		}
	}
	return targets, fresh, err
}

func (f *runFlags) partial() bool { return len(f.selectors)+len(f.excluded) > 0 }

// steps runs what is not there.
func (r *runState) steps() error {
	last, err := r.runs.LastParts()
	if err != nil {
		return err
	}
	began := time.Now()
	walk := r.session.walk(r.record.Workers)
	r.needs = append(r.needs, walk.Needs(r.graph, r.targets, r.fresh, last)...)
	progress := &bar{w: r.out, began: began}
	walk.Progress = func(event pipeline.Event) {
		progress.show(event)
		r.logEvent(event)
	}
	records, err := walk.Run(r.ctx, r.graph, r.targets, r.fresh)
	for _, record := range records {
		r.ran[record.Fingerprint] = record
	}
	r.stepTime = time.Since(began)
	return err
}

func (r *runState) logEvent(event pipeline.Event) {
	if event.Err != nil {
		r.events.Error("step failed", zap.String("step", event.Step.Label), zap.Error(event.Err))
		return
	}
	r.events.Info("step done", zap.String("step", event.Step.Label), zap.String("kind", string(event.Step.Kind)),
		zap.String("fingerprint", string(event.Step.Fingerprint)), zap.Int64("rows", event.Record.Rows),
		zap.Int64("rows_set_aside", event.Record.Aside), zap.Float64("seconds", event.Record.Seconds), zap.Strings("notes", event.Record.Notes))
}

// finish writes the run's record and the store's status.
func (r *runState) finish() error {
	r.record.FinishedAt = r.now().UTC()
	r.record.PeakMemory = peakMemory()
	reasons := map[*pipeline.Step]string{}
	for _, need := range r.needs {
		reasons[need.Step] = need.Reason
	}
	if r.graph != nil {
		for _, step := range r.graph.Steps {
			entry := pipeline.StepRecord{Step: step.Label, Kind: step.Kind, Fingerprint: step.Fingerprint, Parts: step.Parts}
			if record := r.ran[step.Fingerprint]; record != nil {
				entry.Ran, entry.Seconds, entry.Reason = true, record.Seconds, reasons[step]
			}
			if record, err := r.warehouse.Record(step.Fingerprint); err == nil {
				entry.RowsIn, entry.Rows, entry.Aside, entry.Checks = record.RowsIn, record.Rows, record.Aside, record.Checks
			}
			r.record.Steps = append(r.record.Steps, entry)
		}
	}
	r.record.Because = r.because()
	written := r.runs.WriteRecord(r.record) // where the disk is full, the store can still be told
	if written != nil && r.record.Verdict == pipeline.Held {
		return written // nobody could decide about it
	}
	r.events.Info("run ends", zap.String("verdict", string(r.record.Verdict)), zap.String("reason", r.record.Reason), zap.Int("steps_run", len(r.ran)))
	if r.isMute = !r.isLeased; r.isMute {
		return written
	}
	status := load.Status{CheckedAt: r.record.FinishedAt.Truncate(time.Second), Verdict: string(r.record.Verdict), Reason: r.record.Reason}
	if snapshot, _, err := r.session.latest(r.ctx); err == nil && snapshot != nil {
		status.Latest = snapshot.Snapshot
	}
	given, concluded := r.giveObservations(r.ctx), r.conclude()
	r.isMute = concluded != nil
	err := errors.Join(written, given, concluded, load.WriteStatus(r.ctx, r.store, r.p.Name, status))
	if r.published != nil {
		err = errors.Join(err, load.WriteCatalog(r.ctx, r.store, r.p.Name, withdrawals(r.decisions)))
	}
	return err
}

// peakMemory is the most memory that this process ever held, in bytes.
func peakMemory() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return usage.Maxrss * 1024
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

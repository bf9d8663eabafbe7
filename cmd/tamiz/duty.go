package main

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"go.uber.org/zap"

	"tamiz/config"
	"tamiz/load"
	"tamiz/pipeline"
	"tamiz/schedule"
	"tamiz/schedule/notice"
)

// openDuty opens what the daemon needs to tell the operator of a pipeline: a
// session that can read the store, but runs nothing.
func openDuty(ctx context.Context, project *config.Project, name string, now func() time.Time) (*session, error) {
	p, err := project.Pipeline(name)
	if err != nil {
		return nil, err
	}
	s := &session{project: project, p: p, now: now}
	if s.words, err = openWords(); err != nil {
		return nil, err
	}
	s.store, err = openStore(ctx, project)
	return s, err
}

// duty keeps the operator informed while the daemon works: what its runs could
// not say themselves, letters that wait, holds that nobody decides.
type duty struct {
	project *config.Project
	daemon  *schedule.Daemon
	log     *zap.Logger
}

// dutyEvery is how often letters that wait and holds are looked at.
const dutyEvery = 5 * time.Minute

// with opens a pipeline and does something about its notices; what goes wrong
// is logged, for the daemon goes on.
func (d *duty) with(ctx context.Context, name string, act func(*session) error) {
	s, err := openDuty(ctx, d.project, name, d.daemon.Now)
	if err == nil {
		err = act(s)
	}
	if err != nil && ctx.Err() == nil {
		d.log.Warn(name+": the operator could not be told", zap.String("pipeline", name), zap.Error(err))
	}
}

// after tells of a job that has ended.
func (d *duty) after(ctx context.Context, outcome schedule.Outcome) {
	if outcome.Verdict != nil {
		d.with(ctx, outcome.Job.Pipeline, func(s *session) error { return s.tellVerdict(ctx, *outcome.Verdict) })
	}
}

// round looks at all pipelines once.
func (d *duty) round(ctx context.Context) {
	for _, watched := range d.daemon.Pipelines {
		d.with(ctx, watched.Name, func(s *session) error {
			if _, err := load.OpenLedger(s.store, s.p.Name).Verdicts(ctx); err != nil {
				return errors.Join(err, s.tellOfStore(ctx, err))
			}
			return errors.Join(s.remind(ctx), s.deliver(ctx))
		})
	}
}

// rounds looks at all pipelines every few minutes, until ctx is done.
func (d *duty) rounds(ctx context.Context) {
	ticker := time.NewTicker(dutyEvery)
	defer ticker.Stop()
	for ctx.Err() == nil {
		d.round(ctx)
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
}

// tellVerdict raises what the operator should know of a verdict, for the run
// may have died before it could. What was told is not told twice.
func (s *session) tellVerdict(ctx context.Context, verdict pipeline.PeriodVerdict) error {
	if verdict.Verdict != pipeline.Held && verdict.Verdict != pipeline.FailedRun {
		return nil
	}
	t, err := openTeller(s.project, s.p.Name, load.OpenLedger(s.store, s.p.Name), s.words)
	if err != nil {
		return err
	}
	latest, err := load.ReadLatest(ctx, s.store, s.p.Name)
	if err != nil {
		return err
	}
	about := s.about(verdict.Period, verdict.Run, "", s.project.Synthetic)
	if latest != nil {
		about.Latest = latest.Snapshot
	}
	var record pipeline.RunRecord // what it stands on may be missing: it failed before it knew
	err = load.ReadJSON(ctx, s.store, runKey(s.p.Name, verdict.Run, pipeline.RunRecordFile), &record)
	switch {
	case err == nil && verdict.Verdict == pipeline.Held:
		err = t.raise(ctx, notice.Held(about, reasons(&record), details(&record)))
	case err == nil:
		err = t.raise(ctx, notice.Failed(about, record.Because, verdict.Again, record.Reason))
	case errors.Is(err, fs.ErrNotExist): // it died before it left anything
		err = t.raise(ctx, notice.Failed(about, verbatim(verdict.Reason), verdict.Again, ""))
	}
	return errors.Join(err, t.deliver(ctx, s.now()))
}

// tellOfStore tells that the store cannot be read: without its ledger no run
// is even started that could say so. It is told once a period, as any failure.
func (s *session) tellOfStore(ctx context.Context, failure error) error {
	t, err := openTeller(s.project, s.p.Name, load.OpenLedger(s.store, s.p.Name), s.words)
	if err != nil {
		return err
	}
	period, _, err := s.dates(time.Time{})
	if err != nil {
		return err
	}
	records, err := runRecords(s.project, s.p.Name)
	if err != nil {
		return err
	}
	about := s.about(period, "", "", s.project.Synthetic)
	for _, record := range records { // the store itself cannot be asked
		if record.Snapshot != "" {
			about.Latest = record.Snapshot
		}
	}
	err = t.raise(ctx, notice.Failed(about, whyFailed(failure), true, failure.Error()))
	return errors.Join(err, t.deliver(ctx, s.now()))
}

// deliver sends the letters that wait.
func (s *session) deliver(ctx context.Context) error {
	t, err := openTeller(s.project, s.p.Name, load.OpenLedger(s.store, s.p.Name), s.words)
	if err != nil {
		return err
	}
	return t.deliver(ctx, s.now())
}

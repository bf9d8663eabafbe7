package main

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"go.uber.org/zap"

	"tamiz/load"
	"tamiz/pipeline"
)

var errLittleRoom = errors.New("there is little room left on the disk")

// enter makes sure that the run may begin: there is room, nobody else is at
// work, what is known in the store is known here, and the method is one that
// can be told from others. It reports whether nothing is left to do, because
// the schedule's period has its verdict already.
func (r *runState) enter() (isSettled bool, err error) {
	r.record.Period = r.flags.asOf
	r.ledger = load.OpenLedger(r.store, r.p.Name)
	r.teller, err = openTeller(r.project, r.p.Name, r.ledger, r.words)
	if acquireErr := r.acquire(); acquireErr != nil {
		return false, acquireErr
	}
	if err != nil {
		return false, err
	}
	if err := r.room(); err != nil {
		return false, err
	}
	if isSettled, err = r.isSettled(); err != nil || isSettled {
		return isSettled, err
	}
	if err := r.takeObservations(r.ctx); err != nil {
		return false, err
	}
	if r.decisions, err = r.ledger.Decisions(r.ctx); err != nil {
		return false, err
	}
	return false, r.checkMethod(r.ctx)
}

// isSettled reports whether another machine, or a run before, has settled the
// period that the schedule asks for.
func (r *runState) isSettled() (bool, error) {
	if r.record.DueAt.IsZero() || r.flags.pinned != "" {
		return false, nil
	}
	verdicts, err := r.ledger.Verdicts(r.ctx)
	if err != nil {
		return false, err
	}
	verdict := pipeline.VerdictOf(verdicts, r.flags.asOf)
	if verdict == nil || !verdict.Settled() {
		return false, nil
	}
	r.record.Verdict, r.record.Snapshot = pipeline.NothingNew, verdict.Snapshot
	return true, nil
}

// leaseFor is how long a machine that died keeps others from the pipeline.
const leaseFor = time.Minute

var errLostLease = errors.New("it no longer holds the lock of this pipeline: another machine has taken it over, or it could not be renewed for a minute")

// acquire takes the lease of the pipeline, so that no other machine that shares
// the store runs it at the same time. If it is lost, the run ends.
func (r *runState) acquire() error {
	lease, err := r.session.lease(r.ctx, "run "+r.record.ID)
	if err != nil {
		return err
	}
	r.isLeased = true
	ctx, cancel := context.WithCancelCause(r.ctx)
	go func() {
		select {
		case <-lease.Lost():
			cancel(errLostLease)
		case <-ctx.Done():
		}
	}()
	r.ctx = ctx
	r.closers = append(r.closers, func() {
		cancel(nil)
		release, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer stop()
		if err := lease.Release(release); err != nil {
			r.events.Warn("the lease was not released; it ends by itself", zap.Error(err))
		}
	})
	return nil
}

// lease takes the lease of the pipeline; the caller holds the warehouse's lock.
func (s *session) lease(ctx context.Context, what string) (*load.Lease, error) {
	id, err := s.warehouse.ID()
	if err != nil {
		return nil, err
	}
	return load.Acquire(ctx, s.store, s.p.Name, load.Holder{Name: what, Host: machine(), Process: os.Getpid(), Warehouse: id}, leaseFor)
}

// lostLease says that the run ended because its lease did.
func (r *runState) lostLease() error {
	if !errors.Is(context.Cause(r.ctx), errLostLease) {
		return nil
	}
	return &pipeline.Error{Kind: pipeline.Busy, Subject: r.p.Name, Err: errLostLease, Effect: "this run wrote nothing more",
		Hint: "if this machine was asleep, overloaded, or cut off from the store: tamiz run again, unless the other one does the work"}
}

// room wants some free disk for the warehouse, so that a run stops before it
// fills what others need.
func (r *runState) room() error {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(r.warehouse.Dir(), &disk); err != nil {
		return &pipeline.Error{Kind: pipeline.Storage, Problem: "look at the warehouse's disk", Err: err}
	}
	free := int64(disk.Bavail) * disk.Bsize
	if free >= int64(r.project.Keep.Free) {
		return nil
	}
	return &pipeline.Error{Kind: pipeline.Storage, Err: errLittleRoom, Where: r.warehouse.Dir(), Expected: "at least " + size(int64(r.project.Keep.Free)) + " (keep.free in tamiz.yml)",
		Found: size(free), Hint: "make room on that disk, or move the warehouse to another; then run again"}
}

// pinAs takes the pins of another run, as the store keeps them. Whether it is
// still compared with the same snapshot is for [runState.readApprovals].
func (r *runState) pinAs(run string, previous *pipeline.Previous) error {
	held, err := r.heldRun(r.ctx, run)
	if err != nil {
		return err
	}
	r.pins = held.pins
	r.pins.Previous = previous
	r.record.Period, r.record.DueAt, r.record.Sources = r.pins.PeriodEnd, held.record.DueAt, held.record.Sources
	return r.runs.WritePins(r.record.ID, r.pins)
}

// verifyRaw makes sure that the raw bytes which a new edition would name are
// what they were. Damaged ones are asked for again; if they cannot be had, a
// person must decide, for nobody could rebuild that edition.
func (r *runState) verifyRaw() error {
	if r.same || r.flags.partial() {
		return nil
	}
	for i := range r.p.Sources {
		source := &r.p.Sources[i]
		for _, version := range r.pins.Versions(source.Name) {
			for _, pin := range version {
				if err := r.verifyPin(source, pin); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (r *runState) verifyPin(source *pipeline.Source, pin pipeline.Pin) error {
	damaged := r.damaged(pin)
	if pipeline.KindOf(damaged) != pipeline.Storage {
		return damaged
	}
	if _, err := r.watch().Observe(r.ctx, *source); err != nil && pipeline.KindOf(err) == pipeline.Storage {
		return err
	}
	if damaged = r.damaged(pin); damaged == nil || pipeline.KindOf(damaged) != pipeline.Storage {
		return damaged
	}
	r.record.Holds = append(r.record.Holds, pipeline.Hold{Kind: pipeline.HoldDamaged, Source: source.Name, Details: damaged.Error(),
		Because: pipeline.Sentence{Key: "held_damaged", Values: map[string]any{"source": source.Name, "file": pin.Name}}})
	return nil
}

// damaged says what is wrong with the bytes of a pin, nil if nothing is.
func (r *runState) damaged(pin pipeline.Pin) error {
	for _, digest := range pin.Digests() {
		if err := r.archive.Verify(r.ctx, digest); err != nil {
			return err
		}
	}
	return nil
}

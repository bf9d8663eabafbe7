package load

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"tamiz/pipeline"
)

// Holder says who holds a lease, in words for people.
type Holder struct {
	Name      string `json:"name"`      // what it does: the run, or the command
	Host      string `json:"host"`      // the machine's name
	Process   int    `json:"pid"`       // on that machine
	Warehouse string `json:"warehouse"` // the id of the warehouse whose lock the holder has
}

// leaseRecord is what <pipeline>/lock.json holds.
type leaseRecord struct {
	Holder     Holder    `json:"holder"`
	Token      string    `json:"token"` // random: of one Acquire
	AcquiredAt time.Time `json:"acquired_at"`
	RenewedAt  time.Time `json:"renewed_at"`
	ExpiresAt  time.Time `json:"expires_at"`
	Released   bool      `json:"released,omitempty"`
}

// Lease is the right to change a pipeline's snapshots, for all machines that
// share a store. It renews itself until it is released or lost.
type Lease struct {
	store    Store
	pipeline string
	duration time.Duration
	record   leaseRecord
	version  Version
	until    time.Time // by this machine's clock
	lost     chan struct{}
	stop     context.CancelFunc
	stopped  chan struct{}
}

// Acquire takes the lease <pipeline>/lock.json for a duration and keeps
// renewing it, three times as often, until ctx ends, it is released, or it is
// lost. The caller must hold the lock of the warehouse that the holder names:
// a lease of the same warehouse is of a process that is dead, and is taken at
// once. Where another machine's lease is alive, the error is of kind Busy.
//
// Clocks of two machines may differ. So a lease of another machine that looks
// expired, or that would expire later than any holder may ask, is watched
// first, for longer than its holder may go without renewing it; it is taken
// only if nothing moves. That takes half of its duration.
func Acquire(ctx context.Context, store Store, pipelineName string, holder Holder, duration time.Duration) (*Lease, error) {
	l := &Lease{store: store, pipeline: pipelineName, duration: duration, lost: make(chan struct{}), stopped: make(chan struct{}),
		record: leaseRecord{Holder: holder, Token: rand.Text()}}
	var watched Version // was seen not to move
	moves := false      // was seen to move: its holder lives, whatever its clock says
	for {
		there, version, err := l.read(ctx)
		if err != nil {
			return nil, err
		}
		when := Condition{Absent: true}
		if there != nil {
			when = Condition{Match: version}
			isOurs := holder.Warehouse != "" && there.Holder.Warehouse == holder.Warehouse
			if !isOurs && !there.Released && version != watched {
				if moves || there.live(time.Now()) {
					return nil, busy(pipelineName, there)
				}
				still, err := l.watch(ctx, there, version)
				if err != nil {
					return nil, err
				}
				if moves = !still; still {
					watched = version
				}
				continue
			}
		}
		l.record.AcquiredAt = time.Now().UTC().Truncate(time.Millisecond)
		if err := l.write(ctx, when); err == nil {
			break
		} else if !errors.Is(err, ErrConflict) {
			return nil, err
		}
	}
	renewing, stop := context.WithCancel(ctx)
	l.stop = stop
	go l.renew(renewing)
	return l, nil
}

// live reports whether a lease is certainly held, as far as clocks can be
// trusted.
func (r *leaseRecord) live(now time.Time) bool {
	return r.ExpiresAt.After(now) && r.ExpiresAt.Before(now.Add(2*r.held()))
}

func (r *leaseRecord) held() time.Duration { return r.ExpiresAt.Sub(r.RenewedAt) }

func busy(pipelineName string, r *leaseRecord) error {
	return &pipeline.Error{Kind: pipeline.Busy, Subject: pipelineName, Problem: "another machine works on this pipeline",
		Where:  pipelineName + "/lock.json in the store",
		Found:  fmt.Sprintf("%s on %s (process %d)", r.Holder.Name, r.Holder.Host, r.Holder.Process),
		Effect: fmt.Sprintf("it holds the lock since %s, and until %s unless it renews it", r.AcquiredAt.Format(time.RFC3339), r.ExpiresAt.Format(time.RFC3339)),
		Hint:   "wait until it ends, then run again; if that machine is gone, its lock ends by itself"}
}

// watch looks at a lease until it moves or has had time enough to.
func (l *Lease) watch(ctx context.Context, there *leaseRecord, version Version) (still bool, err error) {
	const looks = 6
	for range looks {
		if err := pause(ctx, there.held()/2/looks); err != nil {
			return false, err
		}
		if _, now, err := l.read(ctx); err != nil || now != version {
			return false, err
		}
	}
	return true, nil
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (l *Lease) key() string { return path.Join(l.pipeline, lockFile) }

const lockFile = "lock.json"

// read gives the lease as it lies in the store, nil if there is none.
func (l *Lease) read(ctx context.Context) (*leaseRecord, Version, error) {
	text, version, err := read(ctx, l.store, l.key())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	var record leaseRecord
	if err := json.Unmarshal(text, &record); err != nil {
		return nil, "", &pipeline.Error{Kind: pipeline.Storage, Subject: l.pipeline, Problem: "the lock cannot be read: " + err.Error(),
			Where: l.key(), Hint: "make sure that nothing runs on this pipeline, then remove the object"}
	}
	return &record, version, nil
}

// write puts the lease with a new term.
func (l *Lease) write(ctx context.Context, when Condition) error {
	now := time.Now()
	l.record.RenewedAt = now.UTC().Truncate(time.Millisecond)
	l.record.ExpiresAt = l.record.RenewedAt.Add(l.duration)
	text, err := encode(l.record)
	if err != nil {
		return err
	}
	version, err := l.store.Put(ctx, l.key(), bytes.NewReader(text), when)
	if err != nil {
		return err
	}
	l.version, l.until = version, now.Add(l.duration)
	return nil
}

// renew writes a new term every third of one, and sooner after a failure.
func (l *Lease) renew(ctx context.Context) {
	defer close(l.stopped)
	wait := l.duration / 3
	for pause(ctx, wait) == nil {
		term, cancel := context.WithDeadline(ctx, l.until)
		err := l.write(term, Condition{Match: l.version})
		if errors.Is(err, ErrConflict) {
			err = l.reread(term)
		}
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			wait = l.duration / 3
		case errors.Is(err, ErrConflict) || !time.Now().Before(l.until):
			close(l.lost)
			return
		default:
			wait = min(l.duration/12, time.Until(l.until))
		}
	}
}

// reread tells a renewal whose answer was lost from a lease that somebody else
// has taken.
func (l *Lease) reread(ctx context.Context) error {
	there, version, err := l.read(ctx)
	switch {
	case err != nil:
		return err
	case there == nil || there.Token != l.record.Token || there.Released:
		return ErrConflict
	}
	l.version = version
	return l.write(ctx, Condition{Match: version})
}

// Lost is closed when the lease was taken over, or could not be renewed before
// it ended: whoever holds it must then stop changing the store.
func (l *Lease) Lost() <-chan struct{} { return l.lost }

// Release ends the lease, so that others may take it at once. A lease that was
// lost is left alone.
func (l *Lease) Release(ctx context.Context) error {
	l.stop()
	<-l.stopped
	select {
	case <-l.lost:
		return nil
	default:
	}
	l.record.Released = true
	err := l.write(ctx, Condition{Match: l.version})
	if errors.Is(err, ErrConflict) { // also: a renewal was broken off after it was done
		if err = l.reread(ctx); errors.Is(err, ErrConflict) {
			return nil
		}
	}
	return err
}

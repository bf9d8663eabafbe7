package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"tamiz/internal/duck"
	"tamiz/load"
	"tamiz/pipeline"
	"tamiz/schedule"
)

// lookAtDisk wants room where Tamiz writes on this machine.
func (d *doctor) lookAtDisk() {
	var told []string
	for _, place := range []struct {
		name, path string
		least      int64
	}{{"warehouse", d.project.Warehouse, int64(d.project.Keep.Free)}, {"temporary files", os.TempDir(), 64 << 20}} {
		free, err := freeRoom(place.path)
		if err != nil {
			d.failed("disk", err)
			continue
		}
		if free < place.least {
			d.problem("disk", "make room on the disk of "+place.path+", or move the folder to another", "little room for the %s: %s free; no run begins below %s", place.name, size(free), size(place.least))
			continue
		}
		if free < 4*place.least {
			d.note("disk", "make room before it is full; "+self()+" warehouse prune removes results that no longer count", "room for the %s gets scarce: %s free; no run begins below %s", place.name, size(free), size(place.least))
		}
		told = append(told, size(free)+" free for the "+place.name)
	}
	if len(told) > 0 {
		d.ok("disk", "%s", strings.Join(told, ", "))
	}
}

// freeRoom tells the bytes that are free at a path or, if it is not there yet,
// where it would be.
func freeRoom(path string) (int64, error) {
	for {
		var disk syscall.Statfs_t
		err := syscall.Statfs(path, &disk)
		if err == nil {
			return int64(disk.Bavail) * disk.Bsize, nil
		}
		if parent := filepath.Dir(path); errors.Is(err, fs.ErrNotExist) && parent != path {
			path = parent
			continue
		}
		return 0, &pipeline.Error{Kind: pipeline.Storage, Problem: "look at the disk", Where: path, Err: err}
	}
}

// lookAtWarehouse wants a folder that can be written, of a format that can be
// read.
func (d *doctor) lookAtWarehouse() {
	warehouse, err := pipeline.OpenWarehouse(d.project.Warehouse)
	if err == nil {
		err = pipeline.WriteFile(filepath.Join(warehouse.Dir(), "tmp", "doctor"), []byte("a test\n"))
	}
	if err != nil {
		d.failed("warehouse", err)
		return
	}
	os.Remove(filepath.Join(warehouse.Dir(), "tmp", "doctor")) // what stays is swept by the next run
	lock := flock.New(filepath.Join(warehouse.Dir(), "lock"))
	if free, err := lock.TryLock(); err == nil && !free {
		d.note("warehouse", "", "%s can be written; a run is at work in it just now", relative(warehouse.Dir()))
		return
	}
	lock.Unlock()
	d.ok("warehouse", "%s can be written", relative(warehouse.Dir()))
}

// lookAtSecrets wants a value in each variable that tamiz.yml names.
func (d *doctor) lookAtSecrets() {
	n := d.project.Notices
	if _, err := n.Secrets(os.Getenv); err != nil {
		d.failed("secrets", err)
		return
	}
	var names []string
	if n.Mail != nil && n.Mail.PasswordEnv != "" {
		names = append(names, n.Mail.PasswordEnv)
	}
	if n.Webhook != nil {
		names = append(names, n.Webhook.SecretEnv)
	}
	if len(names) > 0 {
		d.ok("secrets", "%s: set", strings.Join(names, ", "))
	}
}

// lookAtPipeline reads a pipeline, binds its SQL, and compares its method with
// what is published.
func (d *doctor) lookAtPipeline(name string) (*pipeline.Pipeline, bool) {
	p, err := d.project.Pipeline(name)
	if err != nil {
		d.failed("configuration", err)
		return nil, false
	}
	s := &session{project: d.project, p: p, now: d.now, store: d.store}
	err = func() error {
		if s.duckDB, err = duck.Version(d.ctx); err != nil {
			return err
		}
		if s.engines, err = openEngines(d.ctx, s.duckDB); err != nil {
			return err
		}
		if s.warehouse, err = pipeline.OpenWarehouse(d.project.Warehouse); err != nil {
			return nil // said already
		}
		if _, err = bind(d.ctx, s.warehouse, p, s.engines[pipeline.StepGo]); err != nil || d.store == nil {
			return err
		}
		return s.checkMethod(d.ctx)
	}()
	if err != nil {
		d.failed("configuration", err)
		return p, true
	}
	d.ok("configuration", "pipeline %s: %s, %s, method %s", name, plural(len(p.Sources), "source", "sources"), plural(len(p.Models), "model", "models"), p.MethodVersion)
	return p, true
}

// lookAtSchedule tells when periods fall due, on which clock.
func (d *doctor) lookAtSchedule(p *pipeline.Pipeline) {
	if p.Schedule == nil {
		d.note("schedule", "write schedule: {due: +2d 06:00} into config/"+p.Name+"/pipeline.yml, or schedule: {"+p.Name+": {due: +2d 06:00}} into tamiz.yml", "%s has no schedule: it runs only when somebody starts it", p.Name)
		return
	}
	slots, err := schedule.Slots(p.Schedule, p.Calendar, d.now(), d.now().AddDate(0, 0, 40))
	if err == nil && len(slots) == 0 {
		if slot, ok := schedule.Next(p.Schedule, p.Calendar, d.now()); ok {
			slots = []schedule.Slot{slot}
		}
	}
	if err != nil || len(slots) == 0 {
		d.problem("schedule", "look at calendar and schedule in config/"+p.Name+"/pipeline.yml: the calendar may have come to its end", "%s: no period falls due within a year", p.Name)
		return
	}
	text := fmt.Sprintf("%s, on the clock of %s: the period to %s falls due %s", p.Name, p.Schedule.TimeZone, slots[0].Period, slots[0].DueAt.In(p.Schedule.TimeZone).Format("Mon 2006-01-02 15:04 MST"))
	if len(slots) > 1 {
		text += ", the next " + slots[1].DueAt.In(p.Schedule.TimeZone).Format("2006-01-02")
	}
	d.ok("schedule", "%s", text)
	if !d.project.AsOf.IsZero() && !d.project.Synthetic {
		d.note("schedule", "take as_of: out of tamiz.yml when the sources are real", "tamiz.yml fixes the day of runs by hand: as_of %s", d.project.AsOf.Format(pipeline.DateLayout))
	}
}

// lookAtRuns tells what waits for somebody.
func (d *doctor) lookAtRuns(p *pipeline.Pipeline) {
	list, err := waiting(d.ctx, d.store, p.Name)
	if err != nil {
		d.failed("runs", err)
		return
	}
	for _, verdict := range list {
		days := int(d.now().Sub(verdict.At).Hours() / 24)
		decide := fmt.Sprintf(`see what is in question: %s runs %s; then %[1]s approve %[2]s --reason "…", or %[1]s reject %[2]s --reason "…"`, self(), verdict.Run)
		d.note("runs", decide, "%s: the run for the period to %s has been waiting for a decision for %s", p.Name, verdict.Period, plural(days, "day", "days"))
		d.decision = self() + " runs " + verdict.Run
	}
	records, err := runRecords(d.project, p.Name)
	if err != nil {
		d.failed("runs", err)
		return
	}
	snapshot, err := load.ReadLatest(d.ctx, d.store, p.Name)
	if err != nil {
		d.failed("runs", err)
		return
	}
	latest := "nothing is published yet"
	if snapshot != nil {
		latest = "published: " + snapshot.Snapshot
	} else {
		d.isFirst = p.Name
	}
	if len(records) == 0 {
		d.ok("runs", "%s: %s; no run on this machine yet", p.Name, latest)
		return
	}
	last := records[len(records)-1]
	if last.Verdict == pipeline.FailedRun {
		d.note("runs", "see what has failed: "+self()+" runs "+last.ID, "%s: the last run failed: %s", p.Name, last.Reason)
		return
	}
	d.ok("runs", "%s: %s; last run %s: %s", p.Name, latest, last.ID, last.Verdict)
}

// scheduleLock is held by the daemon of a project.
const scheduleLock = "schedule.lock"

// lookAtDaemon tells whether somebody watches the clock.
func (d *doctor) lookAtDaemon() {
	file := filepath.Join(d.project.Warehouse, scheduleLock)
	if _, err := os.Stat(file); err == nil {
		lock := flock.New(file)
		free, err := lock.TryLock()
		if d.isWatched = err == nil && !free; d.isWatched {
			d.ok("daemon", "tamiz schedule is at work")
			return
		}
		lock.Unlock()
	}
	d.note("daemon", "start it when all else is well: "+self()+" schedule, or the service in deploy/tamiz.service", "no tamiz schedule is at work here: nothing runs by itself on this machine")
}

// clockOffset asks a server for its date: how far this machine's clock is
// ahead of it.
func clockOffset(ctx context.Context, address string) (time.Duration, bool) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, address, nil)
	if err != nil {
		return 0, false
	}
	began := time.Now()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return 0, false
	}
	response.Body.Close()
	date, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return 0, false
	}
	return began.Add(time.Since(began) / 2).Sub(date.Add(500 * time.Millisecond)).Round(time.Second), true // the header knows whole seconds
}

// lookAtClock compares the clock with that of the store's service.
func (d *doctor) lookAtClock() {
	here := d.now().Format("2006-01-02 15:04:05 MST")
	address := ""
	if d.project.OnS3() {
		if address = d.project.S3.Endpoint; address == "" {
			address = "https://s3.amazonaws.com"
		}
	}
	offset, known := time.Duration(0), false
	if parsed, err := url.Parse(address); err == nil && parsed.Host != "" {
		offset, known = clockOffset(d.ctx, address)
	}
	switch {
	case !known:
		d.ok("clock", "%s; no server is at hand to compare it with", here)
	case offset.Abs() > time.Minute:
		d.problem("clock", "set the clock: timedatectl set-ntp true", "%s is %s away from the clock of the store: signatures and locks between machines depend on it", here, offset.Abs())
	default:
		d.ok("clock", "%s, within %s of the clock of the store", here, max(offset.Abs(), time.Second))
	}
}

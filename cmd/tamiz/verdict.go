package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"tamiz/config"
	"tamiz/load"
	"tamiz/pipeline"
)

// judge reads what the checks found and publishes, or holds.
func (r *runState) judge() error {
	if err := r.readChecks(); err != nil {
		return err
	}
	schema, err := r.schemaHolds()
	if err != nil {
		return err
	}
	r.record.Holds = slices.Concat(r.record.Holds, r.gateHolds(), schema)
	if r.same && len(r.record.Holds) == 0 {
		r.record.Verdict, r.record.Snapshot = pipeline.NothingNew, r.latest.Snapshot
		return nil
	}
	if r.mustWait(r.record.Holds) {
		return r.causesOfHold()
	}
	publication, err := r.publication()
	if err != nil {
		return err
	}
	again, err := r.withdrawnBefore(&publication)
	if err != nil {
		return err
	}
	if r.record.Holds = append(r.record.Holds, again...); r.mustWait(again) {
		return nil
	}
	snapshot, isNew, err := load.Publish(r.ctx, r.store, publication, r.now())
	if pipeline.KindOf(err) == pipeline.Config {
		return err
	}
	if err != nil {
		return &pipeline.Error{Kind: pipeline.Storage, Subject: storeName(r.project), Problem: "publish the snapshot", Err: err,
			Effect: "readers still see the last snapshot, whole", Hint: "run again; what is done is kept"}
	}
	r.published = snapshot
	r.record.Snapshot = snapshot.Snapshot
	r.record.Verdict = pipeline.NothingNew
	if isNew {
		r.record.Verdict = pipeline.Published
	}
	return nil
}

// readChecks sorts what every check of the plan found.
func (r *runState) readChecks() error {
	for _, step := range r.graph.Steps {
		if step.Kind != pipeline.StepCheck {
			continue
		}
		record, err := r.warehouse.Record(step.Fingerprint)
		if err != nil {
			return err
		}
		for i, result := range record.Checks {
			switch {
			case result.Passed:
				r.passed++
			case result.Severity == pipeline.Warn:
				r.warnings = append(r.warnings, result)
			default:
				r.failures = append(r.failures, failure{result, step.Checks[i].Question})
			}
		}
	}
	return nil
}

// failure is a check that failed, and what it asks.
type failure struct {
	pipeline.CheckResult
	question map[string]string // nil: a promise is broken
}

// gateHolds says which failing checks hold the run: those that ask a person
// and those that nobody may let pass.
func (r *runState) gateHolds() []pipeline.Hold {
	var holds []pipeline.Hold
	for _, one := range r.failures {
		hold := pipeline.Hold{Kind: pipeline.HoldPromise, Gate: one.Table + "." + one.Name, Details: strings.Join(one.Sample, "\n"),
			Because: pipeline.Sentence{Key: "held_broken", Values: map[string]any{"count": one.Failing, "table": one.Table, "check": one.Name}}}
		if one.Severity == pipeline.Ask {
			hold.Kind, hold.Approvable, hold.Because = pipeline.HoldGate, true, verbatim(one.question)
		}
		holds = append(holds, hold)
	}
	slices.SortStableFunc(holds, func(a, b pipeline.Hold) int { // what cannot be approved comes first
		return strings.Compare(fmt.Sprint(a.Approvable), fmt.Sprint(b.Approvable))
	})
	return holds
}

// verbatim is a sentence that a configuration gives in its languages.
func verbatim(text map[string]string) pipeline.Sentence {
	values := map[string]any{}
	for language, one := range text {
		values[language] = one
	}
	return pipeline.Sentence{Key: "verbatim", Values: values}
}

// mustWait holds the run if one of the holds was not approved by a person.
func (r *runState) mustWait(holds []pipeline.Hold) bool {
	for _, hold := range holds {
		if hold.Approvable && slices.Contains(r.approved, hold.Gate) {
			continue
		}
		r.record.Verdict, r.record.Because = pipeline.Held, hold.Because
		r.record.Reason = r.words.Say("en", hold.Because)
		return true
	}
	return false
}

// withdrawnBefore holds a result that a person has withdrawn before: it is not
// published again by itself.
func (r *runState) withdrawnBefore(publication *load.Publication) ([]pipeline.Hold, error) {
	var holds []pipeline.Hold
	publication.Barred = withdrawnIDs(r.decisions)
	for _, decision := range withdrawals(r.decisions) {
		snapshot, err := load.ReadSnapshot(r.ctx, r.store, r.p.Name, decision.Snapshot)
		if errors.Is(err, fs.ErrNotExist) { // it is no longer kept
			continue
		}
		if err != nil {
			return nil, err
		}
		if load.SameRows(&snapshot.Manifest, &publication.Manifest) && load.SameCarried(snapshot.Sources, r.pins.Sources) {
			holds = append(holds, pipeline.Hold{Kind: pipeline.HoldWithdrawn, Gate: "withdrawn." + decision.Snapshot, Approvable: true,
				Because: pipeline.Sentence{Key: "held_withdrawn", Values: map[string]any{"snapshot": decision.Snapshot}}, Details: decision.Reason})
		}
	}
	return holds, nil
}

// readApprovals finds the gates that a person let pass for this very result:
// the same marts, compared with the same snapshot.
func (r *runState) readApprovals() error {
	for _, decision := range r.decisions {
		if decision.Decision != pipeline.Approve {
			continue
		}
		held, err := r.heldRun(r.ctx, decision.Run)
		if err != nil {
			return err
		}
		if held.makes(r.graph) && held.before() == before(r.pins) {
			r.approved = append(r.approved, decision.Gates...)
		}
	}
	return nil
}

// runKey is the key of a file of a run in the store.
func runKey(name, id, file string) string { return path.Join(name, "runs", id, file) }

// heldRun is a run as the store keeps it.
type heldRun struct {
	record pipeline.RunRecord
	pins   pipeline.Pins
}

// heldRun reads a run from the store.
func (s *session) heldRun(ctx context.Context, id string) (*heldRun, error) {
	h := &heldRun{}
	for file, target := range map[string]any{pipeline.RunPinsFile: &h.pins, pipeline.RunRecordFile: &h.record} {
		if err := load.ReadJSON(ctx, s.store, runKey(s.p.Name, id, file), target); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil, &pipeline.Error{Kind: pipeline.Config, Problem: "the store keeps no run " + id, Where: storeName(s.project, s.p.Name, "runs"),
					Hint: self() + " status tells which runs wait for a decision"}
			}
			return nil, err
		}
	}
	return h, nil
}

// makes reports whether a run made the marts that a graph would make.
func (h *heldRun) makes(graph *pipeline.Plan) bool {
	made := map[string]pipeline.Digest{}
	for _, step := range h.record.Steps {
		made[step.Step] = step.Fingerprint
	}
	for _, mart := range graph.Pipeline.Marts() {
		if steps := graph.Table(mart.Name); len(steps) != 1 || made[steps[0].Label] != steps[0].Fingerprint {
			return false
		}
	}
	return true
}

func (h *heldRun) before() pipeline.Digest { return before(h.pins) }

// before is the manifest of the snapshot that a run is compared with.
func before(pins pipeline.Pins) pipeline.Digest {
	if pins.Previous == nil {
		return ""
	}
	return pins.Previous.Manifest
}

// conclude keeps what came of the run for ever: its files, and the verdict of
// its period.
func (r *runState) conclude() error {
	period := r.pins.PeriodEnd
	if period == "" {
		period = r.flags.asOf
	}
	verdict := pipeline.PeriodVerdict{Period: period, DueAt: r.record.DueAt, Verdict: r.record.Verdict, Run: r.record.ID, Snapshot: r.record.Snapshot,
		Carried: r.carried(), Again: r.record.Verdict == pipeline.FailedRun, At: r.now(), By: machine()}
	if period == "" || verdict.Verdict == pipeline.Partial || verdict.Verdict == "" {
		return nil
	}
	if verdict.Verdict == pipeline.NothingNew && strings.HasPrefix(r.record.Snapshot, period+".") {
		verdict.Verdict = pipeline.Published // by a run that was killed before it could say so
		r.record.Because = publishedBecause(r.record.Snapshot, verdict.Carried)
	}
	known, err := r.ledger.Verdicts(r.ctx)
	if err != nil {
		return err
	}
	if last := pipeline.VerdictOf(known, period); last != nil && last.Settled() && verdict.Verdict != pipeline.Held {
		return nil
	}
	r.before = lastOf(known)
	verdict.Reason = r.words.All(r.record.Because)
	for _, file := range []string{pipeline.RunPinsFile, pipeline.RunRecordFile} {
		if err := r.keepFile(file); err != nil {
			return err
		}
	}
	r.isRecorded, err = r.ledger.Record(r.ctx, verdict)
	return err
}

// lastOf gives the last verdict, nil if there is none.
func lastOf(verdicts []pipeline.PeriodVerdict) *pipeline.PeriodVerdict {
	if len(verdicts) == 0 {
		return nil
	}
	return &verdicts[len(verdicts)-1]
}

// keepFile copies a file of the run to the store.
func (r *runState) keepFile(file string) error {
	text, err := os.ReadFile(filepath.Join(r.runs.Dir(r.record.ID), file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it failed before it had one
	}
	if err != nil {
		return &pipeline.Error{Kind: pipeline.Storage, Problem: "read a file of the run", Err: err}
	}
	_, err = r.store.Put(r.ctx, runKey(r.p.Name, r.record.ID, file), bytes.NewReader(text), load.Condition{})
	return err
}

// carried lists the sources that are carried forward, by name.
func (r *runState) carried() []string {
	var names []string
	for _, source := range r.record.Sources {
		if source.State == sourceCarried || source.State == sourceDead {
			names = append(names, source.Source)
		}
	}
	slices.Sort(names)
	return names
}

// because says why the run got its verdict.
func (r *runState) because() pipeline.Sentence {
	switch r.record.Verdict {
	case pipeline.Published:
		return publishedBecause(r.record.Snapshot, r.carried())
	case pipeline.NothingNew:
		return pipeline.Sentence{Key: "nothing_new", Values: map[string]any{"snapshot": r.record.Snapshot}}
	}
	return r.record.Because
}

func publishedBecause(snapshot string, carried []string) pipeline.Sentence {
	if len(carried) == 0 {
		return pipeline.Sentence{Key: "published", Values: map[string]any{"snapshot": snapshot}}
	}
	return pipeline.Sentence{Key: "published_carried", Values: map[string]any{"snapshot": snapshot, "sources": carried, "count": len(carried)}}
}

// whyFailed says why a run failed, for the ledger and for people.
func whyFailed(err error) pipeline.Sentence {
	var e *pipeline.Error
	problem := firstLine(err)
	if errors.As(err, &e) && e.Problem != "" {
		problem = e.Problem
	}
	values := map[string]any{"problem": problem}
	var secret config.MissingSecret
	switch {
	case errors.As(err, &secret):
		return pipeline.Sentence{Key: "failed_secret", Values: map[string]any{"name": string(secret)}}
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EFBIG), errors.Is(err, errLittleRoom):
		return pipeline.Sentence{Key: "failed_disk"}
	case pipeline.KindOf(err) == pipeline.Storage:
		return pipeline.Sentence{Key: "failed_store", Values: values}
	case pipeline.KindOf(err) == pipeline.Config:
		return pipeline.Sentence{Key: "failed_config", Values: values}
	case pipeline.KindOf(err) == pipeline.SourceDown, pipeline.KindOf(err) == pipeline.Drift:
		values["source"] = e.Subject
		return pipeline.Sentence{Key: "failed_source", Values: values}
	}
	return pipeline.Sentence{Key: "failed_other", Values: values}
}

// machine names this machine in what is kept for ever.
func machine() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}

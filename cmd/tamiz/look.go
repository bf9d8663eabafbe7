package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tamiz/extract"
	"tamiz/extract/web"
	"tamiz/pipeline"
	"tamiz/schedule/notice"
)

// looking is one look at the world: what each source holds now, and whether a
// run may stand on it.
type looking struct {
	*session
	watch      *extract.Watch
	pins       map[string][]pipeline.Pin
	good       map[string][]pipeline.Pin // the last good versions
	failing    map[string]time.Time      // since when a source failed, of those that did before this look
	decisions  []pipeline.Decision
	faults     map[string]error
	refused    map[string][]pipeline.Pin // new versions that failed
	notes      map[string][]string
	admissions []*pipeline.Admission
}

// How a source stands after a look.
const (
	sourceGood    = "good"
	sourceNever   = "never fetched"
	sourceCarried = "carried forward"
	sourceLeftOut = "left out"
	sourceDead    = "dead"
)

// look asks all sources, judges new versions, and settles what each of them
// gives to this run: its new version, its last good one, or nothing.
func (r *runState) look(good map[string][]pipeline.Pin) (map[string][]pipeline.Pin, error) {
	l := &looking{session: r.session, decisions: r.decisions, pins: map[string][]pipeline.Pin{}, good: good, faults: map[string]error{}, refused: map[string][]pipeline.Pin{}, notes: map[string][]string{}, watch: r.watch(), failing: map[string]time.Time{}}
	for _, source := range r.p.Sources {
		if since, failing := r.log.Failing(source.Name); failing {
			l.failing[source.Name] = since
		}
	}
	if err := l.observe(r.ctx, &bar{w: r.out, began: time.Now()}); err != nil {
		return nil, err
	}
	walk := r.session.walk(r.record.Workers)
	progress := &bar{w: r.out, began: time.Now()}
	walk.Progress = func(event pipeline.Event) {
		progress.show(event)
		r.logEvent(event)
	}
	l.refuse()
	if err := l.admit(r.ctx, walk, nil); err != nil {
		return nil, err
	}
	if retry, err := l.inboxes(r.ctx); err != nil {
		return nil, err
	} else if err := l.admit(r.ctx, walk, retry); err != nil {
		return nil, err
	}
	for _, admission := range l.admissions {
		r.keep(admission)
	}
	pins := map[string][]pipeline.Pin{}
	for i := range r.p.Sources {
		source := &r.p.Sources[i]
		state, err := l.settle(source)
		if err != nil {
			return nil, err
		}
		r.record.Sources = append(r.record.Sources, state)
		if len(state.Pins) > 0 {
			pins[source.Name] = state.Pins
		}
		if state.State == sourceDead {
			r.record.Holds = append(r.record.Holds, pipeline.Hold{Kind: pipeline.HoldDead, Source: source.Name, Gate: deadGate(source.Name), Approvable: true, Details: state.Message,
				Because: pipeline.Sentence{Key: "held_dead", Values: map[string]any{"source": source.Name, "days": state.Days}}})
		}
	}
	return pins, nil
}

// watch looks at the world for this session.
func (s *session) watch() *extract.Watch {
	return &extract.Watch{Archive: s.archive, Log: s.log, Scratch: filepath.Join(s.warehouse.Dir(), "tmp", "downloads"), Web: web.New(web.Options{
		UserAgent: userAgent(s.project.HTTP.Contact), Tries: s.project.HTTP.Tries, Wait: s.project.HTTP.Wait, IdleTimeout: s.project.HTTP.Timeout})}
}

// keep counts what an admission ran.
func (r *runState) keep(admission *pipeline.Admission) {
	r.needs = append(r.needs, admission.Needs...)
	for _, record := range admission.Records {
		if record.Kind == pipeline.StepCheck {
			r.gates++
		}
		r.ran[record.Fingerprint] = record
	}
}

func userAgent(contact string) string {
	if contact == "" {
		return "tamiz/" + version
	}
	return "tamiz/" + version + " (+" + contact + ")"
}

// observe asks every source. One that does not answer is a fault of its own;
// our own storage and the user's interrupt end the look.
func (l *looking) observe(ctx context.Context, progress *bar) error {
	defer progress.clear()
	for i := range l.p.Sources {
		source := &l.p.Sources[i]
		if source.Online() {
			progress.asking(source.Name, i, len(l.p.Sources))
		}
		observation, err := l.ask(ctx, source)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		switch pipeline.KindOf(err) {
		case pipeline.SourceDown, pipeline.Drift:
			l.faults[source.Name] = err
		default:
			if err != nil {
				return err
			}
			l.see(source.Name, observation)
		}
	}
	return nil
}

// ask observes one source; a log is read from the store as far as it goes.
func (l *looking) ask(ctx context.Context, source *pipeline.Source) (extract.Observation, error) {
	if !source.Log {
		return l.watch.Observe(ctx, *source)
	}
	var observation extract.Observation
	err := l.withPrefix(ctx, source, func(prefix pipeline.Source) (err error) {
		observation, err = l.watch.Observe(ctx, prefix)
		return err
	})
	return observation, err
}

// see takes what was observed, and notes what a person should know of it.
func (l *looking) see(source string, observation extract.Observation) {
	l.pins[source] = observation.Pins()
	switch observation.How {
	case extract.HowMirror:
		for _, file := range observation.Files {
			if file.From != "" {
				l.notes[source] = []string{"came from the mirror " + file.From + ", for its own address failed"}
			}
		}
	case extract.HowInbox:
		var digests []string
		for _, file := range observation.Files {
			digests = append(digests, file.Name+" (sha256 "+file.Digest.Short()+"…)")
		}
		l.notes[source] = []string{fmt.Sprintf("taken from the inbox: %s, put there by %s, seen %s", strings.Join(digests, ", "), observation.By,
			observation.ObservedAt.Format(pipeline.DateLayout))}
	}
}

// refuse sets aside those versions that a person has rejected.
func (l *looking) refuse() {
	for i := range l.p.Sources {
		name := l.p.Sources[i].Name
		decision := pipeline.Refuses(l.decisions, name, l.pins[name])
		if decision == nil {
			continue
		}
		l.faults[name] = &pipeline.Error{Kind: pipeline.Drift, Subject: name, Problem: "this version was rejected",
			Where: decision.Who + ", " + decision.At.Format(pipeline.DateLayout), Found: decision.Reason, Hint: "bring a corrected file, or wait until the publisher has one"}
		l.refused[name] = l.pins[name]
		delete(l.pins, name)
	}
}

// admit judges those new versions that are not in use yet, all of them or
// those of some sources.
func (l *looking) admit(ctx context.Context, walk *pipeline.Walk, only map[string]bool) error {
	var candidates []*pipeline.Candidate
	for i := range l.p.Sources {
		source := &l.p.Sources[i]
		pins := l.pins[source.Name]
		if len(pins) == 0 || pipeline.SameFiles(pins, l.good[source.Name]) || (only != nil && !only[source.Name]) {
			continue
		}
		candidate := &pipeline.Candidate{Source: source, Pins: pins}
		if l.archived(l.good[source.Name]) { // else there is nothing left to compare with
			candidate.Good = l.good[source.Name]
		}
		candidates = append(candidates, candidate)
	}
	if len(candidates) == 0 {
		return nil
	}
	admission, err := walk.Admit(ctx, l.p, l.binding, candidates, l.engines)
	if err != nil {
		return err
	}
	l.admissions = append(l.admissions, admission)
	for _, record := range admission.Records {
		for _, candidate := range candidates {
			if strings.HasPrefix(record.Table, candidate.Source.Table()) && record.Kind == pipeline.StepRead && admission.Refused[candidate.Source.Name] == nil {
				l.notes[candidate.Source.Name] = append(l.notes[candidate.Source.Name], record.Notes...)
			}
		}
	}
	for name, refusal := range admission.Refused {
		l.faults[name], l.refused[name] = refusal, l.pins[name]
		delete(l.pins, name)
	}
	return nil
}

// inboxes looks for what people have put there in place of a download that
// failed.
func (l *looking) inboxes(ctx context.Context) (map[string]bool, error) {
	found := map[string]bool{}
	for i := range l.p.Sources {
		source := &l.p.Sources[i]
		if l.faults[source.Name] == nil {
			continue
		}
		observation, err := l.watch.Inbox(ctx, *source)
		if kind := pipeline.KindOf(err); err != nil && kind != pipeline.SourceDown && kind != pipeline.Drift {
			return nil, err
		}
		if len(observation.Files) > 0 {
			delete(l.faults, source.Name)
			found[source.Name] = true
			l.see(source.Name, observation)
		}
	}
	l.refuse()
	return found, nil
}

// settle says what a source gives to the run, and keeps its faults in the log.
func (l *looking) settle(source *pipeline.Source) (pipeline.SourceRecord, error) {
	state := pipeline.SourceRecord{Source: source.Name, State: sourceGood, Pins: l.pins[source.Name], Notes: unique(l.notes[source.Name])}
	fault := l.faults[source.Name]
	if fault == nil {
		if len(state.Pins) == 0 {
			state.State = sourceNever
			return state, nil
		}
		state.Since = l.failing[source.Name] // of what has ended now
		return state, l.log.NoteGood(source.Name)
	}
	if err := l.log.NoteFault(source.Name, l.refused[source.Name], fault); err != nil {
		return state, err
	}
	since, _ := l.log.Failing(source.Name)
	state.Since, state.Days = since, int(l.now().Sub(since).Hours()/24)
	var e *pipeline.Error
	if !errors.As(fault, &e) {
		return state, fault
	}
	state.Problem, state.Cause = e.Problem, notice.Down
	if len(l.refused[source.Name]) > 0 {
		state.Cause = notice.Refused
		if pipeline.Refuses(l.decisions, source.Name, l.refused[source.Name]) != nil {
			state.Cause = notice.Rejected
		}
	}
	good := l.good[source.Name]
	if source.Dead == "" {
		source.Dead = declaredDead(l.decisions, source.Name, since)
	}
	dead := source.DeadAfter > 0 && state.Days > source.DeadAfter
	switch {
	case len(good) == 0 && source.Required && source.Dead == "":
		e.Effect = "there is no earlier version to go on with, and there can be no run without it"
		return state, fault
	case len(good) == 0, dead && !source.Required && source.Dead == "":
		state.State, state.Pins = sourceLeftOut, nil
		state.Effect = "this source is left out: what stands on it is unknown in this edition"
		if source.Dead != "" {
			state.Effect = "what stands on it is not computed: " + source.Dead
		}
	default:
		state.State, state.Effect = sourceCarried, carriedEffect(source, good, state.Days)
		if dead && source.Dead == "" {
			state.State = sourceDead
		}
		state.Pins = append([]pipeline.Pin(nil), good...)
		for i := range state.Pins {
			state.Pins[i].Carried = fmt.Sprintf("%s; the version of %s stays in use", e.Problem, good[0].ObservedAt.Format(pipeline.DateLayout))
		}
	}
	e.Effect = state.Effect
	state.Message = fault.Error()
	return state, nil
}

// unique drops what was said before.
func unique(notes []string) []string {
	var kept []string
	for _, note := range notes {
		if !slices.Contains(kept, note) {
			kept = append(kept, note)
		}
	}
	return kept
}

func carriedEffect(source *pipeline.Source, good []pipeline.Pin, days int) string {
	text := fmt.Sprintf("the version of %s stays in use (carried forward", good[0].ObservedAt.Format("2 January 2006"))
	if days > 0 {
		text += fmt.Sprintf(", for %s now", plural(days, "day", "days"))
	}
	switch {
	case source.Dead != "":
		text += "; declared dead: " + source.Dead
	case source.DeadAfter > 0:
		text += fmt.Sprintf("; dead after %d", source.DeadAfter)
	}
	return text + ")"
}

// deadGate names the question whether a source counts as dead.
func deadGate(source string) string { return "dead." + source }

// declaredDead gives why a person has declared a source dead since it began to
// fail, "" if nobody has.
func declaredDead(decisions []pipeline.Decision, source string, since time.Time) string {
	for _, decision := range decisions {
		if slices.Contains(decision.Dead, source) && !decision.At.Before(since) {
			return decision.Reason
		}
	}
	return ""
}

// goodVersions gives the versions that were accepted last, by this machine's
// last good run or in the latest snapshot, whichever saw a source later.
func (r *runState) goodVersions(accepted *pipeline.Pins) map[string][]pipeline.Pin {
	good := map[string][]pipeline.Pin{}
	take := func(name string, pins []pipeline.Pin) {
		if len(pins) == 0 || len(good[name]) > 0 && !pins[0].ObservedAt.After(good[name][0].ObservedAt) {
			return
		}
		good[name] = slices.Clone(pins)
		for i := range good[name] {
			good[name][i].Carried = ""
		}
	}
	if accepted != nil {
		for name, pins := range accepted.Sources {
			take(name, pins)
		}
	}
	if r.latest != nil {
		for _, source := range r.latest.Sources {
			take(source.Name, source.Files)
		}
	}
	return good
}

// archived reports whether the bytes of a version lie on this machine.
func (s *session) archived(pins []pipeline.Pin) bool {
	for _, pin := range pins {
		for _, digest := range pin.Digests() {
			if _, err := s.archive.Path(digest); err != nil {
				return false
			}
		}
	}
	return true
}

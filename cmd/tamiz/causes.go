package main

import (
	"fmt"
	"slices"
	"strings"

	"tamiz/lineage"
	"tamiz/pipeline"
)

// mostCauses is how many new versions are tried one by one, or how many causes
// of a difference: each try costs a part of a run.
const mostCauses = 6

// causesOfHold says what a result that asks for a decision comes from: how many
// units change by the new version of each source alone, by the new method alone
// and by the new models alone, all else being as in the latest edition.
func (r *runState) causesOfHold() error {
	asks := func(hold pipeline.Hold) bool { return hold.Kind == pipeline.HoldGate }
	if r.latest == nil || r.p.Comparison == nil || !slices.ContainsFunc(r.record.Holds, asks) {
		return nil
	}
	told, err := r.countCauses()
	switch {
	case r.ctx.Err() != nil:
		return r.ctx.Err()
	case err != nil: // such as a card that fits its new file alone; the question stands all the same
		told = append(told, "what else changed cannot be counted alone: "+strings.ReplaceAll(err.Error(), "\n", "\n  "))
	}
	for _, cause := range r.record.Causes {
		told = append(told, r.causeText(cause))
	}
	if len(told) == 0 {
		told = []string{"no source, method or model is new: what changed is the period"}
	}
	for i := range r.record.Holds {
		if asks(r.record.Holds[i]) {
			r.record.Holds[i].Details = strings.TrimSpace(r.record.Holds[i].Details + "\n" + strings.Join(told, "\n"))
		}
	}
	return nil
}

func (r *runState) causeText(cause pipeline.Cause) string {
	name := "the new version of " + cause.Source
	if cause.Source == "" {
		name = "the new " + cause.Group
	}
	return fmt.Sprintf("by %s alone: %s of %s", name, r.p.Comparison.Value, plural(cause.Changed, r.p.Comparison.One, r.p.Comparison.Many))
}

// countCauses records the causes. Each is counted against the latest edition's
// sources and method under today's models, so that nothing else is counted with
// it. What cannot be counted is told.
func (r *runState) countCauses() (told []string, err error) {
	views, err := martFiles(r.ctx, r.store, r.p.Name, r.latest)
	if err != nil {
		return nil, err
	}
	published, err := valuesOf(r.ctx, r.p.Comparison, views)
	if err != nil {
		return nil, err
	}
	t := &trial{session: r.session, progress: r.out}
	mart := "marts." + r.p.Comparison.Mart
	base, present := r.today(pinsOf(r.latest)), r.p.MethodTables()
	old, err := methodOf(r.ctx, r.store, r.p, r.latest)
	method := append(slices.Clone(old.Tables), tablesWithout(present, old.Tables)...)
	var before basis
	if err == nil {
		before, err = r.withMethod(r.ctx, base, method)
	}
	isApart := pipeline.KindOf(err) != pipeline.Config
	if !isApart {
		method, before, err = present, base, nil
		told = append(told, "today's models do not run with the method of "+r.latest.Snapshot+": what the two change cannot be told apart")
	}
	if err != nil {
		return nil, err
	}
	units := published
	isOther := publishedAs(r.latest, r.p.Comparison.Mart) != t.plan(before).Table(mart)[0].Fingerprint
	if isOther {
		if units, err = t.units(r.ctx, base, method); err != nil {
			return told, err
		}
	}
	left, err := r.countSources(t, method, units)
	if left > 0 {
		told = append(told, fmt.Sprintf("%d more sources have new versions, and are not counted", left))
	}
	if err != nil {
		return told, err
	}
	if isApart && pipeline.MeaningOf(method) != pipeline.MeaningOf(present) {
		after, err := t.units(r.ctx, base, present)
		if err != nil {
			return told, err
		}
		r.addCause(lineage.CauseMethod, "", units, after)
	}
	if isApart && isOther {
		r.addCause(lineage.CauseModels, "", published, units)
	}
	return told, nil
}

func (r *runState) addCause(group, source string, before, after lineage.Units) {
	r.record.Causes = append(r.record.Causes, pipeline.Cause{Group: group, Source: source, Changed: len(lineage.Compare(before, after).Changed)})
}

// countSources counts each source with another version than the latest
// edition's, and says how many are too many to be tried.
func (r *runState) countSources(t *trial, method []pipeline.Table, before lineage.Units) (left int, err error) {
	tried := 0
	for _, source := range r.p.Sources {
		pins := pinsOf(r.latest)
		if pipeline.SameFiles(pins.Sources[source.Name], r.pins.Sources[source.Name]) {
			continue
		}
		if tried++; tried > mostCauses {
			continue
		}
		pins.Sources[source.Name], pins.Vintages[source.Name] = r.pins.Sources[source.Name], r.pins.Vintages[source.Name]
		after, err := t.units(r.ctx, r.today(pins), method)
		if err != nil {
			return 0, err
		}
		r.addCause(lineage.CauseSources, source.Name, before, after)
	}
	return max(0, tried-mostCauses), nil
}

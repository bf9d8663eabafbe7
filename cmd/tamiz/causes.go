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

// causesOfHold says what a result that asks for a decision comes from: for each
// source with another version than the latest edition's, how many units change
// by that version alone. It is the sources' turn only; a new method is told by
// tamiz diff.
func (r *runState) causesOfHold() error {
	asks := func(hold pipeline.Hold) bool { return hold.Kind == pipeline.HoldGate }
	if r.latest == nil || r.p.Comparison == nil || !slices.ContainsFunc(r.record.Holds, asks) {
		return nil
	}
	base := pinsOf(r.latest)
	var isNew []string
	for _, source := range r.p.Sources {
		if !pipeline.SameFiles(base.Sources[source.Name], r.pins.Sources[source.Name]) {
			isNew = append(isNew, source.Name)
		}
	}
	var told []string
	for i, name := range isNew {
		if i == mostCauses {
			told = append(told, fmt.Sprintf("and %d more sources with new versions", len(isNew)-i))
			break
		}
		changed, err := r.changedBy(name)
		if err != nil {
			return err
		}
		told = append(told, fmt.Sprintf("%s: %s of %s change by its new version alone", name, r.p.Comparison.Value, plural(changed, r.p.Comparison.One, r.p.Comparison.Many)))
		r.record.Causes = append(r.record.Causes, pipeline.Cause{Source: name, Changed: changed})
	}
	if len(isNew) == 0 {
		told = []string{"no source is new: what changed is the method, the SQL or a card"}
	}
	for i := range r.record.Holds {
		if asks(r.record.Holds[i]) {
			r.record.Holds[i].Details = strings.TrimSpace(r.record.Holds[i].Details + "\n" + strings.Join(told, "\n"))
		}
	}
	return nil
}

// changedBy counts the units that one source's new version changes, all else
// being as in the latest edition.
func (r *runState) changedBy(name string) (int, error) {
	pins := pinsOf(r.latest)
	pins.Sources[name], pins.Vintages[name] = r.pins.Sources[name], r.pins.Vintages[name]
	views, err := martFiles(r.ctx, r.store, r.p.Name, r.latest)
	if err != nil {
		return 0, err
	}
	before, err := valuesOf(r.ctx, r.p.Comparison, views)
	if err != nil {
		return 0, err
	}
	t := &trial{session: r.session, progress: r.out}
	after, err := t.units(r.ctx, r.today(pins), r.p.MethodTables())
	if err != nil {
		return 0, err
	}
	return len(lineage.Compare(before, after).Changed), nil
}

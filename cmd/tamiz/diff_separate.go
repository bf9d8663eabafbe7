package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"tamiz/lineage"
	"tamiz/pipeline"
)

// separate computes the worlds of all sets of causes. Few causes stand each for
// itself; of many, the sources are one. Causes that only work together, such as
// a card and the file that it was changed for, become one, and that is told.
func (a *attribution) separate(ctx context.Context) ([][]atom, []lineage.World, error) {
	parts, err := a.relevant(ctx)
	if err != nil {
		return nil, nil, err
	}
	for {
		worlds, stuck, err := a.all(ctx, parts)
		if stuck < 0 || err == nil {
			return parts, worlds, err
		}
		if ctx.Err() != nil || stuck == 0 || stuck == len(worlds)-1 || pipeline.KindOf(err) == pipeline.Storage || pipeline.KindOf(err) == pipeline.Busy {
			return nil, nil, err
		}
		if parts, err = a.merge(ctx, parts, stuck); err != nil {
			return nil, nil, err
		}
	}
}

// relevant lists the causes that what is measured stands on.
func (a *attribution) relevant(ctx context.Context) ([][]atom, error) {
	atoms := a.atoms()
	whole := mixed{}
	for _, one := range atoms {
		whole[one] = true
	}
	var parts, sources [][]atom
	for _, one := range atoms {
		without := mixed{}
		for other := range whole {
			if other != one {
				without[other] = true
			}
		}
		stands, err := a.standsOn(ctx, mixed{}, mixed{one: true})
		if err == nil && !stands {
			stands, err = a.standsOn(ctx, without, whole)
		}
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err == nil && !stands:
			a.found.Unrelated = append(a.found.Unrelated, one.name)
		case one.group == lineage.CauseSources:
			sources = append(sources, []atom{one})
		default:
			parts = append(parts, []atom{one})
		}
	}
	if len(sources)+len(parts) > mostCauses {
		sources = [][]atom{slices.Concat(sources...)}
		a.found.Notes = append(a.found.Notes, fmt.Sprintf("more than %d causes: the sources count as one", mostCauses))
	}
	return append(sources, parts...), nil
}

// standsOn reports whether two worlds differ for what is measured.
func (a *attribution) standsOn(ctx context.Context, one, other mixed) (bool, error) {
	var fingerprints []string
	for _, after := range []mixed{one, other} {
		w, err := a.world(ctx, after)
		if err != nil {
			return false, err
		}
		fingerprints = append(fingerprints, a.fingerprint(a.plan(w)))
	}
	return fingerprints[0] != fingerprints[1], nil
}

// all measures the worlds of all sets of parts, in the order that
// [lineage.Shapley] wants. Stuck is the set that could not be computed, -1 if
// there is none.
func (a *attribution) all(ctx context.Context, parts [][]atom) (worlds []lineage.World, stuck int, err error) {
	worlds = make([]lineage.World, 1<<len(parts))
	a.most = len(worlds)
	order := []int{0, len(worlds) - 1} // without these two there is no telling
	for set := 1; set < len(worlds)-1; set++ {
		order = append(order, set)
	}
	for _, set := range order {
		if worlds[set], err = a.measure(ctx, asAfter(parts, set)); err != nil {
			return worlds, set, err
		}
	}
	return worlds, -1, nil
}

func asAfter(parts [][]atom, set int) mixed {
	after := mixed{}
	for i, part := range parts {
		for _, one := range part {
			if set&(1<<i) != 0 {
				after[one] = true
			}
		}
	}
	return after
}

// merge joins parts that only work together: the models and the first part
// that, changed with them, mends the set that is stuck; failing that, all parts
// that are not on the models' side; without models, all.
func (a *attribution) merge(ctx context.Context, parts [][]atom, stuck int) ([][]atom, error) {
	models := slices.IndexFunc(parts, func(part []atom) bool { return slices.Contains(part, atom{lineage.CauseModels, lineage.CauseModels}) })
	var others []int // parts on the other side than the models
	for i := range parts {
		if i != models && (models < 0 || (stuck>>i)&1 != (stuck>>models)&1) {
			others = append(others, i)
		}
	}
	for _, i := range others {
		if models < 0 {
			break
		}
		_, err := a.measure(ctx, asAfter(parts, stuck^1<<i))
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err == nil {
			others = []int{i}
			break
		}
	}
	if models >= 0 {
		others = append(others, models)
	}
	var together []atom
	var kept [][]atom
	for i, part := range parts {
		if slices.Contains(others, i) {
			together = append(together, part...)
		} else {
			kept = append(kept, part)
		}
	}
	a.found.Notes = append(a.found.Notes, nameOf(together)+" cannot be told apart: the one does not run without the other")
	return append(kept, together), nil
}

// nameOf names a part.
func nameOf(part []atom) string {
	var names []string
	isSources := len(part) > 1
	for _, one := range part {
		names = append(names, one.name)
		isSources = isSources && one.group == lineage.CauseSources
	}
	if isSources {
		return lineage.CauseSources
	}
	return strings.Join(names, " + ")
}

// describe says what differs in a part.
func (a *attribution) describe(part []atom) lineage.Cause {
	cause := lineage.Cause{Name: nameOf(part), Groups: []string{}, Differs: []string{}}
	for _, one := range part {
		if !slices.Contains(cause.Groups, one.group) {
			cause.Groups = append(cause.Groups, one.group)
		}
		switch {
		case one.group == lineage.CauseModels:
			cause.Differs = append(cause.Differs, a.definitions[0].DiffersFrom(a.definitions[1])...)
		case one.group == lineage.CauseMethod:
			for _, change := range pipeline.CompareMethods(a.methods[0], a.methods[1]) {
				cause.Differs = append(cause.Differs, change.Name()+" "+shorten(change.Before)+" → "+shorten(change.After))
			}
		case one.name == periodCause:
			cause.Differs = append(cause.Differs, fmt.Sprintf("%s as of %s → %s as of %s", a.pins[0].PeriodEnd, a.pins[0].AsOf, a.pins[1].PeriodEnd, a.pins[1].AsOf))
		default:
			cause.Differs = append(cause.Differs, one.name+" "+filesText(a.pins[0].Sources[one.name])+" → "+filesText(a.pins[1].Sources[one.name]))
		}
	}
	return cause
}

// filesText names the files of a version by digest, and since when they are
// known.
func filesText(pins []pipeline.Pin) string {
	if len(pins) == 0 {
		return "no file"
	}
	return digestsOf(pins) + " of " + pins[0].ObservedAt.UTC().Format(pipeline.DateLayout)
}

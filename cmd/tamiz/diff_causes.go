package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"tamiz/config"
	"tamiz/lineage"
	"tamiz/load"
	"tamiz/pipeline"
)

// periodCause is the cause that a snapshot is of another period; no source has
// such a name.
const periodCause = "the period"

// atom is the smallest thing that can be as before or as after.
type atom struct{ group, name string }

// mixed is a world by what is as after in it; all else is as before.
type mixed map[atom]bool

// attribution finds what caused the difference between two snapshots: it runs
// the graph in worlds where some causes are as in the second snapshot and the
// others as in the first. A world whose mart has a fingerprint that one of them
// published is not computed: its result is what was published.
type attribution struct {
	*trial
	sides       [2]*load.Snapshot
	pins        [2]pipeline.Pins
	definitions [2]*pipeline.Pipeline
	methods     [2][]pipeline.Table
	compared    *pipeline.Comparison
	ruler       *ruler
	wanted      []string                   // marts that are measured, with schema
	published   map[pipeline.Digest]string // fingerprint of a mart → its file

	bound  map[[2]bool]basis // models, method as after → their binding
	known  map[string]lineage.World
	most   int    // worlds that there are
	unlock func() // nil: nothing was computed yet
	found  *lineage.Attribution
}

// causes splits the difference among its causes. What cannot be computed is
// told in the result and is no error.
func (s *session) causes(ctx context.Context, sides [2]*load.Snapshot, r *ruler, progress io.Writer) (*lineage.Attribution, *lineage.UnitChange, error) {
	a := &attribution{trial: &trial{session: s, progress: progress}, sides: sides, compared: r.compared, ruler: r, published: map[pipeline.Digest]string{},
		bound: map[[2]bool]basis{}, known: map[string]lineage.World{},
		found: &lineage.Attribution{Causes: []lineage.Cause{}, Unrelated: []string{}, Notes: []string{}}}
	defer func() {
		if a.unlock != nil {
			a.unlock()
		}
	}()
	unit, err := a.attribute(ctx)
	if err != nil && ctx.Err() == nil && pipeline.KindOf(err) != pipeline.Busy {
		a.found.Failed, err = err.Error(), nil
	}
	return a.found, unit, err
}

func (a *attribution) attribute(ctx context.Context) (*lineage.UnitChange, error) {
	a.wanted = []string{"marts." + a.compared.Mart}
	for _, name := range a.ruler.further {
		a.wanted = append(a.wanted, "marts."+name)
	}
	for i, snapshot := range a.sides {
		a.pins[i] = pinsOf(snapshot)
		for _, table := range snapshot.Tables {
			if file := a.ruler.files[i][table.Name]; file != "" {
				a.published[table.Fingerprint] = file
			}
		}
		method, err := methodOf(ctx, a.store, a.p, snapshot)
		if err != nil {
			return nil, err
		}
		a.methods[i] = method.Tables
	}
	if err := a.readDefinitions(ctx); err != nil {
		return nil, err
	}
	before, err := a.ruler.measure(ctx, a.ruler.files[0])
	if err != nil {
		return nil, err
	}
	after, err := a.ruler.measure(ctx, a.ruler.files[1])
	if err != nil {
		return nil, err
	}
	parts, worlds, err := a.separate(ctx)
	if err != nil {
		return nil, err
	}
	var causes []lineage.Cause
	for _, part := range parts {
		causes = append(causes, a.describe(part))
	}
	a.found.Units, a.found.Worlds = after.Changed, len(worlds)
	a.found.Causes = lineage.Attribute(causes, a.ruler.indices, before, after, worlds)
	engine := &a.found.Causes[len(causes)]
	engine.Differs = differingEngines(a.sides[0], a.sides[1])
	var unit *lineage.UnitChange
	if a.ruler.unit != nil {
		unit = lineage.NewUnitChange(a.ruler.unit, a.ruler.facts, a.found.Causes, before, after, worlds)
	}
	lineage.ByPart(a.found.Causes)
	return unit, nil
}

// readDefinitions reads the models of both snapshots. One that carries none is
// taken to have had the other's or, if neither does, the project's present ones.
func (a *attribution) readDefinitions(ctx context.Context) error {
	var lacking []string
	for i, snapshot := range a.sides {
		p, err := a.definitionOf(ctx, snapshot)
		if err != nil {
			return err
		}
		if a.definitions[i] = p; p == nil {
			lacking = append(lacking, snapshot.Snapshot)
		}
	}
	for i := range a.definitions {
		if a.definitions[i] == nil {
			a.definitions[i] = a.definitions[1-i]
		}
	}
	switch {
	case len(lacking) == 2:
		a.definitions = [2]*pipeline.Pipeline{a.p, a.p}
		a.found.Notes = append(a.found.Notes, "neither snapshot carries its definition: today's models stand in for both, so what other models did is in the engine's part")
	case len(lacking) == 1:
		a.found.Notes = append(a.found.Notes, fmt.Sprintf("%s carries no definition: the models of the other snapshot stand in, so what other models did is in the engine's part", lacking[0]))
	}
	return nil
}

// definitionOf reads the definition that a snapshot carries, nil if it has none.
func (s *session) definitionOf(ctx context.Context, snapshot *load.Snapshot) (*pipeline.Pipeline, error) {
	at := slices.IndexFunc(snapshot.Files, func(f load.ManifestFile) bool { return f.File == config.DefinitionFile })
	if at < 0 {
		return nil, nil
	}
	text, err := load.ReadNote(ctx, s.store, s.p.Name, snapshot.Snapshot, config.DefinitionFile)
	if err == nil && digestOfBytes(text) != snapshot.Files[at].Digest {
		err = fs.ErrNotExist
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &pipeline.Error{Kind: pipeline.Storage, Subject: snapshot.Snapshot, Problem: "its " + config.DefinitionFile + " is not the one that was published", Hint: "tamiz verify names all that was changed"}
	}
	if err != nil {
		return nil, err
	}
	files, err := config.Unpack(text)
	if err != nil {
		return nil, err
	}
	return config.Load(files, s.p.Name)
}

// atoms lists all that differs between the two snapshots, engine aside.
func (a *attribution) atoms() []atom {
	var atoms []atom
	names := slices.Collect(maps.Keys(a.pins[0].Sources))
	for name := range a.pins[1].Sources {
		if _, both := a.pins[0].Sources[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		isSame := slices.EqualFunc(a.pins[0].Versions(name), a.pins[1].Versions(name), pipeline.SameFiles)
		if !isSame || !sameDays(a.pins[0].Vintages[name], a.pins[1].Vintages[name]) {
			atoms = append(atoms, atom{lineage.CauseSources, name})
		}
	}
	if a.pins[0].PeriodEnd != a.pins[1].PeriodEnd || a.pins[0].AsOf != a.pins[1].AsOf {
		atoms = append(atoms, atom{lineage.CauseSources, periodCause})
	}
	if pipeline.MeaningOf(a.methods[0]) != pipeline.MeaningOf(a.methods[1]) {
		atoms = append(atoms, atom{lineage.CauseMethod, lineage.CauseMethod})
	}
	if len(a.definitions[0].DiffersFrom(a.definitions[1])) > 0 {
		atoms = append(atoms, atom{lineage.CauseModels, lineage.CauseModels})
	}
	return atoms
}

func sameDays(a, b []pipeline.Vintage) bool {
	return slices.EqualFunc(a, b, func(x, y pipeline.Vintage) bool { return x.AsOf == y.AsOf })
}

// world makes the world in which these atoms are as after.
func (a *attribution) world(ctx context.Context, after mixed) (basis, error) {
	w, err := a.definition(ctx, after[atom{lineage.CauseModels, lineage.CauseModels}], after[atom{lineage.CauseMethod, lineage.CauseMethod}])
	if err != nil {
		return w, err
	}
	w.pins = a.pins[0]
	w.pins.Sources, w.pins.Vintages = maps.Clone(w.pins.Sources), maps.Clone(w.pins.Vintages)
	for one := range after {
		switch {
		case one.group != lineage.CauseSources:
		case one.name == periodCause:
			w.pins.PeriodEnd, w.pins.AsOf, w.pins.Synthetic = a.pins[1].PeriodEnd, a.pins[1].AsOf, a.pins[1].Synthetic
		default:
			take(w.pins.Sources, a.pins[1].Sources, one.name)
			take(w.pins.Vintages, a.pins[1].Vintages, one.name)
		}
	}
	return w, nil
}

// take makes one entry of a map like another map's.
func take[V any](to, from map[string]V, name string) {
	if value, there := from[name]; there {
		to[name] = value
	} else {
		delete(to, name)
	}
}

// definition binds the models of one side with the method of the other. Tables
// that the method lacks and the models need are those of the models' own side.
func (a *attribution) definition(ctx context.Context, models, method bool) (basis, error) {
	if w, there := a.bound[[2]bool{models, method}]; there {
		return w, nil
	}
	side := map[bool]int{true: 1}
	p := a.definitions[side[models]]
	binding, err := bind(ctx, a.warehouse, p, a.engines[pipeline.StepGo])
	if err != nil {
		return basis{}, err
	}
	tables := a.methods[side[method]]
	w, err := a.withMethod(ctx, basis{p: p, binding: binding}, append(slices.Clone(tables), tablesWithout(p.MethodTables(), tables)...))
	if err == nil {
		a.bound[[2]bool{models, method}] = w
	}
	return w, err
}

// measure measures a world. Those with equal fingerprints are one.
func (a *attribution) measure(ctx context.Context, after mixed) (lineage.World, error) {
	w, err := a.world(ctx, after)
	if err != nil {
		return lineage.World{}, err
	}
	plan := a.plan(w)
	name := a.fingerprint(plan)
	if seen, there := a.known[name]; there {
		return seen, nil
	}
	files := map[string]string{}
	var missing []string
	for _, mart := range a.wanted {
		for _, step := range plan.Table(mart) {
			if file, there := a.published[step.Fingerprint]; there {
				files[pipeline.BaseName(mart)] = file
			} else {
				missing = append(missing, mart)
			}
		}
	}
	if len(missing) > 0 {
		if a.unlock == nil {
			if a.unlock, err = a.lock(); err != nil {
				return lineage.World{}, err
			}
		}
		fmt.Fprintf(a.progress, "  world %d of at most %d: %s, but %s\n", a.found.Run+1, a.most, a.sides[0].Snapshot, after)
		made, err := a.run(ctx, plan, missing)
		if err != nil {
			return lineage.World{}, err
		}
		a.found.Run++
		maps.Copy(files, made.views)
	}
	measured, err := a.ruler.measure(ctx, files)
	if err == nil {
		a.known[name] = measured
	}
	return measured, err
}

// fingerprint is what is measured in a world, as a digest.
func (a *attribution) fingerprint(plan *pipeline.Plan) string {
	var parts []string
	for _, mart := range a.wanted {
		for _, step := range plan.Table(mart) {
			parts = append(parts, string(step.Fingerprint))
		}
	}
	return strings.Join(parts, " ")
}

// String names what is as after.
func (m mixed) String() string {
	if len(m) == 0 {
		return "by the present engine"
	}
	var names []string
	for one := range m {
		names = append(names, one.name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ") + " as after"
}

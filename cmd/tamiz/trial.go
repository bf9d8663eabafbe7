package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tamiz/config"
	"tamiz/lineage"
	"tamiz/load"
	"tamiz/pipeline"
)

// trial runs the graph in worlds that never were: with the sources of one
// snapshot, the method of another, the models of a third. It keeps its results
// in the warehouse like any run, and publishes nothing.
type trial struct {
	*session
	progress io.Writer
}

// basis is what a result stands on, but for the engine.
type basis struct {
	p       *pipeline.Pipeline // models and method
	binding *pipeline.Binding
	pins    pipeline.Pins
}

// today is the present definition over the sources of a snapshot.
func (s *session) today(pins pipeline.Pins) basis { return basis{s.p, s.binding, pins} }

// withMethod is a basis with other tables for its method.
func (s *session) withMethod(ctx context.Context, w basis, method []pipeline.Table) (basis, error) {
	p := w.p.WithMethod(method)
	var err error
	if !sameShape(w.p.Tables, p.Tables) {
		w.binding, err = bind(ctx, s.warehouse, p, s.engines[pipeline.StepGo])
	}
	w.p = p
	return w, err
}

// tryMethod compares a snapshot's method with another one, over the same
// sources and with the same SQL, so that nothing but the method differs.
func (s *session) tryMethod(ctx context.Context, snapshot *load.Snapshot, file string, progress io.Writer) (*comparison, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, &pipeline.Error{Kind: pipeline.Config, Problem: "read the method file", Err: err}
	}
	after, err := config.ParseMethod(file, text)
	if err != nil {
		return nil, err
	}
	before, err := methodOf(ctx, s.store, s.p, snapshot)
	if err != nil {
		return nil, err
	}
	today := s.p.MethodTables()
	if lacking := tablesWithout(today, after.Tables); len(lacking) > 0 {
		return nil, &pipeline.Error{Kind: pipeline.Config, Where: file, Problem: "the file lacks tables of the method", Expected: strings.Join(tableNames(lacking), ", "),
			Hint: "copy the whole " + methodPath(s.project, s.p) + " and change the values in the copy"}
	}
	newer := tablesWithout(today, before.Tables)
	before.Tables = append(before.Tables, newer...)
	unlock, err := s.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	t := &trial{session: s, progress: progress}
	now := s.today(pinsOf(snapshot))
	base, err := t.method(ctx, now, before.Tables, marts(s.p))
	if pipeline.KindOf(err) == pipeline.Config {
		return nil, &pipeline.Error{Kind: pipeline.Config, Subject: snapshot.Snapshot, Problem: "today's SQL does not run with the method of that snapshot",
			Hint: "compare with a newer snapshot", Err: err}
	}
	if err != nil {
		return nil, err
	}
	mart := "marts." + s.p.Comparison.Mart
	candidate, err := t.method(ctx, now, after.Tables, marts(s.p))
	if err != nil {
		return nil, err
	}
	result := newComparison(s.p, snapshot.Snapshot, file, before.Version, after.Version)
	if publishedAs(snapshot, s.p.Comparison.Mart) != base.fingerprints[mart] {
		result.Notes = append(result.Notes, "since "+snapshot.Snapshot+" the SQL, a card or the engine changed; both sides were computed as of today, so that only the method differs")
	}
	if len(newer) > 0 {
		result.Notes = append(result.Notes, "the method of "+snapshot.Snapshot+" has no "+strings.Join(tableNames(newer), ", ")+"; the project's present one was taken in its place")
	}
	result.OtherRows = otherRows(base.rows, candidate.rows)
	difference, err := result.compare(ctx, s.p, base.views, candidate.views, nil)
	if err != nil {
		return nil, err
	}
	return result, t.explain(ctx, now, result, difference, before.Tables, after.Tables)
}

// tablesWithout lists the tables that others lack.
func tablesWithout(tables, others []pipeline.Table) []pipeline.Table {
	return slices.DeleteFunc(slices.Clone(tables), func(table pipeline.Table) bool {
		return slices.ContainsFunc(others, func(other pipeline.Table) bool { return other.Name == table.Name })
	})
}

func tableNames(tables []pipeline.Table) []string {
	var names []string
	for _, table := range tables {
		names = append(names, pipeline.BaseName(table.Name))
	}
	return names
}

// pinsOf reads from its manifest what a snapshot stands on.
func pinsOf(snapshot *load.Snapshot) pipeline.Pins {
	pins := pipeline.Pins{PeriodEnd: snapshot.PeriodEnd, AsOf: snapshot.AsOf, Synthetic: snapshot.Synthetic,
		Sources: map[string][]pipeline.Pin{}, Vintages: map[string][]pipeline.Vintage{}}
	for _, source := range snapshot.Sources {
		pins.Sources[source.Name] = source.Files
		if len(source.Vintages) > 0 {
			pins.Vintages[source.Name] = source.Vintages
		}
	}
	return pins
}

func publishedAs(snapshot *load.Snapshot, mart string) pipeline.Digest {
	for _, table := range snapshot.Tables {
		if table.Name == mart {
			return table.Fingerprint
		}
	}
	return ""
}

func marts(p *pipeline.Pipeline) []string {
	var names []string
	for _, mart := range p.Marts() {
		names = append(names, mart.Name)
	}
	return names
}

// tried is what a trial made: the files of marts, by name without schema.
type tried struct {
	views        map[string]string
	rows         map[string]pipeline.Digest // digests of their rows
	fingerprints map[string]pipeline.Digest
}

// method makes marts with the tables of some method.
func (t *trial) method(ctx context.Context, w basis, method []pipeline.Table, wanted []string) (*tried, error) {
	w, err := t.withMethod(ctx, w, method)
	if err != nil {
		return nil, err
	}
	return t.run(ctx, t.plan(w), wanted)
}

func (t *trial) plan(w basis) *pipeline.Plan {
	return pipeline.NewPlan(w.p, w.binding, w.pins, t.engines)
}

// run makes marts. What is in the warehouse is not made again: of a new method,
// only what stands on a changed table.
func (t *trial) run(ctx context.Context, graph *pipeline.Plan, wanted []string) (*tried, error) {
	var targets []*pipeline.Step
	for _, name := range wanted {
		targets = append(targets, graph.Table(name)...)
	}
	walk := t.walk(t.project.Workers)
	progress := &bar{w: t.progress, began: time.Now()}
	walk.Progress = progress.show
	for _, step := range targets {
		if _, err := t.warehouse.Verify(step.Fingerprint); err != nil {
			return nil, err
		}
	}
	if _, err := walk.Run(ctx, graph, targets, nil); err != nil {
		return nil, err
	}
	made := &tried{views: map[string]string{}, rows: map[string]pipeline.Digest{}, fingerprints: map[string]pipeline.Digest{}}
	for _, step := range targets {
		record, err := t.warehouse.Record(step.Fingerprint)
		if err != nil {
			return nil, err
		}
		made.rows[pipeline.BaseName(step.Table)] = record.RowDigest
		made.views[pipeline.BaseName(step.Table)] = filepath.Join(t.warehouse.ArtifactDir(step.Fingerprint), pipeline.TableFile)
		made.fingerprints[step.Table] = step.Fingerprint
	}
	return made, nil
}

// sameShape reports whether constant tables differ in nothing but their rows,
// so that SQL binds alike.
func sameShape(a, b []pipeline.Table) bool {
	return slices.EqualFunc(a, b, func(x, y pipeline.Table) bool {
		return x.Name == y.Name && slices.EqualFunc(x.Columns, y.Columns, func(c, d pipeline.TableColumn) bool { return c.Name == d.Name && c.Type == d.Type })
	})
}

// explain makes each change of the method alone, and says what it does.
func (t *trial) explain(ctx context.Context, w basis, result *comparison, all lineage.Difference, before, after []pipeline.Table) error {
	changes := pipeline.CompareMethods(before, after)
	var alone []map[string]bool
	if len(changes) > 1 {
		base, err := t.units(ctx, w, before)
		if err != nil {
			return err
		}
		for i, change := range changes {
			fmt.Fprintf(t.progress, "  parameter %d of %d alone: %s\n", i+1, len(changes), change.Name())
			units, err := t.units(ctx, w, change.Apply(before, after))
			if err != nil {
				return err
			}
			alone = append(alone, lineage.Compare(base, units).Changed)
		}
	} else if len(changes) == 1 {
		alone = append(alone, all.Changed)
	}
	causes := lineage.Explain(all.Changed, alone)
	for i, change := range changes {
		result.Parameters = append(result.Parameters, parameter{change.Name(), change.Before, change.After, &causes.Alone[i]})
	}
	if len(changes) > 1 {
		result.Together, result.Undone = &causes.Together, &causes.Undone
	}
	return nil
}

func (t *trial) units(ctx context.Context, w basis, method []pipeline.Table) (lineage.Units, error) {
	made, err := t.method(ctx, w, method, []string{"marts." + t.p.Comparison.Mart})
	if err != nil {
		return nil, err
	}
	return valuesOf(ctx, t.p.Comparison, made.views)
}

package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"tamiz/config"
	"tamiz/internal/duck"
	"tamiz/lineage"
	"tamiz/load"
	"tamiz/pipeline"
	"tamiz/transform"
)

// snapshotDiff compares two snapshots.
type snapshotDiff struct {
	project *config.Project
	p       *pipeline.Pipeline
	store   load.Local
	sides   [2]*load.Snapshot
	flags   *diffFlags

	files    [2]map[string]string // marts of each
	compared *pipeline.Comparison
	columns  [2][]pipeline.Column // of the mart that is compared, as each tells them
	result   *comparison
}

// How many rows are named that moved furthest, and how many columns of a mart
// that the pipeline does not name are told of.
const (
	movers       = 10
	shownIndices = 4
)

// compare compares what two snapshots published, says what they stand on that
// is not the same, and what of it caused the difference.
func (d *snapshotDiff) compare(ctx context.Context, progress io.Writer) (*comparison, error) {
	before, after := d.sides[0], d.sides[1]
	var err error
	for i, snapshot := range d.sides {
		if d.files[i], err = martFiles(ctx, d.store, d.p.Name, snapshot); err != nil {
			return nil, err
		}
	}
	tables, err := d.tables(ctx)
	if err != nil {
		return nil, err
	}
	if d.compared, err = d.subject(ctx, tables); err != nil {
		return nil, err
	}
	d.p.Comparison = d.compared
	d.result = newComparison(d.p, before.Snapshot, after.Snapshot, before.Method.Version, after.Method.Version)
	d.result.Tables, d.result.OtherRows = tables, otherRows(rowDigests(before), rowDigests(after))
	if _, err := d.result.compare(ctx, d.p, d.files[0], d.files[1], d.files[1]); err != nil {
		return nil, err
	}
	d.differs(ctx)
	return d.result, d.explain(ctx, progress)
}

// tables compares each mart, row by row.
func (d *snapshotDiff) tables(ctx context.Context) ([]tableChange, error) {
	changes := map[string]*tableChange{}
	keys := map[string][]string{}
	same := map[string]bool{}
	for i, snapshot := range d.sides {
		for _, table := range snapshot.Tables {
			change := changes[table.Name]
			if change == nil {
				change = &tableChange{Mart: table.Name, Is: "gone"}
				changes[table.Name] = change
			}
			if i == 0 {
				change.Before = table.Rows
				continue
			}
			if change.After, keys[table.Name] = table.Rows, table.Key; d.files[0][table.Name] == "" {
				change.Is = "new"
				continue
			}
			change.Is = "changed"
			same[table.Name] = publishedRows(d.sides[0], table.Name) == table.RowDigest
		}
	}
	list := []tableChange{}
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		change := changes[name]
		if same[name] {
			change.Is = "same"
		} else if change.Is == "changed" {
			var err error
			if change.TableDifference, err = transform.CompareTables(ctx, d.project.Memory, keys[name], d.files[0][name], d.files[1][name], 0); err != nil {
				return nil, err
			}
		}
		list = append(list, *change)
	}
	return list, nil
}

func publishedRows(snapshot *load.Snapshot, mart string) pipeline.Digest {
	return rowDigests(snapshot)[mart]
}

// subject says what is compared: what the pipeline says or, if another mart or
// column is asked for, that. Only what both snapshots have can be compared.
func (d *snapshotDiff) subject(ctx context.Context, tables []tableChange) (*pipeline.Comparison, error) {
	c := &pipeline.Comparison{Mart: d.flags.mart, One: "row", Many: "rows", Path: "--mart " + d.flags.mart}
	if own := d.p.Comparison; own != nil && (d.flags.mart == "" || d.flags.mart == own.Mart) {
		copied := *own
		c = &copied
		if d.flags.column != "" && d.flags.column != c.Value {
			c.Value, c.Indices = d.flags.column, []string{d.flags.column}
		}
	} else {
		c.Value = d.flags.column
	}
	model := d.p.Model("marts." + c.Mart)
	if model == nil || d.files[0][c.Mart] == "" || d.files[1][c.Mart] == "" {
		return nil, &pipeline.Error{Kind: pipeline.Config, Subject: c.Mart, Problem: "there is no such mart in both snapshots", Hint: "tamiz diff without --mart lists the marts that differ"}
	}
	c.Key = model.Key
	if err := d.readColumns(ctx, c.Mart); err != nil {
		return nil, err
	}
	both := intersection(d.columns[0], d.columns[1])
	at := slices.IndexFunc(tables, func(t tableChange) bool { return t.Mart == c.Mart })
	if changed := changedColumns(both, c.Key, tables[at].TableDifference); c.Value == "" && len(changed) > 0 {
		c.Value, c.Indices = changed[0], changed[:min(shownIndices, len(changed))]
	}
	for _, name := range append(slices.Clone(c.Key), c.Value) {
		if has := [2]bool{hasColumn(d.columns[0], name), hasColumn(d.columns[1], name)}; has[0] != has[1] {
			only := map[bool]string{true: d.sides[0].Snapshot, false: d.sides[1].Snapshot}[has[0]]
			return nil, &pipeline.Error{Kind: pipeline.Config, Subject: c.Mart, Problem: fmt.Sprintf("its column %q stands in %s only, so there is nothing to compare it with", name, only), Hint: "--column NAME compares another one"}
		} else if !has[0] {
			return nil, &pipeline.Error{Kind: pipeline.Config, Subject: c.Mart, Problem: fmt.Sprintf("it has no column %q", name), Hint: "tamiz query \"describe " + c.Mart + "\" lists them"}
		}
	}
	c.Indices = slices.DeleteFunc(slices.Clone(c.Indices), func(name string) bool { return !hasColumn(both, name) })
	if len(c.Indices) == 0 {
		c.Indices = []string{c.Value}
	}
	if d.flags.unit != nil && len(d.flags.unit) != len(c.Key) {
		return nil, &usageError{fmt.Errorf("--key %s: want %s", strings.Join(d.flags.unit, ","), strings.ToUpper(strings.Join(c.Key, ",")))}
	}
	return c, nil
}

// readColumns reads what the two files of a mart say of its columns.
func (d *snapshotDiff) readColumns(ctx context.Context, mart string) error {
	db, err := duck.Open(ctx, duck.Options{Memory: d.project.Memory})
	if err != nil {
		return err
	}
	defer db.Close()
	for i, files := range d.files {
		if d.columns[i], err = publishedColumns(ctx, db, files[mart]); err != nil {
			return fmt.Errorf("read the columns of %s in %s: %w", mart, d.sides[i].Snapshot, err)
		}
	}
	return nil
}

func hasColumn(columns []pipeline.Column, name string) bool {
	return slices.ContainsFunc(columns, func(column pipeline.Column) bool { return column.Name == name })
}

// intersection gives the columns of one list that another one has too.
func intersection(columns, others []pipeline.Column) []pipeline.Column {
	return slices.DeleteFunc(slices.Clone(columns), func(column pipeline.Column) bool { return !hasColumn(others, column.Name) })
}

// changedColumns lists columns of a mart that are not its key, those that
// changed if any did: measures, which have a unit, first.
func changedColumns(columns []pipeline.Column, key []string, difference *pipeline.TableDifference) []string {
	var measures, others []string
	for _, column := range columns {
		isSame := func(one pipeline.ColumnDifference) bool { return one.Column == column.Name }
		switch {
		case slices.Contains(key, column.Name), difference != nil && len(difference.Columns) > 0 && !slices.ContainsFunc(difference.Columns, isSame):
		case column.Unit != "":
			measures = append(measures, column.Name)
		default:
			others = append(others, column.Name)
		}
	}
	return append(measures, others...)
}

// differs says what the snapshots stand on that is not the same.
func (d *snapshotDiff) differs(ctx context.Context) {
	before, after, result := d.sides[0], d.sides[1], d.result
	if !before.Method.Same(after.Method) {
		result.Differs = append(result.Differs, fmt.Sprintf("method %s → %s", before.Method.Version, after.Method.Version))
		old, oldErr := methodOf(ctx, d.store, d.p, before)
		now, nowErr := methodOf(ctx, d.store, d.p, after)
		if oldErr == nil && nowErr == nil { // older snapshots hold no copy of theirs
			for _, change := range pipeline.CompareMethods(old.Tables, now.Tables) {
				result.Parameters = append(result.Parameters, parameter{Name: change.Name(), Before: change.Before, After: change.After})
			}
		}
	}
	result.Differs = append(result.Differs, differingSources(before, after)...)
	result.Differs = append(result.Differs, differingEngines(before, after)...)
}

// explain says how the figures moved, what caused it, and what of it one unit
// has.
func (d *snapshotDiff) explain(ctx context.Context, progress io.Writer) (err error) {
	c := d.compared
	at := slices.IndexFunc(d.result.Tables, func(t tableChange) bool { return t.Mart == c.Mart })
	table := &d.result.Tables[at]
	if d.result.Indices, err = transform.Movements(ctx, d.project.Memory, c.Key, c.Indices, d.files[0][c.Mart], d.files[1][c.Mart], movers); err != nil {
		return err
	}
	var indices []string
	for i, index := range d.result.Indices {
		indices = append(indices, index.Column)
		d.result.Indices[i].Unit = d.columns[1][slices.IndexFunc(d.columns[1], func(one pipeline.Column) bool { return one.Name == index.Column })].Unit
	}
	r, err := newRuler(ctx, c, d.columns, d.files, indices, d.flags.unit)
	if err != nil {
		return err
	}
	if table.Is != "same" && !d.flags.quick {
		s, err := openSession(ctx, d.project, d.p.Name)
		if err == nil {
			d.result.Causes, d.result.Unit, err = s.causes(ctx, d.sides, r, progress)
		}
		if err != nil {
			if pipeline.KindOf(err) == pipeline.Busy {
				return fmt.Errorf("%w\n  or         --quick compares what was published, and computes no causes", err)
			}
			return err
		}
	}
	if d.flags.unit == nil {
		return nil
	}
	return d.tellUnit(ctx, r)
}

// tellUnit says what happened to one unit.
func (d *snapshotDiff) tellUnit(ctx context.Context, r *ruler) error {
	if d.result.Unit == nil {
		before, err := r.measure(ctx, d.files[0])
		if err != nil {
			return err
		}
		after, err := r.measure(ctx, d.files[1])
		if err != nil {
			return err
		}
		d.result.Unit = lineage.NewUnitChange(r.unit, r.facts, nil, before, after, nil)
	}
	if d.result.Unit.Appeared && d.result.Unit.Gone {
		return &pipeline.Error{Kind: pipeline.Config, Subject: strings.Join(r.unit, " "), Problem: "neither snapshot has such a row in " + d.compared.Mart, Expected: strings.Join(d.compared.Key, ", ")}
	}
	var causes []lineage.Cause
	if d.result.Causes != nil {
		causes = d.result.Causes.Causes
	}
	d.result.Unit.Tell(d.compared.Value, causes)
	return nil
}

// differingEngines names the programs that made two snapshots, if they are not
// the same.
func differingEngines(before, after *load.Snapshot) []string {
	list := []string{}
	if before.Engine.Tamiz != after.Engine.Tamiz {
		list = append(list, fmt.Sprintf("tamiz %s → %s", before.Engine.Tamiz, after.Engine.Tamiz))
	}
	if before.Engine.DuckDB != after.Engine.DuckDB {
		list = append(list, fmt.Sprintf("DuckDB %s → %s", before.Engine.DuckDB, after.Engine.DuckDB))
	}
	return list
}

func rowDigests(snapshot *load.Snapshot) map[string]pipeline.Digest {
	digests := map[string]pipeline.Digest{}
	for _, table := range snapshot.Tables {
		digests[table.Name] = table.RowDigest
	}
	return digests
}

// differingSources names the sources whose files are not the same.
func differingSources(before, after *load.Snapshot) []string {
	var list []string
	old := pinsOf(before).Sources
	for _, source := range after.Sources {
		files, known := old[source.Name]
		delete(old, source.Name)
		switch {
		case !known:
			list = append(list, "source "+source.Name+": new")
		case !pipeline.SameFiles(files, source.Files):
			list = append(list, fmt.Sprintf("source %s: %s → %s", source.Name, digestsOf(files), digestsOf(source.Files)))
		}
	}
	for _, source := range before.Sources {
		if _, left := old[source.Name]; left {
			list = append(list, "source "+source.Name+": no longer used")
		}
	}
	return list
}

// digestsOf writes the digests of a few files, or how many there are.
func digestsOf(pins []pipeline.Pin) string {
	if len(pins) > 3 {
		return plural(len(pins), "file", "files") + ", together " + pipeline.DigestOf(identities(pins)...).Short()
	}
	var short []string
	for _, pin := range pins {
		short = append(short, pin.Identity().Short())
	}
	if len(short) == 0 {
		return "no file"
	}
	return strings.Join(short, " ")
}

func identities(pins []pipeline.Pin) []string {
	var list []string
	for _, pin := range pins {
		list = append(list, string(pin.Identity()))
	}
	return list
}

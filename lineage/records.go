package lineage

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"tamiz/pipeline"
)

// reading is the records of one raw file that are wanted.
type reading struct {
	step    *pipeline.Step
	records []*Record // by number
}

// record gives the record to which a row of a raw table belongs.
func (g *Derivations) record(table string, columns []string, row []*string) *Record {
	value := func(name string) string {
		if i := slices.Index(columns, name); i >= 0 && row[i] != nil {
			return *row[i]
		}
		return ""
	}
	id := value("_file") + " " + value("_record")
	if g.records[table] == nil {
		g.records[table] = map[string]*Record{}
		g.columns[table] = namedColumns(columns, pipeline.RawColumns(g.Plan.Table(table)[0].Source))
	}
	if known := g.records[table][id]; known != nil {
		return known
	}
	record := &Record{Table: table, Digest: pipeline.Digest(value("_file")), Part: value("_part"), Values: row}
	record.Number, _ = strconv.ParseInt(value("_record"), 10, 64)
	record.Line, _ = strconv.ParseInt(value("_line"), 10, 64)
	source := g.Plan.Table(table)[0].Source
	record.Source, record.Title, record.Publisher, record.Licence, record.URL = source.Name, source.Title, source.Publisher, source.Licence, source.URL
	for _, version := range g.Plan.Pins.Versions(source.Name) {
		for _, pin := range version {
			if pin.Digest == record.Digest && record.File == "" {
				record.File, record.Bytes, record.Retrieved, record.Carried = pin.Name, pin.Bytes, pin.ObservedAt, pin.Carried
			}
		}
	}
	g.records[table][id] = record
	return record
}

// readings says which records are wanted of each file of a raw table.
func (g *Derivations) readings(table string) []*reading {
	var list []*reading
	for _, step := range g.Plan.Table(table) {
		r := &reading{step: step}
		for _, record := range g.records[table] {
			if record.Digest == step.Raw {
				r.records = append(r.records, record)
			}
		}
		slices.SortFunc(r.records, func(a, b *Record) int { return cmp.Compare(a.Number, b.Number) })
		if len(r.records) > 0 {
			list = append(list, r)
		}
	}
	return list
}

// reread reads records again from the archive, and compares them with what the
// raw table holds: the step that read the file, on these records alone. Where
// they begin is known from that step; a record that is not there as it should
// be counts only if it is not when all that stands before it is read, either.
func (g *Derivations) reread(ctx context.Context, r *reading) error {
	task := pipeline.Task{Step: r.step, Memory: g.Walk.Memory}
	raw := pipeline.TaskInput{Table: r.step.Table}
	for _, digest := range (pipeline.Pin{Digest: r.step.Raw, Beside: r.step.Beside}).Digests() {
		path, err := g.Walk.RawPath(digest)
		if err != nil {
			return err
		}
		raw.Files = append(raw.Files, path)
	}
	task.Inputs = []pipeline.TaskInput{raw}
	var err error
	if task.Dir, err = g.Walk.Warehouse.Scratch(pipeline.StepBind); err != nil { // as binding, it runs without the lock
		return err
	}
	defer os.RemoveAll(task.Dir)
	if !g.Counted {
		places := filepath.Join(g.Walk.Warehouse.ArtifactDir(r.step.Fingerprint), pipeline.PlacesFile)
		if err := g.rereadBy(ctx, r, task, places); err == nil && !slices.ContainsFunc(r.records, func(record *Record) bool { return record.Proof != ProvedIdentical }) {
			return nil
		}
	}
	return g.rereadBy(ctx, r, task, "")
}

// rereadBy reads records by the places that are known of a file, or by none.
func (g *Derivations) rereadBy(ctx context.Context, r *reading, task pipeline.Task, places string) error {
	var numbers []int64
	for _, record := range r.records {
		numbers = append(numbers, record.Number)
	}
	found, err := g.Reader.Records(ctx, task, places, numbers)
	if err != nil {
		return err
	}
	if len(found) != len(r.records) {
		return fmt.Errorf("%s: %d records were read again, want %d", r.step.Label, len(found), len(r.records))
	}
	for i, record := range r.records {
		again := found[i]
		record.Text, record.Titles, record.Cells = again.Text, again.Titles, again.Cells
		record.Proof = ProvedIdentical
		if again.Line != record.Line || again.Part != record.Part || joined(again.Values) != joined(record.Values[:len(again.Values)]) {
			record.Proof = ProvedDifferent
		}
	}
	return nil
}

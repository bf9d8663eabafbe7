package extract

import (
	"context"
	"errors"
	"fmt"
	"os"

	"tamiz/extract/csvtext"
	"tamiz/pipeline"
)

var _ pipeline.RecordReader = Reader{}

// picking is what a reading looks for that wants some records only.
type picking struct {
	numbers []int64 // that are still to come, rising
	found   []pipeline.RawRecord
	places  *places // nil: not known
}

// errEnough ends a reading that has found all that it wanted.
var errEnough = errors.New("all records that are wanted have been read")

// Records reads some records of a raw file again, as they stand in it and as
// the card reads them. Like a whole reading it first looks whether the bytes
// are those of the step. It ends with the last record that is wanted, so that
// nothing behind it is judged.
func (Reader) Records(ctx context.Context, task pipeline.Task, places string, numbers []int64) ([]pipeline.RawRecord, error) {
	r := &reading{ctx: ctx, source: task.Step.Source, raw: task.Step.Raw, name: task.Step.File, beside: task.Step.Beside,
		scratch: task.Dir, picking: &picking{numbers: numbers}}
	if places != "" {
		r.picking.places = readPlaces(places)
	}
	contents, err := r.openAll(task.Inputs[0].Files)
	defer func() {
		for _, content := range contents {
			content.file.Close()
		}
		for _, file := range r.kept {
			file.Close()
		}
	}()
	if err != nil {
		return nil, r.explain(err)
	}
	if err := os.MkdirAll(r.scratch, 0o700); err != nil {
		return nil, storageError("make a folder for a table", err)
	}
	r.contract = newContract(r.source)
	if err := r.eachPart(contents); err != nil && !errors.Is(err, errEnough) {
		return nil, r.explain(err)
	}
	if len(r.picking.numbers) > 0 {
		return nil, fmt.Errorf("read %s again: %s has no record %s", r.source.Name, r.name, csvtext.Count(r.picking.numbers[0]))
	}
	return r.picking.found, nil
}

// pick keeps a record if it is wanted.
func (r *reading) pick(record csvtext.Record) error {
	p := r.picking
	if len(p.numbers) == 0 {
		return errEnough
	}
	if r.count != p.numbers[0] {
		if r.count%4096 == 0 {
			return r.ctx.Err()
		}
		return nil
	}
	p.numbers = p.numbers[1:]
	picked := pipeline.RawRecord{Number: r.count, Line: record.Line, Part: r.part}
	if record.Raw != nil {
		picked.Text = string(r.grid.text(nil, record.Raw))
	} else {
		for i, field := range record.Fields {
			title := ""
			if i < r.header.Width() {
				title = r.header.Title(i)
			}
			picked.Titles = append(picked.Titles, title)
			picked.Cells = append(picked.Cells, string(r.grid.text(nil, field)))
		}
	}
	for _, place := range r.places {
		switch {
		case place == csvtext.Absent:
			picked.Values = append(picked.Values, nil)
		case place >= len(record.Fields):
			picked.Values = append(picked.Values, new(string))
		default:
			text := string(r.grid.text(nil, record.Fields[place]))
			picked.Values = append(picked.Values, &text)
		}
	}
	p.found = append(p.found, picked)
	if len(p.numbers) == 0 {
		return errEnough
	}
	return nil
}

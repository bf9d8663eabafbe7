package extract

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"tamiz/extract/csvtext"
	"tamiz/pipeline"
)

// Reader turns one raw file into a table of text, as its source card says. It
// fulfils [pipeline.Runner] for steps of kind read.
//
// The table has the columns of [pipeline.RawColumns]: each value as it stands
// in the file, ” for a cell that is empty, NULL in a column that the card
// calls optional and the file does not have. A file that does not fit its card
// gives a [pipeline.Error] of kind Drift, bytes that are not those of the step
// one of kind Storage.
type Reader struct{}

var _ pipeline.Runner = Reader{}

// Run reads the file of the task's first input into the task's folder.
func (Reader) Run(ctx context.Context, task pipeline.Task) (pipeline.Result, error) {
	if task.Step == nil || task.Step.Source == nil || len(task.Inputs) == 0 || len(task.Inputs[0].Files) == 0 {
		return pipeline.Result{}, errors.New("read: the task has no raw file or no source card")
	}
	r := &reading{source: task.Step.Source, raw: task.Step.Raw, name: task.Step.File}
	result, err := r.run(ctx, task)
	if err != nil {
		return pipeline.Result{}, r.explain(err)
	}
	return result, nil
}

// reading is the work on one file.
type reading struct {
	source  *pipeline.Source
	raw     pipeline.Digest
	name    string // of the file, for messages
	file    *os.File
	choice  csvtext.Choice
	records *csvtext.Records
	header  *csvtext.Header
	places  []int // of the card's columns in the file
	needed  int   // fields that a record must have
	count   int64
}

func (r *reading) run(ctx context.Context, task pipeline.Task) (pipeline.Result, error) {
	file, err := os.Open(task.Inputs[0].Files[0])
	if err != nil {
		return pipeline.Result{}, storageError("open raw bytes", err)
	}
	defer file.Close()
	r.file = file
	if err := r.survey(ctx); err != nil {
		return pipeline.Result{}, err
	}
	if err := r.readHeader(); err != nil {
		return pipeline.Result{}, err
	}
	scratch := filepath.Join(task.Dir, ".reading") // what stays in task.Dir is kept
	if err := os.Mkdir(scratch, 0o700); err != nil {
		return pipeline.Result{}, storageError("make a folder for a table", err)
	}
	defer os.RemoveAll(scratch)
	plain := filepath.Join(scratch, "plain.txt")
	longest, err := r.writePlain(ctx, plain)
	if err != nil {
		return pipeline.Result{}, err
	}
	table := plainTable{path: plain, longest: longest, file: r.raw, columns: r.source.Parsing.Columns, places: r.places}
	if err := table.toParquet(ctx, filepath.Join(task.Dir, pipeline.TableFile), scratch, task.Memory); err != nil {
		return pipeline.Result{}, err
	}
	return pipeline.Result{Rows: r.count, Notes: r.notes()}, nil
}

// survey reads all bytes once: are they those of the step, is it text, and in
// which encoding?
func (r *reading) survey(ctx context.Context) error {
	survey, err := csvtext.NewSurvey(r.source.Parsing.Encodings, r.source.Parsing.Expect)
	if err != nil {
		return &pipeline.Error{Kind: pipeline.Config, Where: r.source.Path, Problem: "the card is wrong", Err: err}
	}
	hash := sha256.New()
	if _, err := copyAll(ctx, io.MultiWriter(hash, survey), r.file); err != nil {
		return storageError("read raw bytes", err)
	}
	if got := pipeline.Digest(hex.EncodeToString(hash.Sum(nil))); got != r.raw {
		return damagedError(r.raw, got)
	}
	r.choice, err = survey.Choose()
	return err
}

// copyAll is io.Copy that can be cancelled.
func copyAll(ctx context.Context, writer io.Writer, reader io.Reader) (int64, error) {
	return io.CopyBuffer(writer, readerFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return reader.Read(p)
	}), make([]byte, 256<<10))
}

type readerFunc func(p []byte) (int, error)

// Read calls the function.
func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// restart splits the file into records from its beginning, behind its mark.
func (r *reading) restart(skip int) error {
	if _, err := r.file.Seek(int64(r.choice.Mark), io.SeekStart); err != nil {
		return storageError("read raw bytes", err)
	}
	records, err := csvtext.NewRecords(r.file, r.source.Parsing.Separator)
	if err != nil {
		return &pipeline.Error{Kind: pipeline.Config, Where: r.source.Path, Problem: "the card is wrong", Err: err}
	}
	r.records = records
	if err := records.SkipLines(skip); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// next gives the next record, with its number among the data.
func (r *reading) next() (csvtext.Record, error) {
	record, err := r.records.Next()
	if err != nil {
		return record, err
	}
	r.count++
	if got := len(record.Fields); got < r.needed {
		return record, r.wrongWidth(record, got)
	} else if extra := record.Fields[min(got, r.header.Width()):]; len(extra) > 0 {
		for _, field := range extra {
			if len(field) > 0 {
				return record, r.wrongWidth(record, got)
			}
		}
	}
	return record, nil
}

func (r *reading) wrongWidth(record csvtext.Record, got int) error {
	return &pipeline.Error{Kind: pipeline.Drift, Problem: "a record does not fit the header",
		Where:    fmt.Sprintf("record %s, line %s", csvtext.Count(r.count), csvtext.Count(record.Line)),
		Expected: fmt.Sprintf("as many fields as the header has: %d", r.header.Width()),
		Found:    fmt.Sprintf("%d: %s", got, csvtext.Cut(r.text(record.Raw))),
		Hint:     "the line may have been cut, or a value holds the separator without quotes; get the file again or ask its publisher"}
}

// text decodes bytes of the file.
func (r *reading) text(raw []byte) string { return string(r.choice.Encoding.AppendText(nil, raw)) }

// explain says which source and which file an error is about.
func (r *reading) explain(err error) error {
	var fault *csvtext.Fault
	if errors.As(err, &fault) {
		where := "record " + csvtext.Count(r.count+1)
		if r.header == nil {
			where = "header"
		}
		err = &pipeline.Error{Kind: pipeline.Drift, Problem: "the file cannot be split into records: " + fault.Problem,
			Where: where + ", line " + csvtext.Count(fault.Line), Found: csvtext.Cut(r.text(fault.Raw)),
			Hint: "get the file again, or ask its publisher"}
	}
	var e *pipeline.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("read %s: %w", r.source.Name, err)
	}
	if e.Subject == "" {
		e.Subject = r.source.Name
	}
	if e.Kind == pipeline.Drift {
		e.Where = strings.TrimSuffix(r.name+" (sha256 "+r.raw.Short()+"…), "+e.Where, ", ")
		if e.Effect == "" {
			e.Effect = "this version of the source cannot be used"
		}
	}
	return err
}

func (r *reading) notes() []string {
	separator := r.source.Parsing.Separator
	if separator == "\t" {
		separator = "tab"
	}
	notes := []string{"encoding: " + r.choice.Reason,
		"line ends: " + r.records.LineEnds().String() + "; separator: " + separator}
	known := map[int]bool{}
	for _, place := range r.places {
		known[place] = true
	}
	unknown := 0
	for place := range r.header.Width() {
		if !known[place] && r.header.Title(place) != "" {
			unknown++
		}
	}
	switch unknown {
	case 0:
		return notes
	case 1:
		return append(notes, "1 column of the file is not on the card")
	}
	return append(notes, fmt.Sprintf("%d columns of the file are not on the card", unknown))
}

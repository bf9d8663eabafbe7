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
	"slices"
	"strings"

	"tamiz/extract/csvtext"
	"tamiz/pipeline"
)

// Reader turns one raw file into a table of text, as its source card says. It
// fulfils [pipeline.Runner] for steps of kind read.
//
// The table has the columns of [pipeline.RawColumns]: each value as it stands
// in the file, ” for a cell that is empty, NULL in a column that the card
// calls optional and the file does not have. The members of a ZIP archive that
// the card's pattern names follow one another, in the order of their names.
// A file that does not fit its card gives a [pipeline.Error] of kind Drift,
// bytes that are not those of the step one of kind Storage.
type Reader struct{}

var _ pipeline.Runner = Reader{}

// Run reads the file of the task's first input into the task's folder.
func (Reader) Run(ctx context.Context, task pipeline.Task) (pipeline.Result, error) {
	if task.Step == nil || task.Step.Source == nil || len(task.Inputs) == 0 || len(task.Inputs[0].Files) == 0 {
		return pipeline.Result{}, errors.New("read: the task has no raw file or no source card")
	}
	r := &reading{ctx: ctx, source: task.Step.Source, raw: task.Step.Raw, name: task.Step.File, beside: task.Step.Beside}
	result, err := r.run(task)
	if err != nil {
		return pipeline.Result{}, r.explain(err)
	}
	return result, nil
}

// reading is the work on one raw file.
type reading struct {
	ctx     context.Context
	source  *pipeline.Source
	raw     pipeline.Digest
	beside  []pipeline.Beside
	name    string // of the file, for messages
	scratch string // folder for what lives no longer than the reading
	kept    []*os.File

	writer   *plainWriter
	contract *contract
	count    int64  // records so far, over all parts
	parts    int    // so far
	part     string // which of them is read, for messages
	grid     grid   // its rows
	header   *csvtext.Header
	places   []int // of the card's columns in it
	needed   int   // fields that a record of delimited text must have
	notes    []string
	picking  *picking // nil: all records are written
	noted    *places  // of the records that are written
}

func (r *reading) run(task pipeline.Task) (pipeline.Result, error) {
	contents, err := r.openAll(task.Inputs[0].Files)
	defer func() {
		for _, content := range contents {
			content.file.Close()
		}
	}()
	if err != nil {
		return pipeline.Result{}, err
	}
	r.scratch = filepath.Join(task.Dir, ".reading") // what stays in task.Dir is kept
	if err := os.Mkdir(r.scratch, 0o700); err != nil {
		return pipeline.Result{}, storageError("make a folder for a table", err)
	}
	defer os.RemoveAll(r.scratch)
	defer func() {
		for _, file := range r.kept {
			file.Close()
		}
	}()
	r.contract = newContract(r.source)
	if r.writer, err = newPlainWriter(filepath.Join(r.scratch, "plain.txt"), r.source.Parsing.Columns); err != nil {
		return pipeline.Result{}, err
	}
	defer r.writer.file.Close()
	if err := r.eachPart(contents); err != nil {
		return pipeline.Result{}, err
	}
	if err := r.contract.finish(); err != nil {
		return pipeline.Result{}, err
	}
	if err := r.writer.toParquet(r.ctx, filepath.Join(task.Dir, pipeline.TableFile), r.raw, r.scratch, task.Memory); err != nil {
		return pipeline.Result{}, err
	}
	if r.noted != nil {
		if err := r.noted.write(filepath.Join(task.Dir, pipeline.PlacesFile)); err != nil {
			return pipeline.Result{}, err
		}
	}
	if r.parts > 1 {
		r.notes = append(r.notes, fmt.Sprintf("%d parts", r.parts))
	}
	return pipeline.Result{Rows: r.count, Notes: slices.Compact(r.notes)}, nil
}

// content is one raw file, or a file that belongs to it.
type content struct {
	ending string // of a file that belongs to another
	file   *os.File
	size   int64
}

// openAll opens the raw file and what belongs to it, and looks whether their
// bytes are those of the step.
func (r *reading) openAll(paths []string) ([]content, error) {
	var contents []content
	for i, path := range paths {
		file, err := os.Open(path)
		if err != nil {
			return contents, storageError("open raw bytes", err)
		}
		c, want := content{file: file}, r.raw
		if i > 0 {
			c.ending, want = r.beside[i-1].Ending, r.beside[i-1].Digest
		}
		contents = append(contents, c)
		hash := sha256.New()
		if contents[i].size, err = copyAll(r.ctx, hash, file); err != nil {
			return contents, storageError("read raw bytes", err)
		}
		if got := pipeline.Digest(hex.EncodeToString(hash.Sum(nil))); got != want {
			return contents, damagedError(want, got)
		}
	}
	return contents, nil
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

// readTable reads one part: its header, then its records.
func (r *reading) readTable(name string, t table) error {
	r.part, r.header, r.parts = name, nil, r.parts+1
	if err := r.readHeader(t); err != nil {
		return err
	}
	defer r.grid.close()
	r.notes = append(r.notes, r.grid.notes()...)
	r.noteUnknown()
	r.contract.begin(r.places)
	var text []byte
	for {
		if r.picking != nil {
			r.jump()
		} else {
			r.note()
		}
		record, err := r.next(t)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if r.picking != nil {
			if err := r.pick(record); err != nil {
				return err
			}
			continue
		}
		if err := r.contract.judge(record, r.part); err != nil {
			return err
		}
		if r.count%4096 == 0 && r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		r.writer.begin(r.count, r.part, record.Line)
		for _, place := range r.places {
			switch {
			case place == csvtext.Absent:
				r.writer.null()
			case place >= len(record.Fields):
				r.writer.field(nil)
			default:
				text = r.grid.text(text[:0], record.Fields[place])
				if i := controlAt(text); i >= 0 {
					return r.controlError(record, text)
				}
				r.writer.field(text)
			}
		}
		if err := r.writer.end(); err != nil {
			return err
		}
	}
}

// next gives the next record of data. Rows below a footer are no data, and in
// a workbook neither are rows without any text.
func (r *reading) next(t table) (csvtext.Record, error) {
	for {
		record, err := r.grid.next()
		if err != nil {
			return record, err
		}
		if !t.delimited && filled(record) == 0 {
			continue
		}
		if r.isFooter(record) {
			return record, r.passFooter(record)
		}
		r.count++
		if got := len(record.Fields); t.delimited && got < r.needed {
			return record, r.wrongWidth(record, got)
		} else if t.delimited {
			for _, field := range record.Fields[min(got, r.header.Width()):] {
				if len(field) > 0 {
					return record, r.wrongWidth(record, got)
				}
			}
		}
		return record, nil
	}
}

func filled(record csvtext.Record) int {
	n := 0
	for _, field := range record.Fields {
		if len(field) > 0 {
			n++
		}
	}
	return n
}

// isFooter reports whether a row's first text begins with a word of the card.
func (r *reading) isFooter(record csvtext.Record) bool {
	if len(r.source.Parsing.Footer) == 0 {
		return false
	}
	for _, field := range record.Fields {
		text := strings.TrimSpace(string(r.grid.text(nil, field)))
		if text == "" {
			continue
		}
		return slices.ContainsFunc(r.source.Parsing.Footer, func(word string) bool {
			return len(text) >= len(word) && strings.EqualFold(text[:len(word)], word)
		})
	}
	return false
}

// passFooter counts the rows from the footer on; a row among them that looks
// like data is an error, for nothing is dropped in silence.
func (r *reading) passFooter(first csvtext.Record) error {
	line, rows, record := first.Line, 0, first
	var err error
	for ; err == nil; record, err = r.grid.next() {
		n := filled(record)
		if n > 0 {
			rows++
		}
		if 2*n > len(r.places) && n > 2 {
			return &pipeline.Error{Kind: pipeline.Drift, Problem: "there are records below the footer",
				Where: "line " + csvtext.Count(record.Line), Found: fmt.Sprintf("the footer begins on line %s", csvtext.Count(line)),
				Hint: "see whether the footer words in " + r.source.Path + " are those of a footer only"}
		}
	}
	if errors.Is(err, io.EOF) {
		r.notes = append(r.notes, fmt.Sprintf("footer of %d rows", rows))
	}
	return err
}

// controlAt finds a control character that no table holds.
func controlAt(text []byte) int {
	return slices.IndexFunc(text, func(b byte) bool { return b < ' ' && b != '\t' && b != '\n' && b != '\r' })
}

func (r *reading) controlError(record csvtext.Record, text []byte) error {
	return &pipeline.Error{Kind: pipeline.Drift, Problem: "a cell holds a control character",
		Where: fmt.Sprintf("record %s, line %s", csvtext.Count(r.count), csvtext.Count(record.Line)),
		Found: fmt.Sprintf("%.80q", text), Hint: "the file may be damaged; get it again, or ask its publisher"}
}

func (r *reading) wrongWidth(record csvtext.Record, got int) error {
	return &pipeline.Error{Kind: pipeline.Drift, Problem: "a record does not fit the header",
		Where:    fmt.Sprintf("record %s, line %s", csvtext.Count(r.count), csvtext.Count(record.Line)),
		Expected: fmt.Sprintf("as many fields as the header has: %d", r.header.Width()),
		Found:    fmt.Sprintf("%d: %s", got, csvtext.Cut(string(r.grid.text(nil, record.Raw)))),
		Hint:     "the line may have been cut, or a value holds the separator without quotes; get the file again or ask its publisher"}
}

// explain says which source, which file and which part an error is about.
func (r *reading) explain(err error) error {
	var fault *csvtext.Fault
	if errors.As(err, &fault) {
		where := "record " + csvtext.Count(r.count+1)
		if r.header == nil {
			where = "header"
		}
		raw := fault.Raw
		if r.grid != nil {
			raw = r.grid.text(nil, raw)
		}
		err = &pipeline.Error{Kind: pipeline.Drift, Problem: "the file cannot be split into records: " + fault.Problem,
			Where: where + ", line " + csvtext.Count(fault.Line), Found: csvtext.Cut(string(raw)),
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
		where := r.name + " (sha256 " + r.raw.Short() + "…)"
		for _, more := range []string{r.part, e.Where} {
			if more != "" {
				where += ", " + more
			}
		}
		e.Where = where
		if e.Effect == "" {
			e.Effect = "this version of the source cannot be used"
		}
	}
	return err
}

func (r *reading) noteUnknown() {
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
	switch {
	case unknown == 1:
		r.notes = append(r.notes, "1 column of the file is not on the card")
	case unknown > 1:
		r.notes = append(r.notes, fmt.Sprintf("%d columns of the file are not on the card", unknown))
	}
}

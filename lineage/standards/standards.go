// Package standards says what a snapshot is in the formats that others read:
// OpenLineage events, a data package, a schema.org and DCAT description, a
// codebook, and a citation.
//
// In comes an [Edition], made of what the manifest vouches for, the bound
// pipeline and the record of its steps; out go small files that are published
// in the snapshot. They hold no clock, no machine and no place of the store, so
// that equal snapshots carry equal files and a rebuild makes them again.
//
// This room reads no file and knows no store, no DuckDB, and no country.
package standards

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"tamiz/pipeline"
)

// Names of the files that an edition is described in.
const (
	EventsFile       = "openlineage.ndjson"
	PackageFile      = "datapackage.json"
	DatasetFile      = "dataset.jsonld"
	CodebookFile     = "codebook.csv"
	CodebookHTMLFile = "codebook.html"
	CitationFile     = "CITATION.cff"
)

// Edition is a snapshot as it is described.
type Edition struct {
	Pipeline  *pipeline.Pipeline // bound: its columns have types
	Binding   *pipeline.Binding  // with its lineage
	Snapshot  string             // its id
	PeriodEnd string             // dates, such as 2026-11-29
	AsOf      string
	Synthetic bool
	Engine    string   // which Tamiz made it
	Sources   []Source // as they were when it was made
	Tables    []Table  // the marts, in the manifest's order
	Made      pipeline.MadeSteps

	Failed   []pipeline.CheckResult // checks of marts that did not pass: warnings, and questions that a person let pass
	Compared bool                   // there was a snapshot before it, and the checks against that were made
}

// Table is a mart as it was published.
type Table struct {
	Name   string // without its schema
	File   string // below the snapshot
	Digest pipeline.Digest
	Bytes  int64
	Rows   int64
}

// Source is a source of an edition.
type Source struct {
	Name, Title, Publisher, Licence, Citation, URL string

	Private bool // its raw files are not in the archive
	Files   []pipeline.Pin
}

// Files gives the files that describe an edition, by name.
func Files(e *Edition) (map[string][]byte, error) {
	files := map[string][]byte{CitationFile: citation(e)}
	var codebook, page bytes.Buffer
	if err := WriteCodebook(&codebook, e.Pipeline); err != nil {
		return nil, err
	}
	if err := WriteCodebookHTML(&page, e.Pipeline); err != nil {
		return nil, err
	}
	files[CodebookFile], files[CodebookHTMLFile] = codebook.Bytes(), page.Bytes()
	var err error
	if files[PackageFile], err = indented(dataPackage(e, codebook.Bytes())); err != nil {
		return nil, err
	}
	if files[DatasetFile], err = indented(dataset(e)); err != nil {
		return nil, err
	}
	files[EventsFile], err = events(e)
	return files, err
}

// indented writes JSON for machines that people read, too.
func indented(value any) ([]byte, error) { return encoded(value, " ") }

func encoded(value any, indent string) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("describe the snapshot: %w", err)
	}
	return b.Bytes(), nil
}

// used lists the sources that gave the edition at least one file.
func (e *Edition) used() []Source {
	return slices.DeleteFunc(slices.Clone(e.Sources), func(source Source) bool { return len(source.Files) == 0 })
}

// licences are the terms of the sources that were used, each once. The figures
// of an edition stand under all of them.
func (e *Edition) licences() []string {
	var licences []string
	for _, source := range e.used() {
		if source.Licence != "" && !slices.Contains(licences, source.Licence) {
			licences = append(licences, source.Licence)
		}
	}
	return licences
}

// title names the edition for people.
func (e *Edition) title() string {
	title := e.Pipeline.Title["en"] + ", " + e.PeriodEnd
	if e.Synthetic {
		title += " (synthetic data)"
	}
	return title
}

const syntheticNote = "Made of synthetic data: no figure in it is real."

// description says what the edition is and, first of all, if it is not real.
func (e *Edition) description() string {
	text := strings.Join(strings.Fields(e.Pipeline.Description), " ")
	if e.Synthetic {
		text = syntheticNote + " " + text
	}
	return text
}

// mart gives the model of a published table.
func (e *Edition) mart(table Table) *pipeline.Model { return e.Pipeline.Model("marts." + table.Name) }

// address gives where a source is published; "" if that is not known.
func (s *Source) address() string {
	if strings.HasPrefix(s.URL, "http://") || strings.HasPrefix(s.URL, "https://") {
		return s.URL
	}
	return ""
}

// rowsOf gives the rows of a constant table as words by column, nil if the
// pipeline has no such table.
func rowsOf(p *pipeline.Pipeline, name string) (columns []string, rows [][]string) {
	for _, table := range p.Tables {
		if table.Name != name {
			continue
		}
		for _, column := range table.Columns {
			columns = append(columns, column.Name)
		}
		for _, literals := range table.Rows {
			row := make([]string, len(literals))
			for i, literal := range literals {
				row[i] = Word(literal)
			}
			rows = append(rows, row)
		}
	}
	return columns, rows
}

// Word gives the text of an SQL literal.
func Word(literal string) string {
	return strings.ReplaceAll(strings.Trim(literal, "'"), "''", "'")
}

// Catalogues are the constant tables that say what can stand beside a value:
// flags, and the reasons of missing values. A dictionary shows them whole.
var Catalogues = []string{"reference.flags", "reference.reasons"}

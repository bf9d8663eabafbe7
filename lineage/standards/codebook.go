package standards

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"

	"tamiz/pipeline"
)

// codebookTitles are the columns of the codebook.
var codebookTitles = []string{"table", "column", "key", "type", "unit", "description", "values", "method", "deprecated_since", "use_instead"}

// WriteCodebook writes what every column of every mart means, as CSV: a line a
// column.
func WriteCodebook(w io.Writer, p *pipeline.Pipeline) error {
	out := csv.NewWriter(w)
	if err := out.Write(codebookTitles); err != nil {
		return fmt.Errorf("write the codebook: %w", err)
	}
	for _, mart := range p.Marts() {
		for _, c := range entriesOf(mart) {
			key := ""
			if c.Key > 0 {
				key = strconv.Itoa(c.Key)
			}
			since, instead := "", ""
			if c.Deprecated != nil {
				since, instead = c.Deprecated.Since, c.Deprecated.Instead
			}
			if err := out.Write([]string{mart.Base(), c.Name, key, c.Type, c.Unit, c.Description, c.Values, c.Source, since, instead}); err != nil {
				return fmt.Errorf("write the codebook: %w", err)
			}
		}
	}
	out.Flush()
	return out.Error()
}

// entry is a column as a codebook tells of it.
type entry struct {
	pipeline.Column
	Key    int    // its place in the key, from 1; 0: it is not in it
	Values string // that it may have, in words
}

func entriesOf(mart *pipeline.Model) []entry {
	var entries []entry
	for _, column := range mart.Columns {
		one := entry{Column: column, Key: slices.Index(mart.Key, column.Name) + 1, Values: strings.Join(column.OneOf, ", ")}
		if len(column.Range) == 2 {
			one.Values = number(column.Range[0]) + " to " + number(column.Range[1])
		}
		entries = append(entries, one)
	}
	return entries
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func columnCount(p *pipeline.Pipeline) int {
	n := 0
	for _, mart := range p.Marts() {
		n += len(mart.Columns)
	}
	return n
}

var (
	//go:embed codebook.html
	codebookPage string
	//go:embed codebook.css
	codebookStyle string

	codebookTemplate = template.Must(template.New("codebook").Parse(codebookPage))
)

type codebookContent struct {
	Title, Description, Method, Policy string
	Style                              template.CSS
	Tables                             []codebookTable
	Catalogues                         []codebookCatalogue
}

type codebookTable struct {
	Name, Description, Key string
	Columns                []entry
}

type codebookCatalogue struct {
	Name    string
	Columns []string
	Rows    [][]string
}

// WriteCodebookHTML writes the same as one page that opens from disk and asks
// no server.
func WriteCodebookHTML(w io.Writer, p *pipeline.Pipeline) error {
	style := sha256.Sum256([]byte(codebookStyle))
	content := codebookContent{Title: p.Title["en"], Description: strings.Join(strings.Fields(p.Description), " "), Method: p.MethodVersion, Style: template.CSS(codebookStyle),
		Policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(style[:]) + "'; base-uri 'none'; form-action 'none'"}
	for _, mart := range p.Marts() {
		content.Tables = append(content.Tables, codebookTable{Name: mart.Base(), Description: mart.Description, Key: strings.Join(mart.Key, ", "), Columns: entriesOf(mart)})
	}
	for _, name := range Catalogues {
		if columns, rows := rowsOf(p, name); len(rows) > 0 {
			content.Catalogues = append(content.Catalogues, codebookCatalogue{Name: pipeline.BaseName(name), Columns: columns, Rows: rows})
		}
	}
	if err := codebookTemplate.Execute(w, content); err != nil {
		return fmt.Errorf("write the codebook: %w", err)
	}
	return nil
}

func digestHex(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

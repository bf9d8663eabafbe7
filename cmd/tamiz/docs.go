package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"tamiz/config"
	"tamiz/lineage/standards"
	"tamiz/pipeline"
	"tamiz/transform"
)

func newDocs(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "docs PIPELINE",
		Short: "print the data dictionary of a pipeline's marts",
		Long: `Print what every published table and column means, which flags and reasons stand
beside values, and which version of the method it is: as Markdown, JSON, CSV, or a page
of HTML. The same texts are in the Parquet files, in each snapshot's codebook and in the
models' yml: they are written once. In a project's folder it is the project's own
pipeline, elsewhere the embedded one.`,
		Example: `  tamiz docs mx > dictionary.md
  tamiz docs mx -o csv > codebook.csv
  tamiz docs mx -o json`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(command *cobra.Command, arguments []string) error {
			if _, err := o.json("csv", "html"); err != nil {
				return err
			}
			p, err := o.pipelineHere(arguments[0])
			if err != nil {
				return err
			}
			if _, err := transform.Bind(command.Context(), p); err != nil {
				return err
			}
			switch out := command.OutOrStdout(); o.output {
			case "json":
				return dictionaryJSON(out, p)
			case "csv":
				return standards.WriteCodebook(out, p)
			case "html":
				return standards.WriteCodebookHTML(out, p)
			default:
				dictionary(out, p)
				return nil
			}
		},
	}
}

// pipelineHere loads a pipeline of the project, or the embedded one where
// there is no project.
func (o *options) pipelineHere(name string) (*pipeline.Pipeline, error) {
	if _, err := os.Stat(filepath.Join(o.project, config.ProjectFile)); errors.Is(err, fs.ErrNotExist) {
		return config.Load(embedded(), name)
	}
	project, err := o.openProject()
	if err != nil {
		return nil, err
	}
	if _, err := pipelines(project, []string{name}); err != nil {
		return nil, err
	}
	return project.Pipeline(name)
}

// dictionary writes Markdown.
func dictionary(out io.Writer, p *pipeline.Pipeline) {
	fmt.Fprintf(out, "# Data dictionary: %s\n\nMade by `tamiz docs %s` from the models' own texts; method %s. Do not edit.\n\n%s\n",
		p.Title["en"], p.Name, p.MethodVersion, strings.Join(strings.Fields(p.Description), " "))
	for _, name := range standards.Catalogues {
		for _, table := range p.Tables {
			if table.Name == name {
				catalogue(out, table)
			}
		}
	}
	for _, mart := range p.Marts() {
		fmt.Fprintf(out, "\n## %s\n\n%s\n\nKey: %s.\n\n| column | type | unit | meaning |\n|---|---|---|---|\n",
			mart.Base(), mart.Description, strings.Join(mart.Key, ", "))
		for _, column := range mart.Columns {
			meaning := column.Description
			if column.Deprecated != nil {
				meaning = "Deprecated since " + column.Deprecated.Since + ": use " + column.Deprecated.Instead + ". " + meaning
			}
			if column.Source != "" {
				meaning += " (" + column.Source + ")"
			}
			fmt.Fprintf(out, "| `%s` | %s | %s | %s |\n", column.Name, column.Type, tableCell(column.Unit), tableCell(meaning))
		}
	}
}

// catalogue writes a constant table.
func catalogue(out io.Writer, table pipeline.Table) {
	fmt.Fprintf(out, "\n## %s\n\n%s\n\n", pipeline.BaseName(table.Name), strings.Join(strings.Fields(table.Description), " "))
	var names, rules []string
	for _, column := range table.Columns {
		names, rules = append(names, column.Name), append(rules, "---")
	}
	fmt.Fprintf(out, "| %s |\n|%s|\n", strings.Join(names, " | "), strings.Join(rules, "|"))
	for _, row := range table.Rows {
		cells := make([]string, len(row))
		for i, literal := range row {
			cells[i] = tableCell(standards.Word(literal))
		}
		fmt.Fprintf(out, "| %s |\n", strings.Join(cells, " | "))
	}
}

// tableCell makes a text fit a cell of a Markdown table.
func tableCell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
}

func dictionaryJSON(out io.Writer, p *pipeline.Pipeline) error {
	type table struct {
		Name        string            `json:"table"`
		Description string            `json:"description"`
		Key         []string          `json:"key"`
		Columns     []pipeline.Column `json:"columns"`
	}
	content := struct {
		Pipeline string  `json:"pipeline"`
		Method   string  `json:"method_version"`
		Tables   []table `json:"tables"`
	}{Pipeline: p.Name, Method: p.MethodVersion}
	for _, mart := range p.Marts() {
		content.Tables = append(content.Tables, table{mart.Base(), mart.Description, mart.Key, mart.Columns})
	}
	text, err := json.MarshalIndent(content, "", "  ")
	if err != nil {
		return fmt.Errorf("write the dictionary: %w", err)
	}
	fmt.Fprintln(out, string(text))
	return nil
}

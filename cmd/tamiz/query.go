package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"tamiz/internal/duck"
	"tamiz/load"
	"tamiz/pipeline"
)

func newQuery(o *options) *cobra.Command {
	var snapshotID, name string
	command := &cobra.Command{
		Use:   `query "select …"`,
		Short: "ask the latest snapshot, in SQL",
		Long: `Run one SQL query over the marts of a snapshot, each a table under its own name.
The query can read nothing else and change nothing.`,
		Example: `  tamiz query "select profile, count(*) from profiles group by all order by all"
  tamiz query "describe profiles"
  tamiz query "from coverage" -o csv
  tamiz query "from schools limit 5" --snapshot 2026-11-29.1 -o json`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(command *cobra.Command, arguments []string) error {
			if _, err := o.json("csv"); err != nil {
				return err
			}
			project, err := o.openProject()
			if err != nil {
				return err
			}
			if name == "" {
				name = project.Pipelines[0]
			}
			if _, err := pipelines(project, []string{name}); err != nil {
				return err
			}
			store, snapshot, err := openSnapshot(command.Context(), project, name, snapshotID)
			if err != nil {
				return err
			}
			views, err := martFiles(command.Context(), store, name, snapshot)
			if err != nil {
				return err
			}
			columns, rows, err := ask(command.Context(), views, arguments[0])
			if err != nil {
				return &pipeline.Error{Kind: pipeline.Config, Problem: "the query does not run", Err: err}
			}
			return o.printRows(command, columns, rows)
		},
	}
	command.Flags().StringVar(&snapshotID, "snapshot", "", "another snapshot than the latest, such as 2026-11-29.1")
	command.Flags().StringVar(&name, "pipeline", "", "which pipeline's marts (default: the project's first)")
	return command
}

// martFiles says where the marts of a snapshot lie, by name.
func martFiles(ctx context.Context, store load.Local, name string, snapshot *load.Snapshot) (map[string]string, error) {
	files := map[string]string{}
	var err error
	for _, table := range snapshot.Tables {
		if files[table.Name], err = store.File(ctx, load.TableKey(name, snapshot.Snapshot, table.File), table.Digest); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// ask runs a query that sees only these files, in a database that is locked.
func ask(ctx context.Context, views map[string]string, query string) ([]string, [][]*string, error) {
	db, err := duck.OpenMarts(ctx, views)
	if err != nil {
		return nil, nil, err
	}
	defer db.Close()
	return db.Answer(ctx, query)
}

func (o *options) printRows(command *cobra.Command, columns []string, rows [][]*string) error {
	out := command.OutOrStdout()
	switch o.output {
	case "json":
		list := make([]map[string]*string, 0, len(rows))
		for _, row := range rows {
			object := map[string]*string{}
			for i, column := range columns {
				object[column] = row[i]
			}
			list = append(list, object)
		}
		return printJSON(out, list)
	case "csv":
		w := csv.NewWriter(out)
		w.Write(columns)
		for _, row := range rows {
			w.Write(cells(row, ""))
		}
		w.Flush()
		return w.Error()
	}
	var list [][]string
	for _, row := range rows {
		list = append(list, cells(row, "NULL"))
	}
	table(out, columns, list)
	return nil
}

func cells(row []*string, null string) []string {
	list := make([]string, len(row))
	for i, cell := range row {
		list[i] = null
		if cell != nil {
			list[i] = strings.ReplaceAll(*cell, "\n", " ")
		}
	}
	return list
}

// summary runs the pipeline's own closing queries over the new marts and the
// constant tables.
func (r *runState) summary() ([]string, error) {
	views := map[string]string{}
	for _, constant := range r.p.Tables {
		if step := r.graph.Table(constant.Name)[0]; r.warehouse.Has(step.Fingerprint) {
			views[constant.Name] = filepath.Join(r.warehouse.ArtifactDir(step.Fingerprint), pipeline.TableFile)
		}
	}
	for _, mart := range r.p.Marts() {
		views[mart.Base()] = filepath.Join(r.warehouse.ArtifactDir(r.graph.Table(mart.Name)[0].Fingerprint), pipeline.TableFile)
	}
	var lines []string
	for _, query := range r.p.Summary {
		_, rows, err := ask(r.ctx, views, query)
		if err != nil {
			return lines, fmt.Errorf("summary of config/%s/pipeline.yml: %w", r.p.Name, err)
		}
		for _, row := range rows {
			lines = append(lines, cells(row, "")[0])
		}
	}
	return lines, nil
}

func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// relative writes a path as seen from here, if that is shorter.
func relative(path string) string {
	cwd, err := os.Getwd()
	if err != nil {
		return path
	}
	short, err := filepath.Rel(cwd, path)
	if err != nil || len(short) > len(path) {
		return path
	}
	return short
}

// flagText repeats the flags that name the project, for commands to type.
func (o *options) flagText() string {
	text := ""
	if o.project != "." && o.project != "" {
		text = " --project " + o.project
	}
	for _, variable := range o.vars {
		text += " --var " + variable
	}
	return text
}

// self is how this program was called, so that what it says can be typed.
func self() string {
	if called := os.Args[0]; strings.ContainsRune(called, filepath.Separator) && !filepath.IsAbs(called) {
		return called
	}
	return "tamiz"
}

// nextCommands are what a newcomer tries after a run.
func nextCommands(p *pipeline.Pipeline, flags string) []string {
	marts := p.Marts()
	if len(marts) == 0 {
		return nil
	}
	example := "describe " + marts[0].Base()
	if len(p.Examples) > 0 {
		example = p.Examples[0]
	}
	first := fmt.Sprintf("%s query%s %q", self(), flags, example)
	return []string{first, self() + " status" + flags, self() + " run" + flags}
}

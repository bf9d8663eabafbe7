package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tamiz/config"
	"tamiz/load"
	"tamiz/pipeline"
)

func newAnchor(o *options) *cobra.Command {
	var id string
	var write bool
	command := &cobra.Command{
		Use:   "anchor [PIPELINE]",
		Short: "freeze cut points from a published snapshot into the method",
		Long: `Compute the anchors of a pipeline, such as cut points, from a snapshot and say what the
method file would become: the values, the snapshot that they are from, and a new version.
Nothing is written without --write; then the next run publishes with them.`,
		Example: `  tamiz anchor mx
  tamiz anchor mx --snapshot 2026-11-29.1 --write`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(command *cobra.Command, arguments []string) error {
			name := ""
			if len(arguments) > 0 {
				name = arguments[0]
			}
			return anchor(command, o, name, id, write)
		},
	}
	command.Flags().StringVar(&id, "snapshot", "", "the snapshot to compute from (default: the latest)")
	command.Flags().BoolVar(&write, "write", false, "write the method file of the project")
	return command
}

// anchored is what anchor found, for machines.
type anchored struct {
	Pipeline string   `json:"pipeline"`
	Snapshot string   `json:"from_snapshot"`
	Manifest string   `json:"from_manifest"`
	Version  string   `json:"version"` // of the new method; "" if nothing would change
	Changes  []string `json:"changes"` // lines of the method file, with - before and + after
	Written  bool     `json:"written"`
}

func anchor(command *cobra.Command, o *options, name, id string, write bool) error {
	ctx := command.Context()
	asJSON, err := o.json()
	if err != nil {
		return err
	}
	project, p, err := o.openPipeline(name)
	if err != nil {
		return err
	}
	if len(p.Anchors) == 0 {
		return &pipeline.Error{Kind: pipeline.Config, Where: "config/" + p.Name + "/pipeline.yml", Problem: "the pipeline has no anchors",
			Hint: "write anchors: [{table: …, key: […], sql: …}]"}
	}
	store, snapshot, err := openSnapshot(ctx, project, p.Name, id)
	if err != nil {
		return err
	}
	edits, err := anchorEdits(ctx, store, p, snapshot)
	if err != nil {
		return err
	}
	result := &anchored{Pipeline: p.Name, Snapshot: snapshot.Snapshot, Manifest: string(snapshot.Digest), Changes: []string{}}
	own := methodPath(project, p)
	text, err := newMethod(ctx, store, p, own, edits, result)
	if err != nil {
		return err
	}
	writesOut := false
	if write && result.Version != "" {
		if _, err := os.Stat(own); err != nil {
			writesOut = true
			if err := copyPipeline(p.Name, project.Dir); err != nil {
				return err
			}
		}
		if err := pipeline.WriteFile(own, text); err != nil {
			return err
		}
		result.Written = true
	}
	if asJSON {
		return printJSON(command.OutOrStdout(), result)
	}
	result.tell(command.OutOrStdout(), own, writesOut, o.flagText())
	return nil
}

// anchorEdits computes the anchors over the marts of a snapshot.
func anchorEdits(ctx context.Context, store load.Local, p *pipeline.Pipeline, snapshot *load.Snapshot) ([]config.RowEdit, error) {
	views, err := martFiles(ctx, store, p.Name, snapshot)
	if err != nil {
		return nil, err
	}
	var edits []config.RowEdit
	for _, anchor := range p.Anchors {
		columns, rows, err := ask(ctx, views, anchor.SQL)
		if err != nil {
			return nil, &pipeline.Error{Kind: pipeline.Config, Where: anchor.Path, Problem: "anchors: the query does not run", Err: err}
		}
		if len(rows) == 0 {
			return nil, &pipeline.Error{Kind: pipeline.Failed, Where: anchor.Path, Subject: snapshot.Snapshot, Problem: "the snapshot holds nothing to compute " + anchor.Table + " from"}
		}
		for _, row := range rows {
			edit, err := anchorEdit(p, anchor, columns, row)
			if err != nil {
				return nil, err
			}
			edit.Set = append(edit.Set, config.CellEdit{Column: config.AnchoredColumn, Value: "true"},
				config.CellEdit{Column: config.FromSnapshotColumn, Value: config.CellOf(snapshot.Snapshot, "VARCHAR")},
				config.CellEdit{Column: config.FromManifestColumn, Value: config.CellOf(string(snapshot.Digest), "VARCHAR")})
			edits = append(edits, edit)
		}
	}
	return edits, nil
}

func anchorEdit(p *pipeline.Pipeline, anchor pipeline.Anchor, columns []string, row []*string) (config.RowEdit, error) {
	edit := config.RowEdit{Table: anchor.Table, Key: map[string]string{}}
	types := map[string]string{}
	for _, table := range p.Tables {
		if table.Name == anchor.Table {
			for _, column := range table.Columns {
				types[column.Name] = column.Type
			}
		}
	}
	for i, column := range columns {
		switch {
		case types[column] == "":
			return edit, &pipeline.Error{Kind: pipeline.Config, Where: anchor.Path, Problem: fmt.Sprintf("anchors: the query gives %q, which is no column of %s", column, anchor.Table)}
		case row[i] == nil:
			return edit, &pipeline.Error{Kind: pipeline.Failed, Where: anchor.Path, Problem: fmt.Sprintf("the snapshot gives no %s for %s", column, anchor.Table), Found: strings.Join(cells(row, "NULL"), ", ")}
		case slices.Contains(anchor.Key, column):
			edit.Key[column] = *row[i]
		default:
			edit.Set = append(edit.Set, config.CellEdit{Column: column, Value: config.CellOf(*row[i], types[column])})
		}
	}
	return edit, nil
}

// newMethod gives the text of the method with the anchors and a version that
// no snapshot has used; unchanged if the anchors stand there already.
func newMethod(ctx context.Context, store load.Store, p *pipeline.Pipeline, file string, edits []config.RowEdit, result *anchored) ([]byte, error) {
	same, err := config.EditMethod(file, p.MethodText, p.MethodVersion, edits)
	if err != nil || string(same) == string(p.MethodText) {
		return same, err
	}
	snapshots, err := load.List(ctx, store, p.Name)
	if err != nil {
		return nil, err
	}
	var used []string
	for _, snapshot := range snapshots {
		used = append(used, snapshot.Method.Version)
	}
	if result.Version = pipeline.NextVersion(p.MethodVersion, used); result.Version == "" {
		return nil, &pipeline.Error{Kind: pipeline.Config, Where: file, Problem: fmt.Sprintf("the version %q has no number to raise", p.MethodVersion), Hint: "write a version such as 1.2.0"}
	}
	text, err := config.EditMethod(file, p.MethodText, result.Version, edits)
	result.Changes = changedLines(string(p.MethodText), string(text))
	return text, err
}

// changedLines lists the lines that differ, each before and after. An edit
// may add lines after one of them.
func changedLines(before, after string) []string {
	var list []string
	old, lines := strings.Split(before, "\n"), strings.Split(after, "\n")
	for len(old) > 0 && len(lines) > 0 {
		if old[0] == lines[0] {
			old, lines = old[1:], lines[1:]
			continue
		}
		list = append(list, "- "+old[0], "+ "+lines[0])
		old, lines = old[1:], lines[1:]
		for len(lines) > len(old) && (len(old) == 0 || lines[0] != old[0]) {
			list = append(list, "+ "+lines[0])
			lines = lines[1:]
		}
	}
	return list
}

func (a *anchored) tell(w io.Writer, file string, writesOut bool, flags string) {
	if a.Version == "" {
		fmt.Fprintf(w, "nothing to do: the method is anchored to %s already\n", a.Snapshot)
		return
	}
	fmt.Fprintf(w, "from %s (manifest %s), as version %s of the method, %s:\n", a.Snapshot, pipeline.Digest(a.Manifest).Short(), a.Version, file)
	for _, line := range a.Changes {
		fmt.Fprintf(w, "  %s\n", line)
	}
	if !a.Written {
		fmt.Fprintf(w, "nothing was written. To write it: %s anchor %s --snapshot %s --write%s\n", self(), a.Pipeline, a.Snapshot, flags)
		return
	}
	if writesOut {
		fmt.Fprintf(w, "the project used the configuration inside tamiz. All of it now stands in the project's config/ and sql/, and what\nis edited there is what runs there\n")
	}
	fmt.Fprintf(w, "written. Next: %s run %s%s\n", self(), a.Pipeline, flags)
}

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tamiz/config"
	"tamiz/lineage"
	"tamiz/pipeline"
	"tamiz/transform"
)

type lineageFlags struct {
	selectors []string
	column    string
	html      string
	full      bool
}

// levelsShown is how deep a tree goes unless all of it is wanted.
const levelsShown = 2

func newLineage(o *options) *cobra.Command {
	f := &lineageFlags{}
	command := &cobra.Command{
		Use:   "lineage [PIPELINE]",
		Short: "what each table and column is made of",
		Long: `Show from which sources and models a table is made, and which stand on it: as a
tree, as JSON, or as one HTML file that opens from disk and asks no server.

With --column it is one column: the columns that bring its value (identity,
transformation, aggregation), and those that decide which value it is (by join,
filter, group, sort, window, unnest or case). Joins and groups on a table's key say which
row is meant, not what stands in it, and are not followed; -o json has them.

It is read from the SQL as DuckDB understands it, without data. Outside a project
it is the embedded pipeline.`,
		Example: `  tamiz lineage mx                                     the marts, and how much stands behind them
  tamiz lineage mx --select profiles                   what it is made of
  tamiz lineage mx --select stg_registry__schools+     what stands on it
  tamiz lineage mx --column profiles.profile --full    to the titles in the publishers' files
  tamiz lineage mx --column profiles.urgency+          which columns stand on it
  tamiz lineage mx --html lineage.html                 a picture to search and click
  tamiz lineage mx --select +profiles -o json`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(command *cobra.Command, arguments []string) error {
			return f.show(command, o, arguments)
		},
	}
	flags := command.Flags()
	flags.StringArrayVar(&f.selectors, "select", nil, "only these tables: name, +name (and what it stands on), name+ (and what stands on it)")
	flags.StringVar(&f.column, "column", "", "one column, as table.column; table.column+ shows what stands on it")
	flags.StringVar(&f.html, "html", "", "write a picture to this file")
	flags.BoolVar(&f.full, "full", false, "trees to their ends")
	return command
}

func (f *lineageFlags) show(command *cobra.Command, o *options, arguments []string) error {
	asJSON, err := o.json()
	if err != nil {
		return err
	}
	if f.column != "" && (len(f.selectors) > 0 || f.html != "") {
		return &usageError{errors.New("--column goes alone: it has neither --select nor --html\n  to mend   tamiz lineage --help shows how it is used")}
	}
	graphs, err := f.graphs(command, o, arguments)
	if err != nil {
		return err
	}
	if f.html != "" && len(graphs) != 1 {
		return &usageError{errors.New("--html shows one pipeline: name it\n  to mend   tamiz lineage --help shows how it is used")}
	}
	var found []any
	for _, g := range graphs {
		var shown any = g.part
		switch {
		case f.column != "":
			shown, err = f.showColumn(command.OutOrStdout(), g.Graph, asJSON)
		case f.html != "":
			err = writePicture(command.OutOrStdout(), g.part, f.html, asJSON)
		case !asJSON:
			f.showTables(command.OutOrStdout(), g)
		}
		if err != nil {
			return err
		}
		found = append(found, shown)
	}
	if asJSON && f.html == "" {
		return printJSON(command.OutOrStdout(), found)
	}
	return nil
}

// chosenGraph is the graph of a pipeline, and the part of it that is meant.
type chosenGraph struct {
	*lineage.Graph
	part  *lineage.Graph
	roots []string // of --select, without what + adds
	down  []bool   // whether what stands on a root is wanted
	up    []bool
}

func (f *lineageFlags) graphs(command *cobra.Command, o *options, arguments []string) ([]*chosenGraph, error) {
	ctx := command.Context()
	var graphs []*chosenGraph
	add := func(p *pipeline.Pipeline, binding *pipeline.Binding, columns pipeline.ColumnLineage) error {
		g := &chosenGraph{Graph: lineage.NewGraph(p, binding, columns)}
		graphs = append(graphs, g)
		return f.choose(g, pipeline.NewPlan(p, binding, pipeline.Pins{}, nil))
	}
	if _, err := os.Stat(filepath.Join(o.project, config.ProjectFile)); errors.Is(err, fs.ErrNotExist) && len(arguments) == 1 {
		p, err := config.Load(embedded(), arguments[0])
		if err != nil {
			return nil, err
		}
		binding, err := transform.Bind(ctx, p)
		if err != nil {
			return nil, err
		}
		return graphs, add(p, binding, binding.Lineage)
	}
	project, names, _, err := o.opened(arguments)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		s, err := openSession(ctx, project, name)
		if err != nil {
			return nil, err
		}
		columns, err := s.columns()
		if err != nil {
			return nil, err
		}
		if err := add(s.p, s.binding, columns); err != nil {
			return nil, err
		}
	}
	return graphs, nil
}

// choose finds what the selectors mean, as run and plan do.
func (f *lineageFlags) choose(g *chosenGraph, plan *pipeline.Plan) error {
	g.part = g.Graph
	if len(f.selectors) == 0 {
		return nil
	}
	tables := map[string]bool{}
	for _, selector := range f.selectors {
		chosen, err := plan.Select(selector)
		if err != nil {
			return err
		}
		for step := range chosen {
			tables[step.Table] = true
		}
		named, err := plan.Select(strings.Trim(selector, "+"))
		if err != nil {
			return err
		}
		for _, node := range g.Nodes {
			if slices.ContainsFunc(plan.Steps, func(step *pipeline.Step) bool { return named[step] && step.Table == node.Table }) {
				down := strings.HasSuffix(selector, "+")
				g.roots, g.down, g.up = append(g.roots, node.Table), append(g.down, down), append(g.up, !down || strings.HasPrefix(selector, "+"))
			}
		}
	}
	g.part = g.Only(tables)
	return nil
}

func (f *lineageFlags) depth() int {
	if f.full {
		return 0
	}
	return levelsShown
}

func (f *lineageFlags) showTables(w io.Writer, g *chosenGraph) {
	if len(f.selectors) == 0 {
		f.summary(w, g.Graph)
		return
	}
	for i, root := range g.roots {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if g.up[i] {
			fmt.Fprintf(w, "%s is made of:\n", pipeline.BaseName(root))
			g.WriteTree(w, root, false, f.depth())
		}
		if g.down[i] {
			fmt.Fprintf(w, "%s is read by:\n", pipeline.BaseName(root))
			g.WriteTree(w, root, true, f.depth())
		}
	}
}

// summary says in few lines what there is.
func (f *lineageFlags) summary(w io.Writer, g *lineage.Graph) {
	layers := map[lineage.Layer]int{}
	var rows [][]string
	for _, node := range g.Nodes {
		layers[node.Layer]++
		if node.Layer != lineage.LayerMart {
			continue
		}
		sources, models := g.Foundations(node.Table)
		rows = append(rows, []string{"  " + pipeline.BaseName(node.Table), plural(len(node.Columns), "column", "columns"), plural(models, "model", "models"), plural(sources, "source", "sources")})
	}
	fmt.Fprintf(w, "%s: %s, %s, %s, %s, %s\n", g.Pipeline, plural(layers[lineage.LayerSource], "source table", "source tables"),
		plural(layers[lineage.LayerConstant], "constant table", "constant tables"), plural(layers[lineage.LayerStaging], "staging model", "staging models"),
		plural(layers[lineage.LayerIntermediate], "intermediate model", "intermediate models"), plural(layers[lineage.LayerMart], "mart", "marts"))
	table(w, []string{"  mart", "", "stands on", ""}, rows)
	fmt.Fprintf(w, "Next: tamiz lineage %s --select NAME, --column TABLE.COLUMN, or --html FILE\n", g.Pipeline)
}

// showColumn shows one column; for machines it gives what to print.
func (f *lineageFlags) showColumn(w io.Writer, g *lineage.Graph, asJSON bool) (any, error) {
	text, down := strings.CutSuffix(f.column, "+")
	ref, err := findColumn(g, strings.TrimPrefix(text, "+"))
	if err != nil {
		return nil, err
	}
	if !asJSON {
		g.WriteColumnTree(w, ref, down, f.depth())
		if !f.full {
			fmt.Fprintln(w, "--full shows all of it")
		}
		return nil, nil
	}
	shown := struct {
		Pipeline string                 `json:"pipeline"`
		Column   pipeline.ColumnRef     `json:"column"`
		Columns  []lineage.Made         `json:"columns"`
		Origins  []pipeline.ColumnRef   `json:"origins,omitempty"`
		Rows     []pipeline.ColumnInput `json:"rows,omitempty"`
	}{Pipeline: g.Pipeline, Column: ref}
	if down {
		shown.Columns = g.Beyond(ref)
		return shown, nil
	}
	shown.Columns, shown.Origins, shown.Rows = g.Behind(ref), g.Origins(ref), g.Node(ref.Table).Rows
	return shown, nil
}

// findColumn finds a column by table and name. The table may lack its schema:
// then a mart goes before what it stands on.
func findColumn(g *lineage.Graph, text string) (pipeline.ColumnRef, error) {
	at := strings.LastIndex(text, ".")
	if at > 0 {
		for _, node := range slices.Backward(g.Nodes) {
			if ref := (pipeline.ColumnRef{Table: node.Table, Column: text[at+1:]}); (node.Table == text[:at] || pipeline.BaseName(node.Table) == text[:at]) && g.HasColumn(ref) {
				return ref, nil
			}
		}
	}
	return pipeline.ColumnRef{}, &pipeline.Error{Kind: pipeline.Config, Subject: g.Pipeline, Problem: fmt.Sprintf("there is no column %q", text),
		Expected: "table.column, such as profiles.profile", Hint: "tamiz lineage " + g.Pipeline + " -o json lists all columns"}
}

func writePicture(w io.Writer, g *lineage.Graph, file string, quiet bool) error {
	var page bytes.Buffer
	if err := g.WriteHTML(&page); err != nil {
		return err
	}
	if err := pipeline.WriteFile(file, page.Bytes()); err != nil {
		return err
	}
	if !quiet {
		fmt.Fprintf(w, "%s: %s and %s, %s; open it in a browser\n", file, plural(len(g.Nodes), "table", "tables"), plural(len(g.Edges), "arrow", "arrows"), size(int64(page.Len())))
	}
	return nil
}

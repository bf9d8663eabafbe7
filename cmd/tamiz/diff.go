package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tamiz/config"
	"tamiz/lineage"
	"tamiz/load"
	"tamiz/pipeline"
)

// comparison is what diff found.
type comparison struct {
	Pipeline     string         `json:"pipeline"`
	Before       string         `json:"before"` // a snapshot
	After        string         `json:"after"`  // a snapshot, or a method file
	MethodBefore string         `json:"method_before"`
	MethodAfter  string         `json:"method_after"`
	Mart         string         `json:"mart"`
	Value        string         `json:"value"`
	Units        int            `json:"units"`
	Changed      int            `json:"changed"`
	Gained       int            `json:"gained"`   // unknown before, known after
	Lost         int            `json:"lost"`     // known before, unknown after
	Appeared     int            `json:"appeared"` // units that were not there before
	Gone         int            `json:"gone"`     // units that are not there after
	Parameters   []parameter    `json:"parameters"`
	Together     *int           `json:"together,omitempty"` // units that no parameter changes alone, but all at once
	Undone       *int           `json:"undone,omitempty"`   // units that some parameter changes alone, but not all at once
	Groups       []groupTable   `json:"groups"`
	Moves        []lineage.Move `json:"moves"`
	OtherRows    []string       `json:"marts_with_other_rows"` // by any column
	Differs      []string       `json:"differs,omitempty"`     // of two snapshots: what else is not the same
	Notes        []string       `json:"notes,omitempty"`

	// Of two snapshots:
	Tables  []tableChange        `json:"tables,omitempty"`
	Indices []pipeline.Movement  `json:"indices,omitempty"` // at the quantiles 0, 0.05, 0.25, 0.5, 0.75, 0.95 and 1
	Causes  *lineage.Attribution `json:"attribution,omitempty"`
	Unit    *lineage.UnitChange  `json:"unit,omitempty"`
}

// tableChange is what differs in one mart.
type tableChange struct {
	Mart   string `json:"mart"`
	Before int64  `json:"rows_before"`
	After  int64  `json:"rows_after"`
	Is     string `json:"is"` // same, changed, new or gone

	*pipeline.TableDifference
}

// parameter is one parameter of the method that differs.
type parameter struct {
	Name   string `json:"parameter"`
	Before string `json:"before"`
	After  string `json:"after"`
	Alone  *int   `json:"changed_alone,omitempty"` // units that it changes by itself
}

type groupTable struct {
	Title  string          `json:"title"`
	Groups []lineage.Share `json:"groups"`
}

// diffFlags are the flags of diff.
type diffFlags struct {
	file, pipeline string
	mart, column   string
	unit           []string
	quick          bool
}

func newDiff(o *options) *cobra.Command {
	f := &diffFlags{}
	command := &cobra.Command{
		Use:   "diff SNAPSHOT [SNAPSHOT]",
		Short: "what differs between two snapshots and what caused it, or what another method would change",
		Long: `With two snapshots: what differs in each mart, how the indices moved, and how much of it
each cause has brought about: a source, the method, the models (SQL, catalogues, cards)
or the engine (another Tamiz or DuckDB: what the others do not explain). Each set of
causes is tried by running the graph over it; a cause's part is what it does on average
over all orders in which the causes can come (Shapley), so the parts add up exactly. What
is in the warehouse is not computed again; nothing is published.
With --key, the same for one unit, in a sentence.

With --method, run the sources of a snapshot through another method file and say how
many units would change, by group, and which parameter does it. Nothing is published.
A snapshot is named such as 2026-11-29.1, or latest.
Exit codes: 0 nothing differs; 3 differences found, in any mart.`,
		Example: `  tamiz diff 2026-11-15.1 2026-11-29.1
  tamiz diff 2026-11-15.1 latest --key KEY,OF,ONE           why this one changed
  tamiz diff 2026-11-15.1 latest --mart states --column urgency_mean
  tamiz diff 2026-11-15.1 latest --quick                    compare alone: nothing is computed
  tamiz diff 2026-11-15.1 latest -o json
  tamiz diff latest --method drafts/more-weight-on-water.yml`,
		Args: args(cobra.RangeArgs(1, 2)),
		RunE: func(command *cobra.Command, arguments []string) error {
			if (f.file == "") == (len(arguments) == 1) {
				return &usageError{fmt.Errorf("want two snapshots, or one and --method FILE\n  to mend   %s --help shows how it is used", command.CommandPath())}
			}
			if f.file != "" && (f.mart != "" || f.column != "" || f.unit != nil || f.quick) {
				return &usageError{errors.New("--mart, --column, --key and --quick are for two snapshots, not for --method")}
			}
			return diff(command, o, f, arguments)
		},
	}
	command.Flags().StringVar(&f.file, "method", "", "a method file to try in place of the snapshot's own")
	command.Flags().StringVar(&f.pipeline, "pipeline", "", "which pipeline (default: the project's first)")
	command.Flags().StringVar(&f.mart, "mart", "", "the mart whose change is explained (default: that of diff: in pipeline.yml)")
	command.Flags().StringVar(&f.column, "column", "", "the column of it that counts (default: as in pipeline.yml or, of another mart, its first figure that changed)")
	command.Flags().StringSliceVar(&f.unit, "key", nil, "tell of one unit: the values of its key, in order, with commas between")
	command.Flags().BoolVar(&f.quick, "quick", false, "compare what was published, and compute no causes")
	return command
}

func diff(command *cobra.Command, o *options, f *diffFlags, ids []string) error {
	ctx := command.Context()
	asJSON, err := o.json()
	if err != nil {
		return err
	}
	project, p, err := o.openPipeline(f.pipeline)
	if err != nil {
		return err
	}
	if p.Comparison == nil && f.mart == "" {
		return &pipeline.Error{Kind: pipeline.Config, Where: "config/" + p.Name + "/pipeline.yml", Problem: "it does not say what to compare",
			Hint: "write diff: {mart: …, key: […], value: …, unit: {one: …, many: …}, groups: […]}, or name a mart: --mart"}
	}
	var sides []*load.Snapshot
	var store load.Local
	for _, id := range ids {
		if id == "latest" {
			id = ""
		}
		opened, snapshot, err := openSnapshot(ctx, project, p.Name, id)
		if err != nil {
			return err
		}
		store, sides = opened, append(sides, snapshot)
	}
	var result *comparison
	if f.file == "" {
		d := &snapshotDiff{project: project, p: p, store: store, sides: [2]*load.Snapshot(sides), flags: f}
		result, err = d.compare(ctx, command.ErrOrStderr())
	} else {
		var s *session
		if s, err = openSession(ctx, project, p.Name); err == nil {
			result, err = s.tryMethod(ctx, sides[0], f.file, command.ErrOrStderr())
		}
	}
	if err != nil {
		return err
	}
	if asJSON {
		err = printJSON(command.OutOrStdout(), result)
	} else {
		result.tell(command.OutOrStdout(), project, p, f.file != "")
	}
	if err == nil && len(result.OtherRows) > 0 {
		err = errDiffers
	}
	return err
}

// openPipeline opens the project and one of its pipelines, the first if name
// is empty.
func (o *options) openPipeline(name string) (*config.Project, *pipeline.Pipeline, error) {
	project, err := o.openProject()
	if err != nil {
		return nil, nil, err
	}
	if name == "" {
		name = project.Pipelines[0]
	}
	if _, err := pipelines(project, []string{name}); err != nil {
		return nil, nil, err
	}
	p, err := project.Pipeline(name)
	return project, p, err
}

// newComparison begins a comparison in which nothing differs yet.
func newComparison(p *pipeline.Pipeline, before, after, methodBefore, methodAfter string) *comparison {
	return &comparison{Pipeline: p.Name, Before: before, After: after, MethodBefore: methodBefore, MethodAfter: methodAfter,
		Mart: p.Comparison.Mart, Value: p.Comparison.Value, Parameters: []parameter{}, Groups: []groupTable{}}
}

// compare fills in what differs between two sets of marts. Units are grouped
// by what the first one says of them or, if it does not know them, by places.
func (c *comparison) compare(ctx context.Context, p *pipeline.Pipeline, before, after, places map[string]string) (lineage.Difference, error) {
	var difference lineage.Difference
	old, err := valuesOf(ctx, p.Comparison, before)
	if err != nil {
		return difference, err
	}
	values, err := valuesOf(ctx, p.Comparison, after)
	if err != nil {
		return difference, err
	}
	difference = lineage.Compare(old, values)
	c.Units, c.Changed, c.Moves = difference.Units, len(difference.Changed), difference.Moves
	c.Gained, c.Lost, c.Appeared, c.Gone = difference.Gained, difference.Lost, difference.Appeared, difference.Gone
	for _, group := range p.Comparison.Groups {
		names, err := unitsOf(ctx, p.Comparison, before, group.SQL)
		later, laterErr := lineage.Units{}, err
		if places != nil {
			later, laterErr = unitsOf(ctx, p.Comparison, places, group.SQL)
		}
		if err != nil && laterErr != nil { // one that asks for a new column groups by the later snapshot
			return difference, laterErr
		}
		groups := lineage.Units{}
		for _, units := range []lineage.Units{old, values} {
			for key := range units {
				if groups[key] = names[key]; groups[key] == nil {
					groups[key] = later[key]
				}
			}
		}
		c.Groups = append(c.Groups, groupTable{Title: group.Title, Groups: lineage.ByGroup(difference.Changed, groups)})
	}
	return difference, nil
}

// otherRows names the marts whose rows differ, or that one side lacks.
func otherRows(before, after map[string]pipeline.Digest) []string {
	names := slices.Collect(maps.Keys(before))
	for name := range after {
		if _, both := before[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.DeleteFunc(names, func(name string) bool { return before[name] != "" && before[name] == after[name] })
}

func valuesOf(ctx context.Context, c *pipeline.Comparison, views map[string]string) (lineage.Units, error) {
	var columns []string
	for _, name := range append(slices.Clone(c.Key), c.Value) {
		columns = append(columns, pipeline.QuoteName(name))
	}
	return unitsOf(ctx, c, views, "select "+strings.Join(columns, ", ")+" from marts."+pipeline.QuoteName(c.Mart))
}

// unitsOf runs SQL that gives the columns of the key, then one more.
func unitsOf(ctx context.Context, c *pipeline.Comparison, views map[string]string, query string) (lineage.Units, error) {
	columns, rows, err := ask(ctx, views, query)
	if err == nil && (len(columns) != len(c.Key)+1 || !slices.Equal(columns[:len(c.Key)], c.Key)) {
		err = fmt.Errorf("it gives the columns %v", columns)
	}
	if err != nil {
		return nil, &pipeline.Error{Kind: pipeline.Config, Where: c.Path, Problem: "diff: a query does not give " + strings.Join(c.Key, ", ") + " and one column more",
			Found: query, Err: err}
	}
	units := lineage.Units{}
	for _, row := range rows {
		last := len(row) - 1
		units[strings.Join(cells(row[:last], "\x00"), "\x1f")] = row[last]
	}
	return units, nil
}

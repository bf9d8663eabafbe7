package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"tamiz/config"
	"tamiz/load"
	"tamiz/pipeline"
	"tamiz/transform/statistics"
)

func newAdoption(o *options) *cobra.Command {
	var acted, snapshotID string
	command := &cobra.Command{
		Use:   "adoption [PIPELINE] --acted FILE.csv",
		Short: "compare the schools that acted with what the index says of them",
		Long: `Compare a list of schools that acted, such as those that opened, with a snapshot:
were they the ones of which the index spoke well, and how much more often did such
schools act than the others? The list is a CSV file with the columns of the key; a
row that leaves out all but the first of them is matched where one school fits. Every
row that does not count is told. What is compared stands in the pipeline's
pipeline.yml, under adoption. The figures are an association, never an effect.`,
		Example: `  tamiz adoption mx --acted opened.csv
  tamiz adoption mx --acted opened.csv --snapshot 2026-11-29.1 --project demo
  tamiz adoption mx --acted opened.csv -o json`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(command *cobra.Command, arguments []string) error {
			asJSON, err := o.json()
			if err != nil {
				return err
			}
			if acted == "" {
				return &usageError{fmt.Errorf("--acted is missing: the CSV file that lists those that acted\n  to mend   %s --help shows how it is used", command.CommandPath())}
			}
			project, err := o.openProject()
			if err != nil {
				return err
			}
			names, err := pipelines(project, arguments)
			if err != nil {
				return err
			}
			report, err := adoptionOf(command.Context(), project, names[0], snapshotID, acted)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(command.OutOrStdout(), report)
			}
			report.print(command.OutOrStdout())
			return nil
		},
	}
	command.Flags().StringVar(&acted, "acted", "", "CSV file that lists those that acted, by the columns of the key")
	command.Flags().StringVar(&snapshotID, "snapshot", "", "another snapshot than the latest, such as 2026-11-29.1")
	return command
}

// adoptionReport is what adoption tells.
type adoptionReport struct {
	Pipeline    string            `json:"pipeline"`
	Snapshot    string            `json:"snapshot"`
	Synthetic   bool              `json:"synthetic"`
	List        string            `json:"acted_file"`
	Mart        string            `json:"mart"`
	Key         []string          `json:"key"`
	High        string            `json:"high"`
	Population  string            `json:"population"`
	Outside     int               `json:"rows_outside_the_population"`
	HighUnknown int               `json:"rows_of_unknown_level"` // in the population, but neither high nor not
	Rows        actedRows         `json:"acted_rows"`
	Figures     []adoptionFigure  `json:"figures"`
	Warning     map[string]string `json:"warning"`
}

// adoptionFigure is one figure of METHODS 2.5: a count, a share in [0, 1] or
// a ratio, with its 95 % interval. A figure without value says why.
type adoptionFigure struct {
	Name    string   `json:"name"`
	Value   *float64 `json:"value"`
	Low     *float64 `json:"low,omitempty"`
	High    *float64 `json:"high,omitempty"`
	Unknown string   `json:"unknown,omitempty"`

	title string
	write func(float64) string
}

// adoptionOf reads the snapshot and the list, and compares them.
func adoptionOf(ctx context.Context, project *config.Project, name, snapshotID, list string) (*adoptionReport, error) {
	p, err := project.Pipeline(name)
	if err != nil {
		return nil, err
	}
	if p.Adoption == nil {
		return nil, &pipeline.Error{Kind: pipeline.Config, Subject: name, Problem: "this pipeline says nothing of adoption",
			Where: "config/" + name + "/pipeline.yml", Hint: "write there, under adoption, which mart, key, condition of high and population are compared"}
	}
	rows, err := readActed(list, p.Adoption.Key)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, &pipeline.Error{Kind: pipeline.Config, Subject: list, Problem: "it lists nobody: there is no row below its first line"}
	}
	store, snapshot, err := openSnapshot(ctx, project, name, snapshotID)
	if err != nil {
		return nil, err
	}
	views, err := martFiles(ctx, store, name, snapshot)
	if err != nil {
		return nil, err
	}
	units, err := readUnits(ctx, views, snapshot, p)
	if err != nil {
		return nil, err
	}
	report := &adoptionReport{Pipeline: name, Snapshot: snapshot.Snapshot, Synthetic: snapshot.Synthetic, List: list, Mart: p.Adoption.Mart,
		Key: p.Adoption.Key, High: p.Adoption.High, Population: p.Adoption.Population, Warning: p.Adoption.Warning}
	return report, report.compare(units, rows)
}

// readUnits reads the rows of the mart with what the two conditions say.
func readUnits(ctx context.Context, views map[string]string, snapshot *load.Snapshot, p *pipeline.Pipeline) ([]unit, error) {
	adoption := p.Adoption
	if views[adoption.Mart] == "" {
		return nil, &pipeline.Error{Kind: pipeline.Config, Subject: snapshot.Snapshot, Problem: "this snapshot has no table " + adoption.Mart, Where: adoption.Path}
	}
	keys := make([]string, len(adoption.Key))
	for i, column := range adoption.Key {
		keys[i] = pipeline.QuoteName(column)
	}
	all := strings.Join(keys, ", ")
	_, rows, err := ask(ctx, views, fmt.Sprintf("select %s, coalesce((%s), false) as counts, (%s) as high from marts.%s order by %s",
		all, adoption.Population, adoption.High, pipeline.QuoteName(adoption.Mart), all))
	if err != nil {
		return nil, &pipeline.Error{Kind: pipeline.Config, Problem: "the conditions of adoption do not fit the table " + adoption.Mart + " of " + snapshot.Snapshot,
			Where: adoption.Path, Err: err}
	}
	units := make([]unit, len(rows))
	for i, row := range rows {
		n := len(keys)
		units[i] = unit{key: cells(row[:n], ""), inPopulation: *row[n] == "true", level: row[n+1]}
	}
	return units, nil
}

// compare matches the list and computes the figures.
func (r *adoptionReport) compare(units []unit, rows []actedRow) error {
	r.Rows = matchActed(units, rows)
	if r.Rows.Counted+r.Rows.Outside.Count == 0 {
		return &pipeline.Error{Kind: pipeline.Config, Subject: r.List, Problem: "none of its rows names one school of " + r.Mart,
			Found: strings.Join(slices.Concat(r.Rows.WithoutKey.First, r.Rows.Unknown.First, r.Rows.Ambiguous.First), "\n"),
			Hint:  fmt.Sprintf("its columns %s must hold what those of %s hold", strings.Join(r.Key, ", "), r.Mart)}
	}
	var N, K, n, k int
	for _, one := range units {
		switch {
		case !one.inPopulation:
			r.Outside++
			continue
		case one.level == nil:
			r.HighUnknown++
			continue
		}
		high, acted := one.isHigh(), one.matched
		N++
		K += whole(high)
		n += whole(acted)
		k += whole(high && acted)
	}
	if N == 0 {
		return &pipeline.Error{Kind: pipeline.Failed, Subject: r.Mart, Problem: "no row of the snapshot belongs to the population", Expected: r.Population}
	}
	adoption, err := statistics.Adopt(N, K, n, k)
	if err != nil {
		return err
	}
	r.Figures = figures(adoption)
	return nil
}

func whole(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// figures lists what METHODS 2.5 wants reported, in its order.
func figures(a statistics.Adoption) []adoptionFigure {
	number := func(value float64) string { return count(int64(value)) }
	percent := func(value float64) string { return strconv.FormatFloat(100*value, 'f', 1, 64) + " %" }
	decimals := func(value float64) string { return strconv.FormatFloat(value, 'f', 3, 64) }
	digits := func(value float64) string {
		if value == 0 { // too little for a float64
			return "below 1e-300"
		}
		return strconv.FormatFloat(value, 'g', 2, 64)
	}
	known := func(value float64) statistics.Ratio { return statistics.Ratio{Value: value} }
	var list []adoptionFigure
	for _, f := range []struct {
		name, title string
		ratio       statistics.Ratio
		write       func(float64) string
	}{
		{"units", "schools compared (N)", known(float64(a.Units)), number},
		{"high", "of them high (K)", known(float64(a.High)), number},
		{"acted", "acted (n)", known(float64(a.Acted)), number},
		{"acted_high", "of those, high (k)", known(float64(a.ActedHigh)), number},
		{"share_all", "share of high schools: all (K/N)", a.ShareAll, percent},
		{"share_acted", "  among those that acted (k/n)", a.ShareActed, percent},
		{"share_not_acted", "  among those that did not", a.ShareNotActed, percent},
		{"lift", "lift: acted over all", a.Lift, decimals},
		{"ratio_to_not_acted", "acted over those that did not", a.RatioToOthers, decimals},
		{"adoption_high", "how many acted: of high schools (k/K)", a.AdoptionHigh, percent},
		{"adoption_rest", "  of the others", a.AdoptionRest, percent},
		{"risk_ratio", "their ratio (RR)", a.RiskRatio, decimals},
		{"odds_ratio", "odds ratio (OR)", a.OddsRatio, decimals},
		{"expected", "k, had schools acted blindly", known(a.Expected), decimals},
		{"deviation", "  its standard deviation", known(a.Deviation), decimals},
		{"z", "  how many of these k is off", a.Z, decimals},
		{"p_upper", "  chance of this k or more (hypergeometric)", known(a.P), digits},
	} {
		figure := adoptionFigure{Name: f.name, title: f.title, write: f.write, Unknown: f.ratio.Undefined}
		if f.ratio.Undefined == "" {
			figure.Value = &f.ratio.Value
			if f.ratio.HasInterval {
				figure.Low, figure.High = &f.ratio.Interval.Low, &f.ratio.Interval.High
			}
		}
		list = append(list, figure)
	}
	return list
}

// print tells the report to people.
func (r *adoptionReport) print(w io.Writer) {
	mark := ""
	if r.Synthetic {
		mark = " (synthetic data)"
	}
	fmt.Fprintf(w, "%s · adoption: %s against %s of %s%s\n", r.Pipeline, r.List, r.Mart, r.Snapshot, mark)
	fmt.Fprintf(w, "  a school is one %s; compared where %s; high where %s\n", strings.Join(r.Key, " and "), r.Population, r.High)
	fmt.Fprintf(w, "  %s of the snapshot not compared", plural(r.Outside, "school", "schools"))
	if r.HighUnknown > 0 {
		fmt.Fprintf(w, ", and %s of unknown level", count(r.HighUnknown))
	}
	fmt.Fprintf(w, "\n\n%s of the list, %s counted", plural(r.Rows.Read, "row", "rows"), count(r.Rows.Counted))
	if r.Rows.ByPart > 0 {
		fmt.Fprintf(w, ", %s of them matched by a part of the key", count(r.Rows.ByPart))
	}
	fmt.Fprintln(w)
	for _, kind := range []struct {
		what string
		rows aside
	}{
		{"without " + r.Key[0], r.Rows.WithoutKey}, {"unknown to the snapshot", r.Rows.Unknown}, {"ambiguous: several schools fit", r.Rows.Ambiguous},
		{"again: the school was listed before", r.Rows.Duplicate}, {"not compared: not in the population", r.Rows.Outside},
	} {
		if kind.rows.Count == 0 {
			continue
		}
		fmt.Fprintf(w, "  %s %s\n", count(kind.rows.Count), kind.what)
		for _, row := range kind.rows.First {
			fmt.Fprintf(w, "    %s\n", row)
		}
		if more := kind.rows.Count - len(kind.rows.First); more > 0 {
			fmt.Fprintf(w, "    and %s more\n", count(more))
		}
	}
	if r.Rows.WithoutKey.Count+r.Rows.Unknown.Count+r.Rows.Ambiguous.Count > 0 {
		fmt.Fprintln(w, "  The schools meant by rows that fit none, or several, stand below among those that did not act.")
	}
	fmt.Fprintln(w)
	var lines [][]string
	for _, figure := range r.Figures {
		line := []string{figure.title, "unknown", figure.Unknown}
		if figure.Value != nil {
			line[1] = figure.write(*figure.Value)
		}
		if figure.Low != nil {
			line[2] = figure.write(*figure.Low) + " to " + figure.write(*figure.High)
		}
		lines = append(lines, line)
	}
	table(w, []string{"figure", "value", "95 % interval"}, lines)
	for _, language := range slices.Sorted(maps.Keys(r.Warning)) {
		fmt.Fprintf(w, "\n%s\n", wrap(r.Warning[language], 88, ""))
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"tamiz/pipeline"
	"tamiz/transform/statistics"
)

func newAllocate(o *options) *cobra.Command {
	var budget int64
	var snapshotID string
	command := &cobra.Command{
		Use:   "allocate [PIPELINE] --budget N",
		Short: "share out a budget by a snapshot's formula",
		Long: `Share out a budget among the units of a snapshot by the shares of its formula, within
a floor and a cap of what each had last, exact to the whole unit of currency. Each
formula has a column, so that the one without a reward for progress stands beside the
full one. What is read stands in the pipeline's pipeline.yml, under allocation.`,
		Example: "  tamiz allocate np --budget 5000000000 -o csv",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(command *cobra.Command, arguments []string) error {
			if _, err := o.json("csv"); err != nil {
				return err
			}
			if budget <= 0 {
				return &usageError{fmt.Errorf("--budget wants a whole number above 0\n  to mend   %s --help shows how it is used", command.CommandPath())}
			}
			return o.allocate(command, arguments, snapshotID, budget)
		},
	}
	command.Flags().Int64Var(&budget, "budget", 0, "what is shared out, in whole units of currency")
	command.Flags().StringVar(&snapshotID, "snapshot", "", "another snapshot than the latest, such as 2026-11-29.1")
	return command
}

// allocate prints the amounts; what is to be said of them stands below the
// table, or on the other stream where machines read the table.
func (o *options) allocate(command *cobra.Command, arguments []string, snapshotID string, budget int64) error {
	project, err := o.openProject()
	if err != nil {
		return err
	}
	names, err := pipelines(project, arguments)
	if err != nil {
		return err
	}
	p, err := project.Pipeline(names[0])
	if err != nil {
		return err
	}
	if p.Allocation == nil {
		return &pipeline.Error{Kind: pipeline.Config, Subject: p.Name, Problem: "this pipeline says nothing of an allocation",
			Where: "config/" + p.Name + "/pipeline.yml", Hint: "write there, under allocation, the sql of the claims and a warning"}
	}
	store, snapshot, err := openSnapshot(command.Context(), project, p.Name, snapshotID)
	if err != nil {
		return err
	}
	views, err := martFiles(command.Context(), store, p.Name, snapshot)
	if err != nil {
		return err
	}
	columns, rows, notes, err := allocated(command.Context(), views, p.Allocation, budget)
	if err != nil {
		return err
	}
	if err := o.printRows(command, columns, rows); err != nil {
		return err
	}
	w := command.ErrOrStderr()
	if o.output != "json" && o.output != "csv" {
		w = command.OutOrStdout()
	}
	fmt.Fprintf(w, "\n%s · %s shared out by the formulas of snapshot %s\n", p.Name, count(budget), snapshot.Snapshot)
	if snapshot.Synthetic {
		fmt.Fprintln(w, "  synthetic data: no figure is real")
	}
	for _, note := range notes {
		fmt.Fprintf(w, "  %s\n", note)
	}
	for _, language := range slices.Sorted(maps.Keys(p.Allocation.Warning)) {
		fmt.Fprintf(w, "\n%s\n", wrap(p.Allocation.Warning[language], 88, ""))
	}
	return nil
}

// allocated gives a row for each unit: what it had, and its amount by each
// formula; and a note on each formula.
func allocated(ctx context.Context, views map[string]string, allocation *pipeline.Allocation, budget int64) (columns []string, rows [][]*string, notes []string, err error) {
	_, claims, err := ask(ctx, views, "select formula, unit, previous_amount, target_share, coalesce(floor_amount, 0), coalesce(cap_amount, 1e300) from ("+allocation.SQL+") order by formula, unit")
	if err != nil {
		return nil, nil, nil, &pipeline.Error{Kind: pipeline.Config, Problem: "the sql of allocation does not run over the snapshot", Where: allocation.Path, Err: err}
	}
	columns = []string{"unit", "previous_amount"}
	for len(claims) > 0 {
		formula, n, least := *claims[0][0], 0, 0.0
		var list []statistics.Claim
		for n < len(claims) && *claims[n][0] == formula {
			var c statistics.Claim
			if _, err := fmt.Sscan(strings.Join(cells(claims[n][3:], ""), " "), &c.Target, &c.Floor, &c.Cap); err != nil {
				return nil, nil, nil, fmt.Errorf("the claim of %s: %w", *claims[n][1], err)
			}
			c.Target *= float64(budget)
			list, least = append(list, c), least+c.Floor
			n++
		}
		result, err := statistics.Allocate(list, budget)
		if errors.Is(err, statistics.ErrFloorExceedsBudget) {
			return nil, nil, nil, &pipeline.Error{Kind: pipeline.Config, Subject: "--budget " + count(budget), Problem: "FLOOR_EXCEEDS_BUDGET: " + err.Error(),
				Expected: "at least " + count(int64(math.Ceil(least))) + ", by the formula " + formula,
				Hint:     "raise the budget, or lower the floor in config/*/method.yml, raise its version and run again"}
		}
		if err != nil {
			return nil, nil, nil, err
		}
		columns = append(columns, formula)
		note := fmt.Sprintf("%s: all of it; each target times %.6g, within floor and cap", formula, result.Multiplier)
		if math.IsInf(result.Multiplier, 1) {
			note = fmt.Sprintf("%s: UNALLOCATED %s; every unit is at its cap", formula, count(result.Unallocated))
		}
		notes = append(notes, note)
		for i, amount := range result.Amounts {
			if len(columns) == 3 {
				rows = append(rows, []*string{claims[i][1], claims[i][2]})
			} else if i >= len(rows) || *rows[i][0] != *claims[i][1] {
				return nil, nil, nil, &pipeline.Error{Kind: pipeline.Config, Subject: formula, Problem: "its units are not those of the formula before it", Where: allocation.Path}
			}
			text := strconv.FormatInt(amount, 10)
			rows[i] = append(rows[i], &text)
		}
		claims = claims[n:]
	}
	return columns, rows, notes, nil
}

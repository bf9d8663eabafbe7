package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"tamiz/pipeline"
)

func newPlan(o *options) *cobra.Command {
	f := &runFlags{}
	command := &cobra.Command{
		Use:   "plan [PIPELINE]",
		Short: "what would run, and why",
		Long: `Say which steps a run would carry out, and why, without writing anything. It takes
the files of the last run; --fetch looks at the sources anew.`,
		Example: `  tamiz plan
  tamiz plan mx --fetch
  tamiz plan mx --select profiles+ -o json`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(command *cobra.Command, arguments []string) error { return planAll(command, o, f, arguments) },
	}
	f.add(command)
	command.Flags().BoolVar(&f.fetch, "fetch", false, "look at the sources anew")
	return command
}

// planned is a plan for machines.
type planned struct {
	Pipeline  string        `json:"pipeline"`
	PeriodEnd string        `json:"period_end"`
	Steps     int           `json:"steps"`
	Would     []plannedStep `json:"would_run"`
}

type plannedStep struct {
	Step        string            `json:"step"`
	Kind        pipeline.StepKind `json:"kind"`
	Fingerprint pipeline.Digest   `json:"fingerprint"`
	Reason      string            `json:"reason"`
}

func planAll(command *cobra.Command, o *options, f *runFlags, arguments []string) error {
	project, names, asJSON, err := o.opened(arguments)
	if err != nil {
		return err
	}
	var all []planned
	for _, name := range names {
		s, err := openSession(command.Context(), project, name)
		if err != nil {
			return err
		}
		graph, needs, err := s.plan(command, f)
		if err != nil {
			return err
		}
		result := planned{Pipeline: name, PeriodEnd: graph.Pins.PeriodEnd, Steps: len(graph.Steps), Would: []plannedStep{}}
		for _, need := range needs {
			result.Would = append(result.Would, plannedStep{need.Step.Label, need.Step.Kind, need.Step.Fingerprint, need.Reason})
		}
		all = append(all, result)
		if !asJSON {
			tellPlan(command, result)
		}
	}
	if asJSON {
		return printJSON(command.OutOrStdout(), all)
	}
	return nil
}

// plan builds the graph without writing anything.
func (s *session) plan(command *cobra.Command, f *runFlags) (*pipeline.Plan, []pipeline.Need, error) {
	ctx := command.Context()
	if err := s.checkMethod(ctx); err != nil {
		return nil, nil, err
	}
	asOf, err := f.date()
	if err != nil {
		return nil, nil, err
	}
	pins, err := s.runs.LastPins()
	if err != nil {
		return nil, nil, err
	}
	if pins == nil || f.fetch {
		looked, err := s.glance(ctx, asOf, pins)
		if err != nil {
			return nil, nil, err
		}
		pins = &looked
	} else if pins.PeriodEnd, pins.AsOf, err = s.dates(asOf); err != nil {
		return nil, nil, err
	}
	latest, previous, err := s.latest(ctx)
	if err != nil {
		return nil, nil, err
	}
	pins.Previous = previous
	graph, targets, fresh, _, err := s.graph(*pins, latest, f)
	if err != nil {
		return nil, nil, err
	}
	last, err := s.runs.LastParts()
	if err != nil {
		return nil, nil, err
	}
	return graph, s.walk(0).Needs(graph, targets, fresh, last), nil
}

func tellPlan(command *cobra.Command, result planned) {
	w := command.OutOrStdout()
	if len(result.Would) == 0 {
		fmt.Fprintf(w, "%s: nothing would run; all %s are up to date\n", result.Pipeline, plural(result.Steps, "step", "steps"))
		return
	}
	fmt.Fprintf(w, "%s: %s of %s would run, for the period that ends on %s\n", result.Pipeline, count(len(result.Would)), plural(result.Steps, "step", "steps"), result.PeriodEnd)
	var rows [][]string
	for _, step := range result.Would {
		rows = append(rows, []string{"  " + string(step.Kind), step.Step, step.Reason})
	}
	table(w, []string{"  kind", "step", "why"}, rows)
	if rest := result.Steps - len(result.Would); rest > 0 {
		fmt.Fprintf(w, "%s up to date\n", plural(rest, "step is", "steps are"))
	}
}

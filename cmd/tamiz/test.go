package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"tamiz/config"
	"tamiz/pipeline"
	"tamiz/transform"
)

func newTest(o *options) *cobra.Command {
	var sampleRows int
	command := &cobra.Command{
		Use:   "test [PIPELINE]",
		Short: "check a pipeline's configuration and SQL, and run its models' cases",
		Long: `Read the pipeline's YAML and SQL, bind all models, and run the cases that stand
beside them (x.txtar). In a project's folder that is the project's own pipeline,
elsewhere the embedded one. With --replay N, also prove the traces of the last run:
N random rows of every model are computed again from their traced input rows alone.`,
		Example: `  tamiz test mx
  tamiz test mx --replay 300 --project demo`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(command *cobra.Command, arguments []string) error {
			if _, err := os.Stat(filepath.Join(o.project, config.ProjectFile)); errors.Is(err, fs.ErrNotExist) && sampleRows == 0 {
				return testEmbedded(command, arguments)
			}
			project, err := o.openProject()
			if err != nil {
				return err
			}
			names, err := pipelines(project, arguments)
			if err != nil {
				return err
			}
			var errs []error
			for _, name := range names {
				p, err := project.Pipeline(name)
				if err != nil {
					return err
				}
				errs = append(errs, testPipeline(command, p))
				if sampleRows > 0 {
					errs = append(errs, replayAll(command, project, name, sampleRows))
				}
			}
			return errors.Join(errs...)
		},
	}
	command.Flags().IntVar(&sampleRows, "replay", 0, "prove the traces of the last run on this many rows of every model")
	return command
}

func testEmbedded(command *cobra.Command, arguments []string) error {
	names := arguments
	if len(names) == 0 {
		names = config.Names(embedded())
	}
	var errs []error
	for _, name := range names {
		p, err := config.Load(embedded(), name)
		if err == nil {
			err = testPipeline(command, p)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func testPipeline(command *cobra.Command, p *pipeline.Pipeline) error {
	ctx := command.Context()
	binding, err := transform.Bind(ctx, p)
	if err != nil {
		return err
	}
	bench, err := transform.OpenBench(ctx, p, binding)
	if err != nil {
		return err
	}
	defer bench.Close()
	passed, without := 0, 0
	var errs []error
	for i := range p.Models {
		if p.Models[i].Cases == "" {
			without++
			continue
		}
		for _, result := range bench.Cases(ctx, &p.Models[i]) {
			if result.Err != nil {
				errs = append(errs, &pipeline.Error{Kind: pipeline.Failed, Subject: result.Model, Problem: "case " + result.Case, Err: result.Err})
				continue
			}
			passed++
		}
	}
	fmt.Fprintf(command.OutOrStdout(), "%s: %s bind; %s passed, %d failed; %d models have none\n", p.Name, plural(len(p.Models), "model", "models"), plural(passed, "case", "cases"), len(errs), without)
	return errors.Join(errs...)
}

// replayAll proves the traces of every model over the last run's artifacts.
func replayAll(command *cobra.Command, project *config.Project, name string, rows int) error {
	ctx := command.Context()
	s, err := openSession(ctx, project, name)
	if err != nil {
		return err
	}
	proved, err := s.replay(ctx, rows, func(model string, n int) {
		fmt.Fprintf(command.OutOrStdout(), "  %-50s %s identical\n", model, plural(n, "row", "rows"))
	})
	fmt.Fprintf(command.OutOrStdout(), "%s: %s replayed on their traced rows, all identical: %t\n", name, plural(proved, "row", "rows"), err == nil)
	return err
}

// replay replays rows of each model; it gives how many were proved.
func (s *session) replay(ctx context.Context, rows int, tell func(string, int)) (int, error) {
	pins, err := s.runs.LastPins()
	if err != nil {
		return 0, err
	}
	if pins == nil {
		return 0, &pipeline.Error{Kind: pipeline.Config, Problem: "there is no run to replay", Hint: "tamiz run makes one"}
	}
	graph := pipeline.NewPlan(s.p, s.binding, *pins, s.engines)
	walk := s.walk(0)
	total := 0
	var errs []error
	for _, step := range graph.Steps {
		if step.Kind != pipeline.StepModel && step.Kind != pipeline.StepGo {
			continue
		}
		task := pipeline.Task{Step: step, Inputs: walk.InputFiles(step), Memory: 4 * s.project.Memory}
		n, err := transform.Replay(ctx, task, walk.TablePath(step.Fingerprint), rows, "replay")
		total += n
		errs = append(errs, err)
		if err == nil {
			tell(step.Label, n)
		}
	}
	return total, errors.Join(errs...)
}

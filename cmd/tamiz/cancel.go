package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"tamiz/config"
	"tamiz/load"
	"tamiz/pipeline"
	"tamiz/schedule"
)

func newCancel(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "cancel [PIPELINE]",
		Short: "stop the run that the schedule has started on this machine",
		Long: `Stop the run that is at work and record for ever that it was cancelled, and by whom. The
schedule does not start it again: the next run is that of the next period, or one by hand.
Nothing public moves.`,
		Example: "  tamiz cancel\n  tamiz cancel mx --project demo",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(command *cobra.Command, arguments []string) error {
			project, err := o.openProject()
			if err != nil {
				return err
			}
			names, err := pipelines(project, arguments)
			if err != nil {
				return err
			}
			for _, name := range names {
				if err := cancelRun(command.Context(), command.OutOrStdout(), project, name); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// cancelRun records first and stops then, so that the daemon, which looks
// again as soon as the run has ended, finds the record.
func cancelRun(ctx context.Context, out io.Writer, project *config.Project, name string) error {
	running, err := schedule.ReadRunning(project.Warehouse, name)
	if err != nil {
		return err
	}
	if running == nil {
		fmt.Fprintf(out, "%s  no run is at work that the schedule has started on this machine; nothing to cancel\n", name)
		return nil
	}
	store, err := openStore(ctx, project)
	if err != nil {
		return err
	}
	sayer, err := openWords()
	if err != nil {
		return err
	}
	ledger := load.OpenLedger(store, name)
	before, err := ledger.Verdicts(ctx)
	if err != nil {
		return err
	}
	verdict := pipeline.PeriodVerdict{Period: running.Period, DueAt: running.DueAt, Verdict: pipeline.FailedRun, Run: running.Run, At: time.Now(), By: machine(),
		Reason: sayer.All(pipeline.Sentence{Key: "failed_cancelled", Values: map[string]any{"who": who()}})}
	for _, record := range before {
		if record.Snapshot != "" {
			verdict.Snapshot = record.Snapshot
		}
	}
	recorded, err := ledger.Record(ctx, verdict)
	if err != nil {
		return err
	}
	if !recorded {
		fmt.Fprintf(out, "%s  the period to %s has its verdict already; tamiz status %s tells which\n", name, running.Period, name)
		return nil
	}
	if err := running.Stop(ctx, jobGrace); err != nil {
		return &pipeline.Error{Kind: pipeline.Internal, Subject: name, Problem: "the run could not be stopped, but it is recorded as cancelled", Err: err}
	}
	fmt.Fprintf(out, "%s  the run for the period to %s is stopped; the schedule does not start it again\n", name, running.Period)
	return nil
}

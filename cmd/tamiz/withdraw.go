package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"tamiz/load"
	"tamiz/pipeline"
	"tamiz/schedule/notice"
)

func newWithdraw(o *options) *cobra.Command {
	f := &decideFlags{}
	var name string
	command := &cobra.Command{
		Use: "withdraw SNAPSHOT", Short: "take back an edition that should not have been published",
		Long: `Withdraw a snapshot. If it is the latest, readers see the one before it again. Its files
stay where they are, so that whoever used them can look them up; the catalog says that it
was withdrawn, and why. The same result is not published again unless a person approves.`,
		Example: `  tamiz withdraw 2026-11-29.1 --reason "The file of deaths lacked a state."`,
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(command *cobra.Command, arguments []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return o.withdraw(command, f, name, arguments[0])
		},
	}
	f.add(command)
	command.Flags().StringVar(&name, "pipeline", "", "of which pipeline (default: the project's first)")
	return command
}

func (o *options) withdraw(command *cobra.Command, f *decideFlags, name, id string) error {
	ctx := command.Context()
	asJSON, err := o.json()
	if err != nil {
		return err
	}
	project, p, err := o.openPipeline(name)
	if err != nil {
		return err
	}
	now, err := (&runFlags{at: f.at}).clock()
	if err != nil {
		return err
	}
	s, err := openSessionAt(ctx, project, p.Name, now)
	if err != nil {
		return err
	}
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	lease, err := s.lease(ctx, "withdraw "+id)
	if err != nil {
		return err
	}
	latest, decision, err := s.withdraw(command, f, id)
	if err = errors.Join(err, lease.Release(ctx)); err != nil {
		return err
	}
	if asJSON {
		return printJSON(command.OutOrStdout(), map[string]string{"withdrawn": id, "latest": latest.Snapshot, "reason": decision.Reason})
	}
	fmt.Fprintf(command.OutOrStdout(), "withdrawn: %s. Readers see %s now.\n", id, latest.Snapshot)
	return nil
}

// withdraw turns the pointer back, then says so for ever.
func (s *session) withdraw(command *cobra.Command, f *decideFlags, id string) (*load.Snapshot, pipeline.Decision, error) {
	ctx := command.Context()
	decision := pipeline.Decision{Decision: pipeline.Withdraw, Snapshot: id, Reason: f.reason, Who: who(), At: s.now()}
	ledger := load.OpenLedger(s.store, s.p.Name)
	decisions, err := ledger.Decisions(ctx)
	if err != nil {
		return nil, decision, err
	}
	for _, before := range decisions {
		if before.Decision == pipeline.Withdraw && before.Snapshot == id {
			return nil, decision, &pipeline.Error{Kind: pipeline.Config, Subject: id, Problem: "it was withdrawn already", Where: before.Who + ", " + before.At.Format(time.RFC3339), Found: before.Reason}
		}
	}
	latest, err := load.Withdraw(ctx, s.store, s.p.Name, id, withdrawnIDs(decisions), s.now())
	if err != nil {
		return nil, decision, err
	}
	if err := ledger.Decide(ctx, decision); err != nil {
		return nil, decision, err
	}
	if err := load.WriteCatalog(ctx, s.store, s.p.Name, withdrawals(append(decisions, decision))); err != nil {
		return nil, decision, err
	}
	t, err := openTeller(s.project, s.p.Name, ledger, s.words)
	if err != nil {
		return nil, decision, err
	}
	if err := t.raise(ctx, notice.Withdrawn(s.about(latest.PeriodEnd, "", latest.Snapshot, s.project.Synthetic), id, f.reason)); err != nil {
		return nil, decision, err
	}
	if err := t.deliver(ctx, s.now()); err != nil {
		fmt.Fprintf(command.ErrOrStderr(), "the notice waits: %v\n", err)
	}
	return latest, decision, nil
}

// withdrawals lists what people have withdrawn.
func withdrawals(decisions []pipeline.Decision) []load.Withdrawal {
	var list []load.Withdrawal
	for _, decision := range decisions {
		if decision.Decision == pipeline.Withdraw {
			list = append(list, load.Withdrawal{Snapshot: decision.Snapshot, At: decision.At, Reason: decision.Reason})
		}
	}
	return list
}

func withdrawnIDs(decisions []pipeline.Decision) []string {
	var ids []string
	for _, one := range withdrawals(decisions) {
		ids = append(ids, one.Snapshot)
	}
	return ids
}

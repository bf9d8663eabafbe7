package main

import (
	"context"
	"fmt"
	"io"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tamiz/config"
	"tamiz/load"
	"tamiz/pipeline"
)

// decideFlags are the flags of approve, reject and withdraw.
type decideFlags struct {
	reason  string
	sources []string
	at      string
}

func (f *decideFlags) add(command *cobra.Command) {
	command.Flags().StringVar(&f.reason, "reason", "", "why, in a sentence; it is kept for ever, and public")
	addClock(command, &f.at)
}

func newApprove(o *options) *cobra.Command {
	f := &decideFlags{}
	command := &cobra.Command{
		Use: "approve [RUN]", Short: "publish a run that was held: what it asks about is real",
		Long: `Approve a run that was held, and publish what it made. The decision and its reason
are kept for ever. For a required source that failed for too long, to approve is to
declare it dead: its last version stays in use until it comes back. A run that breaks a
promise of the data, or that another edition has overtaken, cannot be approved.
Where one run alone waits, RUN may be left out.`,
		Example: `  tamiz status                                   tells which runs wait
  tamiz runs 20261201T060000.000-1a2b            what is in question, with rows
  tamiz approve 20261201T060000.000-1a2b --reason "The state confirmed the figures by telephone."`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(command *cobra.Command, arguments []string) error {
			return o.decide(command, f, pipeline.Approve, arguments)
		},
	}
	f.add(command)
	return command
}

func newReject(o *options) *cobra.Command {
	f := &decideFlags{}
	command := &cobra.Command{
		Use: "reject [RUN]", Short: "refuse what a held run stands on, and go on with the versions before",
		Long: `Reject a run that was held. Those versions of its sources that the latest edition does
not stand on are never used again; the versions before stay in use (carried forward), and
the run is made anew without them. The decision and its reason are kept for ever.`,
		Example: `  tamiz reject 20261201T060000.000-1a2b --reason "The file of deaths is incomplete."
  tamiz reject 20261201T060000.000-1a2b --source deaths_ssa --reason "Incomplete."`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(command *cobra.Command, arguments []string) error {
			return o.decide(command, f, pipeline.Reject, arguments)
		},
	}
	f.add(command)
	command.Flags().StringArrayVar(&f.sources, "source", nil, "refuse this source's version only (may be repeated; default: all that are new)")
	return command
}

// decide takes a decision about a held run, and carries it out.
func (o *options) decide(command *cobra.Command, f *decideFlags, decision string, arguments []string) error {
	asJSON, err := o.json()
	if err != nil {
		return err
	}
	if err := f.check(); err != nil {
		return err
	}
	project, err := o.openProject()
	if err != nil {
		return err
	}
	flags := &runFlags{fetch: true, at: f.at}
	now, err := flags.clock()
	if err != nil {
		return err
	}
	s, held, err := findHeld(command.Context(), project, arguments, now)
	if err != nil {
		return err
	}
	if err := s.take(command.Context(), f, decision, held); err != nil {
		return err
	}
	out := io.Writer(command.OutOrStdout())
	if asJSON {
		out = io.Discard
	}
	flags.asOf = held.record.Period
	if decision == pipeline.Approve {
		flags.pinned = held.record.ID
	}
	if !held.record.DueAt.IsZero() {
		flags.due = held.record.DueAt.Format(time.RFC3339)
	}
	record, err := s.run(command.Context(), flags, out, o.flagText())
	if asJSON && record != nil {
		return printOr(command, record, err)
	}
	return err
}

func printOr(command *cobra.Command, record *pipeline.RunRecord, err error) error {
	if printErr := printJSON(command.OutOrStdout(), []*pipeline.RunRecord{record}); err == nil {
		return printErr
	}
	return err
}

func (f *decideFlags) check() error {
	if strings.TrimSpace(f.reason) == "" {
		return &pipeline.Error{Kind: pipeline.Config, Problem: "a decision needs a reason", Hint: `add --reason "…": it is kept for ever, and public; name no private person`}
	}
	return nil
}

// findHeld finds the held run that is meant, or the only one that waits.
func findHeld(ctx context.Context, project *config.Project, arguments []string, now func() time.Time) (*session, *heldRun, error) {
	var found *session
	var ids []string
	for _, name := range project.Pipelines {
		s, err := openSessionAt(ctx, project, name, now)
		if err != nil {
			return nil, nil, err
		}
		list, err := waiting(ctx, s.store, name)
		if err != nil {
			return nil, nil, err
		}
		if len(arguments) == 1 {
			held, err := s.heldRun(ctx, arguments[0])
			if err == nil || name == project.Pipelines[len(project.Pipelines)-1] {
				return s, held, err
			}
			continue
		}
		for _, verdict := range list {
			found, ids = s, append(ids, verdict.Run)
		}
	}
	if len(ids) == 0 {
		return nil, nil, &pipeline.Error{Kind: pipeline.Config, Problem: "no run waits for a decision", Hint: self() + " status tells when one does"}
	}
	if len(ids) > 1 {
		return nil, nil, &pipeline.Error{Kind: pipeline.Config, Problem: count(len(ids)) + " runs wait for a decision", Found: strings.Join(ids, "\n"), Hint: "name the run that is meant"}
	}
	held, err := found.heldRun(ctx, ids[0])
	return found, held, err
}

// waiting lists the runs of a pipeline that wait for a decision: held, not
// decided about, and not overtaken by another edition or a later period.
func waiting(ctx context.Context, store load.Store, name string) ([]pipeline.PeriodVerdict, error) {
	ledger := load.OpenLedger(store, name)
	verdicts, err := ledger.Verdicts(ctx)
	if err != nil {
		return nil, err
	}
	decisions, err := ledger.Decisions(ctx)
	if err != nil {
		return nil, err
	}
	var list []pipeline.PeriodVerdict
	for _, verdict := range verdicts {
		switch {
		case verdict.Verdict == pipeline.Held && pipeline.DecisionOn(decisions, verdict.Run) == nil:
			list = append(list, verdict)
		case verdict.Verdict == pipeline.Published:
			list = nil
		}
	}
	if len(list) > 1 { // each later one was made in place of those before
		list = list[len(list)-1:]
	}
	return list, nil
}

// take records a decision; one that was taken already, but not carried out to
// the end, is not recorded again.
func (s *session) take(ctx context.Context, f *decideFlags, decision string, held *heldRun) error {
	ledger := load.OpenLedger(s.store, s.p.Name)
	known, err := ledger.Decisions(ctx)
	if err != nil {
		return err
	}
	if before := pipeline.DecisionOn(known, held.record.ID); before != nil && before.Decision == decision {
		return nil
	}
	d := pipeline.Decision{Decision: decision, Run: held.record.ID, Reason: f.reason, Who: who(), At: s.now()}
	if decision == pipeline.Approve {
		err = s.approve(ctx, &d, held)
	} else {
		err = s.reject(ctx, &d, held, f.sources)
	}
	if err != nil {
		return err
	}
	return ledger.Decide(ctx, d)
}

// approve wants all holds to be questions, and the run to be the newest.
func (s *session) approve(ctx context.Context, d *pipeline.Decision, held *heldRun) error {
	for _, hold := range held.record.Holds {
		if !hold.Approvable {
			return &pipeline.Error{Kind: pipeline.Config, Subject: held.record.ID, Problem: "this cannot be approved: " + s.words.Say("en", hold.Because), Found: fmt.Sprintf("%.300s", hold.Details),
				Hint: fmt.Sprintf("mend what is broken and run again, or go on with the versions before: %s reject %s --reason \"…\"", self(), held.record.ID)}
		}
		d.Gates = append(d.Gates, hold.Gate)
		if hold.Kind == pipeline.HoldDead {
			d.Dead = append(d.Dead, hold.Source)
		}
	}
	return s.newest(ctx, held)
}

// newest wants no other edition to have been published since a run was held.
func (s *session) newest(ctx context.Context, held *heldRun) error {
	latest, _, err := s.latest(ctx)
	if err != nil {
		return err
	}
	now := pipeline.Digest("")
	if latest != nil {
		now = latest.Digest
	}
	if now == held.before() {
		return nil
	}
	return &pipeline.Error{Kind: pipeline.Config, Subject: held.record.ID, Problem: "it was overtaken: another edition has been published since",
		Found: latestName(latest), Hint: self() + " run makes a new run; if it is held as well, decide about that one"}
}

// reject names the versions that may not be used again: those that the latest
// edition does not stand on, or those of the sources that are given.
func (s *session) reject(ctx context.Context, d *pipeline.Decision, held *heldRun, only []string) error {
	latest, _, err := s.latest(ctx)
	if err != nil {
		return err
	}
	published := map[string][]pipeline.Pin{}
	if latest != nil {
		published = pinsOf(latest).Sources
	}
	d.Refused = map[string][]pipeline.Digest{}
	var isNew []string
	for name, pins := range held.pins.Sources {
		if pipeline.SameFiles(pins, published[name]) || len(pins) == 0 {
			continue
		}
		isNew = append(isNew, name)
		if len(only) > 0 && !slices.Contains(only, name) {
			continue
		}
		for _, pin := range pins {
			d.Refused[name] = append(d.Refused[name], pin.Identity())
		}
	}
	slices.Sort(isNew)
	if len(isNew) == 0 {
		return &pipeline.Error{Kind: pipeline.Config, Subject: held.record.ID, Problem: "none of its sources is new: what changed is the method, the SQL or a card",
			Hint: "set that back and run again, or approve the run if the change is meant"}
	}
	for _, name := range only {
		if d.Refused[name] == nil {
			return &pipeline.Error{Kind: pipeline.Config, Subject: name, Problem: "the held run has no new version of this source", Found: "new: " + strings.Join(isNew, ", ")}
		}
	}
	return nil
}

// who names the account and the machine of whoever decides.
func who() string {
	account, err := user.Current()
	if err != nil {
		return "someone on " + machine()
	}
	return account.Username + " on " + machine()
}

// whatToDecide says which one decision a held run waits for.
func whatToDecide(record *pipeline.RunRecord, flags string) []string {
	approve := fmt.Sprintf("%s approve %s --reason \"…\"%s", self(), record.ID, flags)
	reject := fmt.Sprintf("%s reject %s --reason \"…\"%s", self(), record.ID, flags)
	for _, hold := range record.Holds {
		switch {
		case hold.Kind == pipeline.HoldDamaged:
			return []string{"One decision: bring the file back as it was (put it into its folder), or go on with the version before:", "  " + reject}
		case !hold.Approvable:
			return []string{"This cannot be approved. Mend what is broken and run again, or go on with the versions before:", "  " + reject}
		case hold.Kind == pipeline.HoldDead:
			return []string{"One decision: bring a file of " + hold.Source + " (put it into its inbox), or declare the source dead, so that its last version stays in use:", "  " + approve}
		}
	}
	return []string{"One decision: if it is real, publish it; if not, go on with the versions before.", "  " + approve, "  " + reject}
}

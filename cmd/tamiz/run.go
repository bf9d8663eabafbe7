package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"tamiz/pipeline"
)

// runFlags are the flags of run and plan.
type runFlags struct {
	selectors, excluded []string
	fullRefresh, dryRun bool
	fetch               bool
	workers             int
	asOf                string
	at, due             string // RFC 3339
	pinned              string // a run whose pins are taken
	fetchOnly           bool
}

func (f *runFlags) add(command *cobra.Command) {
	flags := command.Flags()
	flags.StringArrayVar(&f.selectors, "select", nil, "only these tables: name, +name (and what it stands on), name+ (and what stands on it)")
	flags.StringArrayVar(&f.excluded, "exclude", nil, "not these tables")
	flags.BoolVar(&f.fullRefresh, "full-refresh", false, "run steps again even if their results are there, and compare")
	flags.StringVar(&f.asOf, "as-of", "", "the date of the run, such as 2026-11-29 (default: yesterday)")
}

func (f *runFlags) date() (time.Time, error) {
	if f.asOf == "" {
		return time.Time{}, nil
	}
	date, err := time.Parse(pipeline.DateLayout, f.asOf)
	if err != nil {
		return date, &pipeline.Error{Kind: pipeline.Config, Problem: fmt.Sprintf("--as-of %q is not a date such as 2026-11-29", f.asOf)}
	}
	return date, nil
}

func newRun(o *options) *cobra.Command {
	f := &runFlags{}
	command := &cobra.Command{
		Use:   "run [PIPELINE]",
		Short: "from raw files to a checked, published snapshot",
		Long: `Look at the sources, run what is not up to date, check, and publish a snapshot.
Exit codes: 0 published or nothing new; 1 finished but held or failed; 2 a mistake
in flags or configuration; 75 another run is at work; 130 interrupted.`,
		Example: `  tamiz run                            all pipelines of this folder's project
  tamiz run mx --project demo
  tamiz run mx --dry-run               only say what would run, and why
  tamiz run mx --select +schools       only schools and what it stands on; publishes nothing
  tamiz run mx --full-refresh          run everything again and compare with what is there`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(command *cobra.Command, arguments []string) error {
			if f.dryRun {
				f.fetch = true
				return planAll(command, o, f, arguments)
			}
			return runAll(command, o, f, arguments)
		},
	}
	f.add(command)
	command.Flags().BoolVar(&f.dryRun, "dry-run", false, "only say what would run, and why")
	command.Flags().BoolVar(&f.fetch, "fetch", true, "look at the sources anew; --fetch=false takes the files of the last run")
	command.Flags().IntVar(&f.workers, "workers", 0, "steps beside each other (default: one a core)")
	command.Flags().StringVar(&f.due, "due", "", "the run is the schedule's, due at this time, such as 2026-12-01T06:00:00-06:00")
	addClock(command, &f.at)
	return command
}

func addClock(command *cobra.Command, at *string) {
	command.Flags().StringVar(at, "at", "", "act as if it were this time now, such as 2026-12-01T06:00:00-06:00 (tests, backfills)")
}

// clock is the clock of the run: the machine's or, with --at, one that began
// at that time when the process did.
func (f *runFlags) clock() (func() time.Time, error) {
	if f.at == "" {
		return time.Now, nil
	}
	at, err := parseTime("--at", f.at)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	return func() time.Time { return at.Add(time.Since(began)) }, nil
}

func parseTime(flag, text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, &pipeline.Error{Kind: pipeline.Config, Problem: fmt.Sprintf("%s %q is not a time such as 2026-12-01T06:00:00-06:00", flag, text)}
	}
	return at, nil
}

func runAll(command *cobra.Command, o *options, f *runFlags, arguments []string) error {
	project, names, asJSON, err := o.opened(arguments)
	if err != nil {
		return err
	}
	var records []*pipeline.RunRecord
	var errs []error
	now, err := f.clock()
	if err != nil {
		return err
	}
	for _, name := range names {
		out := io.Writer(command.OutOrStdout())
		if asJSON {
			out = io.Discard
		}
		s, err := openSessionAt(command.Context(), project, name, now)
		if err != nil {
			return err
		}
		record, err := s.run(command.Context(), f, out, o.flagText())
		if record != nil {
			records = append(records, record)
		}
		errs = append(errs, err)
	}
	if asJSON {
		errs = append(errs, printJSON(command.OutOrStdout(), records))
	}
	return errors.Join(errs...)
}

// run is one walk from the sources to a verdict.
func (s *session) run(ctx context.Context, f *runFlags, out io.Writer, flags string) (*pipeline.RunRecord, error) {
	r, err := s.begin(ctx, f, out)
	if err != nil {
		return nil, err
	}
	defer r.end()
	err = r.walk()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if lost := r.lostLease(); lost != nil {
		return nil, lost
	}
	if pipeline.KindOf(err) == pipeline.Busy { // it has not begun
		return nil, errors.Join(err, os.RemoveAll(r.runs.Dir(r.record.ID)))
	}
	if err != nil {
		r.record.Verdict, r.record.Reason, r.record.Because = pipeline.FailedRun, firstLine(err), whyFailed(err)
	}
	if finishErr := r.finish(); finishErr != nil && !(r.record.Verdict == pipeline.FailedRun && pipeline.KindOf(err) == pipeline.Storage) {
		err = errors.Join(err, finishErr) // else the same store says the same again
	}
	if r.record.Verdict != pipeline.Partial {
		err = errors.Join(err, r.tellOperator(err))
	}
	if r.record.Verdict == pipeline.Published {
		r.unsent = r.sendEvents()
	}
	r.keepHouse()
	r.tell(flags, err)
	if err == nil && r.record.Verdict == pipeline.Held {
		err = errHeld
	}
	return r.record, err
}

// walk looks, plans, runs, judges and publishes.
func (r *runState) walk() error {
	if isSettled, err := r.enter(); err != nil || isSettled {
		return err
	}
	if err := r.pin(); err != nil {
		return err
	}
	if r.latest != nil && r.pins.PeriodEnd < r.latest.PeriodEnd {
		return &pipeline.Error{Kind: pipeline.Config, Problem: "this run is for an earlier period than the latest snapshot",
			Found: r.pins.PeriodEnd + ", latest " + r.latest.Snapshot, Hint: "give a later --as-of, or use another store"}
	}
	if err := r.plan(); err != nil {
		return err
	}
	if err := r.verifyRaw(); err != nil {
		return err
	}
	if r.mustWait(r.record.Holds) { // before steps that may not be able to run
		return nil
	}
	if err := r.steps(); err != nil {
		return err
	}
	if r.flags.partial() {
		r.record.Verdict, r.record.Reason = pipeline.Partial, "only a selection was run"
		return nil
	}
	return r.judge()
}

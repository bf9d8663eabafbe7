package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"tamiz/pipeline"
)

func newFetch(o *options) *cobra.Command {
	f := &runFlags{fetch: true, fetchOnly: true}
	command := &cobra.Command{
		Use: "fetch [PIPELINE]", Short: "look at the sources, and keep what is new for the next run",
		Long: `Look at the sources between two periods: what is new is archived, judged and noted, and
nothing is computed or published. A source that is down is known early, and a source whose
history counts (deaths that are registered late) loses no version.`,
		Example: "  tamiz fetch\n  tamiz fetch mx -o json",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE:    func(command *cobra.Command, arguments []string) error { return fetchAll(command, o, f, arguments) },
	}
	addClock(command, &f.at)
	return command
}

func fetchAll(command *cobra.Command, o *options, f *runFlags, arguments []string) error {
	project, names, asJSON, err := o.opened(arguments)
	if err != nil {
		return err
	}
	now, err := f.clock()
	if err != nil {
		return err
	}
	seen := map[string][]pipeline.SourceRecord{}
	for _, name := range names {
		s, err := openSessionAt(command.Context(), project, name, now)
		if err != nil {
			return err
		}
		r, err := s.begin(command.Context(), f, command.ErrOrStderr())
		if err != nil {
			return err
		}
		if err := r.fetch(); err != nil {
			r.end()
			return err
		}
		r.end()
		seen[name] = r.record.Sources
		if !asJSON {
			r.out = command.OutOrStdout()
			fmt.Fprintf(r.out, "%s: %s seen, %s changed since the last run\n", name, plural(len(r.record.Sources), "source", "sources"), plural(r.changed, "source", "sources"))
			r.tellSources(false)
		}
	}
	if asJSON {
		return printJSON(command.OutOrStdout(), seen)
	}
	return nil
}

// fetch looks at the world and keeps what it saw.
func (r *runState) fetch() error {
	if _, err := r.enter(); err != nil {
		return err
	}
	if err := r.pin(); err != nil {
		return err
	}
	r.record.Verdict, r.record.Reason = pipeline.Partial, "the sources were looked at"
	r.record.FinishedAt = r.now().UTC()
	if err := r.runs.WriteRecord(r.record); err != nil {
		return err
	}
	return errors.Join(r.giveObservations(r.ctx), r.tellOperator(nil))
}

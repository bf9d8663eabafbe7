package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
	_ "time/tzdata" // schedules keep to their clocks on machines without a time zone database

	"github.com/gofrs/flock"
	"github.com/spf13/cobra"

	"tamiz/config"
	"tamiz/load"
	"tamiz/pipeline"
	"tamiz/schedule"
)

// scheduleFlags are the flags of schedule.
type scheduleFlags struct {
	once       bool
	at, listen string
	beside     int
	executable string // what a job runs: this program
}

// jobGrace is how long a job that is asked to stop may take.
const jobGrace = 30 * time.Second

func newSchedule(o *options) *cobra.Command {
	f := &scheduleFlags{}
	command := &cobra.Command{
		Use:   "schedule [PIPELINE…]",
		Short: "run pipelines when they fall due, for years",
		Long: `Watch the clock and the ledger, and run each pipeline when a period falls due (schedule:
in pipeline.yml, or in tamiz.yml). Each run is a process of its own, with limits. What was
missed is caught up; what failed is tried again; what is held waits for a person. It may be
stopped and started at any time: the ledger in the store knows what is done. When it is to
run is read once, at the start.
Exit codes: 0 stopped, or all that was due is done; 1 (with --once) something was held or
failed; 2 a mistake in flags or configuration; 75 another daemon is at work in this project.`,
		Example: `  tamiz schedule --project demo
  tamiz schedule mx np --listen 127.0.0.1:9464    also serve /healthz and /metrics
  tamiz schedule --once                           do what is due now, and end
  tamiz schedule --once --at 2026-12-01T12:00:00Z as if it were then`,
		Args: args(cobra.ArbitraryArgs),
		RunE: func(command *cobra.Command, arguments []string) (err error) {
			if f.executable, err = os.Executable(); err != nil {
				return fmt.Errorf("find this program: %w", err)
			}
			return runSchedule(command.Context(), command.OutOrStdout(), command.ErrOrStderr(), o, f, arguments)
		},
	}
	flags := command.Flags()
	flags.BoolVar(&f.once, "once", false, "do what is due now, and end")
	addClock(command, &f.at)
	flags.StringVar(&f.listen, "listen", "", "serve /healthz and /metrics at this address, such as 127.0.0.1:9464 (default: nowhere)")
	flags.IntVar(&f.beside, "beside", 1, "how many pipelines may run beside each other")
	return command
}

func runSchedule(ctx context.Context, out, errOut io.Writer, o *options, f *scheduleFlags, names []string) error {
	asJSON, err := o.json()
	if err != nil {
		return err
	}
	now, err := (&runFlags{at: f.at}).clock()
	if err != nil {
		return err
	}
	project, err := o.openProject()
	if err != nil {
		return err
	}
	sayer, err := openWords()
	if err != nil {
		return err
	}
	watched, err := watchedPipelines(ctx, project, names)
	if err != nil {
		return err
	}
	unlock, err := lockSchedule(project)
	if err != nil {
		return err
	}
	defer unlock()
	logs := openScheduleLogs(project, errOut)
	defer logs.events.Sync()
	daemon := &schedule.Daemon{Pipelines: watched, AtOnce: f.beside, Now: now, Log: logs.events, Machine: machine(), Say: func(sentence pipeline.Sentence) map[string]string { return sayer.All(sentence) },
		Launcher: &schedule.Process{Executable: f.executable, Warehouse: project.Warehouse, Grace: jobGrace, Output: logs.output,
			Arguments: func(job schedule.Job) []string { return o.jobArguments(project, job, f.at != "", now()) }}}
	d := &duty{project: project, daemon: daemon, log: logs.events}
	daemon.After = d.after
	if !f.once {
		var telling sync.WaitGroup
		telling.Go(func() { d.rounds(ctx) })
		defer telling.Wait()
		return keepWatch(ctx, daemon, f.listen, logs.events)
	}
	outcomes, err := daemon.Once(ctx)
	d.round(ctx)
	if tellErr := tellOutcomes(out, asJSON, outcomes, daemon.States()); err == nil {
		err = tellErr
	}
	if err == nil {
		err = judgeOutcomes(outcomes)
	}
	return err
}

// watchedPipelines gives the pipelines that are named, or all of the project
// that have a schedule.
func watchedPipelines(ctx context.Context, project *config.Project, names []string) ([]schedule.Watched, error) {
	store, err := openStore(ctx, project)
	if err != nil {
		return nil, err
	}
	wanted := names
	if len(names) == 0 {
		wanted = project.Pipelines
	}
	var watched []schedule.Watched
	for i, name := range wanted {
		if slices.Contains(wanted[:i], name) {
			continue
		}
		if _, err := pipelines(project, []string{name}); err != nil {
			return nil, err
		}
		p, err := project.Pipeline(name)
		if err != nil {
			return nil, err
		}
		if p.Schedule != nil {
			watched = append(watched, schedule.Watched{Name: name, Schedule: p.Schedule, Calendar: p.Calendar, Ledger: load.OpenLedger(store, name)})
		} else if len(names) > 0 {
			return nil, withoutSchedule(project, name)
		}
	}
	if len(watched) == 0 {
		return nil, withoutSchedule(project, project.Pipelines[0])
	}
	return watched, nil
}

func withoutSchedule(project *config.Project, name string) error {
	return &pipeline.Error{Kind: pipeline.Config, Subject: name, Problem: "it has no schedule", Where: "config/" + name + "/pipeline.yml",
		Hint: "write when its periods fall due, such as schedule: {due: +2d 06:00}, there or in " + filepath.Join(project.Dir, config.ProjectFile) + " under schedule: " + name}
}

// lockSchedule keeps other daemons of this project away.
func lockSchedule(project *config.Project) (func(), error) {
	if _, err := pipeline.OpenWarehouse(project.Warehouse); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(project.Warehouse, scheduleLock))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, &pipeline.Error{Kind: pipeline.Storage, Problem: "lock the schedule", Err: err}
	}
	if !ok {
		return nil, &pipeline.Error{Kind: pipeline.Busy, Problem: "another tamiz schedule is at work in this project", Where: project.Dir,
			Hint: "one is enough; stop it first if you want to start another"}
	}
	return func() { lock.Unlock() }, nil
}

// jobArguments are the words after the program's name.
func (o *options) jobArguments(project *config.Project, job schedule.Job, shifted bool, now time.Time) []string {
	words := []string{"fetch", job.Pipeline, "--project", project.Dir}
	if job.Slot != nil {
		words = []string{"run", job.Pipeline, "--project", project.Dir, "--as-of", job.Slot.Period, "--due", job.Slot.DueAt.UTC().Format(time.RFC3339)}
	}
	if shifted {
		words = append(words, "--at", now.UTC().Format(time.RFC3339))
	}
	for _, text := range o.vars {
		words = append(words, "--var", text)
	}
	return words
}

// scheduled is what tamiz schedule --once did, for machines.
type scheduled struct {
	Pipeline string           `json:"pipeline"`
	Period   string           `json:"period"`
	DueAt    time.Time        `json:"due_at"`
	Verdict  pipeline.Verdict `json:"verdict,omitempty"` // none: another run was at work, or it could not even fail
	Run      string           `json:"run,omitempty"`
	Snapshot string           `json:"snapshot,omitempty"`
	End      schedule.EndKind `json:"end"`
	Code     int              `json:"exit_code"`
}

func tellOutcomes(out io.Writer, asJSON bool, outcomes []schedule.Outcome, states []schedule.State) error {
	done := make([]scheduled, len(outcomes))
	for i, outcome := range outcomes {
		done[i] = scheduled{Pipeline: outcome.Job.Pipeline, Period: outcome.Job.Slot.Period, DueAt: outcome.Job.Slot.DueAt, Run: outcome.End.Run, End: outcome.End.Kind, Code: outcome.End.Code}
		if verdict := outcome.Verdict; verdict != nil {
			done[i].Verdict, done[i].Run, done[i].Snapshot = verdict.Verdict, verdict.Run, verdict.Snapshot
		}
	}
	if asJSON {
		return printJSON(out, done)
	}
	for _, one := range done {
		verdict := string(one.Verdict)
		if verdict == "" {
			verdict = fmt.Sprintf("no verdict (%s, exit code %d)", one.End, one.Code)
		}
		fmt.Fprintf(out, "%s  the period to %s, due %s: %s\n", one.Pipeline, one.Period, one.DueAt.Format("2006-01-02 15:04 MST"), verdict)
	}
	for _, state := range states {
		if state.Next != nil {
			fmt.Fprintf(out, "%s  next: the period to %s falls due %s\n", state.Pipeline, state.Next.Period, state.Next.DueAt.Format("2006-01-02 15:04 MST"))
		}
	}
	return nil
}

// judgeOutcomes gives the error, and so the exit code, that tells of the worst
// outcome.
func judgeOutcomes(outcomes []schedule.Outcome) error {
	for _, outcome := range outcomes {
		if outcome.End.Busy() {
			return &pipeline.Error{Kind: pipeline.Busy, Subject: outcome.Job.Pipeline, Problem: "another run is at work", Hint: "wait until it ends, then come again"}
		}
	}
	for _, outcome := range outcomes {
		if verdict := outcome.Verdict; verdict == nil || verdict.Verdict == pipeline.Held || verdict.Verdict == pipeline.FailedRun {
			return errHeld
		}
	}
	return nil
}

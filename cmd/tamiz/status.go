package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tamiz/config"
	"tamiz/load"
	"tamiz/pipeline"
	"tamiz/schedule"
	"tamiz/schedule/notice"
)

// openSnapshot opens a project's store and one snapshot, the latest if id is
// empty.
func openSnapshot(ctx context.Context, project *config.Project, name, id string) (load.Local, *load.Snapshot, error) {
	store, err := openStore(ctx, project)
	if err != nil {
		return nil, nil, err
	}
	var snapshot *load.Snapshot
	if id == "" {
		snapshot, err = load.ReadLatest(ctx, store, name)
	} else {
		snapshot, err = load.ReadSnapshot(ctx, store, name, id)
	}
	if errors.Is(err, fs.ErrNotExist) || (err == nil && snapshot == nil) {
		what := "snapshot " + id
		if id == "" {
			what = "snapshot of " + name
		}
		return nil, nil, &pipeline.Error{Kind: pipeline.Config, Problem: "there is no " + what, Where: storeName(project, name),
			Hint: "tamiz run makes one; tamiz snapshots lists those that are there"}
	}
	return store, snapshot, err
}

// pipelineStatus is what status tells of one pipeline.
type pipelineStatus struct {
	Pipeline  string          `json:"pipeline"`
	Latest    string          `json:"latest_snapshot"`
	Synthetic bool            `json:"synthetic"`
	Run       string          `json:"last_run"`
	Verdict   string          `json:"last_verdict"`
	Reason    string          `json:"reason,omitempty"`
	At        time.Time       `json:"last_run_finished_at"`
	Steps     int             `json:"steps_run"`
	Periods   []periodStatus  `json:"periods"` // the last ones, the latest first
	Waiting   []waitingStatus `json:"waiting_for_a_decision"`
	Carried   []string        `json:"carried_forward"`
	LeftOut   []string        `json:"left_out,omitempty"` // the sources, and what that means
	NextDue   time.Time       `json:"next_due,omitzero"`
	Notices   int             `json:"notices_not_sent"`
}

// periodStatus is a period and its verdict.
type periodStatus struct {
	Period   string            `json:"period_end"`
	Verdict  string            `json:"verdict"`
	Snapshot string            `json:"snapshot,omitempty"`
	At       time.Time         `json:"at"`
	Reason   map[string]string `json:"reason"`
}

// waitingStatus is a held run and what it asks.
type waitingStatus struct {
	Run    string            `json:"run"`
	Period string            `json:"period_end"`
	Since  time.Time         `json:"since"`
	Reason map[string]string `json:"reason"`
	Decide []string          `json:"decide"`
}

// shownPeriods is how many periods status tells.
const shownPeriods = 6

func newStatus(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "status [PIPELINE]", Short: "what is published, what waits for a decision, and how the last runs went",
		Example: "  tamiz status\n  tamiz status mx -o json",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(command *cobra.Command, arguments []string) error {
			return o.each(command, arguments, func(project *config.Project, name string) (any, error) {
				return statusOf(command.Context(), project, name, o.flagText())
			}, func(value any) { value.(*pipelineStatus).tell(command.OutOrStdout()) })
		},
	}
}

func (s *pipelineStatus) tell(w io.Writer) {
	mark := ""
	if s.Synthetic {
		mark = " (synthetic data)"
	}
	latest := s.Latest
	if latest == "" {
		latest = "nothing yet"
	}
	fmt.Fprintf(w, "%s\n  published  %s%s\n", s.Pipeline, latest, mark)
	if s.Run == "" {
		fmt.Fprintf(w, "  last run   none; tamiz run makes one\n")
	} else {
		fmt.Fprintf(w, "  last run   %s: %s, %s run, finished %s\n", s.Run, s.Verdict, plural(s.Steps, "step", "steps"), s.At.Format("2006-01-02 15:04 MST"))
	}
	if s.Reason != "" {
		fmt.Fprintf(w, "  reason     %s\n", s.Reason)
	}
	if !s.NextDue.IsZero() {
		fmt.Fprintf(w, "  next due   %s\n", s.NextDue.Format("Monday 2006-01-02 15:04 MST"))
	}
	if len(s.Carried) > 0 {
		fmt.Fprintf(w, "  carried    %s: an earlier version stays in use; tamiz sources tells why\n", strings.Join(s.Carried, ", "))
	}
	for _, line := range s.LeftOut {
		fmt.Fprintf(w, "  left out   %s\n", line)
	}
	if s.Notices > 0 {
		fmt.Fprintf(w, "  notices    %s not sent yet; tamiz doctor tells why\n", plural(s.Notices, "letter is", "letters are"))
	}
	for _, period := range s.Periods {
		fmt.Fprintf(w, "  %s  %-12s %s\n", period.Period, period.Verdict, period.Reason["en"])
	}
	for _, one := range s.Waiting {
		fmt.Fprintf(w, "\n  %s  %s, since %s: %s\n", paint(w, yellow, "waits for a decision"), one.Run, one.Since.Format("2006-01-02 15:04 MST"), one.Reason["en"])
		for _, line := range one.Decide {
			fmt.Fprintf(w, "    %s\n", line)
		}
	}
}

func statusOf(ctx context.Context, project *config.Project, name, flags string) (any, error) {
	status := &pipelineStatus{Pipeline: name, Periods: []periodStatus{}, Waiting: []waitingStatus{}, Carried: []string{}}
	p, err := project.Pipeline(name)
	if err != nil {
		return nil, err
	}
	store, err := openStore(ctx, project)
	if err != nil {
		return nil, err
	}
	snapshot, err := load.ReadLatest(ctx, store, name)
	if err != nil {
		return nil, err
	}
	if snapshot != nil {
		status.Latest, status.Synthetic = snapshot.Snapshot, snapshot.Synthetic
	}
	if err := status.lastRun(project, name); err != nil {
		return nil, err
	}
	if err := status.ledger(ctx, store, name, flags); err != nil {
		return nil, err
	}
	if p.Schedule != nil {
		if slot, ok := schedule.Next(p.Schedule, p.Calendar, time.Now()); ok {
			status.NextDue = slot.DueAt
		}
	}
	unsent, err := notice.OpenOutbox(outboxDir(project, name), nil, nil, "").Waiting(time.Now())
	status.Notices = len(unsent)
	return status, err
}

// lastRun tells how the last run on this machine went.
func (s *pipelineStatus) lastRun(project *config.Project, name string) error {
	records, err := runRecords(project, name)
	if err != nil || len(records) == 0 {
		return err
	}
	last := records[len(records)-1]
	s.Run, s.Verdict, s.Reason, s.At = last.ID, string(last.Verdict), last.Reason, last.FinishedAt
	for _, step := range last.Steps {
		if step.Ran {
			s.Steps++
		}
	}
	for _, source := range last.Sources {
		if source.State == sourceLeftOut {
			s.LeftOut = append(s.LeftOut, source.Source+": "+source.Effect)
		}
	}
	return nil
}

// ledger tells the verdicts of the last periods, and what waits.
func (s *pipelineStatus) ledger(ctx context.Context, store load.Store, name, flags string) error {
	verdicts, err := load.OpenLedger(store, name).Verdicts(ctx)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for i := len(verdicts) - 1; i >= 0 && len(s.Periods) < shownPeriods; i-- {
		if seen[verdicts[i].Period] {
			continue
		}
		seen[verdicts[i].Period] = true
		verdict := pipeline.VerdictOf(verdicts, verdicts[i].Period)
		s.Periods = append(s.Periods, periodStatus{verdict.Period, string(verdict.Verdict), verdict.Snapshot, verdict.At, verdict.Reason})
	}
	if len(verdicts) > 0 && verdicts[len(verdicts)-1].Carried != nil {
		s.Carried = verdicts[len(verdicts)-1].Carried
	}
	list, err := waiting(ctx, store, name)
	if err != nil {
		return err
	}
	for _, verdict := range list {
		var record pipeline.RunRecord
		if err := load.ReadJSON(ctx, store, runKey(name, verdict.Run, pipeline.RunRecordFile), &record); err != nil {
			return err
		}
		s.Waiting = append(s.Waiting, waitingStatus{verdict.Run, verdict.Period, verdict.At, verdict.Reason, whatToDecide(&record, flags)})
	}
	return nil
}

// runRecords reads the records of all runs that were not interrupted.
func runRecords(project *config.Project, name string) ([]*pipeline.RunRecord, error) {
	warehouse, err := pipeline.OpenWarehouse(project.Warehouse)
	if err != nil {
		return nil, err
	}
	runs := warehouse.OpenRuns(name)
	ids, err := runs.IDs()
	if err != nil {
		return nil, err
	}
	var records []*pipeline.RunRecord
	for _, id := range ids {
		record, err := runs.Record(id)
		if errors.Is(err, fs.ErrNotExist) {
			record, err = &pipeline.RunRecord{ID: id, Pipeline: name, Verdict: "interrupted"}, nil
		}
		if err != nil {
			return nil, err
		}
		records = append(records, record)
	}
	return records, nil
}

func newRuns(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "runs [RUN]", Short: "the runs so far, or one of them with its steps and offending rows",
		Example: "  tamiz runs\n  tamiz runs 20261122T060000.000-1a2b\n  tamiz runs -o json",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(command *cobra.Command, arguments []string) error {
			wanted := ""
			if len(arguments) == 1 {
				wanted = arguments[0]
			}
			return o.each(command, nil, func(project *config.Project, name string) (any, error) {
				records, err := runRecords(project, name)
				if err != nil || wanted == "" {
					return records, err
				}
				for _, record := range records {
					if record.ID == wanted {
						return []*pipeline.RunRecord{record}, nil
					}
				}
				return storedRun(command.Context(), project, name, wanted)
			}, func(value any) {
				records := value.([]*pipeline.RunRecord)
				if wanted != "" {
					tellRun(command, records[0])
					return
				}
				var rows [][]string
				for _, record := range records {
					ran := 0
					for _, step := range record.Steps {
						if step.Ran {
							ran++
						}
					}
					rows = append(rows, []string{record.ID, record.Pipeline, string(record.Verdict), record.Snapshot, count(ran), record.Reason})
				}
				table(command.OutOrStdout(), []string{"run", "pipeline", "verdict", "snapshot", "steps run", "reason"}, rows)
			})
		},
	}
}

// storedRun reads a run of another machine, if it gave its period a verdict.
func storedRun(ctx context.Context, project *config.Project, name, id string) ([]*pipeline.RunRecord, error) {
	store, err := openStore(ctx, project)
	if err != nil {
		return nil, err
	}
	record := &pipeline.RunRecord{}
	err = load.ReadJSON(ctx, store, runKey(name, id, pipeline.RunRecordFile), record)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &pipeline.Error{Kind: pipeline.Config, Problem: "there is no run " + id, Hint: "tamiz runs lists those of this machine, tamiz status those that wait for a decision"}
	}
	return []*pipeline.RunRecord{record}, err
}

func tellRun(command *cobra.Command, record *pipeline.RunRecord) {
	w := command.OutOrStdout()
	fmt.Fprintf(w, "%s  %s  %s %s\n%s, peak memory %s, %d workers, DuckDB %s, %v\n\n", record.ID, record.Pipeline, record.Verdict, record.Reason,
		record.FinishedAt.Sub(record.StartedAt).Round(time.Millisecond), size(record.PeakMemory), record.Workers, record.DuckDB, record.Platform)
	var rows [][]string
	for _, step := range record.Steps {
		state := "up to date"
		if step.Ran {
			state = fmt.Sprintf("%.2f s", step.Seconds)
		}
		rows = append(rows, []string{step.Step, count(step.Rows), count(step.Aside), state, step.Reason})
	}
	table(w, []string{"step", "rows", "set aside", "time", "why"}, rows)
	for _, step := range record.Steps {
		for _, check := range step.Checks {
			if check.Failing > 0 {
				fmt.Fprintf(w, "\n%s: %s in %s: %s of %s rows\n  %s\n", check.Severity, check.Name, check.Table, count(check.Failing), count(check.Rows), strings.Join(check.Sample, "\n  "))
			}
		}
	}
}

func newSnapshots(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "snapshots [PIPELINE]", Short: "the snapshots that are published",
		Example: "  tamiz snapshots\n  tamiz snapshots mx -o json",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(command *cobra.Command, arguments []string) error {
			return o.each(command, arguments, func(project *config.Project, name string) (any, error) {
				store, err := openStore(command.Context(), project)
				if err != nil {
					return nil, err
				}
				return load.List(command.Context(), store, name)
			}, func(value any) {
				var rows [][]string
				for _, snapshot := range value.([]*load.Snapshot) {
					total, parent := int64(0), "–"
					for _, one := range snapshot.Tables {
						total += one.Rows
					}
					if snapshot.Parent != nil {
						parent = snapshot.Parent.Snapshot
					}
					rows = append(rows, []string{snapshot.Pipeline, snapshot.Snapshot, count(len(snapshot.Tables)), count(total), snapshot.Method.Version,
						fmt.Sprint(snapshot.Synthetic), parent, snapshot.Digest.Short()})
				}
				table(command.OutOrStdout(), []string{"pipeline", "snapshot", "marts", "rows", "method", "synthetic", "parent", "manifest"}, rows)
			})
		},
	}
}

// each asks something of every pipeline and prints it, as JSON or by tell.
func (o *options) each(command *cobra.Command, arguments []string, question func(*config.Project, string) (any, error), tell func(any)) error {
	project, names, asJSON, err := o.opened(arguments)
	if err != nil {
		return err
	}
	answers := map[string]any{}
	for _, name := range names {
		answer, err := question(project, name)
		if err != nil {
			return err
		}
		answers[name] = answer
		if !asJSON {
			tell(answer)
		}
	}
	if asJSON {
		return printJSON(command.OutOrStdout(), answers)
	}
	return nil
}

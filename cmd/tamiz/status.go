package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tamiz/config"
	"tamiz/load"
	"tamiz/pipeline"
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
	Pipeline  string    `json:"pipeline"`
	Latest    string    `json:"latest_snapshot"`
	Synthetic bool      `json:"synthetic"`
	Run       string    `json:"last_run"`
	Verdict   string    `json:"last_verdict"`
	Reason    string    `json:"reason,omitempty"`
	At        time.Time `json:"last_run_finished_at"`
	Steps     int       `json:"steps_run"`
}

func newStatus(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "status [PIPELINE]", Short: "what is published, and how the last run went",
		Example: "  tamiz status\n  tamiz status mx -o json",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(command *cobra.Command, arguments []string) error {
			return o.each(command, arguments, func(project *config.Project, name string) (any, error) {
				return statusOf(command.Context(), project, name)
			}, func(value any) {
				status := value.(pipelineStatus)
				w := command.OutOrStdout()
				mark := ""
				if status.Synthetic {
					mark = " (synthetic data)"
				}
				if status.Latest == "" {
					status.Latest = "nothing yet"
				}
				fmt.Fprintf(w, "%s\n  published  %s%s\n", status.Pipeline, status.Latest, mark)
				if status.Run == "" {
					fmt.Fprintf(w, "  last run   none; tamiz run makes one\n")
					return
				}
				fmt.Fprintf(w, "  last run   %s: %s, %s run, finished %s\n", status.Run, status.Verdict, plural(status.Steps, "step", "steps"), status.At.Format("2006-01-02 15:04 MST"))
				if status.Reason != "" {
					fmt.Fprintf(w, "  reason     %s\n", status.Reason)
				}
			})
		},
	}
}

func statusOf(ctx context.Context, project *config.Project, name string) (any, error) {
	status := pipelineStatus{Pipeline: name}
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
	records, err := runRecords(project, name)
	if err != nil || len(records) == 0 {
		return status, err
	}
	last := records[len(records)-1]
	status.Run, status.Verdict, status.Reason, status.At = last.ID, string(last.Verdict), last.Reason, last.FinishedAt
	for _, step := range last.Steps {
		if step.Ran {
			status.Steps++
		}
	}
	return status, nil
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
				return nil, &pipeline.Error{Kind: pipeline.Config, Problem: "there is no run " + wanted, Hint: "tamiz runs lists them"}
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
	asJSON, err := o.json()
	if err != nil {
		return err
	}
	project, err := o.openProject()
	if err != nil {
		return err
	}
	names, err := pipelines(project, arguments)
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

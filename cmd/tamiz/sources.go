package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tamiz/config"
	"tamiz/extract"
	"tamiz/pipeline"
)

// sourceStatus is what sources tells of one source.
type sourceStatus struct {
	Name        string         `json:"source"`
	Title       string         `json:"title"`
	Publisher   string         `json:"publisher"`
	URL         string         `json:"url"`
	Folder      string         `json:"folder"`
	Required    bool           `json:"required"`
	State       string         `json:"state"` // good, carried forward, left out, dead, never fetched
	CheckedAt   time.Time      `json:"checked_at,omitzero"`
	ChangedAt   time.Time      `json:"changed_at,omitzero"` // when the version in use was first seen
	AgeDays     int            `json:"age_days"`            // of the version in use
	FailingDays int            `json:"failing_days,omitempty"`
	DeadAfter   int            `json:"dead_after_days,omitempty"`
	Problem     string         `json:"problem,omitempty"`
	Message     string         `json:"message,omitempty"` // the whole of it: where, expected, found, effect, what to do
	LastFault   string         `json:"last_fault,omitempty"`
	LastFaultAt time.Time      `json:"last_fault_at,omitzero"`
	Notes       []string       `json:"notes,omitempty"`
	Files       []pipeline.Pin `json:"files"`
}

func newSources(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "sources [PIPELINE]", Short: "the sources: their health, age, last change, last fault, and what mends it",
		Long: `Tell how each source stood in the last run. What cannot be used now is told at the
end, in full: what happened, where, what it means for the result, and what to do.`,
		Example: "  tamiz sources\n  tamiz sources mx -o json",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(command *cobra.Command, arguments []string) error {
			return o.each(command, arguments, func(project *config.Project, name string) (any, error) {
				return sourceStatuses(project, name, time.Now())
			}, func(value any) { tellSourceStatuses(command, value.([]sourceStatus)) })
		},
	}
}

func tellSourceStatuses(command *cobra.Command, list []sourceStatus) {
	w := command.OutOrStdout()
	var rows [][]string
	for _, source := range list {
		files, changed, fault := "–", "–", "–"
		if len(source.Files) > 0 {
			bytes := int64(0)
			for _, file := range source.Files {
				bytes += file.Bytes
			}
			files = plural(len(source.Files), "file", "files") + ", " + size(bytes)
			changed = fmt.Sprintf("%s (%s)", source.ChangedAt.Format(pipeline.DateLayout), plural(source.AgeDays, "day", "days"))
		}
		if source.LastFault != "" {
			fault = source.LastFaultAt.Format(pipeline.DateLayout) + " " + source.LastFault
		}
		where := relative(source.Folder)
		if strings.Contains(source.URL, "://") {
			where = source.URL
		}
		rows = append(rows, []string{source.Name, source.State, files, changed, where, fmt.Sprintf("%.60s", fault)})
	}
	table(w, []string{"source", "state", "files", "last change (age)", "where", "last fault"}, rows)
	for _, source := range list {
		if source.Message != "" && source.State != sourceGood {
			fmt.Fprintf(w, "\n%s\n", source.Message)
		}
	}
}

// sourceStatuses reads the last run, and the log of observations.
func sourceStatuses(project *config.Project, name string, now time.Time) (any, error) {
	p, err := project.Pipeline(name)
	if err != nil {
		return nil, err
	}
	log, err := extract.OpenLog(filepath.Join(project.Warehouse, name, "observations.jsonl"), time.Now)
	if err != nil {
		return nil, err
	}
	records, err := runRecords(project, name)
	if err != nil {
		return nil, err
	}
	states, checkedAt := map[string]pipeline.SourceRecord{}, time.Time{}
	for i := len(records) - 1; i >= 0 && len(states) == 0; i-- {
		for _, state := range records[i].Sources {
			states[state.Source], checkedAt = state, records[i].FinishedAt
		}
	}
	list := make([]sourceStatus, 0, len(p.Sources))
	for i := range p.Sources {
		source := &p.Sources[i]
		state, looked := states[source.Name]
		status := sourceStatus{Name: source.Name, Title: source.Title, Publisher: source.Publisher, URL: source.URL, Folder: source.Folder,
			Required: source.Required, DeadAfter: source.DeadAfter, State: sourceNever, Files: []pipeline.Pin{}}
		if source.Log {
			status.Folder = storeName(project, name, "logs", source.Name)
		}
		if looked {
			status.State, status.CheckedAt, status.Problem, status.Message, status.Notes = state.State, checkedAt, state.Problem, state.Message, state.Notes
		}
		if len(state.Pins) > 0 {
			status.Files, status.ChangedAt = state.Pins, state.Pins[0].ObservedAt
			status.AgeDays = int(now.Sub(status.ChangedAt).Hours() / 24)
		}
		if since, failing := log.Failing(source.Name); failing {
			status.FailingDays = int(now.Sub(since).Hours() / 24)
		}
		if fault, ok := log.LastFault(source.Name); ok {
			status.LastFault, status.LastFaultAt = fault.Fault.Problem, fault.ObservedAt
		}
		list = append(list, status)
	}
	return list, nil
}

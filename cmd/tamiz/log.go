package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tamiz/config"
	"tamiz/load"
	"tamiz/pipeline"
)

func newLog(o *options) *cobra.Command {
	command := &cobra.Command{
		Use:   "log",
		Short: "add to the logs of a pipeline: what schools report, and what was decided about it",
		Long: `A log is a source whose records people add one by one. A record is never changed
and never removed: what is to be taken back is said in a further record. A run
stands on the records that are there when it begins.`,
		Example: `  tamiz log list mx                          the logs, their columns, and what is allowed
  tamiz log list mx school_reports           the records
  tamiz log add mx school_report_decisions --help`,
		Args: args(cobra.NoArgs),
		RunE: func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	command.AddCommand(newLogAdd(o), newLogList(o))
	return command
}

func newLogAdd(o *options) *cobra.Command {
	file := ""
	command := &cobra.Command{
		Use:   "add PIPELINE LOG COLUMN=VALUE…",
		Short: "add a record, or all rows of a CSV file",
		Long: `Add one record to a log, as COLUMN=VALUE, or each row of a CSV file whose first
row names the columns. If one row does not fit, none is added.
tamiz log list PIPELINE tells the columns and what is allowed in them.`,
		Example: `  tamiz log add mx school_report_decisions report_id=3 decision=accepted decided_by="A. Ruiz" decided_on=2026-11-20
  tamiz log add mx school_reports --file reports.csv
  tamiz log add mx school_reports --file - -o json < reports.csv`,
		Args: args(cobra.MinimumNArgs(2)),
		RunE: func(command *cobra.Command, arguments []string) error {
			asJSON, err := o.json()
			if err != nil {
				return err
			}
			l, err := o.openLogs(command.Context(), arguments[0], arguments[1])
			if err != nil {
				return err
			}
			rows, err := givenRows(command.InOrStdin(), file, arguments[2:])
			if err != nil {
				return err
			}
			added, err := l.add(command, rows)
			if asJSON && len(added) > 0 {
				return errors.Join(printJSON(command.OutOrStdout(), added), err)
			}
			for _, entry := range added {
				fmt.Fprintf(command.OutOrStdout(), "added record %d to %s: %s\n", entry.Sequence, l.source.Name, l.line(entry))
			}
			if err == nil && !asJSON {
				fmt.Fprintf(command.OutOrStdout(), "the next run stands on it: %s run %s%s\n", self(), arguments[0], o.flagText())
			}
			return err
		},
	}
	command.Flags().StringVar(&file, "file", "", "a CSV file with a record in each row; - reads the standard input")
	return command
}

func newLogList(o *options) *cobra.Command {
	return &cobra.Command{
		Use:     "list PIPELINE [LOG]",
		Short:   "the logs of a pipeline and their columns, or the records of one log",
		Example: "  tamiz log list mx\n  tamiz log list mx school_reports -o json",
		Args:    args(cobra.RangeArgs(1, 2)),
		RunE: func(command *cobra.Command, arguments []string) error {
			asJSON, err := o.json()
			if err != nil {
				return err
			}
			if len(arguments) == 1 {
				return o.describeLogs(command, arguments[0], asJSON)
			}
			l, err := o.openLogs(command.Context(), arguments[0], arguments[1])
			if err != nil {
				return err
			}
			entries, err := l.log(l.source.Name).Read(command.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(command.OutOrStdout(), entries)
			}
			headings := []string{"record", pipeline.RecordedAt}
			for _, column := range l.columns() {
				headings = append(headings, column.Name)
			}
			var list [][]string
			for _, entry := range entries {
				row := []string{fmt.Sprint(entry.Sequence), entry.RecordedAt.Format("2006-01-02 15:04")}
				for _, column := range l.columns() {
					row = append(row, entry.Values[column.Name])
				}
				list = append(list, row)
			}
			table(command.OutOrStdout(), headings, list)
			return nil
		},
	}
}

// logs is the logs of a pipeline, and one of them that is meant.
type logs struct {
	p      *pipeline.Pipeline
	store  load.Store
	source *pipeline.Source
}

// openLogs finds a log by its name; "" means none of them.
func (o *options) openLogs(ctx context.Context, name, wanted string) (*logs, error) {
	project, err := o.openProject()
	if err != nil {
		return nil, err
	}
	if _, err := pipelines(project, []string{name}); err != nil {
		return nil, err
	}
	return findLog(ctx, project, name, wanted)
}

func findLog(ctx context.Context, project *config.Project, name, wanted string) (*logs, error) {
	p, err := project.Pipeline(name)
	if err != nil {
		return nil, err
	}
	l := &logs{p: p}
	if l.store, err = openStore(ctx, project); err != nil {
		return nil, err
	}
	var names []string
	for i := range p.Sources {
		if p.Sources[i].Log {
			names = append(names, p.Sources[i].Name)
		}
		if p.Sources[i].Log && p.Sources[i].Name == wanted {
			l.source = &p.Sources[i]
		}
	}
	if wanted != "" && l.source == nil {
		return nil, &pipeline.Error{Kind: pipeline.Config, Problem: fmt.Sprintf("pipeline %s has no log %q", name, wanted), Found: "logs: " + strings.Join(names, ", ")}
	}
	return l, nil
}

func (l *logs) log(name string) *load.Log { return load.NewLog(l.store, l.p.Name, name) }

// columns are those of the card, without the time of the record.
func (l *logs) columns() []pipeline.SourceColumn {
	var columns []pipeline.SourceColumn
	for _, column := range l.source.Parsing.Columns {
		if column.Entry != nil {
			columns = append(columns, column)
		}
	}
	return columns
}

func (l *logs) line(entry load.Entry) string {
	var list []string
	for _, column := range l.columns() {
		if value := entry.Values[column.Name]; value != "" {
			list = append(list, column.Name+"="+value)
		}
	}
	return strings.Join(list, " ")
}

// givenRows reads the records that are to be added.
func givenRows(in io.Reader, file string, pairs []string) ([]map[string]string, error) {
	if (file == "") == (len(pairs) == 0) {
		return nil, &usageError{errors.New("want either COLUMN=VALUE … or --file rows.csv\n  to mend   tamiz log list PIPELINE tells the columns and what is allowed in them")}
	}
	if file == "" {
		row := map[string]string{}
		for _, text := range pairs {
			name, value, ok := strings.Cut(text, "=")
			if _, twice := row[name]; !ok || twice {
				return nil, &usageError{fmt.Errorf("%q: want each column once, as COLUMN=VALUE", text)}
			}
			row[name] = value
		}
		return []map[string]string{row}, nil
	}
	if file != "-" {
		opened, err := os.Open(file)
		if err != nil {
			return nil, &pipeline.Error{Kind: pipeline.Config, Problem: "the file cannot be read", Err: err}
		}
		defer opened.Close()
		in = opened
	}
	records, err := csv.NewReader(in).ReadAll()
	if err != nil || len(records) < 2 {
		return nil, &pipeline.Error{Kind: pipeline.Config, Problem: "want a CSV file with the columns in its first row and a record in each further one", Where: file, Err: err}
	}
	records[0][0] = strings.TrimPrefix(records[0][0], "\uFEFF")
	var rows []map[string]string
	for _, record := range records[1:] {
		row := map[string]string{}
		for i, value := range record {
			row[records[0][i]] = value
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// add judges all rows, and then adds each.
func (l *logs) add(command *cobra.Command, rows []map[string]string) ([]load.Entry, error) {
	ctx := command.Context()
	known := map[string][]load.Entry{}
	refers := func(name, column, value string) (bool, error) {
		if _, read := known[name]; !read {
			var err error
			if known[name], err = l.log(name).Read(ctx); err != nil {
				return false, err
			}
		}
		for _, entry := range known[name] {
			if entry.Values[column] == value {
				return true, nil
			}
		}
		return false, nil
	}
	for i, row := range rows {
		fitting, err := l.source.Entry(row, refers)
		var e *pipeline.Error
		if errors.As(err, &e) && len(rows) > 1 {
			e.Where = fmt.Sprintf("row %d of the file, %s", i+2, e.Where)
		}
		if err != nil {
			return nil, err
		}
		rows[i] = fitting
	}
	var added []load.Entry
	for _, row := range rows {
		entry, err := l.log(l.source.Name).Append(ctx, time.Now(), func(sequence int64) map[string]string { return l.source.Assign(row, sequence) })
		if err != nil {
			return added, fmt.Errorf("%s of %s were added, then: %w", count(len(added)), plural(len(rows), "record", "records"), err)
		}
		added = append(added, entry)
	}
	return added, nil
}

// loggedColumn is a column of a log as operators see it.
type loggedColumn struct {
	Column      string `json:"column"`
	Required    bool   `json:"required"`
	Assigned    bool   `json:"assigned"`
	Allowed     string `json:"allowed,omitempty"`
	Description string `json:"description"`
}

// describeLogs tells the logs of a pipeline and what they hold.
func (o *options) describeLogs(command *cobra.Command, name string, asJSON bool) error {
	l, err := o.openLogs(command.Context(), name, "")
	if err != nil {
		return err
	}
	w := command.OutOrStdout()
	all := map[string][]loggedColumn{}
	for i := range l.p.Sources {
		if !l.p.Sources[i].Log {
			continue
		}
		l.source = &l.p.Sources[i]
		entries, err := l.log(l.source.Name).Read(command.Context())
		if err != nil {
			return err
		}
		var rows [][]string
		for _, column := range l.columns() {
			told := loggedColumn{column.Name, column.Entry.Required, column.Entry.Assigned, column.Allowed(nil), column.Description}
			told.Allowed = strings.TrimPrefix(told.Allowed, ": want ")
			all[l.source.Name] = append(all[l.source.Name], told)
			need := map[bool]string{true: "required", false: ""}[told.Required]
			if told.Assigned {
				need = "assigned"
			}
			rows = append(rows, []string{"  " + told.Column, need, told.Allowed, told.Description})
		}
		if !asJSON {
			fmt.Fprintf(w, "%s: %s (%s)\n", l.source.Name, l.source.Title, plural(len(entries), "record", "records"))
			table(w, []string{"  column", "", "allowed", "what it is"}, rows)
			fmt.Fprintln(w)
		}
	}
	if asJSON {
		return printJSON(w, all)
	}
	if len(all) == 0 {
		fmt.Fprintf(w, "pipeline %s has no logs\n", name)
	}
	return nil
}

package main

import (
	"fmt"
	"io/fs"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"tamiz/config"
	"tamiz/pipeline"
	"tamiz/sql"
)

// version of Tamiz; releases raise it.
const version = "0.1.0"

// usageError is a mistake in flags or arguments.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// embedded is the configuration and SQL inside the binary.
func embedded() fs.FS { return config.Mount{"config": config.Files, "sql": sql.Files} }

// options are the flags that every verb knows.
type options struct {
	project string
	vars    []string
	output  string
}

func newRoot() *cobra.Command {
	o := &options{}
	root := &cobra.Command{
		Use:   "tamiz",
		Short: "an observatory for school equity that runs itself",
		Long: `Tamiz fetches public sources about schools, cleans and joins them in steps that
can be traced and repeated, and publishes versioned snapshots of Parquet files.`,
		Example: `  tamiz init mx demo --sample --schools 5000   a project with synthetic sources
  tamiz run --project demo                     from raw files to a published snapshot
  tamiz query --project demo "select profile, count(*) from profiles group by all"`,
		SilenceUsage: true, SilenceErrors: true,
		Version: versionText(),
		Args: args(func(_ *cobra.Command, arguments []string) error {
			if len(arguments) > 0 {
				return fmt.Errorf("unknown command %q", arguments[0])
			}
			return nil
		}),
		RunE: func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	root.SetFlagErrorFunc(func(command *cobra.Command, err error) error {
		return &usageError{fmt.Errorf("%w\n  to mend   %s --help lists the flags, with examples", err, command.CommandPath())}
	})
	flags := root.PersistentFlags()
	flags.StringVar(&o.project, "project", ".", "the project's folder, which holds tamiz.yml")
	flags.StringArrayVar(&o.vars, "var", nil, "a variable of the project's folders, as name=value (may be repeated)")
	flags.StringVarP(&o.output, "output", "o", "text", "text, or json for machines (query also: csv)")
	root.AddCommand(newInit(o), newRun(o), newFetch(o), newPlan(o), newStatus(o), newSources(o), newSnapshots(o), newRuns(o), newQuery(o), newTest(o), newDocs(o), newAdoption(o), newAllocate(o), newDiff(o), newAnchor(o), newLog(o), newApprove(o), newReject(o), newWithdraw(o), newSchedule(o), newCancel(o))
	root.AddCommand(newDoctor(o), newWarehouse(o), newStore(o), newVerify(o), newKeys(o), newRebuild(o), newLineage(o), newWhy(o), newExport(o))
	root.CompletionOptions.HiddenDefaultCmd = true
	return root
}

func versionText() string {
	text := version
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				text += " (" + setting.Value[:min(12, len(setting.Value))] + ")"
			}
		}
	}
	return text
}

// args wraps cobra's argument checks into usage errors.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(command *cobra.Command, arguments []string) error {
		if err := check(command, arguments); err != nil {
			return &usageError{fmt.Errorf("%w\n  to mend   %s --help shows how it is used", err, command.CommandPath())}
		}
		return nil
	}
}

func (o *options) variables() (map[string]string, error) {
	vars := map[string]string{}
	for _, text := range o.vars {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return nil, &pipeline.Error{Kind: pipeline.Config, Problem: fmt.Sprintf("--var %q: want name=value, such as --var data=../shared/data", text)}
		}
		vars[name] = value
	}
	return vars, nil
}

// json reports whether machines read the output; other words are mistakes.
func (o *options) json(also ...string) (bool, error) {
	for _, known := range append(also, "text", "table", "json") {
		if o.output == known {
			return o.output == "json", nil
		}
	}
	return false, &pipeline.Error{Kind: pipeline.Config, Problem: fmt.Sprintf("--output %q is unknown", o.output), Expected: strings.Join(append([]string{"text", "json"}, also...), ", ")}
}

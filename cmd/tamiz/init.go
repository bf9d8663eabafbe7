package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/spf13/cobra"

	"tamiz/config"
	"tamiz/internal/sample"
	"tamiz/pipeline"
)

func newInit(o *options) *cobra.Command {
	var withSample bool
	options := sample.Options{}
	command := &cobra.Command{
		Use:   "init PIPELINE DIR",
		Short: "make a project: tamiz.yml, and the pipeline's config and SQL to edit",
		Long: `Make a project in DIR: tamiz.yml, config/ and sql/ of the pipeline, and an inbox for
files. What is edited there is what runs there. With --sample, also write a synthetic
sample of the sources, in the publishers' layouts and with their defects; with --plain,
the same tables as UTF-8 text, without archives and workbooks.`,
		Example: `  tamiz init mx demo --sample --schools 5000
  tamiz init mx demo --sample --schools 140392 --plain
  tamiz init np ministry`,
		Args: args(cobra.ExactArgs(2)),
		RunE: func(command *cobra.Command, arguments []string) error {
			name, dir := arguments[0], arguments[1]
			if _, err := fs.Stat(embedded(), "config/"+name+"/pipeline.yml"); err != nil {
				return &pipeline.Error{Kind: pipeline.Config, Problem: fmt.Sprintf("there is no pipeline %q", name), Expected: "one of " + strings.Join(config.Names(embedded()), ", ")}
			}
			if _, err := os.Stat(filepath.Join(dir, config.ProjectFile)); err == nil {
				return &pipeline.Error{Kind: pipeline.Config, Problem: "there is a project already", Where: filepath.Join(dir, config.ProjectFile), Hint: "use another folder, or go on with: tamiz run --project " + dir}
			}
			for _, flag := range []string{"schools", "plain", "seed"} {
				if !withSample && command.Flags().Changed(flag) {
					return &pipeline.Error{Kind: pipeline.Config, Problem: "--" + flag + " is about the synthetic sample, which was not asked for", Hint: "add --sample"}
				}
			}
			if err := writeProject(name, dir, withSample); err != nil {
				return err
			}
			out := command.OutOrStdout()
			fmt.Fprintf(out, "made the project %s (pipeline %s)\n", dir, name)
			if withSample {
				return writeSample(command.Context(), command, name, dir, options)
			}
			fmt.Fprintf(out, "put the sources' files into %s, one folder a source; then\n  %s sources --project %s\n  %s run --project %s\n", filepath.Join(dir, "inbox"), self(), dir, self(), dir)
			return nil
		},
	}
	flags := command.Flags()
	flags.BoolVar(&withSample, "sample", false, "write synthetic sources into DIR/sample")
	flags.IntVar(&options.Schools, "schools", 5000, "schools in the sample")
	flags.BoolVar(&options.Plain, "plain", false, "write the sample's tables as plain UTF-8 text files")
	flags.StringVar(&options.Seed, "seed", "tamiz", "another seed gives another synthetic world")
	return command
}

func writeSample(ctx context.Context, command *cobra.Command, name, dir string, options sample.Options) error {
	files, err := sample.Write(ctx, name, filepath.Join(dir, "sample"), options, nil)
	if err != nil {
		return fmt.Errorf("write the sample: %w", err)
	}
	fmt.Fprintf(command.OutOrStdout(), "wrote a synthetic sample: %s in %s; no figure in it is real\nnext:\n  %s run --project %s\n",
		plural(len(files), "file", "files"), filepath.Join(dir, "sample"), self(), dir)
	return nil
}

// writeProject writes tamiz.yml last, so that a project is whole or is none.
func writeProject(name, dir string, withSample bool) error {
	p, err := config.Load(embedded(), name)
	if err != nil {
		return err
	}
	if err := copyPipeline(name, dir); err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# A Tamiz project. Folders are relative to this file.\npipelines: [%s]\nwarehouse: warehouse    # results of steps, records of runs\nstore: store            # published snapshots, archived raw files\ntimezone: UTC\nmemory: 1400MiB         # for one step\n", name)
	if withSample {
		if day := sample.AsOf(name); day != "" {
			fmt.Fprintf(&b, "as_of: %s       # the day of the run; the sample's figures end soon after it\n", day)
		}
		fmt.Fprintf(&b, "synthetic: true         # the sources below are a synthetic sample; no figure is real\nsources:\n  %s:\n", name)
		names := make([]string, 0, len(p.Sources))
		for _, source := range p.Sources {
			if !source.Log {
				names = append(names, source.Name)
			}
		}
		sort.Strings(names)
		for _, source := range names {
			fmt.Fprintf(&b, "    %s: sample/%s/*\n", source, source)
		}
	} else {
		for _, source := range p.Sources {
			if source.Log {
				continue
			}
			if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(filepath.Dir(source.Folder))), 0o755); err != nil {
				return fmt.Errorf("make the inbox: %w", err)
			}
		}
	}
	return pipeline.WriteFile(filepath.Join(dir, config.ProjectFile), []byte(b.String()))
}

// copyPipeline writes a pipeline's config and SQL into a project.
func copyPipeline(name, dir string) error {
	for _, folder := range []string{"sql/macros", "sql/" + name, "config/" + name} {
		if err := copyTree(embedded(), folder, dir); err != nil {
			return err
		}
	}
	return nil
}

// copyTree copies a folder of files below dir; files that are there stay.
func copyTree(files fs.FS, folder, dir string) error {
	return fs.WalkDir(files, folder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		target := filepath.Join(dir, filepath.FromSlash(name))
		if _, err := os.Stat(target); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		return pipeline.WriteFile(target, content)
	})
}

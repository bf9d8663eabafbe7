package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"tamiz/pipeline"
)

func newWarehouse(o *options) *cobra.Command {
	command := &cobra.Command{
		Use: "warehouse", Short: "the folder of this machine's results, which can be made anew",
		Example: "  tamiz warehouse prune --dry-run",
		Args:    args(cobra.NoArgs),
		RunE:    func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	command.AddCommand(newWarehousePrune(o))
	return command
}

func newWarehousePrune(o *options) *cobra.Command {
	dryRun := false
	command := &cobra.Command{
		Use: "prune", Short: "remove results and run records that no longer count",
		Long: `Remove from the warehouse what neither the last runs (keep.runs in tamiz.yml) nor a run
that waits for a decision stands on. Raw files, snapshots and what is kept for ever are
never touched, and whatever goes can be computed again. Runs of the schedule do this by
themselves, once a day.`,
		Example: "  tamiz warehouse prune --dry-run\n  tamiz warehouse prune",
		Args:    args(cobra.NoArgs),
		RunE: func(command *cobra.Command, _ []string) error {
			return pruneWarehouse(command, o, dryRun)
		},
	}
	command.Flags().BoolVar(&dryRun, "dry-run", false, "only say what would go")
	return command
}

func pruneWarehouse(command *cobra.Command, o *options, dryRun bool) error {
	asJSON, err := o.json()
	if err != nil {
		return err
	}
	project, err := o.openProject()
	if err != nil {
		return err
	}
	s := &session{project: project, now: time.Now}
	if s.warehouse, err = pipeline.OpenWarehouse(project.Warehouse); err != nil {
		return err
	}
	if s.store, err = openStore(command.Context(), project); err != nil {
		return err
	}
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	pruned, err := s.prune(command.Context(), dryRun)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(command.OutOrStdout(), pruned)
	}
	verb := "removed"
	if dryRun {
		verb = "would remove"
	}
	fmt.Fprintf(command.OutOrStdout(), "%s %s and %s: %s\n", verb, plural(pruned.Artifacts, "result", "results"),
		plural(len(pruned.Runs), "record of a run", "records of runs"), size(pruned.Bytes))
	return nil
}

// prune removes what no longer counts. Only who holds the lock of the
// warehouse may call it.
func (s *session) prune(ctx context.Context, dryRun bool) (pipeline.Pruned, error) {
	rule := pipeline.Pruning{Runs: s.project.Keep.Runs, Waiting: map[string][]string{}, Now: s.now(), DryRun: dryRun}
	for _, name := range s.project.Pipelines {
		list, err := waiting(ctx, s.store, name)
		if err != nil {
			return pipeline.Pruned{}, err
		}
		for _, verdict := range list {
			rule.Waiting[name] = append(rule.Waiting[name], verdict.Run)
		}
	}
	if !dryRun {
		if err := s.warehouse.Sweep(); err != nil {
			return pipeline.Pruned{}, err
		}
	}
	pruned, err := s.warehouse.Prune(rule)
	if err != nil {
		return pruned, err
	}
	for _, name := range s.project.Pipelines {
		if err := s.pruneCache(ctx, name, dryRun, &pruned); err != nil {
			return pruned, err
		}
	}
	return pruned, nil
}

// pruneCache removes the copies of files of snapshots that the store no longer
// has. A store on this machine has no copies.
func (s *session) pruneCache(ctx context.Context, name string, dryRun bool, pruned *pipeline.Pruned) error {
	cache := filepath.Join(s.project.Warehouse, "cache")
	folders, err := os.ReadDir(filepath.Join(cache, name, "snapshots"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return &pipeline.Error{Kind: pipeline.Storage, Problem: "read the cache", Err: err}
	}
	objects, err := s.store.List(ctx, path.Join(name, "snapshots")+"/")
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, object := range objects {
		id, _, _ := strings.Cut(strings.TrimPrefix(object.Key, path.Join(name, "snapshots")+"/"), "/")
		there[id] = true
	}
	for _, folder := range folders {
		if there[folder.Name()] {
			continue
		}
		dir := filepath.Join(cache, name, "snapshots", folder.Name())
		pruned.Bytes += folderSize(dir)
		if dryRun {
			continue
		}
		if err := os.RemoveAll(dir); err != nil {
			return &pipeline.Error{Kind: pipeline.Storage, Problem: "remove old copies from the cache", Err: err}
		}
	}
	return nil
}

// folderSize adds up the files of a folder; what cannot be read counts nothing.
func folderSize(dir string) int64 {
	total := int64(0)
	filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			if info, err := entry.Info(); err == nil {
				total += info.Size()
			}
		}
		return nil
	})
	return total
}

// keptFile says when the warehouse was pruned last.
const keptFile = "pruned_at"

// keepHouse prunes the warehouse after a run of the schedule, once a day. That
// it cannot be done is no fault of the run.
func (r *runState) keepHouse() {
	if r.flags.due == "" || r.ctx.Err() != nil {
		return
	}
	file := filepath.Join(r.warehouse.Dir(), keptFile)
	text, _ := os.ReadFile(file) // none: it was never pruned
	last, _ := time.Parse(time.RFC3339, strings.TrimSpace(string(text)))
	if since := r.now().Sub(last); since >= 0 && since < 24*time.Hour {
		return
	}
	pruned, err := r.prune(r.ctx, false)
	if err == nil {
		err = pipeline.WriteFile(file, []byte(r.now().UTC().Format(time.RFC3339)+"\n"))
	}
	if err != nil {
		r.events.Warn("the warehouse was not pruned", zap.Error(err))
		return
	}
	r.events.Info("the warehouse was pruned", zap.Int("artifacts", pruned.Artifacts), zap.Int("runs", len(pruned.Runs)), zap.Int64("bytes", pruned.Bytes))
}

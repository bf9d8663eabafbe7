package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tamiz/config"
	"tamiz/load"
	"tamiz/load/dirstore"
	"tamiz/load/s3store"
	"tamiz/pipeline"
)

func newStore(o *options) *cobra.Command {
	command := &cobra.Command{
		Use: "store", Short: "look after what is kept for ever: check it, copy it, remove old snapshots",
		Example: "  tamiz store check\n  tamiz store copy /backup/tamiz\n  tamiz store prune --dry-run",
		Args:    args(cobra.NoArgs),
		RunE:    func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	command.AddCommand(newStoreCheck(o), newStoreCopy(o), newStorePrune(o))
	return command
}

func newStoreCheck(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "check [PIPELINE]", Short: "read the whole store again, and compare it with its digests",
		Long: `Read every object of the store and compare it with the digest that manifests, sums and
names tell; follow the chains of snapshots, logs and decisions. Nothing is changed.
Exit codes: 0 all is as it was written; 3 something is missing or was changed.`,
		Example: "  tamiz store check\n  tamiz store check mx -o json",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE:    func(command *cobra.Command, arguments []string) error { return checkStore(command, o, arguments) },
	}
}

// storeFinding is what is wrong with an object of the store.
type storeFinding struct {
	Key      string `json:"key"`
	Problem  string `json:"problem"`
	Expected string `json:"expected,omitempty"`
	Found    string `json:"found,omitempty"`
	Remedy   string `json:"to_mend,omitempty"`
	Harmless bool   `json:"harmless"`
}

func checkStore(command *cobra.Command, o *options, arguments []string) error {
	project, names, asJSON, err := o.opened(arguments)
	if err != nil {
		return err
	}
	store, err := openRemote(command.Context(), project)
	if err != nil {
		return err
	}
	w := command.OutOrStdout()
	all, harm := map[string][]storeFinding{}, 0
	for _, name := range names {
		read := 0
		bar := newStoreBar(command.ErrOrStderr(), "read")
		findings, err := load.Check(command.Context(), store, name, func(done, total int) { read = total; bar.show(done, total) })
		bar.clear()
		if err != nil {
			return err
		}
		all[name] = []storeFinding{}
		for _, one := range findings {
			all[name] = append(all[name], storeFinding{one.Key, one.Problem, one.Expected, one.Found, one.Hint, one.Harmless})
			if !one.Harmless {
				harm++
			}
		}
		if !asJSON {
			tellStoreFindings(w, name, read, all[name])
		}
	}
	if asJSON {
		err = printJSON(w, all)
	}
	if err == nil && harm > 0 {
		err = errDiffers
	}
	return err
}

func tellStoreFindings(w io.Writer, name string, read int, findings []storeFinding) {
	harm := tellFindings(w, findings)
	if harm == 0 {
		fmt.Fprintf(w, "%s: %s read; each is what it was when it was written, and the chains are whole\n", name, plural(read, "object", "objects"))
		return
	}
	fmt.Fprintf(w, "%s: %s read; %s\n", name, plural(read, "object", "objects"), plural(harm, "is missing or was changed", "are missing or were changed"))
}

// tellFindings tells what is wrong, and counts what is not harmless.
func tellFindings(w io.Writer, findings []storeFinding) int {
	harm := 0
	for _, one := range findings {
		word := paint(w, yellow, "note")
		if !one.Harmless {
			word, harm = paint(w, red, "damaged"), harm+1
		}
		fmt.Fprintf(w, "%s  %s: %s\n", word, one.Key, one.Problem)
		for _, line := range []struct{ label, text string }{{"expected", one.Expected}, {"found", one.Found}, {"to mend", one.Remedy}} {
			if line.text != "" {
				fmt.Fprintf(w, "  %-9s %s\n", line.label, strings.ReplaceAll(line.text, "\n", "\n            "))
			}
		}
	}
	return harm
}

func newStoreCopy(o *options) *cobra.Command {
	from := ""
	command := &cobra.Command{
		Use: "copy [TARGET] [--from SOURCE]", Short: "copy the whole store: for a backup, to restore one, to move",
		Long: `Copy everything of the store that is kept for ever (raw files, snapshots, verdicts,
decisions, logs, runs) into TARGET, a folder or s3://bucket/prefix. With --from and no
TARGET, copy from there into the project's store: this restores a backup. What is there
already is left; a copy that was broken off goes on when it is started again. A target
that holds a history of its own is refused. An s3:// address is reached with the settings
of s3: in tamiz.yml.`,
		Example: `  tamiz store copy /backup/tamiz              a backup
  tamiz store copy --from /backup/tamiz       restore it
  tamiz store copy s3://elsewhere/tamiz       move`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(command *cobra.Command, arguments []string) error {
			if len(arguments) == 0 && from == "" {
				return &usageError{fmt.Errorf("where to? want a TARGET, or --from SOURCE\n  to mend   %s --help shows how it is used", command.CommandPath())}
			}
			target := ""
			if len(arguments) == 1 {
				target = arguments[0]
			}
			return copyStore(command, o, from, target)
		},
	}
	command.Flags().StringVar(&from, "from", "", "copy from this folder or s3:// address (default: the project's store)")
	return command
}

// storeCopied is what a copy did.
type storeCopied struct {
	From    string   `json:"from"`
	To      string   `json:"to"`
	Objects int      `json:"objects_copied"`
	Bytes   int64    `json:"bytes_copied"`
	Same    int      `json:"objects_there_already"`
	Mended  []string `json:"mended,omitempty"`
	Damaged []string `json:"damaged_in_the_source,omitempty"`
}

func copyStore(command *cobra.Command, o *options, from, to string) error {
	asJSON, err := o.json()
	if err != nil {
		return err
	}
	project, err := o.openProject()
	if err != nil {
		return err
	}
	if err := mustExist(from); err != nil {
		return err
	}
	ctx := command.Context()
	source, fromName, err := openPlace(ctx, project, from)
	if err != nil {
		return err
	}
	target, toName, err := openPlace(ctx, project, to)
	if err != nil {
		return err
	}
	if fromName == toName {
		return &pipeline.Error{Kind: pipeline.Config, Problem: "source and target are the same store", Found: fromName, Hint: "name another folder or address"}
	}
	if to == "" { // what is restored must not meet a run
		unlock, err := lockPlace(ctx, project)
		if err != nil {
			return err
		}
		defer unlock()
	}
	bar := newStoreBar(command.ErrOrStderr(), "copied")
	copied, err := load.CopyAll(ctx, source, target, bar.show)
	bar.clear()
	if to == "" { // copies of what the store held before
		if removeErr := os.RemoveAll(filepath.Join(project.Warehouse, "cache")); removeErr != nil {
			err = errors.Join(err, &pipeline.Error{Kind: pipeline.Storage, Problem: "empty the cache", Err: removeErr})
		}
	}
	if asJSON {
		printErr := printJSON(command.OutOrStdout(), storeCopied{fromName, toName, copied.Objects, copied.Bytes, copied.Same, copied.Mended, copied.Damaged})
		return errors.Join(err, printErr)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(command.OutOrStdout(), "copied %s from %s to %s: %s, %s there already\n", plural(copied.Objects, "object", "objects"), fromName, toName, size(copied.Bytes), count(copied.Same))
	for _, key := range copied.Mended {
		fmt.Fprintf(command.OutOrStdout(), "  mended %s, which was damaged there\n", key)
	}
	return nil
}

// mustExist wants a folder to be one of a store, before opening makes it one.
func mustExist(from string) error {
	if from == "" || strings.HasPrefix(from, "s3://") {
		return nil
	}
	found, err := filepath.Glob(filepath.Join(from, "*", "latest.json"))
	if err == nil && len(found) == 0 {
		err = fs.ErrNotExist
	}
	if err != nil {
		return &pipeline.Error{Kind: pipeline.Config, Problem: "there is no store to copy from", Where: from, Expected: "a folder that holds PIPELINE/latest.json", Hint: "look at the path"}
	}
	return nil
}

// openPlace opens a folder or an s3:// address, the project's store if it is
// "", and gives its name.
func openPlace(ctx context.Context, project *config.Project, place string) (load.Store, string, error) {
	if place == "" {
		store, err := openRemote(ctx, project)
		return store, project.Store, err
	}
	if rest, ok := strings.CutPrefix(place, "s3://"); ok {
		bucket, prefix, _ := strings.Cut(rest, "/")
		store, err := s3store.Open(ctx, s3store.Options{Bucket: bucket, Prefix: strings.Trim(prefix, "/"), Endpoint: project.S3.Endpoint, Region: project.S3.Region, PathStyle: project.S3.PathStyle})
		return store, strings.TrimRight(place, "/"), err
	}
	path, err := filepath.Abs(place)
	if err != nil {
		return nil, "", fmt.Errorf("find the folder: %w", err)
	}
	store, err := dirstore.Open(path)
	if err != nil {
		return nil, "", &pipeline.Error{Kind: pipeline.Storage, Subject: place, Err: err}
	}
	return store, path, nil
}

// lockPlace keeps runs away from the project's store: those of this machine
// by the lock of the warehouse, those of others by the lease of each pipeline.
func lockPlace(ctx context.Context, project *config.Project) (func(), error) {
	s := &session{project: project, now: time.Now}
	var err error
	if s.warehouse, err = pipeline.OpenWarehouse(project.Warehouse); err != nil {
		return nil, err
	}
	if s.store, err = openStore(ctx, project); err != nil {
		return nil, err
	}
	unlock, err := s.lock()
	if err != nil {
		return nil, err
	}
	ends := []func(){unlock}
	end := func() {
		for _, one := range slices.Backward(ends) {
			one()
		}
	}
	for _, name := range project.Pipelines {
		s.p = &pipeline.Pipeline{Name: name}
		lease, err := s.lease(ctx, "store")
		if err != nil {
			end()
			return nil, err
		}
		ends = append(ends, func() {
			release, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer stop()
			lease.Release(release) // one that is not released ends by itself
		})
	}
	return end, nil
}

func newStorePrune(o *options) *cobra.Command {
	dryRun := false
	command := &cobra.Command{
		Use: "prune [PIPELINE]", Short: "remove old snapshots by the rule of tamiz.yml (retention:)",
		Long: `Remove old snapshots by the rule of tamiz.yml, such as retention: {latest: 26, yearly:
true}. Raw files, verdicts, decisions and logs stay for ever, and so do the latest snapshot
and its parent, those from which the method's cut points are taken, and those with which a
run that waits for a decision was compared. Without retention: nothing is removed.`,
		Example: "  tamiz store prune --dry-run\n  tamiz store prune",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(command *cobra.Command, arguments []string) error {
			return pruneStore(command, o, arguments, dryRun)
		},
	}
	command.Flags().BoolVar(&dryRun, "dry-run", false, "only say what would go")
	return command
}

// storePruned is what retention removed of a pipeline.
type storePruned struct {
	Snapshots []string `json:"snapshots"`
	Kept      []string `json:"kept"`
	Files     int      `json:"files"`
	Bytes     int64    `json:"bytes"`
}

func pruneStore(command *cobra.Command, o *options, arguments []string, dryRun bool) error {
	ctx := command.Context()
	if !dryRun {
		project, err := o.openProject()
		if err != nil {
			return err
		}
		unlock, err := lockPlace(ctx, project)
		if err != nil {
			return err
		}
		defer unlock()
		if err := sweepUploads(ctx, project); err != nil {
			return err
		}
	}
	return o.each(command, arguments, func(project *config.Project, name string) (any, error) {
		if project.Retention.Latest == 0 {
			return nil, &pipeline.Error{Kind: pipeline.Config, Where: filepath.Join(project.Dir, config.ProjectFile), Problem: "there is no rule that says which snapshots go",
				Hint: "write one, such as retention: {latest: 26, yearly: true}; then look at it with --dry-run"}
		}
		store, err := openStore(ctx, project)
		if err != nil {
			return nil, err
		}
		named, err := namedSnapshots(ctx, project, store, name)
		if err != nil {
			return nil, err
		}
		decisions, err := load.OpenLedger(store, name).Decisions(ctx)
		if err != nil {
			return nil, err
		}
		rule := load.Retention{Latest: project.Retention.Latest, Yearly: project.Retention.Yearly, Named: named, Barred: withdrawnIDs(decisions)}
		pruned, err := load.Prune(ctx, store, name, rule, dryRun)
		if err == nil && !dryRun && len(pruned.Snapshots) > 0 {
			err = load.WriteCatalog(ctx, store, name, withdrawals(decisions))
		}
		return storePruned{pruned.Snapshots, pruned.Kept, pruned.Files, pruned.Bytes}, err
	}, func(value any) {
		pruned := value.(storePruned)
		verb := "removed"
		if dryRun {
			verb = "would remove"
		}
		fmt.Fprintf(command.OutOrStdout(), "%s %s (%s, %s); %s kept\n", verb, plural(len(pruned.Snapshots), "snapshot", "snapshots"), plural(pruned.Files, "file", "files"), size(pruned.Bytes), count(len(pruned.Kept)))
		for _, id := range pruned.Snapshots {
			fmt.Fprintf(command.OutOrStdout(), "  %s\n", id)
		}
	})
}

// sweepUploads takes back what uploads that were killed a day ago or more left
// in a bucket, where nobody can read it and somebody pays for it.
func sweepUploads(ctx context.Context, project *config.Project) error {
	store, err := openRemote(ctx, project)
	if err != nil {
		return err
	}
	if bucket, ok := store.(*s3store.Store); ok {
		_, err = bucket.Sweep(ctx, 24*time.Hour)
	}
	return err
}

// namedSnapshots lists those that something else stands on: the method's
// anchors, and runs that wait for a decision.
func namedSnapshots(ctx context.Context, project *config.Project, store load.Local, name string) ([]string, error) {
	p, err := project.Pipeline(name)
	if err != nil {
		return nil, err
	}
	named := anchoredIn(p)
	list, err := waiting(ctx, store, name)
	if err != nil {
		return nil, err
	}
	s := &session{project: project, p: p, store: store, now: time.Now}
	for _, verdict := range list {
		held, err := s.heldRun(ctx, verdict.Run)
		if err != nil {
			return nil, err
		}
		if held.pins.Previous != nil {
			named = append(named, held.pins.Previous.Snapshot)
		}
	}
	return named, nil
}

// anchoredIn lists the snapshots from which cut points of the method are taken.
func anchoredIn(p *pipeline.Pipeline) []string {
	var named []string
	for _, table := range p.MethodTables() {
		column := slices.IndexFunc(table.Columns, func(c pipeline.TableColumn) bool { return c.Name == config.FromSnapshotColumn })
		for _, row := range table.Rows {
			if column >= 0 && row[column] != "null" {
				named = append(named, strings.Trim(row[column], "'"))
			}
		}
	}
	return named
}

// storeBar tells how far a long walk over a store is: in place on a terminal,
// else a line every half a minute.
type storeBar struct {
	w    io.Writer
	verb string
	told time.Time
}

func newStoreBar(w io.Writer, verb string) *storeBar {
	return &storeBar{w: w, verb: verb, told: time.Now()}
}

func (b *storeBar) show(done, total int) {
	if isTerminal(b.w) {
		fmt.Fprintf(b.w, "\r  %s of %s %-20s", count(done), plural(total, "object", "objects"), b.verb)
	} else if time.Since(b.told) > 30*time.Second {
		b.told = time.Now()
		fmt.Fprintf(b.w, "  %s of %s %s\n", count(done), plural(total, "object", "objects"), b.verb)
	}
}

// clear takes what was shown on a terminal away.
func (b *storeBar) clear() {
	if isTerminal(b.w) {
		fmt.Fprintf(b.w, "\r%-60s\r", "")
	}
}

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"tamiz/config"
	"tamiz/internal/duck"
	"tamiz/lineage"
	"tamiz/load"
	"tamiz/pipeline"
)

// rebuildMemory is what a step may use where no tamiz.yml says it.
const rebuildMemory = 1400 << 20

// rebuildFlags are the flags of rebuild.
type rebuildFlags struct {
	from, into string
	workers    int
}

func newRebuild(o *options) *cobra.Command {
	f := &rebuildFlags{}
	command := &cobra.Command{
		Use: "rebuild [PIPELINE] SNAPSHOT", Short: "compute a published snapshot again from its raw files, and compare",
		Long: `Compute a snapshot again from nothing but the store: its archived raw files, what its
manifest pins, and the definition (SQL, YAML, method) that it carries. Then the digest of
each file is compared with the manifest's.

With --from no project is needed: a folder that holds PIPELINE/latest.json, or
s3://bucket/prefix (reached with the settings of tamiz.yml if there is one, else with
those of the environment, such as AWS_ENDPOINT_URL). Nothing is written to the store.
Exit codes: 0 proved: equal byte for byte or, on another platform, figures equal to 1e-12;
3 not proved, with the first difference and what it comes from.`,
		Example: `  tamiz rebuild latest                                     of the project in this folder
  tamiz rebuild 2026-11-29.1 --from /media/copy/store      in any folder, without a project
  tamiz rebuild mx 2026-11-29.1 --from s3://bucket/tamiz --into rebuilt --workers 4`,
		Args: args(cobra.RangeArgs(1, 2)),
		RunE: func(command *cobra.Command, arguments []string) error {
			return rebuild(command, o, f, arguments)
		},
	}
	command.Flags().StringVar(&f.from, "from", "", "the store: a folder or s3://bucket/prefix (default: the project's)")
	command.Flags().StringVar(&f.into, "into", "", "keep the rebuilt files in this new folder (default: a temporary one, removed afterwards)")
	command.Flags().IntVar(&f.workers, "workers", 0, "steps beside each other (default: one a core)")
	return command
}

// rebuilding is one rebuild while it lasts.
type rebuilding struct {
	ctx      context.Context
	project  *config.Project // without a project: settings alone
	store    load.Local
	snapshot *load.Snapshot
	dir      string // into which it is rebuilt
	out      io.Writer
	report   lineage.Rebuild

	p         *pipeline.Pipeline
	binding   *pipeline.Binding
	recorded  pipeline.MadeSteps
	raw       map[pipeline.Digest]string // where raw bytes lie
	lost      map[pipeline.Digest]bool   // raw bytes that cannot be had
	warehouse *pipeline.Warehouse
	plan      *pipeline.Plan
	broken    map[*pipeline.Step][]string // steps that stand on lost bytes
	engines   int                         // steps that another version runs here
}

func rebuild(command *cobra.Command, o *options, f *rebuildFlags, arguments []string) error {
	asJSON, err := o.json()
	if err != nil {
		return err
	}
	id, name := arguments[len(arguments)-1], ""
	if len(arguments) == 2 {
		name = arguments[0]
	}
	if id != "latest" && !config.IsSnapshot(id) {
		return &usageError{fmt.Errorf("%q: want a SNAPSHOT such as 2026-11-29.1, or latest", id)}
	}
	project, store, err := o.openToRead(command.Context(), f.from)
	if err != nil {
		return err
	}
	if project.Memory == 0 {
		project.Memory = rebuildMemory
	}
	if name, err = pipelineIn(command.Context(), project, store, name, f.from); err != nil {
		return err
	}
	snapshot, err := readSnapshot(command.Context(), store, name, id)
	if err != nil {
		return err
	}
	dir, isTemporary, err := newFolder(f.into)
	if err != nil {
		return err
	}
	if isTemporary {
		defer os.RemoveAll(dir)
	}
	r := &rebuilding{ctx: command.Context(), project: project, snapshot: snapshot, store: load.NewLocal(store, filepath.Join(dir, "cache")), dir: dir, out: command.OutOrStdout(),
		raw: map[pipeline.Digest]string{}, lost: map[pipeline.Digest]bool{}}
	if asJSON {
		r.out = io.Discard
	}
	r.report = lineage.Rebuild{Pipeline: name, Snapshot: snapshot.Snapshot, Store: cmp.Or(f.from, project.Store), Files: []lineage.RebuiltFile{}, Findings: []lineage.RebuildFinding{}, Notes: []string{},
		Published: lineage.Maker(snapshot.Engine), Workers: cmp.Or(f.workers, project.Workers, runtime.NumCPU())}
	if !isTemporary {
		r.report.Into = dir
	}
	began := time.Now()
	if err := r.run(); err != nil {
		return err
	}
	r.report.Seconds = time.Since(began).Seconds()
	if asJSON {
		err = printJSON(command.OutOrStdout(), r.report)
	} else {
		tellRebuild(command.OutOrStdout(), &r.report)
	}
	if err == nil && !r.report.IsProved() {
		err = errDiffers
	}
	return err
}

// newFolder makes a folder that was not there, or a temporary one.
func newFolder(into string) (dir string, isTemporary bool, err error) {
	if into == "" {
		dir, err = os.MkdirTemp("", "tamiz-rebuild-")
	} else if dir, err = filepath.Abs(into); err == nil {
		if entries, readErr := os.ReadDir(dir); readErr == nil && len(entries) > 0 {
			return "", false, &pipeline.Error{Kind: pipeline.Config, Problem: "the folder to rebuild into is not empty", Where: into, Hint: "name a new folder: a proof begins from nothing"}
		}
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		return "", false, &pipeline.Error{Kind: pipeline.Storage, Problem: "make a folder to rebuild into", Err: err}
	}
	return dir, into == "", nil
}

// readSnapshot reads a manifest, or that of the latest snapshot.
func readSnapshot(ctx context.Context, store load.Store, name, id string) (*load.Snapshot, error) {
	var snapshot *load.Snapshot
	var err error
	if id == "latest" {
		snapshot, err = load.ReadLatest(ctx, store, name)
	} else {
		snapshot, err = load.ReadSnapshot(ctx, store, name, id)
	}
	if errors.Is(err, fs.ErrNotExist) || err == nil && snapshot == nil {
		return nil, &pipeline.Error{Kind: pipeline.Config, Subject: name, Problem: "there is no snapshot " + id,
			Hint: "tamiz snapshots lists those of a project; one that retention has removed cannot be rebuilt"}
	}
	if err != nil {
		return nil, err
	}
	if snapshot.Pipeline != name || id != "latest" && snapshot.Snapshot != id {
		return nil, &pipeline.Error{Kind: pipeline.Storage, Subject: id, Problem: "its manifest is of another snapshot", Expected: name + " " + id, Found: snapshot.Pipeline + " " + snapshot.Snapshot,
			Hint: "tamiz verify names all that was changed"}
	}
	for _, file := range snapshot.Contents() {
		if !fs.ValidPath(file.File) {
			return nil, &pipeline.Error{Kind: pipeline.Storage, Subject: id, Problem: "its manifest names a file outside of the snapshot", Found: file.File}
		}
	}
	return snapshot, nil
}

// run rebuilds and compares. An error says that it could not be tried; what
// stands against a proof is in the report.
func (r *rebuilding) run() error {
	duckDB, err := duck.Version(r.ctx)
	if err != nil {
		return err
	}
	r.report.Here = lineage.Maker{Tamiz: versionText(), DuckDB: duckDB, Platform: platform()}
	if isSound, err := r.readRecord(); err != nil || !isSound {
		r.report.Judge(0, nil)
		return err
	}
	if r.warehouse, err = pipeline.OpenWarehouse(filepath.Join(r.dir, "warehouse")); err != nil {
		return err
	}
	engines, err := openEngines(r.ctx, duckDB)
	if err != nil {
		return err
	}
	binding, err := bind(r.ctx, r.warehouse, r.p, engines[pipeline.StepGo])
	if pipeline.KindOf(err) == pipeline.Config {
		r.cannotUse(err)
		r.report.Judge(0, nil)
		return nil
	}
	if err != nil {
		return err
	}
	r.binding = binding
	r.plan = pipeline.NewPlan(r.p, binding, pinsOf(r.snapshot), engines)
	var first *lineage.RebuildFinding
	if first, r.engines = lineage.OtherSteps(r.recorded.Steps, r.plan.Behind(r.plan.Marts())); first != nil {
		r.report.Findings = append(r.report.Findings, *first)
	}
	if err := r.findRaw(); err != nil {
		return err
	}
	r.broken = lineage.Broken(r.plan, r.lost)
	made, err := r.steps()
	if err != nil {
		return err
	}
	if err := r.compare(made); err != nil {
		return err
	}
	r.report.Judge(r.engines, lineage.OtherBytes(r.recorded.Steps, made.Steps))
	return nil
}

// readRecord reads what the snapshot carries to be rebuilt from. It reports
// false if that was found not to be what the manifest vouches for.
func (r *rebuilding) readRecord() (bool, error) {
	texts := map[string][]byte{}
	for _, name := range []string{config.DefinitionFile, pipeline.MadeFile} {
		at := slices.IndexFunc(r.snapshot.Files, func(f load.ManifestFile) bool { return f.File == name })
		if at < 0 {
			return false, &pipeline.Error{Kind: pipeline.Config, Subject: r.snapshot.Snapshot, Problem: "the snapshot carries no " + name + ": it was published by a Tamiz that did not record it",
				Found: "published by " + r.snapshot.Engine.Tamiz, Hint: "run that version of Tamiz with the project of that day; snapshots published from now on carry their definition"}
		}
		text, err := load.ReadNote(r.ctx, r.store, r.snapshot.Pipeline, r.snapshot.Snapshot, name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
		if found := digestOfBytes(text); err != nil || found != r.snapshot.Files[at].Digest {
			finding := lineage.RebuildFinding{Kind: lineage.FindDamaged, Subject: name, Problem: "it is not the file that was published", Expected: "sha256 " + string(r.snapshot.Files[at].Digest), Found: "sha256 " + string(found),
				Effect: "nothing can be rebuilt", Hint: "restore it from a copy of the store"}
			if err != nil {
				finding.Kind, finding.Problem, finding.Found = lineage.FindMissing, "the snapshot has lost it", ""
			}
			r.report.Findings = append(r.report.Findings, finding)
			return false, nil
		}
		texts[name] = text
	}
	if err := json.Unmarshal(texts[pipeline.MadeFile], &r.recorded); err != nil {
		return false, fmt.Errorf("read %s: %w", pipeline.MadeFile, err)
	}
	files, err := config.Unpack(texts[config.DefinitionFile])
	if err == nil {
		r.p, err = config.Load(files, r.snapshot.Pipeline)
	}
	if err != nil {
		r.cannotUse(err)
		return false, nil
	}
	return true, nil
}

// cannotUse notes that the present Tamiz does not take the definition.
func (r *rebuilding) cannotUse(err error) {
	r.report.Findings = append(r.report.Findings, lineage.RebuildFinding{Kind: lineage.FindFailed, Subject: config.DefinitionFile, Problem: "this Tamiz cannot use the definition that the snapshot carries",
		Expected: "Tamiz " + r.snapshot.Engine.Tamiz + ", DuckDB " + r.snapshot.Engine.DuckDB, Found: "Tamiz " + r.report.Here.Tamiz + ", DuckDB " + r.report.Here.DuckDB + "\n" + err.Error(),
		Effect: "nothing can be rebuilt", Hint: "rebuild with the version that published it"})
}

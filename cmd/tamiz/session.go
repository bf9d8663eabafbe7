package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"tamiz/config"
	"tamiz/extract"
	"tamiz/internal/duck"
	"tamiz/internal/words"
	"tamiz/load"
	"tamiz/pipeline"
	"tamiz/transform"
)

// session is one pipeline of one project with all its rooms opened.
type session struct {
	project   *config.Project
	p         *pipeline.Pipeline
	binding   *pipeline.Binding
	warehouse *pipeline.Warehouse
	runs      pipeline.Runs
	store     load.Local
	archive   *extract.Archive
	log       *extract.Log
	duckDB    string
	engines   pipeline.Engines
	now       func() time.Time
	words     *words.Words
}

// openWords reads what is said to people in several languages.
func openWords() (*words.Words, error) {
	texts, err := config.Texts(config.Files)
	if err != nil {
		return nil, err
	}
	return words.Load(texts)
}

// openProject reads tamiz.yml.
func (o *options) openProject() (*config.Project, error) {
	vars, err := o.variables()
	if err != nil {
		return nil, err
	}
	cwd, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("find the present folder: %w", err)
	}
	return config.LoadProject(o.project, cwd, vars, embedded())
}

// opened gives what a verb works on: the project, those of its pipelines that
// are meant, and whether machines read the output.
func (o *options) opened(arguments []string) (project *config.Project, names []string, asJSON bool, err error) {
	if asJSON, err = o.json(); err != nil {
		return nil, nil, false, err
	}
	if project, err = o.openProject(); err != nil {
		return nil, nil, false, err
	}
	names, err = pipelines(project, arguments)
	return project, names, asJSON, err
}

// pipelines names those that a verb works on: the one given, or all.
func pipelines(project *config.Project, arguments []string) ([]string, error) {
	if len(arguments) == 0 {
		return project.Pipelines, nil
	}
	for _, name := range project.Pipelines {
		if name == arguments[0] {
			return arguments[:1], nil
		}
	}
	return nil, &pipeline.Error{Kind: pipeline.Config, Where: filepath.Join(project.Dir, config.ProjectFile),
		Problem: fmt.Sprintf("this project has no pipeline %q", arguments[0]), Found: fmt.Sprintf("pipelines: %v", project.Pipelines)}
}

// openSession opens a pipeline's rooms and binds its SQL.
func openSession(ctx context.Context, project *config.Project, name string) (*session, error) {
	return openSessionAt(ctx, project, name, time.Now)
}

// openSessionAt opens a session with a clock of its own.
func openSessionAt(ctx context.Context, project *config.Project, name string, now func() time.Time) (*session, error) {
	s, err := openDuty(ctx, project, name, now)
	if err != nil {
		return nil, err
	}
	return s, s.open(ctx)
}

// open opens the rooms, and binds the definition.
func (s *session) open(ctx context.Context) (err error) {
	if s.duckDB, err = duck.Version(ctx); err != nil {
		return err
	}
	if s.engines, err = openEngines(ctx, s.duckDB); err != nil {
		return err
	}
	if err := s.openFolders(); err != nil {
		return err
	}
	s.binding, err = bind(ctx, s.warehouse, s.p, s.engines[pipeline.StepGo])
	return err
}

func (s *session) openFolders() (err error) {
	if s.warehouse, err = pipeline.OpenWarehouse(s.project.Warehouse); err != nil {
		return err
	}
	s.runs = s.warehouse.OpenRuns(s.p.Name)
	s.archive = newArchive(s.project, s.store, s.p.Name)
	s.log, err = extract.OpenLog(s.observationsFile(), s.now)
	return err
}

// lock keeps other runs of this project away until the process ends.
func (s *session) lock() (func(), error) {
	lock := flock.New(filepath.Join(s.warehouse.Dir(), "lock"))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, &pipeline.Error{Kind: pipeline.Storage, Problem: "lock the warehouse", Err: err}
	}
	if !ok {
		return nil, &pipeline.Error{Kind: pipeline.Busy, Problem: "another run works in this warehouse", Where: s.warehouse.Dir(), Hint: "wait until it ends, then run again"}
	}
	if err := s.warehouse.Stamp(versionText()); err != nil {
		lock.Unlock()
		return nil, err
	}
	return func() { lock.Unlock() }, nil
}

// openEngines asks what runs each kind of step, for fingerprints.
func openEngines(ctx context.Context, duckDB string) (pipeline.Engines, error) {
	reader, err := extract.Engine(ctx)
	if err != nil {
		return nil, err
	}
	sqlEngine := transform.Engine(duckDB)
	return pipeline.Engines{
		pipeline.StepRead: reader, pipeline.StepTable: sqlEngine,
		pipeline.StepModel: sqlEngine, pipeline.StepCheck: sqlEngine,
		pipeline.StepGo: transform.GoEngine(duckDB),
	}, nil
}

func (s *session) walk(workers int) *pipeline.Walk {
	return &pipeline.Walk{
		Warehouse: s.warehouse, RawPath: s.archive.Path, Workers: workers, Memory: s.project.Memory, Now: s.now,
		Runners: map[pipeline.StepKind]pipeline.Runner{
			pipeline.StepRead: extract.Reader{}, pipeline.StepTable: transform.SQL{},
			pipeline.StepModel: transform.SQL{}, pipeline.StepCheck: transform.SQL{},
			pipeline.StepGo: transform.SQL{},
		},
	}
}

// dates gives the period that a run is for. Without as_of it is the last
// period that had ended by yesterday in the project's time zone.
func (s *session) dates(asOf time.Time) (periodEnd, asOfDate string, err error) {
	if asOf.IsZero() {
		asOf = s.project.AsOf
	}
	explicit := !asOf.IsZero()
	if !explicit {
		asOf = s.now().In(s.project.TimeZone).AddDate(0, 0, -1)
	}
	end, err := s.p.Calendar.PeriodEnd(asOf)
	if err != nil {
		return "", "", &pipeline.Error{Kind: pipeline.Config, Subject: s.p.Name, Where: "config/" + s.p.Name + "/pipeline.yml", Err: err}
	}
	if !explicit { // else every day would be a new input
		asOf = end
	}
	return end.Format(pipeline.DateLayout), asOf.Format(pipeline.DateLayout), nil
}

// glance finds what the folders of the sources hold now, without writing or
// fetching anything; sources that have an address keep the files of the last
// run.
func (s *session) glance(ctx context.Context, asOf time.Time, last *pipeline.Pins) (pipeline.Pins, error) {
	pins := pipeline.Pins{Sources: map[string][]pipeline.Pin{}, Synthetic: s.project.Synthetic}
	var err error
	if pins.PeriodEnd, pins.AsOf, err = s.dates(asOf); err != nil {
		return pins, err
	}
	for _, source := range s.p.Sources {
		var found []pipeline.Pin
		look := func(folder pipeline.Source) (err error) {
			found, err = extract.Look(ctx, folder, s.log)
			return err
		}
		switch {
		case source.Log:
			err = s.withPrefix(ctx, &source, look)
		case !source.Online():
			err = look(source)
		}
		if err != nil {
			return pins, err
		}
		if len(found) == 0 && last != nil {
			found = last.Sources[source.Name]
		}
		if len(found) > 0 {
			pins.Sources[source.Name] = found
		}
	}
	var known map[string][]pipeline.Vintage
	if last != nil {
		known = last.Vintages
	}
	pins.Vintages = s.vintages(pins.Sources, known)
	return pins, nil
}

// latest reads the latest snapshot and where its marts lie.
func (s *session) latest(ctx context.Context) (*load.Snapshot, *pipeline.Previous, error) {
	snapshot, err := load.ReadLatest(ctx, s.store, s.p.Name)
	if err != nil || snapshot == nil {
		return nil, nil, err
	}
	previous := &pipeline.Previous{Snapshot: snapshot.Snapshot, Manifest: snapshot.Digest, Marts: map[string]pipeline.Digest{}, Made: map[string]pipeline.Digest{}, Paths: map[string]string{}}
	for _, table := range snapshot.Tables {
		previous.Marts[table.Name], previous.Made[table.Name] = table.Digest, table.Fingerprint
		if previous.Paths[table.Name], err = s.store.File(ctx, load.TableKey(s.p.Name, snapshot.Snapshot, table.File), table.Digest); err != nil {
			return nil, nil, err
		}
	}
	return snapshot, previous, nil
}

package transform_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tamiz/internal/duck"
	"tamiz/pipeline"
	"tamiz/transform"
)

// fixed reads a raw table from rows in the test, in place of a file.
type fixed struct{ values string }

func (f fixed) Run(ctx context.Context, task pipeline.Task) (pipeline.Result, error) {
	db, err := duck.Open(ctx, duck.Options{})
	if err != nil {
		return pipeline.Result{}, err
	}
	defer db.Close()
	n, err := db.Number(ctx, "copy (select school, class, pupils, 'f' as _file, row_number() over () as _record from (values "+
		f.values+") as rows_given(school, class, pupils)) to '"+filepath.Join(task.Dir, pipeline.TableFile)+"' (format parquet)")
	return pipeline.Result{Rows: n}, err
}

// toy plans the small pipeline over a raw table.
type toy struct {
	walk    *pipeline.Walk
	plan    *pipeline.Plan
	targets []*pipeline.Step
}

func newToy(t *testing.T, changes map[string]string, values, digest string) toy {
	t.Helper()
	ctx := context.Background()
	p, err := loadWorld(t, changes)
	if err != nil {
		t.Fatal(err)
	}
	binding, err := transform.Bind(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	warehouse, err := pipeline.OpenWarehouse(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	pins := pipeline.Pins{PeriodEnd: "2026-11-15", AsOf: "2026-11-15", Sources: map[string][]pipeline.Pin{"classes": {{Digest: pipeline.Digest(digest)}}}}
	plan := pipeline.NewPlan(p, binding, pins, pipeline.Engines{})
	targets, err := plan.Targets(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return toy{plan: plan, targets: targets, walk: &pipeline.Walk{Warehouse: warehouse, Now: time.Now, Memory: 1 << 28,
		RawPath: func(pipeline.Digest) (string, error) { return "unused", nil },
		Runners: map[pipeline.StepKind]pipeline.Runner{pipeline.StepRead: fixed{values},
			pipeline.StepTable: transform.SQL{}, pipeline.StepModel: transform.SQL{}, pipeline.StepCheck: transform.SQL{}}}}
}

func (y toy) run(t *testing.T) ([]*pipeline.Record, error) {
	t.Helper()
	return y.walk.Run(context.Background(), y.plan, y.targets, nil)
}

func (y toy) rows(t *testing.T, table, file string) string {
	t.Helper()
	db, err := duck.Open(context.Background(), duck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	step := y.plan.Table(table)[0]
	text, err := db.Text(context.Background(), "select string_agg(cast(to_json(r) as varchar), '\n') from ("+
		duck.ReadParquet([]string{filepath.Join(y.walk.Warehouse.ArtifactDir(step.Fingerprint), file)})+") as r")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

const threeRows = "(' S2 ', 'a', '31'), ('S1', 'b', '20'), ('S1', 'a', '10'), ('S1', 'c', 'N/D')"

func TestRun_SortsByKeyAndSetsRowsAside(t *testing.T) {
	y := newToy(t, nil, threeRows, "d1")
	records, err := y.run(t)
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != 6 { // read, limits, two models, two checks: raw.run and levels are not needed
		t.Errorf("%d steps ran, want 6", len(records))
	}
	want := `{"school":"S1","pupils_count":30,"weight":10.0,"class_count":2,"is_large":false}` + "\n" +
		`{"school":"S2","pupils_count":31,"weight":10.333333333333334,"class_count":1,"is_large":false}`
	if got := y.rows(t, "marts.schools", pipeline.TableFile); got != want {
		t.Errorf("marts.schools:\n%s\nwant\n%s", got, want)
	}
	if got := y.rows(t, "staging.stg_classes", pipeline.AsideFile); !strings.Contains(got, `"_set_aside":"NOT_A_NUMBER"`) {
		t.Errorf("set aside: %s", got)
	}
	if records, err = y.run(t); err != nil || len(records) != 0 {
		t.Errorf("a second run did %d steps, %v", len(records), err)
	}
}

func TestRun_FindsADamagedArtifactAndComputesItAgain(t *testing.T) {
	y := newToy(t, nil, threeRows, "d1")
	if _, err := y.run(t); err != nil {
		t.Fatal(err)
	}
	staging, mart := y.plan.Table("staging.stg_classes")[0], y.plan.Table("marts.schools")[0]
	before := y.rows(t, "marts.schools", pipeline.TableFile)
	damage(t, filepath.Join(y.walk.Warehouse.ArtifactDir(staging.Fingerprint), pipeline.TableFile))
	if err := os.RemoveAll(y.walk.Warehouse.ArtifactDir(mart.Fingerprint)); err != nil {
		t.Fatal(err)
	}
	records, err := y.run(t)
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != 2 {
		t.Errorf("%d steps ran, want the damaged one and the missing one", len(records))
	}
	if got := y.rows(t, "marts.schools", pipeline.TableFile); got != before {
		t.Errorf("rows differ after mending:\n%s", got)
	}
}

func damage(t *testing.T, file string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] ^= 1
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestRun_LosesNoRow(t *testing.T) {
	changes := map[string]string{"sql/toy/staging/stg_classes.sql": strings.Replace(string(world()["sql/toy/staging/stg_classes.sql"].Data),
		"from raw.classes\n", "from raw.classes\nwhere class <> 'b'\n", 1)}
	_, err := newToy(t, changes, threeRows, "d1").run(t)
	if err == nil || pipeline.KindOf(err) != pipeline.Failed || !strings.Contains(err.Error(), "rows were lost or doubled") {
		t.Fatalf("a dropped row went unseen: %v", err)
	}
	changes["sql/toy/staging/stg_classes.yml"] = strings.Replace(string(world()["sql/toy/staging/stg_classes.yml"].Data),
		"one per raw.classes\n", "one per raw.classes where class <> 'b'\n", 1)
	if _, err := newToy(t, changes, threeRows, "d1").run(t); err != nil {
		t.Fatalf("the rule says which rows are meant: %v", err)
	}
}

func TestChecks_KeepTheRowsThatOffend(t *testing.T) {
	y := newToy(t, nil, "('S1', 'a', '40'), ('S1', 'b', '20'), ('S2', 'a', '9')", "d1")
	if _, err := y.run(t); err != nil {
		t.Fatal(err)
	}
	for _, step := range y.plan.Steps {
		if step.Label != "check marts.schools" {
			continue
		}
		record, err := y.walk.Warehouse.Record(step.Fingerprint)
		if err != nil {
			t.Fatal(err)
		}
		found := record.Checks[1]
		if found.Name != "pupils_count_is_in_range" || found.Passed || found.Failing != 1 || !strings.Contains(found.Sample[0], `"pupils_count":60`) {
			t.Errorf("check: %+v", found)
		}
		return
	}
	t.Error("there is no check of marts.schools")
}

func TestReplay_ProvesATraceAndFindsAWrongOne(t *testing.T) {
	replay := func(changes map[string]string) error {
		y := newToy(t, changes, threeRows, "d1")
		if _, err := y.run(t); err != nil {
			t.Fatal(err)
		}
		step := y.plan.Table("marts.schools")[0]
		task := pipeline.Task{Step: step, Inputs: y.walk.InputFiles(step), Memory: 1 << 28}
		n, err := transform.Replay(context.Background(), task, y.walk.TablePath(step.Fingerprint), 300, "test")
		if err == nil && n != 2 {
			t.Errorf("%d rows replayed, want 2", n)
		}
		return err
	}
	if err := replay(nil); err != nil {
		t.Errorf("a right trace was refused: %v", err)
	}
	whole := strings.Replace(string(world()["sql/toy/marts/schools.sql"].Data), "count(*) as class_count", "count(*) as class_count, count(*) over () as school_count", 1)
	doc := string(world()["sql/toy/marts/schools.yml"].Data)
	doc = strings.Replace(doc, "  is_large:", "  school_count: {description: Schools in all.}\n  is_large:", 1)
	err := replay(map[string]string{"sql/toy/marts/schools.sql": whole, "sql/toy/marts/schools.yml": doc})
	var problem *pipeline.Error
	if !errors.As(err, &problem) || !strings.Contains(problem.Problem, "the trace is insufficient") || !strings.Contains(problem.Expected, `"school_count":2`) {
		t.Errorf("a wrong trace was not found: %v", err)
	}
}

func TestFingerprints_ChangeWithWhatAStepIsMadeOf(t *testing.T) {
	base := newToy(t, nil, threeRows, "d1")
	same := newToy(t, nil, threeRows, "d1")
	file := newToy(t, nil, threeRows, "d2")
	comment := newToy(t, map[string]string{"sql/toy/marts/schools.sql": string(world()["sql/toy/marts/schools.sql"].Data) + "-- a word\n"}, threeRows, "d1")
	macro := newToy(t, map[string]string{"sql/macros/clean.sql": "create macro clean(value) as trim(trim(value));\n"}, threeRows, "d1")
	fingerprint := func(y toy, table string) pipeline.Digest { return y.plan.Table(table)[0].Fingerprint }
	if fingerprint(base, "marts.schools") != fingerprint(same, "marts.schools") {
		t.Error("the same things gave two fingerprints")
	}
	for _, other := range []toy{file, comment, macro} {
		if fingerprint(base, "marts.schools") == fingerprint(other, "marts.schools") {
			t.Error("a change of file, SQL or macro did not change the mart's fingerprint")
		}
	}
	if fingerprint(base, "staging.stg_classes") != fingerprint(comment, "staging.stg_classes") || fingerprint(base, "staging.stg_classes") == fingerprint(macro, "staging.stg_classes") {
		t.Error("a change spread to where it does not belong, or not to where it does")
	}
}

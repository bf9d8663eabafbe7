package transform_test

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"tamiz/config"
	"tamiz/pipeline"
	"tamiz/transform"
)

// world is a small pipeline: pupils by school and class, summed by school.
func world() fstest.MapFS {
	files := map[string]string{
		"config/toy/pipeline.yml": "title: {en: Toy}\ncalendar: iso-fortnight\n",
		"config/toy/method.yml": `version: 1.0.0
tables:
  limits:
    description: limits
    rows: [{most: 40, share: 0.5}]
`,
		"config/toy/reference.yml": "tables:\n  levels:\n    rows: [{code: A, name: first}, {code: B, name: second}]\n",
		"config/toy/sources/classes.yml": `title: Classes
publisher: nobody
licence: none
folder: inbox/classes/*.csv
archive: public
format: csv
columns:
  school: [SCHOOL]
  class: [CLASS]
  pupils: [PUPILS]
`,
		"sql/macros/clean.sql": "-- Text without blanks.\ncreate macro clean(value) as trim(value);\n",
		"sql/toy/staging/stg_classes.sql": `-- One row per class that a school reports.
select
    clean(school) as school,
    class,
    try_cast(pupils as bigint) as pupils_count,
    try_cast(pupils as double) / 3 as weight,
    case when try_cast(pupils as bigint) is null then 'NOT_A_NUMBER' end as _set_aside,
    _file,
    _record,
from raw.classes
`,
		"sql/toy/staging/stg_classes.yml": `description: A class.
key: [school, class]
rows: one per raw.classes
trace:
  raw.classes: key
columns:
  school: {description: School.}
  class: {description: Class.}
  pupils_count: {description: Pupils.}
  weight: {description: A weight.}
  _file: {description: File.}
  _record: {description: Record.}
`,
		"sql/toy/marts/schools.sql": `-- One row per school.
select
    school,
    sum(pupils_count)::bigint as pupils_count,
    sum(weight order by class) as weight,
    count(*) as class_count,
    sum(pupils_count) > any_value(most order by most) as is_large,
from staging.stg_classes, method.limits
group by all
`,
		"sql/toy/marts/schools.yml": `description: A school.
key: [school]
rows: grouped from staging.stg_classes counting class_count
trace:
  staging.stg_classes: {group: {school: school}}
  method.limits: broadcast
columns:
  school: {description: School.}
  pupils_count: {description: Pupils., checks: [{range: [0, 50]}]}
  weight: {description: Weight.}
  class_count: {description: Classes.}
  is_large: {description: More pupils than the limit.}
`,
		"sql/toy/marts/schools.txtar": `Pupils add up by school.
-- given staging.stg_classes.csv --
school,class,pupils_count,weight
S1,a,30,1.5
S1,b,20,0.25
-- want.csv --
school,pupils_count,weight,is_large
S1,50,1.75,true
`,
	}
	fs := fstest.MapFS{}
	for name, text := range files {
		fs[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fs
}

func loadWorld(t *testing.T, changes map[string]string) (*pipeline.Pipeline, error) {
	t.Helper()
	files := world()
	for name, text := range changes {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return config.Load(files, "toy")
}

func TestBind_OrdersModelsAndTellsColumns(t *testing.T) {
	p, err := loadWorld(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	binding, err := transform.Bind(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(binding.Order, " "); got != "staging.stg_classes marts.schools" {
		t.Errorf("order: %s", got)
	}
	if got := strings.Join(binding.Inputs["marts.schools"], " "); got != "method.limits staging.stg_classes" {
		t.Errorf("inputs: %s", got)
	}
	if got := len(binding.Macros["staging.stg_classes"]); got != 1 {
		t.Errorf("macros of staging: %d, want 1", got)
	}
	if got := binding.Columns["staging.stg_classes"]; len(got) != 6 || got[2].Type != "BIGINT" {
		t.Errorf("columns: %v", got)
	}
}

func TestBind_TakesListsInTheirOwnOrder(t *testing.T) {
	p, err := loadWorld(t, map[string]string{"sql/toy/marts/schools.sql": strings.Replace(string(world()["sql/toy/marts/schools.sql"].Data),
		"sum(weight order by class)", "list_sum(list(weight order by class))", 1)})
	if err == nil {
		_, err = transform.Bind(context.Background(), p)
	}
	if err != nil {
		t.Errorf("an ordered list was refused: %v", err)
	}
}

// mart gives a changed marts.schools: its select list and what follows.
func mart(rest string) map[string]string {
	return map[string]string{"sql/toy/marts/schools.sql": "-- One row per school.\n" + rest}
}

func TestBind_RefusesWhatIsUnsafeOrUnclear(t *testing.T) {
	const columns = `description: A school.
key: [school]
rows: generated
trace: {}
columns:
  school: {description: School.}
`
	cases := []struct {
		name    string
		changes map[string]string
		want    []string
	}{
		{"float sum without order", mart("select school, sum(pupils_count)::bigint as pupils_count,\n    sum(weight) as weight, count(*) as class_count, true as is_large\nfrom staging.stg_classes, method.limits\ngroup by all\n"),
			[]string{"schools.sql:3", "sum over floating-point numbers without an order"}},
		{"untraced input", mart("select school, sum(pupils_count)::bigint as pupils_count, sum(weight order by class) as weight,\n count(*) as class_count, any_value(code order by code) = 'A' as is_large\nfrom staging.stg_classes, method.limits, reference.levels\ngroup by all\n"),
			[]string{"schools.yml:4", "reads reference.levels, but does not say which of its rows"}},
		{"undescribed column", mart("select school, 1::bigint as pupils_count, 1.0::double as weight, 1::bigint as class_count, true as is_large, 7 as extra\nfrom staging.stg_classes, method.limits\n"),
			[]string{"schools.yml:7", "column extra, which has no description"}},
		{"unknown table", mart("select school from staging.stg_clases\n"),
			[]string{"schools.sql:2", "reads staging.stg_clases, which is unknown", "did you mean staging.stg_classes?"}},
		{"unknown column", mart("select\n    school,\n    pupil_count\nfrom staging.stg_classes\n"),
			[]string{"schools.sql:4", "pupil_count"}},
		{"clock", mart("select school, now() as at from staging.stg_classes\n"), []string{"schools.sql:2", "now() gives another value"}},
		{"chance", mart("select school, random() as r from staging.stg_classes\n"), []string{"random() gives another value"}},
		{"file", mart("select * from read_text('/etc/passwd')\n"), []string{"read_text() reads something that is not a declared input"}},
		{"limit", mart("select school from staging.stg_classes limit 1\n"), []string{"limit without order by"}},
		{"sample", mart("select school from staging.stg_classes using sample 1\n"), []string{"using sample"}},
		{"first", mart("select school, first(class) as c from staging.stg_classes group by all\n"), []string{"first() depends on the order of rows"}},
		{"window", mart("select school, row_number() over () as n from staging.stg_classes\n"), []string{"row_number() over (…) without order by"}},
		{"float window", mart("select school, sum(weight) over (partition by school) as n from staging.stg_classes\n"), []string{"sum() as a window"}},
		{"distinct on", mart("select distinct on (school) school, class from staging.stg_classes\n"), []string{"distinct on without order by"}},
		{"raw from a mart", mart("select school from raw.classes\n"), []string{"only staging models read raw tables"}},
		{"two statements", mart("select 1; select 2\n"), []string{"schools.sql"}},
		{"syntax", mart("select\n    school\n    frm staging.stg_classes x y\n"), []string{"schools.sql:4"}},
		{"cycle", map[string]string{
			"sql/toy/intermediate/int_a.sql": "-- One row per school.\nselect school from intermediate.int_b\n", "sql/toy/intermediate/int_a.yml": columns,
			"sql/toy/intermediate/int_b.sql": "-- One row per school.\nselect school from intermediate.int_a\n", "sql/toy/intermediate/int_b.yml": columns},
			[]string{"int_a.sql", "cycle: intermediate.int_a → intermediate.int_b → intermediate.int_a"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p, err := loadWorld(t, c.changes)
			if err == nil {
				_, err = transform.Bind(context.Background(), p)
			}
			if err == nil {
				t.Fatal("it was accepted")
			}
			if pipeline.KindOf(err) != pipeline.Config {
				t.Errorf("kind %s, want config", pipeline.KindOf(err))
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("message lacks %q:\n%v", want, err)
				}
			}
		})
	}
}

func TestCases_RunBesideTheirModel(t *testing.T) {
	ctx := context.Background()
	p, err := loadWorld(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	binding, err := transform.Bind(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	bench, err := transform.OpenBench(ctx, p, binding)
	if err != nil {
		t.Fatal(err)
	}
	defer bench.Close()
	results := bench.Cases(ctx, p.Model("marts.schools"))
	if len(results) != 1 || results[0].Err != nil {
		t.Fatalf("results: %+v", results)
	}
	model := *p.Model("marts.schools")
	model.Cases = strings.Replace(model.Cases, "1.75", "1.76", 1)
	if results = bench.Cases(ctx, &model); results[0].Err == nil || !strings.Contains(results[0].Err.Error(), `want "1.76", got "1.75"`) {
		t.Errorf("a wrong case passed, or says too little: %v", results[0].Err)
	}
}

package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"tamiz/config"
	"tamiz/pipeline"
	"tamiz/sql"
)

func embedded() config.Mount { return config.Mount{"config": config.Files, "sql": sql.Files} }

func TestLoad_TheEmbeddedPipelinesAreSound(t *testing.T) {
	names := config.Names(embedded())
	if len(names) < 2 {
		t.Fatalf("embedded: %v", names)
	}
	for _, name := range names {
		p, err := config.Load(embedded(), name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(p.Sources) == 0 || len(p.Marts()) == 0 || p.MethodVersion == "" || p.Title["en"] == "" {
			t.Errorf("%s lacks sources, marts, a method version or a title", name)
		}
	}
}

// small is a sound pipeline of one source and one model.
func small() map[string]string {
	return map[string]string{
		"config/toy/pipeline.yml":   "title: {en: Toy}\ncalendar: [2025-04-13, 2026-04-13]\n",
		"config/toy/method.yml":     "version: 1.0.0\ntables:\n  t:\n    rows: [{a: 1, b: 0.5, c: \"01\", d: true}, {a: 2, b: 1, c: x, d: null}]\n",
		"config/toy/reference.yml":  "tables: {}\n",
		"config/toy/sources/s.yml":  "title: S\npublisher: P\nlicence: L\nfolder: inbox/s/*.csv\narchive: public\nformat: csv\nlimits: {bytes: 2MiB}\ncolumns:\n  x: [X, Ex]\n  y: {titles: [Y], optional: true, range: [0, 9]}\n",
		"sql/toy/staging/stg_s.sql": "-- One row per record.\nselect x, _file, _record from raw.s\n",
		"sql/toy/staging/stg_s.yml": "description: D\nkey: [x]\nrows: one per raw.s\ntrace: {raw.s: key}\ncolumns:\n  x: {description: X., checks: [not_null, {range: [0, 1], severity: warn, max_share: 0.1}]}\n  _file: {description: F.}\n  _record: {description: R.}\n",
	}
}

func load(changes map[string]string) (*pipeline.Pipeline, error) {
	files := fstest.MapFS{}
	for _, set := range []map[string]string{small(), changes} {
		for name, text := range set {
			files[name] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	return config.Load(files, "toy")
}

func TestLoad_ReadsWhatPeopleWrite(t *testing.T) {
	p, err := load(nil)
	if err != nil {
		t.Fatal(err)
	}
	parsing := p.Sources[0].Parsing
	if parsing.MaxBytes != 2<<20 || parsing.HeaderRows != 1 || parsing.Separator != "," || parsing.Columns[0].Titles[1] != "Ex" || *parsing.Columns[1].Max != 9 {
		t.Errorf("source: %+v", parsing)
	}
	if got := p.Tables[0].SQL(); !strings.Contains(got, "cast('0.5' as DOUBLE)") || !strings.Contains(got, "cast(1 as BIGINT)") || !strings.Contains(got, "cast(null as BOOLEAN)") || !strings.Contains(got, "cast('01' as VARCHAR)") {
		t.Errorf("table: %s", got)
	}
	model := p.Models[0]
	if model.Rows.Kind != pipeline.RowsOnePer || model.Trace["raw.s"].Match[1].Output != "_record" || len(model.Checks) != 3 {
		t.Errorf("model: %+v", model)
	}
	if check := model.Checks[2]; check.Severity != pipeline.Warn || check.MaxShare != 0.1 || check.Where != `not ("x" between 0 and 1)` {
		t.Errorf("check: %+v", check)
	}
}

func TestLoad_NamesEveryMistakeWithItsPlace(t *testing.T) {
	base := small()
	cases := []struct {
		name, file, old, new string
		want                 []string
	}{
		{"unknown key", "config/toy/sources/s.yml", "licence: L", "licence: L\nlicense: L", []string{"sources/s.yml", "[4:1]", "unknown field \"license\""}},
		{"unknown encoding", "config/toy/sources/s.yml", "format: csv", "format: csv\nencoding: {any_of: [klingon]}", []string{"s.yml:7", "encoding \"klingon\" is unknown"}},
		{"unknown format", "config/toy/sources/s.yml", "format: csv", "format: pdf", []string{"s.yml:6", "format \"pdf\""}},
		{"bad size", "config/toy/sources/s.yml", "2MiB", "2 miles", []string{"is not a size such as 512MiB"}},
		{"calendar", "config/toy/pipeline.yml", "[2025-04-13, 2026-04-13]", "weekly", []string{"calendar \"weekly\" is unknown"}},
		{"dates that do not ascend", "config/toy/pipeline.yml", "2026-04-13", "2024-04-13", []string{"the dates must ascend"}},
		{"no version", "config/toy/method.yml", "version: 1.0.0\n", "", []string{"method.yml", "version is missing"}},
		{"mixed types", "config/toy/method.yml", "{a: 2", "{a: two", []string{"column a holds BIGINT and VARCHAR"}},
		{"no grain", "sql/toy/staging/stg_s.sql", "-- One row per record.\n", "", []string{"stg_s.sql:1", "the first line says the grain"}},
		{"undescribed", "sql/toy/staging/stg_s.yml", "_file: {description: F.}", "_file: {}", []string{"stg_s.yml:7", "column _file has no description"}},
		{"rows", "sql/toy/staging/stg_s.yml", "one per raw.s", "some of raw.s", []string{"stg_s.yml:3", "is not a rule"}},
		{"trace", "sql/toy/staging/stg_s.yml", "{raw.s: key}", "{raw.s: magic}", []string{"trace \"magic\" is unknown"}},
		{"check", "sql/toy/staging/stg_s.yml", "not_null,", "not_nul,", []string{"stg_s.yml:6", "check \"not_nul\" is unknown"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			changed := strings.Replace(base[c.file], c.old, c.new, 1)
			if changed == base[c.file] {
				t.Fatal("the case changes nothing")
			}
			_, err := load(map[string]string{c.file: changed})
			if err == nil {
				t.Fatal("it was accepted")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("message lacks %q:\n%v", want, err)
				}
			}
		})
	}
	mart := map[string]string{
		"sql/toy/marts/m.sql": "-- One row per x.\nselect x from staging.stg_s\n",
		"sql/toy/marts/m.yml": "description: D\nkey: [x]\nrows: one per staging.stg_s\ntrace: {staging.stg_s: key}\ncolumns:\n  x: {description: X.}\n",
	}
	for _, c := range []struct{ adoption, where, problem string }{
		{"{mart: nobody, key: [x], high: x > 1, population: x > 0, warning: {en: W}}", "pipeline.yml:3", `there is no mart "nobody"`},
		{"{mart: m, key: [x, y], high: x > 1, population: x > 0, warning: {en: W}}", "pipeline.yml:3", "key is [x y], but the rows of marts.m are told apart by [x]"},
		{"{mart: m, key: [x], population: x > 0, warning: {en: W}}", "pipeline.yml:3", "high is missing"},
		{"\n  mart: m\n  key: [x]\n  high: x > 1\n  population:\n  warning: {en: W}", "pipeline.yml:7", "population is missing"},
		{"{mart: m, key: [x], high: x > 1, population: x > 0, warning: {es: W}}", "pipeline.yml:3", "warning.en is missing"},
		{"{mart: m, key: [x], high: x > 1, population: x > 0, warning: {en: W}, hi: 1}", "[3:", `unknown field "hi"`},
	} {
		mart["config/toy/pipeline.yml"] = base["config/toy/pipeline.yml"] + "adoption: " + c.adoption + "\n"
		if _, err := load(mart); err == nil || !strings.Contains(err.Error(), c.where) || !strings.Contains(err.Error(), c.problem) {
			t.Errorf("adoption: %s: got\n%v", c.adoption, err)
		}
	}
	_, err := load(map[string]string{
		"config/toy/sources/s.yml":  strings.Replace(base["config/toy/sources/s.yml"], "format: csv", "format: pdf", 1),
		"sql/toy/staging/stg_s.yml": strings.Replace(base["sql/toy/staging/stg_s.yml"], "one per raw.s", "nonsense", 1),
	})
	if err == nil || !strings.Contains(err.Error(), "pdf") || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("two mistakes were not both told: %v", err)
	}
}

func TestLoadProject_ExpandsFolders(t *testing.T) {
	dir, cwd := t.TempDir(), t.TempDir()
	text := "pipelines: [mx]\nvars: {data: files}\nsources:\n  mx:\n    registry: \"{data}/r.csv\"\n    planea: sample/*.csv\n"
	if err := os.WriteFile(filepath.Join(dir, config.ProjectFile), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	folder := func(vars map[string]string, source string) string {
		t.Helper()
		project, err := config.LoadProject(dir, cwd, vars, embedded())
		if err != nil {
			t.Fatal(err)
		}
		p, err := project.Pipeline("mx")
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range p.Sources {
			if s.Name == source {
				return s.Folder
			}
		}
		t.Fatalf("no source %s", source)
		return ""
	}
	if got, want := folder(nil, "registry"), filepath.Join(dir, "files", "r.csv"); got != want {
		t.Errorf("from the file: %s, want %s", got, want)
	}
	if got, want := folder(map[string]string{"data": "here"}, "registry"), filepath.Join(cwd, "here", "r.csv"); got != want {
		t.Errorf("from the command line: %s, want %s", got, want)
	}
	if got, want := folder(nil, "planea"), filepath.Join(dir, "sample", "*.csv"); got != want {
		t.Errorf("without a variable: %s, want %s", got, want)
	}
	for _, wrong := range []string{"pipelines: []\n", "pipelines: [mx]\nas_of: soon\n", "pipelines: [mx]\ntimezone: Mars/Olympus\n", "pipelines: [mx]\nwarehose: x\n"} {
		if err := os.WriteFile(filepath.Join(dir, config.ProjectFile), []byte(wrong), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := config.LoadProject(dir, cwd, nil, embedded()); pipeline.KindOf(err) != pipeline.Config {
			t.Errorf("%q was accepted: %v", wrong, err)
		}
	}
}

func FuzzParseSize(f *testing.F) {
	for _, seed := range []string{"1", "512MiB", "2GiB", "-1", "9223372036854775807KiB", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if size, err := config.ParseSize(text); err == nil && size < 0 {
			t.Errorf("%q became %d bytes", text, size)
		}
	})
}

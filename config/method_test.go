package config_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"tamiz/config"
)

// TestLoad_ChecksWhatIsComparedAndAnchored changes one thing of a pipeline
// that declares both.
func TestLoad_ChecksWhatIsComparedAndAnchored(t *testing.T) {
	whole := fstest.MapFS{}
	err := fs.WalkDir(embedded(), "config/mx", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(embedded(), name)
		whole[name] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{"  mart: profiles", "  mart: profile", `there is no mart "profile"`},
		{"  key: [cct, shift]", "  key: [cct]", "diff: key is [cct], but the key of marts.profiles is [cct shift]"},
		{"  value: profile", "  value: colour", `marts.profiles has no column "colour"`},
		{"  unit: {one: school, many: schools}", "  unit: {one: school}", "diff: unit is missing"},
		{"{title: by state, sql:", "{sql:", "diff: groups, 1: want a title and sql"},
		{"  - table: cut_points", "  - table: cuts", "there is no table method.cuts"},
		{"    key: [index_name]", "    key: [index]", `method.cut_points has no column "index"`},
	} {
		const file = "config/mx/pipeline.yml"
		text := strings.Replace(string(whole[file].Data), c.old, c.new, 1)
		if text == string(whole[file].Data) {
			t.Fatalf("%s: the case changes nothing", c.old)
		}
		files := fstest.MapFS{}
		for name, content := range whole {
			files[name] = content
		}
		files[file] = &fstest.MapFile{Data: []byte(text)}
		sqlFiles, err := fs.Sub(embedded(), "sql")
		if err != nil {
			t.Fatal(err)
		}
		configFiles, err := fs.Sub(files, "config")
		if err != nil {
			t.Fatal(err)
		}
		_, err = config.Load(config.Mount{"config": configFiles, "sql": sqlFiles}, "mx")
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), file+":") {
			t.Errorf("%s: %v, want %s:LINE and %q", c.new, err, file, c.want)
		}
	}
}

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"tamiz/config"
)

// smallProject makes a project for tests of the machine that ask for no
// special model: what makes three marts of Nepal's pipeline out of two sources,
// 17 models in place of more than a hundred.
func smallProject(t *testing.T, schools int) string {
	t.Helper()
	dir := sampleProject(t, "np", schools)
	if err := reduce(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// reduceCommand is reduce as a command of scripts: reduce DIR.
func reduceCommand(ts *testscript.TestScript, neg bool, arguments []string) {
	if neg || len(arguments) != 1 {
		ts.Fatalf("usage: reduce DIR")
	}
	ts.Check(reduce(ts.MkAbs(arguments[0])))
}

// sections are those of pipeline.yml that may stand on other marts.
var sections = regexp.MustCompile(`(?m)^(examples|summary|diff|allocation):.*\n(?:(?:[ #].*)?\n)*`)

// compared takes the place of what is cut out: tamiz diff needs it.
const compared = `diff:
  mart: survival
  key: [unit_level, unit_code, level, year_bs]
  value: survival
  unit: {one: unit, many: units}
`

// reduce leaves of the pipeline np of a project what the marts survival and
// transitions (of enrolment) and census_index (of the census) are made of.
func reduce(dir string) error {
	p, err := config.Load(os.DirFS(dir), "np")
	if err != nil {
		return err
	}
	needed := map[string]bool{}
	var add func(table string)
	add = func(table string) {
		if needed[table] {
			return
		}
		needed[table] = true
		if model := p.Model(table); model != nil {
			for input := range model.Trace {
				add(input)
			}
		}
	}
	for _, mart := range []string{"survival", "transitions", "census_index"} {
		add("marts." + mart)
	}
	for i := range p.Models {
		if needed[p.Models[i].Name] {
			continue
		}
		folder, name, _ := strings.Cut(p.Models[i].Name, ".")
		files, err := filepath.Glob(filepath.Join(dir, "sql", "np", folder, name+".*"))
		if err != nil {
			return err
		}
		for _, file := range files {
			if err := os.Remove(file); err != nil {
				return err
			}
		}
	}
	project := filepath.Join(dir, "tamiz.yml")
	settings, err := os.ReadFile(project)
	if err != nil {
		return err
	}
	for i := range p.Sources {
		name := p.Sources[i].Name
		if needed["raw."+name] {
			continue
		}
		if err := os.Remove(filepath.Join(dir, "config", "np", "sources", name+".yml")); err != nil {
			return err
		}
		settings = regexp.MustCompile(`(?m)^    `+name+`:.*\n`).ReplaceAll(settings, nil)
	}
	if err := os.WriteFile(project, settings, 0o644); err != nil {
		return err
	}
	head := filepath.Join(dir, "config", "np", "pipeline.yml")
	text, err := os.ReadFile(head)
	if err != nil {
		return err
	}
	return os.WriteFile(head, append(sections.ReplaceAll(text, nil), compared...), 0o644)
}

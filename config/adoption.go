package config

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"tamiz/pipeline"
)

// adoptionEntry is what pipeline.yml says of adoption.
type adoptionEntry struct {
	Mart       string            `yaml:"mart"`
	Key        []string          `yaml:"key"`
	High       string            `yaml:"high"`
	Population string            `yaml:"population"`
	Warning    map[string]string `yaml:"warning"`
}

// addAdoption checks the entry against the models, which are loaded before.
func (l *loader) addAdoption(p *pipeline.Pipeline, entry *adoptionEntry) {
	if entry == nil {
		return
	}
	file := path.Join("config", l.name, "pipeline.yml")
	text, _ := fs.ReadFile(l.files, file) // it was read before
	problem := func(key, format string, arguments ...any) {
		line := lineOf(text, key+":")
		if line == 0 {
			line = lineOf(text, "adoption:")
		}
		l.problem(at(file, line), "adoption: "+format, arguments...)
	}
	mart := p.Model("marts." + entry.Mart)
	if mart == nil {
		problem("mart", "there is no mart %q", entry.Mart)
	} else if wanted := slices.Sorted(slices.Values(mart.Key)); !slices.Equal(wanted, slices.Sorted(slices.Values(entry.Key))) {
		problem("key", "key is %v, but the rows of %s are told apart by %v", entry.Key, mart.Name, mart.Key)
	}
	for _, condition := range []struct{ key, sql string }{{"high", entry.High}, {"population", entry.Population}} {
		if strings.TrimSpace(condition.sql) == "" {
			problem(condition.key, "%s is missing: an SQL condition on the rows of the mart", condition.key)
		}
	}
	if strings.TrimSpace(entry.Warning["en"]) == "" {
		problem("warning", "warning.en is missing: what the figures do not prove (METHODS 2.5)")
	}
	p.Adoption = &pipeline.Adoption{Mart: entry.Mart, Key: entry.Key, High: entry.High, Population: entry.Population,
		Warning: map[string]string{}, Path: at(file, lineOf(text, "adoption:"))}
	for language, warning := range entry.Warning {
		p.Adoption.Warning[language] = strings.Join(strings.Fields(warning), " ")
	}
}

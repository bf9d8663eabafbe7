package config

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"runtime"
	"sort"
	"strings"
	"sync"
	"time"

	"tamiz/pipeline"
)

type modelFile struct {
	Description string               `yaml:"description"`
	Transform   *transformEntry      `yaml:"transform"`
	Key         []string             `yaml:"key"`
	Rows        string               `yaml:"rows"`
	Trace       ordered[traceEntry]  `yaml:"trace"`
	Columns     ordered[columnEntry] `yaml:"columns"`
	Checks      []checkEntry         `yaml:"checks"`
}

// transformEntry stands in the yml of a model that has no SQL.
type transformEntry struct {
	Method string          `yaml:"method"`
	Inputs ordered[string] `yaml:"inputs"`
}

type columnEntry struct {
	Description string        `yaml:"description"`
	Unit        string        `yaml:"unit"`
	Source      string        `yaml:"source"`
	Checks      []columnCheck `yaml:"checks"`

	Deprecated *struct {
		Since   string `yaml:"since"`
		Instead string `yaml:"instead"`
	} `yaml:"deprecated"`
}

// deprecation reads the announcement that a column will go.
func (c *columnEntry) deprecation(model *pipeline.Model) (*pipeline.Deprecation, error) {
	switch {
	case c.Deprecated == nil:
		return nil, nil
	case !model.IsMart():
		return nil, fmt.Errorf("deprecated: only the columns of marts are published")
	case strings.TrimSpace(c.Deprecated.Instead) == "":
		return nil, fmt.Errorf("deprecated: instead is missing: say what readers are to use")
	}
	if _, err := time.Parse(pipeline.DateLayout, c.Deprecated.Since); err != nil {
		return nil, fmt.Errorf("deprecated: since: %q is not a date such as 2026-11-29", c.Deprecated.Since)
	}
	return &pipeline.Deprecation{Since: c.Deprecated.Since, Instead: strings.Join(strings.Fields(c.Deprecated.Instead), " ")}, nil
}

// traceEntry is one word, or key or group with a mapping.
type traceEntry struct {
	word  string
	Key   ordered[string] `yaml:"key"`
	Group ordered[string] `yaml:"group"`
}

// UnmarshalYAML accepts both forms.
func (t *traceEntry) UnmarshalYAML(unmarshal func(any) error) error {
	if unmarshal(&t.word) == nil {
		return nil
	}
	type plain traceEntry
	return unmarshal((*plain)(t))
}

func (l *loader) loadModels(p *pipeline.Pipeline) {
	for _, layer := range []string{"staging", "intermediate", "marts"} {
		files, _ := fs.Glob(l.files, path.Join("sql", l.name, layer, "*.yml"))
		p.Models = append(p.Models, l.loadLayer(layer, files)...)
		l.reportStrays(layer)
	}
	sort.Slice(p.Models, func(i, j int) bool { return p.Models[i].Name < p.Models[j].Name })
}

// loadLayer reads the models of a layer beside each other, for there are many,
// and puts together what came of them in the order of their files.
func (l *loader) loadLayer(layer string, files []string) []pipeline.Model {
	type one struct {
		loader
		model pipeline.Model
		ok    bool
	}
	all := make([]one, len(files))
	var group sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for i := range next {
				all[i].loader = loader{files: l.files, name: l.name, loaded: map[string][]byte{}}
				all[i].model, all[i].ok = all[i].loadModel(layer, strings.TrimSuffix(files[i], ".yml"))
			}
		})
	}
	for i := range files {
		next <- i
	}
	close(next)
	group.Wait()
	var models []pipeline.Model
	for i := range all {
		maps.Copy(l.loaded, all[i].loaded)
		l.problems = append(l.problems, all[i].problems...)
		if all[i].ok {
			models = append(models, all[i].model)
		}
	}
	return models
}

// reportStrays names sql and txtar files that no yml file stands beside.
func (l *loader) reportStrays(layer string) {
	entries, _ := fs.ReadDir(l.files, path.Join("sql", l.name, layer))
	for _, entry := range entries {
		extension := path.Ext(entry.Name())
		base := path.Join("sql", l.name, layer, strings.TrimSuffix(entry.Name(), extension))
		if extension == ".yml" {
			continue
		}
		if _, err := fs.Stat(l.files, base+".yml"); err != nil {
			l.problem(base+extension, "there is no %s.yml beside it", path.Base(base))
		}
	}
}

func (l *loader) loadModel(layer, base string) (pipeline.Model, bool) {
	model := pipeline.Model{
		Name: layer + "." + path.Base(base), SQLPath: base + ".sql", DocPath: base + ".yml", CasesPath: base + ".txtar",
	}
	var doc modelFile
	text, ok := l.decode(model.DocPath, &doc)
	if !ok {
		return model, false
	}
	if ok := l.addProgram(&model, text, doc.Transform); !ok {
		return model, false
	}
	if cases, err := fs.ReadFile(l.files, model.CasesPath); err == nil {
		model.Cases = string(cases)
	}
	var err error
	model.DocText = string(text)
	model.Description = strings.Join(strings.Fields(doc.Description), " ")
	model.Key = doc.Key
	if model.Description == "" {
		l.problem(model.DocPath, "description is missing")
	}
	if len(model.Key) == 0 {
		l.problem(model.DocPath, "key is missing: which columns make a row unique")
	}
	if model.Rows, err = parseRows(doc.Rows); err != nil {
		l.problem(at(model.DocPath, lineOf(text, "rows:")), "%v", err)
	}
	l.addTraces(&model, text, doc.Trace)
	l.addColumns(&model, text, doc.Columns)
	for _, entry := range doc.Checks {
		check, err := newCheck(&model, entry)
		if err != nil {
			l.problem(at(model.DocPath, lineOf(text, "- name: "+entry.Name)), "%v", err)
			continue
		}
		model.Checks = append(model.Checks, check)
	}
	return model, true
}

// addProgram reads the model's SQL, or which Go method stands in its place.
func (l *loader) addProgram(model *pipeline.Model, text []byte, entry *transformEntry) bool {
	sql, err := l.read(model.SQLPath)
	switch {
	case err == nil && entry != nil:
		l.problem(at(model.DocPath, lineOf(text, "transform:")), "it names a transform, but %s stands beside it: a model is one or the other", path.Base(model.SQLPath))
	case err == nil:
		model.SQL = string(sql)
		if !strings.HasPrefix(model.SQL, "-- One row") {
			l.problem(model.SQLPath+":1", "the first line says the grain: -- One row per …")
		}
		return true
	case entry == nil:
		l.problem(model.DocPath, "there is no %s beside it, and it names no transform", path.Base(model.SQLPath))
	case strings.HasPrefix(model.Name, "staging."):
		l.problem(at(model.DocPath, lineOf(text, "transform:")), "a staging model is a select: a transform stands in intermediate or marts")
	default:
		model.Transform = &pipeline.Transform{Method: entry.Method, Inputs: map[string]string{}}
		for _, input := range entry.Inputs {
			model.Transform.Inputs[input.Name] = input.Value
		}
		return true
	}
	return false
}

func (l *loader) addColumns(model *pipeline.Model, text []byte, columns ordered[columnEntry]) {
	model.Checks = append(model.Checks, keyCheck(model))
	for _, column := range columns {
		where := at(model.DocPath, lineOf(text, column.Name+":"))
		if strings.TrimSpace(column.Value.Description) == "" {
			l.problem(where, "column %s has no description", column.Name)
		}
		described := pipeline.Column{
			Name: column.Name, Unit: column.Value.Unit, Source: column.Value.Source,
			Description: strings.Join(strings.Fields(column.Value.Description), " "),
		}
		var err error
		if described.Deprecated, err = column.Value.deprecation(model); err != nil {
			l.problem(where, "column %s: %v", column.Name, err)
		}
		for _, entry := range column.Value.Checks {
			check, err := entry.check(model, column.Name)
			if err != nil {
				l.problem(where, "column %s: %v", column.Name, err)
				continue
			}
			model.Checks = append(model.Checks, check)
			if check.Severity == pipeline.Fatal && check.MaxShare == 0 { // else it is no promise
				entry.promise(&described)
			}
		}
		model.Columns = append(model.Columns, described)
	}
}

func (l *loader) addTraces(model *pipeline.Model, text []byte, traces ordered[traceEntry]) {
	model.Trace = map[string]pipeline.Trace{}
	for _, entry := range traces {
		trace := pipeline.Trace{Kind: pipeline.TraceKind(entry.Value.word)}
		mapping := entry.Value.Key
		switch {
		case entry.Value.word == "key":
			columns := model.Key
			if strings.HasPrefix(entry.Name, "raw.") {
				columns = []string{"_file", "_record"}
			}
			for _, column := range columns {
				trace.Match = append(trace.Match, pipeline.Match{Input: pipeline.QuoteName(column), Output: column})
			}
		case entry.Value.word == "broadcast" || entry.Value.word == "whole":
		case entry.Value.word != "":
			l.problem(at(model.DocPath, lineOf(text, entry.Name+":")),
				"trace %q is unknown: want key, broadcast, whole, {key: {…}} or {group: {…}}", entry.Value.word)
		case len(entry.Value.Key) > 0:
			trace.Kind = pipeline.TraceKey
		default:
			trace.Kind, mapping = pipeline.TraceGroup, entry.Value.Group
			if len(mapping) == 0 {
				l.problem(at(model.DocPath, lineOf(text, entry.Name+":")), "trace of %s is empty", entry.Name)
			}
		}
		if entry.Value.word == "" {
			for _, pair := range mapping {
				trace.Match = append(trace.Match, pipeline.Match{Input: pair.Name, Output: pair.Value})
			}
		}
		model.Trace[entry.Name] = trace
	}
}

var groupedPattern = regexp.MustCompile(`^grouped from (.+?) counting ([a-z_0-9]+)(?: where (.+))?$`)

// parseRows reads the rule of conservation.
func parseRows(text string) (pipeline.RowRule, error) {
	text = strings.Join(strings.Fields(text), " ")
	if text == string(pipeline.RowsGenerated) {
		return pipeline.RowRule{Kind: pipeline.RowsGenerated}, nil
	}
	if match := groupedPattern.FindStringSubmatch(text); match != nil {
		return pipeline.RowRule{
			Kind: pipeline.RowsGrouped, From: splitNames(match[1]), Counting: match[2], Where: match[3],
		}, nil
	}
	for _, kind := range []pipeline.RowKind{pipeline.RowsOnePer, pipeline.RowsJoined, pipeline.RowsStacked} {
		if rest, ok := strings.CutPrefix(text, string(kind)+" "); ok {
			from, where, _ := strings.Cut(rest, " where ")
			rule := pipeline.RowRule{Kind: kind, From: splitNames(from), Where: where}
			if kind != pipeline.RowsStacked && len(rule.From) != 1 {
				return rule, fmt.Errorf("rows: %s takes one table", kind)
			}
			return rule, nil
		}
	}
	return pipeline.RowRule{}, fmt.Errorf("rows: %q is not a rule: want one per X, joined onto X, stacked from X, Y, "+
		"grouped from X counting COLUMN, each with [where …], or generated", text)
}

func splitNames(text string) []string {
	var names []string
	for _, name := range strings.Split(text, ",") {
		names = append(names, strings.TrimSpace(name))
	}
	return names
}

var macroPattern = regexp.MustCompile(`(?is)create\s+(?:or\s+replace\s+)?macro\s+([a-z_0-9]+)\s*\(`)

// loadMacros reads the shared macros and the pipeline's own.
func (l *loader) loadMacros(p *pipeline.Pipeline) {
	for _, folder := range []string{"sql/macros", path.Join("sql", l.name, "macros")} {
		files, _ := fs.Glob(l.files, path.Join(folder, "*.sql"))
		for _, file := range files {
			text, err := l.read(file)
			if err != nil {
				l.problem(file, "%v", err)
				continue
			}
			for _, statement := range strings.Split(string(text), ";\n") {
				if strings.TrimSpace(statement) == "" {
					continue
				}
				match := macroPattern.FindStringSubmatch(statement)
				if match == nil {
					l.problem(file, "want only create macro name(…) as …; found %q", firstWords(statement))
					continue
				}
				p.Macros = append(p.Macros, pipeline.Macro{Name: match[1], SQL: strings.TrimSpace(statement), Path: file})
			}
		}
	}
	sort.SliceStable(p.Macros, func(i, j int) bool { return p.Macros[i].Name < p.Macros[j].Name })
	p.Macros = inOrderOfUse(p.Macros)
}

var macroWord = regexp.MustCompile(`[a-z_][a-z0-9_]*`)

// inOrderOfUse puts macros that others use before them, else by name: DuckDB
// wants them made in that order.
func inOrderOfUse(macros []pipeline.Macro) []pipeline.Macro {
	byName := map[string]pipeline.Macro{}
	for _, macro := range macros {
		byName[macro.Name] = macro
	}
	var ordered []pipeline.Macro
	seen := map[string]bool{}
	var add func(macro pipeline.Macro)
	add = func(macro pipeline.Macro) {
		if seen[macro.Name] {
			return
		}
		seen[macro.Name] = true
		for _, word := range macroWord.FindAllString(strings.ToLower(macro.SQL), -1) {
			if used, ok := byName[word]; ok {
				add(used)
			}
		}
		ordered = append(ordered, macro)
	}
	for _, macro := range macros {
		add(macro)
	}
	return ordered
}

func firstWords(text string) string {
	words := strings.Fields(text)
	return strings.Join(words[:min(6, len(words))], " ")
}

// Package config reads what people write: pipelines (YAML beside SQL) and
// projects (tamiz.yml).
//
// In comes a file system with config/<pipeline>/ and sql/<pipeline>/, either
// the embedded one or a project's own; out comes a [pipeline.Pipeline], or all
// the mistakes in it at once, each with file and line.
//
// This room opens no network, no database and no file outside the file system
// that it was given: checking a configuration is pure, so it can be fuzzed.
package config

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/goccy/go-yaml"

	"tamiz/pipeline"
)

//go:embed */*
var Files embed.FS // config/<pipeline>, without the leading config/

// Load reads pipeline name from files, whose root holds config/ and sql/.
// Mistakes come back joined, each a [pipeline.Error] of kind Config.
func Load(files fs.FS, name string) (*pipeline.Pipeline, error) {
	l := &loader{files: files, name: name, loaded: map[string][]byte{}}
	p := &pipeline.Pipeline{Name: name}
	adoption := l.loadHead(p)
	l.loadTables(p)
	l.loadSources(p)
	l.loadMacros(p)
	l.loadModels(p)
	l.addAdoption(p, adoption)
	l.checkComparison(p)
	l.checkAnchors(p)
	p.Files = l.loaded
	return p, errors.Join(l.problems...)
}

// Names lists the pipelines below config/ in files.
func Names(files fs.FS) []string {
	var names []string
	entries, _ := fs.ReadDir(files, "config")
	for _, entry := range entries {
		if _, err := fs.Stat(files, path.Join("config", entry.Name(), "pipeline.yml")); err == nil {
			names = append(names, entry.Name())
		}
	}
	return names
}

type loader struct {
	files    fs.FS
	name     string
	loaded   map[string][]byte // what was read, by path
	problems []error
}

// read reads a file that the pipeline is made of.
func (l *loader) read(file string) ([]byte, error) {
	text, err := fs.ReadFile(l.files, file)
	if err == nil {
		l.loaded[file] = text
	}
	return text, err
}

func (l *loader) problem(where, format string, arguments ...any) {
	l.problems = append(l.problems, &pipeline.Error{
		Kind: pipeline.Config, Where: where, Problem: fmt.Sprintf(format, arguments...),
	})
}

// decode reads file strictly into target: an unknown key is a mistake.
func (l *loader) decode(file string, target any) ([]byte, bool) {
	text, err := l.read(file)
	if err != nil {
		l.problem(file, "the file is missing")
		return nil, false
	}
	return text, l.decodeText(file, text, target)
}

func (l *loader) decodeText(file string, text []byte, target any) bool {
	if err := yaml.UnmarshalWithOptions(text, target, yaml.Strict()); err != nil {
		l.problem(file, "%s", strings.TrimSpace(yaml.FormatError(err, false, true)))
		return false
	}
	return true
}

type headFile struct {
	Title       map[string]string `yaml:"title"`
	Description string            `yaml:"description"`
	Calendar    calendarValue     `yaml:"calendar"`
	Schedule    *scheduleEntry    `yaml:"schedule"`
	Summary     []string          `yaml:"summary"`
	Examples    []string          `yaml:"examples"`
	Adoption    *adoptionEntry    `yaml:"adoption"`
	Allocation  *struct {
		SQL     string            `yaml:"sql"`
		Warning map[string]string `yaml:"warning"`
	} `yaml:"allocation"`
	Diff    *diffEntry    `yaml:"diff"`
	Anchors []anchorEntry `yaml:"anchors"`
}

// loadHead reads pipeline.yml; what it says of adoption is for [loader.addAdoption].
func (l *loader) loadHead(p *pipeline.Pipeline) *adoptionEntry {
	var head headFile
	file := path.Join("config", l.name, "pipeline.yml")
	text, ok := l.decode(file, &head)
	if !ok {
		return nil
	}
	p.Title, p.Description, p.Summary, p.Examples = head.Title, strings.TrimSpace(head.Description), head.Summary, head.Examples
	p.Calendar = pipeline.Calendar(head.Calendar)
	p.Schedule = head.Schedule.over(nil, l.scheduleProblem(file, text, "schedule"))
	p.Comparison = head.Diff.comparison(at(file, lineOf(text, "diff:")))
	if head.Allocation != nil {
		p.Allocation = &pipeline.Allocation{SQL: head.Allocation.SQL, Warning: head.Allocation.Warning, Path: at(file, lineOf(text, "allocation:"))}
	}
	p.Anchors = newAnchors(head.Anchors, at(file, lineOf(text, "anchors:")))
	if !p.Calendar.ISOFortnight && p.Calendar.Every == 0 && len(p.Calendar.Dates) == 0 {
		l.problem(file, "calendar is missing: write iso-fortnight, {every: 2w, anchor: 2026-01-04}, or a list of period ends such as [2025-04-13, 2026-04-13]")
	}
	return head.Adoption
}

// lineOf finds the 1-based line of text whose trimmed start is prefix, 0 if
// there is none.
func lineOf(text []byte, prefix string) int {
	for i, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), prefix) {
			return i + 1
		}
	}
	return 0
}

// at writes path:line, or the path alone.
func at(file string, line int) string {
	if line == 0 {
		return file
	}
	return fmt.Sprintf("%s:%d", file, line)
}

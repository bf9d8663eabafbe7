package config

import (
	"errors"
	"fmt"
	"slices"
	"sort"

	"tamiz/pipeline"
)

// Columns of a method's table that say whether a row is anchored: computed
// from a snapshot, then frozen.
const (
	AnchoredColumn     = "is_anchored"
	FromSnapshotColumn = "from_snapshot" // which snapshot
	FromManifestColumn = "from_manifest" // the digest of its manifest
)

const noVersion = "version is missing: a method has a version such as 1.0.0"

// Method is a method file that was read.
type Method struct {
	Version string
	Tables  []pipeline.Table // by name
}

// ParseMethod reads the text of a method file; file is its name for messages.
func ParseMethod(file string, text []byte) (Method, error) {
	l := &loader{}
	var content tablesFile
	if !l.decodeText(file, text, &content) {
		return Method{}, errors.Join(l.problems...)
	}
	if content.Version == "" {
		l.problem(file, noVersion)
	}
	method := Method{Version: content.Version, Tables: l.newTables("method", file, text, content)}
	sort.Slice(method.Tables, func(i, j int) bool { return method.Tables[i].Name < method.Tables[j].Name })
	return method, errors.Join(l.problems...)
}

// checkAnchored wants each anchored row to say which snapshot it is from.
func checkAnchored(table pipeline.Table) error {
	column := func(name string) int {
		return slices.IndexFunc(table.Columns, func(c pipeline.TableColumn) bool { return c.Name == name })
	}
	anchored, snapshot := column(AnchoredColumn), column(FromSnapshotColumn)
	if anchored < 0 {
		return nil
	}
	for row := range table.Rows {
		if table.Value(row, anchored) == "true" && (snapshot < 0 || table.Value(row, snapshot) == "null") {
			return fmt.Errorf("%s, row %d: %s is true, so %s must name the snapshot that the row is from; tamiz anchor writes both",
				table.Name, row+1, AnchoredColumn, FromSnapshotColumn)
		}
	}
	return nil
}

type diffEntry struct {
	Mart  string   `yaml:"mart"`
	Key   []string `yaml:"key"`
	Value string   `yaml:"value"`
	Unit  struct {
		One  string `yaml:"one"`
		Many string `yaml:"many"`
	} `yaml:"unit"`
	Groups  []groupEntry `yaml:"groups"`
	Indices []string     `yaml:"indices"`
	Because []factEntry  `yaml:"because"`
}

type groupEntry struct {
	Title string `yaml:"title"`
	SQL   string `yaml:"sql"`
}

type factEntry struct {
	Title string `yaml:"title"`
	Unit  string `yaml:"unit"`
	SQL   string `yaml:"sql"`
}

func (d *diffEntry) comparison(path string) *pipeline.Comparison {
	if d == nil {
		return nil
	}
	c := &pipeline.Comparison{Mart: d.Mart, Key: d.Key, Value: d.Value, One: d.Unit.One, Many: d.Unit.Many, Indices: d.Indices, Path: path}
	for _, group := range d.Groups {
		c.Groups = append(c.Groups, pipeline.ComparisonGroup(group))
	}
	for _, fact := range d.Because {
		c.Because = append(c.Because, pipeline.ComparisonFact(fact))
	}
	return c
}

// checkComparison wants a mart with these columns, and names for all.
func (l *loader) checkComparison(p *pipeline.Pipeline) {
	c := p.Comparison
	if c == nil {
		return
	}
	mart := p.Model("marts." + c.Mart)
	if mart == nil {
		l.problem(c.Path, "diff: there is no mart %q", c.Mart)
		return
	}
	if !slices.Equal(c.Key, mart.Key) {
		l.problem(c.Path, "diff: key is %v, but the key of %s is %v", c.Key, mart.Name, mart.Key)
	}
	if !slices.ContainsFunc(mart.Columns, func(column pipeline.Column) bool { return column.Name == c.Value }) {
		l.problem(c.Path, "diff: value: %s has no column %q", mart.Name, c.Value)
	}
	for _, index := range c.Indices {
		if !slices.ContainsFunc(mart.Columns, func(column pipeline.Column) bool { return column.Name == index }) {
			l.problem(c.Path, "diff: indices: %s has no column %q", mart.Name, index)
		}
	}
	for i, fact := range c.Because {
		if fact.Title == "" || fact.SQL == "" {
			l.problem(c.Path, "diff: because, %d: want a title and sql that gives %v and one column more", i+1, c.Key)
		}
	}
	if c.One == "" || c.Many == "" {
		l.problem(c.Path, "diff: unit is missing: want what a row is called, such as unit: {one: school, many: schools}")
	}
	for i, group := range c.Groups {
		if group.Title == "" || group.SQL == "" {
			l.problem(c.Path, "diff: groups, %d: want a title and sql that gives %v and the group's name", i+1, c.Key)
		}
	}
}

type anchorEntry struct {
	Table string   `yaml:"table"`
	Key   []string `yaml:"key"`
	SQL   string   `yaml:"sql"`
}

func newAnchors(entries []anchorEntry, path string) []pipeline.Anchor {
	var anchors []pipeline.Anchor
	for _, entry := range entries {
		anchors = append(anchors, pipeline.Anchor{Table: "method." + entry.Table, Key: entry.Key, SQL: entry.SQL, Path: path})
	}
	return anchors
}

// checkAnchors wants a table of the method with these columns.
func (l *loader) checkAnchors(p *pipeline.Pipeline) {
	for _, anchor := range p.Anchors {
		i := slices.IndexFunc(p.Tables, func(t pipeline.Table) bool { return t.Name == anchor.Table })
		if i < 0 {
			l.problem(anchor.Path, "anchors: there is no table %s", anchor.Table)
			continue
		}
		if anchor.SQL == "" {
			l.problem(anchor.Path, "anchors: %s: sql is missing", anchor.Table)
		}
		for _, name := range append(slices.Clone(anchor.Key), AnchoredColumn) {
			if !slices.ContainsFunc(p.Tables[i].Columns, func(c pipeline.TableColumn) bool { return c.Name == name }) {
				l.problem(anchor.Path, "anchors: %s has no column %q", anchor.Table, name)
			}
		}
	}
}

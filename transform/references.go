package transform

import (
	"errors"
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"tamiz/internal/duck"
	"tamiz/pipeline"
)

// readReferences finds which tables each model reads.
func (b *binder) readReferences() {
	known := map[string]bool{}
	for table := range b.out.Columns {
		known[table] = true
	}
	for i := range b.p.Models {
		known[b.p.Models[i].Name] = true
	}
	for i := range b.p.Models {
		model := &b.p.Models[i]
		if model.Transform != nil {
			b.readRoles(model, known)
			continue
		}
		tables, err := b.references(model.SQL)
		if err != nil {
			b.problems = append(b.problems, sqlError(model.SQLPath, model.SQL, err))
			continue
		}
		for _, table := range tables {
			where := fmt.Sprintf("%s:%d", model.SQLPath, lineWith(model.SQL, table))
			if !known[table] {
				b.problem(where, model.Name, nearestTable(table, known), "it reads %s, which is unknown", table)
			} else if problem := layerProblem(model, table); problem != "" {
				b.problem(where, model.Name, "", "%s", problem)
			}
		}
		b.out.Inputs[model.Name] = tables
		b.out.Macros[model.Name] = b.macrosIn(model.SQL)
	}
}

// references lists the tables that a select names, without its own CTEs.
func (b *binder) references(sql string) ([]string, error) {
	tree, err := b.db.ParseTree(b.ctx, sql)
	if err != nil {
		return nil, err
	}
	if statements, _ := tree["statements"].([]any); len(statements) != 1 {
		return nil, errors.New("a model is one bare select")
	}
	local, found := map[string]bool{}, map[string]bool{}
	walkTree(tree, func(node duck.Node) {
		if ctes, ok := node["cte_map"].(duck.Node); ok {
			entries, _ := ctes["map"].([]any)
			for _, entry := range entries {
				if item, ok := entry.(duck.Node); ok {
					local[fmt.Sprint(item["key"])] = true
				}
			}
		}
	})
	walkTree(tree, func(node duck.Node) {
		if node["type"] != "BASE_TABLE" {
			return
		}
		schema, name := fmt.Sprint(node["schema_name"]), fmt.Sprint(node["table_name"])
		if schema == "" && local[name] {
			return
		}
		found[strings.TrimPrefix(schema+"."+name, ".")] = true
	})
	tables := make([]string, 0, len(found))
	for table := range found {
		tables = append(tables, table)
	}
	sort.Strings(tables)
	return tables, nil
}

// layerProblem says why a model may not read a table.
func layerProblem(model *pipeline.Model, table string) string {
	schema, _, _ := strings.Cut(table, ".")
	layer, _, _ := strings.Cut(model.Name, ".")
	switch {
	case schema == "method" || schema == "reference" || table == "raw.run" || pipeline.IsVintages(table):
		return ""
	case layer == "staging" && schema != "raw":
		return "a staging model reads one raw table; " + table + " is none"
	case layer != "staging" && schema == "raw":
		return "only staging models read raw tables; read a staging model in place of " + table
	case layer == "intermediate" && schema == "marts":
		return "an intermediate model does not read marts such as " + table
	case schema == "good":
		return "only gates read a last good version"
	case schema == "previous":
		return "only checks read the previous snapshot"
	}
	return ""
}

func nearestTable(table string, known map[string]bool) string {
	best, bestScore := "", 0
	for name := range known {
		score := 0
		for _, part := range strings.FieldsFunc(table, func(r rune) bool { return r == '.' || r == '_' }) {
			if strings.Contains(name, part) {
				score += len(part)
			}
		}
		if score > bestScore || (score == bestScore && name < best) {
			best, bestScore = name, score
		}
	}
	if best == "" {
		return ""
	}
	return "did you mean " + best + "?"
}

var wordPattern = regexp.MustCompile(`[a-z_][a-z0-9_]*`)

// macrosIn finds the macros that a text mentions, and those that these
// mention. A mere word in a comment counts: a superset is safe.
func (b *binder) macrosIn(sql string) []pipeline.Macro {
	wanted := map[string]bool{}
	var add func(text string)
	add = func(text string) {
		for _, word := range wordPattern.FindAllString(strings.ToLower(text), -1) {
			for _, macro := range b.p.Macros {
				if macro.Name == word && !wanted[word] {
					wanted[word] = true
					add(macro.SQL)
				}
			}
		}
	}
	add(sql)
	var macros []pipeline.Macro
	for _, macro := range b.p.Macros {
		if wanted[macro.Name] {
			macros = append(macros, macro)
		}
	}
	return macros
}

// walkTree visits every object of a JSON tree, but for the aggregates that
// list functions such as list_sum use inside: a list has an order of its own.
func walkTree(value any, visit func(duck.Node)) {
	switch v := value.(type) {
	case duck.Node:
		visit(v)
		for name, child := range v {
			if name != "aggr_expr" {
				walkTree(child, visit)
			}
		}
	case []any:
		for _, child := range v {
			walkTree(child, visit)
		}
	}
}

var linePattern = regexp.MustCompile(`LINE (\d+):`)

// lineOfError finds the line of a model that DuckDB's message means. Queries
// around a model put one line before it.
func lineOfError(sql string, err error) int {
	var tree *duck.TreeError
	if errors.As(err, &tree) {
		if position, err := strconv.Atoi(tree.Position); err == nil {
			return lineAt(sql, position)
		}
	}
	if match := linePattern.FindStringSubmatch(err.Error()); match != nil {
		if line, err := strconv.Atoi(match[1]); err == nil {
			return max(1, line-1)
		}
	}
	return 1
}

// lineAt gives the line of a byte offset, 1 if it is unknown.
func lineAt(sql string, position int) int {
	if position <= 0 || position > len(sql) {
		return 1
	}
	return 1 + strings.Count(sql[:position], "\n")
}

// lineWith gives the first line that holds word outside a comment, else 1.
func lineWith(text, word string) int {
	for i, line := range strings.Split(text, "\n") {
		if word != "" && strings.Contains(line, word) && !strings.HasPrefix(strings.TrimSpace(line), "--") {
			return i + 1
		}
	}
	return 1
}

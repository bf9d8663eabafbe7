package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"tamiz/pipeline"
)

// RowEdit sets cells of one row of a method's table.
type RowEdit struct {
	Table string            // method.x
	Key   map[string]string // which row: columns and their values
	Set   []CellEdit        // cells that the row lacks are added at its end
}

// CellEdit is a column and its new value, as YAML.
type CellEdit struct{ Column, Value string }

// EditMethod writes another version and other cells into the text of a method
// file. Nothing else changes: comments, order and blanks stay. It fails if a
// row is not there, or cannot be edited safely.
func EditMethod(file string, text []byte, version string, edits []RowEdit) ([]byte, error) {
	tree, err := parser.ParseBytes(text, 0)
	if err != nil || len(tree.Docs) != 1 {
		return nil, &pipeline.Error{Kind: pipeline.Config, Where: file, Problem: "the file is no YAML that can be edited", Err: err}
	}
	e := &editor{file: file, lines: strings.SplitAfter(string(text), "\n")}
	root := tree.Docs[0].Body
	e.set(root, []CellEdit{{"version", version}})
	tables := valueOf(root, "tables")
	for _, edit := range edits {
		rows, _ := valueOf(valueOf(tables, pipeline.BaseName(edit.Table)), "rows").(*ast.SequenceNode)
		row := findRow(rows, edit.Key)
		if row == nil {
			return nil, &pipeline.Error{Kind: pipeline.Config, Where: file, Problem: fmt.Sprintf("%s has no row with %v", edit.Table, edit.Key)}
		}
		e.set(row, edit.Set)
	}
	if e.err != nil {
		return nil, e.err
	}
	edited := e.apply()
	if err := verifyEdit(file, text, edited, edits); err != nil {
		return nil, err
	}
	return edited, nil
}

// entries lists the keys and values of a mapping.
func entries(node ast.Node) []*ast.MappingValueNode {
	switch mapping := node.(type) {
	case *ast.MappingNode:
		return mapping.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{mapping}
	}
	return nil
}

func valueOf(node ast.Node, key string) ast.Node {
	for _, entry := range entries(node) {
		if entry.Key.GetToken().Value == key {
			return entry.Value
		}
	}
	return nil
}

func findRow(rows *ast.SequenceNode, key map[string]string) ast.Node {
	if rows == nil {
		return nil
	}
	for _, row := range rows.Values {
		found := true
		for column, want := range key {
			cell := valueOf(row, column)
			found = found && cell != nil && cell.GetToken().Value == want
		}
		if found {
			return row
		}
	}
	return nil
}

// editor gathers replacements in the lines of a text.
type editor struct {
	file    string
	lines   []string
	patches []patch
	err     error
}

// patch replaces some characters of a line, both from 0.
type patch struct {
	line, column, length int
	text                 string
}

func (e *editor) set(mapping ast.Node, cells []CellEdit) {
	list := entries(mapping)
	if len(list) == 0 {
		e.fail(1)
		return
	}
	added := ""
	first, last := list[0], list[len(list)-1]
	flow, ok := mapping.(*ast.MappingNode)
	isFlow := ok && flow.IsFlowStyle
	for _, cell := range cells {
		if value := valueOf(mapping, cell.Column); value != nil {
			line, column, length := e.span(value.GetToken())
			e.patches = append(e.patches, patch{line, column, length, cell.Value})
			continue
		}
		if isFlow {
			added += ", " + cell.Column + ": " + cell.Value
		} else {
			added += "\n" + strings.Repeat(" ", first.Key.GetToken().Position.Column-1) + cell.Column + ": " + cell.Value
		}
	}
	if added != "" {
		line, column, length := e.span(last.Value.GetToken())
		end := column + length
		if !isFlow { // a comment stays with its line
			end = len([]rune(strings.TrimRight(e.lines[line], "\r\n")))
		}
		e.patches = append(e.patches, patch{line, end, 0, added})
	}
}

// span finds where a scalar of one line stands.
func (e *editor) span(t *token.Token) (line, column, length int) {
	line, column = t.Position.Line-1, t.Position.Column-1
	written := t.Value
	if t.Type == token.DoubleQuoteType || t.Type == token.SingleQuoteType {
		written = strings.TrimSpace(t.Origin)
	}
	length = len([]rune(written))
	if line >= len(e.lines) {
		e.fail(t.Position.Line)
		return 0, 0, 0
	}
	characters := []rune(strings.TrimRight(e.lines[line], "\r\n"))
	if column+length > len(characters) || string(characters[column:column+length]) != written {
		e.fail(t.Position.Line)
	}
	return line, column, length
}

func (e *editor) fail(line int) {
	if e.err == nil {
		e.err = &pipeline.Error{Kind: pipeline.Config, Where: at(e.file, line), Problem: "this line cannot be edited safely", Hint: "write each value as a plain number or word on one line"}
	}
}

// apply makes the replacements, the last first. Of two at one place, the one
// that was asked for last stands last.
func (e *editor) apply() []byte {
	patches := slices.Clone(e.patches)
	slices.SortStableFunc(patches, func(a, b patch) int {
		if a.line != b.line {
			return b.line - a.line
		}
		return b.column - a.column
	})
	for _, p := range patches {
		characters := []rune(e.lines[p.line])
		e.lines[p.line] = string(characters[:p.column]) + p.text + string(characters[p.column+p.length:])
	}
	return []byte(strings.Join(e.lines, ""))
}

// verifyEdit reads the text anew: only what was asked for may differ.
func verifyEdit(file string, before, after []byte, edits []RowEdit) error {
	old, err := ParseMethod(file, before)
	if err != nil {
		return err
	}
	edited, err := ParseMethod(file, after)
	if err != nil {
		return err
	}
	asked := map[string]bool{}
	for _, edit := range edits {
		asked[edit.Table] = true
		for _, cell := range edit.Set {
			asked[edit.Table+"."+cell.Column] = true
		}
	}
	for _, change := range pipeline.CompareMethods(old.Tables, edited.Tables) {
		place := change.Table
		if change.Column != "" {
			place += "." + change.Column
		}
		if !asked[place] {
			return &pipeline.Error{Kind: pipeline.Internal, Where: file, Problem: "the edit would change " + change.Name() + ", too"}
		}
	}
	return nil
}

// CellOf writes a value of an SQL answer as YAML, for a column of that type.
func CellOf(value, columnType string) string {
	switch columnType {
	case "DOUBLE":
		if !strings.ContainsAny(value, ".eE") {
			return value + ".0"
		}
		return value
	case "BIGINT", "BOOLEAN":
		return value
	}
	return strconv.Quote(value)
}

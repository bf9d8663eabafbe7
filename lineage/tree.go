package lineage

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"tamiz/pipeline"
)

// branch is one line of a tree and what hangs under it.
type branch struct {
	id   string // equal lines hang the same under them
	line string
	grow func() []branch
}

// tree writes branches; what was already drawn in full is not drawn again.
type tree struct {
	w     io.Writer
	depth int // levels below the root; 0: all
	drawn map[string]bool
}

func (t *tree) draw(b branch, prefix, indent string, level int) {
	children := b.grow()
	line := prefix + b.line
	switch {
	case len(children) == 0:
	case t.drawn[b.id]:
		line, children = line+" (above)", nil
	case t.depth > 0 && level == t.depth:
		line, children = line+fmt.Sprintf(" … %d more", len(children)), nil
	default:
		t.drawn[b.id] = true
	}
	fmt.Fprintln(t.w, line)
	for i, child := range children {
		if i < len(children)-1 {
			t.draw(child, indent+"├─ ", indent+"│  ", level+1)
		} else {
			t.draw(child, indent+"└─ ", indent+"   ", level+1)
		}
	}
}

// WriteTree writes a table and what it stands on or, downstream, what stands on
// it, as a tree of so many levels; 0 writes all of them.
func (g *Graph) WriteTree(w io.Writer, table string, downstream bool, depth int) {
	t := &tree{w, depth, map[string]bool{}}
	t.draw(g.tableBranch(table, downstream), "", "", 0)
}

func (g *Graph) tableBranch(table string, downstream bool) branch {
	line := table
	if node := g.Node(table); node != nil && node.Layer == LayerSource && node.Publisher != "" {
		line += "   " + plain(node.Publisher+": "+node.Description)
	}
	return branch{id: table, line: line, grow: func() []branch {
		next := g.inputs[table]
		if downstream {
			next = g.dependents[table]
		}
		var children []branch
		for _, name := range next {
			if g.Node(name) != nil {
				children = append(children, g.tableBranch(name, downstream))
			}
		}
		return children
	}}
}

// rowsShown is how many conditions on rows a short tree names.
const rowsShown = 4

// WriteColumnTree writes a column and what it stands on, as [Graph.Behind]
// follows it, or, downstream, what stands on it.
func (g *Graph) WriteColumnTree(w io.Writer, column pipeline.ColumnRef, downstream bool, depth int) {
	follow := g.Behind
	if downstream {
		follow = g.Beyond
	}
	made := map[pipeline.ColumnRef][]pipeline.ColumnInput{}
	for _, one := range follow(column) {
		made[one.ColumnRef] = one.Inputs
	}
	t := &tree{w, depth, map[string]bool{}}
	t.draw(g.columnBranch(pipeline.ColumnInput{ColumnRef: column}, nil, made), "", "", 0)
	rows := g.decided(column.Table)
	if len(rows) == 0 || downstream {
		return
	}
	more := ""
	if depth > 0 && len(rows) > rowsShown {
		rows, more = rows[:rowsShown], fmt.Sprintf(" … %d more", len(rows)-rowsShown)
	}
	fmt.Fprintf(w, "Which rows there are: %s%s\n", strings.Join(rows, ", "), more)
}

// decided lists what decides which rows a table has, but for keys.
func (g *Graph) decided(table string) []string {
	var list []string
	for _, input := range g.lineage[table].Rows {
		if g.follows(pipeline.ColumnRef{}, input) && !slices.Contains(list, input.String()) {
			list = append(list, input.String())
		}
	}
	return list
}

func (g *Graph) columnBranch(input pipeline.ColumnInput, ways []string, made map[pipeline.ColumnRef][]pipeline.ColumnInput) branch {
	line := input.String()
	if node := g.Node(input.Table); node == nil { // a title in a publisher's file
		line = fmt.Sprintf("%q in the files of %s", input.Column, input.Table)
	} else if node.Coarse {
		ways = append(ways, "made of all that is read")
	}
	if len(ways) > 0 {
		line += "   " + strings.Join(ways, ", ")
	}
	return branch{id: input.String(), line: line, grow: func() []branch {
		var children []branch
		for _, group := range together(made[input.ColumnRef]) {
			children = append(children, g.columnBranch(group[0], waysOf(group), made))
		}
		return children
	}}
}

// together puts the inputs that name one column beside each other: those that
// bring the value first.
func together(inputs []pipeline.ColumnInput) [][]pipeline.ColumnInput {
	var values, conditions [][]pipeline.ColumnInput
	for start := 0; start < len(inputs); {
		end := start + 1
		for end < len(inputs) && inputs[end].ColumnRef == inputs[start].ColumnRef {
			end++
		}
		if inputs[start].Kind == pipeline.Condition {
			conditions = append(conditions, inputs[start:end])
		} else {
			values = append(values, inputs[start:end])
		}
		start = end
	}
	return append(values, conditions...)
}

// waysOf says in a word each how a column bears.
func waysOf(inputs []pipeline.ColumnInput) []string {
	var ways []string
	for _, input := range inputs {
		way := string(input.Kind)
		if input.Kind == pipeline.Condition {
			way = "by " + input.By
		}
		ways = append(ways, way)
	}
	return ways
}

// plain makes a text from a card one line without control characters.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.Join(strings.Fields(text), " "))
}

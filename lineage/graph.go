package lineage

import (
	"slices"

	"tamiz/pipeline"
)

// Layer says where in a pipeline a table stands.
type Layer string

// The layers, in the order in which data walks. A constant is a table that
// people write: the method's numbers, a catalogue, the run's dates.
const (
	LayerSource       Layer = "source"
	LayerConstant     Layer = "constant"
	LayerStaging      Layer = "staging"
	LayerIntermediate Layer = "intermediate"
	LayerMart         Layer = "mart"
)

// Graph is what a pipeline's tables and columns are made of.
type Graph struct {
	Pipeline string `json:"pipeline"`
	Nodes    []Node `json:"nodes"` // inputs first
	Edges    []Edge `json:"edges"` // sorted

	lineage    pipeline.ColumnLineage
	inputs     map[string][]string // table → tables
	dependents map[string][]string
	keys       map[pipeline.ColumnRef]bool // columns that only say which row it is
}

// Node is one table.
type Node struct {
	Table       string       `json:"table"`
	Layer       Layer        `json:"layer"`
	Depth       int          `json:"depth"` // the most steps between it and what it stands on
	Description string       `json:"description"`
	Publisher   string       `json:"publisher,omitempty"` // of a source
	Coarse      bool         `json:"coarse,omitempty"`    // its columns are not told apart
	Columns     []NodeColumn `json:"columns"`
	// Rows are the inputs that decide which rows there are.
	Rows []pipeline.ColumnInput `json:"rows,omitempty"`
}

// NodeColumn is one column of a table with what it is made of.
type NodeColumn struct {
	Name        string                 `json:"name"`
	Type        string                 `json:"type"`
	Description string                 `json:"description,omitempty"`
	Inputs      []pipeline.ColumnInput `json:"inputs"`
}

// Edge says that one table is read to make another.
type Edge struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// NewGraph makes the graph of all tables of a pipeline.
func NewGraph(p *pipeline.Pipeline, binding *pipeline.Binding, columns pipeline.ColumnLineage) *Graph {
	g := &Graph{Pipeline: p.Name, lineage: columns, inputs: binding.Inputs, dependents: map[string][]string{}, keys: map[pipeline.ColumnRef]bool{}}
	read := map[string]bool{}
	for _, tables := range binding.Inputs {
		for _, table := range tables {
			read[table] = true
		}
	}
	for i := range p.Sources {
		source := &p.Sources[i]
		for _, table := range []string{source.Table(), source.HistoryTable(), source.VintagesTable()} {
			if read[table] || table == source.Table() {
				node := g.node(table, LayerSource, source.Title, binding, nil)
				node.Publisher = source.Publisher
				g.Nodes = append(g.Nodes, node)
			}
		}
	}
	for _, table := range append([]pipeline.Table{{Name: "raw.run", Description: "The run's period and date."}}, p.Tables...) {
		if read[table.Name] {
			g.Nodes = append(g.Nodes, g.node(table.Name, LayerConstant, table.Description, binding, nil))
		}
	}
	for _, name := range binding.Order {
		model := p.Model(name)
		layer := LayerIntermediate
		switch {
		case model.IsStaging():
			layer = LayerStaging
		case model.IsMart():
			layer = LayerMart
		}
		for _, column := range model.Key {
			g.keys[pipeline.ColumnRef{Table: name, Column: column}] = true
		}
		g.Nodes = append(g.Nodes, g.node(name, layer, model.Description, binding, model.Columns))
	}
	g.connect()
	return g
}

func (g *Graph) node(table string, layer Layer, description string, binding *pipeline.Binding, described []pipeline.Column) Node {
	lineage := g.lineage[table]
	node := Node{Table: table, Layer: layer, Description: description, Coarse: lineage.Coarse, Rows: lineage.Rows, Columns: []NodeColumn{}}
	meaning := map[string]string{}
	for _, column := range described {
		meaning[column.Name] = column.Description
	}
	for _, column := range binding.Columns[table] {
		inputs := lineage.Columns[column.Name]
		if inputs == nil {
			inputs = []pipeline.ColumnInput{}
		}
		node.Columns = append(node.Columns, NodeColumn{column.Name, column.Type, meaning[column.Name], inputs})
	}
	return node
}

// connect finds edges and depths. Nodes come with their inputs first.
func (g *Graph) connect() {
	g.Edges = []Edge{}
	depths := map[string]int{}
	for i := range g.Nodes {
		node := &g.Nodes[i]
		for _, input := range g.inputs[node.Table] {
			g.Edges = append(g.Edges, Edge{input, node.Table})
			g.dependents[input] = append(g.dependents[input], node.Table)
			node.Depth = max(node.Depth, depths[input]+1)
		}
		depths[node.Table] = node.Depth
	}
	slices.SortFunc(g.Edges, func(a, b Edge) int {
		return pipeline.ColumnRef{Table: a.From, Column: a.To}.Compare(pipeline.ColumnRef{Table: b.From, Column: b.To})
	})
}

// Only gives the graph of some of the tables.
func (g *Graph) Only(tables map[string]bool) *Graph {
	part := *g
	part.Nodes, part.Edges = []Node{}, []Edge{}
	for _, node := range g.Nodes {
		if tables[node.Table] {
			part.Nodes = append(part.Nodes, node)
		}
	}
	for _, edge := range g.Edges {
		if tables[edge.From] && tables[edge.To] {
			part.Edges = append(part.Edges, edge)
		}
	}
	return &part
}

// Node gives the table of that name, or nil.
func (g *Graph) Node(table string) *Node {
	for i := range g.Nodes {
		if g.Nodes[i].Table == table {
			return &g.Nodes[i]
		}
	}
	return nil
}

// HasColumn reports whether a table of the graph has that column.
func (g *Graph) HasColumn(ref pipeline.ColumnRef) bool {
	node := g.Node(ref.Table)
	return node != nil && slices.ContainsFunc(node.Columns, func(column NodeColumn) bool { return column.Name == ref.Column })
}

// follows reports whether what an input stands on is part of a column's story.
// A condition on a key, or of one, says which row it is, not what stands in it.
func (g *Graph) follows(made pipeline.ColumnRef, input pipeline.ColumnInput) bool {
	return input.Kind != pipeline.Condition || !g.keys[input.ColumnRef] && !g.keys[made]
}

// Behind gives a column and all columns that it stands on, through all tables:
// what brings its value and what decides it, but for conditions on keys, which
// say which row it is, and for what decides which rows there are. Each comes
// with its own inputs of that sort, the chosen column first.
func (g *Graph) Behind(column pipeline.ColumnRef) []Made {
	var made []Made
	seen := map[pipeline.ColumnRef]bool{column: true}
	for queue := []pipeline.ColumnRef{column}; len(queue) > 0; queue = queue[1:] {
		inputs := []pipeline.ColumnInput{}
		for _, input := range g.lineage[queue[0].Table].Columns[queue[0].Column] {
			if !g.follows(queue[0], input) {
				continue
			}
			inputs = append(inputs, input)
			if !seen[input.ColumnRef] {
				seen[input.ColumnRef] = true
				queue = append(queue, input.ColumnRef)
			}
		}
		made = append(made, Made{queue[0], inputs})
	}
	return made
}

// Made is a column with what it is made of.
type Made struct {
	pipeline.ColumnRef
	Inputs []pipeline.ColumnInput `json:"inputs"`
}

// Origins gives the ends of what a column stands on: titles in the publishers'
// files, columns of constant tables, and what is recorded of each raw row.
// Sorted.
func (g *Graph) Origins(column pipeline.ColumnRef) []pipeline.ColumnRef {
	origins := []pipeline.ColumnRef{}
	for _, made := range g.Behind(column) {
		if len(made.Inputs) == 0 {
			origins = append(origins, made.ColumnRef)
		}
	}
	slices.SortFunc(origins, pipeline.ColumnRef.Compare)
	return origins
}

// Beyond gives a column and all columns that stand on it, as [Graph.Behind]
// does, each with those that are made of it directly, and how.
func (g *Graph) Beyond(column pipeline.ColumnRef) []Made {
	uses := map[pipeline.ColumnRef][]pipeline.ColumnInput{}
	for _, node := range g.Nodes {
		for _, made := range node.Columns {
			for _, input := range made.Inputs {
				ref := pipeline.ColumnRef{Table: node.Table, Column: made.Name}
				if g.follows(ref, input) {
					user := input
					user.ColumnRef = ref
					uses[input.ColumnRef] = append(uses[input.ColumnRef], user)
				}
			}
		}
	}
	var beyond []Made
	seen := map[pipeline.ColumnRef]bool{column: true}
	for queue := []pipeline.ColumnRef{column}; len(queue) > 0; queue = queue[1:] {
		users := append([]pipeline.ColumnInput{}, uses[queue[0]]...)
		for _, user := range users {
			if !seen[user.ColumnRef] {
				seen[user.ColumnRef] = true
				queue = append(queue, user.ColumnRef)
			}
		}
		beyond = append(beyond, Made{queue[0], users})
	}
	return beyond
}

// Foundations counts the tables of sources, and the models, that a table stands
// on.
func (g *Graph) Foundations(table string) (sources, models int) {
	layers := map[string]Layer{}
	for _, node := range g.Nodes {
		layers[node.Table] = node.Layer
	}
	seen := map[string]bool{table: true}
	for queue := []string{table}; len(queue) > 0; queue = queue[1:] {
		for _, input := range g.inputs[queue[0]] {
			if seen[input] {
				continue
			}
			seen[input] = true
			queue = append(queue, input)
			switch layers[input] {
			case LayerSource:
				sources++
			case LayerStaging, LayerIntermediate, LayerMart:
				models++
			}
		}
	}
	return sources, models
}

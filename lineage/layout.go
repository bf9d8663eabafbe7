package lineage

import (
	"cmp"
	"slices"
)

// position is where a table stands in the picture: in which column from the left,
// and in which line of it.
type position struct{ column, line int }

// places lays the tables out so that every arrow goes to the right: sources and
// constants, staging, intermediate models by depth, marts by depth. Within a
// column each stands near what it is made of.
func (g *Graph) places() (map[string]position, int) {
	first := map[Layer]int{LayerSource: 0, LayerConstant: 0, LayerStaging: 1, LayerIntermediate: 2}
	layers, column := map[string]Layer{}, map[string]int{}
	assign := func(node Node, least int) {
		at := least
		for _, input := range g.inputs[node.Table] {
			if from, known := column[input]; known && from >= least {
				at = max(at, from+1)
			}
		}
		column[node.Table] = at
		layers[node.Table] = node.Layer
	}
	last := 1
	for _, node := range g.Nodes {
		if node.Layer != LayerMart {
			assign(node, first[node.Layer])
			last = max(last, column[node.Table])
		}
	}
	for _, node := range g.Nodes {
		if node.Layer == LayerMart {
			assign(node, last+1)
		}
	}
	columns := [][]string{}
	for _, node := range g.Nodes {
		at := column[node.Table]
		for len(columns) <= at {
			columns = append(columns, nil)
		}
		columns[at] = append(columns[at], node.Table)
	}
	return g.ordered(columns, layers), len(columns)
}

// ordered puts the tables of each column in an order in which few arrows cross:
// by the mean line of their neighbours, to and fro. Constants stand last.
func (g *Graph) ordered(columns [][]string, layers map[string]Layer) map[string]position {
	places := map[string]position{}
	number := func(at int) {
		for line, table := range columns[at] {
			places[table] = position{at, line}
		}
	}
	for at := range columns {
		number(at)
	}
	sortBy := func(at int, neighbours map[string][]string) {
		mean := map[string]float64{}
		for _, table := range columns[at] {
			sum, count := 0.0, 0.0
			for _, other := range neighbours[table] {
				if spot, known := places[other]; known && layers[other] != LayerConstant {
					sum, count = sum+float64(spot.line), count+1
				}
			}
			mean[table] = float64(places[table].line)
			if count > 0 {
				mean[table] = sum / count
			}
			if layers[table] == LayerConstant {
				mean[table] += 1e6
			}
		}
		slices.SortStableFunc(columns[at], func(a, b string) int { return cmp.Compare(mean[a], mean[b]) })
		number(at)
	}
	for range 4 {
		for at := range columns {
			sortBy(at, g.inputs)
		}
		for at := len(columns) - 1; at >= 0; at-- {
			sortBy(at, g.dependents)
		}
	}
	return places
}

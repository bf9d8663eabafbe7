package transform

import (
	"cmp"
	"slices"

	"tamiz/internal/duck"
	"tamiz/pipeline"
	"tamiz/transform/methods"
)

// unknownPart is raised where a plan holds what this reader does not know.
type unknownPart string

// selectLineage gives the lineage of a model's select from its bound plan. If
// the plan holds an operator that is not understood, each column is said to
// stand on each column that the model reads.
func selectLineage(plan duck.Node, columns []pipeline.Column) (lineage pipeline.TableLineage) {
	defer func() {
		if raised := recover(); raised != nil {
			if _, ok := raised.(unknownPart); !ok {
				panic(raised)
			}
			lineage = coarseLineage(plan, columns)
		}
	}()
	plans := list(plan["plans"])
	if len(plans) != 1 {
		panic(unknownPart("plans"))
	}
	r := newColumnReader()
	made := r.read(node(plans[0]))
	if len(made.columns) != len(columns) {
		panic(unknownPart("columns"))
	}
	lineage.Columns = map[string][]pipeline.ColumnInput{}
	for i, column := range columns {
		if column.Name == asideColumn { // rows for which it has a reason are set aside
			made.rows = union(made.rows, made.columns[i].as(asCondition|byFilter))
			continue
		}
		lineage.Columns[column.Name] = r.inputs(made.columns[i])
	}
	lineage.Rows = r.inputs(made.rows)
	return lineage
}

// inputs names a set. Of several ways in which one column brings a value, the
// one that changes it most counts.
func (r *columnReader) inputs(set influences) []pipeline.ColumnInput {
	var inputs []pipeline.ColumnInput
	for i, one := range set {
		if one.kind() != asCondition && i+1 < len(set) && set[i+1]>>8 == one>>8 && set[i+1].kind() != asCondition {
			continue
		}
		inputs = append(inputs, pipeline.ColumnInput{ColumnRef: r.refs[one>>8], Kind: kindNames[one.kind()>>4], By: byNames[one&0x0f]})
	}
	sortInputs(inputs)
	return inputs
}

func sortInputs(inputs []pipeline.ColumnInput) {
	slices.SortFunc(inputs, func(a, b pipeline.ColumnInput) int {
		return cmp.Or(a.ColumnRef.Compare(b.ColumnRef), slices.Index(kindNames, a.Kind)-slices.Index(kindNames, b.Kind), cmp.Compare(a.By, b.By))
	})
}

// coarseLineage says that each column is computed from all columns that the
// plan reads.
func coarseLineage(plan duck.Node, columns []pipeline.Column) pipeline.TableLineage {
	var inputs []pipeline.ColumnInput
	seen := map[pipeline.ColumnRef]bool{}
	walkTree(plan, func(operator duck.Node) {
		if text(operator["type"]) != "LOGICAL_GET" {
			return
		}
		table, names := scanned(operator)
		for _, name := range names {
			if ref := (pipeline.ColumnRef{Table: table, Column: name}); table != "" && !seen[ref] {
				seen[ref] = true
				inputs = append(inputs, pipeline.ColumnInput{ColumnRef: ref, Kind: pipeline.Transformation})
			}
		}
	})
	sortInputs(inputs)
	return everyColumn(columns, inputs)
}

func everyColumn(columns []pipeline.Column, inputs []pipeline.ColumnInput) pipeline.TableLineage {
	lineage := pipeline.TableLineage{Columns: map[string][]pipeline.ColumnInput{}, Coarse: true}
	for _, column := range columns {
		if column.Name != asideColumn {
			lineage.Columns[column.Name] = inputs
		}
	}
	for _, input := range inputs {
		lineage.Rows = append(lineage.Rows, pipeline.ColumnInput{ColumnRef: input.ColumnRef, Kind: pipeline.Condition, By: "filter"})
	}
	return lineage
}

// transformLineage is that of a Go method: each column of its output stands on
// each column that its roles declare.
func transformLineage(model *pipeline.Model) pipeline.TableLineage {
	method := methods.All[model.Transform.Method]
	inputs := map[pipeline.ColumnRef]bool{}
	var all []pipeline.ColumnInput
	for _, role := range method.Inputs {
		for _, column := range role.Columns {
			ref := pipeline.ColumnRef{Table: model.Transform.Inputs[role.Name], Column: column.Name}
			if !inputs[ref] {
				inputs[ref] = true
				all = append(all, pipeline.ColumnInput{ColumnRef: ref, Kind: pipeline.Transformation})
			}
		}
	}
	sortInputs(all)
	return everyColumn(outputColumns(method), all)
}

// rawLineage leads from a source's raw table to the titles that the columns
// have in the publisher's files.
func rawLineage(source *pipeline.Source) pipeline.TableLineage {
	lineage := pipeline.TableLineage{Columns: map[string][]pipeline.ColumnInput{}}
	for _, column := range source.Parsing.Columns {
		titles := column.Titles
		if len(titles) == 0 {
			titles = []string{column.Name}
		}
		var inputs []pipeline.ColumnInput
		for _, title := range titles {
			inputs = append(inputs, pipeline.ColumnInput{ColumnRef: pipeline.ColumnRef{Table: source.Name, Column: title}, Kind: pipeline.Identical})
		}
		sortInputs(inputs)
		lineage.Columns[column.Name] = slices.Compact(inputs)
	}
	return lineage
}

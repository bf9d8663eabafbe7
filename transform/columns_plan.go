package transform

import (
	"fmt"
	"slices"
	"strconv"

	"tamiz/internal/duck"
	"tamiz/pipeline"
)

// relation is what one operator of a plan gives: what bears on each of its
// columns, and what decides which rows it has.
type relation struct {
	columns []influences
	rows    influences
}

// at gives the column at a place that a plan names.
func (r relation) at(place any) influences {
	index, ok := place.(float64)
	if !ok || index < 0 || index >= float64(len(r.columns)) {
		panic(unknownPart("a place"))
	}
	return r.columns[int(index)]
}

// columnReader reads bound plans.
type columnReader struct {
	refs    []pipeline.ColumnRef
	numbers map[pipeline.ColumnRef]influence
	ctes    map[string]relation
	outer   [][]influences // columns that the joins around hand to their right sides
}

func newColumnReader() *columnReader {
	return &columnReader{numbers: map[pipeline.ColumnRef]influence{}, ctes: map[string]relation{}}
}

func (r *columnReader) input(ref pipeline.ColumnRef) influences {
	number, known := r.numbers[ref]
	if !known {
		number = influence(len(r.refs))
		r.refs = append(r.refs, ref)
		r.numbers[ref] = number
	}
	return influences{number<<8 | asIdentity}
}

// read gives what an operator makes. The places of columns in a plan's
// expressions count the columns that its children give, one after the other.
func (r *columnReader) read(n duck.Node) relation {
	switch kind := text(n["type"]); kind {
	case "LOGICAL_GET":
		return r.readGet(n)
	case "LOGICAL_PROJECTION":
		child := r.child(n, 0)
		return relation{r.expressions(n["expressions"], child), child.rows}
	case "LOGICAL_FILTER":
		return project(r.readFilter(n), n["projection_map"])
	case "LOGICAL_ORDER_BY":
		child := r.child(n, 0)
		child.rows = union(child.rows, r.orders(n["orders"], child))
		return project(child, n["projection_map"])
	case "LOGICAL_LIMIT":
		return r.child(n, 0) // which rows come first, the order below it decides
	case "LOGICAL_DISTINCT":
		return r.readDistinct(n)
	case "LOGICAL_AGGREGATE_AND_GROUP_BY":
		return r.readAggregate(n)
	case "LOGICAL_WINDOW":
		child := r.child(n, 0)
		return relation{append(slices.Clip(child.columns), r.expressions(n["expressions"], child)...), child.rows}
	case "LOGICAL_UNNEST":
		child := r.child(n, 0)
		made := r.expressions(n["expressions"], child)
		return relation{append(slices.Clip(child.columns), made...), union(child.rows, union(made...).as(asCondition|byUnnest))}
	case "LOGICAL_COMPARISON_JOIN", "LOGICAL_ANY_JOIN", "LOGICAL_DELIM_JOIN", "LOGICAL_ASOF_JOIN", "LOGICAL_CROSS_PRODUCT":
		return r.readJoin(n)
	case "LOGICAL_UNION", "LOGICAL_EXCEPT", "LOGICAL_INTERSECT":
		return r.readSet(n, kind)
	case "LOGICAL_MATERIALIZED_CTE":
		r.ctes[number(n["table_index"])] = r.child(n, 0)
		return r.child(n, 1)
	case "LOGICAL_RECURSIVE_CTE":
		return r.readRecursive(n)
	case "LOGICAL_CTE_REF":
		made, known := r.ctes[number(n["cte_index"])]
		if !known {
			panic(unknownPart("a CTE"))
		}
		return made
	case "LOGICAL_DELIM_GET":
		return r.readOuter(len(list(n["chunk_types"])))
	case "LOGICAL_EXPRESSION_GET":
		child := r.child(n, 0)
		made := relation{columns: make([]influences, len(list(n["expr_types"]))), rows: child.rows}
		for _, row := range list(n["expressions"]) {
			for i, column := range r.expressions(row, child) {
				made.columns[i] = union(made.columns[i], column)
			}
		}
		return made
	case "LOGICAL_CHUNK_GET":
		return relation{columns: make([]influences, len(list(n["chunk_types"])))}
	case "LOGICAL_DUMMY_SCAN":
		return relation{columns: make([]influences, 1)}
	default:
		panic(unknownPart(kind))
	}
}

// readFilter: a filter decides which rows there are. One that looks at a window,
// such as row_number() … = 1, chooses among rows, and so decides the values.
func (r *columnReader) readFilter(n duck.Node) relation {
	child := r.child(n, 0)
	set := r.together(n["expressions"], child)
	kept := set.as(asCondition | byFilter)
	made := relation{columns: child.columns, rows: union(child.rows, kept)}
	if slices.ContainsFunc(set, func(one influence) bool { return one&0xff == asCondition|byWindow }) {
		made.columns = slices.Clone(child.columns)
		for i := range made.columns {
			made.columns[i] = union(made.columns[i], kept)
		}
	}
	return made
}

// scanned gives the table that a scan reads, "" for a table function, and the
// names of all of its columns.
func scanned(n duck.Node) (table string, names []string) {
	for _, name := range list(n["names"]) {
		names = append(names, text(name))
	}
	if function := node(n["function_data"]); text(n["name"]) == "seq_scan" {
		table = text(function["schema"]) + "." + text(function["table"])
	}
	return table, names
}

func (r *columnReader) readGet(n duck.Node) relation {
	table, names := scanned(n)
	var given relation // what a table function beside another table is called with
	if len(list(n["children"])) > 0 {
		given = r.child(n, 0)
	}
	parameters := union(given.columns...)
	made := relation{rows: union(given.rows, parameters.as(asCondition|byUnnest))}
	for _, item := range list(n["column_indexes"]) {
		index, ok := node(item)["index"].(float64)
		switch {
		case table == "":
			made.columns = append(made.columns, parameters.as(asTransformation))
		case ok && index < float64(len(names)):
			made.columns = append(made.columns, r.input(pipeline.ColumnRef{Table: table, Column: names[int(index)]}))
		default: // the number of a row, which a count reads
			made.columns = append(made.columns, nil)
		}
	}
	made = project(made, n["projection_ids"])
	for _, item := range list(n["projected_input"]) {
		made.columns = append(made.columns, given.at(item))
	}
	return made
}

func (r *columnReader) readDistinct(n duck.Node) relation {
	child := r.child(n, 0)
	targets := r.together(n["distinct_targets"], child).as(asCondition | byGroup)
	order := r.orders(node(n["order_by"])["orders"], child)
	made := relation{rows: union(child.rows, targets, order)}
	for _, column := range child.columns {
		if text(n["distinct_type"]) == "DISTINCT_ON" { // which of the rows it is taken from
			column = union(column, targets, order)
		}
		made.columns = append(made.columns, column)
	}
	return made
}

func (r *columnReader) readAggregate(n duck.Node) relation {
	child := r.child(n, 0)
	groups := r.expressions(n["groups"], child)
	keys := union(groups...).as(asCondition | byGroup)
	made := relation{columns: slices.Clip(groups)}
	for _, aggregate := range r.expressions(n["expressions"], child) {
		made.columns = append(made.columns, union(aggregate, keys, child.rows))
	}
	made.columns = append(made.columns, make([]influences, len(list(n["grouping_functions"])))...)
	if len(groups) > 0 { // else there is one row, whatever the input
		made.rows = union(child.rows, keys)
	}
	return made
}

// readJoin: a column of the right side stands on the condition too, since it
// decides from which row it is taken. Where a row without a partner has NULL,
// it also stands on what decides which rows the other side has.
func (r *columnReader) readJoin(n duck.Node) relation {
	left := r.child(n, 0)
	eliminated := list(n["duplicate_eliminated_columns"])
	if len(eliminated) > 0 {
		r.outer = append(r.outer, r.expressions(n["duplicate_eliminated_columns"], left))
	}
	right := r.child(n, 1)
	if len(eliminated) > 0 {
		r.outer = r.outer[:len(r.outer)-1]
	}
	both := relation{columns: append(slices.Clip(left.columns), right.columns...)}
	compared := r.expression(n["condition"], both)
	compared = union(compared, r.expression(n["predicate"], both))
	for _, item := range list(n["conditions"]) {
		condition := node(item)
		if condition["left"] == nil { // an expression over both sides
			compared = union(compared, r.expression(item, both))
			continue
		}
		compared = union(compared, r.expression(condition["left"], left), r.expression(condition["right"], right))
	}
	on := compared.as(asCondition | byJoin)
	rows := union(left.rows, right.rows, on)
	leftToo, rightToo := influences(nil), on
	switch kind := text(n["join_type"]); kind {
	case "", "INNER":
	case "LEFT":
		rightToo = union(on, right.rows)
	case "RIGHT":
		leftToo = union(on, left.rows)
	case "OUTER", "FULL":
		leftToo, rightToo = union(on, left.rows), union(on, right.rows)
	case "SINGLE": // a subquery that gives one value
		rightToo, rows = union(on, right.rows), left.rows
	case "MARK": // in, any, exists: one column more
		mark := union(compared.as(asTransformation), right.rows)
		return relation{append(slices.Clip(left.columns), mark), left.rows}
	case "SEMI", "ANTI":
		return relation{left.columns, rows}
	default:
		panic(unknownPart("join " + kind))
	}
	made := relation{rows: rows}
	for _, column := range project(left, n["left_projection_map"]).columns {
		made.columns = append(made.columns, union(column, leftToo))
	}
	for _, column := range project(right, n["right_projection_map"]).columns {
		made.columns = append(made.columns, union(column, rightToo))
	}
	return made
}

func (r *columnReader) readSet(n duck.Node, kind string) relation {
	made := r.child(n, 0)
	made.columns = slices.Clone(made.columns)
	all := union(made.columns...)
	for i := range list(n["children"])[1:] {
		other := r.child(n, i+1)
		if len(other.columns) != len(made.columns) {
			panic(unknownPart(kind))
		}
		made.rows = union(made.rows, other.rows)
		all = union(all, union(other.columns...))
		if kind == "LOGICAL_UNION" {
			for j, column := range other.columns {
				made.columns[j] = union(made.columns[j], column)
			}
		}
	}
	if every, _ := n["setop_all"].(bool); !every || kind != "LOGICAL_UNION" {
		made.rows = union(made.rows, all.as(asCondition|byGroup))
	}
	return made
}

// readRecursive goes round until nothing new comes in.
func (r *columnReader) readRecursive(n duck.Node) relation {
	made := r.child(n, 0)
	made.columns = slices.Clone(made.columns)
	for grown := true; grown; {
		grown = false
		r.ctes[number(n["table_index"])] = made
		again := r.child(n, 1)
		next := relation{rows: union(made.rows, again.rows)}
		for i, column := range made.columns {
			next.columns = append(next.columns, union(column, again.columns[i]))
			grown = grown || len(next.columns[i]) > len(column)
		}
		grown = grown || len(next.rows) > len(made.rows)
		made = next
	}
	if every, _ := n["union_all"].(bool); !every {
		made.rows = union(made.rows, union(made.columns...).as(asCondition|byGroup))
	}
	return made
}

// readOuter gives the columns that a join around hands to its right side. Of
// joins in joins it is not known which one is meant: then it is all of them.
func (r *columnReader) readOuter(width int) relation {
	made := relation{columns: make([]influences, width)}
	switch {
	case len(r.outer) == 1 && len(r.outer[0]) == width:
		copy(made.columns, r.outer[0])
	default:
		var all influences
		for _, columns := range r.outer {
			all = union(all, union(columns...))
		}
		for i := range made.columns {
			made.columns[i] = all
		}
	}
	return made
}

func (r *columnReader) child(n duck.Node, i int) relation {
	children := list(n["children"])
	if i >= len(children) {
		panic(unknownPart("children of " + text(n["type"])))
	}
	return r.read(node(children[i]))
}

func (r *columnReader) expressions(value any, over relation) []influences {
	var made []influences
	for _, item := range list(value) {
		made = append(made, r.expression(item, over))
	}
	return made
}

func (r *columnReader) together(value any, over relation) influences {
	return union(r.expressions(value, over)...)
}

func (r *columnReader) orders(value any, over relation) influences {
	var all influences
	for _, item := range list(value) {
		all = union(all, r.expression(node(item)["expression"], over))
	}
	return all.as(asCondition | bySort)
}

// expression gives what bears on the value of an expression; nothing if there
// is none.
func (r *columnReader) expression(value any, over relation) influences {
	e := node(value)
	if e == nil {
		return nil
	}
	switch class := text(e["expression_class"]); class {
	case "BOUND_REF":
		return over.at(e["index"])
	case "BOUND_CONSTANT", "BOUND_DEFAULT":
		return nil
	case "BOUND_FUNCTION", "BOUND_OPERATOR", "BOUND_CONJUNCTION":
		return r.together(e["children"], over).as(asTransformation)
	case "BOUND_CAST", "BOUND_UNNEST":
		return r.expression(e["child"], over).as(asTransformation)
	case "BOUND_COMPARISON":
		return union(r.expression(e["left"], over), r.expression(e["right"], over)).as(asTransformation)
	case "BOUND_BETWEEN":
		return union(r.expression(e["input"], over), r.expression(e["lower"], over), r.expression(e["upper"], over)).as(asTransformation)
	case "BOUND_CASE":
		made := r.expression(e["else_expr"], over)
		var when influences
		for _, check := range list(e["case_checks"]) {
			when = union(when, r.expression(node(check)["when_expr"], over))
			made = union(made, r.expression(node(check)["then_expr"], over))
		}
		return union(made.as(asTransformation), when.as(asCondition|byCase))
	case "BOUND_AGGREGATE":
		return union(
			r.together(e["children"], over).as(asAggregation),
			r.expression(e["filter"], over).as(asCondition|byFilter),
			r.orders(node(e["order_bys"])["orders"], over))
	case "BOUND_WINDOW":
		return r.window(e, over)
	default:
		panic(unknownPart(class))
	}
}

func (r *columnReader) window(e duck.Node, over relation) influences {
	inside := []influences{r.together(e["partitions"], over), r.orders(e["orders"], over), r.orders(e["arg_orders"], over)}
	for _, bound := range []string{"start_expr", "end_expr", "offset_expr"} {
		inside = append(inside, r.expression(e[bound], over))
	}
	return union(
		r.together(e["children"], over).as(asAggregation),
		r.expression(e["default_expr"], over).as(asTransformation),
		r.expression(e["filters"], over).as(asCondition|byFilter),
		union(inside...).as(asCondition|byWindow),
		over.rows) // the other rows decide it, too
}

// project keeps the columns that a map names, all if it names none.
func project(made relation, places any) relation {
	items := list(places)
	if len(items) == 0 {
		return made
	}
	kept := relation{rows: made.rows}
	for _, item := range items {
		kept.columns = append(kept.columns, made.at(item))
	}
	return kept
}

func list(value any) []any {
	items, _ := value.([]any)
	return items
}

func node(value any) duck.Node {
	n, _ := value.(duck.Node)
	return n
}

// number gives a node's number as text.
func number(value any) string {
	n, ok := value.(float64)
	if !ok {
		panic(unknownPart(fmt.Sprint(value)))
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

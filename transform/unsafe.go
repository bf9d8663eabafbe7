package transform

import (
	"fmt"
	"sort"
	"strings"

	"tamiz/internal/duck"
)

// fault is one part of a bound plan that would make a result depend on
// chance, on the clock, on files, or on the order of rows.
type fault struct {
	problem, hint  string
	word, argument string // where to look if the position is unknown
	position       int
}

// line finds the fault in the SQL. DuckDB knows no position for aggregates:
// then it is the first line that holds both the function and its argument.
func (f fault) line(sql string) int {
	if f.position > 0 {
		return lineAt(sql, f.position)
	}
	for i, line := range strings.Split(sql, "\n") {
		if strings.Contains(line, f.word+"(") && strings.Contains(line, f.argument) {
			return i + 1
		}
	}
	return lineWith(sql, f.word)
}

// orderFree lists the aggregates whose result does not depend on the order
// of rows, whatever their argument.
var orderFree = words(`count count_star min max bool_and bool_or bit_and bit_or bit_xor
	quantile_disc quantile_cont median approx_quantile count_if countif histogram`)

// exactOnIntegers lists those that are exact over integers and decimals.
var exactOnIntegers = words(`sum avg sum_no_overflow kahan_sum fsum favg`)

// volatile lists functions that read the clock, chance, or the session.
var volatile = words(`random setseed uuid gen_random_uuid uuidv4 uuidv7 now current_timestamp get_current_timestamp
	transaction_timestamp current_date today current_time get_current_time current_localtime current_localtimestamp
	localtime localtimestamp currval nextval txid_current version pg_backend_pid current_setting getvariable
	current_user session_user current_database current_schema getenv read_text read_blob`)

// tableFunctions lists the only table functions that a model may use.
var tableFunctions = words(`seq_scan range generate_series unnest`)

// orderedWindows lists window functions that mean nothing without an order.
var orderedWindows = words(`WINDOW_ROW_NUMBER WINDOW_RANK WINDOW_RANK_DENSE WINDOW_NTILE WINDOW_PERCENT_RANK
	WINDOW_CUME_DIST WINDOW_FIRST_VALUE WINDOW_LAST_VALUE WINDOW_NTH_VALUE WINDOW_LEAD WINDOW_LAG WINDOW_FILL`)

func words(text string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(text) {
		set[word] = true
	}
	return set
}

// unsafeParts finds what a model must not do, in the order of the text.
func unsafeParts(plan duck.Node) []fault {
	seen := map[string]bool{}
	var faults []fault
	walkTree(plan, func(node duck.Node) {
		f, bad := faultOf(node)
		key := fmt.Sprint(f.position, f.problem)
		if bad && !seen[key] {
			seen[key] = true
			faults = append(faults, f)
		}
	})
	sort.Slice(faults, func(i, j int) bool {
		if faults[i].position != faults[j].position {
			return faults[i].position < faults[j].position
		}
		return faults[i].problem < faults[j].problem
	})
	return faults
}

func faultOf(node duck.Node) (fault, bool) {
	name := strings.ToLower(text(node["name"]))
	f := fault{word: name, argument: argumentOf(node), position: positionOf(node)}
	switch text(node["expression_class"]) {
	case "BOUND_AGGREGATE":
		return aggregateFault(node, f, hasOrders(node["order_bys"]))
	case "BOUND_WINDOW":
		return windowFault(node, f)
	case "BOUND_FUNCTION":
		f.problem = fmt.Sprintf("%s() gives another value on another run", name)
		f.hint = "dates come from raw.run; chance comes from a Go transform"
		return f, volatile[name]
	}
	switch text(node["type"]) {
	case "LOGICAL_GET":
		f.problem = fmt.Sprintf("%s() reads something that is not a declared input", name)
		f.hint = "files are sources: write a source card, then read raw.<source>"
		return f, !tableFunctions[name]
	case "LOGICAL_SAMPLE":
		f.problem, f.word = "using sample takes rows by chance", "sample"
		return f, true
	case "LOGICAL_LIMIT":
		f.problem, f.hint, f.word = "limit without order by takes whichever rows come first", "add order by the full key", "limit"
		return f, !childIs(node, "LOGICAL_ORDER_BY")
	case "LOGICAL_DISTINCT":
		f.problem, f.hint, f.word = "distinct on without order by takes whichever row comes first", "add order by the full key", "distinct"
		return f, text(node["distinct_type"]) == "DISTINCT_ON" && !hasOrders(node["order_by"])
	}
	return f, false
}

func aggregateFault(node duck.Node, f fault, ordered bool) (fault, bool) {
	if ordered || orderFree[f.word] {
		return f, false
	}
	if exactOnIntegers[f.word] && exactArgument(node) {
		return f, false
	}
	if exactOnIntegers[f.word] {
		f.problem = fmt.Sprintf("%s over floating-point numbers without an order: its last digits depend on the order of rows", f.word)
		f.hint = f.word + "(… order by <full key>), or cast to decimal or integer first"
		return f, true
	}
	f.problem = fmt.Sprintf("%s() depends on the order of rows", f.word)
	f.hint = f.word + "(… order by <full key>)"
	return f, true
}

func windowFault(node duck.Node, f fault) (fault, bool) {
	kind := text(node["type"])
	if kind == "WINDOW_AGGREGATE" {
		if orderFree[f.word] || (exactOnIntegers[f.word] && exactArgument(node)) {
			return f, false
		}
		f.problem = fmt.Sprintf("%s() as a window depends on the order of rows", f.word)
		f.hint = "group in a CTE with order by inside the aggregate, and join it back"
		return f, true
	}
	f.word = strings.ToLower(strings.TrimPrefix(kind, "WINDOW_"))
	f.problem = f.word + "() over (…) without order by depends on the order of rows"
	f.hint = "add order by the full key"
	orders, _ := node["orders"].([]any)
	inside, _ := node["arg_orders"].([]any)
	return f, orderedWindows[kind] && len(orders)+len(inside) == 0
}

// exactArgument reports whether the first argument is an integer or decimal.
func exactArgument(node duck.Node) bool {
	arguments, _ := node["arguments"].([]any)
	if len(arguments) == 0 {
		return true
	}
	argument, _ := arguments[0].(duck.Node)
	kind := text(argument["id"])
	return strings.HasSuffix(kind, "INT") || strings.HasSuffix(kind, "INTEGER") || kind == "DECIMAL" || kind == "BOOLEAN" || kind == "INTERVAL"
}

func hasOrders(value any) bool {
	node, ok := value.(duck.Node)
	if !ok {
		return false
	}
	orders, _ := node["orders"].([]any)
	return len(orders) > 0
}

func childIs(node duck.Node, kind string) bool {
	children, _ := node["children"].([]any)
	for len(children) == 1 {
		child, _ := children[0].(duck.Node)
		if text(child["type"]) == kind {
			return true
		}
		if text(child["type"]) != "LOGICAL_PROJECTION" {
			return false
		}
		children, _ = child["children"].([]any)
	}
	return false
}

// positionOf gives a node's byte offset in the SQL, 0 if unknown.
func positionOf(node duck.Node) int {
	if position, ok := node["query_location"].(float64); ok && position < 1<<40 {
		return int(position)
	}
	return 0
}

// argumentOf gives the name of a node's first argument, if it is a column.
func argumentOf(node duck.Node) string {
	children, _ := node["children"].([]any)
	if len(children) == 0 {
		return ""
	}
	child, _ := children[0].(duck.Node)
	return text(child["alias"])
}

func text(value any) string {
	s, _ := value.(string)
	return s
}

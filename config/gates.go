package config

import (
	"fmt"
	"strconv"
	"strings"

	"tamiz/pipeline"
)

// gatesEntry says what a new version of a source must pass before it is used
// (FAULTS, first level). Text that is no number or no date is not judged.
type gatesEntry struct {
	Key    *keyGate    `yaml:"key"`
	Rows   *fallGate   `yaml:"rows"`
	Groups *groupsGate `yaml:"groups"`
	Sums   []sumGate   `yaml:"sums"`
	Masks  *masksGate  `yaml:"masks"`
	Scale  *scaleGate  `yaml:"scale"`
	Dates  *datesGate  `yaml:"dates"`
	Checks []gateCheck `yaml:"checks"`
}

type keyGate struct {
	Columns      []string `yaml:"columns"`
	MaxConflicts float64  `yaml:"max_conflicts"` // share of records
}

type fallGate struct {
	MaxFall float64 `yaml:"max_fall"` // share of the last good version
}

type groupsGate struct {
	By      string  `yaml:"by"`       // SQL over the raw columns
	MaxFall float64 `yaml:"max_fall"` // share of a group's records in the last good version
	MinRows int64   `yaml:"min_rows"` // smaller groups are not judged
}

type sumGate struct {
	Total    string   `yaml:"total"`
	Parts    []string `yaml:"parts"`
	MaxShare float64  `yaml:"max_share"`
}

type masksGate struct {
	Words   []string `yaml:"words"`
	MaxRise float64  `yaml:"max_rise"` // 1: twice as many masked cells a record
}

type scaleGate struct {
	Columns  []string `yaml:"columns"`
	MaxRatio float64  `yaml:"max_ratio"` // of the medians
}

type datesGate struct {
	Columns   []string `yaml:"columns"`
	MaxFuture float64  `yaml:"max_future"` // share of records
}

// gateCheck is a check of one's own: where, or sql over raw.x and good.x.
type gateCheck struct {
	Name     string  `yaml:"name"`
	Where    string  `yaml:"where"`
	SQL      string  `yaml:"sql"`
	MaxShare float64 `yaml:"max_share"`
	Problem  string  `yaml:"problem"`
	Hint     string  `yaml:"hint"`
}

// gateMaker turns the gates of one card into checks.
type gateMaker struct {
	source   *pipeline.Source
	known    map[string]bool
	raw      string // the new version
	good     string // the last good one
	checks   []pipeline.Check
	problems []string
}

func (l *loader) addGates(source *pipeline.Source, text []byte, card *sourceFile) {
	g := &gateMaker{source: source, known: map[string]bool{}, raw: source.Table(), good: pipeline.GoodTable(source.Name)}
	for _, column := range source.Parsing.Columns {
		g.known[column.Name] = true
	}
	gates := card.Gates
	g.key(gates.Key)
	g.rows(gates.Rows, gates.Key)
	g.groups(gates.Groups)
	for _, sum := range gates.Sums {
		g.sum(sum)
	}
	g.masks(gates.Masks)
	g.scale(gates.Scale)
	g.dates(gates.Dates)
	for _, check := range gates.Checks {
		g.own(check)
	}
	for _, problem := range g.problems {
		l.problem(at(source.Path, lineOf(text, "gates:")), "gates: %s", problem)
	}
	source.Gates = g.checks
}

func (g *gateMaker) add(name, sql string, maxShare float64, previous bool, problem, hint string) {
	g.checks = append(g.checks, pipeline.Check{Name: name, SQL: sql, MaxShare: maxShare, Previous: previous,
		Severity: pipeline.Fatal, Path: g.source.Path, Problem: problem, Hint: hint})
}

// where adds a check of single records.
func (g *gateMaker) where(name, condition string, maxShare float64, problem, hint string) {
	g.add(name, "select * from "+g.raw+" where "+condition, maxShare, false, problem, hint)
	g.checks[len(g.checks)-1].Where = condition
}

// names quotes columns, after a look whether the card has them.
func (g *gateMaker) names(columns []string) []string {
	var quoted []string
	for _, column := range columns {
		if !g.known[column] {
			g.problems = append(g.problems, fmt.Sprintf("the card has no column %q", column))
		}
		quoted = append(quoted, pipeline.QuoteName(column))
	}
	return quoted
}

func (g *gateMaker) key(gate *keyGate) {
	if gate == nil {
		return
	}
	keys := strings.Join(g.names(gate.Columns), ", ")
	var all []string
	for _, column := range g.source.Parsing.Columns {
		all = append(all, pipeline.QuoteName(column.Name))
	}
	g.add("keys_do_not_conflict", "select "+keys+", count(*) as versions from (select distinct "+strings.Join(all, ", ")+" from "+g.raw+
		" where ("+keys+") in (select ("+keys+") from "+g.raw+" group by "+keys+" having count(*) > 1)) group by "+keys+" having count(*) > 1",
		gate.MaxConflicts, false, "the same key stands in it more than once, with different values",
		"ask the publisher which records hold; two editions may have been joined into one file")
}

// rows are counted without copies, so that a file with every record twice is
// no larger than it was.
func (g *gateMaker) rows(gate *fallGate, key *keyGate) {
	if gate == nil {
		return
	}
	what := ""
	if key != nil {
		what = "select distinct " + strings.Join(g.names(key.Columns), ", ") + " from "
	} else {
		what = "from "
	}
	g.add("rows_do_not_fall", "select * from (select (select count(*) from ("+what+g.good+")) as records_before, (select count(*) from ("+what+g.raw+
		")) as records_now) where records_now < "+number(1-gate.MaxFall)+" * records_before", 0, true,
		fmt.Sprintf("it has far fewer records than the last good version (more than %s fewer)", percent(gate.MaxFall)),
		"the file may be incomplete: get it again, or ask the publisher\nif so many are really gone, raise max_fall under gates: rows: in "+g.source.Path)
}

func (g *gateMaker) groups(gate *groupsGate) {
	if gate == nil {
		return
	}
	counted := func(table string) string {
		return "(select " + gate.By + " as one_group, count(*) as records from " + table + " group by all)"
	}
	g.add("groups_do_not_fall", "select before.one_group, before.records as records_before, coalesce(after.records, 0) as records_now from "+
		counted(g.good)+" as before left join "+counted(g.raw)+" as after on after.one_group is not distinct from before.one_group where before.records >= "+
		strconv.FormatInt(gate.MinRows, 10)+" and coalesce(after.records, 0) < "+number(1-gate.MaxFall)+" * before.records", 0, true,
		"a part of it that was there is missing, or far smaller",
		"the file may be incomplete for the groups shown: get it again, or ask the publisher")
}

func (g *gateMaker) sum(gate sumGate) {
	total := g.names([]string{gate.Total})[0]
	var parts []string
	for _, part := range g.names(gate.Parts) {
		parts = append(parts, numberSQL(part))
	}
	g.where("sums_of_"+gate.Total, "abs("+numberSQL(total)+" - ("+strings.Join(parts, " + ")+")) > 0.5", gate.MaxShare,
		gate.Total+" is no longer the sum of its parts ("+strings.Join(gate.Parts, ", ")+")",
		"a column may have moved, or mean something else now: compare with the last file")
}

func (g *gateMaker) masks(gate *masksGate) {
	if gate == nil {
		return
	}
	var words, cells []string
	for _, word := range gate.Words {
		words = append(words, pipeline.QuoteText(strings.ToUpper(word)))
	}
	for _, column := range g.source.Parsing.Columns {
		cells = append(cells, "count(*) filter (where upper(trim("+pipeline.QuoteName(column.Name)+")) in ("+strings.Join(words, ", ")+"))")
	}
	share := func(table string) string {
		return "(select (" + strings.Join(cells, " + ") + ") / greatest(count(*), 1) as masked from " + table + ")"
	}
	g.add("masks_do_not_rise", "select before.masked as masked_cells_a_record_before, after.masked as masked_cells_a_record_now from "+share(g.good)+
		" as before, "+share(g.raw)+" as after where after.masked > greatest("+number(1+gate.MaxRise)+" * before.masked, 0.01)", 0, true,
		"far more cells are masked ("+strings.Join(gate.Words, ", ")+") than in the last good version",
		"the publisher may have changed what it hides; ask, and compare with the last file")
}

func (g *gateMaker) scale(gate *scaleGate) {
	if gate == nil {
		return
	}
	for _, column := range g.names(gate.Columns) {
		median := func(table string) string {
			return "(select median(" + numberSQL(column) + ") as middle from " + table + ")"
		}
		g.add("scale_of_"+strings.Trim(column, `"`), "select before.middle as median_before, after.middle as median_now from "+median(g.good)+" as before, "+
			median(g.raw)+" as after where before.middle > 0 and (after.middle is null or after.middle > "+number(gate.MaxRatio)+
			" * before.middle or after.middle * "+number(gate.MaxRatio)+" < before.middle)", 0, true,
			"the values of "+strings.Trim(column, `"`)+" are of another size than in the last good version",
			"a unit or the decimal sign may have changed, or columns were swapped: compare with the last file")
	}
}

// dates may not lie after the day on which the version was observed.
func (g *gateMaker) dates(gate *datesGate) {
	if gate == nil {
		return
	}
	for _, column := range g.names(gate.Columns) {
		g.where("dates_of_"+strings.Trim(column, `"`), "try_cast(trim("+column+") as date) > "+pipeline.ObservedOn, gate.MaxFuture,
			strings.Trim(column, `"`)+" lies in the future", "day and month may have been swapped: compare with the last file")
	}
}

func (g *gateMaker) own(gate gateCheck) {
	switch {
	case !namePattern.MatchString(gate.Name):
		g.problems = append(g.problems, fmt.Sprintf("check name %q: want a sentence in snake_case", gate.Name))
	case gate.Problem == "":
		g.problems = append(g.problems, fmt.Sprintf("check %s: problem is missing: one plain sentence for the operator", gate.Name))
	case (gate.Where == "") == (gate.SQL == ""):
		g.problems = append(g.problems, fmt.Sprintf("check %s: want one of where, sql", gate.Name))
	case gate.Where != "":
		g.where(gate.Name, gate.Where, gate.MaxShare, gate.Problem, gate.Hint)
	default:
		g.add(gate.Name, gate.SQL, gate.MaxShare, strings.Contains(gate.SQL, g.good), gate.Problem, gate.Hint)
	}
}

// numberSQL reads a cell as people write numbers.
func numberSQL(column string) string {
	return "try_cast(replace(replace(trim(" + column + "), ',', ''), '%', '') as double)"
}

func number(value float64) string { return strconv.FormatFloat(value, 'g', -1, 64) }

func percent(share float64) string { return strconv.FormatFloat(100*share, 'f', -1, 64) + " %" }

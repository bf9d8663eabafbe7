package main

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"tamiz/lineage"
	"tamiz/pipeline"
)

// ruler measures the marts of a world against those of the first snapshot.
type ruler struct {
	compared *pipeline.Comparison
	indices  []string             // figures whose mean is measured
	files    [2]map[string]string // the marts of the two snapshots
	unit     []string             // key of a unit that is looked at; nil: of none
	facts    []lineage.Fact       // told of it: its value, columns of the mart, then what the pipeline names
	further  []string             // marts that the latter stand on
}

// newRuler chooses what is told of a unit. Columns are those of the mart in the
// two snapshots, with their words.
func newRuler(ctx context.Context, c *pipeline.Comparison, columns [2][]pipeline.Column, files [2]map[string]string, indices, unit []string) (*ruler, error) {
	r := &ruler{compared: c, indices: indices, files: files, unit: unit}
	if unit == nil {
		return r, nil
	}
	removed := slices.DeleteFunc(slices.Clone(columns[0]), func(column pipeline.Column) bool { return hasColumn(columns[1], column.Name) })
	for _, column := range slices.Concat(columns[1], removed) {
		fact := lineage.Fact{Column: column.Name, Title: column.Description, Unit: column.Unit,
			Is: onOneSide(hasColumn(columns[0], column.Name), hasColumn(columns[1], column.Name))}
		switch {
		case column.Name == c.Value:
			r.facts = append([]lineage.Fact{fact}, r.facts...)
		case !slices.Contains(c.Key, column.Name):
			r.facts = append(r.facts, fact)
		}
	}
	for _, fact := range c.Because {
		var failed [2]error // one that asks for a new column tells nothing of an old snapshot
		for i := range files {
			_, _, failed[i] = ask(ctx, files[i], "describe "+fact.SQL)
		}
		if failed[0] != nil && failed[1] != nil {
			return nil, r.isNoFact(fact.SQL, failed[1])
		}
		r.facts = append(r.facts, lineage.Fact{Title: fact.Title, Unit: fact.Unit, Is: onOneSide(failed[0] == nil, failed[1] == nil)})
		for _, mart := range slices.Sorted(maps.Keys(files[1])) {
			if mart != c.Mart && strings.Contains(fact.SQL, "marts."+mart) && !slices.Contains(r.further, mart) {
				r.further = append(r.further, mart)
			}
		}
	}
	return r, nil
}

// onOneSide says what a fact is by which of the two snapshots can tell it.
func onOneSide(before, after bool) string {
	switch {
	case before == after:
		return ""
	case after:
		return lineage.Added
	}
	return lineage.Removed
}

func (r *ruler) isNoFact(query string, err error) error {
	return &pipeline.Error{Kind: pipeline.Config, Where: r.compared.Path, Problem: "diff: because: the query does not run, or does not give " + strings.Join(r.compared.Key, ", ") + " and one column more",
		Found: query, Err: err}
}

// measure compares the marts in files with those of the first snapshot.
func (r *ruler) measure(ctx context.Context, files map[string]string) (lineage.World, error) {
	var w lineage.World
	mart, key := pipeline.QuoteName(r.compared.Mart), quotedNames(r.compared.Key)
	views := map[string]string{}
	for name, file := range files {
		views[name] = file
	}
	views["previous."+r.compared.Mart] = r.files[0][r.compared.Mart]
	if files[r.compared.Mart] == "" { // the models of that world do not make it
		_, rows, err := ask(ctx, views, "select count(*) from previous."+mart)
		if err == nil {
			_, err = fmt.Sscan(*rows[0][0], &w.Changed)
		}
		w.Means = make([]*big.Rat, len(r.indices))
		return w, err
	}
	side := func(schema string) string {
		return "(select " + key + ", cast(" + pipeline.QuoteName(r.compared.Value) + " as varchar) as value_text, true as is_there from " + schema + "." + mart + ")"
	}
	asked := []string{"(select count(*) from " + side("previous") + " as b full join " + side("marts") + " as a using (" + key + ") where b.is_there is null or a.is_there is null or b.value_text is distinct from a.value_text) as changed"}
	for i, index := range r.indices {
		asked = append(asked, fmt.Sprintf("(select avg(%s) from marts.%s) as mean_%d", pipeline.QuoteName(index), mart, i))
	}
	_, rows, err := ask(ctx, views, "select "+strings.Join(asked, ", "))
	if err != nil {
		return w, err
	}
	if _, err := fmt.Sscan(*rows[0][0], &w.Changed); err != nil {
		return w, err
	}
	for _, cell := range rows[0][1:] {
		w.Means = append(w.Means, lineage.Number(cell))
	}
	if r.unit != nil {
		w.Facts, err = r.look(ctx, views)
	}
	return w, err
}

// look reads the facts of the unit, nil if it is not there. What only one of
// the snapshots can tell is unknown where this world's models cannot.
func (r *ruler) look(ctx context.Context, views map[string]string) ([]*string, error) {
	mart := "marts." + pipeline.QuoteName(r.compared.Mart)
	_, made, err := ask(ctx, views, "describe "+mart)
	if err != nil {
		return nil, err
	}
	var here, columns []string
	for i, name := range r.compared.Key {
		here = append(here, "cast("+pipeline.QuoteName(name)+" as varchar) = "+pipeline.QuoteText(r.unit[i]))
	}
	where := " where " + strings.Join(here, " and ")
	var further []lineage.Fact
	for _, fact := range r.facts {
		switch {
		case fact.Column == "":
			further = append(further, fact)
		case slices.ContainsFunc(made, func(column []*string) bool { return *column[0] == fact.Column }):
			columns = append(columns, pipeline.QuoteName(fact.Column))
		default:
			columns = append(columns, "null as "+pipeline.QuoteName(fact.Column))
		}
	}
	_, rows, err := ask(ctx, views, "select "+strings.Join(columns, ", ")+" from "+mart+where)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	facts := rows[0]
	for i, fact := range r.compared.Because {
		_, rows, err := ask(ctx, views, "from ("+fact.SQL+")"+where)
		if err != nil && further[i].Is == "" {
			return nil, r.isNoFact(fact.SQL, err)
		}
		if len(rows) == 0 {
			facts = append(facts, nil)
		} else {
			facts = append(facts, rows[0][len(rows[0])-1])
		}
	}
	return facts, nil
}

func quotedNames(names []string) string {
	var list []string
	for _, name := range names {
		list = append(list, pipeline.QuoteName(name))
	}
	return strings.Join(list, ", ")
}

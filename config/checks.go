package config

import (
	"fmt"
	"strconv"
	"strings"

	"tamiz/pipeline"
)

// checkEntry is a check of a whole table.
type checkEntry struct {
	Name     string       `yaml:"name"`
	Where    string       `yaml:"where"`
	SQL      string       `yaml:"sql"`
	Change   *changeEntry `yaml:"change"`
	Severity string       `yaml:"severity"`
	MaxShare float64      `yaml:"max_share"`

	Question map[string]string `yaml:"question"`
}

// changeEntry compares a measure with the previous snapshot's.
type changeEntry struct {
	Measure  string  `yaml:"measure"`
	MaxShare float64 `yaml:"max_share"`
}

// columnCheck is not_null, unique, or one with arguments.
type columnCheck struct {
	word     string
	Range    []float64 `yaml:"range"`
	OneOf    []string  `yaml:"one_of"`
	RefersTo string    `yaml:"refers_to"`
	EachIn   string    `yaml:"each_in"`
	NotNull  bool      `yaml:"not_null"`
	Unique   bool      `yaml:"unique"`
	Severity string    `yaml:"severity"`
	MaxShare float64   `yaml:"max_share"`
}

// UnmarshalYAML accepts a word or a mapping.
func (c *columnCheck) UnmarshalYAML(unmarshal func(any) error) error {
	if unmarshal(&c.word) == nil {
		return nil
	}
	type plain columnCheck
	return unmarshal((*plain)(c))
}

func severityOf(text string) (pipeline.Severity, error) {
	switch text {
	case "", string(pipeline.Fatal):
		return pipeline.Fatal, nil
	case string(pipeline.Warn):
		return pipeline.Warn, nil
	case string(pipeline.Ask):
		return pipeline.Ask, nil
	}
	return "", fmt.Errorf("severity %q is unknown: want warn, hold or error", text)
}

// keyCheck: the key is unique and never null.
func keyCheck(model *pipeline.Model) pipeline.Check {
	var names, nulls []string
	for _, column := range model.Key {
		names = append(names, pipeline.QuoteName(column))
		nulls = append(nulls, pipeline.QuoteName(column)+" is null")
	}
	keys := strings.Join(names, ", ")
	if keys == "" {
		keys, nulls = "1", []string{"false"}
	}
	return pipeline.Check{
		Name: "key_is_unique", Severity: pipeline.Fatal, Path: model.DocPath,
		SQL: "select " + keys + ", count(*) as row_count from " + model.Name + " group by " + keys +
			" having count(*) > 1 or " + strings.Join(nulls, " or "),
	}
}

func newCheck(model *pipeline.Model, entry checkEntry) (pipeline.Check, error) {
	check := pipeline.Check{Name: entry.Name, MaxShare: entry.MaxShare, Path: model.DocPath}
	var err error
	if check.Severity, err = severityOf(entry.Severity); err != nil {
		return check, err
	}
	if !namePattern.MatchString(entry.Name) {
		return check, fmt.Errorf("check name %q: want a sentence in snake_case", entry.Name)
	}
	check.Question = entry.Question
	if (check.Severity == pipeline.Ask) != (len(entry.Question) > 0) {
		return check, fmt.Errorf("check %s: severity hold and question (what to decide, by language) belong together", entry.Name)
	}
	given := 0
	if entry.Where != "" {
		given++
		setWhere(&check, model, entry.Where)
	}
	if entry.SQL != "" {
		given++
		check.SQL = entry.SQL
		check.Previous = strings.Contains(entry.SQL, "previous.")
	}
	if entry.Change != nil {
		given++
		check.Previous = true
		check.SQL = changeSQL(model, *entry.Change)
	}
	if given != 1 {
		return check, fmt.Errorf("check %s: want one of where, sql, change", entry.Name)
	}
	return check, nil
}

// setWhere makes a check of a condition on single rows.
func setWhere(check *pipeline.Check, model *pipeline.Model, condition string) {
	check.Where = condition
	check.SQL = "select * from " + model.Name + " where " + condition
}

// changeSQL returns a row where a measure moved by more than a share.
func changeSQL(model *pipeline.Model, change changeEntry) string {
	share := strconv.FormatFloat(change.MaxShare, 'g', -1, 64)
	return "select before.measure as previous_value, after.measure as present_value" +
		" from (select cast(" + change.Measure + " as double) as measure from previous." + model.Base() + ") as before," +
		" (select cast(" + change.Measure + " as double) as measure from " + model.Name + ") as after" +
		" where abs(after.measure - before.measure) > " + share + " * abs(before.measure)" +
		" or (after.measure is null) <> (before.measure is null)"
}

func (c columnCheck) check(model *pipeline.Model, column string) (pipeline.Check, error) {
	check := pipeline.Check{Column: column, MaxShare: c.MaxShare, Path: model.DocPath}
	var err error
	if check.Severity, err = severityOf(c.Severity); err != nil {
		return check, err
	}
	if check.Severity == pipeline.Ask {
		return check, fmt.Errorf("severity hold: only a check below checks: of the whole table can ask a person")
	}
	name := pipeline.QuoteName(column)
	switch {
	case c.word == "not_null" || c.NotNull:
		check.Name = column + "_is_not_null"
		setWhere(&check, model, name+" is null")
	case c.word == "unique" || c.Unique:
		check.Name = column + "_is_unique"
		check.SQL = "select " + name + ", count(*) as row_count from " + model.Name +
			" where " + name + " is not null group by all having count(*) > 1"
	case len(c.Range) == 2:
		check.Name = column + "_is_in_range"
		setWhere(&check, model, fmt.Sprintf("not (%s between %s and %s)", name,
			strconv.FormatFloat(c.Range[0], 'g', -1, 64), strconv.FormatFloat(c.Range[1], 'g', -1, 64)))
	case len(c.OneOf) > 0:
		var values []string
		for _, value := range c.OneOf {
			values = append(values, pipeline.QuoteText(value))
		}
		check.Name = column + "_is_known"
		setWhere(&check, model, name+" not in ("+strings.Join(values, ", ")+")")
	case c.RefersTo != "":
		there, err := valuesOf(c.RefersTo)
		if err != nil {
			return check, fmt.Errorf("refers_to %w", err)
		}
		check.Name = column + "_refers"
		check.SQL = "select * from " + model.Name + " where " + name + " is not null and " + name + " not in " + there
	case c.EachIn != "":
		there, err := valuesOf(c.EachIn)
		if err != nil {
			return check, fmt.Errorf("each_in %w", err)
		}
		check.Name = column + "_are_known"
		check.SQL = "select word, count(*) as row_count from (select unnest(" + name + ") as word from " + model.Name +
			") where word not in " + there + " group by word"
	default:
		return check, fmt.Errorf("check %q is unknown: want not_null, unique, range, one_of, refers_to or each_in", c.word)
	}
	return check, nil
}

// promise notes in a column's description what the check holds it to.
func (c columnCheck) promise(column *pipeline.Column) {
	switch {
	case c.word == "not_null" || c.NotNull:
		column.NotNull = true
	case len(c.Range) == 2:
		column.Range = c.Range
	case len(c.OneOf) > 0:
		column.OneOf = c.OneOf
	}
}

// valuesOf gives the select of the values of schema.table.column.
func valuesOf(reference string) (string, error) {
	i := strings.LastIndex(reference, ".")
	if i < 0 {
		return "", fmt.Errorf("%q: want schema.table.column", reference)
	}
	column := pipeline.QuoteName(reference[i+1:])
	return "(select " + column + " from " + reference[:i] + " where " + column + " is not null)", nil
}

package transform

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"tamiz/internal/duck"
	"tamiz/pipeline"
)

// fewValues is how many values a condition on a Parquet file may name one by
// one: so many let DuckDB pass over the row groups that hold none of them.
const fewValues = 256

// rowsOf is the select of an input's rows that belong to any of the rows.
func (t *tracing) rowsOf(input pipeline.TaskInput, matches []pipeline.Match) (string, error) {
	var conditions []string
	few, isPlain := true, true
	for _, match := range matches {
		expression := "(" + match.Input + ")"
		if plainColumn.MatchString(match.Input) {
			expression = pipeline.QuoteName(strings.Trim(match.Input, `"`))
		} else if !plainText.MatchString(match.Input) {
			isPlain = false
		}
		values := t.values[match.Output]
		condition := oneOf(expression, t.typeOf(match.Output), values)
		if len(values) > fewValues {
			few = false
			condition = expression + " in (select " + pipeline.QuoteName(match.Output) + " from everything.output)"
			if slices.Contains(values, nil) {
				condition = "(" + condition + " or " + expression + " is null)"
			}
		}
		conditions = append(conditions, condition)
	}
	switch {
	case few && isPlain:
		return t.keptRows(input.Files, conditions)
	case few:
		return t.foundRows(input.Files, conditions)
	}
	return duck.ReadParquet(input.Files) + " where " + strings.Join(conditions, " and "), nil
}

// plainColumn and plainText are expressions that DuckDB compares while it
// reads; any other it evaluates for each row, with all of its columns.
var (
	plainColumn = regexp.MustCompile(`^("\w+"|[A-Za-z_]\w*)$`)
	plainText   = regexp.MustCompile(`^'[^']*'$`)
)

// keptRows reads a few rows of files, found by columns as they are. Steps ask
// for the same ones again: a row of an input is a row of another's output.
func (t *tracing) keptRows(files, conditions []string) (string, error) {
	slices.Sort(conditions)
	kept, err := t.db.Kept(t.ctx, duck.ReadParquet(files)+" where "+strings.Join(conditions, " and "))
	return "select * from " + kept, err
}

// foundRows reads a few rows of files, found by what is computed of them: first
// their numbers alone, so that only few need all of their columns.
func (t *tracing) foundRows(files, conditions []string) (string, error) {
	condition := strings.Join(conditions, " and ")
	from := strings.TrimPrefix(strings.TrimSuffix(duck.ReadParquet(files), ")"), "select * ") + ", file_row_number = true)"
	_, rows, err := t.db.Rows(t.ctx, fmt.Sprintf("select distinct file_row_number %s where %s order by all limit %d", from, condition, fewValues+1))
	if err != nil {
		return "", err
	}
	if len(rows) > 0 && len(rows) <= fewValues {
		var numbers []string
		for _, row := range rows {
			numbers = append(numbers, *row[0])
		}
		condition = "file_row_number in (" + strings.Join(numbers, ", ") + ") and " + condition
	}
	query := "select * exclude (file_row_number) " + from + " where " + condition
	if !t.isOne() {
		return query, nil
	}
	kept, err := t.db.Kept(t.ctx, query)
	return "select * from " + kept, err
}

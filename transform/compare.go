package transform

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tamiz/internal/duck"
	"tamiz/pipeline"
)

// CompareTables compares two Parquet files of one table row by row, by its
// key. Figures (DOUBLE and FLOAT) count as equal if they lie no further apart
// than tolerance times the larger one or, below 1, than tolerance; everything
// else must be the same. Of two files with other columns those are compared that
// both have; nothing is where the key is no column of both.
func CompareTables(ctx context.Context, memory int64, key []string, before, after string, tolerance float64) (*pipeline.TableDifference, error) {
	db, err := duck.Open(ctx, duck.Options{Memory: memory})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	c := &tableComparison{ctx: ctx, db: db, key: key, tolerance: strconv.FormatFloat(tolerance, 'g', -1, 64)}
	result, err := c.compare(before, after)
	if err != nil {
		return nil, fmt.Errorf("compare two files of a table: %w", err)
	}
	return result, nil
}

type tableComparison struct {
	ctx       context.Context
	db        *duck.DB
	key       []string
	tolerance string
	common    []commonColumn
	result    pipeline.TableDifference
}

// commonColumn is a column that is compared.
type commonColumn struct {
	name                string
	isRetyped, isFigure bool
}

func (c *tableComparison) compare(before, after string) (*pipeline.TableDifference, error) {
	statements := "create view before as " + duck.ReadParquet([]string{before}) + "; create view after as " + duck.ReadParquet([]string{after})
	if err := c.db.Exec(c.ctx, statements); err != nil {
		return nil, err
	}
	var shapes [2][][]*string
	for i, view := range []string{"before", "after"} {
		var err error
		if _, shapes[i], err = c.db.Rows(c.ctx, "select column_name, column_type from (describe "+view+")"); err != nil {
			return nil, err
		}
	}
	c.columns(shapes[0], shapes[1])
	if before, after := shapeOf(shapes[0]), shapeOf(shapes[1]); before != after {
		c.result.Shape = before + " → " + after
	}
	if !c.haveKey(shapes[0]) || !c.haveKey(shapes[1]) { // there is nothing to pair rows by
		return &c.result, nil
	}
	if err := c.join(); err != nil {
		return nil, err
	}
	if err := c.values(); err != nil {
		return nil, err
	}
	return &c.result, nil
}

func (c *tableComparison) haveKey(columns [][]*string) bool {
	return !slices.ContainsFunc(c.key, func(name string) bool {
		return !slices.ContainsFunc(columns, func(column []*string) bool { return *column[0] == name })
	})
}

// columns finds those that both sides have; those of the key are not compared.
func (c *tableComparison) columns(before, after [][]*string) {
	types := map[string]string{}
	for _, column := range after {
		types[*column[0]] = *column[1]
	}
	for _, column := range before {
		name, kind := *column[0], *column[1]
		other, isCommon := types[name]
		delete(types, name)
		switch {
		case !isCommon:
			c.result.Removed = append(c.result.Removed, pipeline.Column{Name: name, Type: kind})
			continue
		case other != kind:
			c.result.Retyped = append(c.result.Retyped, pipeline.RetypedColumn{Column: name, Before: kind, After: other})
		}
		if !slices.Contains(c.key, name) {
			c.common = append(c.common, commonColumn{name: name, isRetyped: other != kind, isFigure: other == kind && (kind == "DOUBLE" || kind == "FLOAT")})
		}
	}
	for _, column := range after {
		if _, isNew := types[*column[0]]; isNew {
			c.result.Added = append(c.result.Added, pipeline.Column{Name: *column[0], Type: *column[1]})
		}
	}
}

func shapeOf(columns [][]*string) string {
	var list []string
	for _, column := range columns {
		list = append(list, *column[0]+" "+*column[1])
	}
	return strings.Join(list, ", ")
}

// join pairs the rows, and counts those that stand alone.
func (c *tableComparison) join() error {
	var match []string
	for _, name := range c.key {
		match = append(match, "b."+pipeline.QuoteName(name)+" is not distinct from a."+pipeline.QuoteName(name))
	}
	on := strings.Join(match, " and ")
	var err error
	if c.result.OnlyBefore, err = c.db.Number(c.ctx, "select count(*) from before b anti join after a on "+on); err != nil {
		return err
	}
	if c.result.OnlyAfter, err = c.db.Number(c.ctx, "select count(*) from after a anti join before b on "+on); err != nil {
		return err
	}
	return c.db.Exec(c.ctx, "create view both_sides as select b, a from before b inner join after a on "+on)
}

// values compares the values of all common columns in one scan of the pairs.
func (c *tableComparison) values() error {
	if len(c.common) == 0 {
		return nil
	}
	var keys []string
	for _, name := range c.key {
		keys = append(keys, "coalesce(cast(b."+pipeline.QuoteName(name)+" as varchar), 'NULL')")
	}
	key := "concat_ws(' ', " + strings.Join(keys, ", ") + ")"
	var asked, any []string
	for _, column := range c.common {
		quoted := pipeline.QuoteName(column.name)
		before, after := "b."+quoted, "a."+quoted
		if column.isRetyped {
			before, after = "cast("+before+" as varchar)", "cast("+after+" as varchar)"
		}
		differs, largest := before+" is distinct from "+after, "null"
		if column.isFigure {
			apart := "abs(" + before + " - " + after + ") / greatest(abs(" + before + "), abs(" + after + "), 1)"
			isClose := "coalesce(isfinite(" + apart + ") and " + apart + " <= " + c.tolerance + ", false)"
			largest = "max(" + apart + ") filter (where " + differs + " and " + isClose + ")"
			differs += " and not " + isClose
		}
		first := func(value string) string {
			return "min_by(coalesce(cast(" + value + " as varchar), 'NULL'), " + key + ") filter (where " + differs + ")"
		}
		asked = append(asked, "count(*) filter (where "+differs+")", "min("+key+") filter (where "+differs+")", first(before), first(after), largest)
		any = append(any, "("+differs+")")
	}
	asked = append(asked, "count(*) filter (where "+strings.Join(any, " or ")+")")
	_, rows, err := c.db.Rows(c.ctx, "select "+strings.Join(numbered(asked), ", ")+" from both_sides")
	if err != nil {
		return err
	}
	for i, column := range c.common {
		cell := rows[0][5*i:]
		if cell[4] != nil {
			if value, err := strconv.ParseFloat(*cell[4], 64); err == nil {
				c.result.Largest = max(c.result.Largest, value)
			}
		}
		if n, err := strconv.ParseInt(*cell[0], 10, 64); err != nil {
			return err
		} else if n > 0 {
			c.result.Columns = append(c.result.Columns, pipeline.ColumnDifference{Column: column.name, Rows: n, Key: *cell[1], Before: *cell[2], After: *cell[3]})
		}
	}
	c.result.Changed, err = strconv.ParseInt(*rows[0][len(asked)-1], 10, 64)
	return err
}

// numbered gives expressions names of their own.
func numbered(expressions []string) []string {
	list := make([]string, len(expressions))
	for i, expression := range expressions {
		list[i] = fmt.Sprintf("%s as c%d", expression, i)
	}
	return list
}

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
// else must be the same.
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
	result    pipeline.TableDifference
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
	isSame := func(a, b []*string) bool { return *a[0] == *b[0] && *a[1] == *b[1] }
	if !slices.EqualFunc(shapes[0], shapes[1], isSame) {
		c.result.Shape = shapeOf(shapes[0]) + " → " + shapeOf(shapes[1])
		return &c.result, nil
	}
	if err := c.join(); err != nil {
		return nil, err
	}
	for _, column := range shapes[0] {
		if !slices.Contains(c.key, *column[0]) {
			if err := c.column(*column[0], *column[1] == "DOUBLE" || *column[1] == "FLOAT"); err != nil {
				return nil, err
			}
		}
	}
	return &c.result, nil
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

// column compares the values of one column in all pairs.
func (c *tableComparison) column(name string, isFigure bool) error {
	column := pipeline.QuoteName(name)
	before, after := "b."+column, "a."+column
	differs := before + " is distinct from " + after
	apart := "abs(" + before + " - " + after + ") / greatest(abs(" + before + "), abs(" + after + "), 1)"
	isClose := "coalesce(isfinite(" + apart + ") and " + apart + " <= " + c.tolerance + ", false)"
	if isFigure {
		largest, err := c.db.Text(c.ctx, "select max("+apart+") from both_sides where "+differs+" and "+isClose)
		if err != nil {
			return err
		}
		if value, err := strconv.ParseFloat(largest, 64); err == nil {
			c.result.Largest = max(c.result.Largest, value)
		}
		differs += " and not " + isClose
	}
	n, err := c.db.Number(c.ctx, "select count(*) from both_sides where "+differs)
	if err != nil || n == 0 {
		return err
	}
	var keys []string
	for _, name := range c.key {
		keys = append(keys, "coalesce(cast(b."+pipeline.QuoteName(name)+" as varchar), 'NULL')")
	}
	_, rows, err := c.db.Rows(c.ctx, fmt.Sprintf("select concat_ws(' ', %s), coalesce(cast(%s as varchar), 'NULL'), coalesce(cast(%s as varchar), 'NULL') from both_sides where %s order by all limit 1",
		strings.Join(keys, ", "), before, after, differs))
	if err != nil {
		return err
	}
	c.result.Columns = append(c.result.Columns, pipeline.ColumnDifference{Column: name, Rows: n, Key: *rows[0][0], Before: *rows[0][1], After: *rows[0][2]})
	return nil
}

package transform

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"tamiz/internal/duck"
	"tamiz/pipeline"
)

// Movements says how figures of a table moved between two Parquet files of it,
// and which rows moved furthest, at most so many: ties by key. Columns that are
// no figures, or that one side lacks, are passed over.
func Movements(ctx context.Context, memory int64, key, columns []string, before, after string, most int) ([]pipeline.Movement, error) {
	db, err := duck.Open(ctx, duck.Options{Memory: memory})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	movements, err := movements(ctx, db, key, columns, before, after, most)
	if err != nil {
		return nil, fmt.Errorf("compare the figures of two files of a table: %w", err)
	}
	return movements, nil
}

func movements(ctx context.Context, db *duck.DB, key, columns []string, before, after string, most int) ([]pipeline.Movement, error) {
	statements := "create view before as " + duck.ReadParquet([]string{before}) + "; create view after as " + duck.ReadParquet([]string{after})
	if err := db.Exec(ctx, statements); err != nil {
		return nil, err
	}
	list := []pipeline.Movement{}
	for _, column := range columns {
		figures, err := db.Number(ctx, fmt.Sprintf(`select count(*) from (from (describe before) union all from (describe after))
			where column_name = %s and (column_type in ('DOUBLE', 'FLOAT') or column_type like '%%INT' or column_type like '%%INTEGER' or column_type like 'DECIMAL%%')`, pipeline.QuoteText(column)))
		if err != nil {
			return nil, err
		}
		if figures < 2 {
			continue
		}
		movement, err := movementOf(ctx, db, key, column, most)
		if err != nil {
			return nil, err
		}
		list = append(list, movement)
	}
	return list, nil
}

func movementOf(ctx context.Context, db *duck.DB, key []string, column string, most int) (pipeline.Movement, error) {
	m := pipeline.Movement{Column: column, Quantiles: []float64{}, Movers: []pipeline.Mover{}}
	quoted := pipeline.QuoteName(column)
	var on, keys, names []string
	for _, name := range key {
		name = pipeline.QuoteName(name)
		on = append(on, "b."+name+" is not distinct from a."+name)
		keys = append(keys, "coalesce(cast(b."+name+" as varchar), '')")
		names = append(names, "b."+name)
	}
	pairs := "from before b inner join after a on " + strings.Join(on, " and ") + " where b." + quoted + " is not null and a." + quoted + " is not null"
	change := "cast(a." + quoted + " as double) - cast(b." + quoted + " as double)"
	asked := []string{"(select avg(" + quoted + ") from before)", "(select avg(" + quoted + ") from after)", "count(*)", "count(*) filter (where " + change + " <> 0)"}
	for _, probability := range pipeline.MovementQuantiles {
		asked = append(asked, fmt.Sprintf("quantile_cont(%s, %v)", change, probability))
	}
	_, rows, err := db.Rows(ctx, "select "+strings.Join(numbered(asked), ", ")+" "+pairs)
	if err != nil {
		return m, err
	}
	cells := rows[0]
	m.MeanBefore, m.MeanAfter = figureOf(cells[0]), figureOf(cells[1])
	m.Both, _ = strconv.ParseInt(*cells[2], 10, 64)
	m.Moved, _ = strconv.ParseInt(*cells[3], 10, 64)
	for _, cell := range cells[4:] {
		if figure := figureOf(cell); figure != nil {
			m.Quantiles = append(m.Quantiles, *figure)
		}
	}
	_, rows, err = db.Rows(ctx, fmt.Sprintf("select %s %s and %s <> 0 order by abs(%s) desc, %s limit %d",
		strings.Join(numbered(append(keys, "cast(b."+quoted+" as double)", "cast(a."+quoted+" as double)")), ", "), pairs, change, change, strings.Join(names, ", "), most))
	for _, row := range rows {
		mover := pipeline.Mover{Before: *figureOf(row[len(key)]), After: *figureOf(row[len(key)+1])}
		for _, cell := range row[:len(key)] {
			mover.Key = append(mover.Key, *cell)
		}
		m.Movers = append(m.Movers, mover)
	}
	return m, err
}

// figureOf reads a figure that DuckDB wrote; nil for NULL.
func figureOf(text *string) *float64 {
	if text == nil {
		return nil
	}
	value, err := strconv.ParseFloat(*text, 64)
	if err != nil {
		return nil
	}
	return &value
}

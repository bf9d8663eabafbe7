package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"tamiz/internal/duck"
	"tamiz/lineage"
	"tamiz/pipeline"
)

// schemaHolds asks a person before a table loses what its readers rely on.
func (r *runState) schemaHolds() ([]pipeline.Hold, error) {
	if r.latest == nil || r.same {
		return nil, nil
	}
	before, err := r.publishedTables()
	if err != nil {
		return nil, err
	}
	var after []lineage.PublishedTable
	for _, mart := range r.p.Marts() {
		after = append(after, lineage.PublishedTable{Name: mart.Base(), Key: mart.Key, Columns: mart.Columns})
	}
	var holds []pipeline.Hold
	for _, one := range lineage.SchemaBreaks(before, after, r.latest.PeriodEnd, r.pins.PeriodEnd) {
		holds = append(holds, pipeline.Hold{Kind: pipeline.HoldSchema, Gate: "schema." + one.Table, Approvable: true,
			Because: pipeline.Sentence{Key: "held_schema", Values: map[string]any{"table": one.Table, "columns": strings.Join(one.Columns, ", ")}},
			Details: one.Table + ": " + strings.Join(one.Changes, "\n"+one.Table+": ") + "\n" +
				"to mend: bring it back, and declare it deprecated: {since: " + r.pins.PeriodEnd + ", instead: …} in the table's yml; it may go a year later"})
	}
	return holds, nil
}

// publishedTables reads the shape of the latest snapshot's tables from their
// files, which tell it themselves.
func (r *runState) publishedTables() ([]lineage.PublishedTable, error) {
	db, err := duck.Open(r.ctx, duck.Options{})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	var tables []lineage.PublishedTable
	for _, table := range r.latest.Tables {
		columns, err := publishedColumns(r.ctx, db, r.pins.Previous.Paths[table.Name])
		if err != nil {
			return nil, fmt.Errorf("read the columns of %s in %s: %w", table.Name, r.latest.Snapshot, err)
		}
		tables = append(tables, lineage.PublishedTable{Name: table.Name, Key: table.Key, Columns: columns})
	}
	return tables, nil
}

// publishedColumns reads what a table's file says of its columns.
func publishedColumns(ctx context.Context, db *duck.DB, file string) (columns []pipeline.Column, err error) {
	text, err := db.Text(ctx, "select decode(value) from parquet_kv_metadata("+pipeline.QuoteText(file)+") where decode(key) = 'columns'")
	if err == nil {
		err = json.Unmarshal([]byte(text), &columns)
	}
	return columns, err
}

package duck

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"tamiz/pipeline"
)

// Scan visits the rows of a query: each is scanned into targets, then visit is
// called. An error of visit ends it and comes back as it is.
func (db *DB) Scan(ctx context.Context, query string, targets []any, visit func() error) error {
	rows, err := db.conn.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		if err := visit(); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Fill makes a temporary table of these columns, in place of one of that name,
// and puts in the rows that fill appends.
func (db *DB) Fill(ctx context.Context, table string, columns []pipeline.Column, fill func(appendRow func(values ...any) error) error) error {
	list := ""
	for i, column := range columns {
		if i > 0 {
			list += ", "
		}
		list += pipeline.QuoteName(column.Name) + " " + column.Type
	}
	if err := db.Exec(ctx, "create or replace temp table "+pipeline.QuoteName(table)+" ("+list+")"); err != nil {
		return err
	}
	return db.conn.Raw(func(raw any) error {
		conn, ok := raw.(driver.Conn)
		if !ok {
			return fmt.Errorf("append to %s: the connection is no DuckDB connection", table)
		}
		appender, err := duckdb.NewAppender(conn, "temp", "main", table)
		if err != nil {
			return fmt.Errorf("append to %s: %w", table, err)
		}
		values := make([]driver.Value, len(columns))
		err = fill(func(row ...any) error {
			if len(row) != len(values) {
				return fmt.Errorf("append to %s: %d values for %d columns", table, len(row), len(values))
			}
			for i, value := range row {
				values[i] = value
			}
			return appender.AppendRow(values...)
		})
		return errors.Join(err, appender.Close())
	})
}

// Package duck is the one door to DuckDB.
//
// In come SQL texts of our own making; out come rows, bound plans and Parquet
// files. Every database that it opens lives in memory, with one thread, a
// bound on memory, and neither extensions nor the network: so that the same
// SQL over the same files gives the same bytes on every run.
//
// It never decides what SQL is allowed; package transform does.
package duck

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"tamiz/pipeline"
)

// Options bounds a database. Zero values mean 1 GiB, no spilling to disk, and
// one thread. With more threads sums of floating-point numbers may differ.
type Options struct {
	Memory  int64  // bytes
	Temp    string // folder where it may spill
	Threads int
}

// DB is one in-memory DuckDB with one connection.
type DB struct {
	pool    *sql.DB
	conn    *sql.Conn
	shared  *instance       // that it lives in, if it is one of [Reuse]
	common  *common         // that it lives in, if it is one of [Share]
	cleanup context.Context // a cancelled step must be cleaned up, too
	catalog string
}

// Version is the version of the DuckDB library, such as "v1.5.5".
func Version(ctx context.Context) (string, error) {
	db, err := Open(ctx, Options{})
	if err != nil {
		return "", err
	}
	defer db.Close()
	var version string
	if err := db.conn.QueryRowContext(ctx, "select version()").Scan(&version); err != nil {
		return "", fmt.Errorf("ask DuckDB for its version: %w", err)
	}
	return version, nil
}

// Open opens a database. Close it.
func Open(ctx context.Context, options Options) (*DB, error) {
	if options.Memory == 0 {
		options.Memory = 1 << 30
	}
	connector, err := duckdb.NewConnector("?autoinstall_known_extensions=false&autoload_known_extensions=false&threads="+strconv.Itoa(max(1, options.Threads)),
		func(driver.ExecerContext) error { return nil })
	if err != nil {
		return nil, fmt.Errorf("open DuckDB: %w", err)
	}
	db := &DB{pool: sql.OpenDB(connector)}
	db.pool.SetMaxOpenConns(1)
	if db.conn, err = db.pool.Conn(ctx); err != nil {
		return nil, fmt.Errorf("open DuckDB: %w", errors.Join(err, db.pool.Close()))
	}
	settings := fmt.Sprintf("set memory_limit = '%d bytes'; set default_null_order = 'nulls_last'; set timezone = 'UTC';", options.Memory)
	if options.Temp != "" {
		settings += "set temp_directory = " + pipeline.QuoteText(options.Temp) + ";"
	} else {
		settings += "set temp_directory = '';"
	}
	if err := db.Exec(ctx, settings); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// Close closes the database and frees its memory.
func (db *DB) Close() error {
	if db.common != nil {
		return db.common.leave(db.cleanup, db)
	}
	if db.shared != nil {
		return db.shared.giveBack(db.cleanup, db.conn, db.catalog)
	}
	if err := errors.Join(db.conn.Close(), db.pool.Close()); err != nil {
		return fmt.Errorf("close DuckDB: %w", err)
	}
	return nil
}

// Exec runs statements. The error is DuckDB's own, without a prefix; one of
// kind Storage if a file could not be written.
func (db *DB) Exec(ctx context.Context, statements string) error {
	_, err := db.conn.ExecContext(ctx, statements)
	if err != nil && strings.HasPrefix(err.Error(), "IO Error: Could not write") {
		return &pipeline.Error{Kind: pipeline.Storage, Problem: "a result cannot be written on this machine", Err: causeOf(err),
			Hint: "see that the disk has room, and that this user may write to it; then run again"}
	}
	return err //nolint:wrapcheck // callers map the line in it to their file
}

// causeOf finds the system's error in what DuckDB says of a file. One that was
// written in part has no room for the rest.
func causeOf(err error) error {
	text := strings.ToLower(err.Error())
	for _, cause := range []syscall.Errno{syscall.EFBIG, syscall.EDQUOT, syscall.EACCES, syscall.EROFS, syscall.EIO} {
		if strings.Contains(text, cause.Error()) {
			return cause
		}
	}
	return syscall.ENOSPC
}

// Number runs a query of one number. NULL counts as 0.
func (db *DB) Number(ctx context.Context, query string) (int64, error) {
	var n sql.NullInt64
	err := db.conn.QueryRowContext(ctx, query).Scan(&n)
	return n.Int64, err
}

// Text runs a query of one text. NULL counts as "".
func (db *DB) Text(ctx context.Context, query string) (string, error) {
	var text sql.NullString
	err := db.conn.QueryRowContext(ctx, query).Scan(&text)
	return text.String, err
}

// Texts runs a query of one column of text, and visits its values in order.
func (db *DB) Texts(ctx context.Context, query string, visit func(text sql.RawBytes)) error {
	rows, err := db.conn.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	var text sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&text); err != nil {
			return err
		}
		visit(text)
	}
	return rows.Err()
}

// Rows runs a query whose columns are cast to text by DuckDB: NULL is nil.
func (db *DB) Rows(ctx context.Context, query string) (columns []string, rows [][]*string, err error) {
	result, err := db.conn.QueryContext(ctx, asText(query))
	if err != nil {
		return nil, nil, err
	}
	return collect(result)
}

func asText(query string) string {
	return "select cast(columns(*) as varchar) from (\n" + query + "\n)"
}

// Query is a query that was planned once, to be run many times while the
// tables that it reads change their rows.
type Query struct{ statement *sql.Stmt }

// Prepare plans a query. Close it.
func (db *DB) Prepare(ctx context.Context, query string) (*Query, error) {
	statement, err := db.conn.PrepareContext(ctx, asText(query))
	if err != nil {
		return nil, err
	}
	return &Query{statement}, nil
}

// Rows runs the query, as [DB.Rows] does.
func (q *Query) Rows(ctx context.Context) (columns []string, rows [][]*string, err error) {
	result, err := q.statement.QueryContext(ctx)
	if err != nil {
		return nil, nil, err
	}
	return collect(result)
}

// Close frees the plan.
func (q *Query) Close() error { return q.statement.Close() }

func collect(result *sql.Rows) (columns []string, rows [][]*string, err error) {
	defer result.Close()
	if columns, err = result.Columns(); err != nil {
		return nil, nil, err
	}
	for result.Next() {
		row := make([]*string, len(columns))
		targets := make([]any, len(columns))
		for i := range row {
			targets[i] = &row[i]
		}
		if err := result.Scan(targets...); err != nil {
			return nil, nil, err
		}
		rows = append(rows, row)
	}
	return columns, rows, result.Err()
}

// Columns describes the columns of a query.
func (db *DB) Columns(ctx context.Context, query string) ([]pipeline.Column, error) {
	_, rows, err := db.Rows(ctx, "select column_name, column_type from (describe (\n"+query+"\n))")
	if err != nil {
		return nil, err
	}
	var columns []pipeline.Column
	for _, row := range rows {
		columns = append(columns, pipeline.Column{Name: *row[0], Type: *row[1]})
	}
	return columns, nil
}

// Node is one node of a parse tree or bound plan, as DuckDB gives it in JSON.
type Node = map[string]any

// ParseTree gives the syntax tree of one select.
func (db *DB) ParseTree(ctx context.Context, query string) (Node, error) {
	return db.tree(ctx, "json_serialize_sql("+pipeline.QuoteText(query)+")")
}

// BoundPlan gives the bound, not yet optimised plan of one select.
func (db *DB) BoundPlan(ctx context.Context, query string) (Node, error) {
	return db.tree(ctx, "json_serialize_plan("+pipeline.QuoteText(query)+", optimize := false)")
}

func (db *DB) tree(ctx context.Context, call string) (Node, error) {
	text, err := db.Text(ctx, "select cast("+call+" as varchar)")
	if err != nil {
		return nil, err
	}
	var node Node
	if err := json.Unmarshal([]byte(text), &node); err != nil {
		return nil, fmt.Errorf("read DuckDB's tree: %w", err)
	}
	if failed, _ := node["error"].(bool); failed {
		return nil, &TreeError{Message: fmt.Sprint(node["error_message"]), Position: fmt.Sprint(node["position"])}
	}
	return node, nil
}

// TreeError is a mistake in SQL that DuckDB reports beside a tree.
type TreeError struct {
	Message  string
	Position string // byte offset in the SQL, if known
}

// Error gives DuckDB's message.
func (e *TreeError) Error() string { return e.Message }

// ReadParquet gives the select that reads Parquet files in that order.
func ReadParquet(files []string) string {
	quoted := make([]string, len(files))
	for i, file := range files {
		quoted[i] = pipeline.QuoteText(file)
	}
	return "select * from read_parquet([" + strings.Join(quoted, ", ") + "])"
}

// CreateSchemas makes the schemas that models live in.
const CreateSchemas = "create schema raw; create schema good; create schema method; create schema reference; " +
	"create schema staging; create schema intermediate; create schema marts; create schema previous;"

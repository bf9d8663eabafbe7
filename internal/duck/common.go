package duck

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"sync"

	"tamiz/pipeline"
)

// common is a DuckDB for many small questions, some of them at the same time:
// each asker has a catalog of its own, and all share what [DB.Kept] and
// [DB.Macros] made.
type common struct {
	base *DB

	sync.Mutex
	used   int
	kept   map[string]*keptTable
	macros []map[string]string // by catalog: name → SQL
}

// keptTable is made by the first who needs it.
type keptTable struct {
	sync.Once
	err error
}

var commons struct {
	sync.Mutex
	all map[Options]*common
}

// Share opens a catalog that is empty, in a database that all share who ask
// for these bounds: they are the bounds of all together. Close it.
func Share(ctx context.Context, options Options) (*DB, error) {
	c, err := openCommon(ctx, options)
	if err != nil {
		return nil, err
	}
	c.Lock()
	c.used++
	db := &DB{pool: c.base.pool, common: c, cleanup: context.WithoutCancel(ctx), catalog: "step_" + strconv.Itoa(c.used)}
	c.Unlock()
	if db.conn, err = db.pool.Conn(ctx); err != nil {
		return nil, fmt.Errorf("open DuckDB: %w", err)
	}
	statements := "attach ':memory:' as " + db.catalog + "; use " + db.catalog + "; set default_null_order = 'nulls_last'; set timezone = 'UTC';"
	if err := db.Exec(ctx, statements); err != nil {
		return nil, fmt.Errorf("open DuckDB: %w", errors.Join(err, db.conn.Close()))
	}
	return db, nil
}

func openCommon(ctx context.Context, options Options) (*common, error) {
	commons.Lock()
	defer commons.Unlock()
	if c := commons.all[options]; c != nil {
		return c, nil
	}
	base, err := Open(ctx, options)
	if err != nil {
		return nil, err
	}
	if err := base.Exec(ctx, "set parquet_metadata_cache = true"); err != nil { // files are asked several times
		return nil, fmt.Errorf("open DuckDB: %w", errors.Join(err, base.Close()))
	}
	base.pool.SetMaxOpenConns(0)
	if commons.all == nil {
		commons.all = map[Options]*common{}
	}
	c := &common{base: base, kept: map[string]*keptTable{}}
	commons.all[options] = c
	return c, nil
}

// leave closes a catalog.
func (c *common) leave(ctx context.Context, db *DB) error {
	if err := drop(db.conn); err != nil {
		return err
	}
	if err := c.base.Exec(ctx, "detach "+db.catalog); err != nil {
		return fmt.Errorf("close a catalog: %w", err)
	}
	return nil
}

// Kept gives the name of a table that holds what a query gives. It is made
// once: the query must read small parts of files that never change, and nothing
// else. The database must be one of [Share].
func (db *DB) Kept(ctx context.Context, query string) (string, error) {
	c, name := db.common, "memory.main."+pipeline.QuoteName("kept "+string(pipeline.DigestOf(query)))
	c.Lock()
	table := c.kept[name]
	if table == nil {
		table = &keptTable{}
		c.kept[name] = table
	}
	c.Unlock()
	table.Do(func() { table.err = db.Exec(ctx, "create table "+name+" as "+query) })
	if table.err != nil { // the next one tries again
		c.Lock()
		delete(c.kept, name)
		c.Unlock()
	}
	return name, table.err
}

// Macros lets the database see macros, which are made once for all who need
// the same ones. The database must be one of [Share].
func (db *DB) Macros(ctx context.Context, macros []pipeline.Macro) error {
	c := db.common
	c.Lock()
	defer c.Unlock()
	at := 0
	for at < len(c.macros) && clash(c.macros[at], macros) {
		at++
	}
	catalog := "macros_" + strconv.Itoa(at)
	if at == len(c.macros) {
		if err := c.base.Exec(ctx, "attach ':memory:' as "+catalog); err != nil {
			return fmt.Errorf("make macros: %w", err)
		}
		c.macros = append(c.macros, map[string]string{})
	}
	statements, made := "use "+catalog+";", map[string]string{}
	for _, macro := range macros {
		if c.macros[at][macro.Name] == "" {
			statements += "\n" + macro.SQL + ";"
			made[macro.Name] = macro.SQL
		}
	}
	if len(made) > 0 {
		if err := c.base.Exec(ctx, statements); err != nil {
			return err
		}
		maps.Copy(c.macros[at], made)
	}
	return db.Exec(ctx, "set search_path = '"+db.catalog+".main,"+catalog+".main'")
}

// clash reports whether other macros have a name of these.
func clash(known map[string]string, macros []pipeline.Macro) bool {
	for _, macro := range macros {
		if sql := known[macro.Name]; sql != "" && sql != macro.SQL {
			return true
		}
	}
	return false
}

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
	base    *DB
	options Options
	used    int // askers it has served; guarded by commons
	active  int // those it serves now; guarded by commons

	sync.Mutex
	kept   map[string]*keptTable
	macros []map[string]string // by catalog: name → SQL
}

// keptTable is made by the first who needs it.
type keptTable struct {
	sync.Once
	err error
}

// mostUses is how many askers a database serves: what is kept for them grows
// with what they ask, and goes with it.
const mostUses = 2000

var commons struct {
	sync.Mutex
	all map[Options]*common
}

// Share opens a catalog that is empty, in a database that all share who ask
// for these bounds: they are the bounds of all together. Close it.
func Share(ctx context.Context, options Options) (*DB, error) {
	c, number, err := openCommon(ctx, options)
	if err != nil {
		return nil, err
	}
	db := &DB{pool: c.base.pool, common: c, cleanup: context.WithoutCancel(ctx), catalog: "step_" + strconv.Itoa(number)}
	if db.conn, err = db.pool.Conn(ctx); err != nil {
		return nil, fmt.Errorf("open DuckDB: %w", errors.Join(err, c.retire()))
	}
	statements := "attach ':memory:' as " + db.catalog + "; use " + db.catalog + "; set default_null_order = 'nulls_last'; set timezone = 'UTC';"
	if err := db.Exec(ctx, statements); err != nil {
		return nil, fmt.Errorf("open DuckDB: %w", errors.Join(err, db.conn.Close(), c.retire()))
	}
	return db, nil
}

// openCommon gives the database that all share, and the asker's number.
func openCommon(ctx context.Context, options Options) (*common, int, error) {
	commons.Lock()
	defer commons.Unlock()
	if c := commons.all[options]; c != nil {
		c.used++
		c.active++
		return c, c.used, nil
	}
	base, err := Open(ctx, options)
	if err != nil {
		return nil, 0, err
	}
	if err := base.Exec(ctx, "set parquet_metadata_cache = true"); err != nil { // files are asked several times
		return nil, 0, fmt.Errorf("open DuckDB: %w", errors.Join(err, base.Close()))
	}
	base.pool.SetMaxOpenConns(0)
	if commons.all == nil {
		commons.all = map[Options]*common{}
	}
	c := &common{base: base, options: options, used: 1, active: 1, kept: map[string]*keptTable{}}
	commons.all[options] = c
	return c, c.used, nil
}

// retire notes that an asker is done. The last one of a database that has
// served enough closes it.
func (c *common) retire() error {
	commons.Lock()
	defer commons.Unlock()
	c.active--
	if c.active > 0 || c.used < mostUses {
		return nil
	}
	delete(commons.all, c.options)
	return c.base.Close()
}

// leave closes a catalog.
func (c *common) leave(ctx context.Context, db *DB) error {
	err := drop(db.conn)
	if err == nil {
		err = c.base.Exec(ctx, "detach "+db.catalog)
	}
	if err = errors.Join(err, c.retire()); err != nil {
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

package duck

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

// keptIdle is how many databases wait to be used again.
const keptIdle = 4

// instance is a DuckDB that serves one caller after another, each in a catalog
// of its own. To start one takes longer than most steps of a small pipeline.
type instance struct {
	pool  *sql.DB
	key   Options // what it was opened with
	spill string  // its folder
	used  int
}

var idle struct {
	sync.Mutex
	instances []*instance
	made      int
}

// Reuse opens a database that is empty, in an instance that may have served
// others before: nothing of theirs is left but warm memory. Temp is a folder in
// which each instance makes one of its own. Close it.
func Reuse(ctx context.Context, options Options) (*DB, error) {
	in, err := takeIdle(ctx, options)
	if err != nil {
		return nil, err
	}
	in.used++
	db := &DB{pool: in.pool, shared: in, cleanup: context.WithoutCancel(ctx), catalog: "step_" + strconv.Itoa(in.used)}
	if db.conn, err = in.pool.Conn(ctx); err != nil {
		return nil, fmt.Errorf("open DuckDB: %w", errors.Join(err, in.pool.Close()))
	}
	statements := "attach ':memory:' as " + db.catalog + "; use " + db.catalog + "; set default_null_order = 'nulls_last'; set timezone = 'UTC';"
	if err := db.Exec(ctx, statements); err != nil {
		return nil, fmt.Errorf("open DuckDB: %w", errors.Join(err, db.conn.Close(), in.pool.Close()))
	}
	return db, nil
}

// takeIdle finds an instance of the same options, or makes one.
func takeIdle(ctx context.Context, options Options) (*instance, error) {
	idle.Lock()
	for i, in := range idle.instances {
		if in.key == options {
			idle.instances = append(idle.instances[:i:i], idle.instances[i+1:]...)
			idle.Unlock()
			return in, nil
		}
	}
	idle.made++
	in := &instance{key: options}
	if options.Temp != "" {
		in.spill = filepath.Join(options.Temp, fmt.Sprintf("spill-%d-%d", os.Getpid(), idle.made))
		options.Temp = in.spill
	}
	idle.Unlock()
	db, err := Open(ctx, options)
	if err != nil {
		return nil, err
	}
	in.pool = db.pool
	return in, drop(db.conn)
}

// drop ends a connection for good, with its temporary tables.
func drop(conn *sql.Conn) error {
	err := conn.Raw(func(any) error { return driver.ErrBadConn })
	if err != nil && !errors.Is(err, driver.ErrBadConn) {
		return fmt.Errorf("close a connection of DuckDB: %w", err)
	}
	return nil
}

// giveBack empties an instance and lets it wait for the next caller. One that
// cannot be emptied is closed.
func (in *instance) giveBack(ctx context.Context, conn *sql.Conn, catalog string) error {
	if err := drop(conn); err != nil {
		return errors.Join(err, in.pool.Close())
	}
	if _, err := in.pool.ExecContext(ctx, "use memory; detach "+catalog); err != nil {
		return errors.Join(fmt.Errorf("empty DuckDB: %w", err), in.pool.Close())
	}
	idle.Lock()
	idle.instances = append(idle.instances, in)
	var old *instance
	if len(idle.instances) > keptIdle {
		old, idle.instances = idle.instances[0], idle.instances[1:]
	}
	idle.Unlock()
	if old == nil {
		return nil
	}
	return errors.Join(old.pool.Close(), os.RemoveAll(old.spill))
}

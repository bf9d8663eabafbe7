package duck

import (
	"context"
	"fmt"
	"path/filepath"
	"sort"
	"strings"

	"tamiz/pipeline"
)

// OpenMarts opens a database for queries of strangers: each view, named with
// or without a schema, reads one file; no other file or network can be
// reached, and no setting changed.
func OpenMarts(ctx context.Context, views map[string]string) (*DB, error) {
	db, err := Open(ctx, Options{Memory: 2 << 30})
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(views))
	folders := map[string]bool{}
	for name, file := range views {
		names = append(names, name)
		folders[filepath.Dir(file)] = true
	}
	sort.Strings(names)
	var b strings.Builder
	var allowed []string
	for folder := range folders {
		allowed = append(allowed, pipeline.QuoteText(folder))
	}
	sort.Strings(allowed)
	fmt.Fprintf(&b, "set allowed_directories = [%s];", strings.Join(allowed, ", "))
	b.WriteString(CreateSchemas)
	for _, name := range names {
		if strings.Contains(name, ".") {
			fmt.Fprintf(&b, "create view %s as %s;", pipeline.QuoteTable(name), ReadParquet([]string{views[name]}))
			continue
		}
		fmt.Fprintf(&b, "create view %s as %s;", pipeline.QuoteName(name), ReadParquet([]string{views[name]}))
		fmt.Fprintf(&b, "create view marts.%s as from main.%s;", pipeline.QuoteName(name), pipeline.QuoteName(name))
	}
	b.WriteString("set enable_external_access = false; set lock_configuration = true;")
	if err := db.Exec(ctx, b.String()); err != nil {
		db.Close()
		return nil, fmt.Errorf("open the marts: %w", err)
	}
	return db, nil
}

// Answer runs any one statement and gives its rows as text; NULL is nil.
func (db *DB) Answer(ctx context.Context, query string) ([]string, [][]*string, error) {
	query = strings.TrimRight(strings.TrimSpace(query), ";")
	if columns, rows, err := db.Rows(ctx, query); err == nil {
		return columns, rows, nil
	} else if !startsWith(query, "describe", "summarize", "show") {
		return nil, nil, err
	}
	return db.Rows(ctx, "from ("+query+")")
}

func startsWith(text string, words ...string) bool {
	lower := strings.ToLower(text)
	for _, word := range words {
		if strings.HasPrefix(lower, word) {
			return true
		}
	}
	return false
}

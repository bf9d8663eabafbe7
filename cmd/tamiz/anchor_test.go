package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"tamiz/config"
	"tamiz/internal/duck"
	"tamiz/pipeline"
)

// TestAnchor_TakesWeightedTerciles computes anchors over the rows of
// vectors/weighted_quantile.json (METHODS 0: the smallest x whose cumulative
// weight is at least p·W), and over ties.
func TestAnchor_TakesWeightedTerciles(t *testing.T) {
	ctx := context.Background()
	p, err := config.Load(embedded(), "mx")
	if err != nil {
		t.Fatal(err)
	}
	anchor := p.Anchors[0]
	for _, c := range []struct{ name, rows, want string }{
		{"the vector", "(0.42, 120), (0.1, 30), (0.55, 200), (0.31, 55), (0.77, 10), (0.63, 80), (0.28, 300)", "0.28 0.55"},
		{"ties are summed", "(0.1, 1), (0.5, 1), (0.5, 1), (0.5, 1), (0.9, 2)", "0.5 0.5"},
		{"exactly a third", "(0.1, 2), (0.2, 2), (0.3, 2)", "0.1 0.2"},
		{"one school", "(0.4, 7)", "0.4 0.4"},
		{"no pupils weigh nothing", "(0.1, 0), (0.4, 7)", "0.4 0.4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "profiles.parquet")
			db, err := duck.Open(ctx, duck.Options{Memory: 1 << 28})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if err := db.Exec(ctx, fmt.Sprintf("copy (select 5 as profile, cast(x as double) as urgency, 1 - cast(x as double) as feasibility, w as pupils_count "+
				"from (values %s) as v(x, w) union all select null, 0.99, 0.99, 5000) to %s (format parquet)", c.rows, pipeline.QuoteText(file))); err != nil {
				t.Fatal(err)
			}
			columns, rows, err := ask(ctx, map[string]string{"profiles": file}, anchor.SQL)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(columns, " "); got != "index_name medium_from high_from" || len(rows) != 2 {
				t.Fatalf("columns %s, %d rows", got, len(rows))
			}
			if got := *rows[1][1] + " " + *rows[1][2]; *rows[1][0] != "urgency" || got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

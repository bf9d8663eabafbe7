package methods_test

import (
	"fmt"
	"testing"
)

func TestLevelDraws(t *testing.T) {
	// Weights of draws 0 to 3, from METHODS 5.5 by another program: (.477 .258 .265), (.235 .705 .060),
	// (.847 .086 .066), (.522 .043 .434).
	parameters := [][]any{{"index", int64(3), int64(0), 0.35, 0.55, int64(4)}}
	cases := []struct {
		name    string
		parts   []any
		draws   any
		factor  float64
		nominal any
		forced  bool
		want    string // words, shares of same, L, M, H
	}{
		{"first part alone", []any{0.6, nil, nil}, nil, 1, "H", false, "[[15] 1 0 0 1]"},
		{"all on the cut point", []any{0.55, 0.55, 0.55}, nil, 1, "H", false, "[[15] 1 0 0 1]"},
		{"weights decide", []any{1.0, 0.0, 0.0}, nil, 1, "M", false, "[[9] 0.5 0.25 0.5 0.25]"},
		{"a part that is unknown", []any{1.0, 0.0, nil}, nil, 1, "H", false, "[[13] 0.75 0.25 0 0.75]"},
		{"forced", []any{1.0, 1.0, 1.0}, nil, 1, "L", true, "[[15] 1 1 0 0]"},
		{"a factor, held at 1", []any{0.9, 0.9, 0.9}, nil, 1.2, "H", false, "[[15] 1 0 0 1]"},
		{"a factor lifts", []any{0.5, 0.5, 0.5}, nil, 1.2, "M", false, "[[0] 0 0 0 1]"},
		{"imputed", []any{0.5, nil, nil}, []any{0.2, 0.4, 0.6}, 1, "M", false, "[[2] 0.25 0.5 0.25 0.25]"},
		{"draws of a part that is unknown", []any{nil, 0.5, nil}, []any{0.2}, 1, "M", false, "[[15] 1 0 1 0]"},
		{"no level", []any{nil, nil, nil}, nil, 1, nil, false, "[<nil> <nil> <nil> <nil> <nil>]"},
	}
	var units [][]any
	for _, c := range cases {
		units = append(units, []any{c.name, "index", c.parts, c.draws, c.factor, c.nominal, c.forced})
	}
	rows := rowsOf(t, "level_draws", map[string][][]any{"units": units, "parameters": parameters})
	for i, c := range cases {
		if rows[i][0] != c.name {
			t.Fatalf("row %d is of %v, want %s", i, rows[i][0], c.name)
		}
		if got := fmt.Sprint(rows[i][1:]); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestLevelDraws_FillsWholeWords(t *testing.T) {
	parameters := [][]any{{"index", int64(1), int64(0), 0.35, 0.55, int64(500)}}
	rows := rowsOf(t, "level_draws", map[string][][]any{"parameters": parameters,
		"units": {{"one", "index", []any{0.4}, nil, 1.0, "M", false}}})
	words := rows[0][1].([]uint64)
	if len(words) != 8 || words[6] != ^uint64(0) || words[7] != 1<<52-1 {
		t.Errorf("500 draws of one part fill %d words, the last %x", len(words), words[len(words)-1])
	}
}

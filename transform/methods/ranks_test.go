package methods_test

import (
	"fmt"
	"math"
	"testing"
)

// twoIndices has parts 1 to 3 in the index "need" and 4 in "ease".
var twoIndices = [][]any{
	{int64(1), "first", "need", 0.5}, {int64(2), "second", "need", 0.3}, {int64(3), "third", "need", 0.2},
	{int64(4), "fourth", "ease", 1.0},
}

func TestRankIntervals(t *testing.T) {
	units := [][]any{
		{"a", []any{0.9, 0.9, nil, 0.5}, nil},
		{"b", []any{0.5, 0.5, nil, 0.5}, nil},
		{"c", []any{0.5, 0.5, nil, 0.7}, nil}, // ties with b in need
		{"d", []any{0.1, nil, nil, 0.1}, nil}, // lacks a part of need
	}
	rows := rowsOf(t, "rank_intervals", map[string][][]any{"units": units, "parts": twoIndices, "parameters": {{int64(60)}}})
	want := []string{
		"[need d 2 3 <nil> <nil> <nil> <nil> <nil> <nil>]",
		"[need a 2 3 1 1 1 1 0 0]",
		"[need b 2 3 2 2 2 2 0 1]",
		"[need c 2 3 2 2 2 2 0 1]",
		"[ease a 1 4 2 2 2 2 0 1]",
		"[ease b 1 4 2 2 2 2 0 1]",
		"[ease c 1 4 1 1 1 1 0 0]",
		"[ease d 1 4 4 4 4 4 0 0]",
	}
	if got := lines(rows); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got\n%v, want\n%v", got, want)
	}
}

func TestRankIntervals_TakesNominalRanksFromTheWeights(t *testing.T) {
	units := [][]any{
		{"a", []any{1.0, 0.0, 0.0, 0.5}, nil},
		{"b", []any{0.0, 1.0, 0.9, 0.5}, nil},
		{"c", []any{0.4, 0.1, 1.0, 0.5}, nil},
	}
	rows := rowsOf(t, "rank_intervals", map[string][][]any{"units": units, "parts": twoIndices, "parameters": {{int64(600)}}})
	// 0.5, 0.48 and 0.43 by the weights; by equal ones b would come first.
	for i, want := range []int64{1, 2, 3} {
		row := rows[i]
		if row[4] != want {
			t.Errorf("%v ranks %v, want %d", row[1], row[4], want)
		}
		if row[6] != 1.0 || row[9] != int64(2) {
			t.Errorf("%v may rank %v to %v and overlaps with %v: want it first in some draws, and all to overlap", row[1], row[6], row[7], row[9])
		}
	}
	if ease := rows[3]; ease[4] != int64(1) || ease[7] != 1.0 {
		t.Errorf("units that do not differ are all first, not %v", ease)
	}
}

func TestRankSensitivity(t *testing.T) {
	units := [][]any{
		{"a", []any{1.0, 0.0, nil, 0.5}, nil},
		{"b", []any{0.0, 1.0, nil, 0.5}, nil},
	}
	rows := rowsOf(t, "rank_sensitivity", map[string][][]any{"units": units, "parts": twoIndices, "parameters": {{int64(2048)}}})
	shares := map[string][]any{}
	for _, row := range rows {
		shares[fmt.Sprint(row[0], " ", row[1])] = row[2:]
	}
	if got := fmt.Sprint(shares["need weight_of_third"]); got != "[1 <nil> <nil> <nil> <nil> 2 2048]" {
		t.Errorf("a part that is unknown has shares: %s", got)
	}
	if got := fmt.Sprint(shares["ease weight_of_fourth"]); got != "[1 <nil> <nil> <nil> <nil> 2 2048]" {
		t.Errorf("ranks that never move have shares: %s", got)
	}
	// Only which weight is greater decides: two like choices, half of the time each, whatever the rest. With
	// f = 1 if x < y, S = 1/3 and ST = 2/3 for both.
	for factor, want := range map[string][2]float64{
		"weight_of_first": {1. / 3, 2. / 3}, "weight_of_second": {1. / 3, 2. / 3}, "normalisation": {}, "aggregation": {},
	} {
		got := shares["need "+factor]
		if math.Abs(got[1].(float64)-want[0]) > 0.05 || math.Abs(got[2].(float64)-want[1]) > 0.05 {
			t.Errorf("%s: got %v and %v, want %v", factor, got[1], got[2], want)
		}
	}
	if v := shares["need weight_of_first"][3].(float64); math.Abs(v-0.25) > 0.01 {
		t.Errorf("the variance is %g, want 0.25", v)
	}
}

func TestRankSensitivity_DrawsImputations(t *testing.T) {
	units := [][]any{
		{"a", []any{0.5, 0.5, nil, nil}, []any{0.9, 0.1}},
		{"b", []any{0.4, 0.4, nil, nil}, nil}, // nothing in it is imputed
	}
	rows := rowsOf(t, "rank_sensitivity", map[string][][]any{"units": units, "parts": twoIndices, "parameters": {{int64(512)}}})
	for _, row := range rows {
		if row[1] == "imputation" {
			if total := row[4].(float64); total < 0.3 {
				t.Errorf("an imputation that turns the order round has the total share %g", total)
			}
			return
		}
	}
	t.Error("imputation is no factor")
}

func TestPartStatistics(t *testing.T) {
	units := [][]any{
		{"a", []any{0.1, 0.5, 0.2, nil}, []any{0.2, nil}},
		{"b", []any{0.2, 0.5, 0.35, nil}, []any{0.3, nil}},
		{"c", []any{0.3, 0.5, 0.3, nil}, []any{0.4, nil}},
		{"d", nil, nil},
		{"e", []any{0.4, 0.5, nil, nil}, []any{0.6, nil}},
	}
	areas := [][]any{
		{"1", []any{0.9, 0.1, 0.1, nil}, nil}, {"2", []any{0.1, 0.2, 0.3, nil}, nil}, {"3", []any{0.45, 0.5, 0.5, nil}, nil},
	}
	rows := rowsOf(t, "part_statistics", map[string][][]any{"units": units, "areas": areas, "parts": twoIndices})
	want := []string{
		"[need first 0.5 4 4 0.25 0 -1.2 none 0 1 <nil> <nil> 1 1.333 3]",
		"[need second 0.3 4 4 0.5 <nil> <nil> none 0 <nil> <nil> <nil> 1 0 3]",
		"[need third 0.2 4 3 0.283 <nil> <nil> none 0 0.5 <nil> <nil> 1 0 3]",
		"[ease fourth 1 4 0 <nil> <nil> <nil> <nil> <nil> <nil> <nil> <nil> <nil> <nil> 0]",
	}
	if got := lines(rows); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got\n%v, want\n%v", got, want)
	}
}

// lines writes rows with numbers to three places, and no minus before 0.
func lines(rows [][]any) []string {
	var all []string
	for _, row := range rows {
		rounded := make([]any, len(row))
		for i, value := range row {
			if number, ok := value.(float64); ok {
				value = math.Round(number*1000)/1000 + 0
			}
			rounded[i] = value
		}
		all = append(all, fmt.Sprint(rounded))
	}
	return all
}

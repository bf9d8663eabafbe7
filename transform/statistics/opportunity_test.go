package statistics_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	. "tamiz/transform/statistics"
)

func TestDrivers_AddUpForAnyDimensions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dimensions := rapid.IntRange(1, 5).Draw(t, "dimensions")
		cells := drawCells(t, dimensions, "cells")
		whole, drivers := Drivers(cells, dimensions)
		if whole.Coverage == 0 {
			if drivers != nil {
				t.Fatalf("nobody is covered, but there are drivers %v", drivers)
			}
			return
		}
		total := 0.0
		for k, driver := range drivers {
			total += driver.Shapley
			if driver.OneWay > whole.Dissimilarity+1e-12 || driver.LastIn < -1e-12 {
				t.Fatalf("dimension %d raises dissimilarity when it is given up: %+v of %+v", k, driver, whole)
			}
		}
		if math.Abs(total-whole.Dissimilarity) > 1e-12 {
			t.Fatalf("the drivers add up to %g, not to %g", total, whole.Dissimilarity)
		}
	})
}

func TestProgressOf_PartsAddUpWhateverIsMerged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, after := drawCells(t, 3, "before"), drawCells(t, 3, "after")
		p, ok := ProgressOf(before, after, []int{2, 0, 1})
		if !ok {
			t.Fatal("all dimensions may be given up, so something is left to compare")
		}
		change := p.After.Index() - p.Before.Index()
		if sum := p.Composition + p.Scale + p.Equalisation; math.Abs(sum-change) > 1e-12 {
			t.Fatalf("the parts add up to %g, the change is %g", sum, change)
		}
		// Merging moves no pupil: coverage stays.
		if whole, _ := Drivers(after, 3); math.Abs(whole.Coverage-p.After.Coverage) > 1e-12 {
			t.Fatalf("coverage of the year is %g, merged %g", whole.Coverage, p.After.Coverage)
		}
	})
}

func TestProgressOf_NothingToCompare(t *testing.T) {
	cells := []Cell{{Values: []string{"a"}, Weight: 1, Rate: 0.5}}
	if _, ok := ProgressOf(nil, cells, []int{0}); ok {
		t.Error("there is no year before, but progress")
	}
	if _, ok := ProgressOf([]Cell{{Values: []string{"b"}, Weight: 1, Rate: 0.5}}, cells, nil); ok {
		t.Error("no dimension may be given up, but groups are compared that only one year has")
	}
}

// drawCells draws one cell or more, each of other values.
func drawCells(t *rapid.T, dimensions int, label string) []Cell {
	places := rapid.SliceOfNDistinct(rapid.IntRange(0, 1<<dimensions-1), 1, 1<<dimensions, rapid.ID[int]).Draw(t, label)
	var cells []Cell
	for _, place := range places {
		cell := Cell{Weight: rapid.Float64Range(0.01, 1000).Draw(t, "weight"), Rate: rapid.Float64Range(0, 1).Draw(t, "rate")}
		for k := range dimensions {
			cell.Values = append(cell.Values, []string{"low", "high"}[place>>k&1])
		}
		cells = append(cells, cell)
	}
	return cells
}

func TestBinomial(t *testing.T) {
	// By hand: 4 trials at a half have 1, 4, 6, 4, 1 sixteenths.
	half := NewBinomial(4, 0.5)
	for _, c := range []struct {
		u    float64
		want int
	}{{0, 0}, {0.06, 0}, {0.07, 1}, {0.31, 1}, {0.32, 2}, {0.6875, 2}, {0.69, 3}, {0.9375, 3}, {0.94, 4}, {0.999, 4}} {
		if got := half.Quantile(c.u); got != c.want {
			t.Errorf("quantile at %g: got %d, want %d", c.u, got, c.want)
		}
	}
	for _, c := range []struct {
		trials int
		chance float64
		want   int
	}{{0, 0.5, 0}, {7, 0, 0}, {7, 1, 7}, {100_000, 0.999, 99_900}, {100_000, 1e-9, 0}} {
		if got := NewBinomial(c.trials, c.chance).Quantile(0.5); got != c.want {
			t.Errorf("median of %d trials at %g: got %d, want %d", c.trials, c.chance, got, c.want)
		}
	}
}

func TestSpread(t *testing.T) {
	var draws []float64
	for i := range 41 {
		draws = append(draws, float64(40-i))
	}
	low, high, se := Spread(draws)
	near(t, "low", low, 1)
	near(t, "high", high, 39)
	near(t, "standard error", se, math.Sqrt(41.0*42/12))
	if low, _, se := Spread(nil); !math.IsNaN(low) || !math.IsNaN(se) {
		t.Errorf("no draws have a spread of %g and %g", low, se)
	}
}

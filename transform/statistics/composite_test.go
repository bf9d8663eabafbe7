package statistics_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	. "tamiz/transform/statistics"
)

func TestTreat_Edges(t *testing.T) {
	for _, c := range []struct {
		what   string
		values []float64
		how    string
		points int
	}{
		{"too few", []float64{1, 2, 1000}, TreatedNot, 0},
		{"constant", []float64{5, 5, 5, 5, 5}, TreatedNot, 0},
		{"even", []float64{1, 2, 3, 4, 5}, TreatedNot, 0},
		{"one above", []float64{1, 2, 3, 4, 5, 6, 7, 1000}, TreatedWinsorised, 1},
		{"one below", []float64{-1000, 1, 2, 3, 4, 5, 6, 7}, TreatedWinsorised, 1},
		// Of 25, two ties above go at once.
		{"ties", append(sequence(30), 900, 900), TreatedWinsorised, 2},
		// What is left would be constant: restored, and the logarithm taken.
		{"one among equals", []float64{0, 0, 0, 0, 0, 0, 0, 1}, TreatedLog, 0},
		{"six above", append(sequence(100), 2000, 2100, 2200, 2300, 2400, 2500), TreatedLog, 0},
	} {
		before := slices.Clone(c.values)
		got, err := Treat(c.values)
		if err != nil || got.How != c.how || got.Points != c.points {
			t.Errorf("%s: %s, %d points (%v)", c.what, got.How, got.Points, err)
		}
		if !slices.Equal(before, c.values) {
			t.Errorf("%s: the values that came in were changed", c.what)
		}
	}
	got, _ := Treat([]float64{0, 0, 0, 0, 0, 0, 0, 1})
	near(t, "log", got.Values[0], math.Log(0.01))
	if _, err := Treat([]float64{1, 2, 3, math.NaN()}); err == nil {
		t.Error("NaN was treated")
	}
}

func sequence(n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = float64(i)
	}
	return values
}

func TestNormalise(t *testing.T) {
	values := []float64{10, 30, 20, 30}
	minmax, _ := MinMax(values)
	if !slices.Equal(minmax.Values, []float64{0, 1, 0.5, 1}) {
		t.Errorf("min–max %v", minmax)
	}
	if anchored, _ := Goalpost(values, 15, 25); !slices.Equal(anchored.Values, []float64{0, 1, 0.5, 1}) {
		t.Errorf("goalposts %v", anchored)
	}
	if ranks, _ := RankScore(values); !slices.Equal(ranks.Values, []float64{0.125, 0.75, 0.375, 0.75}) {
		t.Errorf("ranks %v", ranks)
	}
	z, _ := ZScore([]float64{1, 2, 3})
	if !slices.Equal(z.Values, []float64{-1, 0, 1}) {
		t.Errorf("z %v", z)
	}
	for _, normalise := range []func([]float64) (Normalised, error){MinMax, ZScore, RankScore} {
		got, err := normalise([]float64{7, 7})
		if err != nil || !got.NoVariance || !slices.Equal(got.Values, []float64{0.5, 0.5}) {
			t.Errorf("constant: %+v, %v", got, err)
		}
		if _, err := normalise(nil); err == nil {
			t.Error("nothing was normalised")
		}
	}
	if _, err := Goalpost(values, 2, 1); err == nil {
		t.Error("goalposts that descend were accepted")
	}
}

func TestAggregate_Edges(t *testing.T) {
	x, w := []float64{1, 2, 3}, []float64{2, 1, 1}
	for _, c := range []struct {
		aggregate func(values, weights []float64) (float64, error)
		want      float64
		zero      bool // takes values of 0
	}{{Arithmetic, 1.75, true}, {Geometric, math.Pow(6, 0.25), false}, {Harmonic, 4 / (2.0/1 + 1.0/2 + 1.0/3), false}} {
		got, err := c.aggregate(x, w)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "mean", got, c.want)
		if _, err := c.aggregate([]float64{0, 1}, []float64{1, 1}); (err == nil) != c.zero {
			t.Errorf("a value of 0: %v", err)
		}
		for _, wrong := range []struct{ x, w []float64 }{{nil, nil}, {x, w[:2]}, {x, []float64{0, 0, 0}}, {x, []float64{1, 1, -1}}, {[]float64{1, 2, math.NaN()}, w}} {
			if _, err := c.aggregate(wrong.x, wrong.w); err == nil {
				t.Errorf("%v was aggregated by %v", wrong.x, wrong.w)
			}
		}
	}
	raised, _ := Geometric([]float64{0.0001, 1}, []float64{1, 1})
	near(t, "raised to .01", raised, 0.1)
}

func TestAggregate_MeansAreOrdered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "n")
		x := rapid.SliceOfN(rapid.Float64Range(0.01, 1), n, n).Draw(t, "x")
		w := rapid.SliceOfN(rapid.Float64Range(0.1, 5), n, n).Draw(t, "w")
		a, _ := Arithmetic(x, w)
		g, _ := Geometric(x, w)
		h, _ := Harmonic(x, w)
		if h > g+1e-12 || g > a+1e-12 || h < slices.Min(x)-1e-12 || a > slices.Max(x)+1e-12 {
			t.Fatalf("harmonic %v, geometric %v, arithmetic %v", h, g, a)
		}
	})
}

func TestGroupMeans(t *testing.T) {
	filled, left, err := GroupMeans([]float64{1, 3, math.NaN(), 0, 9}, []bool{false, false, true, true, false}, []string{"a", "a", "a", "b", "c"})
	if err != nil || !slices.Equal(filled, []float64{1, 3, 2, 0, 9}) || !slices.Equal(left, []bool{false, false, false, true, false}) {
		t.Errorf("%v, %v, %v", filled, left, err)
	}
	if _, _, err := GroupMeans([]float64{math.NaN()}, []bool{false}, []string{"a"}); err == nil {
		t.Error("NaN is a known value")
	}
}

func TestAvailability(t *testing.T) {
	const o, x = false, true // known, missing
	// Twenty units: 13 know the third indicator (65 %: kept), 12 the fourth (60 %: not).
	var missing [][]bool
	for i := range 20 {
		missing = append(missing, []bool{o, o, i >= 13, i >= 12})
	}
	missing[0] = []bool{o, x, o, o}  // two of three kept: 67 %; half of the first pillar
	missing[1] = []bool{x, x, o, o}  // nothing of the first pillar
	missing[13] = []bool{o, o, x, x} // two of three, but nothing of the second pillar
	indicators, units, err := Availability(missing, []string{"p", "p", "q", "q"})
	if err != nil || !slices.Equal(indicators, []bool{true, true, true, false}) {
		t.Fatalf("%v, %v", indicators, err)
	}
	for unit, want := range map[int]bool{0: true, 1: false, 2: true, 12: true, 13: false} {
		if units[unit] != want {
			t.Errorf("unit %d: %t", unit, units[unit])
		}
	}
	if _, units, _ := Availability([][]bool{{x}, {o}}, []string{"p"}); units[1] {
		t.Error("an index without indicators")
	}
	if _, _, err := Availability([][]bool{{x, o}}, []string{"p"}); err == nil {
		t.Error("a row too long was accepted")
	}
}

func TestFlatDirichlet_SumsToOne(t *testing.T) {
	for draw := range 100 {
		total := 0.0
		for _, weight := range FlatDirichlet(draw, 5) {
			if weight < 0 {
				t.Fatal("a negative weight")
			}
			total += weight
		}
		near(t, "sum", total, 1)
	}
}

func TestRankIntervals_Edges(t *testing.T) {
	// One unit is best at all, one worst at all; the third indicator says nothing.
	c, err := NewComposite([][]float64{{3, 30, 1}, {2, 20, 1}, {1, 10, 1}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Intervals(60)
	if err != nil || !slices.Equal(got.Low, []float64{1, 2, 3}) || !slices.Equal(got.High, []float64{1, 2, 3}) || got.Shift != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	for _, table := range [][][]float64{nil, {{}}, {{1, 2}, {1}}, {{math.NaN()}, {1}}} {
		if _, err := NewComposite(table); err == nil {
			t.Errorf("%v was accepted", table)
		}
	}
	if _, err := c.Intervals(0); err == nil {
		t.Error("no draws were summarised")
	}
	if _, err := c.Values([]float64{1, 1, 1}, Ways); err == nil {
		t.Error("a seventh way")
	}
}

func TestSobolPoints_AreBalanced(t *testing.T) {
	points := SobolPoints()
	// Of the first 2^n points, each of the 2^n equal parts of every coordinate holds one.
	for i := range SobolDimensions {
		var seen [256]bool
		for draw := range 256 {
			at := int(points(draw, i) * 256)
			if seen[at] {
				t.Fatalf("coordinate %d: two points in part %d", i, at)
			}
			seen[at] = true
		}
	}
	// The second to fifth point in three dimensions, as Joe and Kuo list them.
	for draw, want := range [][]float64{{0, 0, 0}, {0.5, 0.5, 0.5}} {
		for i := range want {
			if points(draw, i) != want[i] {
				t.Errorf("point %d: coordinate %d is %v", draw, i, points(draw, i))
			}
		}
	}
}

func TestSensitivities_Edges(t *testing.T) {
	_, err := Sensitivities(func([]float64) float64 { return 0.1 }, 2, 64, SobolPoints())
	if !errors.Is(err, ErrNoVariance) {
		t.Errorf("a constant: %v", err)
	}
	if _, err := Sensitivities(func(x []float64) float64 { return math.Log(-1 - x[0]) }, 2, 64, SobolPoints()); err == nil {
		t.Error("NaN was accepted")
	}
	// A sum: the shares of the squared weights, alone and in all.
	got, err := Sensitivities(func(x []float64) float64 { return x[0] + 2*x[1] }, 2, 1<<12, SobolPoints())
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{0.2, 0.8} {
		if math.Abs(got.First[i]-want) > 0.01 || math.Abs(got.Total[i]-want) > 0.01 {
			t.Errorf("factor %d: %v, %v; want %v", i, got.First[i], got.Total[i], want)
		}
	}
}

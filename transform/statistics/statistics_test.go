package statistics_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	. "tamiz/transform/statistics"
)

// near compares with the tolerance of METHODS 0.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > 1e-9*math.Max(1, math.Abs(want)) {
		t.Errorf("%s: got %.12g, want %.12g", what, got, want)
	}
}

func TestSource_IsAllOfThePackage(t *testing.T) {
	text := Source()
	for _, want := range []string{"-- adoption.go --", "-- validation.go --", "func FitPMM("} {
		if !strings.Contains(text, want) {
			t.Errorf("the source lacks %q", want)
		}
	}
	if strings.Contains(text, "_test.go --") || text != Source() {
		t.Error("the source holds tests, or changes")
	}
}

func TestWilson_Undefined(t *testing.T) {
	for _, c := range [][2]float64{{0, 0}, {1, 0}, {-1, 3}, {4, 3}, {math.NaN(), 3}, {1, math.Inf(1)}} {
		if _, ok := Wilson(c[0], c[1]); ok {
			t.Errorf("%v of %v has an interval", c[0], c[1])
		}
	}
}

func TestWilson_HoldsTheShare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 1e6).Draw(t, "n")
		k := rapid.IntRange(0, n).Draw(t, "k")
		got, ok := Wilson(float64(k), float64(n))
		if !ok || got.Low < 0 || got.High > 1 || !(Interval{got.Low - 1e-12, got.High + 1e-12}).Contains(float64(k)/float64(n)) {
			t.Fatalf("%d of %d: %+v", k, n, got)
		}
	})
}

func TestStudentQuantile_KnownValues(t *testing.T) {
	// One and two degrees of freedom have closed forms; the others are from printed tables.
	for _, c := range []struct{ p, df, want, tolerance float64 }{
		{0.975, 1, math.Tan(0.475 * math.Pi), 1e-9}, {0.95, 2, 0.9 * math.Sqrt(2/(4*0.95*0.05)), 1e-9},
		{0.95, 4, 2.1318, 1e-4}, {0.975, 10, 2.2281, 1e-4}, {0.975, 120, 1.9799, 1e-4}, {0.025, 10, -2.2281, 1e-4}, {0.5, 3, 0, 0},
		{0.975, 1e7, 1.959964, 1e-5},
	} {
		got, ok := StudentQuantile(c.p, c.df)
		if !ok || math.Abs(got-c.want) > c.tolerance*math.Max(1, math.Abs(c.want)) {
			t.Errorf("t(%v, %v) = %.12g, want %.12g", c.p, c.df, got, c.want)
		}
	}
	for _, c := range [][2]float64{{0, 3}, {1, 3}, {0.5, 0}, {0.9, -1}, {0.9, math.Inf(1)}, {math.NaN(), 3}} {
		if _, ok := StudentQuantile(c[0], c[1]); ok {
			t.Errorf("t(%v, %v) is defined", c[0], c[1])
		}
	}
	z, ok := NormalQuantile(0.975)
	if _, wrong := NormalQuantile(1); !ok || wrong {
		t.Error("the normal quantile is defined where it should not be")
	}
	near(t, "z", z, 1.959963984540054)
}

func TestRanks(t *testing.T) {
	values := []float64{3, 1, 3, 2, 3, 1}
	mid, _ := MidRanks(values)
	if !slices.Equal(mid, []float64{5, 1.5, 5, 3, 5, 1.5}) {
		t.Errorf("mid-ranks %v", mid)
	}
	if ranks, _ := CompetitionRanks(values); !slices.Equal(ranks, []int{1, 5, 1, 4, 1, 5}) {
		t.Errorf("competition ranks %v", ranks)
	}
	if _, ok := MidRanks([]float64{1, math.NaN()}); ok {
		t.Error("NaN has a rank")
	}
}

func TestSpearman_Edges(t *testing.T) {
	for _, c := range []struct {
		what     string
		x, y     []float64
		reason   string
		rho      float64
		interval bool
	}{
		{"constant", []float64{1, 1, 1, 1}, []float64{1, 2, 3, 4}, NoVariance, 0, false},
		{"one pair", []float64{1}, []float64{1}, "UNDEFINED", 0, false},
		{"three pairs", []float64{1, 2, 3}, []float64{1, 3, 2}, "", 0.5, false},
		{"perfect", []float64{1, 2, 3, 4, 5}, []float64{9, 8, 7, 6, 5}, "", -1, false},
		{"perfect, of many", []float64{1, 2, 3, 4, 5, 6, 7}, []float64{1, 4, 9, 16, 25, 36, 49}, "", 1, false},
		{"ordinary", []float64{1, 2, 3, 4}, []float64{1, 2, 4, 3}, "", 0.8, true},
	} {
		got, err := Spearman(c.x, c.y)
		if err != nil || got.Reason != c.reason || got.HasInterval != c.interval {
			t.Errorf("%s: %+v, %v", c.what, got, err)
		}
		near(t, c.what, got.Rho, c.rho)
	}
	if _, err := Spearman([]float64{1, 2}, []float64{1}); err == nil {
		t.Error("vectors of different lengths were accepted")
	}
}

func TestQuantiles(t *testing.T) {
	for _, c := range []struct{ p, want float64 }{{0, 1}, {0.25, 1.75}, {0.5, 2.5}, {0.9, 3.7}, {1, 4}} {
		got, ok := Quantile([]float64{4, 1, 3, 2}, c.p)
		if !ok {
			t.Fatal("undefined")
		}
		near(t, "type 7", got, c.want)
	}
	if _, ok := Quantile(nil, 0.5); ok {
		t.Error("no values have a quantile")
	}
	for _, c := range []struct {
		values, weights []float64
		p, want         float64
		ok              bool
	}{
		{[]float64{1, 2, 3}, []float64{1, 1, 2}, 0.5, 2, true},
		{[]float64{1, 2, 3}, []float64{0, 1, 1}, 0, 2, true}, // nobody stands at 1
		{[]float64{5, 5, 1}, []float64{1, 1, 2}, 0.75, 5, true},
		{[]float64{1, 2}, []float64{0, 0}, 0.5, 0, false},
		{[]float64{1, 2}, []float64{-1, 2}, 0.5, 0, false},
		{nil, nil, 0.5, 0, false},
	} {
		got, ok := WeightedQuantile(c.values, c.weights, c.p)
		if ok != c.ok || got != c.want {
			t.Errorf("%v of %v: %v, %t", c.p, c.values, got, ok)
		}
	}
}

func TestRubin_Edges(t *testing.T) {
	same, ok := Pool([]float64{0.5, 0.5, 0.5}, []float64{0.01, 0.01, 0.01}, 100)
	if !ok || !same.Normal || same.Between != 0 {
		t.Errorf("without variance between: %+v", same)
	}
	near(t, "normal half", same.Interval.High-0.5, 1.959963984540054*0.1)
	for _, c := range []struct{ q, u []float64 }{{[]float64{1}, []float64{1}}, {[]float64{1, 2}, []float64{1}}, {[]float64{1, 2}, []float64{1, -1}}, {nil, nil}} {
		if _, ok := Pool(c.q, c.u, 0); ok {
			t.Errorf("%v was pooled", c.q)
		}
	}
	if p, ok := Pool([]float64{0.4, 0.6}, []float64{0, 0}, 0); !ok || p.Lambda != 1 || p.Normal {
		t.Errorf("without variance within: %+v", p)
	}
	if p, ok := Pool([]float64{0.4, math.Nextafter(0.4, 1)}, []float64{0.1, 0.1}, 0); !ok || math.IsNaN(p.Interval.Low) || math.IsInf(p.RubinDF, 0) {
		t.Errorf("with next to no variance between: %+v", p)
	}
}

func TestShrink_Edges(t *testing.T) {
	if _, ok := Shrink([]Group{{1, 0.5, 0}, {1, 0.6, 0}}); ok {
		t.Error("one unit in each group was accepted")
	}
	if _, ok := Shrink([]Group{{5, 0.5, 0.1}}); ok {
		t.Error("one group was accepted")
	}
	alike, ok := Shrink([]Group{{5, 0.5, 0}, {5, 0.5, 0}})
	if !ok || alike.Weights[0] != 0 || alike.Means[1] != 0.5 {
		t.Errorf("groups that are alike: %+v", alike)
	}
	sure, ok := Shrink([]Group{{5, 0.2, 0}, {1, 0.6, math.NaN()}})
	if !ok || sure.Weights[0] != 1 || sure.Means[1] != 0.6 {
		t.Errorf("groups without variance within: %+v", sure)
	}
}

func TestValidate_Edges(t *testing.T) {
	v, err := Validate([]float64{0.1, 0.2}, []float64{0.1, 0.3}, []*Interval{nil, {0.3, 0.4}}, []float64{0.5})
	if err != nil || v.HasKappa || !v.HasCoverage || v.Coverage != 0 || v.Intervals != 1 || v.Agreement != 1 {
		t.Errorf("%+v, %v", v, err)
	}
	if Level(0.5, []float64{0.5}) != 1 || Level(0.4999, []float64{0.5}) != 0 {
		t.Error("a cut point belongs to the level above it")
	}
	if _, err := Validate(nil, nil, nil, nil); err == nil {
		t.Error("nothing was validated")
	}
}

func TestAdopt_SmallCounts(t *testing.T) {
	for _, c := range []struct {
		what       string
		N, K, n, k int
		risk, lift string // why undefined
		p          float64
	}{
		{"by hand", 10, 4, 3, 2, "", "", 40.0 / 120}, // (C(4,2)·6 + C(4,3)) / C(10,3)
		{"none acted", 10, 4, 0, 0, "none acted", "none acted", 1},
		{"none high acted", 10, 4, 3, 0, "none that acted is high", "", 1},
		{"only high acted", 10, 4, 3, 3, "all that acted are high", "", 4.0 / 120},
		{"none high", 10, 0, 3, 0, "none is high", "none is high", 1},
		{"all high", 10, 10, 3, 3, "all are high", "", 1},
		{"all acted", 10, 4, 10, 4, "", "", 1},
		{"a single one", 1, 1, 1, 1, "all are high", "", 1},
	} {
		got, err := Adopt(c.N, c.K, c.n, c.k)
		if err != nil {
			t.Fatal(err)
		}
		if got.RiskRatio.Undefined != c.risk || got.Lift.Undefined != c.lift {
			t.Errorf("%s: risk ratio %q, lift %q", c.what, got.RiskRatio.Undefined, got.Lift.Undefined)
		}
		near(t, c.what+": p", got.P, c.p)
	}
	byHand, _ := Adopt(10, 4, 3, 2)
	near(t, "risk ratio", byHand.RiskRatio.Value, (2.0/4)/(1.0/6))
	near(t, "odds ratio", byHand.OddsRatio.Value, 2.0*5/(1*2))
	near(t, "lift", byHand.Lift.Value, (2.0/3)/0.4)
	near(t, "expected", byHand.Expected, 1.2)
	for _, c := range [][4]int{{0, 0, 0, 0}, {10, 11, 1, 1}, {10, 4, 3, 4}, {10, 8, 5, 1}, {10, 4, -1, 0}, {10, 4, 11, 4}} {
		if _, err := Adopt(c[0], c[1], c[2], c[3]); err == nil {
			t.Errorf("%v contradict each other, but were accepted", c)
		}
	}
}

func TestAdopt_GivesNumbersOrReasons(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		N := rapid.IntRange(1, 400).Draw(t, "N")
		K := rapid.IntRange(0, N).Draw(t, "K")
		k := rapid.IntRange(0, K).Draw(t, "k")
		n := k + rapid.IntRange(0, N-K).Draw(t, "rest")
		a, err := Adopt(N, K, n, k)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range []Ratio{a.ShareAll, a.ShareActed, a.ShareNotActed, a.Lift, a.RatioToOthers, a.AdoptionHigh, a.AdoptionRest, a.RiskRatio, a.OddsRatio, a.Z} {
			for _, x := range []float64{r.Value, r.Interval.Low, r.Interval.High, a.P, a.Expected, a.Deviation} {
				if math.IsNaN(x) || math.IsInf(x, 0) {
					t.Fatalf("%+v", a)
				}
			}
			if r.HasInterval && (r.Interval.Low > r.Value+1e-9 || r.Interval.High < r.Value-1e-9) {
				t.Fatalf("an interval without its value: %+v", r)
			}
		}
		if a.P < 0 || a.P > 1 {
			t.Fatalf("p = %v", a.P)
		}
	})
}

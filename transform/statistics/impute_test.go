package statistics_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	. "tamiz/transform/statistics"
)

func TestLogit_Clamps(t *testing.T) {
	near(t, "0 of 50", Logit(0, 50), math.Log(0.01/0.99))
	near(t, "1 of unknown", Logit(1, 0), math.Log(0.995/0.005))
	near(t, "one pupil", Logit(1, 1), 0)
	near(t, "within", Logit(0.25, 10), math.Log(1.0/3))
}

func TestLeastSquares_DropsTheLaterColumn(t *testing.T) {
	// y = 2 + 3a − b; c = 2a + b − 7 depends on both, d is constant.
	var x [][]float64
	var y []float64
	for i := range 12 {
		a, b := float64(i), float64(i*i%7)
		x, y = append(x, []float64{0.1, a, b, 2*a + b - 7, 1e6}), append(y, 2+3*a-b)
	}
	line, err := LeastSquares(x, y)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(line.Dropped, []bool{true, false, false, true, true}) {
		t.Fatalf("dropped %v", line.Dropped)
	}
	for j, want := range []float64{0, 3, -1, 0, 0} {
		near(t, fmt.Sprint("coefficient ", j), line.Coefficients[j], want)
	}
	near(t, "intercept", line.Intercept, 2)
	for _, c := range []struct {
		x [][]float64
		y []float64
	}{{nil, nil}, {[][]float64{{1}}, nil}, {[][]float64{{1}, {1, 2}}, []float64{1, 2}}, {[][]float64{{math.NaN()}}, []float64{1}}} {
		if _, err := LeastSquares(c.x, c.y); err == nil {
			t.Errorf("%v was fitted", c.x)
		}
	}
	if line, err := LeastSquares([][]float64{{}, {}}, []float64{1, 3}); err != nil || line.Intercept != 2 {
		t.Errorf("without columns: %+v, %v", line, err)
	}
}

func TestLeastSquares_FarFromZero(t *testing.T) {
	var x [][]float64
	var y []float64
	for i := range 50 {
		a, b := 1e6+float64(i), 1e-6*float64(i*i%11)
		x, y = append(x, []float64{a, b}), append(y, 5+0.25*(a-1e6)+4e5*b)
	}
	line, err := LeastSquares(x, y)
	if err != nil || slices.Contains(line.Dropped, true) {
		t.Fatal(line, err)
	}
	near(t, "a", line.Coefficients[0], 0.25)
	near(t, "b", line.Coefficients[1], 4e5)
}

// TestMatch_IsTheNearest compares the search with looking at everybody, over
// values that tie often, on one side and across.
func TestMatch_IsTheNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "n")
		var donors []Unit
		for i := range n {
			donors = append(donors, Unit{ID: fmt.Sprintf("s%02d", i*7%41), X: []float64{float64(rapid.IntRange(0, 6).Draw(t, "x"))}, Y: 0.5})
		}
		// Where no scores differ, all fitted values are equal; where they do, fitted values tie where x does.
		if rapid.Bool().Draw(t, "slope") {
			for i := range donors {
				donors[i].Y = donors[i].X[0] / 6
			}
		}
		fit, err := FitPMM(donors)
		if err != nil {
			t.Fatal(err)
		}
		k := rapid.IntRange(1, 8).Draw(t, "k")
		query, err := fit.Fitted(Unit{X: []float64{float64(rapid.IntRange(-1, 13).Draw(t, "query")) / 2}})
		if err != nil {
			t.Fatal(err)
		}
		var all []Donor
		for i := range donors {
			fitted, err := fit.Fitted(donors[i])
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, Donor{Unit: &donors[i], Distance: math.Abs(fitted - query)})
		}
		slices.SortFunc(all, func(a, b Donor) int {
			return cmp.Or(cmp.Compare(a.Distance, b.Distance), cmp.Compare(a.Unit.ID, b.Unit.ID))
		})
		got := fit.Match(query, k)
		if !slices.Equal(got, all[:min(k, n)]) {
			t.Fatalf("got %v, want %v", got, all[:min(k, n)])
		}
	})
}

func TestPMM_Edges(t *testing.T) {
	if _, err := FitPMM(nil); err == nil {
		t.Error("no donors were fitted")
	}
	one, err := FitPMM([]Unit{{ID: "a", X: []float64{1}, Y: 0.4, N: 10}})
	if err != nil {
		t.Fatal(err)
	}
	fitted, err := one.Fitted(Unit{X: []float64{99}})
	if err != nil {
		t.Fatal(err)
	}
	value, ok := Impute(one.Match(fitted, 5))
	if !ok || value.Value != 0.4 || value.HasInterval {
		t.Errorf("from one donor: %+v", value)
	}
	if _, ok := Impute(nil); ok {
		t.Error("nobody was imputed from")
	}
	if one.Match(math.NaN(), 5) != nil || one.Match(0, 0) != nil {
		t.Error("nothing was matched")
	}
	for _, wrong := range []Unit{{ID: "b", X: []float64{1, 2}}, {ID: "b", X: []float64{math.NaN()}}, {ID: "b", X: []float64{1}, N: -1}} {
		if _, err := one.Fitted(wrong); err == nil {
			t.Errorf("%+v was accepted", wrong)
		}
	}
	if _, err := FitPMM([]Unit{{ID: "a", X: []float64{1}, Y: 1.2}}); err == nil {
		t.Error("a score above 1 was accepted")
	}
}

func TestPMM_AMissingCovariateTakesTheDonorsMean(t *testing.T) {
	unknown := math.NaN() // never read
	donors := []Unit{{ID: "a", X: []float64{1}, Y: 0.2}, {ID: "b", X: []float64{3}, Y: 0.6}, {ID: "c", X: []float64{unknown}, Missing: []bool{true}, Y: 0.4}}
	fit, err := FitPMM(donors)
	if err != nil {
		t.Fatal(err)
	}
	at := func(u Unit) float64 {
		value, err := fit.Fitted(u)
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	near(t, "missing", at(Unit{X: []float64{unknown}, Missing: []bool{true}}), at(Unit{X: []float64{2}}))
}

func TestDraws(t *testing.T) {
	for _, position := range Draws("20210824", "x", 5, 1000) {
		if position < 0 || position > 4 {
			t.Fatalf("position %d of 5", position)
		}
	}
	if !slices.Equal(Draws("1", "x", 5, 20), Draws("1", "x", 5, 20)) || slices.Equal(Draws("1", "x", 5, 20), Draws("2", "x", 5, 20)) {
		t.Error("draws do not depend on the key alone")
	}
	if Draws("1", "x", 0, 3) != nil {
		t.Error("positions among nobody")
	}
}

func TestKNN_MissingCovariates(t *testing.T) {
	donors := []Unit{
		{ID: "b", X: []float64{0, 0, 5}, Y: 0.1}, {ID: "a", X: []float64{2, 2, 5}, Y: 0.3},
		{ID: "c", X: []float64{1, 0, 5}, Missing: []bool{false, true, false}, Y: 0.5},
		{ID: "d", X: []float64{0, 0, 0}, Missing: []bool{true, true, true}, Y: 0.9},
	}
	fit, err := FitKNN(donors)
	if err != nil {
		t.Fatal(err)
	}
	if fit.Deviations[2] != 1 { // it does not vary
		t.Errorf("deviations %v", fit.Deviations)
	}
	got, err := fit.Match(Unit{ID: "q", X: []float64{1, 1, 5}}, 4)
	if err != nil || len(got) != 3 {
		t.Fatalf("%v, %v", got, err)
	}
	// c shares two of three and is at 0; a and b are equally far: the id decides.
	if got[0].Unit.ID != "c" || got[1].Unit.ID != "a" || got[2].Unit.ID != "b" || got[0].Distance != 0 {
		t.Errorf("%+v", got)
	}
	near(t, "distance", got[1].Distance, math.Sqrt(1+0.5)) // sd 1 of (0, 2, 1), √2 of (0, 2)
	scaled, err := fit.Match(Unit{ID: "q", X: []float64{2, 0, 0}, Missing: []bool{false, true, true}}, 1)
	if err != nil || scaled[0].Unit.ID != "a" {
		t.Fatalf("%v, %v", scaled, err)
	}
	far, err := fit.Match(Unit{ID: "q", X: []float64{0, 0, 0}, Missing: []bool{false, true, true}}, 3)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "scaled", far[2].Distance, 2*math.Sqrt(3))
	if got, err := fit.Match(Unit{X: make([]float64, 3), Missing: []bool{true, true, true}}, 3); err != nil || len(got) != 0 {
		t.Errorf("neighbours of one of whom nothing is known: %v, %v", got, err)
	}
}

func TestImputedInterval(t *testing.T) {
	if _, ok := ImputedInterval([]float64{0.2, 0.4}); ok {
		t.Error("two donors have an interval")
	}
	got, ok := ImputedInterval([]float64{0.4, 0.5, 0.6})
	if !ok {
		t.Fatal("undefined")
	}
	near(t, "half", got.High-0.5, 2.919985580353726*0.1*math.Sqrt(1+1.0/3))
	if wide, _ := ImputedInterval([]float64{0, 0.5, 1}); wide.Low != 0 || wide.High != 1 {
		t.Errorf("not within [0, 1]: %+v", wide)
	}
}

func BenchmarkPMM(b *testing.B) {
	const schools, columns = 140_000, 8
	donors := make([]Unit, schools)
	for i := range donors {
		x := make([]float64, columns)
		for j := range x {
			x[j] = math.Sin(float64(i*(j+3) + j))
		}
		donors[i] = Unit{ID: fmt.Sprintf("S%06d", i), X: x, Y: 0.5 + x[0]/4 - x[3]/5, N: 20}
	}
	for b.Loop() {
		fit, err := FitPMM(donors)
		if err != nil {
			b.Fatal(err)
		}
		for i := 0; i < schools; i += 5 {
			fitted, err := fit.Fitted(donors[i])
			if err != nil {
				b.Fatal(err)
			}
			if _, ok := Impute(fit.Match(fitted, 5)); !ok {
				b.Fatal("not imputed")
			}
		}
	}
}

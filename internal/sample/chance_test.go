package sample_test

import (
	"math"
	"slices"
	"testing"

	"tamiz/internal/sample"
)

func TestBinomial_HasItsMeanAndSpreadAtEverySize(t *testing.T) {
	const draws = 20_000
	for _, c := range []struct {
		n int
		p float64
	}{{1, 0.3}, {3, 0.97}, {30, 0.5}, {200, 0.02}, {700, 0.61}, {1300, 0.508}, {6000, 0.5}} {
		var sum, squares float64
		for i := range draws {
			// The midpoints of equal parts of [0, 1): the inverse distribution function then gives its own moments.
			k := float64(sample.Binomial((float64(i)+0.5)/draws, c.n, c.p))
			sum += k
			squares += k * k
		}
		mean := sum / draws
		variance := squares/draws - mean*mean
		wantMean, wantVariance := float64(c.n)*c.p, float64(c.n)*c.p*(1-c.p)
		if math.Abs(mean-wantMean) > 0.01*math.Sqrt(wantVariance) || math.Abs(variance/wantVariance-1) > 0.02 {
			t.Errorf("Binomial(%d, %v): mean %v, variance %v; want %v, %v",
				c.n, c.p, mean, variance, wantMean, wantVariance)
		}
	}
	for _, c := range []struct{ u, p, want float64 }{{0, 0.2, 0}, {0.999, 0, 0}, {0, 1, 9}, {1 - 1e-16, 0.2, 9}} {
		if k := sample.Binomial(c.u, 9, c.p); float64(k) > c.want {
			t.Errorf("Binomial(9, %v) at %v is %d, want at most %v", c.p, c.u, k, c.want)
		}
	}
}

func TestApportion_GivesAwayExactlyTheTotal(t *testing.T) {
	for _, c := range []struct {
		total   int
		weights []float64
		want    []int
	}{
		{3, []float64{1, 1}, []int{2, 1}}, // a tie goes to the earlier one
		{10, []float64{5.5, 3.4, 1.1}, []int{6, 3, 1}},
		{0, []float64{1, 2}, []int{0, 0}},
		{1, []float64{1, 2}, []int{0, 1}},
	} {
		if got := sample.Apportion(c.total, c.weights); !slices.Equal(got, c.want) {
			t.Errorf("%d by %v: %v, want %v", c.total, c.weights, got, c.want)
		}
	}
}

package statistics

import (
	"fmt"
	"math"
)

// Correlation is a rank correlation of N pairs. Rho lies in [-1, 1] and is known if Reason is ""; Interval (95 %) is
// known if HasInterval.
type Correlation struct {
	Rho         float64
	N           int
	Interval    Interval
	HasInterval bool
	Reason      string // why Rho is undefined: NO_VARIANCE, or UNDEFINED for fewer than two pairs
}

// Spearman is Pearson's correlation of the mid-ranks, with the interval of Bonett and Wright (METHODS 0.2). Fewer than
// four pairs and a perfect correlation have no interval; a constant vector has no correlation.
func Spearman(x, y []float64) (Correlation, error) {
	if len(x) != len(y) || !finite(x...) || !finite(y...) {
		return Correlation{}, fmt.Errorf("spearman: want two vectors of numbers, equally long: they have %d and %d", len(x), len(y))
	}
	result := Correlation{N: len(x)}
	if len(x) < 2 {
		result.Reason = "UNDEFINED"
		return result, nil
	}
	if constant(x) || constant(y) {
		result.Reason = NoVariance
		return result, nil
	}
	a, _ := MidRanks(x)
	b, _ := MidRanks(y)
	centre := float64(len(x)+1) / 2
	cross := 0.0
	for i := range a {
		cross += (a[i] - centre) * (b[i] - centre)
	}
	result.Rho = clamp(cross/math.Sqrt(squares(a, centre)*squares(b, centre)), -1, 1)
	result.Interval, result.HasInterval = SpearmanInterval(result.Rho, result.N)
	return result, nil
}

// SpearmanInterval is the 95 % interval of a rank correlation of n pairs: atanh ρ with the standard error
// √((1+ρ²/2)/(n−3)), transformed back (Bonett and Wright 2000). It is undefined for n < 4 and |ρ| = 1, where rounding
// of the last bits counts as 1.
func SpearmanInterval(rho float64, n int) (Interval, bool) {
	if !finite(rho) || n < 4 || math.Abs(rho) >= 1-1e-15 {
		return Interval{}, false
	}
	z, se := math.Atanh(rho), math.Sqrt((1+rho*rho/2)/float64(n-3))
	return Interval{math.Tanh(z - z95*se), math.Tanh(z + z95*se)}, true
}

package statistics

import (
	"fmt"
	"math"
)

// Validation says how well imputed values meet the true ones that were hidden (METHODS 4).
type Validation struct {
	RMSE, MAE    float64
	Bias         float64 // mean of imputed − true
	Coverage     float64 // share of true values within their intervals; known if HasCoverage
	HasCoverage  bool
	Agreement    float64 // share of values on their true level
	Kappa        float64 // Cohen's, over the levels; known if HasKappa
	HasKappa     bool
	Intervals, N int // how many values have an interval; how many there are
}

// Level gives the level of x: how many of the ascending cut points it reaches (METHODS 2.3: a cut point belongs to the
// level above it).
func Level(x float64, cuts []float64) int {
	level := 0
	for _, cut := range cuts {
		if x >= cut {
			level++
		}
	}
	return level
}

// Validate compares imputed values with the truth, at least one. intervals may be nil, and hold nil where a value has
// none. κ is undefined where chance alone would agree on everything.
func Validate(truth, imputed []float64, intervals []*Interval, cuts []float64) (Validation, error) {
	n := len(truth)
	if n == 0 || len(imputed) != n || intervals != nil && len(intervals) != n || !finite(truth...) || !finite(imputed...) {
		return Validation{}, fmt.Errorf("validation: want as many imputed values as true ones, at least one: there are %d and %d", len(imputed), n)
	}
	v := Validation{N: n}
	squared, absolute, signed, within, agree := 0.0, 0.0, 0.0, 0, 0
	ofTruth, ofImputed := make([]float64, len(cuts)+1), make([]float64, len(cuts)+1)
	for i := range truth {
		e := imputed[i] - truth[i]
		squared, absolute, signed = squared+e*e, absolute+math.Abs(e), signed+e
		if intervals != nil && intervals[i] != nil {
			v.Intervals++
			if intervals[i].Contains(truth[i]) {
				within++
			}
		}
		a, b := Level(truth[i], cuts), Level(imputed[i], cuts)
		ofTruth[a]++
		ofImputed[b]++
		if a == b {
			agree++
		}
	}
	count := float64(n)
	v.RMSE, v.MAE, v.Bias, v.Agreement = math.Sqrt(squared/count), absolute/count, signed/count, float64(agree)/count
	if v.Intervals > 0 {
		v.Coverage, v.HasCoverage = float64(within)/float64(v.Intervals), true
	}
	chance := 0.0 // in pairs: whole numbers, so that a chance of 1 is exactly that
	for level := range ofTruth {
		chance += ofTruth[level] * ofImputed[level]
	}
	if chance < count*count {
		chance /= count * count
		v.Kappa, v.HasKappa = (v.Agreement-chance)/(1-chance), true
	}
	return v, nil
}

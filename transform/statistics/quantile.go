package statistics

import (
	"math"
	"sort"
)

// Quantile is the quantile of type 7 at p in [0, 1]: linear between the order statistics, as in R and numpy
// (METHODS 0). It is undefined for no values.
func Quantile(values []float64, p float64) (float64, bool) {
	if len(values) == 0 || !finite(values...) || !(p >= 0 && p <= 1) {
		return 0, false
	}
	sorted := append([]float64(nil), values...)
	sort.Float64s(sorted)
	at := p * float64(len(sorted)-1)
	below := int(math.Floor(at))
	above := min(below+1, len(sorted)-1)
	return sorted[below] + (at-float64(below))*(sorted[above]-sorted[below]), true
}

// WeightedQuantile is the least value whose cumulative weight is at least p·W, p in [0, 1] (METHODS 0). Values of
// weight 0 are never given. It is undefined for a negative weight or a sum of weights of 0.
func WeightedQuantile(values, weights []float64, p float64) (float64, bool) {
	if len(values) != len(weights) || !finite(values...) || !finite(weights...) || !(p >= 0 && p <= 1) {
		return 0, false
	}
	total := sum(weights)
	for _, weight := range weights {
		if weight < 0 {
			return 0, false
		}
	}
	if total <= 0 {
		return 0, false
	}
	cumulative, last := 0.0, 0.0
	for _, i := range ascending(values) {
		if weights[i] == 0 {
			continue
		}
		cumulative, last = cumulative+weights[i], values[i]
		if cumulative >= p*total {
			return last, true
		}
	}
	return last, true // the sum in another order may fall short of the total by its last bit
}

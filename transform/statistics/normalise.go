package statistics

import (
	"errors"
	"math"
	"slices"
)

// Normalised is an indicator on a common scale. Where it does not vary, all its values are .5 and NoVariance is set
// (METHODS 5.4).
type Normalised struct {
	Values     []float64
	NoVariance bool
}

var errNormalise = errors.New("normalise: want at least one value, all of them numbers, and goalposts that ascend")

func half(n int) Normalised {
	return Normalised{slices.Repeat([]float64{0.5}, n), true}
}

// MinMax maps the least value to 0 and the greatest to 1.
func MinMax(values []float64) (Normalised, error) {
	if len(values) == 0 || !finite(values...) {
		return Normalised{}, errNormalise
	}
	return Goalpost(values, slices.Min(values), slices.Max(values))
}

// Goalpost maps low to 0 and high to 1, and what lies beyond them to 0 and 1. With the first edition's minimum and
// maximum it is the anchored min–max of a time series.
func Goalpost(values []float64, low, high float64) (Normalised, error) {
	if len(values) == 0 || !finite(values...) || !finite(low, high, high-low) || low > high {
		return Normalised{}, errNormalise
	}
	if low == high {
		return half(len(values)), nil
	}
	result := Normalised{Values: make([]float64, len(values))}
	for i, value := range values {
		result.Values[i] = clamp((value-low)/(high-low), 0, 1)
	}
	return result, nil
}

// ZScore gives (x − mean)/sd, with the standard deviation of the sample (ddof 1). A constant becomes .5 like elsewhere.
func ZScore(values []float64) (Normalised, error) {
	if len(values) == 0 || !finite(values...) {
		return Normalised{}, errNormalise
	}
	if constant(values) {
		return half(len(values)), nil
	}
	centre := mean(values)
	deviation := math.Sqrt(squares(values, centre) / float64(len(values)-1))
	result := Normalised{Values: make([]float64, len(values))}
	for i, value := range values {
		result.Values[i] = (value - centre) / deviation
	}
	return result, nil
}

// RankScore gives (mid-rank − .5)/n, in (0, 1).
func RankScore(values []float64) (Normalised, error) {
	ranks, ok := MidRanks(values)
	if !ok || len(values) == 0 {
		return Normalised{}, errNormalise
	}
	if constant(values) {
		return half(len(values)), nil
	}
	for i := range ranks {
		ranks[i] = (ranks[i] - 0.5) / float64(len(values))
	}
	return Normalised{Values: ranks}, nil
}

package statistics

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// z95 is the 97.5 % quantile of the standard normal distribution, as METHODS 0.2 writes it.
const z95 = 1.959963984540054

// Interval is a closed interval, in the unit of the value that it is about.
type Interval struct{ Low, High float64 }

// Contains reports whether the interval holds x, its ends included.
func (i Interval) Contains(x float64) bool { return i.Low <= x && x <= i.High }

// Wilson gives the 95 % interval of the share k/n, within [0, 1] (METHODS 0.2; Wilson 1927). k may be an effective,
// broken number. It is undefined unless 0 ≤ k ≤ n and n > 0.
func Wilson(k, n float64) (Interval, bool) {
	if !finite(k, n) || n <= 0 || k < 0 || k > n {
		return Interval{}, false
	}
	p, z2 := k/n, z95*z95
	centre := (p + z2/(2*n)) / (1 + z2/n)
	half := z95 * math.Sqrt(p*(1-p)/n+z2/(4*n*n)) / (1 + z2/n)
	return Interval{clamp(centre-half, 0, 1), clamp(centre+half, 0, 1)}, true
}

// NormalQuantile gives the standard normal quantile at p in (0, 1).
func NormalQuantile(p float64) (float64, bool) {
	if !(p > 0 && p < 1) {
		return 0, false
	}
	return mathext.NormalQuantile(p), true
}

// StudentQuantile gives the quantile at p in (0, 1) of Student's t with df > 0 degrees of freedom, which may be
// broken. The inverse of the incomplete beta function begins it, two steps of Newton on the distribution end it.
func StudentQuantile(p, df float64) (float64, bool) {
	if !(p > 0 && p < 1) || !(df > 0) || math.IsInf(df, 0) {
		return 0, false
	}
	if p == 0.5 {
		return 0, true
	}
	tail := math.Min(p, 1-p)
	x := mathext.InvRegIncBeta(df/2, 0.5, 2*tail)
	t := math.Sqrt(df * (1 - x) / x)
	for range 2 {
		if step := (studentTail(t, df) - tail) / studentDensity(t, df); finite(step) && math.Abs(step) < t/2 {
			t += step
		}
	}
	if !finite(t) {
		return 0, false
	}
	if p < 0.5 {
		t = -t
	}
	return t, true
}

// studentTail is P(T > t) for t ≥ 0.
func studentTail(t, df float64) float64 { return mathext.RegIncBeta(df/2, 0.5, df/(df+t*t)) / 2 }

func studentDensity(t, df float64) float64 {
	above, _ := math.Lgamma((df + 1) / 2)
	below, _ := math.Lgamma(df / 2)
	return math.Exp(above - below - math.Log(df*math.Pi)/2 - (df+1)/2*math.Log1p(t*t/df))
}

package statistics

import (
	"fmt"
	"math"
)

// Ratio is a quotient with its 95 % interval. It is undefined, with the reason, if Undefined is not "".
type Ratio struct {
	Value       float64
	Interval    Interval
	HasInterval bool
	Undefined   string
}

// Adoption compares the units that acted with all units (METHODS 2.5): N units, K of them high; n acted, k of them
// high. It describes an association in a voluntary sample, never an effect.
type Adoption struct {
	Units, High, Acted, ActedHigh int // N, K, n, k

	ShareAll      Ratio // K/N; a count of all units, hence without interval
	ShareActed    Ratio // k/n, with Wilson's interval
	ShareNotActed Ratio // (K−k)/(N−n), with Wilson's interval
	Lift          Ratio // (k/n)/(K/N); Wilson's bounds of k/n over K/N
	RatioToOthers Ratio // (k/n) over the share of those that did not act; without interval

	AdoptionHigh Ratio // k/K, with Wilson's interval
	AdoptionRest Ratio // (n−k)/(N−K), with Wilson's interval
	RiskRatio    Ratio // AdoptionHigh over AdoptionRest; log-normal interval
	OddsRatio    Ratio // log-normal interval (Woolf)

	Expected, Deviation float64 // of k, had those that acted been drawn blindly: hypergeometric
	Z                   Ratio   // (k − Expected)/Deviation
	P                   float64 // hypergeometric P(X ≥ k)
}

// Adopt computes the adoption figures from the four counts. A ratio of high to other units for which k, n−k or another
// count is 0 is undefined, and says why. Counts that contradict each other are an error.
func Adopt(units, high, acted, actedHigh int) (Adoption, error) {
	if high < 0 || acted < 0 || actedHigh < 0 || units < 1 || high > units || acted > units || actedHigh > min(high, acted) || acted-actedHigh > units-high {
		return Adoption{}, fmt.Errorf("adoption: %d units, %d of them high, and %d that acted, %d of them high, contradict each other", units, high, acted, actedHigh)
	}
	a := Adoption{Units: units, High: high, Acted: acted, ActedHigh: actedHigh}
	N, K, n, k := float64(units), float64(high), float64(acted), float64(actedHigh)
	a.ShareAll = Ratio{Value: K / N}
	a.ShareActed = share(k, n, "none acted")
	a.ShareNotActed = share(K-k, N-n, "all acted")
	a.AdoptionHigh = share(k, K, "none is high")
	a.AdoptionRest = share(n-k, N-K, "all are high")

	switch all := K / N; {
	case acted == 0:
		a.Lift.Undefined = a.ShareActed.Undefined
	case high == 0:
		a.Lift.Undefined = a.AdoptionHigh.Undefined
	default:
		a.Lift = Ratio{Value: a.ShareActed.Value / all, HasInterval: true,
			Interval: Interval{a.ShareActed.Interval.Low / all, a.ShareActed.Interval.High / all}}
	}
	reason := undefinedRatio(a)
	a.RatioToOthers.Undefined, a.RiskRatio.Undefined, a.OddsRatio.Undefined = reason, reason, reason
	if reason == "" {
		a.RiskRatio = logNormal(a.AdoptionHigh.Value/a.AdoptionRest.Value, 1/k-1/K+1/(n-k)-1/(N-K))
		switch {
		case K == k:
			a.RatioToOthers.Undefined = "none that is high did not act"
			a.OddsRatio.Undefined = a.RatioToOthers.Undefined
		default:
			a.RatioToOthers = Ratio{Value: a.ShareActed.Value / a.ShareNotActed.Value}
			if rest := (N - K) - (n - k); rest == 0 {
				a.OddsRatio.Undefined = "all that are not high acted"
			} else {
				a.OddsRatio = logNormal(k*rest/((n-k)*(K-k)), 1/k+1/(n-k)+1/(K-k)+1/rest)
			}
		}
	}
	a.Expected = n * K / N
	if units > 1 {
		a.Deviation = math.Sqrt(a.Expected * (1 - K/N) * (N - n) / (N - 1))
	}
	a.Z = Ratio{Undefined: "blind choice would leave no doubt"}
	if a.Deviation > 0 {
		a.Z = Ratio{Value: (k - a.Expected) / a.Deviation}
	}
	a.P = hypergeometricTail(units, high, acted, actedHigh)
	return a, nil
}

// undefinedRatio says why high and other units cannot be compared, "" if they can.
func undefinedRatio(a Adoption) string {
	switch {
	case a.Acted == 0:
		return "none acted"
	case a.High == 0:
		return "none is high"
	case a.High == a.Units:
		return "all are high"
	case a.ActedHigh == 0:
		return "none that acted is high"
	case a.ActedHigh == a.Acted:
		return "all that acted are high"
	}
	return ""
}

// share gives k/n with Wilson's interval.
func share(k, n float64, undefined string) Ratio {
	interval, ok := Wilson(k, n)
	if !ok {
		return Ratio{Undefined: undefined}
	}
	return Ratio{Value: k / n, Interval: interval, HasInterval: true}
}

// logNormal gives a ratio with the 95 % interval from the variance of its logarithm, which is at least 0.
func logNormal(value, variance float64) Ratio {
	se := math.Sqrt(math.Max(variance, 0))
	return Ratio{Value: value, HasInterval: true, Interval: Interval{value * math.Exp(-z95*se), value * math.Exp(z95*se)}}
}

// hypergeometricTail is P(X ≥ k) for X high ones among n drawn blindly from N units, K of them high: the sum over the
// logarithms of the binomial coefficients, from the far end, where the terms are least.
func hypergeometricTail(N, K, n, k int) float64 {
	if k <= max(0, n-(N-K)) {
		return 1
	}
	total := 0.0
	for x := min(n, K); x >= k; x-- {
		total += math.Exp(logChoose(K, x) + logChoose(N-K, n-x) - logChoose(N, n))
	}
	return math.Min(total, 1)
}

// logChoose is the logarithm of the binomial coefficient, 0 ≤ k ≤ n.
func logChoose(n, k int) float64 {
	all, _ := math.Lgamma(float64(n + 1))
	chosen, _ := math.Lgamma(float64(k + 1))
	left, _ := math.Lgamma(float64(n - k + 1))
	return all - chosen - left
}

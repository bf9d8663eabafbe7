package statistics

import "math"

// Pooled is an estimate over several imputed data sets (METHODS 4; Rubin 1987).
type Pooled struct {
	Estimate float64 // Q̄
	Within   float64 // W
	Between  float64 // B, ddof 1
	Total    float64 // T = W + (1+1/m)·B
	Error    float64 // √T
	Lambda   float64 // the share of T that is due to what is missing, in [0, 1]
	RubinDF  float64 // (m−1)/λ²; 0 if Normal
	DF       float64 // after Barnard and Rubin, if n is known; 0 if Normal
	Normal   bool    // B = 0: the interval takes the normal quantile
	Interval Interval
}

// Pool combines m ≥ 2 estimates and their variances by Rubin's rules; n is the number of units of the complete data, 0
// if it is unknown (Barnard and Rubin 1999). The 95 % interval is not clamped.
func Pool(estimates, variances []float64, n float64) (Pooled, bool) {
	if len(estimates) < 2 || len(estimates) != len(variances) || !finite(estimates...) || !finite(variances...) || !finite(n) || n < 0 {
		return Pooled{}, false
	}
	for _, variance := range variances {
		if variance < 0 {
			return Pooled{}, false
		}
	}
	m := float64(len(estimates))
	p := Pooled{Estimate: mean(estimates), Within: mean(variances)}
	if !constant(estimates) {
		p.Between = squares(estimates, p.Estimate) / (m - 1)
	}
	p.Total = p.Within + (1+1/m)*p.Between
	p.Error = math.Sqrt(p.Total)
	quantile := z95
	if p.Between > 0 {
		p.Lambda = (1 + 1/m) * p.Between / p.Total
		p.RubinDF = (m - 1) / (p.Lambda * p.Lambda)
		p.DF = p.RubinDF
		if observed := (n + 1) / (n + 3) * n * (1 - p.Lambda); observed > 0 {
			p.DF = p.RubinDF / (p.RubinDF + observed) * observed
		}
		var ok bool
		if quantile, ok = StudentQuantile(0.975, p.DF); !ok {
			p.Normal = true // so little varies that the degrees of freedom are beyond all numbers
		}
	}
	if p.Between == 0 || p.Normal {
		p.Normal, p.RubinDF, p.DF, quantile = true, 0, 0, z95
	}
	p.Interval = Interval{p.Estimate - quantile*p.Error, p.Estimate + quantile*p.Error}
	return p, true
}

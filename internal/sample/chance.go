package sample

import (
	"math"

	"tamiz/internal/u01"
)

// chance is the only source of chance here: u01 of "sample|seed|name|id" (METHODS 0.1 and 12).
type chance struct{ head u01.Key }

func newChance(seed string) chance {
	return chance{u01.Head("sample|").Text(seed).Text("|")}
}

// of is the key of a named draw for one thing.
func (c chance) of(name string, id int) u01.Key {
	return c.head.Text(name).Text("|").Int(id)
}

// part is the key of a named draw for a part of one thing; its id is "id.part".
func (c chance) part(name string, id, part int) u01.Key {
	return c.of(name, id).Text(".").Int(part)
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func clamp(x, low, high float64) float64 { return min(max(x, low), high) }

// lognormal gives a whole number of at least 1 about the median.
func lognormal(key u01.Key, median, sd float64) int {
	return max(1, int(math.Round(median*math.Exp(sd*key.Normal()))))
}

// beta91 gives a Beta(9, 1) number; its distribution function is x^9.
func beta91(u float64) float64 { return math.Pow(u, 1.0/9) }

// binomial gives the number of successes in n trials, by the inverse distribution function at u.
func binomial(u float64, n int, p float64) int {
	switch {
	case n <= 0 || p <= 0:
		return 0
	case p >= 1:
		return n
	case p > 0.5:
		return n - binomial(u, n, 1-p)
	}
	mean := float64(n) * p
	// The sum begins where nothing worth a float lies below; at 0, in a large school, (1-p)^n would underflow.
	k := max(0, int(mean-12*math.Sqrt(mean*(1-p))))
	term := math.Exp(logChoose(n, k) + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
	for k < n && u >= term {
		u -= term
		k++
		term *= p / (1 - p) * float64(n-k+1) / float64(k)
	}
	return k
}

// logChoose is the logarithm of the number of ways to choose k of n.
func logChoose(n, k int) float64 {
	if k == 0 {
		return 0
	}
	all, _ := math.Lgamma(float64(n + 1))
	in, _ := math.Lgamma(float64(k + 1))
	out, _ := math.Lgamma(float64(n - k + 1))
	return all - in - out
}

// poisson gives a count with the given mean: by the inverse distribution function for small means, and above 60 by
// the normal quantile with its first skewness term, which is then good to about one.
func poisson(key u01.Key, mean float64) int {
	if mean > 60 {
		z := key.Normal()
		return max(0, int(math.Round(mean+math.Sqrt(mean)*z+(z*z-1)/6)))
	}
	u, term, k := key.Uniform(), math.Exp(-mean), 0
	for u >= term && k < 1000 {
		u -= term
		k++
		term *= mean / float64(k)
	}
	return k
}

// pick gives the position among the weights that u falls on.
func pick(u float64, weights ...float64) int {
	var total float64
	for _, weight := range weights {
		total += weight
	}
	u *= total
	for i, weight := range weights {
		if u < weight {
			return i
		}
		u -= weight
	}
	return len(weights) - 1
}

// apportion splits total whole things by weight, by the largest remainder; ties go to the earlier weight.
func apportion(total int, weights []float64) []int {
	var sum float64
	for _, weight := range weights {
		sum += weight
	}
	parts := make([]int, len(weights))
	rests := make([]float64, len(weights))
	left := total
	for i, weight := range weights {
		exact := float64(total) * weight / sum
		parts[i] = int(exact)
		rests[i] = exact - float64(parts[i])
		left -= parts[i]
	}
	for ; left > 0; left-- {
		best := 0
		for i, rest := range rests {
			if rest > rests[best] {
				best = i
			}
		}
		parts[best]++
		rests[best] = -1
	}
	return parts
}

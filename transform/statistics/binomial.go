package statistics

import (
	"math"
	"sort"
)

// negligible is a chance, relative to that of the likeliest number, that no draw of 53 bits can tell from 0.
const negligible = 1e-20

// Binomial is the distribution of the successes among a number of trials, ready to be drawn from many times.
type Binomial struct {
	first      int       // the least number of successes with a chance worth counting
	cumulative []float64 // the chance of at most first + i successes
}

// NewBinomial sets up the distribution for a chance between 0 and 1.
func NewBinomial(trials int, chance float64) Binomial {
	if trials == 0 || chance <= 0 || chance >= 1 {
		successes := 0
		if chance >= 1 {
			successes = trials
		}
		return Binomial{successes, []float64{1}}
	}
	mode := min(int(float64(trials+1)*chance), trials)
	odds := chance / (1 - chance)
	// From the mode outwards, relative to it; the total then says what each is worth.
	var below []float64
	for k, relative := mode, 1.0; k > 0; k-- {
		if relative *= float64(k) / (float64(trials-k+1) * odds); relative < negligible {
			break
		}
		below = append(below, relative)
	}
	b := Binomial{first: mode - len(below)}
	for i := len(below) - 1; i >= 0; i-- {
		b.cumulative = append(b.cumulative, below[i])
	}
	for k, relative := mode, 1.0; k <= trials && relative >= negligible; k++ {
		b.cumulative = append(b.cumulative, relative)
		relative *= float64(trials-k) * odds / float64(k+1)
	}
	total := 0.0
	for i, relative := range b.cumulative {
		total += relative
		b.cumulative[i] = total
	}
	for i := range b.cumulative {
		b.cumulative[i] /= total
	}
	return b
}

// Quantile is the least number of successes whose cumulative chance is at least u, in [0, 1).
func (b Binomial) Quantile(u float64) int {
	return b.first + min(sort.SearchFloat64s(b.cumulative, u), len(b.cumulative)-1)
}

// Spread gives the 2.5 % and 97.5 % quantiles (type 7) and the standard deviation of draws; NaN where it has none.
func Spread(draws []float64) (low, high, se float64) {
	low, high, se = math.NaN(), math.NaN(), math.NaN()
	sorted := append([]float64(nil), draws...)
	sort.Float64s(sorted)
	if value, ok := Quantile(sorted, 0.025); ok {
		low = value
	}
	if value, ok := Quantile(sorted, 0.975); ok {
		high = value
	}
	if len(draws) > 1 {
		se = math.Sqrt(squares(draws, mean(draws)) / float64(len(draws)-1))
	}
	return low, high, se
}

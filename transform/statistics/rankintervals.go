package statistics

import (
	"fmt"
	"math"

	"tamiz/internal/u01"
)

// FlatDirichlet gives draw t of k weights that sum to 1, any such weights being as likely as any others:
// e_i = −ln(1−u01("w|t|i")), divided by their sum (METHODS 5.5).
func FlatDirichlet(t, k int) []float64 {
	weights := make([]float64, k)
	head := u01.Head("w|").Int(t).Text("|")
	for i := range weights {
		weights[i] = -math.Log1p(-head.Int(i).Uniform())
	}
	total := sum(weights)
	for i := range weights {
		if total > 0 {
			weights[i] /= total
		} else { // all keys gave 0
			weights[i] = 1 / float64(k)
		}
	}
	return weights
}

// Composite is a composite index that can be computed in six ways: three ways to normalise, all of them above 0, times
// two to aggregate.
type Composite struct {
	units, indicators int
	normalised        [3][][]float64 // min–max, rank, z; rows are units
}

// NewComposite normalises a table of known, directed indicators, a row a unit: min–max to .01…1, ranks to (0, 1),
// z-scores shifted so that each indicator's least is .01 (METHODS 5.7).
func NewComposite(table [][]float64) (*Composite, error) {
	if len(table) == 0 || len(table[0]) == 0 {
		return nil, fmt.Errorf("composite: there is no unit or no indicator")
	}
	c := &Composite{units: len(table), indicators: len(table[0])}
	for kind := range c.normalised {
		c.normalised[kind] = make([][]float64, c.units)
		for i := range table {
			c.normalised[kind][i] = make([]float64, c.indicators)
		}
	}
	column := make([]float64, c.units)
	for j := range c.indicators {
		for i, row := range table {
			if len(row) != c.indicators {
				return nil, fmt.Errorf("composite: unit %d has %d indicators, not %d", i, len(row), c.indicators)
			}
			column[i] = row[j]
		}
		for kind, normalise := range []func([]float64) (Normalised, error){MinMax, RankScore, ZScore} {
			scaled, err := normalise(column)
			if err != nil {
				return nil, err
			}
			least := math.Inf(1)
			for _, value := range scaled.Values {
				least = math.Min(least, value)
			}
			for i, value := range scaled.Values {
				switch {
				case kind == 0:
					value = floor + (1-floor)*value
				case kind == 2 && !scaled.NoVariance:
					value += floor - least
				}
				c.normalised[kind][i][j] = value
			}
		}
	}
	return c, nil
}

// Ways is how many ways there are to compute a composite: (min–max, arithmetic), (min–max, geometric),
// (rank, arithmetic), (rank, geometric), (z, arithmetic), (z, geometric), in this order.
const Ways = 6

// Values gives the units' index by one of the [Ways], 0 to 5.
func (c *Composite) Values(weights []float64, way int) ([]float64, error) {
	if way < 0 || way >= Ways {
		return nil, fmt.Errorf("composite: there is no way %d", way)
	}
	aggregate := Arithmetic
	if way%2 == 1 {
		aggregate = Geometric
	}
	values := make([]float64, c.units)
	for i, row := range c.normalised[way/2] {
		var err error
		if values[i], err = aggregate(row, weights); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// Ranks gives the units' competition ranks, 1 for the greatest index.
func (c *Composite) Ranks(weights []float64, way int) ([]int, error) {
	values, err := c.Values(weights, way)
	if err != nil {
		return nil, err
	}
	ranks, ok := CompetitionRanks(values)
	if !ok {
		return nil, fmt.Errorf("composite: an index is not a number")
	}
	return ranks, nil
}

// Nominal gives the ranks with equal weights, min–max and the arithmetic mean.
func (c *Composite) Nominal() ([]int, error) {
	weights := make([]float64, c.indicators)
	for j := range weights {
		weights[j] = 1 / float64(c.indicators)
	}
	return c.Ranks(weights, 0)
}

// Draw gives the ranks of draw t: flat Dirichlet weights, and way t modulo [Ways].
func (c *Composite) Draw(t int) ([]int, error) {
	return c.Ranks(FlatDirichlet(t, c.indicators), t%Ways)
}

// RankIntervals says, by unit, how far its rank depends on choices that could have been others.
type RankIntervals struct {
	Nominal                 []int
	Median, Low, High, Mean []float64 // over the draws; Low and High are the 5 % and 95 % quantiles
	Shift                   float64   // mean of |rank − nominal rank| over units and draws
}

// Intervals makes draws 0 to n−1, n ≥ 1, and summarises them (METHODS 5.7). Units whose intervals overlap must not be
// called different.
func (c *Composite) Intervals(n int) (RankIntervals, error) {
	if n < 1 {
		return RankIntervals{}, fmt.Errorf("composite: want at least one draw, not %d", n)
	}
	nominal, err := c.Nominal()
	if err != nil {
		return RankIntervals{}, err
	}
	drawn := make([][]float64, c.units)
	shift := 0.0
	for t := range n {
		ranks, err := c.Draw(t)
		if err != nil {
			return RankIntervals{}, err
		}
		for i, rank := range ranks {
			drawn[i] = append(drawn[i], float64(rank))
			shift += math.Abs(float64(rank - nominal[i]))
		}
	}
	result := RankIntervals{Nominal: nominal, Shift: shift / float64(n*c.units)}
	for _, ranks := range drawn {
		median, _ := Quantile(ranks, 0.5)
		low, _ := Quantile(ranks, 0.05)
		high, _ := Quantile(ranks, 0.95)
		result.Median, result.Low, result.High = append(result.Median, median), append(result.Low, low), append(result.High, high)
		result.Mean = append(result.Mean, mean(ranks))
	}
	return result, nil
}

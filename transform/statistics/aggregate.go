package statistics

import (
	"fmt"
	"math"
)

// floor is the least value that enters a geometric mean (METHODS 5.6).
const floor = 0.01

// checkAggregate refuses what has no weighted mean, and gives the sum of the weights.
func checkAggregate(values, weights []float64, positive bool) (float64, error) {
	if len(values) == 0 || len(values) != len(weights) || !finite(values...) || !finite(weights...) {
		return 0, fmt.Errorf("aggregate: want as many weights as values, at least one: there are %d and %d", len(weights), len(values))
	}
	for i := range values {
		if weights[i] < 0 {
			return 0, fmt.Errorf("aggregate: weight %d is negative: %g", i, weights[i])
		}
		if positive && values[i] <= 0 {
			return 0, fmt.Errorf("aggregate: value %d is %g: a geometric or harmonic mean takes only values above 0", i, values[i])
		}
	}
	total := sum(weights)
	if total <= 0 {
		return 0, fmt.Errorf("aggregate: the weights sum to 0")
	}
	return total, nil
}

// Arithmetic is Σwx/Σw (METHODS 5.6). A caller gives the values that are known: their weights are renormalised.
func Arithmetic(values, weights []float64) (float64, error) {
	total, err := checkAggregate(values, weights, false)
	if err != nil {
		return 0, err
	}
	weighted := 0.0
	for i := range values {
		weighted += weights[i] * values[i]
	}
	return weighted / total, nil
}

// Geometric is exp(Σw·ln x/Σw), with values in (0, .01) raised to .01; a value of 0 or less is an error (METHODS 5.6).
func Geometric(values, weights []float64) (float64, error) {
	total, err := checkAggregate(values, weights, true)
	if err != nil {
		return 0, err
	}
	weighted := 0.0
	for i := range values {
		weighted += weights[i] * math.Log(math.Max(values[i], floor))
	}
	return math.Exp(weighted / total), nil
}

// Harmonic is Σw/Σ(w/x); a value of 0 or less is an error (METHODS 5.6).
func Harmonic(values, weights []float64) (float64, error) {
	total, err := checkAggregate(values, weights, true)
	if err != nil {
		return 0, err
	}
	weighted := 0.0
	for i := range values {
		weighted += weights[i] / values[i]
	}
	return total / weighted, nil
}

// GroupMeans fills missing values with the mean of the known ones of the same group; what a group without any lacks
// stays missing. It changes neither of its arguments.
func GroupMeans(values []float64, missing []bool, groups []string) (filled []float64, left []bool, err error) {
	if len(values) != len(missing) || len(values) != len(groups) {
		return nil, nil, fmt.Errorf("group means: %d values, %d marks and %d groups", len(values), len(missing), len(groups))
	}
	sums, counts := map[string]float64{}, map[string]float64{}
	for i, value := range values {
		if missing[i] {
			continue
		}
		if !finite(value) {
			return nil, nil, fmt.Errorf("group means: value %d is not a number: say that it is missing", i)
		}
		sums[groups[i]] += value
		counts[groups[i]]++
	}
	filled, left = make([]float64, len(values)), make([]bool, len(values))
	for i, value := range values {
		count := counts[groups[i]]
		switch {
		case !missing[i]:
			filled[i] = value
		case count > 0:
			filled[i] = sums[groups[i]] / count
		default:
			left[i] = true
		}
	}
	return filled, left, nil
}

// What must be known for an index (METHODS 5.1).
const (
	minOfIndicators = 0.65 // of the units, for an indicator; of the indicators, for a unit
	minOfPillar     = 0.50 // of the indicators of each pillar, for a unit
)

// Availability says which indicators are kept, at least 65 % of the units knowing them, and which units then have an
// index: at least 65 % of the kept indicators known, and 50 % in each pillar (METHODS 5.1). missing has a row a unit
// and a column an indicator; pillars names each indicator's pillar. A pillar whose indicators all went asks for nothing.
func Availability(missing [][]bool, pillars []string) (indicators, units []bool, err error) {
	indicators, units = make([]bool, len(pillars)), make([]bool, len(missing))
	known := make([]int, len(pillars))
	for i, row := range missing {
		if len(row) != len(pillars) {
			return nil, nil, fmt.Errorf("availability: unit %d has %d indicators, not %d", i, len(row), len(pillars))
		}
		for j := range row {
			if !row[j] {
				known[j]++
			}
		}
	}
	kept, ofPillar := 0, map[string]int{}
	for j := range indicators {
		if indicators[j] = len(missing) > 0 && float64(known[j])/float64(len(missing)) >= minOfIndicators; indicators[j] {
			kept++
			ofPillar[pillars[j]]++
		}
	}
	for i, row := range missing {
		has, hasOf := 0, map[string]int{}
		for j := range row {
			if indicators[j] && !row[j] {
				has++
				hasOf[pillars[j]]++
			}
		}
		units[i] = kept > 0 && float64(has)/float64(kept) >= minOfIndicators
		for pillar, want := range ofPillar {
			if float64(hasOf[pillar])/float64(want) < minOfPillar {
				units[i] = false
			}
		}
	}
	return indicators, units, nil
}

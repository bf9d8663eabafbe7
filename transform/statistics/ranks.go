package statistics

import "sort"

// ascending gives the positions of values from the least to the greatest, equal ones by position.
func ascending(values []float64) []int {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return values[order[a]] < values[order[b]] })
	return order
}

// MidRanks ranks ascending from 1; equal values share the mean of their ranks (METHODS 0). It is undefined if a value
// is no number.
func MidRanks(values []float64) ([]float64, bool) {
	if !finite(values...) {
		return nil, false
	}
	order, ranks := ascending(values), make([]float64, len(values))
	for i := 0; i < len(order); {
		j := i + 1
		for j < len(order) && values[order[j]] == values[order[i]] {
			j++
		}
		for _, position := range order[i:j] {
			ranks[position] = float64(i+1+j) / 2
		}
		i = j
	}
	return ranks, true
}

// CompetitionRanks ranks descending: the greatest value is 1, and equal values share the best of their ranks, as in
// "1, 2, 2, 4" (METHODS 0). It is undefined if a value is no number.
func CompetitionRanks(values []float64) ([]int, bool) {
	if !finite(values...) {
		return nil, false
	}
	order, ranks := ascending(values), make([]int, len(values))
	n := len(order)
	for i := n - 1; i >= 0; i-- {
		ranks[order[i]] = n - i
		if i < n-1 && values[order[i]] == values[order[i+1]] {
			ranks[order[i]] = ranks[order[i+1]]
		}
	}
	return ranks, true
}

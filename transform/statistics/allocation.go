package statistics

import (
	"errors"
	"fmt"
	"math"
	"sort"
)

// ErrFloorExceedsBudget says that the least amounts are together more than the budget.
var ErrFloorExceedsBudget = errors.New("the floors are together more than the budget")

// Claim is what a unit's formula gives it of a budget, and the bounds of what it may get. An infinite Cap is none.
type Claim struct{ Target, Floor, Cap float64 }

// Allocation shares out a budget: Exact are the amounts before they are rounded, Amounts after it. Multiplier is the λ
// by which all targets are stretched so that the bounds can be kept; it is infinite where everyone is at the cap.
type Allocation struct {
	Exact       []float64
	Amounts     []int64
	Multiplier  float64
	Unallocated int64
}

// Allocate gives every claim its target times λ, held between floor and cap, with the λ that spends the budget
// (METHODS 1.9), and rounds to whole units of currency by the largest remainders, so that they add up to the budget
// exactly. Claims come in the order that breaks ties. What the caps leave over is Unallocated.
func Allocate(claims []Claim, budget int64) (Allocation, error) {
	least, most := 0.0, 0.0
	for i, c := range claims {
		if !finite(c.Target, c.Floor) || math.IsNaN(c.Cap) || c.Target < 0 || c.Floor < 0 || c.Cap < c.Floor {
			return Allocation{}, fmt.Errorf("allocate: claim %d is %+v: want a target and floor of 0 or more, and a cap not below the floor", i+1, c)
		}
		least += c.Floor
		if c.Target > 0 {
			most += c.Cap
		} else {
			most += c.Floor // λ cannot raise it
		}
	}
	if budget < 0 || least > float64(budget)*(1+1e-12) {
		return Allocation{}, ErrFloorExceedsBudget
	}
	a := Allocation{Multiplier: math.Inf(1)}
	spent := int64(math.Floor(most + 1e-9))
	if most > float64(budget) {
		a.Multiplier, spent = multiplier(claims, float64(budget)), budget
	}
	for _, c := range claims {
		a.Exact = append(a.Exact, c.held(a.Multiplier))
	}
	a.Unallocated = budget - spent
	var err error
	a.Amounts, err = largestRemainders(a.Exact, spent)
	return a, err
}

// held is the amount at a multiplier.
func (c Claim) held(multiplier float64) float64 {
	if c.Target == 0 {
		return c.Floor
	}
	return clamp(multiplier*c.Target, c.Floor, c.Cap)
}

// multiplier finds the λ that spends the budget, by bisection; then exactly, as all claims that stand between their
// bounds there share what the others leave.
func multiplier(claims []Claim, budget float64) float64 {
	spends := func(multiplier float64) float64 {
		total := 0.0
		for _, c := range claims {
			total += c.held(multiplier)
		}
		return total
	}
	low, high := 0.0, 1.0
	for spends(high) < budget {
		high *= 2
	}
	for range 200 {
		middle := (low + high) / 2
		if spends(middle) < budget {
			low = middle
		} else {
			high = middle
		}
	}
	free, bound := 0.0, 0.0
	for _, c := range claims {
		if amount := high * c.Target; amount > c.Floor && amount < c.Cap {
			free += c.Target
		} else {
			bound += c.held(high)
		}
	}
	if free > 0 {
		return (budget - bound) / free
	}
	return high
}

// largestRemainders rounds to whole numbers that add up to a total: all down, then up where the fraction, compared at
// nine decimals, is largest.
func largestRemainders(values []float64, total int64) ([]int64, error) {
	whole, fractions, order := make([]int64, len(values)), make([]float64, len(values)), make([]int, len(values))
	left := total
	for i, value := range values {
		down := math.Floor(value)
		fractions[i] = math.Round((value - down) * 1e9)
		if fractions[i] == 1e9 { // a whole number but for its last bits
			down, fractions[i] = down+1, 0
		}
		whole[i], order[i] = int64(down), i
		left -= whole[i]
	}
	if left < 0 || left > int64(len(values)) {
		return nil, fmt.Errorf("allocate: %d of %d cannot be shared out by rounding", left, total)
	}
	sort.SliceStable(order, func(a, b int) bool { return fractions[order[a]] > fractions[order[b]] })
	for _, i := range order[:left] {
		whole[i]++
	}
	return whole, nil
}

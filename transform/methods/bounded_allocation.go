package methods

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"tamiz/transform/statistics"
)

// boundedAllocation shares out budgets among units by a formula's shares,
// within a floor and a cap for each unit, to the whole unit of currency
// (METHODS 1.9). Where the floors are together more than the budget, or there
// is none, nobody gets an amount, and the reason says so.
var boundedAllocation = Method{
	Inputs: []Role{
		{Name: "claims", Key: []string{"allocation", "unit_id"}, Columns: []Column{
			{"allocation", "VARCHAR"}, {"unit_id", "VARCHAR"},
			{"target_share", "DOUBLE"},                           // of the budget, by the formula
			{"floor_amount", "DOUBLE"}, {"cap_amount", "DOUBLE"}, // NULL: none
		}},
		{Name: "budgets", Key: []string{"allocation"}, Columns: []Column{{"allocation", "VARCHAR"}, {"budget", "BIGINT"}}},
	},
	Output: []Column{
		{"allocation", "VARCHAR"}, {"unit_id", "VARCHAR"},
		{"target_amount", "DOUBLE"},  // by the formula alone
		{"exact_amount", "DOUBLE"},   // within the bounds
		{"amount", "BIGINT"},         // rounded
		{"amount_reason", "VARCHAR"}, // FLOOR_EXCEEDS_BUDGET, NOT_AVAILABLE
		{"multiplier", "DOUBLE"},     // of the targets; NULL where all stand at their caps
		{"unallocated_amount", "BIGINT"},
	},
	Run: runBoundedAllocation,
}

// claimants are the units of one allocation.
type claimants struct {
	units  []string
	shares []float64
	bounds [][2]float64
}

func runBoundedAllocation(ctx context.Context, in Reader, out Writer) error {
	all := map[string]*claimants{}
	var allocation, unit string
	var share, floor, limit sql.NullFloat64
	err := in.Rows(ctx, "claims", []any{&allocation, &unit, &share, &floor, &limit}, func() error {
		one := all[allocation]
		if one == nil {
			one = &claimants{}
			all[allocation] = one
		}
		if !limit.Valid {
			limit.Float64 = math.Inf(1)
		}
		one.units = append(one.units, unit)
		one.shares = append(one.shares, share.Float64) // NULL is 0: nothing but the floor
		one.bounds = append(one.bounds, [2]float64{floor.Float64, limit.Float64})
		return nil
	})
	if err != nil {
		return err
	}
	var budget sql.NullInt64
	return in.Rows(ctx, "budgets", []any{&allocation, &budget}, func() error {
		if one := all[allocation]; one != nil {
			if err := one.write(allocation, budget, out); err != nil {
				return fmt.Errorf("allocation %s: %w", allocation, err)
			}
		}
		return nil
	})
}

func (c *claimants) write(allocation string, budget sql.NullInt64, out Writer) error {
	var claims []statistics.Claim
	for i, share := range c.shares {
		claims = append(claims, statistics.Claim{Target: float64(budget.Int64) * share, Floor: c.bounds[i][0], Cap: c.bounds[i][1]})
	}
	result, err := statistics.Allocate(claims, budget.Int64)
	reason := ""
	switch {
	case !budget.Valid:
		reason = "NOT_AVAILABLE"
	case errors.Is(err, statistics.ErrFloorExceedsBudget):
		reason = "FLOOR_EXCEEDS_BUDGET"
	case err != nil:
		return err
	}
	for i, unit := range c.units {
		row := []any{nil, nil, nil, reason, nil, nil}
		if budget.Valid {
			row[0] = claims[i].Target
		}
		if reason == "" {
			row = []any{claims[i].Target, result.Exact[i], result.Amounts[i], nil, nil, result.Unallocated}
			if !math.IsInf(result.Multiplier, 1) {
				row[4] = result.Multiplier
			}
		}
		if err := out.Append(append([]any{allocation, unit}, row...)...); err != nil {
			return err
		}
	}
	return nil
}

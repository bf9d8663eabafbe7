package methods

import (
	"context"
	"database/sql"
	"fmt"
	"math"

	"tamiz/transform/statistics"
)

// opportunityDrivers says of each unit how unequally something is spread over
// groups of people, and which dimension of the groups does it (METHODS 1.2 and
// 1.3): Shapley's decomposition, for any dimensions.
var opportunityDrivers = Method{
	Inputs: []Role{groupsRole, dimensionsRole},
	Output: []Column{
		{"unit_id", "VARCHAR"}, {"period", "BIGINT"}, {"dimension", "VARCHAR"},
		{"coverage", "DOUBLE"}, {"dissimilarity", "DOUBLE"},
		{"shapley", "DOUBLE"}, {"one_way", "DOUBLE"}, {"last_in", "DOUBLE"}, // NULL where nobody has it
		{"groups_count", "BIGINT"}, // counted once, in the row of the first dimension
	},
	Run: runOpportunityDrivers,
}

// groupsRole is a table of groups of people with what share of them has the thing.
var groupsRole = Role{Name: "groups", Key: []string{"unit_id", "period", "dimensions"}, Columns: []Column{
	{"unit_id", "VARCHAR"},
	{"period", "BIGINT"},
	{"dimensions", "VARCHAR[]"}, // its value in each dimension, in the order of the dimensions' names
	{"pool_id", "VARCHAR"},      // whose rate it has: groups that share it have the same
	{"weight", "DOUBLE"},        // above 0
	{"rate", "DOUBLE"},          // between 0 and 1
}}

// dimensionsRole names the dimensions.
var dimensionsRole = Role{Name: "dimensions", Key: []string{"dimension"}, Columns: []Column{
	{"dimension", "VARCHAR"},
	{"drop_order", "BIGINT"}, // the least is given up first where groups are put together; NULL: never
}}

// dimension is one row of dimensionsRole.
type dimension struct {
	name      string
	dropOrder sql.NullInt64
}

func readDimensions(ctx context.Context, in Reader) ([]dimension, error) {
	var dimensions []dimension
	var d dimension
	err := in.Rows(ctx, "dimensions", []any{&d.name, &d.dropOrder}, func() error {
		dimensions = append(dimensions, d)
		return nil
	})
	if len(dimensions) > 10 && err == nil {
		err = fmt.Errorf("%d dimensions: at most 10 can be told apart", len(dimensions))
	}
	return dimensions, err
}

// group is one row of groupsRole.
type group struct {
	unit, pool string
	period     int64
	statistics.Cell
}

// ofOnePeriod tells whether two groups are of one unit in one period.
func ofOnePeriod(a, b group) bool { return a.unit == b.unit && a.period == b.period }

// readGroups visits, all at once, the groups that belong together; their rows
// come one after the other.
func readGroups(ctx context.Context, in Reader, dimensions int, belong func(a, b group) bool, visit func(groups []group) error) error {
	var together []group
	var g group
	var values any
	err := in.Rows(ctx, "groups", []any{&g.unit, &g.period, &values, &g.pool, &g.Weight, &g.Rate}, func() error {
		list, _ := values.([]any)
		if len(list) != dimensions {
			return fmt.Errorf("a group of unit %s has %d values, want one for each of the %d dimensions", g.unit, len(list), dimensions)
		}
		if !(g.Weight > 0) || !(g.Rate >= 0 && g.Rate <= 1) {
			return fmt.Errorf("a group of unit %s has weight %g and rate %g: want one above 0, and one between 0 and 1", g.unit, g.Weight, g.Rate)
		}
		if len(together) > 0 && !belong(together[0], g) {
			if err := visit(together); err != nil {
				return err
			}
			together = together[:0]
		}
		g.Values = nil
		for _, value := range list {
			g.Values = append(g.Values, fmt.Sprint(value))
		}
		together = append(together, g)
		return nil
	})
	if err != nil || len(together) == 0 {
		return err
	}
	return visit(together)
}

// bare gives the groups without the unit that they are of.
func bare(groups []group) []statistics.Cell {
	var list []statistics.Cell
	for _, g := range groups {
		list = append(list, g.Cell)
	}
	return list
}

func runOpportunityDrivers(ctx context.Context, in Reader, out Writer) error {
	dimensions, err := readDimensions(ctx, in)
	if err != nil {
		return err
	}
	return readGroups(ctx, in, len(dimensions), ofOnePeriod, func(groups []group) error {
		whole, drivers := statistics.Drivers(bare(groups), len(dimensions))
		for k, d := range dimensions {
			row := []any{groups[0].unit, groups[0].period, d.name, whole.Coverage, nil, nil, nil, nil}
			counted := 0
			if k == 0 {
				counted = len(groups)
			}
			if drivers != nil {
				row = append(row[:4], whole.Dissimilarity, drivers[k].Shapley, drivers[k].OneWay, drivers[k].LastIn)
			}
			if err := out.Append(append(row, int64(counted))...); err != nil {
				return err
			}
		}
		return nil
	})
}

// numberOrNil gives NULL for NaN.
func numberOrNil(value float64) any {
	if math.IsNaN(value) {
		return nil
	}
	return value
}

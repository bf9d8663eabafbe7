package methods

import (
	"context"
	"fmt"
	"math"

	"tamiz/internal/u01"
	"tamiz/transform/statistics"
)

// opportunityIntervals draws again who went on, from grade to grade, and so how
// many of each group reach the end: the parametric bootstrap of METHODS 1.2.
// Groups that share a pool have its rate in each draw. A transition above 1
// stays as it is: more went on than there were, which no draw can give. Where a
// group's pool has no transitions, the unit has no interval.
var opportunityIntervals = Method{
	Inputs: []Role{
		groupsRole,
		{Name: "transitions", Key: []string{"unit_id", "period", "pool_id", "grade"}, Columns: []Column{
			{"unit_id", "VARCHAR"}, {"period", "BIGINT"}, {"pool_id", "VARCHAR"}, {"grade", "BIGINT"},
			{"at_risk", "DOUBLE"}, // rounded to whole trials
			{"transition", "DOUBLE"},
		}},
		dimensionsRole,
		{Name: "parameters", Key: []string{"bootstrap_draws"}, Columns: []Column{{"bootstrap_draws", "BIGINT"}}},
	},
	Output: []Column{
		{"unit_id", "VARCHAR"}, {"period", "BIGINT"},
		{"coverage_low", "DOUBLE"}, {"coverage_high", "DOUBLE"}, {"coverage_se", "DOUBLE"},
		{"dissimilarity_low", "DOUBLE"}, {"dissimilarity_high", "DOUBLE"}, {"dissimilarity_se", "DOUBLE"},
		{"index_low", "DOUBLE"}, {"index_high", "DOUBLE"}, {"index_se", "DOUBLE"},
		{"groups_count", "BIGINT"},
	},
	Run: runOpportunityIntervals,
}

func runOpportunityIntervals(ctx context.Context, in Reader, out Writer) error {
	var draws int64
	if err := in.Rows(ctx, "parameters", []any{&draws}, func() error { return nil }); err != nil {
		return err
	}
	if draws < 2 {
		return fmt.Errorf("want at least two draws, not %d", draws)
	}
	dimensions, err := readDimensions(ctx, in)
	if err != nil {
		return err
	}
	survivals := map[poolID][]float64{}
	err = readGroups(ctx, in, len(dimensions), ofOnePeriod, func(groups []group) error {
		for _, g := range groups {
			survivals[g.poolID()] = nil
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := drawSurvivals(ctx, in, int(draws), survivals); err != nil {
		return err
	}
	return readGroups(ctx, in, len(dimensions), ofOnePeriod, func(groups []group) error {
		weights, drawn := make([]float64, len(groups)), make([]float64, len(groups))
		ofGroups := make([][]float64, len(groups))
		for i, g := range groups {
			weights[i], ofGroups[i] = g.Weight, survivals[g.poolID()]
			if ofGroups[i] == nil {
				return out.Append(g.unit, g.period, nil, nil, nil, nil, nil, nil, nil, nil, nil, int64(len(groups)))
			}
		}
		var coverage, dissimilarity, index []float64
		for b := range int(draws) {
			for i := range groups {
				drawn[i] = ofGroups[i][b]
			}
			o := statistics.OpportunityOf(weights, drawn)
			coverage, index = append(coverage, o.Coverage), append(index, o.Index())
			if !math.IsNaN(o.Dissimilarity) {
				dissimilarity = append(dissimilarity, o.Dissimilarity)
			}
		}
		row := []any{groups[0].unit, groups[0].period}
		for _, list := range [][]float64{coverage, dissimilarity, index} {
			low, high, se := statistics.Spread(list)
			row = append(row, numberOrNil(low), numberOrNil(high), numberOrNil(se))
		}
		return out.Append(append(row, int64(len(groups)))...)
	})
}

// poolID is a pool of a unit in a period.
type poolID struct {
	unit   string
	period int64
	pool   string
}

func (g group) poolID() poolID { return poolID{g.unit, g.period, g.pool} }

// drawSurvivals draws the survival of each pool that stands in survivals, at
// most 1: the product of its transitions.
func drawSurvivals(ctx context.Context, in Reader, draws int, survivals map[poolID][]float64) error {
	var id poolID
	var grade int64
	var atRisk, transition float64
	err := in.Rows(ctx, "transitions", []any{&id.unit, &id.period, &id.pool, &grade, &atRisk, &transition}, func() error {
		survival, isUsed := survivals[id]
		if !isUsed {
			return nil
		}
		if survival == nil {
			survival = make([]float64, draws)
			for b := range survival {
				survival[b] = 1
			}
			survivals[id] = survival
		}
		trials := int(math.Round(atRisk))
		if trials < 1 || transition >= 1 || transition <= 0 {
			for b := range survival {
				survival[b] *= transition
			}
			return nil
		}
		distribution := statistics.NewBinomial(trials, transition)
		key := u01.Head("boot|" + id.unit + "|").Int(int(id.period)).Text("|" + id.pool + "|").Int(int(grade)).Text("|")
		for b := range survival {
			survival[b] *= float64(distribution.Quantile(key.Int(b).Uniform())) / float64(trials)
		}
		return nil
	})
	for _, survival := range survivals {
		for b := range survival {
			survival[b] = min(survival[b], 1)
		}
	}
	return err
}

package methods

import (
	"context"
	"slices"

	"tamiz/transform/statistics"
)

// opportunityProgress says what changed an index between a period and the one
// before it (METHODS 1.4): the weights of the groups, their rates, or how far
// these lie apart. Both periods are taken on the groups that both have. A unit
// without the period before, or that shares no pool with it, has no progress.
var opportunityProgress = Method{
	Inputs: []Role{groupsRole, dimensionsRole},
	Output: []Column{
		{"unit_id", "VARCHAR"}, {"period", "BIGINT"}, // the later one
		{"index_before", "DOUBLE"}, {"index_after", "DOUBLE"}, {"coverage_before", "DOUBLE"}, {"coverage_after", "DOUBLE"},
		{"dissimilarity_before", "DOUBLE"}, {"dissimilarity_after", "DOUBLE"}, // NULL where coverage is 0
		{"composition", "DOUBLE"}, {"scale", "DOUBLE"}, {"equalisation", "DOUBLE"},
		{"is_merged", "BOOLEAN"},
		{"groups_count", "BIGINT"}, // of the later period, before they are merged
	},
	Run: runOpportunityProgress,
}

func runOpportunityProgress(ctx context.Context, in Reader, out Writer) error {
	dimensions, err := readDimensions(ctx, in)
	if err != nil {
		return err
	}
	var dropOrder []int
	for k, d := range dimensions {
		if d.dropOrder.Valid {
			dropOrder = append(dropOrder, k)
		}
	}
	slices.SortStableFunc(dropOrder, func(a, b int) int {
		return int(dimensions[a].dropOrder.Int64 - dimensions[b].dropOrder.Int64)
	})
	ofOneUnit := func(a, b group) bool { return a.unit == b.unit }
	return readGroups(ctx, in, len(dimensions), ofOneUnit, func(groups []group) error {
		byPeriod := map[int64][]group{}
		for _, g := range groups {
			byPeriod[g.period] = append(byPeriod[g.period], g)
		}
		for i, g := range groups {
			if i > 0 && groups[i-1].period == g.period {
				continue
			}
			p, isComparable := statistics.ProgressOf(bare(byPeriod[g.period-1]), bare(byPeriod[g.period]), dropOrder)
			counted := int64(len(byPeriod[g.period]))
			if !isComparable {
				if err := out.Append(g.unit, g.period, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, counted); err != nil {
					return err
				}
				continue
			}
			err := out.Append(g.unit, g.period, p.Before.Index(), p.After.Index(), p.Before.Coverage, p.After.Coverage,
				numberOrNil(p.Before.Dissimilarity), numberOrNil(p.After.Dissimilarity),
				p.Composition, p.Scale, p.Equalisation, p.IsMerged, counted)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

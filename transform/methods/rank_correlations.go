package methods

import (
	"context"
	"database/sql"
	"fmt"
	"sort"

	"tamiz/transform/statistics"
)

// rankCorrelations says how alike two orders of the same units are: Spearman's
// correlation with its interval (METHODS 0.2), and how many of those that are
// lowest in one are among the lowest in the other (1.6). Units of which a value
// is unknown do not count; without any other there is no row.
var rankCorrelations = Method{
	Inputs: []Role{
		{Name: "pairs", Key: []string{"comparison", "unit_id"}, Columns: []Column{
			{"comparison", "VARCHAR"}, {"unit_id", "VARCHAR"}, {"one_value", "DOUBLE"}, {"other_value", "DOUBLE"},
		}},
		{Name: "parameters", Key: []string{"lowest_share"}, Columns: []Column{{"lowest_share", "DOUBLE"}}},
	},
	Output: []Column{
		{"comparison", "VARCHAR"}, {"pairs_count", "BIGINT"},
		{"rho", "DOUBLE"}, {"rho_low", "DOUBLE"}, {"rho_high", "DOUBLE"}, // 95 %
		{"rho_reason", "VARCHAR"}, // NO_VARIANCE, UNDEFINED
		{"lowest_kept", "DOUBLE"}, // share of the lowest in one that are among the lowest in the other
	},
	Run: runRankCorrelations,
}

// pairs are two values for each unit of a comparison.
type pairs struct {
	comparison string
	one, other []float64
}

func runRankCorrelations(ctx context.Context, in Reader, out Writer) error {
	var lowestShare float64
	if err := in.Rows(ctx, "parameters", []any{&lowestShare}, func() error { return nil }); err != nil {
		return err
	}
	var all []*pairs
	var comparison, unit string
	var one, other sql.NullFloat64
	err := in.Rows(ctx, "pairs", []any{&comparison, &unit, &one, &other}, func() error {
		if !one.Valid || !other.Valid {
			return nil
		}
		if len(all) == 0 || all[len(all)-1].comparison != comparison {
			all = append(all, &pairs{comparison: comparison})
		}
		last := all[len(all)-1]
		last.one, last.other = append(last.one, one.Float64), append(last.other, other.Float64)
		return nil
	})
	if err != nil {
		return err
	}
	for _, p := range all {
		if err := p.write(lowestShare, out); err != nil {
			return fmt.Errorf("comparison %s: %w", p.comparison, err)
		}
	}
	return nil
}

func (p *pairs) write(lowestShare float64, out Writer) error {
	found, err := statistics.Spearman(p.one, p.other)
	if err != nil {
		return err
	}
	row := []any{nil, nil, nil, found.Reason, nil}
	if found.Reason == "" {
		row[0], row[3] = found.Rho, nil
	}
	if found.HasInterval {
		row[1], row[2] = found.Interval.Low, found.Interval.High
	}
	if count := int(lowestShare * float64(len(p.one))); count > 0 {
		kept, after := 0, lowest(p.other, count)
		for i := range lowest(p.one, count) {
			if after[i] {
				kept++
			}
		}
		row[4] = float64(kept) / float64(count)
	}
	return out.Append(append([]any{p.comparison, int64(found.N)}, row...)...)
}

// lowest gives the positions of the count lowest values; ties go to the first.
func lowest(values []float64, count int) map[int]bool {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return values[order[a]] < values[order[b]] })
	set := map[int]bool{}
	for _, i := range order[:count] {
		set[i] = true
	}
	return set
}

package methods

import (
	"context"
	"fmt"
	"math"

	"tamiz/transform/statistics"
)

// rankIntervals asks how far the rank of a unit depends on choices that could
// have been others (METHODS 5.7): in each draw the weights of the parts are
// flat Dirichlet weights, and draws take turns in three ways to normalise times
// two to aggregate; imputed units take their draws in turn. Rank 1 has the greatest
// index.
//
// A part that no unit knows is left out. A unit that lacks one of the others
// has no rank, and does not count in the ranks of the rest.
var rankIntervals = Method{
	Inputs: []Role{unitsRole, partsRole, {
		Name: "parameters", Key: []string{"draws"}, Columns: []Column{{"draws", "BIGINT"}},
	}},
	Output: []Column{
		{"index_name", "VARCHAR"}, {"unit_id", "VARCHAR"},
		{"parts_used", "BIGINT"}, {"units_ranked", "BIGINT"},
		{"nominal_rank", "BIGINT"}, // the index's weights, min–max, arithmetic mean
		{"median_rank", "DOUBLE"},
		{"low_rank", "DOUBLE"}, {"high_rank", "DOUBLE"}, // 5 % and 95 % quantiles of the draws
		{"rank_shift", "DOUBLE"},        // mean of |rank − nominal rank|
		{"overlapping_units", "BIGINT"}, // others whose interval shares a point with its own
	},
	Run: runRankIntervals,
}

// unitsRole is a table of units with their parts, such as areas with means.
var unitsRole = Role{Name: "units", Key: []string{"unit_id"}, Columns: []Column{
	{"unit_id", "VARCHAR"},
	{"parts", "DOUBLE[]"},       // all indices' parts, in the order of position
	{"first_draws", "DOUBLE[]"}, // draws of the part at position 1; NULL if nothing in it is imputed
}}

// partsRole says which part belongs to which index.
var partsRole = Role{Name: "parts", Key: []string{"position"}, Columns: []Column{
	{"position", "BIGINT"}, // 1 for the first of the list
	{"part", "VARCHAR"}, {"index_name", "VARCHAR"}, {"weight", "DOUBLE"},
}}

// ranking is one index over the units that know all its parts.
type ranking struct {
	name       string
	parts      []part   // those that any unit knows
	unused     []part   // the others
	units      []string // those that know all of them
	table      [][]float64
	draws      [][]float64             // by unit: draws of the first part; nil if the index has none
	others     []string                // units without a rank
	composites []*statistics.Composite // one for each imputation draw, or one
}

// part is one row of partsRole, its position counted from 0.
type part struct {
	position    int
	name, index string
	weight      float64
}

// readParts gives the parts in the order of their positions, which are 1, 2, 3….
func readParts(ctx context.Context, in Reader) ([]part, error) {
	var parts []part
	var position int64
	var p part
	err := in.Rows(ctx, "parts", []any{&position, &p.name, &p.index, &p.weight}, func() error {
		if p.position = int(position) - 1; p.position != len(parts) {
			return fmt.Errorf("part %s has position %d, want %d", p.name, position, len(parts)+1)
		}
		parts = append(parts, p)
		return nil
	})
	return parts, err
}

// area is one row of unitsRole; an unknown part is NaN.
type area struct {
	id            string
	values, draws []float64
}

func readAreas(ctx context.Context, in Reader, role string, parts int) ([]area, error) {
	var areas []area
	var id string
	var values, draws any
	err := in.Rows(ctx, role, []any{&id, &values, &draws}, func() error {
		a := area{id, numbers(values), numbers(draws)}
		if len(a.values) != parts {
			return fmt.Errorf("unit %s has %d parts, want %d", id, len(a.values), parts)
		}
		areas = append(areas, a)
		return nil
	})
	return areas, err
}

// readRankings reads units and parts, and sets up each index in the order in
// which its parts come.
func readRankings(ctx context.Context, in Reader) ([]*ranking, error) {
	parts, err := readParts(ctx, in)
	if err != nil {
		return nil, err
	}
	areas, err := readAreas(ctx, in, "units", len(parts))
	if err != nil {
		return nil, err
	}
	var rankings []*ranking
	byName := map[string]*ranking{}
	for _, p := range parts {
		if byName[p.index] == nil {
			byName[p.index] = &ranking{name: p.index}
			rankings = append(rankings, byName[p.index])
		}
		r, isUsed := byName[p.index], false
		for _, a := range areas {
			isUsed = isUsed || !math.IsNaN(a.values[p.position])
		}
		if isUsed {
			r.parts = append(r.parts, p)
		} else {
			r.unused = append(r.unused, p)
		}
	}
	for _, r := range rankings {
		if err := r.fill(areas); err != nil {
			return nil, fmt.Errorf("index %s: %w", r.name, err)
		}
	}
	return rankings, nil
}

// fill sorts out the units that know all parts, and normalises these.
func (r *ranking) fill(areas []area) error {
	worlds := 0
	for _, a := range areas {
		row := make([]float64, len(r.parts))
		isKnown := len(row) > 0
		for i, p := range r.parts {
			row[i] = a.values[p.position]
			isKnown = isKnown && !math.IsNaN(row[i])
		}
		if !isKnown {
			r.others = append(r.others, a.id)
			continue
		}
		r.units, r.table, r.draws = append(r.units, a.id), append(r.table, row), append(r.draws, a.draws)
		if r.parts[0].position == 0 {
			worlds = max(worlds, len(a.draws))
		}
	}
	if len(r.units) == 0 {
		return nil
	}
	for m := range max(worlds, 1) {
		table := make([][]float64, len(r.table))
		for i, row := range r.table {
			table[i] = row
			if draws := r.draws[i]; worlds > 0 && len(draws) > 0 {
				table[i] = append([]float64{draws[m%len(draws)]}, row[1:]...)
			}
		}
		composite, err := statistics.NewComposite(table)
		if err != nil {
			return err
		}
		r.composites = append(r.composites, composite)
	}
	return nil
}

// nominal gives the ranks by the index's own weights, min–max and arithmetic.
func (r *ranking) nominal() ([]int, error) {
	composite, err := statistics.NewComposite(r.table)
	if err != nil {
		return nil, err
	}
	weights := make([]float64, len(r.parts))
	for i, p := range r.parts {
		weights[i] = p.weight
	}
	return composite.Ranks(weights, 0)
}

func runRankIntervals(ctx context.Context, in Reader, out Writer) error {
	var draws int64
	if err := in.Rows(ctx, "parameters", []any{&draws}, func() error { return nil }); err != nil {
		return err
	}
	if draws < 1 {
		return fmt.Errorf("want at least one draw, not %d", draws)
	}
	rankings, err := readRankings(ctx, in)
	if err != nil {
		return err
	}
	for _, r := range rankings {
		for _, unit := range r.others {
			if err := out.Append(r.name, unit, int64(len(r.parts)), int64(len(r.units)), nil, nil, nil, nil, nil, nil); err != nil {
				return err
			}
		}
		if len(r.units) == 0 {
			continue
		}
		if err := r.writeIntervals(int(draws), out); err != nil {
			return fmt.Errorf("index %s: %w", r.name, err)
		}
	}
	return nil
}

func (r *ranking) writeIntervals(draws int, out Writer) error {
	nominal, err := r.nominal()
	if err != nil {
		return err
	}
	drawn := make([][]float64, len(r.units))
	shift := make([]float64, len(r.units))
	for t := range draws {
		ranks, err := r.composites[t/statistics.Ways%len(r.composites)].Draw(t) // each imputation in all ways
		if err != nil {
			return err
		}
		for i, rank := range ranks {
			drawn[i] = append(drawn[i], float64(rank))
			shift[i] += math.Abs(float64(rank - nominal[i]))
		}
	}
	low, high := make([]float64, len(r.units)), make([]float64, len(r.units))
	for i := range drawn {
		low[i], _ = statistics.Quantile(drawn[i], 0.05)
		high[i], _ = statistics.Quantile(drawn[i], 0.95)
	}
	for i, unit := range r.units {
		overlapping := int64(0)
		for j := range r.units {
			if j != i && low[j] <= high[i] && low[i] <= high[j] {
				overlapping++
			}
		}
		median, _ := statistics.Quantile(drawn[i], 0.5)
		err := out.Append(r.name, unit, int64(len(r.parts)), int64(len(r.units)), int64(nominal[i]), median, low[i], high[i],
			shift[i]/float64(draws), overlapping)
		if err != nil {
			return err
		}
	}
	return nil
}

package methods

import (
	"context"
	"errors"
	"fmt"
	"math"

	"tamiz/transform/statistics"
)

// rankSensitivity asks which of the choices behind an index moves the ranks of
// the units most (METHODS 5.8): of the mean |rank shift| against the nominal
// ranks, the share of the variance that is due to each choice alone (first
// order, Saltelli et al. 2010) and to it with all others (total, Jansen 1999).
// The choices: the weight of each part, how it is normalised, how it is
// aggregated, and which imputation is taken, where there are draws of one.
//
// A part that no unit knows has no share. Where the ranks never move, or fewer
// than two units are ranked, nothing is to be shared out: all shares are NULL.
var rankSensitivity = Method{
	Inputs: []Role{unitsRole, partsRole, {
		Name: "parameters", Key: []string{"points"}, Columns: []Column{{"points", "BIGINT"}},
	}},
	Output: []Column{
		{"index_name", "VARCHAR"},
		{"factor", "VARCHAR"},    // weight_of_<part>, normalisation, aggregation, imputation
		{"part_count", "BIGINT"}, // 1 for the weight of a part, 0 for any other choice
		{"first_order", "DOUBLE"}, {"total_order", "DOUBLE"},
		{"variance", "DOUBLE"},          // of the mean |rank shift|
		{"interaction_share", "DOUBLE"}, // 1 minus all first orders
		{"units_ranked", "BIGINT"}, {"points", "BIGINT"},
	},
	Run: runRankSensitivity,
}

func runRankSensitivity(ctx context.Context, in Reader, out Writer) error {
	var points int64
	if err := in.Rows(ctx, "parameters", []any{&points}, func() error { return nil }); err != nil {
		return err
	}
	rankings, err := readRankings(ctx, in)
	if err != nil {
		return err
	}
	for _, r := range rankings {
		if err := r.writeSensitivity(int(points), out); err != nil {
			return fmt.Errorf("index %s: %w", r.name, err)
		}
	}
	return nil
}

func (r *ranking) writeSensitivity(points int, out Writer) error {
	write := func(factor string, partCount int64, shares ...any) error {
		row := append([]any{r.name, factor, partCount}, shares...)
		return out.Append(append(row, int64(len(r.units)), int64(points))...)
	}
	for _, unknown := range r.unused {
		if err := write("weight_of_"+unknown.name, 1, nil, nil, nil, nil); err != nil {
			return err
		}
	}
	if len(r.parts) == 0 {
		return nil
	}
	found, factors, err := r.sensitivities(points)
	hasShares := len(r.units) > 1 && !errors.Is(err, statistics.ErrNoVariance)
	if err != nil && hasShares {
		return err
	}
	interaction := 1.0
	for _, first := range found.First {
		interaction -= first
	}
	for i, factor := range factors {
		partCount := int64(0)
		if i < len(r.parts) {
			partCount = 1
		}
		shares := []any{nil, nil, nil, nil}
		if hasShares {
			shares = []any{found.First[i], found.Total[i], found.Variance, interaction}
		}
		if err := write(factor, partCount, shares...); err != nil {
			return err
		}
	}
	return nil
}

// sensitivities gives the shares of the factors of an index, and their names.
func (r *ranking) sensitivities(points int) (statistics.Sensitivity, []string, error) {
	var factors []string
	for _, p := range r.parts {
		factors = append(factors, "weight_of_"+p.name)
	}
	factors = append(factors, "normalisation", "aggregation")
	if len(r.composites) > 1 {
		factors = append(factors, "imputation")
	}
	if len(r.units) < 2 {
		return statistics.Sensitivity{}, factors, nil
	}
	nominal, err := r.nominal()
	if err != nil {
		return statistics.Sensitivity{}, factors, err
	}
	var failed error
	found, err := statistics.Sensitivities(func(x []float64) float64 {
		shift, err := r.shift(x, nominal)
		failed = errors.Join(failed, err)
		return shift
	}, len(factors), points, statistics.HashPoints("sensitivity|"+r.name))
	return found, factors, errors.Join(failed, err)
}

// shift is the mean |rank shift| at a point of the unit cube: a coordinate for
// each weight, then normalisation, aggregation and, if drawn, imputation.
func (r *ranking) shift(x []float64, nominal []int) (float64, error) {
	weights, total := make([]float64, len(r.parts)), 0.0
	for i := range weights {
		weights[i] = -math.Log1p(-x[i]) // flat Dirichlet once divided by the sum
		total += weights[i]
	}
	if total == 0 { // the corner of the cube
		weights[0] = 1
	}
	rest := x[len(weights):]
	way, world := 2*int(3*rest[0])+int(2*rest[1]), 0
	if len(rest) > 2 {
		world = int(float64(len(r.composites)) * rest[2])
	}
	ranks, err := r.composites[world].Ranks(weights, way)
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for i, rank := range ranks {
		sum += math.Abs(float64(rank - nominal[i]))
	}
	return sum / float64(len(ranks)), nil
}

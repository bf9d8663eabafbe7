package methods

import (
	"context"
	"fmt"
	"math"

	"tamiz/transform/statistics"
)

// partStatistics describes the parts of indices (METHODS 5.1, 5.3, 5.9): how
// many units know a part, how it is spread and which treatment of outliers its
// spread would call for, how closely the index follows it (its weight is not
// its importance), and how far the ranks of the areas move without it.
var partStatistics = Method{
	Inputs: []Role{
		{Name: "units", Key: []string{"unit_id"}, Columns: []Column{
			{"unit_id", "VARCHAR"},
			{"parts", "DOUBLE[]"},   // in the order of position; NULL: the unit does not count
			{"indices", "DOUBLE[]"}, // the indices in the order in which their parts come
		}},
		{Name: "areas", Key: []string{"unit_id"}, Columns: unitsRole.Columns},
		partsRole,
	},
	Output: []Column{
		{"index_name", "VARCHAR"}, {"part", "VARCHAR"}, {"weight", "DOUBLE"},
		{"units_count", "BIGINT"}, {"known_count", "BIGINT"},
		{"mean", "DOUBLE"}, {"skewness", "DOUBLE"}, {"kurtosis", "DOUBLE"},
		{"treatment", "VARCHAR"}, {"treated_points", "BIGINT"}, // none, winsorised, log
		{"index_rho", "DOUBLE"}, {"index_rho_low", "DOUBLE"}, {"index_rho_high", "DOUBLE"}, // Spearman, with the index
		{"simple_mean_rho", "DOUBLE"}, // of the index, with the plain mean of its known parts
		{"left_out_shift", "DOUBLE"},  // mean |rank shift| of the areas without the part
		{"areas_ranked", "BIGINT"},
	},
	Run: runPartStatistics,
}

func runPartStatistics(ctx context.Context, in Reader, out Writer) error {
	parts, err := readParts(ctx, in)
	if err != nil {
		return err
	}
	areas, err := readAreas(ctx, in, "areas", len(parts))
	if err != nil {
		return err
	}
	var names []string
	for _, p := range parts {
		if len(names) == 0 || names[len(names)-1] != p.index {
			names = append(names, p.index)
		}
	}
	units, err := readUnits(ctx, in, len(parts), len(names))
	if err != nil {
		return err
	}
	for number, name := range names {
		var own []part
		for _, p := range parts {
			if p.index == name {
				own = append(own, p)
			}
		}
		simple, err := units.simpleMeanRho(own, number)
		if err != nil {
			return fmt.Errorf("index %s: %w", name, err)
		}
		for i, p := range own {
			row, err := units.describe(p, number)
			if err != nil {
				return fmt.Errorf("part %s: %w", p.name, err)
			}
			shift, ranked := leftOutShift(areas, own, i)
			if err := out.Append(append(row, simple, shift, ranked)...); err != nil {
				return err
			}
		}
	}
	return nil
}

// unitColumns holds units by column; unknown is NaN.
type unitColumns struct{ parts, indices [][]float64 }

func readUnits(ctx context.Context, in Reader, parts, indices int) (unitColumns, error) {
	units := unitColumns{make([][]float64, parts), make([][]float64, indices)}
	var id string
	var listed, indexed any
	err := in.Rows(ctx, "units", []any{&id, &listed, &indexed}, func() error {
		if listed == nil {
			return nil
		}
		ofParts, ofIndices := numbers(listed), numbers(indexed)
		if len(ofParts) != parts || len(ofIndices) != indices {
			return fmt.Errorf("unit %s has %d parts and %d indices, want %d and %d", id, len(ofParts), len(ofIndices), parts, indices)
		}
		for i, value := range ofParts {
			units.parts[i] = append(units.parts[i], value)
		}
		for i, value := range ofIndices {
			units.indices[i] = append(units.indices[i], value)
		}
		return nil
	})
	return units, err
}

// describe gives the output of a part up to its correlation with the index.
func (c unitColumns) describe(p part, index int) ([]any, error) {
	values := c.parts[p.position]
	known, _ := bothKnown(values, values)
	row := []any{p.index, p.name, p.weight, int64(len(values)), int64(len(known)), nil, nil, nil, nil, nil, nil, nil, nil}
	if len(known) == 0 {
		return row, nil
	}
	total := 0.0
	for _, value := range known {
		total += value
	}
	row[5] = total / float64(len(known))
	treated, err := statistics.Treat(known)
	if err != nil {
		return nil, err
	}
	if treated.HasMoments {
		row[6], row[7] = treated.Skew, treated.Kurtosis
	}
	row[8], row[9] = treated.How, int64(treated.Points)
	ownValues, ofIndex := bothKnown(values, c.indices[index])
	correlation, err := statistics.Spearman(ownValues, ofIndex)
	if err != nil {
		return nil, err
	}
	if correlation.Reason == "" {
		row[10] = correlation.Rho
	}
	if correlation.HasInterval {
		row[11], row[12] = correlation.Interval.Low, correlation.Interval.High
	}
	return row, nil
}

// simpleMeanRho gives Spearman's correlation of the index with the plain mean
// of its parts that are known; nil where there is none.
func (c unitColumns) simpleMeanRho(own []part, index int) (any, error) {
	means := make([]float64, len(c.indices[index]))
	for i := range means {
		total, count := 0.0, 0
		for _, p := range own {
			if value := c.parts[p.position][i]; !math.IsNaN(value) {
				total, count = total+value, count+1
			}
		}
		means[i] = math.NaN()
		if count > 0 {
			means[i] = total / float64(count)
		}
	}
	simple, ofIndex := bothKnown(means, c.indices[index])
	correlation, err := statistics.Spearman(simple, ofIndex)
	if err != nil || correlation.Reason != "" {
		return nil, err
	}
	return correlation.Rho, nil
}

// bothKnown gives the pairs of which neither value is unknown.
func bothKnown(x, y []float64) (a, b []float64) {
	for i := range x {
		if !math.IsNaN(x[i]) && !math.IsNaN(y[i]) {
			a, b = append(a, x[i]), append(b, y[i])
		}
	}
	return a, b
}

// leftOutShift ranks the areas by the weighted mean of their known parts, with
// all parts and without one: the mean |rank shift| and the number of areas that
// have both means; nil and 0 where there is none, or no area knows the part.
func leftOutShift(areas []area, own []part, left int) (shift any, ranked int64) {
	var with, without []float64
	isUsed := false
	for _, a := range areas {
		isUsed = isUsed || !math.IsNaN(a.values[own[left].position])
		all, isKnown := weightedMean(a.values, own, -1)
		rest, restIsKnown := weightedMean(a.values, own, left)
		if isKnown && restIsKnown {
			with, without = append(with, all), append(without, rest)
		}
	}
	if len(with) == 0 || !isUsed {
		return nil, 0
	}
	before, _ := statistics.CompetitionRanks(with)
	after, _ := statistics.CompetitionRanks(without)
	sum := 0.0
	for i := range before {
		sum += math.Abs(float64(after[i] - before[i]))
	}
	return sum / float64(len(before)), int64(len(before))
}

// weightedMean is the mean of the known parts but the one at left, their
// weights rescaled to 1.
func weightedMean(values []float64, own []part, left int) (float64, bool) {
	sum, weights := 0.0, 0.0
	for i, p := range own {
		if value := values[p.position]; i != left && !math.IsNaN(value) {
			sum, weights = sum+p.weight*value, weights+p.weight
		}
	}
	return sum / weights, weights > 0
}

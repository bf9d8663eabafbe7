package methods

import (
	"context"
	"fmt"
	"math"
)

// imputationFits gives a row for each stratum of each step, and for each pool
// (step 0): who gives in it, which stratum its units use, its means, and the
// regression of the logits if any unit uses it (METHODS 4). A small
// table: the step that matches takes it whole.
var imputationFits = Method{
	Inputs: []Role{unitRole, parameterRole},
	Output: []Column{
		{"stratum", "VARCHAR"}, {"pool", "VARCHAR"}, {"step", "BIGINT"},
		{"donor_count", "BIGINT"}, {"receiver_count", "BIGINT"}, {"unit_count", "BIGINT"}, {"used_stratum", "VARCHAR"},
		{"score_mean", "DOUBLE"}, {"score_spread", "DOUBLE"}, {"eta_mean", "DOUBLE"}, {"eta_spread", "DOUBLE"},
		{"shrunk_mean", "DOUBLE"}, {"shrunk_weight", "DOUBLE"}, {"shrunk_spread", "DOUBLE"},
		{"intercept", "DOUBLE"}, {"coefficients", "DOUBLE[]"},
		{"covariate_means", "DOUBLE[]"}, {"covariate_spreads", "DOUBLE[]"},
		{"residual_variance", "DOUBLE"}, {"noise_variance", "DOUBLE"},
	},
	Run: func(ctx context.Context, in Reader, out Writer) error {
		p, err := readParameters(ctx, in)
		if err != nil {
			return err
		}
		units, err := readImputees(ctx, in)
		if err != nil {
			return err
		}
		units.setAreaMeans(nil)
		return (&fitting{units: units, strata: stratify(units, p.minDonors), p: p, out: out}).write()
	},
}

type fitting struct {
	units  *imputees
	strata *stratified
	p      imputeParameters
	out    Writer
}

func (f *fitting) write() error {
	u, s := f.units, f.strata
	receivers := make([]int64, len(u.strata.texts))
	poolReceivers := make([]int64, len(u.pools.texts))
	for i := range u.ids {
		if !u.gives[i] {
			poolReceivers[u.pool[i]]++
			for step := range u.steps {
				receivers[u.stratum(i, step)]++
			}
		}
	}
	shrunken := s.shrink(nil, f.p.minDonors)
	for _, stratum := range u.sortedStrata() {
		row := []any{u.strata.texts[stratum], u.pools.texts[u.poolOf[stratum]], int64(u.stepOf[stratum]) + 1,
			int64(len(s.donors[stratum])), receivers[stratum], f.countedIn(stratum, receivers), f.usedOf(stratum)}
		row = append(row, f.means(s.donors[stratum])...)
		if e := shrunken[stratum]; e.known {
			row = append(row, e.value, e.weight, e.spread)
		} else {
			row = append(row, nil, nil, nil)
		}
		line, err := f.line(stratum)
		if err != nil {
			return fmt.Errorf("imputation: stratum %s: %w", u.strata.texts[stratum], err)
		}
		if err := f.out.Append(append(row, line...)...); err != nil {
			return err
		}
	}
	for pool, text := range u.pools.texts {
		row := append([]any{text, text, int64(0), int64(len(s.pools[pool])), poolReceivers[pool], int64(0), nil}, f.means(s.pools[pool])...)
		if err := f.out.Append(append(row, make([]any, 9)...)...); err != nil {
			return err
		}
	}
	return nil
}

// countedIn is the number of units that are counted in a stratum's row: those
// of the finest strata, so that each counts once.
func (f *fitting) countedIn(stratum int32, receivers []int64) int64 {
	if f.units.stepOf[stratum] != 0 {
		return 0
	}
	return int64(len(f.strata.donors[stratum])) + receivers[stratum]
}

// usedOf names the stratum that units of a stratum use, from it upwards.
func (f *fitting) usedOf(stratum int32) any {
	first := int(f.units.firstOf[stratum])
	for step := int(f.units.stepOf[stratum]); step < f.units.steps; step++ {
		if at := f.units.stratum(first, step); int64(len(f.strata.donors[at])) >= f.p.minDonors {
			return f.units.strata.texts[at]
		}
	}
	return nil
}

func (f *fitting) means(donors []int32) []any {
	scores, etas := momentsOf(f.units.score, donors, nil), momentsOf(f.units.eta, donors, nil)
	row := []any{scores.mean, scores.spread(), etas.mean, etas.spread()}
	switch {
	case scores.n == 0:
		return make([]any, 4)
	case scores.n == 1:
		row[1], row[3] = nil, nil
	}
	return row
}

// line fits the regression of a stratum that units use.
func (f *fitting) line(stratum int32) ([]any, error) {
	if len(f.strata.users[stratum]) == 0 {
		return make([]any, 6), nil
	}
	donors := f.strata.donorUnits(stratum, nil, false)
	fit, err := regress(donors)
	if err != nil {
		return nil, err
	}
	spreads := make([]float64, f.units.width)
	for j := range spreads {
		squares, known := 0.0, 0.0
		for _, donor := range donors {
			if donor.Missing == nil || !donor.Missing[j] {
				squares += (donor.X[j] - fit.pmm.Means()[j]) * (donor.X[j] - fit.pmm.Means()[j])
				known++
			}
		}
		spreads[j] = math.Sqrt(squares / math.Max(1, known-1))
	}
	return []any{fit.pmm.Line.Intercept, fit.pmm.Line.Coefficients, fit.pmm.Means(), spreads, fit.residual, fit.noise}, nil
}

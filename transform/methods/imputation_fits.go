package methods

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
)

// imputationFits gives a row for each stratum of each step, and for each pool
// (step 0): who gives in it, which stratum its units use, its means, and the
// regression of the logits if any unit uses it (METHODS 4). A small
// table: the step that matches takes it whole.
var imputationFits = Method{
	Inputs: []Role{unitRole, parameterRole},
	Output: []Column{
		{"stratum", "VARCHAR"}, {"known", "VARCHAR"}, {"pool", "VARCHAR"}, {"step", "BIGINT"},
		{"donor_count", "BIGINT"}, {"receiver_count", "BIGINT"}, {"unit_count", "BIGINT"}, {"used_stratum", "VARCHAR"},
		{"score_mean", "DOUBLE"}, {"score_spread", "DOUBLE"}, {"eta_mean", "DOUBLE"}, {"eta_spread", "DOUBLE"},
		{"shrunk_mean", "DOUBLE"}, {"shrunk_weight", "DOUBLE"}, {"shrunk_spread", "DOUBLE"}, {"shrunk_chance", "DOUBLE"},
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
		facts := []any{u.pools.texts[u.poolOf[stratum]], int64(u.stepOf[stratum]) + 1,
			int64(len(s.donors[stratum])), receivers[stratum], f.countedIn(stratum, receivers), f.usedOf(stratum)}
		facts = append(facts, f.means(s.donors[stratum])...)
		if e := shrunken[stratum]; e.known {
			facts = append(facts, e.value, e.weight, e.spread, e.chance)
		} else {
			facts = append(facts, make([]any, 4)...)
		}
		for at, known := range f.patterns(stratum) {
			if at > 0 {
				facts[4] = int64(0) // counted on the row of the first pattern
			}
			line, err := f.line(stratum, known)
			if err != nil {
				return fmt.Errorf("imputation: stratum %s: %w", u.strata.texts[stratum], err)
			}
			row := append([]any{u.strata.texts[stratum], u.pattern(known)}, facts...)
			if err := f.out.Append(append(row, line...)...); err != nil {
				return err
			}
		}
	}
	for pool, text := range u.pools.texts {
		row := append([]any{text, "", text, int64(0), int64(len(s.pools[pool])), poolReceivers[pool], int64(0), nil}, f.means(s.pools[pool])...)
		if err := f.out.Append(append(row, make([]any, 10)...)...); err != nil {
			return err
		}
	}
	return nil
}

// patterns lists which covariates the receivers that use a stratum have: all
// of them first, then by text.
func (f *fitting) patterns(stratum int32) [][]int {
	all := f.units.pattern(columns(f.units.width))
	found := map[string][]int{}
	for _, i := range f.strata.users[stratum] {
		if !f.units.gives[i] {
			known := f.units.known(int(i))
			found[f.units.pattern(known)] = known
		}
	}
	delete(found, all)
	patterns := [][]int{columns(f.units.width)}
	for _, text := range slices.Sorted(maps.Keys(found)) {
		patterns = append(patterns, found[text])
	}
	return patterns
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

// line fits the regression of a stratum that units use, on the covariates that
// are known of some of them: donors are then compared by what is known, and as
// far from their line as those who want a score.
func (f *fitting) line(stratum int32, known []int) ([]any, error) {
	if len(f.strata.users[stratum]) == 0 {
		return make([]any, 6), nil
	}
	donors := f.strata.donorUnits(stratum, nil, known)
	fit, err := regress(donors)
	if err != nil {
		return nil, err
	}
	spreads := make([]float64, len(known))
	for j := range spreads {
		squares, n := 0.0, 0.0
		for _, donor := range donors {
			if donor.Missing == nil || !donor.Missing[j] {
				squares += (donor.X[j] - fit.pmm.Means()[j]) * (donor.X[j] - fit.pmm.Means()[j])
				n++
			}
		}
		spreads[j] = math.Sqrt(squares / math.Max(1, n-1))
	}
	return []any{fit.pmm.Line.Intercept, fit.pmm.Line.Coefficients, fit.pmm.Means(), spreads, fit.residual, fit.noise}, nil
}

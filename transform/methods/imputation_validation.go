package methods

import (
	"context"
	"fmt"
	"math"
	"sort"

	"tamiz/transform/statistics"
)

// The ways to hide known scores (METHODS 4).
const (
	maskRandom     = "RANDOM"     // a share of each stratum
	maskPropensity = "PROPENSITY" // as scores are missing: decides which method is used
	maskArea       = "AREA"       // whole areas, whose mean vanishes with them
)

// The methods that are judged, the first that passes first, and the two that
// they are measured against.
const (
	methodPMM     = "PMM"
	methodKNN     = "KNN"
	methodEB      = "EB"
	methodOwnYear = "OWN_YEAR"
	byStratum     = "STRATUM_MEAN"
	byArea        = "AREA_MEAN"
)

var judgedMethods = []string{methodPMM, methodKNN, methodEB, byStratum, byArea}

const (
	atStratumMean = 3 // in judgedMethods
	candidates    = 3 // those that may be used
)

// everywhere names the row of all units.
const everywhere = "ALL"

// normal95 is the normal quantile of a 90 % interval.
const normal95 = 1.6448536269514722

// imputationValidation hides known scores in three ways, imputes them by each
// method, and says how well that went and which method each stratum uses
// (METHODS 4: one that does not beat the stratum's mean must not be used).
var imputationValidation = Method{
	Inputs: []Role{unitRole, parameterRole},
	Output: []Column{
		{"mask", "VARCHAR"}, {"stratum", "VARCHAR"}, {"method", "VARCHAR"},
		{"pool", "VARCHAR"}, {"judged_count", "BIGINT"},
		{"rmse", "DOUBLE"}, {"baseline_rmse", "DOUBLE"}, {"mae", "DOUBLE"}, {"bias", "DOUBLE"},
		{"coverage", "DOUBLE"}, {"agreement", "DOUBLE"}, {"kappa", "DOUBLE"},
		{"is_used", "BOOLEAN"}, {"decided_on", "VARCHAR"}, {"receiver_count", "BIGINT"},
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
		v := &validating{units: units, strata: stratify(units, p.minDonors), p: p, judged: map[string]*trial{}, terciles: map[string][]float64{}}
		v.quantile, _ = statistics.StudentQuantile(0.95, float64(p.donors-1)) // of one donor there is no interval
		for _, mask := range []string{maskRandom, maskPropensity, maskArea} {
			hidden := v.hide(mask)
			if v.judged[mask], err = v.try(mask, hidden); err != nil {
				return err
			}
		}
		return v.write(out)
	},
}

type validating struct {
	units    *imputees
	strata   *stratified
	p        imputeParameters
	judged   map[string]*trial
	terciles map[string][]float64 // by pool
	quantile float64              // t(.95, k−1), of the donors' intervals
}

// trial is what the methods gave for scores that one mask hid. By unit judged:
// a value for each method, NaN if it has none, and the candidates' intervals.
type trial struct {
	hidden    []bool
	units     []int32
	values    []float64
	intervals []statistics.Interval // Low is NaN where there is none
	at        map[string][]int      // which of units belong to a stratum, a pool, or all
}

// judgedStratum is where a unit is counted: the stratum it uses, or else its
// coarsest one, which has too few donors for more than a shrunken mean.
func (v *validating) judgedStratum(i int) int32 {
	if used := v.strata.used[i]; used >= 0 {
		return used
	}
	return v.units.coarsest(i)
}

// try imputes the hidden units, at most so many of each stratum, the first by
// chance.
func (v *validating) try(mask string, hidden []bool) (*trial, error) {
	u := v.units
	u.setAreaMeans(hidden)
	chosen := v.choose(mask, hidden)
	shrunken := v.strata.shrink(hidden, v.p.minDonors)
	areas := u.areaScores(hidden)
	t := &trial{hidden: hidden, at: map[string][]int{}}
	for _, stratum := range u.sortedStrata() {
		if len(chosen[stratum]) == 0 {
			continue
		}
		if err := v.tryStratum(t, stratum, chosen[stratum], shrunken, areas); err != nil {
			return nil, fmt.Errorf("imputation: validate stratum %s: %w", u.strata.texts[stratum], err)
		}
	}
	v.collect(t)
	return t, nil
}

// choose lists the hidden units to judge, by the stratum where they count.
func (v *validating) choose(mask string, hidden []bool) [][]int32 {
	chosen := make([][]int32, len(v.units.strata.texts))
	for i := range v.units.ids {
		if hidden[i] {
			stratum := v.judgedStratum(i)
			chosen[stratum] = append(chosen[stratum], int32(i))
		}
	}
	for _, list := range chosen {
		if int64(len(list)) <= v.p.maxJudged {
			continue
		}
		keys := make(map[int32]float64, len(list))
		for _, i := range list {
			keys[i] = chance("judge", mask, v.units.ids[i])
		}
		sort.SliceStable(list, func(a, b int) bool { return keys[list[a]] < keys[list[b]] })
	}
	for stratum, list := range chosen {
		if int64(len(list)) > v.p.maxJudged {
			chosen[stratum] = list[:v.p.maxJudged]
			sort.Slice(chosen[stratum], func(a, b int) bool { return chosen[stratum][a] < chosen[stratum][b] })
		}
	}
	return chosen
}

// tryStratum imputes the chosen units of a stratum by all methods.
func (v *validating) tryStratum(t *trial, stratum int32, chosen []int32, shrunken []shrunk, areas []moments) error {
	u, hidden := v.units, t.hidden
	donors := v.strata.donorUnits(stratum, hidden, nil)
	mean := momentsOf(u.score, v.strata.donors[stratum], hidden)
	if mean.n == 0 {
		mean = momentsOf(u.score, v.strata.pools[u.poolOf[stratum]], hidden)
	}
	matching := v.strata.used[chosen[0]] == stratum && int64(len(donors)) >= v.p.donors
	if mean.n == 0 {
		return nil // everybody is hidden: there is nothing to impute from
	}
	fits := map[string]regression{}
	var near *statistics.KNN
	if matching {
		var err error
		if near, err = statistics.FitKNN(v.strata.donorUnits(stratum, hidden, columns(u.width+1))); err != nil {
			return err
		}
	}
	for _, i := range chosen {
		values := []float64{math.NaN(), math.NaN(), math.NaN(), mean.mean, mean.mean}
		intervals := []statistics.Interval{{Low: math.NaN()}, {Low: math.NaN()}, {Low: math.NaN()}}
		if matching {
			known := u.known(int(i))
			pattern := u.pattern(known)
			if _, fitted := fits[pattern]; !fitted {
				fit, err := regress(v.strata.donorUnits(stratum, hidden, known))
				if err != nil {
					return err
				}
				fits[pattern] = fit
			}
			fitted, err := fits[pattern].pmm.Fitted(u.masked(int(i), known))
			if err != nil {
				return err
			}
			values[0], intervals[0] = v.judge(fits[pattern].pmm.Match(fitted, int(v.p.donors)))
			neighbours, err := near.Match(u.masked(int(i), columns(u.width+1)), int(v.p.donors))
			if err != nil {
				return err
			}
			values[1], intervals[1] = v.judge(neighbours)
		}
		if e := shrunken[u.stratum(int(i), 0)]; e.known {
			values[2] = e.value
			intervals[2] = statistics.Interval{Low: e.value - normal95*e.spread, High: e.value + normal95*e.spread}
		}
		if at := int(i)*(u.width+1) + u.width - 1; !u.missing[at] {
			values[4] = areas[u.area[i]].mean
		}
		t.units, t.values = append(t.units, i), append(t.values, values...)
		t.intervals = append(t.intervals, intervals...)
	}
	return nil
}

// judge gives what donors are worth, and the interval; fewer than k of them,
// as nearest neighbours may be, have one of their own.
func (v *validating) judge(donors []statistics.Donor) (float64, statistics.Interval) {
	none := statistics.Interval{Low: math.NaN()}
	if len(donors) == 0 {
		return math.NaN(), none
	}
	scores, sum := make([]float64, len(donors)), 0.0
	for i, donor := range donors {
		scores[i] = donor.Unit.Y
		sum += scores[i]
	}
	value := sum / float64(len(scores))
	interval, ok := statistics.ImputedIntervalAt(scores, v.quantile)
	if int64(len(scores)) != v.p.donors {
		interval, ok = statistics.ImputedInterval(scores)
	}
	if !ok {
		return value, none
	}
	return value, interval
}

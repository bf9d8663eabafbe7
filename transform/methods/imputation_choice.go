package methods

import (
	"math"
	"sort"

	"tamiz/transform/statistics"
)

// collect notes which judged units belong to which stratum, pool, and all.
func (v *validating) collect(t *trial) {
	u := v.units
	for at, i := range t.units {
		for step := int(u.stepOf[v.judgedStratum(int(i))]); step < u.steps; step++ {
			text := u.strata.texts[u.stratum(int(i), step)]
			t.at[text] = append(t.at[text], at)
		}
		pool := u.pools.texts[u.pool[i]]
		t.at[pool] = append(t.at[pool], at)
		t.at[everywhere] = append(t.at[everywhere], at)
	}
}

// errors gives the root mean squared error of a method over units of the
// trial, that of the stratum's mean over the same units, and their number.
func (v *validating) errors(t *trial, at []int, method int) (rmse, baseline float64, n int64) {
	methods := len(judgedMethods)
	for _, place := range at {
		value, mean := t.values[place*methods+method], t.values[place*methods+atStratumMean]
		if math.IsNaN(value) {
			continue
		}
		truth := v.units.score[t.units[place]]
		rmse += (value - truth) * (value - truth)
		baseline += (mean - truth) * (mean - truth)
		n++
	}
	if n == 0 {
		return 0, 0, 0
	}
	return math.Sqrt(rmse / float64(n)), math.Sqrt(baseline / float64(n)), n
}

// choice is the method that a stratum uses ("": none), and on which stratum,
// pool or all it was decided ("": nowhere were enough units judged).
type choice struct {
	method, decidedOn string
	receivers         int64 // units that want a score there
}

// decide gives the method of a stratum: the first that beats the stratum's
// mean where scores are hidden as they are missing. With too few judged units
// in the stratum its coarser ones decide, then the pool, then all. Where
// nothing can be judged, nothing is proved, and only the shrunken mean, which
// is the stratum's mean but for the shrinking, may stand.
func (v *validating) decide(stratum int32) choice {
	u, t := v.units, v.judged[maskPropensity]
	first := int(u.firstOf[stratum])
	var places []string
	for step := int(u.stepOf[stratum]); step < u.steps; step++ {
		places = append(places, u.strata.texts[u.stratum(first, step)])
	}
	places = append(places, u.pools.texts[u.poolOf[stratum]], everywhere)
	from := 0
	if int64(len(v.strata.donors[stratum])) < v.p.minDonors {
		from = 2 // too few donors to match with
	}
	for _, place := range places {
		if int64(len(t.at[place])) < v.p.minJudged {
			continue
		}
		for method := from; method < candidates; method++ {
			rmse, baseline, n := v.errors(t, t.at[place], method)
			if n >= v.p.minJudged && rmse < baseline {
				return choice{method: judgedMethods[method], decidedOn: place}
			}
		}
		return choice{decidedOn: place}
	}
	return choice{method: methodEB}
}

// write gives the rows: by mask, by stratum where units are judged or that
// decided, by pool and for all, by method.
func (v *validating) write(out Writer) error {
	u := v.units
	choices, pools := map[string]*choice{}, map[string]string{}
	for i := range u.ids {
		stratum := v.judgedStratum(i)
		text := u.strata.texts[stratum]
		if choices[text] == nil {
			decided := v.decide(stratum)
			choices[text] = &decided
		}
		if !u.gives[i] {
			choices[text].receivers++
		}
	}
	for stratum, text := range u.strata.texts {
		pools[text] = u.pools.texts[u.poolOf[stratum]]
	}
	for _, pool := range u.pools.texts {
		pools[pool] = pool
	}
	for _, mask := range []string{maskRandom, maskPropensity, maskArea} {
		places := map[string]bool{}
		for place := range v.judged[mask].at {
			places[place] = true
		}
		for text := range choices {
			places[text] = true
		}
		ordered := make([]string, 0, len(places))
		for place := range places {
			ordered = append(ordered, place)
		}
		sort.Strings(ordered)
		for _, place := range ordered {
			if err := v.writePlace(out, mask, place, pools[place], choices[place]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (v *validating) writePlace(out Writer, mask, place, pool string, chosen *choice) error {
	t := v.judged[mask]
	at := t.at[place]
	cuts := v.cuts(pool)
	for method, name := range judgedMethods {
		rmse, baseline, n := v.errors(t, at, method)
		row := []any{mask, place, name, textOrNull(pool), n, nil, nil, nil, nil, nil, nil, nil, nil, nil, int64(0)}
		if n > 0 {
			measures, err := v.measures(t, at, method, cuts)
			if err != nil {
				return err
			}
			row[5], row[6], row[7], row[8] = rmse, baseline, measures.MAE, measures.Bias
			row[10] = measures.Agreement
			if measures.HasCoverage {
				row[9] = measures.Coverage
			}
			if measures.HasKappa {
				row[11] = measures.Kappa
			}
		}
		if chosen != nil {
			row[12], row[13] = chosen.method == name, textOrNull(chosen.decidedOn)
			if mask == maskPropensity && method == atStratumMean {
				row[14] = chosen.receivers
			}
		}
		if err := out.Append(row...); err != nil {
			return err
		}
	}
	return nil
}

func textOrNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func (v *validating) measures(t *trial, at []int, method int, cuts []float64) (statistics.Validation, error) {
	var truth, imputed []float64
	var intervals []*statistics.Interval
	for _, place := range at {
		value := t.values[place*len(judgedMethods)+method]
		if math.IsNaN(value) {
			continue
		}
		truth, imputed = append(truth, v.units.score[t.units[place]]), append(imputed, value)
		var interval *statistics.Interval
		if method < candidates {
			if found := &t.intervals[place*candidates+method]; !math.IsNaN(found.Low) {
				interval = found
			}
		}
		intervals = append(intervals, interval)
	}
	return statistics.Validate(truth, imputed, intervals, cuts)
}

// cuts are the terciles of the donors' scores, of a pool ("": of all).
func (v *validating) cuts(pool string) []float64 {
	if cuts, known := v.terciles[pool]; known {
		return cuts
	}
	var scores []float64
	for i := range v.units.ids {
		if v.units.gives[i] && (pool == "" || v.units.pools.texts[v.units.pool[i]] == pool) {
			scores = append(scores, v.units.score[i])
		}
	}
	var cuts []float64
	for _, p := range []float64{1.0 / 3, 2.0 / 3} {
		if cut, ok := statistics.Quantile(scores, p); ok {
			cuts = append(cuts, cut)
		}
	}
	v.terciles[pool] = cuts
	return cuts
}

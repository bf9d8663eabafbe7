package methods

import (
	"math"
	"slices"
	"sort"

	"tamiz/transform/statistics"
)

// stratified says for each stratum who gives in it, and which units use it:
// those whose finer strata have too few donors.
type stratified struct {
	units  *imputees
	donors [][]int32 // by stratum: the units that give
	others [][]int32 // by stratum: those with an unreliable score
	users  [][]int32 // by stratum: the units that use it
	used   []int32   // by unit; −1: even the coarsest stratum has too few donors
	pools  [][]int32 // by pool: the units that give
	rest   [][]int32 // by pool: those with an unreliable score
}

// stratify backs off from the finest stratum to the first one with enough
// donors (METHODS 4).
func stratify(u *imputees, minDonors int64) *stratified {
	s := &stratified{units: u, used: make([]int32, u.size()), pools: make([][]int32, len(u.pools.texts)), rest: make([][]int32, len(u.pools.texts))}
	s.others = make([][]int32, len(u.strata.texts))
	s.donors, s.users = make([][]int32, len(u.strata.texts)), make([][]int32, len(u.strata.texts))
	counts := make([]int32, len(u.strata.texts))
	for i := range u.ids {
		if u.gives[i] {
			for step := range u.steps {
				counts[u.stratum(i, step)]++
			}
		}
	}
	for stratum, count := range counts {
		s.donors[stratum] = make([]int32, 0, count)
	}
	for i := range u.ids {
		s.used[i] = -1
		for step := u.steps - 1; step >= 0; step-- {
			stratum := u.stratum(i, step)
			switch {
			case u.gives[i]:
				s.donors[stratum] = append(s.donors[stratum], int32(i))
			case !math.IsNaN(u.score[i]):
				s.others[stratum] = append(s.others[stratum], int32(i))
			}
			if int64(counts[stratum]) >= minDonors {
				s.used[i] = stratum
			}
		}
		if s.used[i] >= 0 {
			s.users[s.used[i]] = append(s.users[s.used[i]], int32(i))
		}
		switch {
		case u.gives[i]:
			s.pools[u.pool[i]] = append(s.pools[u.pool[i]], int32(i))
		case !math.IsNaN(u.score[i]):
			s.rest[u.pool[i]] = append(s.rest[u.pool[i]], int32(i))
		}
	}
	return s
}

// moments are count, mean and variance (ddof 1) of scores, and what of the
// variance is chance.
type moments struct{ n, mean, variance, chance float64 }

func (m moments) spread() float64 { return math.Sqrt(m.variance) }

// momentsOf goes over the units that are not hidden (nil: none are).
func momentsOf(values []float64, units []int32, hidden []bool) moments {
	var m moments
	squares := 0.0
	for _, i := range units {
		if hidden == nil || !hidden[i] {
			m.n++
			step := values[i] - m.mean
			m.mean += step / m.n
			squares += step * (values[i] - m.mean)
		}
	}
	if m.n > 1 {
		m.variance = squares / (m.n - 1)
	}
	return m
}

// shrunk is the empirical Bayes value of a finest stratum, what the stratum's
// own mean counts in it, and the standard deviation of one unit's score about
// it, of which chance is due to the number of pupils.
type shrunk struct {
	value, weight, spread, chance float64
	known                         bool
}

// shrink gives the shrunken mean of each finest stratum (METHODS 4): drawn
// towards the mean of its coarsest stratum or, where that has too few scores,
// the coarsest stratum's drawn towards the mean of the pool. Unreliable scores
// count here too: each says little, but together they are all that is known of
// a type of small schools, and small groups are what shrinking is for.
func (s *stratified) shrink(hidden []bool, minDonors int64) []shrunk {
	u := s.units
	result := make([]shrunk, len(u.strata.texts))
	below := make([][]int32, len(u.strata.texts)) // finest strata, by coarsest
	coarsest := make([][]int32, len(u.pools.texts))
	for stratum := range u.strata.texts {
		first := int(u.firstOf[stratum])
		if u.stepOf[stratum] == 0 {
			below[u.coarsest(first)] = append(below[u.coarsest(first)], int32(stratum))
		}
		if int(u.stepOf[stratum]) == u.steps-1 {
			coarsest[u.poolOf[stratum]] = append(coarsest[u.poolOf[stratum]], int32(stratum))
		}
	}
	for pool, types := range coarsest {
		ofTypes := s.shrinkGroups(types, s.scores(s.pools[pool], s.rest[pool], hidden), hidden, minDonors)
		for at, stratum := range types {
			groups := s.shrinkGroups(below[stratum], s.scores(s.donors[stratum], s.others[stratum], hidden), hidden, minDonors)
			for j, finest := range below[stratum] {
				result[finest] = groups[j]
				if !groups[j].known {
					result[finest] = ofTypes[at]
				}
			}
		}
	}
	return result
}

// scores gives the moments of scores, reliable and not, and the variance that
// the number of pupils behind each makes.
func (s *stratified) scores(reliable, others []int32, hidden []bool) moments {
	m := momentsOf(s.units.score, slices.Concat(reliable, others), hidden)
	inverses := 0.0
	for _, i := range slices.Concat(reliable, others) {
		if count := s.units.count[i]; count > 0 && (hidden == nil || !hidden[i]) {
			inverses += 1 / count
		}
	}
	if m.n > 0 {
		m.chance = m.mean * (1 - m.mean) * inverses / m.n
	}
	return m
}

// shrinkGroups shrinks the means of strata towards the mean of all of them,
// which has enough scores or nothing is known. A stratum without scores gets
// the mean of all.
func (s *stratified) shrinkGroups(strata []int32, all moments, hidden []bool, minDonors int64) []shrunk {
	result := make([]shrunk, len(strata))
	if int64(all.n) < minDonors {
		return result
	}
	var groups []statistics.Group
	place := make([]int, len(strata))
	for at, stratum := range strata {
		place[at] = -1
		if m := s.scores(s.donors[stratum], s.others[stratum], hidden); m.n > 0 {
			place[at] = len(groups)
			groups = append(groups, statistics.Group{N: m.n, Mean: m.mean, Variance: m.variance})
		}
	}
	estimate, ok := statistics.Shrink(groups)
	for at := range strata {
		switch {
		case !ok: // one group only, or one unit in each: there is nothing to shrink by
			result[at] = shrunk{value: all.mean, spread: all.spread(), chance: math.Sqrt(all.chance), known: true}
		case place[at] < 0:
			result[at] = shrunk{value: estimate.Grand, spread: math.Sqrt(estimate.Within + estimate.Between), chance: math.Sqrt(all.chance), known: true}
		default:
			weight := estimate.Weights[place[at]]
			spread := math.Sqrt(estimate.Within + estimate.Between*(1-weight))
			result[at] = shrunk{value: estimate.Means[place[at]], weight: weight, spread: spread, chance: math.Sqrt(all.chance), known: true}
		}
	}
	return result
}

// regression is a stratum's line with what it leaves: the variance of eta
// about it, and how much of that is the chance of who sat the test.
type regression struct {
	pmm             *statistics.PMM
	residual, noise float64
}

// donorUnits gives the donors that are not hidden, with some of their columns.
func (s *stratified) donorUnits(stratum int32, hidden []bool, columns []int) []statistics.Unit {
	units := make([]statistics.Unit, 0, len(s.donors[stratum]))
	for _, i := range s.donors[stratum] {
		if hidden == nil || !hidden[i] {
			units = append(units, s.units.unit(int(i), columns))
		}
	}
	return units
}

// regress fits the stratum's line on its donors, at least one.
func regress(donors []statistics.Unit) (regression, error) {
	pmm, err := statistics.FitPMM(donors)
	if err != nil {
		return regression{}, err
	}
	squares, noise, columns := 0.0, 0.0, 0.0
	for _, donor := range donors {
		fitted, err := pmm.Fitted(donor)
		if err != nil {
			return regression{}, err
		}
		eta := statistics.Logit(donor.Y, donor.N)
		squares += (eta - fitted) * (eta - fitted)
		noise += samplingVariance(eta, donor.N)
	}
	for _, dropped := range pmm.Line.Dropped {
		if !dropped {
			columns++
		}
	}
	n := float64(len(donors))
	return regression{pmm, squares / math.Max(1, n-1-columns), noise / n}, nil
}

// samplingVariance is the variance of the logit of a share that n pupils
// gave, by the delta method; 0 if n is unknown.
func samplingVariance(eta, n float64) float64 {
	if n <= 0 {
		return 0
	}
	share := 1 / (1 + math.Exp(-eta))
	return 1 / (n * share * (1 - share))
}

// ownWeight is what a unit's own unreliable eta counts beside the fitted one:
// the share of the spread about the line that is not the chance of its test.
func ownWeight(residual, noise, eta, n float64) float64 {
	variance := samplingVariance(eta, n)
	between := math.Max(0, residual-noise)
	if math.IsNaN(eta) || variance == 0 || between == 0 {
		return 0
	}
	return between / (between + variance)
}

// sortedStrata lists the strata by their text.
func (u *imputees) sortedStrata() []int32 {
	order := make([]int32, len(u.strata.texts))
	for i := range order {
		order[i] = int32(i)
	}
	sort.Slice(order, func(a, b int) bool { return u.strata.texts[order[a]] < u.strata.texts[order[b]] })
	return order
}

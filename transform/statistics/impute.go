package statistics

import (
	"fmt"
	"math"
	"sort"

	"tamiz/internal/u01"
)

// Unit is a school, or whatever else has a score, within one stratum.
type Unit struct {
	ID      string    // breaks ties, in byte order
	X       []float64 // the covariates, the same for all units of a stratum
	Missing []bool    // which covariates are unknown; nil: none. Their X is never read
	Y       float64   // the score of a donor, in [0, 1]; never read of a unit whose score is missing
	N       float64   // how many pupils were tested; 0: unknown
}

// knows reports whether covariate j is known.
func (u *Unit) knows(j int) bool { return u.Missing == nil || !u.Missing[j] }

// Donor is a unit that gives its score to another, with how far it is from it.
type Donor struct {
	Unit     *Unit
	Distance float64 // PMM: in logits; k nearest neighbours: in standard deviations
}

// Imputed is what donors give in place of a missing score.
type Imputed struct {
	Value       float64 // the mean of the donors' scores
	Weighted    float64 // their mean weighted by N; known if HasWeighted
	HasWeighted bool
	Interval    Interval // 90 %; known if HasInterval
	HasInterval bool
}

// checkUnits refuses units whose numbers are none, or that differ in covariates.
func checkUnits(units []Unit, columns int, donors bool) error {
	for i := range units {
		u := &units[i]
		if len(u.X) != columns || u.Missing != nil && len(u.Missing) != columns {
			return fmt.Errorf("impute: unit %s has %d covariates, not %d", u.ID, len(u.X), columns)
		}
		for j := range u.X {
			if u.knows(j) && !finite(u.X[j]) {
				return fmt.Errorf("impute: unit %s: covariate %d is not a number: say that it is missing", u.ID, j)
			}
		}
		if !finite(u.N) || u.N < 0 || donors && !(u.Y >= 0 && u.Y <= 1) {
			return fmt.Errorf("impute: unit %s: want a score in [0, 1] and a count that is not negative", u.ID)
		}
	}
	return nil
}

// donorMeans gives mean and standard deviation (ddof 1) of the donors' known covariates. A covariate that no donor
// knows has mean 0; one that does not vary has deviation 1 (METHODS 4).
func donorMeans(donors []Unit, columns int) (means, deviations []float64) {
	means, deviations = make([]float64, columns), make([]float64, columns)
	known := make([]float64, 0, len(donors))
	for j := range columns {
		known = known[:0]
		for i := range donors {
			if donors[i].knows(j) {
				known = append(known, donors[i].X[j])
			}
		}
		deviations[j] = 1
		if len(known) == 0 {
			continue
		}
		means[j] = mean(known)
		if len(known) > 1 && !constant(known) {
			deviations[j] = math.Sqrt(squares(known, means[j]) / float64(len(known)-1))
		}
	}
	return means, deviations
}

// Impute gives what donors are worth: their mean, their mean weighted by N, and the interval of one imputed value. It
// is undefined without donors.
func Impute(donors []Donor) (Imputed, bool) {
	if len(donors) == 0 {
		return Imputed{}, false
	}
	values := make([]float64, len(donors))
	weight, weighted := 0.0, 0.0
	for i, donor := range donors {
		values[i] = donor.Unit.Y
		weight += donor.Unit.N
		weighted += donor.Unit.N * donor.Unit.Y
	}
	result := Imputed{Value: mean(values)}
	if weight > 0 {
		result.Weighted, result.HasWeighted = weighted/weight, true
	}
	result.Interval, result.HasInterval = ImputedInterval(values)
	return result, true
}

// ImputedInterval is the 90 % interval of one imputed value, from its k donors' scores: mean ± t(.95, k−1)·s·√(1+1/k)
// within [0, 1] (METHODS 4). It is undefined for k < 3.
func ImputedInterval(scores []float64) (Interval, bool) {
	t, ok := StudentQuantile(0.95, float64(len(scores)-1))
	if !ok {
		return Interval{}, false
	}
	return ImputedIntervalAt(scores, t)
}

// ImputedIntervalAt is the same with t(.95, k−1) given, for whoever needs very many intervals of the same k.
func ImputedIntervalAt(scores []float64, t float64) (Interval, bool) {
	k := float64(len(scores))
	if k < 3 || !finite(scores...) {
		return Interval{}, false
	}
	centre := mean(scores)
	half := t * math.Sqrt(squares(scores, centre)/(k-1)) * math.Sqrt(1+1/k)
	return Interval{clamp(centre-half, 0, 1), clamp(centre+half, 0, 1)}, true
}

// Draws gives m positions among k donors, each ⌊u01("seed|id|t")·k⌋ for t = 1..m (METHODS 4). A caller that imputes
// several scores of one unit writes their name into id.
func Draws(seed, id string, k, m int) []int {
	if k <= 0 {
		return nil
	}
	head := u01.Head(seed).Text("|").Text(id).Text("|")
	positions := make([]int, m)
	for t := range positions {
		positions[t] = int(math.Floor(head.Int(t+1).Uniform() * float64(k)))
	}
	return positions
}

// byDistance sorts donors by distance, equal ones by id, and keeps the first k.
func byDistance(donors []Donor, k int) []Donor {
	sort.Slice(donors, func(a, b int) bool {
		if donors[a].Distance != donors[b].Distance {
			return donors[a].Distance < donors[b].Distance
		}
		return donors[a].Unit.ID < donors[b].Unit.ID
	})
	return donors[:min(k, len(donors))]
}

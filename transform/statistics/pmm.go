package statistics

import (
	"errors"
	"math"
	"sort"
)

// Logit is ln(y/(1−y)) of y clamped to [e, 1−e], with e = .5/n if the number n of tested pupils is known (> 0), else
// .005 (METHODS 4). y lies in [0, 1].
func Logit(y, n float64) float64 {
	e := 0.005
	if n > 0 {
		e = math.Min(0.5/n, 0.5)
	}
	y = clamp(y, e, 1-e)
	return math.Log(y / (1 - y))
}

// PMM is predictive mean matching of type 1 within one stratum (METHODS 4; Little 1988): the logits of the donors'
// scores are regressed on the covariates, and a unit takes the scores of the donors whose fitted values are nearest.
type PMM struct {
	Line    Line // in the units of the covariates
	means   []float64
	donors  []Unit
	fitted  []float64 // ascending
	ordered []int     // positions of donors, by fitted value, then by id
}

// FitPMM fits the regression on the donors, at least one, who must stay unchanged as long as the fit is used. Their
// order is the order of the sums. A covariate that is missing, of a donor or a unit, takes the donors' mean: it then
// says nothing, for or against.
func FitPMM(donors []Unit) (*PMM, error) {
	if len(donors) == 0 {
		return nil, errors.New("pmm: there are no donors")
	}
	columns := len(donors[0].X)
	if err := checkUnits(donors, columns, true); err != nil {
		return nil, err
	}
	f := &PMM{donors: donors}
	f.means, _ = donorMeans(donors, columns)
	rows, logits := make([][]float64, len(donors)), make([]float64, len(donors))
	for i := range donors {
		rows[i], logits[i] = f.filled(&donors[i]), Logit(donors[i].Y, donors[i].N)
	}
	line, err := LeastSquares(rows, logits)
	if err != nil {
		return nil, err
	}
	f.arrange(line)
	return f, nil
}

// PMMOf is the fit that was made before: its line, the donors' means that stand for missing covariates, and the
// donors themselves.
func PMMOf(line Line, means []float64, donors []Unit) (*PMM, error) {
	if len(line.Coefficients) != len(means) {
		return nil, errors.New("pmm: want a mean for each coefficient")
	}
	if err := checkUnits(donors, len(means), true); err != nil {
		return nil, err
	}
	f := &PMM{donors: donors, means: means}
	f.arrange(line)
	return f, nil
}

// Means gives the donors' means of the covariates, which stand for missing ones.
func (f *PMM) Means() []float64 { return f.means }

// arrange sorts the donors by what the line gives them.
func (f *PMM) arrange(line Line) {
	f.Line = line
	values := make([]float64, len(f.donors))
	f.ordered = make([]int, len(f.donors))
	for i := range f.donors {
		values[i], f.ordered[i] = line.At(f.filled(&f.donors[i])), i
	}
	sort.SliceStable(f.ordered, func(a, b int) bool {
		i, j := f.ordered[a], f.ordered[b]
		if values[i] != values[j] {
			return values[i] < values[j]
		}
		return f.donors[i].ID < f.donors[j].ID
	})
	f.fitted = make([]float64, len(f.donors))
	for at, i := range f.ordered {
		f.fitted[at] = values[i]
	}
}

// filled gives a unit's covariates with the donors' means where they are missing.
func (f *PMM) filled(u *Unit) []float64 {
	if u.Missing == nil {
		return u.X
	}
	row := append([]float64(nil), u.X...)
	for j := range row {
		if !u.knows(j) {
			row[j] = f.means[j]
		}
	}
	return row
}

// Fitted gives the fitted logit of a unit.
func (f *PMM) Fitted(u Unit) (float64, error) {
	if err := checkUnits([]Unit{u}, len(f.means), false); err != nil {
		return 0, err
	}
	return f.Line.At(f.filled(&u)), nil
}

// Match gives the k donors whose fitted values are nearest to a fitted value, the nearest first, ties by id; fewer, if
// there are fewer. It costs O(log n + k): a binary search, then a walk to both sides.
func (f *PMM) Match(fitted float64, k int) []Donor {
	k = min(k, len(f.fitted))
	if k <= 0 || !finite(fitted) {
		return nil
	}
	distance := func(i int) float64 { return math.Abs(f.fitted[i] - fitted) }
	middle := sort.SearchFloat64s(f.fitted, fitted)
	low, high, farthest := middle, middle, 0.0
	for high-low < k {
		if high == len(f.fitted) || low > 0 && distance(low-1) <= distance(high) {
			low--
			farthest = distance(low)
		} else {
			farthest = distance(high)
			high++
		}
	}
	// All that are nearer than the farthest are in. Of those at just that distance, on either side, ids decide: of
	// each run of equal fitted values, which is sorted by id, only the first k can win.
	first := sort.Search(middle, func(i int) bool { return distance(i) <= farthest })
	last := middle + sort.Search(len(f.fitted)-middle, func(i int) bool { return distance(middle+i) > farthest })
	candidates := make([]Donor, 0, 2*k)
	for i := first; i < last; {
		value := f.fitted[i]
		end := i + sort.Search(last-i, func(j int) bool { return f.fitted[i+j] > value })
		for j := i; j < min(i+k, end); j++ {
			candidates = append(candidates, Donor{Unit: &f.donors[f.ordered[j]], Distance: distance(j)})
		}
		i = end
	}
	return byDistance(candidates, k)
}

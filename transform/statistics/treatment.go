package statistics

import (
	"fmt"
	"math"
	"slices"
)

// How a column was treated for outliers.
const (
	TreatedNot        = "none"
	TreatedWinsorised = "winsorised"
	TreatedLog        = "log"
)

// An indicator passes if |skew| < 2 or kurtosis < 3.5; at most five of its points are winsorised (METHODS 5).
const (
	maxSkew, maxKurtosis = 2, 3.5
	maxWinsorised        = 5
)

// Treatment is a column after the treatment of its outliers, with its moments before and after. Moments of fewer than
// four or of equal values are undefined, and such a column stays untreated.
type Treatment struct {
	Values                                    []float64
	How                                       string
	Points                                    int // how many values were winsorised
	Skew, Kurtosis, SkewAfter, KurtosisAfter  float64
	HasMoments, HasMomentsAfter, PassesBefore bool
}

// Moments gives the sample skewness G1 and excess kurtosis G2 (METHODS 5). They are undefined for fewer than four
// values, and for a constant.
func Moments(values []float64) (skew, kurtosis float64, ok bool) {
	n := float64(len(values))
	if n < 4 || !finite(values...) || constant(values) {
		return 0, 0, false
	}
	centre := mean(values)
	second, third, fourth := 0.0, 0.0, 0.0
	for _, value := range values {
		d := value - centre
		second, third, fourth = second+d*d, third+d*d*d, fourth+d*d*d*d
	}
	g1 := (third / n) / math.Pow(second/n, 1.5)
	ratio := n * fourth / (second * second)
	skew = math.Sqrt(n*(n-1)) / (n - 2) * g1
	kurtosis = ((n+1)*(ratio-3) + 6) * (n - 1) / ((n - 2) * (n - 3))
	return skew, kurtosis, finite(skew, kurtosis)
}

func passes(skew, kurtosis float64) bool { return math.Abs(skew) < maxSkew || kurtosis < maxKurtosis }

// Treat tames the outliers of the known values of an indicator (METHODS 5; COINr): while it fails, the extreme on the
// side of the skew, with all its ties, becomes the next value; where five points do not do, the values are restored and
// become log(x − min + 0.01·range).
func Treat(values []float64) (Treatment, error) {
	if !finite(values...) {
		return Treatment{}, fmt.Errorf("treat outliers: a value is not a number")
	}
	t := Treatment{Values: slices.Clone(values), How: TreatedNot}
	t.Skew, t.Kurtosis, t.HasMoments = Moments(values)
	t.SkewAfter, t.KurtosisAfter, t.HasMomentsAfter = t.Skew, t.Kurtosis, t.HasMoments
	t.PassesBefore = t.HasMoments && passes(t.Skew, t.Kurtosis)
	if !t.HasMoments || t.PassesBefore {
		return t, nil
	}
	for t.HasMomentsAfter {
		t.Points = winsorise(t.Values, values, t.SkewAfter)
		if t.Points > maxWinsorised {
			break
		}
		t.SkewAfter, t.KurtosisAfter, t.HasMomentsAfter = Moments(t.Values)
		if t.HasMomentsAfter && passes(t.SkewAfter, t.KurtosisAfter) {
			t.How = TreatedWinsorised
			return t, nil
		}
	}
	low, high := slices.Min(values), slices.Max(values)
	for i, value := range values {
		t.Values[i] = math.Log(value - low + 0.01*(high-low))
	}
	t.How, t.Points = TreatedLog, 0
	t.SkewAfter, t.KurtosisAfter, t.HasMomentsAfter = Moments(t.Values)
	return t, nil
}

// winsorise sets the extreme values, which are not all values, to the next; it gives how many now differ from before.
func winsorise(values, before []float64, skew float64) int {
	sorted := slices.Compact(slices.Sorted(slices.Values(values)))
	extreme, next := sorted[len(sorted)-1], sorted[len(sorted)-2]
	if skew < 0 {
		extreme, next = sorted[0], sorted[1]
	}
	changed := 0
	for i := range values {
		if values[i] == extreme {
			values[i] = next
		}
		if values[i] != before[i] {
			changed++
		}
	}
	return changed
}

package statistics

import (
	"errors"
	"math"
)

// KNN finds the donors that are nearest in the covariates themselves (METHODS 4).
type KNN struct {
	Means, Deviations []float64 // of the donors' known covariates; ddof 1
	donors            []Unit
}

// FitKNN takes means and deviations of the donors, at least one, who must stay unchanged as long as it is used.
func FitKNN(donors []Unit) (*KNN, error) {
	if len(donors) == 0 {
		return nil, errors.New("nearest neighbours: there are no donors")
	}
	columns := len(donors[0].X)
	if err := checkUnits(donors, columns, true); err != nil {
		return nil, err
	}
	f := &KNN{donors: donors}
	f.Means, f.Deviations = donorMeans(donors, columns)
	return f, nil
}

// Match gives the k donors at the least Euclidean distance in z-scores, the nearest first, ties by id. Covariates that
// either side lacks are left out and the distance scaled by √(p/p_shared); a donor that shares none is no neighbour. It
// reads all donors: O(n·p).
func (f *KNN) Match(u Unit, k int) ([]Donor, error) {
	columns := len(f.Means)
	if err := checkUnits([]Unit{u}, columns, false); err != nil {
		return nil, err
	}
	if k <= 0 {
		return nil, nil
	}
	nearest := make([]Donor, 0, k+1)
	for i := range f.donors {
		donor := &f.donors[i]
		squared, shared := 0.0, 0
		for j := range columns {
			if u.knows(j) && donor.knows(j) {
				difference := (u.X[j] - f.Means[j]) / f.Deviations[j]
				difference -= (donor.X[j] - f.Means[j]) / f.Deviations[j]
				squared += difference * difference
				shared++
			}
		}
		if shared == 0 {
			continue
		}
		distance := math.Sqrt(squared) * math.Sqrt(float64(columns)/float64(shared))
		if len(nearest) == k && distance > nearest[k-1].Distance {
			continue
		}
		nearest = byDistance(append(nearest, Donor{Unit: donor, Distance: distance}), k)
	}
	return nearest, nil
}

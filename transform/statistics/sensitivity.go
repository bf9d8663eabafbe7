package statistics

import (
	"errors"
	"fmt"
	"math/bits"

	"tamiz/internal/u01"
)

// Points gives coordinate i, from 0, of point t, from 0, in [0, 1).
type Points func(t, i int) float64

// HashPoints are points by key: u01("name|t|i").
func HashPoints(name string) Points {
	head := u01.Head(name).Text("|")
	return func(t, i int) float64 { return head.Int(t).Text("|").Int(i).Uniform() }
}

// SobolDimensions is how many coordinates [SobolPoints] have.
const SobolDimensions = 10

// polynomials holds, for each coordinate after the first, the degree, the inner coefficients and the first direction
// numbers of Joe and Kuo (2008, new-joe-kuo-6).
var polynomials = [SobolDimensions - 1]struct {
	degree, inner int
	first         [5]uint32
}{
	{1, 0, [5]uint32{1}}, {2, 1, [5]uint32{1, 3}}, {3, 1, [5]uint32{1, 3, 1}}, {3, 2, [5]uint32{1, 1, 1}},
	{4, 1, [5]uint32{1, 1, 3, 3}}, {4, 4, [5]uint32{1, 3, 5, 13}}, {5, 2, [5]uint32{1, 1, 5, 5, 17}},
	{5, 4, [5]uint32{1, 1, 5, 5, 5}}, {5, 7, [5]uint32{1, 1, 7, 11, 19}},
}

// SobolPoints are the points of Sobol's sequence, the origin first, in [SobolDimensions] dimensions and for
// t < 2^32. The first 2^n of them are the best spread.
func SobolPoints() Points {
	var directions [SobolDimensions][32]uint32
	for bit := range 32 {
		directions[0][bit] = 1 << (31 - bit)
	}
	for i, p := range polynomials {
		v := &directions[i+1]
		for bit := range 32 {
			if bit < p.degree {
				v[bit] = p.first[bit] << (31 - bit)
				continue
			}
			v[bit] = v[bit-p.degree] ^ v[bit-p.degree]>>p.degree
			for k := 1; k < p.degree; k++ {
				if p.inner>>(p.degree-1-k)&1 == 1 {
					v[bit] ^= v[bit-k]
				}
			}
		}
	}
	return func(t, i int) float64 {
		x := uint32(0)
		for left := uint32(t); left != 0; left &= left - 1 {
			x ^= directions[i][bits.TrailingZeros32(left)]
		}
		return float64(x) / (1 << 32)
	}
}

// Sensitivity says, by factor, which share of a function's variance is due to it alone (First) and to it with all
// others (Total). First may fall a little below 0 by the error of the estimate.
type Sensitivity struct {
	First, Total []float64
	Variance     float64
}

// ErrNoVariance tells of a function that does not depend on any factor: it has no shares of variance.
var ErrNoVariance = errors.New("sensitivity: " + NoVariance)

// Sensitivities estimates the indices of f on [0, 1)^k from n points of 2k coordinates, by n·(k+2) calls of f: the
// first order after Saltelli et al. (2010), S_i = mean(f_B·(f_ABi − f_A))/V, the total after Jansen (1999),
// ST_i = ½·mean((f_A − f_ABi)²)/V (METHODS 5.8). f must give numbers and not keep its argument.
func Sensitivities(f func(x []float64) float64, k, n int, points Points) (Sensitivity, error) {
	if k < 1 || n < 2 {
		return Sensitivity{}, fmt.Errorf("sensitivity: want at least one factor and two points, not %d and %d", k, n)
	}
	result := Sensitivity{First: make([]float64, k), Total: make([]float64, k)}
	both := make([]float64, 0, 2*n)
	a, b := make([]float64, k), make([]float64, k)
	for t := range n {
		for i := range k {
			a[i], b[i] = points(t, i), points(t, k+i)
		}
		atA, atB := f(a), f(b)
		both = append(both, atA, atB)
		for i := range k {
			kept := a[i]
			a[i] = b[i]
			mixed := f(a)
			a[i] = kept
			result.First[i] += atB * (mixed - atA)
			result.Total[i] += (atA - mixed) * (atA - mixed) / 2
		}
	}
	if !finite(both...) || !finite(result.Total...) {
		return Sensitivity{}, errors.New("sensitivity: the function gave what is not a number")
	}
	result.Variance = squares(both, mean(both)) / float64(2*n)
	if result.Variance == 0 || constant(both) {
		return Sensitivity{}, ErrNoVariance
	}
	for i := range k {
		result.First[i] /= float64(n) * result.Variance
		result.Total[i] /= float64(n) * result.Variance
	}
	return result, nil
}

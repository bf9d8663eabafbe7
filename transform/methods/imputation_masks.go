package methods

import (
	"math"
	"strings"

	"gonum.org/v1/gonum/mat"

	"tamiz/internal/u01"
)

// chance is the number in [0, 1) of a purpose and a unit.
func chance(parts ...string) float64 { return u01.Of(strings.Join(parts, "|")) }

// hide chooses the donors whose scores a mask hides.
func (v *validating) hide(mask string) []bool {
	u := v.units
	hidden := make([]bool, u.size())
	var propensity []float64
	if mask == maskPropensity {
		propensity = v.propensities()
	}
	for i, id := range u.ids {
		switch {
		case !u.gives[i]:
		case mask == maskRandom:
			hidden[i] = chance("mask", id) < v.p.maskShare
		case mask == maskPropensity:
			hidden[i] = chance("mask", mask, id) < propensity[i]
		case u.area[i] >= 0:
			hidden[i] = chance("mask", mask, u.areas.texts[u.area[i]]) < v.p.maskShare
		}
	}
	return hidden
}

// propensities gives each unit's estimated chance to lack a score: in each
// pool a logit on the covariates and on how many lack one in its coarsest
// stratum. Missing at random given these, and that cannot be tested.
func (v *validating) propensities() []float64 {
	u := v.units
	lacking, all := make([]float64, len(u.strata.texts)), make([]float64, len(u.strata.texts))
	members := make([][]int32, len(u.pools.texts))
	for i := range u.ids {
		members[u.pool[i]] = append(members[u.pool[i]], int32(i))
		all[u.coarsest(i)]++
		if !u.gives[i] {
			lacking[u.coarsest(i)]++
		}
	}
	result := make([]float64, u.size())
	for _, pool := range members {
		columns := u.width // the covariates, and in place of the area's mean the stratum's rate
		rows := make([]float64, 0, len(pool)*columns)
		lacks := make([]bool, len(pool))
		for at, i := range pool {
			from := int(i) * (u.width + 1)
			for j := range columns - 1 {
				value := u.x[from+j]
				if u.missing[from+j] {
					value = math.NaN()
				}
				rows = append(rows, value)
			}
			stratum := u.coarsest(int(i))
			rate := (lacking[stratum] + 0.5) / (all[stratum] + 1)
			rows = append(rows, math.Log(rate/(1-rate)))
			lacks[at] = !u.gives[i]
		}
		for at, chance := range logitOf(rows, columns, lacks) {
			result[pool[at]] = chance
		}
	}
	return result
}

// logitOf fits a logit of hits on the standardised columns (NaN: the column's
// mean) by Newton's steps, with so small a penalty on the coefficients that it
// only tells when the columns separate or repeat each other, and gives the
// fitted chances.
func logitOf(rows []float64, columns int, hits []bool) []float64 {
	const steps, penalty = 25, 1e-3
	standardise(rows, columns)
	n := len(hits)
	beta := make([]float64, columns+1)
	chances := make([]float64, n)
	for range steps {
		gradient, hessian := make([]float64, columns+1), mat.NewSymDense(columns+1, nil)
		for i := range n {
			row := rows[i*columns : (i+1)*columns]
			chances[i] = logistic(beta, row)
			hit := 0.0
			if hits[i] {
				hit = 1
			}
			weight := chances[i] * (1 - chances[i])
			gradient[0] += hit - chances[i]
			hessian.SetSym(0, 0, hessian.At(0, 0)+weight)
			for j, x := range row {
				gradient[j+1] += (hit - chances[i]) * x
				hessian.SetSym(0, j+1, hessian.At(0, j+1)+weight*x)
				for k := range j + 1 {
					hessian.SetSym(k+1, j+1, hessian.At(k+1, j+1)+weight*x*row[k])
				}
			}
		}
		for j := range beta {
			gradient[j] -= penalty * beta[j]
			hessian.SetSym(j, j, hessian.At(j, j)+penalty)
		}
		var factor mat.Cholesky
		var step mat.VecDense
		if !factor.Factorize(hessian) || factor.SolveVecTo(&step, mat.NewVecDense(columns+1, gradient)) != nil {
			break // the last chances stand
		}
		largest := 0.0
		for j := range beta {
			beta[j] += step.AtVec(j)
			largest = math.Max(largest, math.Abs(step.AtVec(j)))
		}
		if largest < 1e-8 {
			break
		}
	}
	return chances
}

func logistic(beta, row []float64) float64 {
	eta := beta[0]
	for j, x := range row {
		eta += beta[j+1] * x
	}
	return 1 / (1 + math.Exp(-eta))
}

// standardise gives each column mean 0 and deviation 1; NaN becomes 0, and so
// does a column that does not vary.
func standardise(rows []float64, columns int) {
	for j := range columns {
		n, mean, squares := 0.0, 0.0, 0.0
		for i := j; i < len(rows); i += columns {
			if !math.IsNaN(rows[i]) {
				n++
				step := rows[i] - mean
				mean += step / n
				squares += step * (rows[i] - mean)
			}
		}
		spread := math.Sqrt(squares / math.Max(1, n-1))
		for i := j; i < len(rows); i += columns {
			if math.IsNaN(rows[i]) || spread <= 1e-12*math.Abs(mean) {
				rows[i] = 0
			} else {
				rows[i] = (rows[i] - mean) / spread
			}
		}
	}
}

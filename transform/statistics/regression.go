package statistics

import (
	"fmt"
	"math"
)

// dependent is how little of a standardised column's variance may be left beside the columns before it: less counts
// as nothing, and the column is dropped (METHODS 4).
const dependent = 1e-10

// Line is a line of least squares, in the units of its covariates.
type Line struct {
	Intercept    float64
	Coefficients []float64 // by column; 0 where dropped
	Dropped      []bool    // columns that are constant or that depend on those before them
}

// At gives the line's value at x, which has one value a column.
func (l Line) At(x []float64) float64 {
	value := l.Intercept
	for j, coefficient := range l.Coefficients {
		value += coefficient * x[j]
	}
	return value
}

// LeastSquares fits y on the rows x by ordinary least squares with an intercept (METHODS 4). Of columns that depend on
// each other the later one is dropped. The rows are read three times, in order, and never copied: the normal equations
// of the standardised columns are summed up and solved by Cholesky's factors, with the pivots in the columns' order.
func LeastSquares(x [][]float64, y []float64) (Line, error) {
	if len(x) == 0 || len(x) != len(y) {
		return Line{}, fmt.Errorf("least squares: want as many rows as values, at least one: there are %d and %d", len(x), len(y))
	}
	columns := len(x[0])
	for i, row := range x {
		if len(row) != columns || !finite(row...) || !finite(y[i]) {
			return Line{}, fmt.Errorf("least squares: row %d: want %d numbers and a value", i, columns)
		}
	}
	centres, cross, against := normalEquations(x, y)
	line := Line{Coefficients: make([]float64, columns), Dropped: make([]bool, columns)}
	scale := make([]float64, columns)
	for j := range columns {
		scale[j] = math.Sqrt(cross[j][j])
		largest := 0.0
		for _, row := range x {
			largest = math.Max(largest, math.Abs(row[j]))
		}
		// What rounding alone leaves of a constant column is no variance.
		line.Dropped[j] = scale[j] <= 1e-12*largest*math.Sqrt(float64(len(x)))
	}
	for j := range columns {
		for k := 0; k <= j && !line.Dropped[j]; k++ {
			if !line.Dropped[k] {
				cross[j][k] /= scale[j] * scale[k]
			}
		}
		if !line.Dropped[j] {
			against[j] /= scale[j]
		}
	}
	solve(cross, against, line.Dropped)
	line.Intercept = mean(y)
	for j := range columns {
		if !line.Dropped[j] {
			line.Coefficients[j] = against[j] / scale[j]
			line.Intercept -= line.Coefficients[j] * centres[j]
		}
	}
	return line, nil
}

// normalEquations gives the columns' means, the lower half of the sums of products of the centred columns, and their
// sums of products with the centred y.
func normalEquations(x [][]float64, y []float64) (centres []float64, cross [][]float64, against []float64) {
	columns := len(x[0])
	centres, against = make([]float64, columns), make([]float64, columns)
	for _, row := range x {
		for j, value := range row {
			centres[j] += value
		}
	}
	cross = make([][]float64, columns)
	for j := range centres {
		centres[j] /= float64(len(x))
		cross[j] = make([]float64, columns)
	}
	middle, centred := mean(y), make([]float64, columns)
	for i, row := range x {
		for j, value := range row {
			centred[j] = value - centres[j]
			against[j] += centred[j] * (y[i] - middle)
			for k := 0; k <= j; k++ {
				cross[j][k] += centred[j] * centred[k]
			}
		}
	}
	return centres, cross, against
}

// solve turns the lower half of a correlation matrix into its Cholesky factor and against into the solution, leaving
// out the columns that are dropped already or whose pivot is nothing.
func solve(cross [][]float64, against []float64, dropped []bool) {
	n := len(against)
	for j := range n {
		for k := 0; k <= j && !dropped[j]; k++ {
			if dropped[k] {
				continue
			}
			left := cross[j][k]
			for i := range k {
				if !dropped[i] {
					left -= cross[j][i] * cross[k][i]
				}
			}
			switch {
			case k < j:
				cross[j][k] = left / cross[k][k]
			case left <= dependent:
				dropped[j] = true
			default:
				cross[j][j] = math.Sqrt(left)
			}
		}
	}
	for j := range n { // forwards
		for k := 0; k < j && !dropped[j]; k++ {
			if !dropped[k] {
				against[j] -= cross[j][k] * against[k]
			}
		}
		if !dropped[j] {
			against[j] /= cross[j][j]
		}
	}
	for j := n - 1; j >= 0; j-- { // backwards
		for k := j + 1; k < n && !dropped[j]; k++ {
			if !dropped[k] {
				against[j] -= cross[k][j] * against[k]
			}
		}
		if !dropped[j] {
			against[j] /= cross[j][j]
		}
	}
}

// Package statistics holds the methods that are easier to prove in Go than in SQL: intervals, ranks, least squares,
// imputation, pooling, composite indices with their uncertainty, and adoption (METHODS 0.2, 2.5, 4 and 5).
//
// Slices of numbers come in, in the order in which they are to be summed (METHODS 0: by unit code); numbers go out, or
// the word that they are undefined. Ties are broken by id, in byte order; chance comes from keys alone (internal/u01).
//
// It knows no table, file or country, keeps no state, and lets no NaN or infinity out: a function that is given one, or
// whose result is not defined, says so.
package statistics

import (
	"embed"
	"math"
	"strings"
)

//go:embed *.go
var files embed.FS

// Source gives the text of this package, its files in the order of their names, without tests. It belongs into the
// fingerprint of every step that calls the package: other text may give other numbers.
func Source() string {
	var b strings.Builder
	entries, err := files.ReadDir(".")
	if err != nil {
		panic("statistics: the embedded source is unreadable: " + err.Error()) // it is part of the binary
	}
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		text, err := files.ReadFile(entry.Name())
		if err != nil {
			panic("statistics: the embedded source is unreadable: " + err.Error())
		}
		b.WriteString("-- " + entry.Name() + " --\n")
		b.Write(text)
	}
	return b.String()
}

// NoVariance is the reason and the flag of what a constant vector leaves undefined (METHODS 0.2 and 5).
const NoVariance = "NO_VARIANCE"

// finite reports whether all values are numbers.
func finite(values ...float64) bool {
	for _, value := range values {
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return false
		}
	}
	return true
}

// sum adds in the given order.
func sum(values []float64) float64 {
	total := 0.0
	for _, value := range values {
		total += value
	}
	return total
}

// mean of at least one value.
func mean(values []float64) float64 { return sum(values) / float64(len(values)) }

// squares gives the sum of the squared distances from centre.
func squares(values []float64, centre float64) float64 {
	total := 0.0
	for _, value := range values {
		total += (value - centre) * (value - centre)
	}
	return total
}

// constant reports whether all values are the same.
func constant(values []float64) bool {
	for _, value := range values {
		if value != values[0] {
			return false
		}
	}
	return true
}

func clamp(value, low, high float64) float64 { return math.Min(math.Max(value, low), high) }

// Package methods holds the transforms that are written in Go: what SQL cannot
// say, or says only at great cost, such as fits, matching and simulation.
//
// In come tables, row by row in the order of their key; out goes one table. A
// method is pure: no clock, no chance but [tamiz/internal/u01], no order of
// maps or threads. What its columns mean is said in the model's yml; a method
// knows roles and columns by general names, never a country or a source.
//
// It opens no database and reads no file: package transform hands it rows. What
// is mathematics alone stands in [tamiz/transform/statistics].
package methods

import (
	"context"
	"embed"
	"io/fs"
	"math"
	"runtime"
	"runtime/debug"
	"strings"

	"tamiz/transform/statistics"
)

// Column is a column by name and DuckDB type, such as VARCHAR or DOUBLE[].
type Column struct{ Name, Type string }

// Role is one input of a method: any table that has at least these columns.
type Role struct {
	Name    string
	Columns []Column
	Key     []string // columns that order its rows
}

// Method is one transform.
type Method struct {
	Inputs []Role
	Output []Column
	Run    func(ctx context.Context, in Reader, out Writer) error
}

// Reader gives the rows of a method's inputs.
type Reader interface {
	// Rows scans each row of a role, in the order of the role's key, into
	// targets, one for each of the role's columns, and then calls visit.
	// Targets are pointers as database/sql takes them; a list needs a *any.
	Rows(ctx context.Context, role string, targets []any, visit func() error) error
}

// Writer takes the rows of a method's output: a value for each column of
// Output, nil for NULL. Their order does not matter.
type Writer interface {
	Append(values ...any) error
}

// All lists the methods by the name that a model's yml gives.
var All = map[string]Method{
	"level_draws":           levelDraws,
	"part_statistics":       partStatistics,
	"rank_intervals":        rankIntervals,
	"rank_sensitivity":      rankSensitivity,
	"imputation_fits":       imputationFits,
	"imputation_matches":    imputationMatches,
	"imputation_validation": imputationValidation,
	"opportunity_drivers":   opportunityDrivers,
	"opportunity_intervals": opportunityIntervals,
	"opportunity_progress":  opportunityProgress,
	"bounded_allocation":    boundedAllocation,
	"rank_correlations":     rankCorrelations,
	"student_quantiles":     studentQuantiles,
}

//go:embed *.go
var files embed.FS

// Program is the text of all methods with the versions of what they lean on:
// it is part of the fingerprint of every step that runs one of them.
func Program() string {
	var b strings.Builder
	b.WriteString(runtime.Version() + "\n")
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == "gonum.org/v1/gonum" {
				b.WriteString(module.Path + " " + module.Version + "\n")
			}
		}
	}
	names, err := fs.Glob(files, "*.go") // sorted
	if err != nil {
		panic("methods: its own pattern is wrong: " + err.Error())
	}
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			panic("methods: an embedded file cannot be read: " + err.Error())
		}
		b.WriteString(name + "\n")
		b.Write(text)
	}
	b.WriteString(statistics.Source())
	return b.String()
}

// numbers gives a list of DOUBLE as it was scanned, NaN where it holds NULL;
// nil for a list that is NULL.
func numbers(list any) []float64 {
	values, _ := list.([]any)
	if values == nil {
		return nil
	}
	known := make([]float64, len(values))
	for i, value := range values {
		number, ok := value.(float64)
		if !ok {
			number = math.NaN()
		}
		known[i] = number
	}
	return known
}

// Package sample writes synthetic sources in the publishers' formats, for a first minute without real data.
//
// A pipeline's name, a number of schools and a seed come in. What goes out are files as a ministry or a statistics
// office would hand them over (their columns, encodings, line ends and usual faults), together with the truth behind
// them (METHODS 12) in a folder of its own, so that tests can score an imputation against what it could not see.
//
// It never holds a real row, key or name of a school; never reads a clock, a random source or a map's order, so that
// one seed gives the same bytes everywhere; and never looks at what the rest of the program does with the files.
package sample

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// Options say how large the sample is and which of the many possible samples it is.
type Options struct {
	// Schools is, for mx, the number of distinct primary and secondary school-shifts in the registry, exactly;
	// preschools, upper secondary schools and duplicate rows come on top. At most 1,403,920. For np it is the number
	// of schools, never fewer than one for each of the 77 districts, at most 40,000. Zero means 5,000.
	Schools int
	// Seed chooses the sample. Empty means "tamiz".
	Seed string
	// Plain writes the same tables, cell by cell, as UTF-8 text with line feeds, without byte order marks, archives
	// and workbooks. Separators stay: what a publisher separates by tabs stays so.
	Plain bool
}

const (
	defaultSchools = 5000
	defaultSeed    = "tamiz"
	// A country has 140,392 primary and secondary schools; ten countries are the most that the keys are made for.
	mostSchools = 10 * 140_392
)

// Write writes the synthetic sources of a pipeline ("mx" or "np") below dir, in a folder for each source, and gives
// the paths of the files, sorted. Files of the same names are replaced. It calls progress, which may be nil, now and
// then with the units of work done and to do.
func Write(
	ctx context.Context, pipeline, dir string, options Options, progress func(done, total int),
) ([]string, error) {
	if options.Schools < 0 {
		return nil, fmt.Errorf("sample %s: %d schools: the number must be 1 or more", pipeline, options.Schools)
	}
	options.Schools = cmp.Or(options.Schools, defaultSchools)
	options.Seed = cmp.Or(options.Seed, defaultSeed)
	press := &press{ctx: ctx, dir: dir, progress: progress, plain: options.Plain}
	var err error
	switch pipeline {
	case "mx":
		err = writeMexico(press, options)
	case "np":
		err = writeNepal(press, options)
	default:
		err = fmt.Errorf("there is no synthetic sample of it, only of mx and np")
	}
	if err != nil {
		return nil, fmt.Errorf("sample %s: %w", pipeline, err)
	}
	press.finish()
	slices.Sort(press.paths)
	return press.paths, nil
}

// AsOf gives the day on which the sample of a pipeline is looked at, such as
// 2021-08-29: the synthetic deaths end soon after it. Empty where the sample
// has no such day.
func AsOf(pipeline string) string {
	if pipeline == "mx" {
		return "2021-08-29"
	}
	return ""
}

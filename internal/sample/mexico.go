package sample

import "fmt"

// writeMexico writes the sources of the pipeline mx and the truth behind them.
func writeMexico(p *press, options Options) error {
	if options.Schools > mostSchools {
		return fmt.Errorf("%d schools are more than %d: ask for fewer schools", options.Schools, mostSchools)
	}
	// The schools are walked five times: drawn, then once for each source that has a row for them.
	p.total = 5 * options.Schools
	w, err := newWorld(p, options)
	if err != nil {
		return err
	}
	// The longest first, so that no processor is left alone with it at the end.
	tasks := []func(*press) error{w.writeCensus, w.writeRegistry}
	for from := 0; from < len(w.schools); {
		to := from
		for to < len(w.schools) && w.stateOf(to) == w.stateOf(from) {
			to++
		}
		schools := span{from, to}
		tasks = append(tasks, func(p *press) error { return w.writePlanea(p, schools) })
		from = to
	}
	return p.each(append(tasks,
		w.writeTruth,
		w.writeUrbanMargin,
		w.writeBuildings,
		w.writeDeathsINEGI,
		w.writeDeathsSSA,
		w.writeMunicipalMargin,
	))
}

package sample

// writeMexico writes the sources of the pipeline mx and the truth behind them.
func writeMexico(p *press, options Options) error {
	// The schools are walked five times: drawn, then once for each file that has a row for them.
	p.total = 5 * options.Schools
	w, err := newWorld(p, options)
	if err != nil {
		return err
	}
	for _, write := range []func(*press) error{
		w.writeRegistry,
		w.writePlanea,
		w.writeCensus,
		w.writeBuildings,
		w.writeMunicipalMargin,
		w.writeUrbanMargin,
		w.writeDeaths,
		w.writeTruth,
	} {
		if err := write(p); err != nil {
			return err
		}
	}
	return nil
}

package methods

import (
	"context"
	"fmt"
	"math"

	"tamiz/internal/u01"
	"tamiz/transform/statistics"
)

// imputationMatches gives each recipient the method that its stratum uses, and
// what that method needs: for PMM and KNN the ids of the k donors, the nearest
// first, and m draws of one of them (positions from 0); for EB and OWN_YEAR a
// value, its spread, and m standard normal numbers to draw with (METHODS 4). A
// recipient for which no method may be used has no method.
var imputationMatches = Method{
	Inputs: []Role{unitRole, parameterRole, {
		Name: "fits",
		Columns: []Column{
			{"stratum", "VARCHAR"}, {"known", "VARCHAR"}, {"shrunk_mean", "DOUBLE"}, {"shrunk_spread", "DOUBLE"},
			{"shrunk_chance", "DOUBLE"}, {"intercept", "DOUBLE"},
			{"coefficients", "DOUBLE[]"}, {"covariate_means", "DOUBLE[]"},
			{"residual_variance", "DOUBLE"}, {"noise_variance", "DOUBLE"},
		},
		Key: []string{"stratum", "known"},
	}, {
		Name:    "choices",
		Columns: []Column{{"mask", "VARCHAR"}, {"stratum", "VARCHAR"}, {"method", "VARCHAR"}, {"is_used", "BOOLEAN"}},
		Key:     []string{"mask", "stratum", "method"},
	}},
	Output: []Column{
		{"unit_id", "VARCHAR"}, {"method", "VARCHAR"}, {"stratum", "VARCHAR"},
		{"fitted_eta", "DOUBLE"}, {"own_weight", "DOUBLE"},
		{"donors", "VARCHAR[]"}, {"drawn_places", "BIGINT[]"},
		{"value", "DOUBLE"}, {"spread", "DOUBLE"}, {"drawn_normals", "DOUBLE[]"}, {"unit_count", "BIGINT"},
	},
	Run: func(ctx context.Context, in Reader, out Writer) error {
		p, err := readParameters(ctx, in)
		if err != nil {
			return err
		}
		units, err := readImputees(ctx, in)
		if err != nil {
			return err
		}
		units.setAreaMeans(nil)
		m := &matching{units: units, strata: stratify(units, p.minDonors), p: p, out: out}
		if err := m.readFits(ctx, in); err != nil {
			return err
		}
		if err := m.readChoices(ctx, in); err != nil {
			return err
		}
		return m.write()
	},
}

// fitted is a line of the fits.
type fitted struct {
	line            statistics.Line
	means           []float64
	residual, noise float64
}

type matching struct {
	units   *imputees
	strata  *stratified
	p       imputeParameters
	out     Writer
	fits    []map[string]fitted // by stratum and pattern of known covariates
	shrunk  []shrunk            // by stratum
	choices []string            // by stratum
}

func (m *matching) readFits(ctx context.Context, in Reader) error {
	m.fits, m.shrunk = make([]map[string]fitted, len(m.units.strata.texts)), make([]shrunk, len(m.units.strata.texts))
	var stratum, known string
	var mean, spread, chance, intercept, residual, noise nullableFloat
	var coefficients, means any
	targets := []any{&stratum, &known, &mean, &spread, &chance, &intercept, &coefficients, &means, &residual, &noise}
	return in.Rows(ctx, "fits", targets, func() error {
		at, found := m.units.strata.numbers[stratum]
		if !found {
			return nil // a pool
		}
		m.shrunk[at] = shrunk{value: mean.value, spread: spread.value, chance: chance.value, known: mean.known}
		fit := fitted{residual: residual.value, noise: noise.value}
		fit.line.Intercept = intercept.value
		var err error
		if fit.line.Coefficients, err = numbersOf(coefficients); err == nil {
			fit.means, err = numbersOf(means)
		}
		if err != nil {
			return fmt.Errorf("imputation: the fit of stratum %s: %w", stratum, err)
		}
		if m.fits[at] == nil {
			m.fits[at] = map[string]fitted{}
		}
		m.fits[at][known] = fit
		return nil
	})
}

func numbersOf(list any) ([]float64, error) {
	values, _ := list.([]any)
	numbers := make([]float64, len(values))
	for i, value := range values {
		var number nullableFloat
		if err := number.Scan(value); err != nil || !number.known {
			return nil, fmt.Errorf("want numbers, found %v", value)
		}
		numbers[i] = number.value
	}
	return numbers, nil
}

func (m *matching) readChoices(ctx context.Context, in Reader) error {
	m.choices = make([]string, len(m.units.strata.texts))
	var mask, stratum, method string
	var used nullableBool
	return in.Rows(ctx, "choices", []any{&mask, &stratum, &method, &used}, func() error {
		if at, known := m.units.strata.numbers[stratum]; known && mask == maskPropensity && bool(used) {
			m.choices[at] = method
		}
		return nil
	})
}

// write gives the rows, stratum by stratum, so that only one stratum's donors
// are arranged at a time.
func (m *matching) write() error {
	u := m.units
	recipients := make([][]int32, len(u.strata.texts))
	for i := range u.ids {
		if u.gives[i] {
			continue
		}
		stratum := u.coarsest(i)
		if used := m.strata.used[i]; used >= 0 {
			stratum = used
		}
		recipients[stratum] = append(recipients[stratum], int32(i))
	}
	for stratum, list := range recipients {
		if len(list) == 0 {
			continue
		}
		if err := m.writeStratum(int32(stratum), list); err != nil {
			return fmt.Errorf("imputation: match in stratum %s: %w", u.strata.texts[stratum], err)
		}
	}
	return nil
}

func (m *matching) writeStratum(stratum int32, recipients []int32) error {
	u := m.units
	lines := map[string]*statistics.PMM{}
	var near *statistics.KNN
	if m.choices[stratum] == methodKNN {
		var err error
		if near, err = statistics.FitKNN(m.strata.donorUnits(stratum, nil, columns(u.width+1))); err != nil {
			return err
		}
	}
	for _, i := range recipients {
		row := match{id: u.ids[i], stratum: u.strata.texts[stratum]}
		shrunken := m.shrunk[u.stratum(int(i), 0)]
		var err error
		switch {
		case !math.IsNaN(u.yearly[2*i]):
			row.method, row.value, row.spread = methodOwnYear, u.yearly[2*i], u.yearly[2*i+1]
		case m.choices[stratum] == methodPMM:
			err = m.byMeans(&row, stratum, int(i), lines)
		case near != nil:
			row.method = methodKNN
			row.donors, err = near.Match(u.unit(int(i), columns(u.width+1)), int(m.p.donors))
		case m.choices[stratum] == methodEB && shrunken.known:
			row.method = methodEB
			row.value, row.spread, row.weight = withOwn(shrunken, u.score[i], u.count[i])
		}
		if err != nil {
			return err
		}
		if row.method == methodKNN && len(row.donors) == 0 {
			row.method = "" // nothing is known that another could be near to
		}
		if err := m.append(row); err != nil {
			return err
		}
	}
	return nil
}

// byMeans matches a recipient by predictive means, on the line of those that
// have the same covariates; lines keeps the donors arranged on each.
func (m *matching) byMeans(row *match, stratum int32, i int, lines map[string]*statistics.PMM) error {
	u, known := m.units, m.units.known(i)
	pattern := u.pattern(known)
	fit, found := m.fits[stratum][pattern]
	if !found {
		return fmt.Errorf("the fits have no line for the covariates %s, as %s has them", pattern, row.id)
	}
	if lines[pattern] == nil {
		var err error
		if lines[pattern], err = statistics.PMMOf(fit.line, fit.means, m.strata.donorUnits(stratum, nil, known)); err != nil {
			return err
		}
	}
	fitted, err := lines[pattern].Fitted(u.masked(i, known))
	if err != nil {
		return err
	}
	row.weight = ownWeight(fit.residual, fit.noise, u.eta[i], u.count[i])
	if row.weight > 0 {
		fitted += row.weight * (u.eta[i] - fitted)
	}
	row.method, row.fitted, row.donors = methodPMM, fitted, lines[pattern].Match(fitted, int(m.p.donors))
	return nil
}

// match is a recipient's row.
type match struct {
	id, method, stratum           string
	fitted, weight, value, spread float64
	donors                        []statistics.Donor
}

func (m *matching) append(row match) error {
	values := []any{row.id, textOrNull(row.method), row.stratum, nil, row.weight, nil, nil, nil, nil, nil, int64(1)}
	switch row.method {
	case "":
		values[4] = nil
	case methodPMM, methodKNN:
		if row.method == methodPMM {
			values[3] = row.fitted
		}
		ids := make([]string, len(row.donors))
		for at, donor := range row.donors {
			ids[at] = donor.Unit.ID
		}
		places := make([]int64, 0, m.p.draws)
		for _, place := range statistics.Draws(m.p.seedText(), row.id, len(ids), int(m.p.draws)) {
			places = append(places, int64(place))
		}
		values[5], values[6] = ids, places
	default:
		head := u01.Head(m.p.seedText()).Text("|").Text(row.id).Text("|")
		normals := make([]float64, m.p.draws)
		for t := range normals {
			normals[t] = head.Int(t + 1).Normal()
		}
		values[7], values[8], values[9] = row.value, row.spread, normals
	}
	return m.out.Append(values...)
}

// withOwn is a shrunken mean with the unit's own unreliable score beside it,
// each counting by what it leaves open.
func withOwn(prior shrunk, score, count float64) (value, spread, weight float64) {
	variance := prior.value * (1 - prior.value) / math.Max(count, 1)
	between := prior.spread*prior.spread - prior.chance*prior.chance
	if math.IsNaN(score) || count <= 0 || variance <= 0 || between <= 0 {
		return prior.value, prior.spread, 0
	}
	weight = between / (between + variance)
	return prior.value + weight*(score-prior.value), math.Sqrt(between * (1 - weight)), weight
}

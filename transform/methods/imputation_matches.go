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
			{"stratum", "VARCHAR"}, {"shrunk_mean", "DOUBLE"}, {"shrunk_spread", "DOUBLE"}, {"intercept", "DOUBLE"},
			{"coefficients", "DOUBLE[]"}, {"covariate_means", "DOUBLE[]"},
			{"residual_variance", "DOUBLE"}, {"noise_variance", "DOUBLE"},
		},
		Key: []string{"stratum"},
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

// fitted is a row of the fits.
type fitted struct {
	line            statistics.Line
	means           []float64
	residual, noise float64
	shrunk          shrunk
}

type matching struct {
	units   *imputees
	strata  *stratified
	p       imputeParameters
	out     Writer
	fits    []fitted // by stratum
	choices []string // by stratum
}

func (m *matching) readFits(ctx context.Context, in Reader) error {
	m.fits = make([]fitted, len(m.units.strata.texts))
	var stratum string
	var mean, spread, intercept, residual, noise nullableFloat
	var coefficients, means any
	targets := []any{&stratum, &mean, &spread, &intercept, &coefficients, &means, &residual, &noise}
	return in.Rows(ctx, "fits", targets, func() error {
		at, known := m.units.strata.numbers[stratum]
		if !known {
			return nil // a pool
		}
		fit := fitted{residual: residual.value, noise: noise.value, shrunk: shrunk{value: mean.value, spread: spread.value, known: mean.known}}
		fit.line.Intercept = intercept.value
		var err error
		if fit.line.Coefficients, err = numbersOf(coefficients); err == nil {
			fit.means, err = numbersOf(means)
		}
		if err != nil {
			return fmt.Errorf("imputation: the fit of stratum %s: %w", stratum, err)
		}
		m.fits[at] = fit
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
	u, fit := m.units, m.fits[stratum]
	var pmm *statistics.PMM
	var near *statistics.KNN
	var err error
	switch m.choices[stratum] {
	case methodPMM:
		pmm, err = statistics.PMMOf(fit.line, fit.means, m.strata.donorUnits(stratum, nil, false))
	case methodKNN:
		near, err = statistics.FitKNN(m.strata.donorUnits(stratum, nil, true))
	}
	if err != nil {
		return err
	}
	for _, i := range recipients {
		row := match{id: u.ids[i], stratum: u.strata.texts[stratum]}
		shrunken := m.fits[u.stratum(int(i), 0)].shrunk
		switch {
		case !math.IsNaN(u.yearly[2*i]):
			row.method, row.value, row.spread = methodOwnYear, u.yearly[2*i], u.yearly[2*i+1]
		case pmm != nil:
			row.method = methodPMM
			fitted, err := pmm.Fitted(u.masked(int(i), false))
			if err != nil {
				return err
			}
			row.weight = ownWeight(fit.residual, fit.noise, u.eta[i], u.count[i])
			if row.weight > 0 {
				fitted += row.weight * (u.eta[i] - fitted)
			}
			row.fitted, row.donors = fitted, pmm.Match(fitted, int(m.p.donors))
		case near != nil:
			row.method = methodKNN
			if row.donors, err = near.Match(u.unit(int(i), true), int(m.p.donors)); err != nil {
				return err
			}
		case m.choices[stratum] == methodEB && shrunken.known:
			row.method = methodEB
			row.value, row.spread, row.weight = withOwn(shrunken, u.score[i], u.count[i])
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
	if math.IsNaN(score) || count <= 0 || prior.spread == 0 {
		return prior.value, prior.spread, 0
	}
	variance := prior.value * (1 - prior.value) / count
	between := prior.spread * prior.spread
	if variance == 0 {
		return prior.value, prior.spread, 0
	}
	weight = between / (between + variance)
	return prior.value + weight*(score-prior.value), math.Sqrt(between * (1 - weight)), weight
}

package methods

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"tamiz/transform/statistics"
)

// The imputation of missing scores (METHODS 4) is three steps and a proof:
// imputation_fits (stratum → coefficients), imputation_validation (which
// method may be used where), imputation_matches (recipient → donors). All
// three read the same units.

// unitRole is what imputation may know of units: see imputees.
var unitRole = Role{
	Name: "units",
	Columns: []Column{
		{"unit_id", "VARCHAR"}, {"pool", "VARCHAR"}, {"strata", "VARCHAR[]"}, {"area", "VARCHAR"},
		{"score", "DOUBLE"}, {"score_count", "DOUBLE"}, {"can_give", "BOOLEAN"}, {"can_receive", "BOOLEAN"},
		{"own_year_value", "DOUBLE"}, {"own_year_spread", "DOUBLE"}, {"covariates", "DOUBLE[]"},
	},
	Key: []string{"unit_id"},
}

// parameterRole is the method's one row of parameters.
var parameterRole = Role{
	Name: "parameters",
	Columns: []Column{
		{"donors", "BIGINT"}, {"draws", "BIGINT"}, {"seed", "BIGINT"}, {"min_donors", "BIGINT"},
		{"mask_share", "DOUBLE"}, {"min_judged", "BIGINT"}, {"max_judged", "BIGINT"},
	},
	Key: []string{"seed"},
}

// imputeParameters are the rows' meaning as config/<pipeline>/method.yml says it.
type imputeParameters struct {
	donors, draws, seed, minDonors, minJudged, maxJudged int64
	maskShare                                            float64
}

func readParameters(ctx context.Context, in Reader) (imputeParameters, error) {
	var p imputeParameters
	rows := 0
	err := in.Rows(ctx, parameterRole.Name, []any{&p.donors, &p.draws, &p.seed, &p.minDonors, &p.maskShare, &p.minJudged, &p.maxJudged}, func() error {
		rows++
		return nil
	})
	if err == nil && (rows != 1 || p.donors < 1 || p.draws < 2 || p.minDonors < p.donors || p.maskShare <= 0 || p.maskShare >= 1 || p.minJudged < 1 || p.maxJudged < p.minJudged) {
		err = errors.New("imputation: want one row of parameters, with donors ≥ 1, draws ≥ 2, min_donors ≥ donors, " +
			"0 < mask_share < 1 and 1 ≤ min_judged ≤ max_judged")
	}
	return p, err
}

func (p imputeParameters) seedText() string { return strconv.FormatInt(p.seed, 10) }

// names turns texts into small numbers, in the order in which they come.
type names struct {
	texts   []string
	numbers map[string]int32
}

func (n *names) number(text string) int32 {
	number, known := n.numbers[text]
	if !known {
		if n.numbers == nil {
			n.numbers = map[string]int32{}
		}
		number = int32(len(n.texts))
		n.texts = append(n.texts, text)
		n.numbers[text] = number
	}
	return number
}

// imputees holds the units that can give or receive, column by column, in the
// order of their ids: a million of them take some 150 MB.
type imputees struct {
	ids     []string
	pools   names
	pool    []int32
	strata  names
	steps   int     // strata a unit, the finest first
	chain   []int32 // unit × steps
	poolOf  []int32 // of a stratum
	stepOf  []int32 // of a stratum
	firstOf []int32 // the first unit of a stratum, whose coarser strata are the stratum's
	areas   names
	area    []int32 // −1: unknown
	gives   []bool
	score   []float64 // NaN: unknown
	count   []float64 // 0: unknown
	eta     []float64 // logit of score; NaN: unknown
	yearly  []float64 // own_year_value, own_year_spread; NaN: unknown
	// x holds, unit × (width+1), the covariates, the mean of the others' eta in the area, and the unit's own eta,
	// which is the last. missing says which are unknown.
	width   int
	x       []float64
	missing []bool
}

func (u *imputees) size() int { return len(u.ids) }

// stratum gives the unit's stratum at a step.
func (u *imputees) stratum(i, step int) int32 { return u.chain[i*u.steps+step] }

// coarsest is the unit's last stratum.
func (u *imputees) coarsest(i int) int32 { return u.stratum(i, u.steps-1) }

type nullableFloat struct {
	value float64
	known bool
}

// Scan takes what a database gives.
func (f *nullableFloat) Scan(value any) error {
	f.value, f.known = 0, value != nil
	if !f.known {
		return nil
	}
	number, ok := value.(float64)
	if !ok || math.IsNaN(number) || math.IsInf(number, 0) {
		return fmt.Errorf("%v is no number", value)
	}
	f.value = number
	return nil
}

func (f nullableFloat) orNaN() float64 {
	if f.known {
		return f.value
	}
	return math.NaN()
}

// nullableText and nullableBool take NULL as "" and false.
type nullableText string

// Scan takes what a database gives.
func (t *nullableText) Scan(value any) error {
	text, _ := value.(string)
	*t = nullableText(text)
	return nil
}

type nullableBool bool

// Scan takes what a database gives.
func (b *nullableBool) Scan(value any) error {
	truth, _ := value.(bool)
	*b = nullableBool(truth)
	return nil
}

// readImputees reads the units that can give or receive.
func readImputees(ctx context.Context, in Reader) (*imputees, error) {
	u := &imputees{width: -1}
	var id string
	var pool, area nullableText
	var strata, covariates any
	var score, count, yearValue, yearSpread nullableFloat
	var gives, receives nullableBool
	targets := []any{&id, &pool, &strata, &area, &score, &count, &gives, &receives, &yearValue, &yearSpread, &covariates}
	err := in.Rows(ctx, unitRole.Name, targets, func() error {
		if pool == "" || !bool(gives) && !bool(receives) {
			return nil
		}
		if bool(gives) && (!score.known || score.value < 0 || score.value > 1) {
			return fmt.Errorf("imputation: %s can give, and has no score between 0 and 1", id)
		}
		if err := u.addStrata(string(pool), strata); err != nil {
			return fmt.Errorf("imputation: %s: %w", id, err)
		}
		u.ids = append(u.ids, id)
		u.gives = append(u.gives, bool(gives))
		at := int32(-1)
		if area != "" {
			at = u.areas.number(string(pool) + "|" + string(area))
		}
		u.area = append(u.area, at)
		u.score = append(u.score, score.orNaN())
		u.count = append(u.count, count.value)
		eta := math.NaN()
		if score.known {
			eta = statistics.Logit(score.value, count.value)
		}
		u.eta = append(u.eta, eta)
		u.yearly = append(u.yearly, yearValue.orNaN(), yearSpread.orNaN())
		if err := u.addCovariates(covariates, eta); err != nil {
			return fmt.Errorf("imputation: %s: %w", id, err)
		}
		return nil
	})
	if u.width < 0 {
		u.width = 1 // without units, only the mean of the area
	}
	return u, err
}

func (u *imputees) addStrata(pool string, strata any) error {
	list, _ := strata.([]any)
	if len(list) == 0 || u.steps != 0 && len(list) != u.steps {
		return fmt.Errorf("it has %d strata, not %d", len(list), u.steps)
	}
	u.steps = len(list)
	at := u.pools.number(pool)
	u.pool = append(u.pool, at)
	for step, value := range list {
		text, ok := value.(string)
		if !ok {
			return fmt.Errorf("its stratum %d is unknown", step+1)
		}
		stratum := u.strata.number(text)
		if int(stratum) == len(u.poolOf) {
			u.poolOf, u.stepOf = append(u.poolOf, at), append(u.stepOf, int32(step))
			u.firstOf = append(u.firstOf, int32(len(u.ids)))
		}
		u.chain = append(u.chain, stratum)
	}
	return nil
}

func (u *imputees) addCovariates(covariates any, eta float64) error {
	list, _ := covariates.([]any)
	if u.width >= 0 && len(list)+1 != u.width {
		return fmt.Errorf("it has %d covariates, not %d", len(list), u.width-1)
	}
	u.width = len(list) + 1
	for _, value := range list {
		var number nullableFloat
		if err := number.Scan(value); err != nil {
			return fmt.Errorf("its covariates: %w", err)
		}
		u.x, u.missing = append(u.x, number.value), append(u.missing, !number.known)
	}
	u.x = append(u.x, 0, 0)
	u.missing = append(u.missing, true, math.IsNaN(eta))
	if !math.IsNaN(eta) {
		u.x[len(u.x)-1] = eta
	}
	return nil
}

// setAreaMeans gives each unit the mean eta of the other donors of its area
// and pool; hidden units (nil: none) are no donors.
func (u *imputees) setAreaMeans(hidden []bool) {
	sums, counts := make([]float64, len(u.areas.texts)), make([]float64, len(u.areas.texts))
	seen := func(i int) bool { return u.gives[i] && (hidden == nil || !hidden[i]) && u.area[i] >= 0 }
	for i := range u.ids {
		if seen(i) {
			sums[u.area[i]] += u.eta[i]
			counts[u.area[i]]++
		}
	}
	for i := range u.ids {
		at := i*(u.width+1) + u.width - 1
		u.x[at], u.missing[at] = 0, true
		if u.area[i] < 0 {
			continue
		}
		sum, count := sums[u.area[i]], counts[u.area[i]]
		if seen(i) {
			sum, count = sum-u.eta[i], count-1
		}
		if count > 0 {
			u.x[at], u.missing[at] = sum/count, false
		}
	}
}

// columns numbers the first n columns of x.
func columns(n int) []int {
	list := make([]int, n)
	for j := range list {
		list[j] = j
	}
	return list
}

// known lists the covariates of a unit that are known.
func (u *imputees) known(i int) []int {
	list := make([]int, 0, u.width)
	for j := range u.width {
		if !u.missing[i*(u.width+1)+j] {
			list = append(list, j)
		}
	}
	return list
}

// pattern writes columns as text: 1 known, 0 unknown, by covariate.
func (u *imputees) pattern(columns []int) string {
	text := bytes.Repeat([]byte("0"), u.width)
	for _, j := range columns {
		text[j] = '1'
	}
	return string(text)
}

// unit gives a unit with some of its columns, in ascending order, as
// statistics wants it.
func (u *imputees) unit(i int, columns []int) statistics.Unit {
	from, n := i*(u.width+1), len(columns)
	unit := statistics.Unit{ID: u.ids[i], Y: u.score[i], N: u.count[i]}
	var missing []bool
	if n == 0 || columns[n-1] == n-1 { // all of the first: nothing is copied
		unit.X, missing = u.x[from:from+n:from+n], u.missing[from:from+n:from+n]
	} else {
		unit.X, missing = make([]float64, n), make([]bool, n)
		for at, j := range columns {
			unit.X[at], missing[at] = u.x[from+j], u.missing[from+j]
		}
	}
	if slices.Contains(missing, true) {
		unit.Missing = missing
	}
	return unit
}

// masked is the unit without what is known of its score.
func (u *imputees) masked(i int, columns []int) statistics.Unit {
	unit := u.unit(i, columns)
	if n := len(columns); n > 0 && columns[n-1] == u.width { // its own eta
		unit.Missing = make([]bool, n)
		for at, j := range columns {
			unit.Missing[at] = j == u.width || u.missing[i*(u.width+1)+j]
		}
	}
	unit.Y, unit.N = 0, 0
	return unit
}

// areaScores gives the mean score of each area's donors that are not hidden.
func (u *imputees) areaScores(hidden []bool) []moments {
	areas := make([]moments, len(u.areas.texts))
	for i := range u.ids {
		if u.gives[i] && !hidden[i] && u.area[i] >= 0 {
			area := &areas[u.area[i]]
			area.n++
			area.mean += (u.score[i] - area.mean) / area.n
		}
	}
	return areas
}

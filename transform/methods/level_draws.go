package methods

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"math/bits"
	"strings"

	"tamiz/transform/statistics"
)

// levelSlack lets a weighted mean that rounding puts a hair below a cut point
// count as on it: parts that are all 0.55 have the mean 0.55 under any weights.
const levelSlack = 1e-12

// levelDraws asks of each unit how often its level would stay the same under
// other weights (METHODS 2.3, 5.5): in draw t the weights of the parts are flat
// Dirichlet weights, the same for all units, and an imputed first part takes
// value t mod m of its m draws. Whether enough is known is not drawn: a unit
// without a nominal level has no draws.
//
// Weights of an index are numbered from first_weight on, so that two indices
// drawn beside each other are independent: draw t of both is one draw of all.
var levelDraws = Method{
	Inputs: []Role{
		{Name: "units", Key: []string{"unit_id"}, Columns: []Column{
			{"unit_id", "VARCHAR"},
			{"index_name", "VARCHAR"},    // which row of parameters is its
			{"parts", "DOUBLE[]"},        // NULL where unknown
			{"first_draws", "DOUBLE[]"},  // of the first part if it is imputed, else NULL
			{"factor", "DOUBLE"},         // the mean is multiplied by it, and held between 0 and 1
			{"nominal_level", "VARCHAR"}, // L, M, H or NULL
			{"is_forced", "BOOLEAN"},     // L whatever the value
		}},
		{Name: "parameters", Key: []string{"index_name"}, Columns: []Column{
			{"index_name", "VARCHAR"}, {"parts", "BIGINT"}, {"first_weight", "BIGINT"},
			{"medium_from", "DOUBLE"}, {"high_from", "DOUBLE"}, {"draws", "BIGINT"},
		}},
	},
	Output: []Column{
		{"unit_id", "VARCHAR"},
		{"same_level", "UBIGINT[]"}, // bit t mod 64 of word t / 64 is set if draw t has the nominal level
		{"same_level_share", "DOUBLE"},
		{"low_share", "DOUBLE"}, {"medium_share", "DOUBLE"}, {"high_share", "DOUBLE"},
	},
	Run: runLevelDraws,
}

func runLevelDraws(ctx context.Context, in Reader, out Writer) error {
	drawers := map[string]*levelDrawer{}
	var name string
	var parts, firstWeight, draws int64
	var medium, high float64
	err := in.Rows(ctx, "parameters", []any{&name, &parts, &firstWeight, &medium, &high, &draws}, func() error {
		if parts < 1 || parts > 16 || draws < 1 {
			return fmt.Errorf("parameters of %s: want 1 to 16 parts and at least one draw, not %d and %d", name, parts, draws)
		}
		drawers[name] = newLevelDrawer(int(parts), int(firstWeight), int(draws), medium, high)
		return nil
	})
	if err != nil {
		return err
	}
	var unit string
	var values, firstDraws any
	var factor float64
	var nominal sql.NullString
	var forced bool
	return in.Rows(ctx, "units", []any{&unit, &name, &values, &firstDraws, &factor, &nominal, &forced}, func() error {
		drawer := drawers[name]
		if drawer == nil {
			return fmt.Errorf("unit %s is of index %s, which has no parameters", unit, name)
		}
		if !nominal.Valid {
			return out.Append(unit, nil, nil, nil, nil, nil)
		}
		known := numbers(values)
		if len(known) != drawer.parts {
			return fmt.Errorf("unit %s has %d parts, its index %s has %d", unit, len(known), name, drawer.parts)
		}
		level := strings.Index(levelLetters, nominal.String)
		if len(nominal.String) != 1 || level < 0 {
			return fmt.Errorf("unit %s has level %q, want L, M or H", unit, nominal.String)
		}
		same, counts := drawer.draw(known, numbers(firstDraws), factor, forced, level)
		share := func(n int) float64 { return float64(n) / float64(drawer.draws) }
		return out.Append(unit, same, share(counts[level]), share(counts[0]), share(counts[1]), share(counts[2]))
	})
}

// levelDrawer draws levels of one index.
type levelDrawer struct {
	parts, draws int
	medium, high float64              // where M and H begin
	weights      [][]float64          // of each draw, the weight of each part
	known        map[uint][][]float64 // by the set of parts that are known: of each of these, its weight in each draw
	means        []float64            // of each draw, of the unit at hand
}

func newLevelDrawer(parts, firstWeight, draws int, medium, high float64) *levelDrawer {
	d := &levelDrawer{
		parts: parts, draws: draws, known: map[uint][][]float64{}, means: make([]float64, draws),
		medium: medium - levelSlack, high: high - levelSlack,
	}
	for t := range draws {
		d.weights = append(d.weights, statistics.FlatDirichlet(t, firstWeight+parts)[firstWeight:])
	}
	return d
}

// weightsOf rescales the drawn weights to those parts that are known: of each
// part its weight in each draw, nothing for an unknown one.
func (d *levelDrawer) weightsOf(values []float64) [][]float64 {
	set := uint(0)
	for i, value := range values {
		if !math.IsNaN(value) {
			set |= 1 << i
		}
	}
	if scaled, done := d.known[set]; done {
		return scaled
	}
	scaled := make([][]float64, d.parts)
	for _, weights := range d.weights {
		total, count := 0.0, 0.0
		for i, weight := range weights {
			if set&(1<<i) != 0 {
				total, count = total+weight, count+1
			}
		}
		for i, weight := range weights {
			switch {
			case set&(1<<i) == 0:
			case total == 0: // all keys gave 0
				scaled[i] = append(scaled[i], 1/count)
			default:
				scaled[i] = append(scaled[i], weight/total)
			}
		}
	}
	d.known[set] = scaled
	return scaled
}

// draw gives the bits of the draws that keep the nominal level, and how many
// draws come to L, M and H. Unknown parts are NaN. Its loops have no branches:
// they run for every draw of every unit.
func (d *levelDrawer) draw(values, firstDraws []float64, factor float64, forced bool, nominal int) (same []uint64, counts [3]int) {
	clear(d.means)
	if !forced { // the means of a forced unit are 0, which is L
		for i, weights := range d.weightsOf(values) {
			means := d.means[:len(weights)]
			if i == 0 && len(firstDraws) > 0 {
				for t, weight := range weights {
					means[t] = weight * (firstDraws[t%len(firstDraws)] * factor)
				}
				continue
			}
			value := values[i] * factor
			for t, weight := range weights {
				means[t] += weight * value
			}
		}
	}
	same = make([]uint64, (d.draws+63)/64)
	for word := range same {
		means := d.means[64*word : min(64*word+64, d.draws)]
		var fromMedium, fromHigh uint64
		for t, mean := range means {
			fromMedium |= bit(mean >= d.medium) << t
			fromHigh |= bit(mean >= d.high) << t
		}
		levels := [3]uint64{^fromMedium & (1<<len(means) - 1), fromMedium &^ fromHigh, fromHigh}
		same[word] = levels[nominal]
		for level, drawn := range levels {
			counts[level] += bits.OnesCount64(drawn)
		}
	}
	return same, counts
}

func bit(isSet bool) uint64 {
	if isSet {
		return 1
	}
	return 0
}

// levelLetters names the levels from low to high.
const levelLetters = "LMH"

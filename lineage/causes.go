package lineage

import (
	"cmp"
	"math"
	"math/big"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// The groups that causes belong to.
const (
	CauseSources = "sources" // files of a source, or the period that is computed
	CauseMethod  = "method"
	CauseModels  = "models" // SQL, catalogues and source cards
	CauseEngine  = "engine" // what the others do not explain: another Tamiz or DuckDB
)

// World is what comes out where some of the causes are as after and the others
// as before: of the mart that is compared.
type World struct {
	Changed int        // units that differ from those published before
	Means   []*big.Rat // of each index, over the units that have one; nil: none has
	Facts   []*string  // of one unit: its value first; nil: unknown
}

// Cause is something that differs between two snapshots, and its part in what
// came of it.
type Cause struct {
	Name    string      `json:"cause"`
	Groups  []string    `json:"groups"`
	Differs []string    `json:"differs"` // in words
	Units   Part        `json:"units"`   // of the units that changed
	Alone   *int        `json:"changed_alone,omitempty"`
	Indices []IndexPart `json:"indices"` // of the change of each index's mean
}

// Part is a cause's share in a change. It may be negative: a cause can undo
// what others do.
type Part struct {
	Value float64 `json:"value"`
	Exact string  `json:"exact"` // as a fraction; the parts add up exactly
}

// IndexPart is a cause's part in the change of an index's mean; nil if some
// world has no mean.
type IndexPart struct {
	Index string `json:"index"`
	Part  *Part  `json:"part"`
}

// Attribution splits what differs between two snapshots among what caused it.
type Attribution struct {
	Causes    []Cause  `json:"causes"`             // the largest part first, the engine last
	Units     int      `json:"units"`              // that changed: the sum of their parts
	Unrelated []string `json:"unrelated"`          // differ, but the mart does not stand on them
	Worlds    int      `json:"worlds"`             // combinations of causes that were compared
	Run       int      `json:"worlds_run"`         // of them: had to be computed
	Notes     []string `json:"notes"`              // what stands in for what, and what could not be separated
	Failed    string   `json:"not_told,omitempty"` // why causes cannot be told
}

// Shapley splits the change of a figure among k causes. In come the figures of
// all 2^k worlds: figures[s] is that of the world where the causes in the bit
// set s are as after, and the others as before. A cause's part is what changing
// it does, on average over all orders in which the causes can be changed one
// after another: the sum, over the sets s without it, of
//
//	|s|! (k-|s|-1)! / k! · (figures[s with it] - figures[s])
//
// The parts are exact, and add up to the change from the first world to the last
// (Shorrocks, A. F. (2013): Decomposition procedures for distributional
// analysis: a unified framework based on the Shapley value. Journal of Economic
// Inequality 11, 99-126).
func Shapley(figures []*big.Rat) []*big.Rat {
	k := bits.Len(uint(len(figures))) - 1
	parts := make([]*big.Rat, k)
	for i := range parts {
		parts[i] = new(big.Rat)
		for s := range figures {
			if s&(1<<i) != 0 {
				continue
			}
			size := bits.OnesCount(uint(s))
			weight := new(big.Rat).SetFrac(new(big.Int).Mul(factorial(size), factorial(k-size-1)), factorial(k))
			step := new(big.Rat).Sub(figures[s|1<<i], figures[s])
			parts[i].Add(parts[i], step.Mul(step, weight))
		}
	}
	return parts
}

func factorial(n int) *big.Int { return new(big.Int).MulRange(1, int64(n)) }

// split gives the parts of all causes, then the engine's: what the present
// engine makes of the first world that was published otherwise, and likewise
// of the last. It gives nil if a figure is unknown.
func split(before, after *big.Rat, figures []*big.Rat) []Part {
	if before == nil || after == nil || slices.Contains(figures, nil) {
		return nil
	}
	engine := new(big.Rat).Sub(figures[0], before)
	engine.Add(engine, after).Sub(engine, figures[len(figures)-1])
	var parts []Part
	for _, part := range append(Shapley(figures), engine) {
		value, _ := part.Float64()
		parts = append(parts, Part{Value: value, Exact: part.RatString()})
	}
	return parts
}

// IsNone reports whether a cause has no part.
func (p Part) IsNone() bool { return p.Exact == "0" || p.Exact == "" }

// Attribute splits what changed among causes: the number of units that differ
// from those published before, and the mean of each index. Worlds are those of
// all sets of causes (see [Shapley]); before and after are what was published.
// The engine is added as the last cause.
func Attribute(causes []Cause, indices []string, before, after World, worlds []World) []Cause {
	count := func(w World) *big.Rat { return big.NewRat(int64(w.Changed), 1) }
	units := split(count(before), count(after), figuresOf(worlds, count))
	all := append(slices.Clone(causes), Cause{Name: CauseEngine, Groups: []string{CauseEngine}, Differs: []string{}})
	for i := range all {
		all[i].Units, all[i].Indices = units[i], []IndexPart{}
		if i < len(causes) {
			alone := worlds[1<<i].Changed
			all[i].Alone = &alone
		}
	}
	for at, index := range indices {
		mean := func(w World) *big.Rat { return w.Means[at] }
		parts := split(mean(before), mean(after), figuresOf(worlds, mean))
		for i := range all {
			one := IndexPart{Index: index}
			if parts != nil {
				one.Part = &parts[i]
			}
			all[i].Indices = append(all[i].Indices, one)
		}
	}
	return all
}

func figuresOf(worlds []World, figure func(World) *big.Rat) []*big.Rat {
	var figures []*big.Rat
	for _, w := range worlds {
		figures = append(figures, figure(w))
	}
	return figures
}

// ByPart orders causes for people: the largest part in units first, then in the
// indices; the engine last.
func ByPart(causes []Cause) {
	weight := func(c Cause) float64 {
		sum := 0.0
		for _, index := range c.Indices {
			if index.Part != nil {
				sum += math.Abs(index.Part.Value)
			}
		}
		return sum
	}
	rank := func(c Cause) int {
		if c.Name == CauseEngine {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(causes, func(a, b Cause) int {
		return cmp.Or(rank(a)-rank(b), cmp.Compare(math.Abs(b.Units.Value), math.Abs(a.Units.Value)), cmp.Compare(weight(b), weight(a)), strings.Compare(a.Name, b.Name))
	})
}

// Number reads a figure as DuckDB writes it; nil if the text is none.
func Number(text *string) *big.Rat {
	const longest = 40 // a DOUBLE has 24 characters at most
	if text == nil || len(*text) > longest || strings.ContainsAny(*text, "/_xXoObBpP") {
		return nil
	}
	value, err := strconv.ParseFloat(*text, 64)
	if err != nil || math.IsInf(value, 0) || math.IsNaN(value) {
		return nil
	}
	if strings.ContainsAny(*text, "eE") { // of any size: as it lies in the double
		return new(big.Rat).SetFloat64(value)
	}
	figure, _ := new(big.Rat).SetString(*text)
	return figure
}

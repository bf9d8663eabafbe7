package transform

import (
	"slices"

	"tamiz/pipeline"
)

// influence is one input column and how it bears on an output, as a number
// that sorts and compares fast: column<<8 | kind<<4 | by.
type influence uint64

// How an input bears, from the weakest to the strongest of those that bring a
// value; [asCondition] alone has a by.
const (
	asIdentity = influence(iota) << 4
	asTransformation
	asAggregation
	asCondition
)

// What a condition is.
const (
	byJoin = influence(iota + 1)
	byFilter
	byGroup
	bySort
	byWindow
	byUnnest
	byCase
)

var (
	kindNames = []pipeline.Influence{pipeline.Identical, pipeline.Transformation, pipeline.Aggregation, pipeline.Condition}
	byNames   = []string{"", "join", "filter", "group", "sort", "window", "unnest", "case"}
)

func (i influence) kind() influence { return i & 0xf0 }

// influences is a set: sorted, without repetition, never changed once made.
type influences []influence

func union(sets ...influences) influences {
	var all influences
	added := 0
	for _, set := range sets {
		switch {
		case len(set) == 0:
			continue
		case added == 0:
			all = set
		default:
			all = append(slices.Clip(all), set...)
		}
		added++
	}
	if added < 2 {
		return all
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// as says how a set bears through one more step: a value that is computed
// further is no longer identical, and what a condition depends on bears as that
// condition.
func (set influences) as(how influence) influences {
	out := make(influences, len(set))
	for i, one := range set {
		switch {
		case how.kind() == asCondition:
			one = one&^0xff | how
		case one.kind() < how.kind():
			one = one&^0xff | how
		}
		out[i] = one
	}
	slices.Sort(out)
	return slices.Compact(out)
}

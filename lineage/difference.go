// Package lineage answers questions about what was published, from what is
// kept: how a row came about, down to the raw records, with the proof; which
// units differ between two tables of results, and how; what each table and
// column is made of; whether a snapshot that was rebuilt is the one that was
// published, and if not, why.
//
// In come plans, keys, values, and what was recorded of steps and files; out
// come derivations, counts, graphs and reports, as structures, as text and as
// pages. Steps are run and raw records are read through the contracts of
// pipeline alone; nothing that is kept is changed.
package lineage

import (
	"slices"
	"strings"
)

// Units holds one value of each unit of a mart, by the unit's key; nil for an
// unknown value.
type Units map[string]*string

// Difference says which units differ between two sets of units. A unit that
// is in one of them alone differs, too.
type Difference struct {
	Units    int             // in either
	Changed  map[string]bool // keys of the units that differ
	Gained   int             // of them: unknown before, known after
	Lost     int             // known before, unknown after
	Appeared int             // not there before
	Gone     int             // not there after
	Moves    []Move
}

// Move is how many units went from one value to another; nil is unknown, or
// no unit.
type Move struct {
	From  *string `json:"from"`
	To    *string `json:"to"`
	Count int     `json:"count"`
}

// Compare finds what differs. Moves come by count, the largest first, then by
// their values.
func Compare(before, after Units) Difference {
	d := Difference{Units: len(after), Changed: map[string]bool{}}
	moves := map[[2]string]*Move{}
	note := func(key string, from, to *string) {
		d.Changed[key] = true
		name := [2]string{text(from), text(to)}
		if moves[name] == nil {
			moves[name] = &Move{From: from, To: to}
		}
		moves[name].Count++
	}
	for key, from := range before {
		to, there := after[key]
		switch {
		case !there:
			d.Units++
			d.Gone++
			note(key, from, nil)
		case text(from) == text(to):
		default:
			if from == nil {
				d.Gained++
			} else if to == nil {
				d.Lost++
			}
			note(key, from, to)
		}
	}
	for key, to := range after {
		if _, there := before[key]; !there {
			d.Appeared++
			note(key, nil, to)
		}
	}
	for _, move := range moves {
		d.Moves = append(d.Moves, *move)
	}
	slices.SortFunc(d.Moves, func(a, b Move) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		if order := strings.Compare(text(a.From), text(b.From)); order != 0 {
			return order
		}
		return strings.Compare(text(a.To), text(b.To))
	})
	return d
}

// text tells an unknown value from an empty one.
func text(value *string) string {
	if value == nil {
		return ""
	}
	return "=" + *value
}

// Share is a group of units, and how many of them differ.
type Share struct {
	Group   *string `json:"group"` // nil: the group is not known
	Units   int     `json:"units"`
	Changed int     `json:"changed"`
	Share   float64 `json:"share"` // from 0 to 1
}

// ByGroup counts the units of each group, by share, the largest first, then
// by name. The groups say of each unit in which it is.
func ByGroup(changed map[string]bool, groups Units) []Share {
	counted := map[string]*Share{}
	for key, group := range groups {
		name := text(group)
		if counted[name] == nil {
			counted[name] = &Share{Group: group}
		}
		counted[name].Units++
		if changed[key] {
			counted[name].Changed++
		}
	}
	var shares []Share
	for _, share := range counted {
		share.Share = float64(share.Changed) / float64(share.Units)
		shares = append(shares, *share)
	}
	slices.SortFunc(shares, func(a, b Share) int {
		if order := b.Changed*a.Units - a.Changed*b.Units; order != 0 {
			return order
		}
		return strings.Compare(text(a.Group), text(b.Group))
	})
	return shares
}

// Causes says how changes made one at a time explain a change made at once.
type Causes struct {
	Alone    []int `json:"alone"`    // units that each changes alone
	Together int   `json:"together"` // units that none changes alone, but all at once
	Undone   int   `json:"undone"`   // units that some change alone, but not all at once
}

// Explain compares the changes of each cause alone with those of all.
func Explain(all map[string]bool, alone []map[string]bool) Causes {
	causes := Causes{Alone: []int{}}
	single := map[string]bool{}
	for _, changed := range alone {
		causes.Alone = append(causes.Alone, len(changed))
		for key := range changed {
			if !single[key] && !all[key] {
				causes.Undone++
			}
			single[key] = true
		}
	}
	for key := range all {
		if !single[key] {
			causes.Together++
		}
	}
	return causes
}

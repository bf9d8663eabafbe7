package lineage

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// Fact is one thing that is told of a unit, before and after.
type Fact struct {
	Column string      `json:"column,omitempty"` // of the mart; "": from elsewhere
	Title  string      `json:"title"`            // what it is, in words
	Unit   string      `json:"unit,omitempty"`
	Is     string      `json:"is,omitempty"` // [Added] or [Removed]: only one side has such a thing, of no unit
	Before *string     `json:"before"`
	After  *string     `json:"after"`
	Causes []FactCause `json:"causes,omitempty"` // that have a part in its change
}

// What a fact is that only one of two snapshots can tell.
const (
	Added   = "added"
	Removed = "removed"
)

// FactCause is the part of one cause in the change of a fact: in whether it is
// another one (all parts add up to 1) and, for figures, in how far it moved.
type FactCause struct {
	Cause  string `json:"cause"`
	Part   Part   `json:"part"`
	Change *Part  `json:"change,omitempty"`
}

// UnitChange tells of one unit what changed and why.
type UnitChange struct {
	Key      []string `json:"key"`
	Appeared bool     `json:"appeared"` // was not there before
	Gone     bool     `json:"gone"`     // is not there after
	Value    Fact     `json:"value"`
	Facts    []Fact   `json:"facts"` // that changed
	Sentence string   `json:"sentence"`
}

// NewUnitChange splits the change of each fact of a unit among causes (see
// [Attribute]; the engine is the last of them). The first fact is its value;
// those that did not change are left out, unless only one side has them. Without worlds no causes are told.
func NewUnitChange(key []string, facts []Fact, causes []Cause, before, after World, worlds []World) *UnitChange {
	change := &UnitChange{Key: key, Appeared: before.Facts == nil, Gone: after.Facts == nil, Facts: []Fact{}}
	for i, fact := range facts {
		at := func(w World) *string {
			if w.Facts == nil {
				return nil
			}
			return w.Facts[i]
		}
		fact.Before, fact.After = at(before), at(after)
		isOther := text(fact.Before) != text(fact.After)
		if isOther && len(worlds) > 0 {
			fact.Causes = factCauses(causes, before, after, worlds, at)
		}
		if i == 0 {
			change.Value = fact
		} else if isOther || fact.Is != "" {
			change.Facts = append(change.Facts, fact)
		}
	}
	return change
}

func factCauses(causes []Cause, before, after World, worlds []World, at func(World) *string) []FactCause {
	isOther := func(w World) *big.Rat {
		if text(at(w)) == text(at(before)) {
			return new(big.Rat)
		}
		return big.NewRat(1, 1)
	}
	figure := func(w World) *big.Rat { return Number(at(w)) }
	parts := split(isOther(before), isOther(after), figuresOf(worlds, isOther))
	moves := split(figure(before), figure(after), figuresOf(worlds, figure))
	var list []FactCause
	for i, cause := range causes {
		one := FactCause{Cause: cause.Name, Part: parts[i]}
		if moves != nil {
			one.Change = &moves[i]
		}
		if !one.Part.IsNone() || one.Change != nil && !one.Change.IsNone() {
			list = append(list, one)
		}
	}
	slices.SortStableFunc(list, func(a, b FactCause) int { return compareSizes(b.Part, a.Part) })
	return list
}

func compareSizes(a, b Part) int {
	switch difference := math.Abs(a.Value) - math.Abs(b.Value); {
	case difference < 0:
		return -1
	case difference > 0:
		return 1
	}
	return 0
}

// shownFacts is how many facts a sentence gives for one cause.
const shownFacts = 3

// Tell writes the sentence: how the value changed, and because of what. A fact
// counts as a reason where a cause has a part in both. Value is what the value
// is called.
func (u *UnitChange) Tell(value string, causes []Cause) {
	sentence := value + " " + shown(u.Value.Before, u.Value.After, "") + " → " + shown(u.Value.After, u.Value.Before, "")
	isSame := text(u.Value.Before) == text(u.Value.After)
	switch {
	case u.Appeared:
		sentence = "it is new, with " + value + " " + shown(u.Value.After, nil, "")
	case u.Gone:
		sentence = "it is gone; it had " + value + " " + shown(u.Value.Before, nil, "")
	case isSame:
		sentence = value + " " + shown(u.Value.Before, nil, "") + ", as before"
	}
	var reasons []string
	if isSame {
		causes = nil
	}
	for _, part := range u.Value.Causes {
		if at := slices.IndexFunc(causes, func(c Cause) bool { return c.Name == part.Cause }); at >= 0 && !part.Part.IsNone() {
			reasons = append(reasons, u.reason(causes[at]))
		}
	}
	if len(reasons) > 0 {
		sentence += ", because " + strings.Join(reasons, ", and because ")
	} else if facts := u.moved(""); len(facts) > 0 && !u.Appeared && !u.Gone {
		sentence += "; also " + strings.Join(facts, ", ")
	}
	u.Sentence = sentence
}

// reason says what a cause did to the unit.
func (u *UnitChange) reason(cause Cause) string {
	facts := strings.Join(u.moved(cause.Name), ", ")
	said := strings.Join(cause.Differs[:min(shownFacts, len(cause.Differs))], ", ")
	switch {
	case len(cause.Groups) == 1 && cause.Groups[0] == CauseSources && facts != "":
		return facts + " (" + cause.Name + ")"
	case len(cause.Groups) == 1 && cause.Groups[0] == CauseSources:
		return "of " + cause.Name + " (" + said + ")"
	case facts != "":
		return "of the " + cause.Name + " (" + said + "): " + facts
	}
	return "of the " + cause.Name + " (" + said + ")"
}

// moved says how facts moved that a cause has a part in, any cause if it is "":
// those that the pipeline names for this or, if there are none, figures of the
// mart.
func (u *UnitChange) moved(cause string) []string {
	var named, columns []string
	for _, fact := range u.Facts {
		if cause != "" && !slices.ContainsFunc(fact.Causes, func(c FactCause) bool { return c.Cause == cause }) {
			continue
		}
		if fact.Column == "" {
			named = append(named, fact.String())
		} else if Number(fact.Before) != nil && Number(fact.After) != nil {
			columns = append(columns, fact.String())
		}
	}
	if len(named) > 0 {
		return named
	}
	return columns[:min(shownFacts, len(columns))]
}

// String says in words how the fact changed.
func (f Fact) String() string {
	name := f.Title
	if f.Column != "" {
		name = f.Column
	}
	before, after := Number(f.Before), Number(f.After)
	switch {
	case f.Is == Added:
		return name + " is new (" + shown(f.After, nil, f.Unit) + ")"
	case f.Is == Removed:
		return name + " is gone (was " + shown(f.Before, nil, f.Unit) + ")"
	case f.Before == nil:
		return name + " became known (" + shown(f.After, nil, f.Unit) + ")"
	case f.After == nil:
		return name + " became unknown (was " + shown(f.Before, nil, f.Unit) + ")"
	case before == nil || after == nil:
		return name + " changed from " + shown(f.Before, nil, f.Unit) + " to " + shown(f.After, nil, f.Unit)
	case before.Cmp(after) < 0:
		return name + " rose from " + shown(f.Before, f.After, f.Unit) + " to " + shown(f.After, f.Before, f.Unit)
	}
	return name + " fell from " + shown(f.Before, f.After, f.Unit) + " to " + shown(f.After, f.Before, f.Unit)
}

// shown writes a value for people: a figure with three digits that count or, if
// another one would then look the same, as it is.
func shown(value, other *string, unit string) string {
	if value == nil {
		return "unknown"
	}
	written := rounded(*value)
	if other != nil && *other != *value && rounded(*other) == written {
		written = *value
	}
	if unit == "" || unit == "share" {
		return written
	}
	return written + " " + unit
}

func rounded(value string) string {
	if Number(&value) == nil {
		return value
	}
	figure, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsInf(figure, 0) {
		return value
	}
	if math.Abs(figure) >= 1000 {
		return fmt.Sprintf("%.0f", figure)
	}
	short, err := strconv.ParseFloat(strconv.FormatFloat(figure, 'g', 3, 64), 64)
	if err != nil {
		return value
	}
	return strconv.FormatFloat(short, 'f', -1, 64)
}

package pipeline

import (
	"fmt"
	"slices"
	"strings"
)

// Vintage is one good version of a source, as a run pins it beside the
// present one: what the world was told on that day.
type Vintage struct {
	AsOf  string `json:"as_of"` // day, UTC, on which the version was first observed good
	Files []Pin  `json:"files"` // sorted by digest
}

// HistoryTable is the name of the table that stacks the rows of all pinned
// versions of a source. It has the columns of the raw table; a file that
// several versions share stands in it once.
func (s *Source) HistoryTable() string { return s.Table() + "__history" }

// VintagesTable is the name of the table that says which files the source had
// on which day: as_of_date DATE, _file VARCHAR.
func (s *Source) VintagesTable() string { return s.Table() + vintagesSuffix }

const vintagesSuffix = "__vintages"

// IsVintages reports whether a table tells the days of a source's versions:
// like raw.run it is a small table of the run's own, which any model may read.
func IsVintages(table string) bool { return strings.HasSuffix(table, vintagesSuffix) }

// Vintages chooses, of all good versions of a source, the last keep of them by
// the day on which each was first observed; the current one is always among
// them. Seen is in the order of observation. Equal bytes count once, from
// their first day on; of several versions of one day the last stands, or the
// current one. Without a current version there is no history.
func Vintages(seen []Vintage, current []Pin, keep int) []Vintage {
	if len(current) == 0 || keep < 1 {
		return nil
	}
	seen = append(slices.Clone(seen), Vintage{AsOf: current[0].ObservedAt.UTC().Format(DateLayout), Files: current})
	var versions []Vintage
	for _, version := range seen {
		at := slices.IndexFunc(versions, func(v Vintage) bool { return SameFiles(v.Files, version.Files) })
		if at < 0 {
			versions = append(versions, Vintage{AsOf: version.AsOf, Files: uncarried(version.Files)})
		} else {
			versions[at].AsOf = min(versions[at].AsOf, version.AsOf)
		}
	}
	slices.SortStableFunc(versions, func(a, b Vintage) int { return strings.Compare(a.AsOf, b.AsOf) })
	now := slices.IndexFunc(versions, func(v Vintage) bool { return SameFiles(v.Files, current) })
	today := versions[now].AsOf
	var chosen []Vintage
	for i := len(versions) - 1; i >= 0; i-- {
		version := versions[i]
		if i != now && (version.AsOf == today || i+1 < len(versions) && versions[i+1].AsOf == version.AsOf) {
			continue
		}
		room := keep
		if i > now { // one place is the current version's
			room--
		}
		if i == now || len(chosen) < room {
			chosen = append(chosen, version)
		}
	}
	slices.Reverse(chosen)
	return chosen
}

// uncarried gives pins without the word why they are still in use.
func uncarried(pins []Pin) []Pin {
	pins = slices.Clone(pins)
	for i := range pins {
		pins[i].Carried = ""
	}
	return pins
}

// addHistory adds the two tables of a source's pinned versions. The present
// version's reads are those of the raw table; each older one's are cached from
// the time when it was the present one.
func (plan *Plan) addHistory(source *Source, pins Pins, engines Engines) {
	vintages := pins.Vintages[source.Name]
	if len(vintages) == 0 { // pinned before the card asked for a history
		vintages = Vintages(nil, pins.Sources[source.Name], 1)
	}
	history, dates := source.HistoryTable(), Table{Name: source.VintagesTable(),
		Columns: []TableColumn{{Name: "as_of_date", Type: "DATE"}, {Name: "_file", Type: "VARCHAR"}}}
	for _, vintage := range vintages {
		for i, step := range readSteps(source, vintage.Files, engines) {
			dates.Rows = append(dates.Rows, []string{QuoteText(vintage.AsOf), QuoteText(string(step.Raw))})
			step.Label = fmt.Sprintf("%s of %s", source.Table(), vintage.AsOf)
			if len(vintage.Files) > 1 {
				step.Label += fmt.Sprintf(" (%d of %d)", i+1, len(vintage.Files))
			}
			step = plan.once(step)
			if !slices.Contains(plan.byTable[history], step) {
				plan.byTable[history] = append(plan.byTable[history], step)
			}
		}
	}
	if len(vintages) == 0 {
		plan.addTable(history, EmptyRawSQL(source), engines)
		plan.addTable(dates.Name, EmptyVintagesSQL, engines)
		return
	}
	plan.addTable(dates.Name, dates.SQL(), engines)
}

// EmptyVintagesSQL is the select of a table of vintages without rows.
const EmptyVintagesSQL = "select cast(null as date) as as_of_date, cast(null as varchar) as _file where false"

// once gives the step of the plan that has the same fingerprint, or adds this
// one, which belongs to no table yet.
func (plan *Plan) once(step *Step) *Step {
	step.seal()
	if there := slices.IndexFunc(plan.Steps, func(s *Step) bool { return s.Fingerprint == step.Fingerprint }); there >= 0 {
		return plan.Steps[there]
	}
	plan.Steps = append(plan.Steps, step)
	return step
}

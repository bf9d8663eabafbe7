package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"tamiz/config"
	"tamiz/lineage"
	"tamiz/pipeline"
)

// How many groups are told to people, of a trial and of two snapshots; machines
// get all.
const (
	shownGroups         = 10
	shownSnapshotGroups = 5
)

// tell says what was found in plain words.
func (c *comparison) tell(w io.Writer, project *config.Project, p *pipeline.Pipeline, isTrial bool) {
	verb := map[bool]string{true: "would change", false: "changed"}[isTrial]
	fmt.Fprintf(w, "%s, method %s → %s, method %s\n", c.Before, c.MethodBefore, relative(c.After), c.MethodAfter)
	if c.Unit != nil {
		c.tellUnit(w)
		return
	}
	fmt.Fprintf(w, "%s the %s of %s of %s (%s)\n", verb, c.Value, count(c.Changed), plural(c.Units, p.Comparison.One, p.Comparison.Many), percent(c.Changed, c.Units))
	c.tellEnds(w, p)
	c.tellCauses(w, p)
	c.tellIndices(w)
	for _, note := range c.Notes {
		fmt.Fprintf(w, "  note: %s\n", note)
	}
	c.tellTables(w)
	if isTrial && len(c.OtherRows) > 0 {
		fmt.Fprintf(w, "  marts with other rows: %s\n", strings.Join(c.OtherRows, ", "))
	}
	for _, line := range c.Differs {
		fmt.Fprintf(w, "  differs: %s\n", line)
	}
	c.tellParameters(w)
	most := shownGroups
	if !isTrial {
		most = shownSnapshotGroups
	}
	if c.Changed > 0 {
		for _, group := range c.Groups {
			tellGroup(w, group, p.Comparison, most)
		}
	}
	if isTrial && len(c.OtherRows) == 0 {
		fmt.Fprintf(w, "no mart would hold another row, and nothing was published\n")
	} else if isTrial {
		fmt.Fprintf(w, "nothing was published. To adopt: write the new values into %s and raise its version (now %s), then\n  %s run %s%s\n",
			methodPath(project, p), p.MethodVersion, self(), p.Name, projectFlag(project))
	}
}

// tellEnds names apart the units that have a value on one side only.
func (c *comparison) tellEnds(w io.Writer, p *pipeline.Pipeline) {
	var parts []string
	for _, end := range []struct {
		count int
		text  string
	}{
		{c.Gained, "from none to a " + c.Value}, {c.Lost, "from a " + c.Value + " to none"},
		{c.Appeared, "new " + p.Comparison.Many}, {c.Gone, p.Comparison.Many + " that are gone"},
	} {
		if end.count > 0 {
			parts = append(parts, count(end.count)+" "+end.text)
		}
	}
	if len(parts) > 0 {
		fmt.Fprintf(w, "  of these: %s\n", strings.Join(parts, ", "))
	}
}

func (c *comparison) tellParameters(w io.Writer) {
	if len(c.Parameters) == 0 {
		return
	}
	var rows [][]string
	for _, one := range c.Parameters {
		row := []string{"  " + one.Name, shorten(one.Before) + " → " + shorten(one.After)}
		if one.Alone != nil {
			row = append(row, count(*one.Alone))
		}
		rows = append(rows, row)
	}
	headings := []string{"  parameter", "value", "changed by it alone"}
	if c.Together != nil {
		rows = append(rows, []string{"  together only", "", count(*c.Together)})
		if *c.Undone > 0 {
			rows = append(rows, []string{"  undone by the others", "", count(*c.Undone)})
		}
	}
	table(w, headings[:len(rows[0])], rows)
}

func tellGroup(w io.Writer, group groupTable, c *pipeline.Comparison, most int) {
	var rows [][]string
	rest, restChanged := 0, 0
	for i, share := range group.Groups {
		if i >= most {
			rest, restChanged = rest+1, restChanged+share.Changed
			continue
		}
		rows = append(rows, []string{"  " + cells([]*string{share.Group}, "(not known)")[0], count(share.Changed), count(share.Units), percent(share.Changed, share.Units)})
	}
	table(w, []string{"  " + group.Title, "changed", "of " + c.Many, "share"}, rows)
	if rest > 0 {
		fmt.Fprintf(w, "  and %s with %s changed; -o json lists all\n", plural(rest, "more", "more"), count(restChanged))
	}
}

func percent(part, whole int) string {
	if whole == 0 {
		return "0.0 %"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(whole))
}

// shorten keeps a parameter's text in one line of a table.
func shorten(text string) string {
	const most = 40
	if characters := []rune(text); len(characters) > most {
		return string(characters[:most-1]) + "…"
	}
	return text
}

// shownCauses is how many causes, facts and movers are told to people; machines
// get all.
const (
	shownCauses = 6
	shownFacts  = 12
	shownMovers = 3
)

// tellCauses says which part each cause has.
func (c *comparison) tellCauses(w io.Writer, p *pipeline.Pipeline) {
	if c.Causes == nil {
		return
	}
	if c.Causes.Failed != "" {
		fmt.Fprintf(w, "  causes cannot be told: %s\n", strings.ReplaceAll(c.Causes.Failed, "\n", "\n  "))
		return
	}
	headings := []string{"  caused by", p.Comparison.Many, "share"}
	for _, index := range c.Indices {
		headings = append(headings, "mean "+index.Column)
	}
	headings = append(headings, "what differs")
	var rows [][]string
	rest := 0
	for i, cause := range c.Causes.Causes {
		isEngine := cause.Name == lineage.CauseEngine
		if isEngine && len(cause.Differs) == 0 && hasNoPart(cause) {
			continue
		}
		if i >= shownCauses && !isEngine {
			rest++
			continue
		}
		row := []string{"  " + cause.Name, partText(cause.Units.Value), share(cause.Units.Value, c.Causes.Units)}
		for _, index := range cause.Indices {
			text := "-"
			if index.Part != nil {
				text = fmt.Sprintf("%+.4f", index.Part.Value)
			}
			row = append(row, text)
		}
		differs := strings.Join(cause.Differs[:min(2, len(cause.Differs))], ", ")
		if more := len(cause.Differs) - 2; more > 0 {
			differs += fmt.Sprintf(" and %d more", more)
		}
		rows = append(rows, append(row, differs))
	}
	if len(rows) > 0 {
		table(w, headings, rows)
	}
	if rest > 0 {
		fmt.Fprintf(w, "  and %s; -o json lists all\n", plural(rest, "cause more", "causes more"))
	}
	if len(c.Causes.Unrelated) > 0 {
		fmt.Fprintf(w, "  no cause, though not the same: %s (%s does not stand on them)\n", strings.Join(c.Causes.Unrelated, ", "), p.Comparison.Mart)
	}
	for _, note := range c.Causes.Notes {
		fmt.Fprintf(w, "  note: %s\n", note)
	}
}

func hasNoPart(cause lineage.Cause) bool {
	for _, index := range cause.Indices {
		if index.Part != nil && !index.Part.IsNone() {
			return false
		}
	}
	return cause.Units.IsNone()
}

// partText writes a part in units: whole ones without a fraction.
func partText(part float64) string {
	if part == float64(int64(part)) {
		return count(int64(part))
	}
	return fmt.Sprintf("%.1f", part)
}

func share(part float64, whole int) string {
	if whole == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*part/float64(whole))
}

// tellIndices says how the figures moved, and whose moved furthest.
func (c *comparison) tellIndices(w io.Writer) {
	var rows [][]string
	for _, index := range c.Indices {
		if index.Moved == 0 || index.MeanBefore == nil || index.MeanAfter == nil {
			continue
		}
		var furthest []string
		for _, mover := range index.Movers[:min(shownMovers, len(index.Movers))] {
			furthest = append(furthest, fmt.Sprintf("%s %s → %s", strings.Join(mover.Key, " "), figure(mover.Before), figure(mover.After)))
		}
		q := index.Quantiles
		rows = append(rows, []string{"  " + index.Column, fmt.Sprintf("%s → %s", figure(*index.MeanBefore), figure(*index.MeanAfter)), count(index.Moved),
			fmt.Sprintf("%+.3g  %+.3g  %+.3g", q[1], q[3], q[5]), strings.Join(furthest, ", ")})
	}
	if len(rows) > 0 {
		table(w, []string{"  index", "mean", "moved", "change: 5 %, half, 95 %", "furthest"}, rows)
	}
}

func figure(value float64) string { return fmt.Sprintf("%.4g", value) }

// tellTables says what differs in each mart.
func (c *comparison) tellTables(w io.Writer) {
	var rows [][]string
	for _, change := range c.Tables {
		if change.Is == "same" {
			continue
		}
		row := []string{"  " + change.Mart, change.Is, fmt.Sprintf("%s → %s", count(change.Before), count(change.After))}
		if d := change.TableDifference; d != nil {
			row = append(row, count(d.Changed), count(d.OnlyAfter), count(d.OnlyBefore), columnsText(d))
		}
		rows = append(rows, row)
	}
	if len(rows) > 0 {
		for i := range rows {
			rows[i] = append(rows[i], make([]string, 7-len(rows[i]))...)
		}
		table(w, []string{"  mart", "", "rows", "changed", "added", "removed", "columns"}, rows)
	}
}

// columnsText says what became of the columns of a mart.
func columnsText(d *pipeline.TableDifference) string {
	var list []string
	for _, column := range d.Added {
		list = append(list, "+"+column.Name)
	}
	for _, column := range d.Removed {
		list = append(list, "-"+column.Name)
	}
	for _, column := range d.Retyped {
		list = append(list, column.Column+" "+column.Before+" → "+column.After)
	}
	return strings.Join(list, ", ")
}

// tellUnit says what happened to one unit: the sentence, then what changed.
func (c *comparison) tellUnit(w io.Writer) {
	fmt.Fprintf(w, "%s: %s\n", strings.Join(c.Unit.Key, " "), c.Unit.Sentence)
	if c.Causes != nil && c.Causes.Failed != "" {
		fmt.Fprintf(w, "  causes cannot be told: %s\n", strings.ReplaceAll(c.Causes.Failed, "\n", "\n  "))
	}
	var rows [][]string
	facts := slices.Clone(c.Unit.Facts)
	slices.SortStableFunc(facts, func(a, b lineage.Fact) int { return min(len(a.Column), 1) - min(len(b.Column), 1) }) // those of no column are named for this
	for i, fact := range append([]lineage.Fact{c.Unit.Value}, facts...) {
		if i > shownFacts {
			break
		}
		name := fact.Title
		if fact.Column != "" {
			name = fact.Column
		}
		var causes []string
		for _, cause := range fact.Causes {
			text := cause.Cause
			if cause.Change != nil && len(fact.Causes) > 1 {
				text += fmt.Sprintf(" %+.3g", cause.Change.Value)
			} else if len(fact.Causes) > 1 {
				text += " " + cause.Part.Exact
			}
			causes = append(causes, text)
		}
		row := []string{"  " + name, cellText(fact.Before), cellText(fact.After), fact.Unit, strings.Join(causes, ", ")}
		switch fact.Is {
		case lineage.Added:
			row[1] = "absent"
		case lineage.Removed:
			row[2] = "absent"
		}
		rows = append(rows, row)
	}
	table(w, []string{"  what", "before", "after", "unit", "caused by"}, rows)
	if more := len(c.Unit.Facts) - shownFacts; more > 0 {
		fmt.Fprintf(w, "  and %s; -o json lists all\n", plural(more, "change more", "changes more"))
	}
	if c.Causes != nil {
		for _, note := range c.Causes.Notes {
			fmt.Fprintf(w, "  note: %s\n", note)
		}
	}
}

func cellText(value *string) string {
	if value == nil {
		return "unknown"
	}
	if number := lineage.Number(value); number != nil && !number.IsInt() {
		short, _ := number.Float64()
		return fmt.Sprintf("%.6g", short)
	}
	return shorten(strings.ReplaceAll(*value, "\n", " "))
}

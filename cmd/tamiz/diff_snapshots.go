package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"tamiz/config"
	"tamiz/load"
	"tamiz/pipeline"
)

// compareSnapshots compares what two snapshots published, and says what they
// stand on that is not the same.
func compareSnapshots(ctx context.Context, store load.Local, p *pipeline.Pipeline, before, after *load.Snapshot) (*comparison, error) {
	result := newComparison(p, before.Snapshot, after.Snapshot, before.Method.Version, after.Method.Version)
	var sides []map[string]string
	for _, snapshot := range []*load.Snapshot{before, after} {
		views, err := martFiles(ctx, store, p.Name, snapshot)
		if err != nil {
			return nil, err
		}
		sides = append(sides, views)
	}
	result.OtherRows = otherRows(rowDigests(before), rowDigests(after))
	if _, err := result.compare(ctx, p, sides[0], sides[1], sides[1]); err != nil {
		return nil, err
	}
	if !before.Method.Same(after.Method) {
		result.Differs = append(result.Differs, fmt.Sprintf("method %s → %s", before.Method.Version, after.Method.Version))
		old, oldErr := methodOf(ctx, store, p, before)
		now, nowErr := methodOf(ctx, store, p, after)
		if oldErr == nil && nowErr == nil { // older snapshots hold no copy of theirs
			for _, change := range pipeline.CompareMethods(old.Tables, now.Tables) {
				result.Parameters = append(result.Parameters, parameter{Name: change.Name(), Before: change.Before, After: change.After})
			}
		}
	}
	result.Differs = append(result.Differs, differingSources(before, after)...)
	if before.Engine.Tamiz != after.Engine.Tamiz {
		result.Differs = append(result.Differs, fmt.Sprintf("tamiz %s → %s", before.Engine.Tamiz, after.Engine.Tamiz))
	}
	if before.Engine.DuckDB != after.Engine.DuckDB {
		result.Differs = append(result.Differs, fmt.Sprintf("DuckDB %s → %s", before.Engine.DuckDB, after.Engine.DuckDB))
	}
	return result, nil
}

func rowDigests(snapshot *load.Snapshot) map[string]pipeline.Digest {
	digests := map[string]pipeline.Digest{}
	for _, table := range snapshot.Tables {
		digests[table.Name] = table.RowDigest
	}
	return digests
}

// differingSources names the sources whose files are not the same.
func differingSources(before, after *load.Snapshot) []string {
	var list []string
	old := pinsOf(before).Sources
	for _, source := range after.Sources {
		files, known := old[source.Name]
		delete(old, source.Name)
		switch {
		case !known:
			list = append(list, "source "+source.Name+": new")
		case !pipeline.SameFiles(files, source.Files):
			list = append(list, fmt.Sprintf("source %s: %s → %s", source.Name, digestsOf(files), digestsOf(source.Files)))
		}
	}
	for _, source := range before.Sources {
		if _, left := old[source.Name]; left {
			list = append(list, "source "+source.Name+": no longer used")
		}
	}
	return list
}

// digestsOf writes the digests of a few files, or how many there are.
func digestsOf(pins []pipeline.Pin) string {
	if len(pins) > 3 {
		return plural(len(pins), "file", "files") + ", together " + pipeline.DigestOf(identities(pins)...).Short()
	}
	var short []string
	for _, pin := range pins {
		short = append(short, pin.Identity().Short())
	}
	if len(short) == 0 {
		return "no file"
	}
	return strings.Join(short, " ")
}

func identities(pins []pipeline.Pin) []string {
	var list []string
	for _, pin := range pins {
		list = append(list, string(pin.Identity()))
	}
	return list
}

// shownGroups is how many groups are told to people; machines get all.
const shownGroups = 10

// tell says what was found in plain words.
func (c *comparison) tell(w io.Writer, project *config.Project, p *pipeline.Pipeline, isTrial bool) {
	verb := map[bool]string{true: "would change", false: "changed"}[isTrial]
	fmt.Fprintf(w, "%s, method %s → %s, method %s\n", c.Before, c.MethodBefore, relative(c.After), c.MethodAfter)
	fmt.Fprintf(w, "%s the %s of %s of %s (%s)\n", verb, c.Value, count(c.Changed), plural(c.Units, p.Comparison.One, p.Comparison.Many), percent(c.Changed, c.Units))
	c.tellEnds(w, p)
	for _, note := range c.Notes {
		fmt.Fprintf(w, "  note: %s\n", note)
	}
	if len(c.OtherRows) > 0 {
		fmt.Fprintf(w, "  marts with other rows: %s\n", strings.Join(c.OtherRows, ", "))
	}
	for _, line := range c.Differs {
		fmt.Fprintf(w, "  differs: %s\n", line)
	}
	c.tellParameters(w)
	if c.Changed > 0 {
		for _, group := range c.Groups {
			tellGroup(w, group, p.Comparison)
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

func tellGroup(w io.Writer, group groupTable, c *pipeline.Comparison) {
	var rows [][]string
	rest, restChanged := 0, 0
	for i, share := range group.Groups {
		if i >= shownGroups {
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

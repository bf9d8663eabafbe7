package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tamiz/config"
	"tamiz/lineage"
	"tamiz/pipeline"
	"tamiz/transform"
)

// TestLineage_EqualsTheHandCheckedLists reads how they were checked in the
// lists themselves.
func TestLineage_EqualsTheHandCheckedLists(t *testing.T) {
	for _, c := range []struct{ pipeline, table, column string }{
		{"mx", "marts.profiles", "profile"},
		{"np", "marts.district_index", "ei"},
	} {
		p, err := config.Load(embedded(), c.pipeline)
		if err != nil {
			t.Fatal(err)
		}
		binding, err := transform.Bind(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		base := pipeline.BaseName(c.table)
		want := readHandChecked(t, base+".txt")
		got := map[string][]string{"rows": waysOf(binding.Lineage[c.table].Rows)}
		for column, inputs := range binding.Lineage[c.table].Columns {
			got[column] = waysOf(inputs)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s differs from the list (-list +found):\n%s", c.table, diff)
		}
		graph := lineage.NewGraph(p, binding, binding.Lineage)
		var origins []string
		for _, origin := range graph.Origins(pipeline.ColumnRef{Table: c.table, Column: c.column}) {
			origins = append(origins, origin.String())
		}
		if diff := cmp.Diff(readLines(t, base+"."+c.column+".origins.txt"), origins); diff != "" {
			t.Errorf("the origins of %s.%s differ from the list (-list +found):\n%s", c.table, c.column, diff)
		}
		for _, model := range p.Models {
			if model.Transform == nil && binding.Lineage[model.Name].Coarse {
				t.Errorf("%s: its plan is not understood", model.Name)
			}
		}
	}
}

func waysOf(inputs []pipeline.ColumnInput) []string {
	list := []string{}
	for _, input := range inputs {
		way := string(input.Kind)
		if input.Kind == pipeline.Condition {
			way = input.By
		}
		list = append(list, way+" "+input.String())
	}
	slices.Sort(list)
	return list
}

// readLines gives the lines of a list without its comments.
func readLines(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "columns", file))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

// readHandChecked gives the inputs of each column, its abbreviations resolved.
func readHandChecked(t *testing.T, file string) map[string][]string {
	t.Helper()
	short, columns := map[string][]string{}, map[string][]string{}
	resolve := func(names string) []string {
		var all []string
		for _, name := range strings.Fields(names) {
			if meant, known := short[name]; known {
				all = append(all, meant...)
				continue
			}
			table, column, _ := strings.Cut(name, ".")
			if meant, known := short[table]; known {
				name = meant[0] + "." + column
			}
			all = append(all, name)
		}
		return all
	}
	for _, line := range readLines(t, file) {
		if name, meant, ok := strings.Cut(line, " = "); ok {
			short[name] = resolve(meant)
			continue
		}
		column, ways, ok := strings.Cut(line, " <-")
		if !ok {
			t.Fatalf("%s: %q is no line of such a list", file, line)
		}
		columns[column] = []string{}
		for part := range strings.SplitSeq(ways, ";") {
			way, names, _ := strings.Cut(strings.TrimSpace(part), ": ")
			for _, name := range resolve(names) {
				columns[column] = append(columns[column], way+" "+name)
			}
		}
		slices.Sort(columns[column])
		columns[column] = slices.Compact(columns[column])
	}
	return columns
}

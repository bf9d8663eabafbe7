package config_test

import (
	"strings"
	"testing"

	"tamiz/config"
	"tamiz/pipeline"
)

const methodText = `# What may be changed.
version: 1.1.0   # raise it
tables:
  cut_points:
    description: >
      Where levels begin.
    columns: {index_name: "x", medium_from: "M"}
    rows:
      - {index_name: urgency, medium_from: 0.35, is_anchored: false}   # a test value
      - {index_name: "señal, año", medium_from: 0.45, is_anchored: false}

  # kept apart
  blocks:
    rows:
      - name: first     # the name
        value: 1.5      # the value
      - name: second
        value: 2.5
`

func TestEditMethod_ChangesOnlyWhatIsAskedFor(t *testing.T) {
	edits := []config.RowEdit{
		{Table: "method.cut_points", Key: map[string]string{"index_name": "urgency"}, Set: []config.CellEdit{
			{"medium_from", "0.26976181592039805"}, {"is_anchored", "true"}, {"from_snapshot", `"2026-11-29.1"`}, {"from_manifest", `"ab"`}}},
		{Table: "method.cut_points", Key: map[string]string{"index_name": "señal, año"}, Set: []config.CellEdit{{"medium_from", "0.5"}}},
		{Table: "method.blocks", Key: map[string]string{"name": "first"}, Set: []config.CellEdit{{"value", "9.5"}, {"more", "true"}}},
	}
	got, err := config.EditMethod("method.yml", []byte(methodText), "1.2.0", edits)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.NewReplacer(
		"1.1.0", "1.2.0",
		"0.35, is_anchored: false}", `0.26976181592039805, is_anchored: true, from_snapshot: "2026-11-29.1", from_manifest: "ab"}`,
		"0.45", "0.5",
		"1.5      # the value", "9.5      # the value\n        more: true").Replace(methodText)
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	again, err := config.EditMethod("method.yml", got, "1.2.0", edits)
	if err != nil || string(again) != string(got) {
		t.Errorf("the same edit again changes something: %v\n%s", err, again)
	}
}

func TestEditMethod_Refuses(t *testing.T) {
	edit := func(table, row, column, value string) []config.RowEdit {
		return []config.RowEdit{{Table: table, Key: map[string]string{"index_name": row}, Set: []config.CellEdit{{column, value}}}}
	}
	for _, c := range []struct {
		name, text string
		edits      []config.RowEdit
		want       string
	}{
		{"a row that is not there", methodText, edit("method.cut_points", "other", "medium_from", "1.0"), "has no row with"},
		{"a table that is not there", methodText, edit("method.other", "urgency", "medium_from", "1.0"), "has no row with"},
		{"a value of another type", methodText, edit("method.cut_points", "urgency", "medium_from", "high"), "row 2: column medium_from"},
		{"an anchor from nowhere", methodText, edit("method.cut_points", "urgency", "is_anchored", "true"), "must name the snapshot"},
		{"no YAML", "version: [", nil, "no YAML that can be edited"},
		{"a file without tables", "version: 1.0.0\n", edit("method.cut_points", "urgency", "x", "1"), "has no row with"},
	} {
		_, err := config.EditMethod("method.yml", []byte(c.text), "1.2.0", c.edits)
		if err == nil || !strings.Contains(err.Error(), c.want) || pipeline.KindOf(err) != pipeline.Config {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestParseMethod_MeansTheSameWithOtherComments(t *testing.T) {
	parse := func(text string) pipeline.Digest {
		method, err := config.ParseMethod("method.yml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return pipeline.MeaningOf(method.Tables)
	}
	base := parse(methodText)
	for name, text := range map[string]string{
		"a comment":     strings.Replace(methodText, "# kept apart", "# another comment", 1),
		"blanks":        strings.ReplaceAll(methodText, ": 0", ":   0"),
		"a description": strings.Replace(methodText, "Where levels begin.", "Where they begin.", 1),
		"the version":   strings.Replace(methodText, "1.1.0", "3.0.0", 1),
	} {
		if parse(text) != base {
			t.Errorf("%s changes the meaning", name)
		}
	}
	if parse(strings.Replace(methodText, "0.35", "0.36", 1)) == base {
		t.Error("another value does not change the meaning")
	}
}

package pipeline_test

import (
	"fmt"
	"testing"

	"tamiz/pipeline"
)

func cutPoints(rows ...[]string) pipeline.Table {
	return pipeline.Table{Name: "method.cut_points", Rows: rows, Columns: []pipeline.TableColumn{
		{Name: "index_name", Type: "VARCHAR"}, {Name: "medium_from", Type: "DOUBLE"}, {Name: "high_from", Type: "DOUBLE"}}}
}

// anchoredCutPoints says more of the same rows.
func anchoredCutPoints() pipeline.Table {
	table := cutPoints([]string{"'urgency'", "'0.3'", "'0.55'", "'2026-11-29.1'"}, []string{"'feasibility'", "'0.45'", "'1'", "null"})
	table.Columns = append(table.Columns, pipeline.TableColumn{Name: "from_snapshot", Type: "VARCHAR"})
	return table
}

func weights(value, columnType string) pipeline.Table {
	return pipeline.Table{Name: "method.weights", Rows: [][]string{{value}}, Columns: []pipeline.TableColumn{{Name: "weight", Type: columnType}}}
}

func TestCompareMethods_NamesWhatDiffers(t *testing.T) {
	urgency, feasibility := []string{"'urgency'", "'0.35'", "'0.55'"}, []string{"'feasibility'", "'0.45'", "1"}
	before := []pipeline.Table{cutPoints(urgency, feasibility), weights("'0.4'", "DOUBLE")}
	big := func(start int) pipeline.Table {
		table := pipeline.Table{Name: "method.big", Columns: []pipeline.TableColumn{{Name: "place", Type: "BIGINT"}, {Name: "value", Type: "BIGINT"}}}
		for i := range 13 {
			table.Rows = append(table.Rows, []string{fmt.Sprint(i), fmt.Sprint(i + start)})
		}
		return table
	}
	cases := []struct {
		name          string
		before, after []pipeline.Table
		want          []string
	}{
		{"the same", before, before, nil},
		{"another spelling of a number", before, []pipeline.Table{cutPoints(urgency, []string{"'feasibility'", "'0.45'", "'1'"}), before[1]}, nil},
		{"two cells", before, []pipeline.Table{cutPoints([]string{"'urgency'", "'0.3'", "'0.55'"}, feasibility), weights("'0.5'", "DOUBLE")},
			[]string{"cut_points[urgency].medium_from 0.35 → 0.3", "weights.weight 0.4 → 0.5"}},
		{"an unknown value", before, []pipeline.Table{before[0], weights("null", "DOUBLE")}, []string{"weights.weight 0.4 → null"}},
		{"a whole number", before, []pipeline.Table{before[0], weights("1", "BIGINT")}, []string{"weights.weight 0.4 → 1"}},
		{"rows in another order", before, []pipeline.Table{cutPoints(feasibility, urgency), before[1]}, []string{"cut_points 2 rows of 3 columns → other rows"}},
		{"a row more", before, []pipeline.Table{cutPoints(urgency, feasibility, []string{"'other'", "'0.1'", "'0.2'"}), before[1]},
			[]string{"cut_points 2 rows of 3 columns → 3 rows of 3 columns"}},
		{"a column more", before, []pipeline.Table{anchoredCutPoints(), before[1]},
			[]string{"cut_points[urgency].medium_from 0.35 → 0.3", "cut_points[urgency].from_snapshot null → 2026-11-29.1"}},
		{"a column less", []pipeline.Table{anchoredCutPoints()}, before[:1], []string{"cut_points 2 rows of 4 columns → 2 rows of 3 columns"}},
		{"a table more", before[:1], before, []string{"weights not there → added"}},
		{"a table less", before, before[:1], []string{"weights there → taken out"}},
		{"many cells are one change", []pipeline.Table{big(0)}, []pipeline.Table{big(1)}, []string{"big 13 rows of 2 columns → 13 other cells"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			changes := pipeline.CompareMethods(c.before, c.after)
			var got []string
			all := c.before
			for _, change := range changes {
				got = append(got, fmt.Sprintf("%s %s → %s", change.Name(), change.Before, change.After))
				all = change.Apply(all, c.after)
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if len(pipeline.CompareMethods(all, c.after)) != 0 && c.name != "a whole number" { // its column stays a double
				t.Errorf("all changes one after another do not make the other method: %v", all)
			}
			if same := pipeline.MeaningOf(c.before) == pipeline.MeaningOf(c.after); same != (len(c.want) == 0) {
				t.Errorf("the digests are equal: %t", same)
			}
		})
	}
}

func TestMethodChange_LeavesTheOthersAlone(t *testing.T) {
	before := []pipeline.Table{cutPoints([]string{"'urgency'", "'0.35'", "'0.55'"}), weights("'0.4'", "DOUBLE")}
	after := []pipeline.Table{cutPoints([]string{"'urgency'", "'0.3'", "'0.5'"}), weights("1", "BIGINT")}
	changes := pipeline.CompareMethods(before, after)
	if len(changes) != 3 {
		t.Fatalf("%d changes, want 3", len(changes))
	}
	for _, change := range changes {
		left := pipeline.CompareMethods(change.Apply(before, after), before)
		if len(left) != 1 || left[0].Name() != change.Name() {
			t.Errorf("%s alone also changes %v", change.Name(), left)
		}
	}
	if before[0].Rows[0][1] != "'0.35'" || before[1].Columns[0].Type != "DOUBLE" {
		t.Error("the tables given were changed")
	}
}

func TestNextVersion(t *testing.T) {
	for _, c := range []struct {
		version string
		used    []string
		want    string
	}{
		{"1.1.0", nil, "1.2.0"}, {"1.1.7", []string{"1.2.0", "1.3.0"}, "1.4.0"}, {"2.9", nil, "2.10.0"}, {"draft", nil, ""}, {"1.x.0", nil, ""},
	} {
		if got := pipeline.NextVersion(c.version, c.used); got != c.want {
			t.Errorf("after %s, used %v: %q, want %q", c.version, c.used, got, c.want)
		}
	}
}

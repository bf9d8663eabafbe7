package transform_test

import (
	"context"
	"strings"
	"testing"

	"tamiz/pipeline"
	"tamiz/transform"
)

func TestTrace_GivesTheRowsThatMakeARow(t *testing.T) {
	y := newToy(t, nil, threeRows, "d1")
	if _, err := y.run(t); err != nil {
		t.Fatal(err)
	}
	trace := func(table string, together bool, keys ...[]*string) *pipeline.Traced {
		t.Helper()
		step := y.plan.Table(table)[0]
		traced, err := transform.SQL{}.Trace(context.Background(), pipeline.TraceTask{Keys: keys, Together: together, Output: y.walk.TablePath(step.Fingerprint),
			Task: pipeline.Task{Step: step, Inputs: y.walk.InputFiles(step), Memory: 1 << 28}})
		if err != nil {
			t.Fatal(err)
		}
		return traced
	}
	one, two, nobody, class := "S1", "S2", "S9", "a"
	for _, together := range []bool{false, true} {
		traced := trace("marts.schools", together, []*string{&two}, []*string{&nobody}, []*string{&one})
		for i, want := range []string{"S2 a", "", "S1 a, S1 b"} {
			row := traced.Rows[i]
			if got := texts(row.Inputs["staging.stg_classes"], 2); got != want || row.Fault != nil || (row.Values == nil) != (want == "") {
				t.Errorf("together %t, row %d is made of %q (%+v), want %q", together, i, got, row, want)
			}
		}
		if columns := traced.Inputs["staging.stg_classes"]; columns[0] != "school" || columns[1] != "class" {
			t.Errorf("the columns are %v", columns)
		}
		traced = trace("staging.stg_classes", together, []*string{&two, &class})
		if row := traced.Rows[0]; row.Fault != nil || *row.Values[0] != "S2" || texts(row.Inputs["raw.classes"], 3) != " S2  a 31" {
			t.Errorf("got %+v", row)
		}
	}
}

// texts joins the first columns of rows.
func texts(rows [][]*string, columns int) string {
	var lines []string
	for _, row := range rows {
		var cells []string
		for _, cell := range row[:columns] {
			cells = append(cells, *cell)
		}
		lines = append(lines, strings.Join(cells, " "))
	}
	return strings.Join(lines, ", ")
}

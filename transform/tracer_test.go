package transform_test

import (
	"context"
	"strings"
	"testing"

	"tamiz/pipeline"
	"tamiz/transform"
)

func TestTracer_GivesTheRowsThatMakeARow(t *testing.T) {
	y := newToy(t, nil, threeRows, "d1")
	if _, err := y.run(t); err != nil {
		t.Fatal(err)
	}
	tracer := func(table string) *transform.Tracer {
		step := y.plan.Table(table)[0]
		task := pipeline.Task{Step: step, Inputs: y.walk.InputFiles(step), Memory: 1 << 28}
		tracer, err := transform.OpenTracer(context.Background(), task, y.walk.TablePath(step.Fingerprint))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { tracer.Close() })
		return tracer
	}
	mart := tracer("marts.schools")
	for school, want := range map[string]string{"S1": "S1 a, S1 b", "S2": "S2 a"} {
		if _, _, err := mart.Choose([]*string{&school}); err != nil {
			t.Fatal(err)
		}
		columns, rows, err := mart.Rows("staging.stg_classes")
		if err != nil {
			t.Fatal(err)
		}
		if got := texts(rows, 2); got != want || columns[0] != "school" || columns[1] != "class" {
			t.Errorf("%s is made of %s (%v), want %s", school, got, columns, want)
		}
	}
	staging := tracer("staging.stg_classes")
	school, class := "S2", "a"
	if _, row, err := staging.Choose([]*string{&school, &class}); err != nil || *row[0] != "S2" {
		t.Errorf("chose %v, %v", row, err)
	}
	if _, rows, err := staging.Rows("raw.classes"); err != nil || texts(rows, 3) != " S2  a 31" {
		t.Errorf("got %q, %v", texts(rows, 3), err)
	}
	nobody := "S9"
	if _, _, err := mart.Choose([]*string{&nobody}); err == nil || !strings.Contains(err.Error(), "0 rows have that key") {
		t.Errorf("a row that is not there: %v", err)
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

package methods_test

import (
	"context"
	"math"
	"testing"

	"tamiz/transform/methods"
)

// rowsOf runs a method over rows given by role, and gives what it makes.
func rowsOf(t *testing.T, name string, given map[string][][]any) [][]any {
	t.Helper()
	collected := &collector{}
	if err := methods.All[name].Run(t.Context(), tables(given), collected); err != nil {
		t.Fatal(err)
	}
	return collected.rows
}

type collector struct{ rows [][]any }

func (c *collector) Append(values ...any) error {
	c.rows = append(c.rows, append([]any(nil), values...))
	return nil
}

// tables gives rows as a database would: a value for each column of a role.
type tables map[string][][]any

func (g tables) Rows(_ context.Context, role string, targets []any, visit func() error) error {
	for _, row := range g[role] {
		for i, value := range row {
			if err := assign(targets[i], value); err != nil {
				return err
			}
		}
		if err := visit(); err != nil {
			return err
		}
	}
	return nil
}

func TestStudentQuantiles(t *testing.T) {
	// Abramowitz and Stegun, table 26.10, to the digits printed there.
	wants := []struct {
		degrees               int64
		probability, quantile float64
	}{{1, 0.975, 12.706}, {3, 0.975, 3.182}, {30, 0.95, 1.697}, {120, 0.975, 1.980}, {4, 0.95, 2.132}}
	rows := rowsOf(t, "student_quantiles", map[string][][]any{"probabilities": {{0.95}, {0.975}}})
	if len(rows) != 4000 {
		t.Fatalf("got %d rows, want 2,000 for each of two probabilities", len(rows))
	}
	for _, want := range wants {
		found := false
		for _, row := range rows {
			if row[0] == want.degrees && row[1] == want.probability {
				found = true
				if got := row[2].(float64); math.Abs(got-want.quantile) > 6e-4 {
					t.Errorf("t of %d degrees at %g is %g, want %g", want.degrees, want.probability, got, want.quantile)
				}
			}
		}
		if !found {
			t.Errorf("there is no row for %d degrees at %g", want.degrees, want.probability)
		}
	}
}

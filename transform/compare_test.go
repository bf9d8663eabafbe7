package transform_test

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"tamiz/internal/duck"
	"tamiz/pipeline"
	"tamiz/transform"
)

func TestCompareTables_FindsWhatDiffersByMoreThanTheTolerance(t *testing.T) {
	db, err := duck.Open(t.Context(), duck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	dir, files := t.TempDir(), 0
	write := func(rows string) string {
		files++
		file := filepath.Join(dir, strconv.Itoa(files)+".parquet")
		if err := db.Exec(t.Context(), "copy (select * from (values "+rows+") as rows(id, part, figure, words)) to "+pipeline.QuoteText(file)+" (format parquet)"); err != nil {
			t.Fatal(err)
		}
		return file
	}
	before := write("(1, 'a', 1e6::double, ['x']), (2, null, 0.25, null), (3, 'c', null, ['y', 'z']), (4, 'd', 'nan'::double, [])")
	for name, c := range map[string]struct {
		rows    string
		none    bool
		columns string
		before  int64
		after   int64
	}{
		"equal, in another order": {"(4, 'd', 'nan'::double, []), (3, 'c', null, ['y', 'z']), (2, null, 0.25, null), (1, 'a', 1e6::double, ['x'])", true, "", 0, 0},
		"within the tolerance":    {"(1, 'a', 1e6::double + 1e-7, ['x']), (2, null, 0.25 + 1e-13, null), (3, 'c', null, ['y', 'z']), (4, 'd', 'nan'::double, [])", true, "", 0, 0},
		"beyond it":               {"(1, 'a', 1e6::double + 1e-5, ['x']), (2, null, 0.25 + 1e-11, null), (3, 'c', null, ['y', 'z']), (4, 'd', 'nan'::double, [])", false, "figure 2 1 a", 0, 0},
		"null and not a number":   {"(1, 'a', null::double, ['x']), (2, null, 0.25, null), (3, 'c', 1, ['y', 'z']), (4, 'd', 'inf'::double, [])", false, "figure 3 1 a", 0, 0},
		"a list":                  {"(1, 'a', 1e6::double, ['x']), (2, null, 0.25, null), (3, 'c', null, ['y']), (4, 'd', 'nan'::double, [])", false, "words 1 3 c", 0, 0},
		"other rows":              {"(1, 'a', 1e6::double, ['x']), (2, 'b', 0.25, null), (3, 'c', null, ['y', 'z'])", false, "", 2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			difference, err := transform.CompareTables(t.Context(), 0, []string{"id", "part"}, before, write(c.rows), 1e-12)
			if err != nil {
				t.Fatal(err)
			}
			var columns []string
			for _, one := range difference.Columns {
				columns = append(columns, one.Column+" "+strconv.FormatInt(one.Rows, 10)+" "+one.Key)
			}
			if got := strings.Join(columns, ", "); got != c.columns || difference.IsNone() != c.none || difference.OnlyBefore != c.before || difference.OnlyAfter != c.after {
				t.Errorf("%+v", difference)
			}
		})
	}
	other := filepath.Join(dir, "other.parquet")
	if err := db.Exec(t.Context(), "copy (select 1 as id, 'a' as part, 2 as figure) to "+pipeline.QuoteText(other)+" (format parquet)"); err != nil {
		t.Fatal(err)
	}
	difference, err := transform.CompareTables(t.Context(), 0, []string{"id", "part"}, before, other, 1e-12)
	if err != nil || difference.IsNone() || !strings.Contains(difference.Shape, "figure DOUBLE, words VARCHAR[] → id INTEGER") {
		t.Errorf("%+v, %v", difference, err)
	}
	if d := difference; len(d.Removed) != 1 || d.Removed[0].Name != "words" || len(d.Added) != 0 || len(d.Retyped) != 1 || d.OnlyBefore != 3 || d.OnlyAfter != 0 || d.Changed != 1 || len(d.Columns) != 1 || d.Columns[0].Before != "1000000.0" || d.Columns[0].After != "2" {
		t.Errorf("%+v", d)
	}
	difference, err = transform.CompareTables(t.Context(), 0, []string{"id", "other"}, before, other, 0)
	if err != nil || difference.IsNone() || difference.OnlyBefore != 0 {
		t.Errorf("by a key that is not there: %+v, %v", difference, err)
	}
}

func TestMovements_SayHowFarAndWhich(t *testing.T) {
	db, err := duck.Open(t.Context(), duck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	dir := t.TempDir()
	write := func(name, rows string) string {
		file := filepath.Join(dir, name)
		if err := db.Exec(t.Context(), "copy (select * from (values "+rows+") as rows(id, figure, whole, words)) to "+pipeline.QuoteText(file)+" (format parquet)"); err != nil {
			t.Fatal(err)
		}
		return file
	}
	before := write("before", "('a', 1.0::double, 1, 'x'), ('b', 2.0::double, 1, 'x'), ('c', null, 1, 'x'), ('d', 4.0::double, 1, 'x'), ('gone', 9.0::double, 1, 'x')")
	after := write("after", "('a', 2.0::double, 1, 'y'), ('b', 1.0::double, 1, 'y'), ('c', 3.0::double, 1, 'y'), ('d', 4.0::double, 1, 'y')")
	movements, err := transform.Movements(t.Context(), 0, []string{"id"}, []string{"figure", "words", "whole", "none"}, before, after, 1)
	if err != nil || len(movements) != 2 {
		t.Fatalf("%+v, %v", movements, err)
	}
	m := movements[0]
	if m.Column != "figure" || m.Both != 3 || m.Moved != 2 || *m.MeanBefore != 4 || *m.MeanAfter != 2.5 || m.Quantiles[0] != -1 || m.Quantiles[3] != 0 || m.Quantiles[6] != 1 {
		t.Errorf("%+v", m)
	}
	if len(m.Movers) != 1 || m.Movers[0].Key[0] != "a" || m.Movers[0].Before != 1 || m.Movers[0].After != 2 {
		t.Errorf("%+v", m.Movers)
	}
	if whole := movements[1]; whole.Moved != 0 || whole.Both != 4 || len(whole.Movers) != 0 {
		t.Errorf("%+v", whole)
	}
	none, err := transform.Movements(t.Context(), 0, []string{"id"}, []string{"figure"}, write("empty", "('z', 1.0::double, 1, 'x')"), after, 1)
	if err != nil || none[0].Both != 0 || len(none[0].Quantiles) != 0 {
		t.Errorf("%+v, %v", none, err)
	}
}

package csvtext_test

import (
	"fmt"
	"strings"
	"testing"

	"tamiz/extract/csvtext"
	"tamiz/pipeline"
)

func titles(h *csvtext.Header) []string {
	list := make([]string, h.Width())
	for i := range list {
		list[i] = h.Title(i)
	}
	return list
}

func TestHeader_StacksMergedCells(t *testing.T) {
	cases := []struct {
		name string
		rows [][]string
		want string
	}{
		{"one row stands for itself", [][]string{{"A", "", " b  c "}}, `["A" "" "b c"]`},
		{"upper cells carry right", [][]string{{"A", "", "B", ""}, {"x", "y", "x", "y"}}, `["A > x" "A > y" "B > x" "B > y"]`},
		{"a new upper cell ends what hung below the old one", [][]string{{"A", "", "", "B", ""}, {"p", "", "q", "", ""}, {"x", "y", "x", "x", "y"}},
			`["A > p > x" "A > p > y" "A > q > x" "B > x" "B > y"]`},
		{"a column without any cell has no title", [][]string{{"A", "Z", ""}, {"x", "", ""}}, `["A > x" "Z" ""]`},
		{"single columns beside merged ones", [][]string{{"ID", "N", "A", "", "Z"}, {"", "", "x", "y", ""}}, `["ID" "N" "A > x" "A > y" "Z"]`},
		{"rows of different widths", [][]string{{"A"}, {"x", "y"}}, `["A > x" "A > y"]`},
		{"an empty beginning", [][]string{{"", "A"}, {"x", "y"}}, `["x" "A > y"]`},
		{"the same cell again is a new group", [][]string{{"A", "", "A", ""}, {"p", "", "", "q"}, {"x", "x", "x", "x"}},
			`["A > p > x" "A > p > x" "A > x" "A > q > x"]`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := fmt.Sprintf("%q", titles(csvtext.NewHeader(c.rows))); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func column(name string, titles ...string) pipeline.SourceColumn {
	return pipeline.SourceColumn{Name: name, Titles: titles}
}

func TestMatch_FindsColumns(t *testing.T) {
	header := csvtext.NewHeader([][]string{
		{" clave  CT", "TURNO", "Evaluados", "", "Matrícula", "REPRESENTATIVOS?", "REPRESENTATIVOS?", "% > 60", ""},
		{"", "", "ESPAÑOL", "MATEMÁTICAS", "", "", "", "", ""},
	})
	optional := column("gone", "NO SUCH")
	optional.Optional = true
	second := column("second", "REPRESENTATIVOS?")
	second.Position = 7
	bare := pipeline.SourceColumn{Name: "bare", Position: 9}
	cases := []struct {
		name   string
		column pipeline.SourceColumn
		want   int
	}{
		{"case and blanks", column("cct", "CLAVE CT"), 0},
		{"any vintage", column("cct", "CLAVECCT", "CLAVE\nCT "), 0},
		{"the first title on the card counts", column("x", "TURNO", "CLAVE CT"), 1},
		{"the tail of a path", column("x", "español"), 2},
		{"a whole path", column("x", "EVALUADOS>MATEMÁTICAS"), 3},
		{"accents in pieces", column("x", "MATRI\u0301CULA"), 4},
		{"a position with its title", second, 6},
		{"a position alone", bare, 8},
		{"the mark of paths within a title", column("x", "% >60"), 7},
		{"optional and absent", optional, csvtext.Absent},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			places, mismatches := header.Match([]pipeline.SourceColumn{c.column})
			if len(mismatches) > 0 || places[0] != c.want {
				t.Errorf("got place %d, %v, want %d", places[0], mismatches, c.want)
			}
		})
	}
}

func TestMatch_SaysHowToMendTheCard(t *testing.T) {
	header := csvtext.NewHeader([][]string{{"CVEGEO", "POBTOT", "VIVPAR_HAB", "REP", "REP", ""}})
	low, high := 0.0, 9999.5
	full := pipeline.SourceColumn{Name: "VIVPARH_CV", Titles: []string{"VIVPARH_CV", "VIV: x"}, Min: &low, Max: &high, Description: `Homes with "data".`}
	moved := column("pop", "POBTOT")
	moved.Position = 1
	beyond := column("rep", "NONE")
	beyond.Position = 12
	cases := []struct {
		name    string
		columns []pipeline.SourceColumn
		want    []string
	}{
		{"renamed", []pipeline.SourceColumn{column("VIVPARH_CV", "VIVPARH_CV")},
			[]string{"a column VIVPARH_CV", "6 columns, none of that name; nearest: VIVPAR_HAB", "if VIVPAR_HAB is the same quantity", "VIVPARH_CV: [VIVPARH_CV, VIVPAR_HAB]"}},
		{"the whole line is kept", []pipeline.SourceColumn{full},
			[]string{`a column VIVPARH_CV or VIV: x, Homes with "data"`, `VIVPARH_CV: {titles: [VIVPARH_CV, "VIV: x", VIVPAR_HAB], range: [0, 9999.5], description: "Homes with \"data\"."}`}},
		{"known columns are not proposed", []pipeline.SourceColumn{column("a", "VIVPAR_HAB"), column("b", "VIVPAR_HABX"), column("c", "CVEGEO")},
			[]string{"b: [VIVPAR_HABX, POBTOT]"}},
		{"twice", []pipeline.SourceColumn{column("rep", "rep")},
			[]string{`one column that is titled "rep"`, "column 4 (REP), column 5 (REP)", "rep: {titles: [rep], position: 4}"}},
		{"moved", []pipeline.SourceColumn{moved},
			[]string{`column 1 is "CVEGEO"; "POBTOT" is column 2`, "pop: {titles: [POBTOT], position: 2}"}},
		{"beyond the last column", []pipeline.SourceColumn{beyond}, []string{"as column 12 of the file", "6 columns"}},
		{"all at once", []pipeline.SourceColumn{column("a", "X1"), column("rep", "REP"), column("b", "X2")},
			[]string{"a column X1", "a column X2", "column 4 (REP)"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, mismatches := header.Match(c.columns)
			var text strings.Builder
			for _, m := range mismatches {
				fmt.Fprintln(&text, m.Expected, "|", m.Found, "|", m.Premise, "|", m.Line)
			}
			for _, want := range c.want {
				if !strings.Contains(text.String(), want) {
					t.Errorf("%q is not in\n%s", want, &text)
				}
			}
		})
	}
}

func TestMatch_ProposesOptionalWhereNothingIsLeft(t *testing.T) {
	header := csvtext.NewHeader([][]string{{"A"}})
	_, mismatches := header.Match([]pipeline.SourceColumn{column("a", "A"), column("b", "B")})
	if len(mismatches) != 1 || mismatches[0].Line != "b: {titles: [B], optional: true}" {
		t.Errorf("got %v", mismatches)
	}
}

func TestMatch_NamesTheNearestByTheTailThatTellsItApart(t *testing.T) {
	header := csvtext.NewHeader([][]string{{"LENGUA", "", "MATE", ""}, {"I", "II", "I", "II"}})
	_, mismatches := header.Match([]pipeline.SourceColumn{column("x", "MATH > II")})
	if len(mismatches) != 1 || !strings.Contains(mismatches[0].Line, `"MATE > II"`) {
		t.Errorf("got %v", mismatches)
	}
}

func FuzzHeader(f *testing.F) {
	f.Add("A,,B\nx,y,z", "B > z", 2)
	f.Add("É\n\nñ", ">", 0)
	f.Add(",,\n>,> >,", "> >", 1)
	f.Fuzz(func(t *testing.T, text, title string, position int) {
		var rows [][]string
		for _, line := range strings.Split(text, "\n") {
			rows = append(rows, strings.Split(line, ","))
		}
		header := csvtext.NewHeader(rows)
		titled := column("x", title)
		titled.Position = min(max(position, 0), 20)
		places, mismatches := header.Match([]pipeline.SourceColumn{titled, column("y", title, "other")})
		for i, place := range places {
			if place < csvtext.Absent || place >= header.Width() {
				t.Fatalf("column %d stands at %d of %d", i, place, header.Width())
			}
		}
		for _, m := range mismatches {
			if m.Expected == "" || m.Found == "" {
				t.Fatalf("an empty message: %+v", m)
			}
		}
		for i := range header.Width() { // a title finds its own column, or is said to be ambiguous
			own, _ := header.Match([]pipeline.SourceColumn{column("x", header.Title(i))})
			if own[0] != csvtext.Absent && own[0] != i && !strings.EqualFold(header.Title(own[0]), header.Title(i)) &&
				!strings.Contains(header.Title(i), ">") && !strings.Contains(header.Title(own[0]), ">") {
				t.Fatalf("title %q of column %d found column %d", header.Title(i), i, own[0])
			}
		}
	})
}

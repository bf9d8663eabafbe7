package extract_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tamiz/extract"
	"tamiz/internal/duck"
	"tamiz/pipeline"
)

// card is a source with plain settings.
func card(columns ...pipeline.SourceColumn) *pipeline.Source {
	return &pipeline.Source{Name: "registry", Path: "config/mx/sources/registry.yml",
		Parsing: pipeline.Parsing{Formats: []string{"csv"}, Encodings: []string{"utf-8", "mac-roman"}, Separator: ",", HeaderRows: 1, Columns: columns}}
}

func column(name string, titles ...string) pipeline.SourceColumn {
	return pipeline.SourceColumn{Name: name, Titles: titles}
}

func optional(c pipeline.SourceColumn) pipeline.SourceColumn {
	c.Optional = true
	return c
}

func ranged(c pipeline.SourceColumn, least, most float64) pipeline.SourceColumn {
	c.Min, c.Max = &least, &most
	return c
}

// readFile runs the reader on a file and gives its result and its folder.
func readFile(t *testing.T, ctx context.Context, source *pipeline.Source, path string) (pipeline.Result, string, error) {
	t.Helper()
	digest, _, err := pipeline.HashFile(path)
	if err != nil {
		t.Fatal(err)
	}
	task := pipeline.Task{Dir: t.TempDir(), Memory: 512 << 20,
		Step:   &pipeline.Step{Kind: pipeline.StepRead, Table: "raw." + source.Name, Source: source, Raw: digest},
		Inputs: []pipeline.TaskInput{{Table: "raw." + source.Name, Files: []string{path}}}}
	result, err := extract.Reader{}.Run(ctx, task)
	return result, task.Dir, err
}

func readText(t *testing.T, source *pipeline.Source, text string) (pipeline.Result, string, error) {
	t.Helper()
	return readFile(t, t.Context(), source, put(t, filepath.Join(t.TempDir(), "raw"), text))
}

// ask runs a query over the table in a folder; it is called t there.
func ask(t *testing.T, dir, query string) [][]string {
	t.Helper()
	db, err := duck.Open(t.Context(), duck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	view := "create view t as " + duck.ReadParquet([]string{filepath.Join(dir, pipeline.TableFile)})
	if err := db.Exec(t.Context(), view); err != nil {
		t.Fatal(err)
	}
	_, rows, err := db.Rows(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	table := make([][]string, len(rows))
	for i, row := range rows {
		for _, cell := range row {
			if cell == nil {
				table[i] = append(table[i], "NULL")
			} else {
				table[i] = append(table[i], fmt.Sprintf("%q", *cell))
			}
		}
	}
	return table
}

func TestReader_KeepsTextAsItStands(t *testing.T) {
	source := card(column("cct", "CLAVE CT"), optional(column("gone", "NO SUCH")), column("name", "NOMBRE"), column("total", "TOTAL"))
	text := "NOMBRE,EXTRA,CLAVE CT,TOTAL\n" +
		"\" Benito \"\"J\"\" \",x,14A, 180 \n" +
		"\"two\r\nlines\",,\"\",\n" +
		"NULL,\\N,'1',\\\n\n"
	result, dir, err := readText(t, source, text)
	if err != nil {
		t.Fatal(err)
	}
	digest, _, _ := pipeline.HashFile(put(t, filepath.Join(t.TempDir(), "raw"), text))
	got := fmt.Sprint(ask(t, dir, "select * from t order by _record"))
	want := fmt.Sprintf(`[["14A" NULL " Benito \"J\" " " 180 " "%[1]s" "" "1" "2"] ["" NULL "two\nlines" "" "%[1]s" "" "2" "3"] ["'1'" NULL "NULL" "\\" "%[1]s" "" "3" "5"]]`, digest)
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	columns := fmt.Sprint(ask(t, dir, "select column_name, column_type from (describe t)"))
	if want := `[["cct" "VARCHAR"] ["gone" "VARCHAR"] ["name" "VARCHAR"] ["total" "VARCHAR"] ["_file" "VARCHAR"] ["_part" "VARCHAR"] ["_record" "BIGINT"] ["_line" "BIGINT"]]`; columns != want {
		t.Errorf("got  %s\nwant %s", columns, want)
	}
	if result.Rows != 3 || result.Aside != 0 {
		t.Errorf("got %+v", result)
	}
	if got, want := fmt.Sprintf("%q", result.Notes), `["encoding: utf-8 (plain ASCII)" "line ends: LF; separator: ," "1 column of the file is not on the card"]`; got != want {
		t.Errorf("notes: got %s, want %s", got, want)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 || entries[0].Name() != pipeline.PlacesFile || entries[1].Name() != pipeline.TableFile {
		t.Errorf("the folder holds %v, %v, want the table and its places", entries, err)
	}
}

func TestReader_GivesTheSameBytesAgain(t *testing.T) {
	source := card(column("a", "A"), column("b", "B"))
	random := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"a", " ", `"`, `""`, "'", `\`, "\n", "\t", ",", ";", "#", "é", "नी", "NULL", `\N`, "0", "\u00a0", "--"}
	var text strings.Builder
	var want [][]string
	text.WriteString("A,B\n")
	for range 30_000 {
		var row []string
		for range 2 {
			value := ""
			for range random.IntN(6) {
				value += pieces[random.IntN(len(pieces))]
			}
			row = append(row, value)
		}
		want = append(want, row)
		fmt.Fprintf(&text, "\"%s\",\"%s\"\n", strings.ReplaceAll(row[0], `"`, `""`), strings.ReplaceAll(row[1], `"`, `""`))
	}
	var digests []pipeline.Digest
	for range 2 {
		_, dir, err := readText(t, source, text.String())
		if err != nil {
			t.Fatal(err)
		}
		digest, _, err := pipeline.HashFile(filepath.Join(dir, pipeline.TableFile))
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, digest)
		for i, row := range ask(t, dir, "select a, b, _record from t") { // in the order of the file
			expected := fmt.Sprintf("[%q %q %q]", want[i][0], want[i][1], fmt.Sprint(i+1))
			if got := fmt.Sprint(row); got != expected {
				t.Fatalf("record %d: got %s, want %s", i+1, got, expected)
			}
		}
	}
	if digests[0] != digests[1] {
		t.Errorf("two runs gave %s and %s", digests[0].Short(), digests[1].Short())
	}
}

func TestReader_ReadsVintages(t *testing.T) {
	cases := []struct {
		name, text string
		change     func(p *pipeline.Parsing)
		want       string
	}{
		{"shuffled headers", "TOTAL,CLAVE CT\n5,x\n", nil, `[["x" "5"]]`},
		{"mac roman and carriage returns", "CLAVE CT,TOTAL\rTonal\x87,5\r", nil, `[["Tonalá" "5"]]`},
		{"a mark", "\xEF\xBB\xBFCLAVE CT,TOTAL\nTonalá,5\n", nil, `[["Tonalá" "5"]]`},
		{"semicolons", "CLAVE CT;TOTAL\nx;5\n", func(p *pipeline.Parsing) { p.Separator = ";" }, `[["x" "5"]]`},
		{"lines before the header", "REPORT \"2026\n\nCLAVE CT,TOTAL\nx,5\n", func(p *pipeline.Parsing) { p.SkipRows = 2 }, `[["x" "5"]]`},
		{"stacked headers", "CLAVE CT,\"A\",\n,\"OTHER\",TOTAL\nx,4,5\n", func(p *pipeline.Parsing) { p.HeaderRows = 2 }, `[["x" "5"]]`},
		{"empty fields beyond the header", "CLAVE CT,TOTAL\nx,5,,\n", nil, `[["x" "5"]]`},
		{"an untitled last column that some records lack", "CLAVE CT,TOTAL,\nx,5,\ny,6\n", nil, `[["x" "5"] ["y" "6"]]`},
		{"no records", "CLAVE CT,TOTAL\n", nil, `[]`},
		{"all optional and absent", "OTHER\nx\n", func(p *pipeline.Parsing) {
			p.Columns = []pipeline.SourceColumn{optional(column("cct", "CLAVE CT")), optional(column("total", "TOTAL"))}
		}, `[[NULL NULL]]`},
		{"long values", "CLAVE CT,TOTAL\n\"" + strings.Repeat("\"\"", 500_000) + "\",5\n", func(p *pipeline.Parsing) {
			p.Columns[0] = column("total", "TOTAL")
		}, `[["5" "5"]]`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			source := card(column("cct", "CLAVE CT"), column("total", "TOTAL"))
			if c.change != nil {
				c.change(&source.Parsing)
			}
			_, dir, err := readText(t, source, c.text)
			if err != nil {
				t.Fatal(err)
			}
			list := source.Parsing.Columns[0].Name + ", " + source.Parsing.Columns[1].Name
			if got := fmt.Sprint(ask(t, dir, "select "+list+" from t order by _record")); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestReader_SaysWhatDoesNotFit(t *testing.T) {
	cases := []struct {
		name, text string
		change     func(p *pipeline.Parsing)
		want       []string
	}{
		{"a column renamed", "CLAVE CT,TOTALES\nx,5\n", nil, []string{"registry: the file no longer fits its card",
			"expected  a column TOTAL", "found     2 columns, none of that name; nearest: TOTALES", "effect ",
			"if TOTALES is the same quantity, in config/mx/sources/registry.yml let this line under columns read:",
			"  total: [TOTAL, TOTALES]", "then: tamiz run --fetch"}},
		{"two columns renamed", "CLAVE,TOTALES\nx,5\n", nil, []string{"cct: [CLAVE CT, CLAVE]", "total: [TOTAL, TOTALES]", "a column CLAVE CT\n", "these lines"}},
		{"a title row above the header", "REPORT 2026\n\nCLAVE CT,TOTAL\nx,5\n", nil, []string{"the header is not where the card says", "it begins on line 3", "skip_rows: 2"}},
		{"a title row gone", "CLAVE CT,TOTAL\nx,5\n", func(p *pipeline.Parsing) { p.SkipRows = 1 }, []string{"it begins on line 1", "skip_rows: 0"}},
		{"a title twice", "CLAVE CT,TOTAL,TOTAL\nx,5,6\n", nil, []string{"column 2 (TOTAL), column 3 (TOTAL)", "position: 2"}},
		{"a short record", "CLAVE CT,TOTAL\r\nx,5\r\n\r\ny\r\n", nil, []string{"record 2, line 4", "as many fields as the header has: 2", "found     1: y"}},
		{"a long record", "CLAVE CT,TOTAL\nTonal\x87, Jal.,5\n", nil, []string{"record 1, line 2", "found     3: Tonalá, Jal.,5"}},
		{"a lost quote", "CLAVE CT,TOTAL\nx,5\ny,\"6\n", nil, []string{"record 2, line 3", "never closed"}},
		{"a lost quote in the header", "CLAVE CT,\"TOTAL\nx,5\n", nil, []string{"header, line 1", "never closed"}},
		{"a web page", "<html></html>", nil, []string{"registry: got a web page", "(sha256 "}},
		{"an empty file", "", nil, []string{"the file is empty"}},
		{"only lines that are skipped", "title\n", func(p *pipeline.Parsing) { p.SkipRows = 3 }, []string{"ends before its header does"}},
		{"words missing", "CLAVE CT,TOTAL\n", func(p *pipeline.Parsing) { p.Expect = []string{"GUADALAJARA"} }, []string{"expected words are missing"}},
		{"out of range", "CLAVE CT,TOTAL\na,5\nb,\"1,001\"\nc,*\nd, 2e3 \ne,101 %\nf,-0.5\n", func(p *pipeline.Parsing) { p.Columns[1] = ranged(p.Columns[1], 0, 1000) },
			[]string{"total from 0 to 1000", "total in 3 of 6 records; the first is record 2 (line 3): \"1,001\""}},
		{"too few records", "CLAVE CT,TOTAL\nx,5\n", func(p *pipeline.Parsing) { p.MinRecords = 1000 }, []string{"at least 1,000", "found     1"}},
		{"too many records", "CLAVE CT,TOTAL\nx,5\ny,6\n", func(p *pipeline.Parsing) { p.MaxRecords = 1 }, []string{"at most 1", "records: 2"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			source := card(column("cct", "CLAVE CT"), column("total", "TOTAL"))
			if c.change != nil {
				c.change(&source.Parsing)
			}
			_, dir, err := readText(t, source, c.text)
			if err == nil {
				t.Fatal("got no error")
			}
			if kind := pipeline.KindOf(err); kind != pipeline.Drift {
				t.Errorf("kind: got %s, want drift", kind)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in\n%v", want, err)
				}
			}
			if entries, _ := os.ReadDir(dir); len(entries) > 0 {
				t.Errorf("left behind: %v", entries)
			}
		})
	}
}

func TestReader_RefusesBytesThatAreNotThoseOfTheStep(t *testing.T) {
	source := card(column("a", "A"))
	path := put(t, filepath.Join(t.TempDir(), "raw"), "A\n1\n")
	task := pipeline.Task{Dir: t.TempDir(), Step: &pipeline.Step{Source: source, Raw: pipeline.Digest(strings.Repeat("0", 64))},
		Inputs: []pipeline.TaskInput{{Files: []string{path}}}}
	if _, err := (extract.Reader{}).Run(t.Context(), task); pipeline.KindOf(err) != pipeline.Storage || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("got %v", err)
	}
	if _, err := (extract.Reader{}).Run(t.Context(), pipeline.Task{}); err == nil {
		t.Error("an empty task was run")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := readFile(t, ctx, source, path); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

func TestReader_SaysWhenItIsAnotherFile(t *testing.T) {
	source := card(column("cct", "CLAVE CT"), column("name", "NOMBRE"), column("total", "TOTAL"), column("level", "NIVEL"))
	_, _, err := readText(t, source, "estado,mes\n14,enero\n")
	if pipeline.KindOf(err) != pipeline.Drift {
		t.Fatalf("got %v, want drift", err)
	}
	for _, want := range []string{"this does not look like the source's file", "4 columns, among them CLAVE CT, NOMBRE", "4 of them are missing", "estado,mes"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in\n%v", want, err)
		}
	}
}

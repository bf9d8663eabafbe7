package extract_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/xuri/excelize/v2"

	"tamiz/extract"
	"tamiz/pipeline"
)

// packed makes a ZIP archive of names and contents.
func packed(t *testing.T, files ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// workbook makes an Excel workbook of one sheet.
func workbook(t *testing.T, sheet string, rows ...[]any) string {
	t.Helper()
	book := excelize.NewFile()
	book.SetSheetName("Sheet1", sheet)
	for i, row := range rows {
		if err := book.SetSheetRow(sheet, fmt.Sprintf("A%d", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := book.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func in(format string, columns ...pipeline.SourceColumn) *pipeline.Source {
	source := card(columns...)
	source.Parsing.Formats = []string{format}
	source.Parsing.MaxBytes = 1 << 20
	return source
}

func TestReader_ReadsTheMembersOfAnArchiveInTheOrderOfTheirNames(t *testing.T) {
	source := in("csv", column("cct", "CCT"), optional(column("pupils", "PUPILS")))
	source.Parsing.Members = "datos_*.CSV"
	text := packed(t, "z/datos_2.csv", "CCT,PUPILS\nb,2\n", "readme.txt", "no table",
		"inner.zip", packed(t, "datos_1.csv", "PUPILS,CCT\n1,a\n\n7,c\n"), "z/datos_3.csv", "CCT\nd\n")
	result, dir, err := readText(t, source, text)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(ask(t, dir, "select cct, pupils, _part, _record, _line from t"))
	want := `[["a" "1" "inner.zip/datos_1.csv" "1" "2"] ["c" "7" "inner.zip/datos_1.csv" "2" "4"] ["b" "2" "z/datos_2.csv" "3" "2"] ["d" NULL "z/datos_3.csv" "4" "2"]]`
	if got != want || result.Rows != 4 {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !slices.Contains(result.Notes, "3 parts") {
		t.Errorf("notes: %q", result.Notes)
	}
	source.Parsing.Members = "*.xls"
	if _, _, err = readText(t, source, text); err == nil || !strings.Contains(err.Error(), "datos_1.csv, readme.txt, z/datos_2.csv") {
		t.Errorf("a pattern that names none: %v", err)
	}
}

func TestReader_ReadsSheets(t *testing.T) {
	source := in("xlsx", column("cct", "A > CLAVE"), column("share", "B"))
	source.Parsing.Sheets, source.Parsing.HeaderRows, source.Parsing.SkipRows = []string{"Datos", "ESCUELAS"}, 2, 1
	source.Parsing.Footer = []string{"Fuente:"}
	text := workbook(t, "ESCUELAS", []any{"A title of the sheet"}, []any{"A", "", ""}, []any{"CLAVE", "", "B"},
		[]any{"0012", nil, 9.1999999999999993}, nil, []any{"two\nlines", nil, 40}, nil, []any{"Fuente: INEGI"}, []any{"Nota: x"})
	result, dir, err := readText(t, source, text)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(ask(t, dir, "select cct, share, _part, _record, _line from t"))
	if want := `[["0012" "9.2" "ESCUELAS" "1" "4"] ["two\nlines" "40" "ESCUELAS" "2" "6"]]`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !slices.Contains(result.Notes, "footer of 2 rows") {
		t.Errorf("notes: %q", result.Notes)
	}
}

func TestReader_SaysWhatIsWrongWithAFile(t *testing.T) {
	csv := func(change func(*pipeline.Parsing)) *pipeline.Source {
		source := in("csv", column("a", "A"), column("b", "B"), column("c", "C"))
		change(&source.Parsing)
		return source
	}
	same := func(*pipeline.Parsing) {}
	sheet := func(names ...string) *pipeline.Source {
		source := in("xlsx", column("a", "A"))
		source.Parsing.Sheets = names
		return source
	}
	cases := []struct {
		name   string
		source *pipeline.Source
		text   string
		want   []string
	}{
		{"a workbook in place of text", csv(same), workbook(t, "x", []any{"A"}), []string{"an Excel workbook (.xlsx), not a table in text (csv)", "format: [csv, xlsx]"}},
		{"text in place of a workbook", sheet(), "A\n1\n", []string{"the file is not an Excel workbook (.xlsx)"}},
		{"a web page in place of a workbook", sheet(), "<!doctype html><p>no", []string{"got a web page", "an Excel workbook (.xlsx)"}},
		{"nothing", sheet(), "", []string{"the file is empty"}},
		{"half a workbook", sheet(), workbook(t, "x", []any{"A"})[:500], []string{"cannot be read", "get the file again"}},
		{"another sheet", sheet("Datos"), workbook(t, "Hoja1", []any{"A"}), []string{"no sheet of the name", "Hoja1", "sheet: [Datos, Hoja1]"}},
		{"records below the footer", csv(func(p *pipeline.Parsing) { p.Footer = []string{"total"} }), "A,B,C\n1,2,3\nTotal,,\n4,5,6\n", []string{"records below the footer", "line 4"}},
		{"a shapefile alone", in("shapefile", column("a", "A")), "\x00\x00\x27\x0A" + strings.Repeat("\x00", 96), []string{"attributes is missing", ".dbf"}},
		{"JSON that breaks off", in("json", column("a", "a")), `[{"a":1},{"a":`, []string{"the table in JSON cannot be read"}},
		{"JSON without the column", in("json", column("lat", "coords.lat")), `[{"coords":{"latitude":1}}]`, []string{"nearest: coords.latitude"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := readText(t, c.source, c.text)
			if pipeline.KindOf(err) != pipeline.Drift {
				t.Fatalf("got %v, want an error of kind drift", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in\n%v", want, err)
				}
			}
		})
	}
}

func TestReader_TellsFormatsApartByTheirFirstBytes(t *testing.T) {
	source := in("xlsx", column("a", "A"))
	source.Parsing.Formats = []string{"xlsx", "json", "csv"}
	for name, text := range map[string]string{"csv": "A\nx\n", "json": ` [{"A":"x"}]`, "xlsx": workbook(t, "s", []any{"A"}, []any{"x"})} {
		_, dir, err := readText(t, source, text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := fmt.Sprint(ask(t, dir, "select a from t")); got != `[["x"]]` {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

// The whole way of each format over the real files; what the decoders give
// cell by cell is tested beside them.
func TestReader_ReadsTheRealFilesOfEveryFormat(t *testing.T) {
	sheet := func(format, name string, headers int, columns ...pipeline.SourceColumn) *pipeline.Source {
		source := in(format, columns...)
		source.Parsing.Sheets, source.Parsing.HeaderRows = []string{name}, headers
		return source
	}
	cases := []struct {
		file   string
		source *pipeline.Source
		query  string
		want   string
	}{
		{"mx/enlace2012/01_RESUL_ESC_GRADO_ASIGNATURA.xls", sheet("xls", "primaria", 3, column("cct", "CLAVE DE LA ESCUELA"), column("low", "ESPAÑOL SEXTO GRADO > INSUF.")),
			"select count(*), min(_part), min(_line), max(low) filter (cct = '01DPR0001V') from t", `[["734" "primaria" "4" "22.5%"]]`},
		{"mx/planea_ms2017/14_escuelas_planeams2017.xlsx", in("xlsx", column("cct", "CLAVE DE LA ESCUELA")), "select count(*), min(length(cct)), max(_line) from t", `[["818" "10" "819"]]`},
		{"mx/registry/yucatan_schools_coords.json", in("json", column("cct", "id"), column("latitude", "coords.lat")), "select count(*), count(distinct cct), min(latitude::double) > 19 from t", `[["1604" "1604" "true"]]`},
		{"mia/Balsakhi_wide.dta", in("dta", column("child", "studentid"), column("age", "age")), "select count(*), count(*) filter (age = '') from t", `[["12389" "1058"]]`},
		{"np/emis/geoda_nepal_75districts.dbf", in("dbf", column("district", "district"), column("schools", "schoolcnt")), "select count(*), sum(schools::double) > 20000 from t", `[["75" "true"]]`},
		{"geo/mx_yucatan_ageb/31a.shp", in("shapefile", column("ageb", "CVEGEO"), column("geometry", "geometry")),
			"select count(*), min(length(ageb)), count(distinct json_extract_string(geometry, '$.type')) from t", `[["1532" "13" "1"]]`},
	}
	for _, c := range cases {
		t.Run(filepath.Base(c.file), func(t *testing.T) {
			path := realFile(t, c.file)
			task := pipeline.Task{Dir: t.TempDir(), Memory: 512 << 20, Step: &pipeline.Step{Kind: pipeline.StepRead, Source: c.source, File: filepath.Base(path)},
				Inputs: []pipeline.TaskInput{{Files: []string{path}}}}
			var err error
			if task.Step.Raw, _, err = pipeline.HashFile(path); err != nil {
				t.Fatal(err)
			}
			for _, ending := range c.source.Companions() {
				other := strings.TrimSuffix(path, filepath.Ext(path)) + ending
				digest, _, err := pipeline.HashFile(other)
				if err != nil {
					t.Fatal(err)
				}
				task.Step.Beside = append(task.Step.Beside, pipeline.Beside{Ending: ending, Digest: digest})
				task.Inputs[0].Files = append(task.Inputs[0].Files, other)
			}
			if _, err := (extract.Reader{}).Run(t.Context(), task); err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(ask(t, task.Dir, c.query)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// A disk that is full is ours: no publisher's file is refused for it.
func TestReader_TellsOurDiskFromTheirFile(t *testing.T) {
	for err, want := range map[error]pipeline.Kind{
		fmt.Errorf("unpack: %w", &fs.PathError{Op: "write", Path: "part", Err: syscall.ENOSPC}): pipeline.Storage,
		fmt.Errorf("unpack: %w", syscall.EFBIG):                                                 pipeline.Storage,
		fmt.Errorf("member: %w", io.ErrUnexpectedEOF):                                           pipeline.Drift,
	} {
		if got := pipeline.KindOf(extract.Unreadable(t.Context(), "ZIP archive", err)); got != want {
			t.Errorf("%v: kind %s, want %s", err, got, want)
		}
	}
}

package extract_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tamiz/extract/csvtext"
	"tamiz/pipeline"
)

// realFile gives the path of a published file, or skips the test.
func realFile(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("TAMIZ_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
	}
	path := filepath.Join(dir, filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		t.Skip("real files not here: set TAMIZ_DATA")
	}
	return path
}

func TestReader_ReadsPublishedFiles(t *testing.T) {
	position := func(c pipeline.SourceColumn, n int) pipeline.SourceColumn {
		c.Position = n
		return c
	}
	any4 := []string{"utf-8", "mac-roman", "windows-1252", "latin-1"}
	cases := []struct {
		file        string
		parsing     pipeline.Parsing
		notes       string
		query, want string
	}{
		{"mx/registry/jalisco_cct_estadistica_5.csv",
			pipeline.Parsing{Encodings: any4, Expect: []string{"GUADALAJARA", "MATRICULA", "HOMBRES 1°", "BOLAÑOS"}, Columns: []pipeline.SourceColumn{
				column("cct", "CLAVE CT", "CLAVECCT"), column("shift", "NOM TURNO"), column("name", "NOMBRE CT"), column("locality", "NOMBRE LOCALIDAD"),
				column("municipality_code", "MUNICIPIO"), column("level", "NIVEL"), column("men_1", "HOMBRES 1°"), ranged(column("pupils", "MATRICULA TOTAL"), 0, 20000)}},
			"mac-roman",
			`select count(*), count(distinct _record), max(_record), count(*) filter (level in ('PRIMARIA', 'SECUNDARIA')),
			 sum(pupils::bigint) filter (level in ('PRIMARIA', 'SECUNDARIA')), count(*) filter (name = 'AGUSTIN YAÑEZ'),
			 count(*) filter (regexp_matches(concat(name, locality), '[^\x00-\x7FÑñ´]')) from t`,
			`[["14018" "14018" "14018" "7980" "1375367" "90" "0"]]`},
		{"mx/marginacion/IMM_2020.csv",
			pipeline.Parsing{Encodings: any4, Expect: []string{"Aguascalientes", "Mérida"}, MinRecords: 2400, Columns: []pipeline.SourceColumn{
				column("code", "CVE_MUN"), column("name", "NOM_MUN"), column("low_income", "PL.5000"), ranged(column("index", "IMN_2020"), 0, 1)}},
			"utf-8, marked so by its first bytes", `select count(*), max(name) filter (code = '31050') from t`, `[["2469" "Mérida"]]`},
		{"derived/IMU_2020_ent01_06_08_14_31.csv",
			pipeline.Parsing{Encodings: []string{"utf-8"}, Columns: []pipeline.SourceColumn{column("ageb", "CVE_AGEB"), column("grade", "GM_2020")}},
			"utf-8", `select count(*), count(distinct ageb), min(length(ageb)), max(length(ageb)) from t`, `"13" "13"]]`},
		{"derived/enlace2012_01_primaria.csv",
			pipeline.Parsing{Encodings: any4, Expect: []string{"MATEMÁTICAS", "EN LA ESCUELA"}, HeaderRows: 3, Columns: []pipeline.SourceColumn{
				column("cct", "CLAVE DE LA ESCUELA"), column("shift", "TURNO"),
				column("spanish_3", "P R O M E D I O S D E P U N T A J E S > TERCER GRADO > ESPAÑOL"),
				column("spanish_6_low", "ESPAÑOL SEXTO GRADO > INSUF."), column("science_6_top", "CIENCIAS SEXTO GRADO > EXCEL."),
				column("tested", "Alumnos evaluados > En la escuela"), column("unreliable", "ALUMNOS CON RESULTADO POCO CONFIABLE > EN LA ESCUELA"),
				column("grade", "GRADO DE MARGINACIÓN"), position(column("maths_3", "TERCER GRADO > MATEMÁTICAS"), 12)}},
			"utf-8", `select (select count(*) from t), spanish_3, spanish_6_low, science_6_top, tested, unreliable, grade, maths_3 from t where cct = '01DPR0001V'`,
			`[["734" "450" "22.5%" "0.0%" "158" "0" "MUY BAJO" "471"]]`},
		{"derived/enlace2012_01_secundaria.csv",
			pipeline.Parsing{Encodings: any4, HeaderRows: 3, Columns: []pipeline.SourceColumn{column("cct", "CLAVE DE LA ESCUELA"), column("tested", "ALUMNOS EVALUADOS > EN LA ESCUELA")}},
			"utf-8", `select count(*) from t`, `[["343"]]`},
		{"mortality/ssa_2020_2022_defunciones_por_entidad.csv",
			pipeline.Parsing{Encodings: []string{"utf-8"}, Columns: []pipeline.SourceColumn{column("date", "fecha"), column("state", "CVE_ENT"), ranged(column("deaths", "def_registradas"), 0, 5000)}},
			"plain ASCII", `select count(distinct state), min(length(state)), sum(deaths::bigint) > 1000000 from t`, `[["32" "2" "true"]]`},
		{"mortality/inegi_2012_2018_defunciones_por_entidad.tsv",
			pipeline.Parsing{Encodings: []string{"utf-8"}, Separator: "\t", Columns: []pipeline.SourceColumn{{Name: "first", Position: 1}, {Name: "second", Position: 2}}},
			"separator: tab", `select count(*) > 80000 from t`, `[["true"]]`},
		{"mx/census/31_merida_metro_df_agebs_cpv2020.csv",
			pipeline.Parsing{Encodings: []string{"utf-8", "latin-1"}, Columns: []pipeline.SourceColumn{column("ageb", "CVEGEO"), column("municipality", "NOM_MUN"), column("school", "P15A17A")}},
			"latin-1", `select count(*), count(distinct municipality), max(municipality) filter (municipality like 'M%') from t`, `[["624" "3" "Mérida"]]`},
		{"mx/census/conjunto_de_datos_iter_01CSV20.csv",
			pipeline.Parsing{Encodings: []string{"utf-8"}, Columns: []pipeline.SourceColumn{column("locality", "LOC"), column("name", "NOM_LOC"), column("longitude", "LONGITUD")}},
			"utf-8, marked", `select count(*), count(*) filter (longitude = '') > 0 from t`, `[["2058" "true"]]`},
		{"np/registry/schools_grade12_2081.tsv",
			pipeline.Parsing{Encodings: []string{"utf-8"}, Separator: "\t", Columns: []pipeline.SourceColumn{column("code", "scode"), column("name", "name-address"), column("lat", "lat")}},
			"utf-8", `select count(*) from t`, `[["395"]]`},
	}
	for _, c := range cases {
		t.Run(filepath.Base(c.file), func(t *testing.T) {
			path := realFile(t, c.file)
			source := card()
			source.Parsing = c.parsing
			source.Parsing.Formats, source.Parsing.HeaderRows = []string{"csv"}, max(1, c.parsing.HeaderRows)
			if source.Parsing.Separator == "" {
				source.Parsing.Separator = ","
			}
			result, dir, err := readFile(t, t.Context(), source, path)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(result.Notes, func(note string) bool { return strings.Contains(note, c.notes) }) {
				t.Errorf("notes: got %q, want %q in them", result.Notes, c.notes)
			}
			if got := fmt.Sprint(ask(t, dir, c.query)); !strings.Contains(got, c.want) {
				t.Errorf("got %s, want %s in it", got, c.want)
			}
		})
	}
}

func TestReader_FindsTheColumnThatThePublisherAddedLater(t *testing.T) {
	path := realFile(t, "mx/census/31_merida_metro_df_agebs_cpv2020.csv")
	source := card(column("CVEGEO", "CVEGEO"), column("VIVPARH_CV", "VIVPARH_CV"))
	source.Parsing.Encodings = []string{"utf-8", "latin-1"}
	_, _, err := readFile(t, t.Context(), source, path)
	if err == nil || !strings.Contains(err.Error(), "230 columns, none of that name; nearest: VIVPAR_HAB") {
		t.Errorf("got %v", err)
	}
}

func TestReader_NamesJaliscoSchoolsRight(t *testing.T) {
	path := realFile(t, "mx/registry/jalisco_cct_estadistica_5.csv")
	source := card(column("town", "NOMBRE MUNICIPIO"))
	source.Parsing.Encodings = []string{"windows-1252", "mac-roman"}
	source.Parsing.Expect = []string{"NOMBRE CT", "BOLAÑOS"}
	_, dir, err := readFile(t, t.Context(), source, path)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(ask(t, dir, `select town, count(*) from t where regexp_matches(town, '[^\x00-\x7F]') group by all order by all`))
	if want := `[["BOLAÑOS" "73"] ["CAÑADAS DE OBREGON" "21"] ["SAN MARTIN DE BOLAÑOS" "13"] ["TLAJOMULCO DE ZUÑIGA" "519"]]`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// The standard library's reader knows neither lone carriage returns nor where a
// record stands, but on sound files it must agree with ours on every field.
func TestRecords_AgreeWithTheStandardLibrary(t *testing.T) {
	for file, separator := range map[string]string{
		"mx/registry/jalisco_cct_estadistica_5.csv": ",", "mx/registry/queretaro_escuelas_coords.csv": ",",
		"mx/census/conjunto_de_datos_iter_01CSV20.csv": ",", "derived/IMU_2020_ent01_06_08_14_31.csv": ",",
		"derived/enlace2012_06_primaria.csv": ",", "np/registry/moest_processed_listB.tsv": "\t",
		"mortality/CATALOGO_MUNICIPIOS.csv": ",", "np/census2011/district_at_glance.csv": ",",
	} {
		t.Run(filepath.Base(file), func(t *testing.T) {
			raw, err := os.ReadFile(realFile(t, file))
			if err != nil {
				t.Fatal(err)
			}
			ours, err := csvtext.NewRecords(bytes.NewReader(raw), separator)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Contains(raw, []byte{'\n'}) {
				raw = bytes.ReplaceAll(raw, []byte{'\r'}, []byte{'\n'})
			}
			theirs := csv.NewReader(bytes.NewReader(raw))
			theirs.Comma, theirs.FieldsPerRecord = rune(separator[0]), -1
			for n := 1; ; n++ {
				want, wantErr := theirs.Read()
				got, err := ours.Next()
				if errors.Is(err, io.EOF) && errors.Is(wantErr, io.EOF) {
					return
				}
				if err != nil || wantErr != nil {
					t.Fatalf("record %d: got %v, want %v", n, err, wantErr)
				}
				line, _ := theirs.FieldPos(0)
				if fmt.Sprintf("%q", got.Fields) != fmt.Sprintf("%q", want) || got.Line != int64(line) {
					t.Fatalf("record %d: got %q on line %d, want %q on line %d", n, got.Fields, got.Line, want, line)
				}
			}
		})
	}
}

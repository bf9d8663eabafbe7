package main

import (
	"archive/zip"
	"context"
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tamiz/internal/duck"
	"tamiz/pipeline"
)

// rawRows asks the tables of a run, the raw ones too, straight from its
// artifacts.
func rawRows(t *testing.T, dir string, record *pipeline.RunRecord, sql string) [][]string {
	t.Helper()
	files := map[string][]string{}
	for _, step := range record.Steps {
		table, _, _ := strings.Cut(step.Step, " (")
		file := filepath.Join(dir, "warehouse", "artifacts", string(step.Fingerprint[:2]), string(step.Fingerprint), pipeline.TableFile)
		if _, err := os.Stat(file); err == nil && step.Kind != pipeline.StepCheck {
			files[table] = append(files[table], file)
		}
	}
	db, err := duck.Open(t.Context(), duck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	setup := duck.CreateSchemas
	for table, list := range files {
		setup += fmt.Sprintf("create view %s as %s;\n", pipeline.QuoteTable(table), duck.ReadParquet(list))
	}
	if err := db.Exec(context.Background(), setup); err != nil {
		t.Fatal(err)
	}
	_, rows, err := db.Rows(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	texts := make([][]string, len(rows))
	for i, row := range rows {
		for _, value := range row {
			if value == nil {
				texts[i] = append(texts[i], "NULL")
				continue
			}
			texts[i] = append(texts[i], *value)
		}
	}
	return texts
}

// rawCount asks the tables of a run for one number.
func rawCount(t *testing.T, dir string, record *pipeline.RunRecord, sql string) int {
	t.Helper()
	n, err := strconv.Atoi(rawRows(t, dir, record, sql)[0][0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// sameCell compares a cell with what another reader saw: numbers as numbers,
// since the two may write them with other digits, and else the very text.
func sameCell(got, want string) bool {
	if got == want {
		return true
	}
	a, errA := strconv.ParseFloat(got, 64)
	b, errB := strconv.ParseFloat(want, 64)
	return errA == nil && errB == nil && a == b
}

// csvRecords reads a file of comma-separated UTF-8 with the standard library.
func csvRecords(t *testing.T, path string) [][]string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("the real files are not here (%v)", err)
	}
	records, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// placed is a card's column and where it stands in the file, from 0.
type placed struct {
	name  string
	place int
}

// run of columns that stand beside each other.
func columnsFrom(place int, names ...string) []placed {
	var columns []placed
	for i, name := range names {
		columns = append(columns, placed{name, place + i})
	}
	return columns
}

// fourLevels names the four columns of a measure.
func fourLevels(prefix string) []string {
	return []string{prefix + "_1", prefix + "_2", prefix + "_3", prefix + "_4"}
}

var enlaceSchool = []string{"state_code", "state_name", "cct", "shift", "name", "type", "municipality_code", "municipality_name", "locality_code", "locality_name"}

// enlaceColumns says where people see the columns of the ENLACE cards.
var enlaceColumns = map[string][]placed{
	"primary": slices.Concat(columnsFrom(0, enlaceSchool...), columnsFrom(34, fourLevels("language_level")...), columnsFrom(50, fourLevels("maths_level")...),
		columnsFrom(73, "unreliable"), columnsFrom(78, "tested"), columnsFrom(80, "marginalization_grade")),
	"secondary": slices.Concat(columnsFrom(0, enlaceSchool...), columnsFrom(27, fourLevels("language_level")...), columnsFrom(39, fourLevels("maths_level")...),
		columnsFrom(57, "unreliable"), columnsFrom(61, "tested"), columnsFrom(63, "marginalization_grade")),
}

var enlaceSheets = map[string]string{"primary": "primaria", "secondary": "secundaria"}

func placedNames(columns []placed) string {
	var list []string
	for _, c := range columns {
		list = append(list, c.name)
	}
	return strings.Join(list, ", ")
}

// TestReal_FormatsGiveWhatOtherReadersSee runs the sources that are workbooks
// and compares their raw tables, cell by cell, with readings of the same
// files that share no code with ours.
func TestReal_FormatsGiveWhatOtherReadersSee(t *testing.T) {
	dir, data := realProject(t)
	record := runRecord(t, "mx", "--project", dir, "--var", "data="+data,
		"--select", "raw.enlace_*", "--select", "raw.registry", "--select", "+upper_secondary", "--select", "+int_population_states")
	t.Run("enlace", func(t *testing.T) { enlaceIsTheSheet(t, dir, data, record) })
	t.Run("enlace as csv", func(t *testing.T) { enlaceReadsAsCSV(t, dir, data, record) })
	t.Run("planea", func(t *testing.T) { planeaIsTheSheet(t, dir, data, record) })
	t.Run("population", func(t *testing.T) { populationIsTheTotals(t, dir, data, record) })
	t.Run("jalisco", func(t *testing.T) {
		both := rawCount(t, dir, record, `select count(distinct cct) from raw.planea_upper where cct like '14%' and cct in (select cct from raw.registry)`)
		all := rawCount(t, dir, record, `select count(distinct cct) from raw.planea_upper where cct like '14%'`)
		if both != 332 || all != 601 {
			t.Errorf("%d of %d CCTs of Jalisco are in PLANEA and in the register, want 332 of 601", both, all)
		}
	})
}

func enlaceIsTheSheet(t *testing.T, dir, data string, record *pipeline.RunRecord) {
	compared, filled := 0, 0
	for _, state := range []string{"01", "06"} {
		for level, columns := range enlaceColumns {
			want := csvRecords(t, filepath.Join(data, "derived", "enlace2012_"+state+"_"+enlaceSheets[level]+".csv"))
			got := rawRows(t, dir, record, fmt.Sprintf("select _line, _record, _part, %s from raw.enlace_%s where state_code = '%s' order by _record", placedNames(columns), level, state))
			if len(got) != len(want)-3 {
				t.Errorf("%s %s: %d records, want %d", state, level, len(got), len(want)-3)
				continue
			}
			for i, row := range got {
				if row[0] != strconv.Itoa(i+4) || row[1] != strconv.Itoa(i+1) || row[2] != enlaceSheets[level] {
					t.Fatalf("%s %s: record %d is said to stand in row %s as record %s of %q", state, level, i+1, row[0], row[1], row[2])
				}
				for j, c := range columns {
					// The other reader cut blanks at the ends of six cells.
					if cell, other := row[3+j], want[i+3][c.place]; !sameCell(cell, other) && strings.TrimSpace(cell) != other {
						t.Errorf("%s %s, row %d, %s: got %q, want %q", state, level, i+4, c.name, cell, other)
					}
					compared++
					if row[3+j] != "" {
						filled++
					}
				}
			}
		}
	}
	t.Logf("%d cells compared, %d of them with text", compared, filled)
	if compared != 36120 {
		t.Errorf("%d cells compared, want 36,120: 21 columns of 1,205 primary and 515 secondary records", compared)
	}
	// A per cent is text, with its decimal and its sign.
	if n := rawCount(t, dir, record, "select count(*) from raw.enlace_primary where language_level_1 <> '' and not regexp_full_match(language_level_1, '[0-9]+[.][0-9]%')"); n != 0 {
		t.Errorf("%d per cents are not text such as 39.0%%", n)
	}
}

// enlaceReadsAsCSV reads the conversions of the same sheets through the same
// cards: whoever has those instead gets the same table.
func enlaceReadsAsCSV(t *testing.T, dir, data string, record *pipeline.RunRecord) {
	project := t.TempDir()
	text := fmt.Sprintf("pipelines: [mx]\nas_of: 2021-08-29\nsources:\n  mx:\n    registry: %q\n", filepath.Join(data, "mx", "registry", "*_cct_estadistica_*.csv"))
	for level, sheet := range enlaceSheets {
		text += fmt.Sprintf("    enlace_%s: %q\n", level, filepath.Join(data, "derived", "enlace2012_*_"+sheet+".csv"))
	}
	if err := os.WriteFile(filepath.Join(project, "tamiz.yml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	second := runRecord(t, "mx", "--project", project, "--select", "raw.enlace_*")
	for level, columns := range enlaceColumns {
		sql := fmt.Sprintf("select _record, _line, %s from raw.enlace_%s where state_code in ('01', '06') order by state_code, _record", placedNames(columns), level)
		got, want := rawRows(t, project, second, sql), rawRows(t, dir, record, sql)
		if len(got) != len(want) || len(got) == 0 {
			t.Errorf("%s: %d records as csv, %d as xls", level, len(got), len(want))
			continue
		}
		for i := range got {
			if !slices.EqualFunc(got[i], want[i], func(a, b string) bool { return a == strings.TrimSpace(b) || sameCell(a, b) }) {
				t.Errorf("%s: as csv %q, as xls %q", level, got[i], want[i])
			}
		}
	}
}

// planeaColumns says where people see the columns of the card of PLANEA's
// upper secondary, by the letters that stand above them in a spreadsheet.
var planeaColumns = slices.Concat(
	columnsFrom(letters("A"), "state_code", "state_name", "cct", "name", "shift", "extension", "municipality_name", "locality_name", "subsystem",
		"marginalization_grade", "control", "enrolled", "programmed", "language_tested", "maths_tested", "language_tested_percent", "maths_tested_percent",
		"language_representative", "maths_representative", "peer_group"),
	columnsFrom(letters("U"), fourLevels("language_count")...), columnsFrom(letters("Y"), fourLevels("language_level")...),
	columnsFrom(letters("AC"), fourLevels("peers_language_level")...), columnsFrom(letters("AG"), fourLevels("national_language_level")...),
	columnsFrom(letters("AK"), fourLevels("maths_count")...), columnsFrom(letters("AO"), fourLevels("maths_level")...),
	columnsFrom(letters("AS"), fourLevels("peers_maths_level")...), columnsFrom(letters("AW"), fourLevels("national_maths_level")...))

// letters turns the name of a spreadsheet's column into its place, from 0.
func letters(name string) int {
	place := 0
	for _, letter := range name {
		place = 26*place + int(letter-'A') + 1
	}
	return place - 1
}

// planeaIsTheSheet compares all 52 columns with the XML of the workbooks, and
// the columns whose titles are mistyped with what their figures must be.
func planeaIsTheSheet(t *testing.T, dir, data string, record *pipeline.RunRecord) {
	paths, err := filepath.Glob(filepath.Join(data, "mx", "planea_ms2017", "*_escuelas_planeams2017.xlsx"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no workbook of PLANEA: %v", err)
	}
	records := map[string][][]string{} // of each state
	for _, row := range rawRows(t, dir, record, "select _line, "+placedNames(planeaColumns)+" from raw.planea_upper order by _file, _record") {
		records[row[1]] = append(records[row[1]], row)
	}
	compared, all := 0, 0
	for _, path := range paths {
		state := filepath.Base(path)[:2]
		sheet := sheetRows(t, path)
		got := records[state]
		if len(got) != len(sheet)-1 {
			t.Errorf("state %s: %d records, the workbook has %d", state, len(got), len(sheet)-1)
			continue
		}
		all += len(got)
		for i, row := range got {
			want := sheet[i+1]
			if row[0] != strconv.Itoa(i+2) {
				t.Fatalf("state %s: record %d is said to stand in row %s", state, i+1, row[0])
			}
			for j, c := range planeaColumns {
				if !sameCell(row[1+j], want[c.place]) {
					t.Errorf("state %s, row %d, %s: got %q, want %q", state, i+2, c.name, row[1+j], want[c.place])
				}
				compared++
			}
		}
	}
	t.Logf("%d cells of %d workbooks compared", compared, len(paths))
	if all != 9310 || compared != 9310*52 || len(records["01"]) != 214 || len(records["14"]) != 818 {
		t.Errorf("%d records (01: %d, 14: %d), %d cells; want 9,310 (214, 818), %d", all, len(records["01"]), len(records["14"]), compared, 9310*52)
	}
	// 19PBH00190 is no key: it has a digit where a letter must be.
	if n := rawCount(t, dir, record, "select count(*) from marts.upper_secondary"); n != all-1 {
		t.Errorf("the mart has %d rows, want all %d but one", n, all)
	}
	for what, sql := range map[string]string{
		"pupils of maths levels I to IV that are not those tested": `
			select count(*) from raw.planea_upper where maths_tested::int <>
			maths_count_1::int + maths_count_2::int + maths_count_3::int + maths_count_4::int`,
		"per cents of maths level III that are not its pupils": `
			select count(*) from raw.planea_upper where maths_tested <> '0' and
			abs(100 * maths_count_3::int / maths_tested::int - maths_level_3::double) > 0.051`,
		"schools without a maths test that is called representative": `
			select count(*) from raw.planea_upper where maths_tested = '0' and maths_representative <> 'NO'`,
		"results where nobody was tested, or none where somebody was": `
			select count(*) from raw.planea_upper where (maths_level_1 = '#NUM!') <> (maths_tested = '0')
			or (language_level_1 = '#NUM!') <> (language_tested = '0')`,
		"schools whose level III in the mart is not that of the file": `
			select count(*) from marts.upper_secondary as mart inner join raw.planea_upper as raw on raw.cct = mart.cct and raw.shift = mart.shift
			and if(trim(raw.extension) = '', 'NONE', raw.extension) = mart.extension
			where abs(100 * mart.maths_level_3_share - try_cast(raw.maths_level_3 as double)) > 1e-9
			or abs(100 * mart.language_level_3_share - try_cast(raw.language_level_3 as double)) > 1e-9`,
	} {
		if n := rawCount(t, dir, record, sql); n != 0 {
			t.Errorf("%d %s", n, what)
		}
	}
}

// populationIsTheTotals adds up men and women where the file has a row for
// both, which the pipeline uses as a control only.
func populationIsTheTotals(t *testing.T, dir, data string, record *pipeline.RunRecord) {
	got := map[string]string{}
	for _, row := range rawRows(t, dir, record, "select state_code || ' ' || year, population_count from intermediate.int_population_states") {
		got[row[0]] = row[1]
	}
	paths, err := filepath.Glob(filepath.Join(data, "mx", "census", "conapo_pob_ent_gender_*.csv"))
	if err != nil || len(paths) != 1 {
		t.Fatalf("found %v: %v", paths, err)
	}
	compared := 0
	for _, row := range csvRecords(t, paths[0]) {
		year, state, sex, middle := row[0], row[2], row[3], row[5]
		if state == "00" || sex != "Total" {
			continue
		}
		compared++
		if got[state+" "+year] != middle {
			t.Errorf("state %s in %s: %s people, the file says %s", state, year, got[state+" "+year], middle)
		}
	}
	if compared != 32*101 || len(got) != compared {
		t.Errorf("%d states and years compared, %d made; want 3,232: 1970 to 2070", compared, len(got))
	}
}

// sheetRows reads the first sheet of a workbook from its XML, whose cells are
// shared strings and numbers as they were written.
func sheetRows(t *testing.T, path string) [][]string {
	t.Helper()
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	part := func(name string, target any) {
		file, err := archive.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		text, err := io.ReadAll(file)
		if err == nil {
			err = xml.Unmarshal(text, target)
		}
		if err != nil {
			t.Fatalf("%s: %s: %v", path, name, err)
		}
	}
	var shared struct {
		Items []struct {
			Text []string `xml:"t"`
			Runs []string `xml:"r>t"`
		} `xml:"si"`
	}
	var sheet struct {
		Rows []struct {
			Cells []struct {
				Place string `xml:"r,attr"`
				Type  string `xml:"t,attr"`
				Value string `xml:"v"`
			} `xml:"c"`
		} `xml:"sheetData>row"`
	}
	part("xl/sharedStrings.xml", &shared)
	part("xl/worksheets/sheet1.xml", &sheet)
	rows := make([][]string, len(sheet.Rows))
	for i, row := range sheet.Rows {
		rows[i] = make([]string, letters("AZ")+1)
		for _, cell := range row.Cells {
			value := cell.Value
			if cell.Type == "s" {
				n, err := strconv.Atoi(value)
				if err != nil {
					t.Fatal(err)
				}
				value = strings.Join(append(shared.Items[n].Text, shared.Items[n].Runs...), "")
				value = strings.ReplaceAll(value, "_x000D_", "\r") // how a workbook writes what XML would lose
			}
			rows[i][letters(strings.TrimRight(cell.Place, "0123456789"))] = value
		}
	}
	return rows
}

package sample_test

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"

	"tamiz/internal/sample"
)

// workbook is one that was read back: its name, and the text of its cells, each row as wide as the first.
type workbook struct {
	name  string
	cells [][]string
}

// workbooks reads the workbooks of an archive by another program than the one that wrote them.
func workbooks(t *testing.T, archive []byte) []workbook {
	t.Helper()
	reader, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	var books []workbook
	for _, entry := range reader.File {
		file, err := entry.Open()
		if err != nil {
			t.Fatal(err)
		}
		book, err := excelize.OpenReader(file, excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatalf("%s: %v", entry.Name, err)
		}
		if sheets := book.GetSheetList(); !slices.Equal(sheets, []string{"ESCUELAS"}) {
			t.Errorf("%s has the sheets %v", entry.Name, sheets)
		}
		cells, err := book.GetRows("ESCUELAS")
		if err != nil {
			t.Fatalf("%s: %v", entry.Name, err)
		}
		for i := range cells {
			// The library leaves out the empty cells at the end of a row.
			cells[i] = append(cells[i], make([]string, len(cells[0])-len(cells[i]))...)
		}
		books = append(books, workbook{entry.Name, cells})
		if err := book.Close(); err != nil {
			t.Error(err)
		}
	}
	return books
}

// records parses delimited text of any line ends.
func records(t *testing.T, text string, comma rune) [][]string {
	t.Helper()
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.TrimPrefix(text, "\uFEFF"))
	reader := csv.NewReader(strings.NewReader(text))
	reader.Comma = comma
	all, err := reader.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// same compares two tables cell by cell.
func same(t *testing.T, name string, got, want [][]string) {
	t.Helper()
	if len(got) != len(want) || len(want) < 2 && !strings.HasPrefix(name, "planea0") {
		t.Errorf("%s: %d rows, want %d", name, len(got), len(want))
		return
	}
	for i := range want {
		if !slices.Equal(got[i], want[i]) {
			t.Errorf("%s, row %d: %q, want %q", name, i+1, got[i], want[i])
			return
		}
	}
}

func TestPlain_HasTheSameCells(t *testing.T) {
	published, plain := t.TempDir(), t.TempDir()
	names := relative(t, published, write(t, "mx", published, sample.Options{Schools: 700}))
	write(t, "mx", plain, sample.Options{Schools: 700, Plain: true})
	pages := map[string]*charmap.Charmap{"census_ageb/synthetic_RESAGEBURB.csv": charmap.Windows1252}
	for _, file := range registryFiles {
		pages[file.name] = file.page
	}
	books := 0
	for _, name := range names {
		if path.Ext(name) == ".zip" {
			for _, book := range workbooks(t, contents(t, published, name)) {
				books++
				plainName := "planea/" + strings.TrimSuffix(book.name, ".xlsx") + ".csv"
				last := len(book.cells) - 1
				if footer := book.cells[last][0]; !strings.HasPrefix(footer, "Fuente: datos sintéticos") {
					t.Errorf("%s ends with %q", book.name, footer)
				}
				same(t, book.name, records(t, string(contents(t, plain, plainName)), ','), book.cells[:last])
			}
			continue
		}
		comma := ','
		if path.Ext(name) == ".tsv" {
			comma = '\t'
		}
		raw := contents(t, plain, name)
		if bytes.ContainsAny(raw, "\r\uFEFF") || !bytes.HasSuffix(raw, []byte("\n")) {
			t.Errorf("%s is not plain", name)
		}
		same(t, name, records(t, string(raw), comma), records(t, decoded(t, filepath.Join(published, name), pages[name]), comma))
	}
	if books != 64 {
		t.Errorf("%d workbooks, want two for each state", books)
	}
}

func TestPlanea_IsWhatThePublishersHandOut(t *testing.T) {
	raw := contents(t, folder(t, "mx"), "planea/planea_14.zip")
	outer, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	when := time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC)
	for i, entry := range outer.File {
		if want := []string{"planea06_14.xlsx", "planea09_14.xlsx"}[i]; entry.Name != want || !entry.Modified.Equal(when) {
			t.Errorf("entry %s of %v, want %s of %v", entry.Name, entry.Modified, want, when)
		}
		file, err := entry.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(file)
		if err != nil {
			t.Fatal(err)
		}
		inner, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range inner.File {
			if !part.Modified.Equal(when) {
				t.Errorf("%s: %s of %v", entry.Name, part.Name, part.Modified)
			}
		}
		book, err := excelize.OpenReader(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		defer book.Close()
		// A count is a number, a share is a text.
		for cell, want := range map[string]excelize.CellType{
			"A2": excelize.CellTypeSharedString, "F2": excelize.CellTypeUnset, "J2": excelize.CellTypeSharedString,
		} {
			if got, err := book.GetCellType("ESCUELAS", cell); err != nil || got != want {
				t.Errorf("%s: %s has type %v, %v; want %v", entry.Name, cell, got, err, want)
			}
		}
	}
	for _, book := range workbooks(t, raw) {
		level := map[string]string{"planea06_14.xlsx": "PRIMARIA", "planea09_14.xlsx": "SECUNDARIA"}[book.name]
		for _, cells := range book.cells[1 : len(book.cells)-1] {
			if cells[3] != "JALISCO" || cells[4] != level {
				t.Fatalf("%s holds %q", book.name, cells)
			}
		}
	}
}

func TestKeyring_HasKeysForTenCountries(t *testing.T) {
	seen := map[string]bool{}
	next := sample.Keys()
	for i := range 60_000 {
		for _, letters := range []string{"DPR", "EPR", "KPR"} {
			key, err := next(30, letters)
			if err != nil {
				t.Fatal(err)
			}
			if seen[key] || checkLetter(key) != key[9] || key[2] != letters[0] {
				t.Fatalf("%s: the %dth key is %s", letters, i, key)
			}
			seen[key] = true
		}
	}
	if key, err := next(30, "DTV"); err != nil || !strings.HasPrefix(key, "30DTV9999") {
		t.Errorf("%s, %v", key, err)
	}
}

// ints gives the figures of a row of the census, and whether none of them is hidden.
func ints(r row, columns ...string) (numbers []int, known bool) {
	for _, column := range columns {
		var n int
		if _, err := fmt.Sscan(r[column], &n); err != nil {
			return nil, false
		}
		numbers = append(numbers, n)
	}
	return numbers, true
}

func TestCensus_FiguresFitEachOther(t *testing.T) {
	all := mexico(t, "census_ageb/synthetic_RESAGEBURB.csv", charmap.Windows1252, ',')
	if len(all[0]) != 230 {
		t.Fatalf("%d columns", len(all[0]))
	}
	// The first is the sum of the others.
	for _, columns := range []string{
		"POBTOT POBFEM POBMAS", "POBTOT P_0A2 P_3YMAS", "POBTOT POB0_14 POB15_64 POB65_MAS", "POBTOT POB0_14 P_15YMAS",
		"P_15YMAS P_15A17 P_18YMAS", "P_12YMAS P_12A14 P_15YMAS", "P_5YMAS P_5YMAS_F P_5YMAS_M", "PEA PEA_F PEA_M",
		"P_12YMAS PEA PE_INAC", "PEA POCUPADA PDESOCUP", "P15A17A P15A17A_F P15A17A_M", "TOTHOG HOGJEF_F HOGJEF_M",
		"POBTOT PCATOLICA PRO_CRIEVA POTRAS_REL PSIN_RELIG", "POBTOT PSINDER PDER_SS", "P3YM_HLI P3HLINHE P3HLI_HE",
		"VIVTOT TVIVHAB VIVPAR_DES VIVPAR_UT", "VIVPARH_CV VPH_1DOR VPH_2YMASD", "VIVPARH_CV VPH_C_ELEC VPH_S_ELEC",
		"VIVPARH_CV VPH_DRENAJ VPH_NODREN", "P6A11_NOA P6A11_NOAF P6A11_NOAM",
	} {
		checked := 0
		for _, r := range all {
			if n, known := ints(r, strings.Fields(columns)...); known {
				checked++
				for _, part := range n[1:] {
					n[0] -= part
				}
				if n[0] != 0 {
					t.Fatalf("%s: off by %d in %v", columns, n[0], r)
				}
			}
		}
		if checked < 200 {
			t.Errorf("%s: only %d rows show all of them", columns, checked)
		}
	}
	// No figure exceeds what it is a part of, and a total is at least the sum of its AGEBs.
	for i, r := range all {
		n, known := ints(r, "TVIVHAB", "TVIVPARHAB", "VIVPARH_CV", "VPH_INTER", "VPH_SPMVPI")
		if known && !slices.IsSortedFunc(n, func(a, b int) int { return b - a }) {
			t.Fatalf("row %d: %v", i, n)
		}
		for column, text := range r {
			if strings.HasPrefix(text, "-") || text == "" || r["NOM_LOC"] == "Total AGEB urbana" && (text == "1" || text == "2") &&
				(strings.HasPrefix(column, "PC") || column == "P_0A2_F") {
				t.Fatalf("row %d: %s is %q", i, column, text)
			}
		}
	}
}

package biff_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tamiz/extract/biff"
)

// realFile opens a publisher's file, or skips the test where there is none.
func realFile(t *testing.T, name string) *biff.Workbook {
	t.Helper()
	file, err := os.Open(realPath(name))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the real files are not there: set TAMIZ_DATA")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	w, err := biff.Open(file, info.Size())
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return w
}

func realPath(name string) string {
	root := os.Getenv("TAMIZ_DATA")
	if root == "" {
		root = "../../../shared/data"
	}
	return filepath.Join(root, name)
}

// table reads a whole sheet; row 1 is table[0].
func table(t *testing.T, w *biff.Workbook, name string) (all [][]string) {
	t.Helper()
	sheet, err := w.Sheet(name)
	if err != nil {
		t.Fatal(err)
	}
	for {
		cells, row, err := sheet.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if row != int64(len(all)+1) {
			t.Fatalf("sheet %s: got row %d, want %d", name, row, len(all)+1)
		}
		all = append(all, slices.Clone(cells))
	}
}

// sameValue compares a cell with what another reader wrote: as numbers where
// both are, since that one may have written fewer digits, else as text.
func sameValue(got, want string) bool {
	if got == want {
		return true
	}
	a, errA := strconv.ParseFloat(got, 64)
	b, errB := strconv.ParseFloat(want, 64)
	return errA == nil && errB == nil && a == b
}

func TestReal_EveryCellIsAsAnotherReaderReadIt(t *testing.T) {
	compared, filled, numbers, trimmed := 0, 0, 0, 0
	for _, state := range []string{"01", "06"} {
		w := realFile(t, "mx/enlace2012/"+state+"_RESUL_ESC_GRADO_ASIGNATURA.xls")
		for _, name := range []string{"primaria", "secundaria"} {
			text, err := os.ReadFile(realPath("derived/enlace2012_" + state + "_" + name + ".csv"))
			if errors.Is(err, os.ErrNotExist) {
				t.Skip("the real files are not there: set TAMIZ_DATA")
			}
			want, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			got := table(t, w, name)
			if len(got) != len(want) {
				t.Errorf("%s %s: got %d rows, want %d", state, name, len(got), len(want))
			}
			for i := range min(len(got), len(want)) {
				if len(got[i]) > len(want[i]) {
					t.Fatalf("%s %s row %d: got %d cells, want at most %d", state, name, i+1, len(got[i]), len(want[i]))
				}
				for j, value := range want[i] {
					cell := ""
					if j < len(got[i]) {
						cell = got[i][j]
					}
					switch {
					case sameValue(cell, value):
					case strings.TrimSpace(cell) == value: // the other reader trims
						trimmed++
					default:
						t.Errorf("%s %s row %d column %d: got %q, want %q", state, name, i+1, j+1, cell, value)
					}
					compared++
					if cell != "" {
						filled++
					}
					if _, err := strconv.ParseFloat(cell, 64); err == nil {
						numbers++
					}
				}
			}
		}
	}
	t.Logf("%d cells compared, %d of them with text, %d that are numbers, %d trimmed by the other reader", compared, filled, numbers, trimmed)
	if compared != 131435 || filled != 122546 || trimmed != 6 {
		t.Errorf("got %d cells, %d with text, %d trimmed; want 131435, 122546, 6", compared, filled, trimmed)
	}
}

func TestReal_SheetsHaveTheRowsThatOthersCounted(t *testing.T) {
	cases := []struct {
		file string
		want string
	}{
		{"mx/enlace2012/01_RESUL_ESC_GRADO_ASIGNATURA.xls", "primaria 737, secundaria 346"},
		{"mx/enlace2012/02_RESUL_ESC_GRADO_ASIGNATURA.xls", "primaria 1677, secundaria 608"},
		{"mx/enlace2012/03_RESUL_ESC_GRADO_ASIGNATURA.xls", "primaria 435, secundaria 162"},
		{"mx/enlace2012/06_RESUL_ESC_GRADO_ASIGNATURA.xls", "primaria 474, secundaria 175"},
		{"mx/enlace2012/Compara_01_2006_2012.xls", "MEDIAS_PYS 161, NIVELES_PYS 161"},
		{"mia/codebook-Balsakhi.xls", "codebook2 78"},
	}
	for _, c := range cases {
		t.Run(filepath.Base(c.file), func(t *testing.T) {
			w := realFile(t, c.file)
			var got []string
			for _, name := range w.Sheets() {
				got = append(got, fmt.Sprintf("%s %d", name, len(table(t, w, name))))
			}
			if strings.Join(got, ", ") != c.want {
				t.Errorf("got %s, want %s", strings.Join(got, ", "), c.want)
			}
		})
	}
}

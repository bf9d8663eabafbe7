package xlsx_test

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"tamiz/extract/xlsx"
)

// realFile gives the bytes of a published file.
func realFile(t *testing.T, name string) []byte {
	t.Helper()
	root := os.Getenv("TAMIZ_DATA")
	if root == "" {
		root = "../../../shared/data"
	}
	raw, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the real files are not there: set TAMIZ_DATA")
	}
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// table reads all of the only sheet, by number of row.
func table(t *testing.T, raw []byte) map[int64][]string {
	t.Helper()
	w, err := xlsx.Open(bytes.NewReader(raw), int64(len(raw)), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if len(w.Sheets()) != 1 {
		t.Fatalf("sheets %q, want one", w.Sheets())
	}
	s, err := w.Sheet(w.Sheets()[0])
	if err != nil {
		t.Fatal(err)
	}
	rows := map[int64][]string{}
	for {
		cells, number, err := s.Next()
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		rows[number] = append([]string(nil), cells...)
	}
}

func TestReal_RowsOfEachState(t *testing.T) {
	// Counted in the XML by another program (Python's ElementTree).
	want := []int{214, 363, 109, 134, 487, 116, 755, 480, 421, 286, 934, 598, 490, 818, 1784, 566, 222, 162, 371}
	sum := 0
	for i, rows := range want {
		got := table(t, realFile(t, fmt.Sprintf("mx/planea_ms2017/%02d_escuelas_planeams2017.xlsx", i+1)))
		if len(got)-1 != rows || len(got[1]) != 52 || got[int64(rows)+1] == nil {
			t.Errorf("file %02d: %d rows of %d columns, want %d of 52", i+1, len(got)-1, len(got[1]), rows)
		}
		for number, cells := range got {
			if len(cells) > 52 {
				t.Errorf("file %02d, row %d: %d cells", i+1, number, len(cells))
			}
			if state, _ := strconv.Atoi(cells[0]); number > 1 && state != i+1 {
				t.Errorf("file %02d, row %d: state %q", i+1, number, cells[0])
			}
		}
		sum += len(got) - 1
	}
	if sum != 9_310 {
		t.Errorf("%d rows in all", sum)
	}
}

// plainSheet is the XML of a sheet as a second way to read it.
type plainSheet struct {
	Rows []struct {
		Number int64 `xml:"r,attr"`
		Cells  []struct {
			Place string `xml:"r,attr"`
			Type  string `xml:"t,attr"`
			Value string `xml:"v"`
		} `xml:"c"`
	} `xml:"sheetData>row"`
}

type plainTexts struct {
	Items []struct {
		Text string   `xml:"t"`
		Runs []string `xml:"r>t"`
	} `xml:"si"`
}

func part(t *testing.T, raw []byte, name string, into any) {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	file, err := archive.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := xml.NewDecoder(file).Decode(into); err != nil {
		t.Fatal(err)
	}
}

func TestReal_EveryCellIsWhatTheXMLHolds(t *testing.T) {
	for name, want := range map[string]int{"01": 11_180, "14": 42_588} {
		raw := realFile(t, "mx/planea_ms2017/"+name+"_escuelas_planeams2017.xlsx")
		var sheet plainSheet
		var texts plainTexts
		part(t, raw, "xl/worksheets/sheet1.xml", &sheet)
		part(t, raw, "xl/sharedStrings.xml", &texts)
		got := table(t, raw)
		cells, numbers, long, filled := 0, 0, 0, 0
		for _, row := range sheet.Rows {
			for _, cell := range row.Cells {
				column := 0
				for _, letter := range strings.TrimRight(cell.Place, "0123456789") {
					column = column*26 + int(letter-'A') + 1
				}
				found := ""
				if column <= len(got[row.Number]) {
					found = got[row.Number][column-1]
				}
				value := cell.Value
				switch cell.Type {
				case "s":
					i, err := strconv.Atoi(value)
					if err != nil {
						t.Fatal(err)
					}
					if value = texts.Items[i].Text + strings.Join(texts.Items[i].Runs, ""); found != value {
						t.Errorf("%s %s: got %q, want %q", name, cell.Place, found, value)
					}
				case "":
					x, errX := strconv.ParseFloat(found, 64)
					y, errY := strconv.ParseFloat(value, 64)
					if value != found && (errX != nil || errY != nil || x != y) {
						t.Errorf("%s %s: got %q, want %q", name, cell.Place, found, value)
					}
					if len(value) > 15 {
						long++
					}
					if value != "" {
						numbers++
					}
				default:
					if found != value {
						t.Errorf("%s %s: got %q, want %q", name, cell.Place, found, value)
					}
				}
				cells++
				if value != "" { // many cells refer to a shared string that is empty
					filled++
				}
			}
		}
		ours := 0
		for _, row := range got {
			for _, cell := range row {
				if cell != "" {
					ours++
				}
			}
		}
		if cells != want || ours != filled {
			t.Errorf("%s: %d cells, want %d; %d with a value, want %d", name, cells, want, ours, filled)
		}
		t.Logf("%s: %d cells, %d with a value, %d numbers, %d of them with more than 15 characters", name, cells, filled, numbers, long)
	}
}

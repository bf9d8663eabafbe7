package stata_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"tamiz/extract/stata"
)

// openFile opens one of the published files, which are not in the repository.
func openFile(t *testing.T, name string) (*os.File, int64) {
	t.Helper()
	folder := os.Getenv("TAMIZ_DATA")
	if folder == "" {
		folder = filepath.FromSlash("../../../shared/data")
	}
	file, err := os.Open(filepath.Join(folder, filepath.FromSlash(name)))
	if err != nil {
		t.Skip("the real files are not there: set TAMIZ_DATA")
	}
	t.Cleanup(func() { file.Close() })
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return file, info.Size()
}

func openReal(t *testing.T, name string) *stata.Table {
	t.Helper()
	file, size := openFile(t, name)
	table, err := stata.Open(file, size)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// oracle reads a table that another program wrote from a published file.
func oracle(t *testing.T, name string) [][]string {
	t.Helper()
	file, _ := openFile(t, name)
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestReal_EveryCellOfTheWideTable(t *testing.T) {
	table, want := openReal(t, "mia/Balsakhi_wide.dta"), oracle(t, "derived/balsakhi_wide.csv")
	if !slices.Equal(table.Titles(), want[0]) {
		t.Errorf("titles %q, want %q", table.Titles(), want[0])
	}
	got := rowsOf(t, table)
	if len(got) != 12389 || len(got) != len(want)-1 {
		t.Fatalf("%d observations, want 12389; the CSV has %d", len(got), len(want)-1)
	}
	equal, missing := 0, 0
	for i, row := range got {
		for j, cell := range row {
			wanted := want[i+1][j]
			if cell == "" && (wanted == "" || wanted == "NA") {
				missing++
				continue
			}
			a, errA := strconv.ParseFloat(cell, 64)
			b, errB := strconv.ParseFloat(wanted, 64)
			if errA != nil || errB != nil || a != b {
				t.Fatalf("observation %d, %s: got %q, want %q", i+1, table.Titles()[j], cell, wanted)
			}
			equal++
		}
	}
	t.Logf("%d cells are the same: %d numbers, %d missing; labels %q", equal+missing, equal, missing, table.Labels())
	if equal+missing != 12389*9 {
		t.Errorf("compared %d cells, want %d", equal+missing, 12389*9)
	}
}

func TestReal_TheOtherTable(t *testing.T) {
	table := openReal(t, "mia/Balsakhi_RD_Data.dta")
	rows := rowsOf(t, table)
	t.Logf("%d observations of %q, first %q, last %q", len(rows), table.Titles(), rows[0], rows[len(rows)-1])
	if len(rows) != 7058 {
		t.Errorf("%d observations, want 7058", len(rows))
	}
	for i, row := range rows {
		for j, cell := range row {
			if _, err := strconv.ParseFloat(cell, 64); cell != "" && err != nil {
				t.Errorf("observation %d, %s: %q is no number", i+1, table.Titles()[j], cell)
			}
		}
	}
}

package jsontext_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"tamiz/extract/jsontext"
)

// readFile reads one of the published files, which are not in the repository.
func readFile(t *testing.T, name string) []byte {
	t.Helper()
	folder := os.Getenv("TAMIZ_DATA")
	if folder == "" {
		folder = filepath.FromSlash("../../../shared/data")
	}
	document, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(name)))
	if err != nil {
		t.Skip("the real files are not there: set TAMIZ_DATA")
	}
	return document
}

func TestReal_EveryCellIsWhatEncodingJSONReads(t *testing.T) {
	cases := []struct {
		name, path string
		records    int
		key        string
	}{
		{"mx/registry/yucatan_schools_coords.json", "", 1604, "id"},
		{"geo/mx_00ent_mexico.geojson", "features", 32, "properties.cve_geo"},
		{"geo/np_district_75.geojson", "features", 75, "properties.code"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			document := readFile(t, c.name)
			table, err := jsontext.Open(bytes.NewReader(document), int64(len(document)), c.path)
			if err != nil {
				t.Fatal(err)
			}
			distinct, key := map[string]bool{}, slices.Index(table.Titles(), c.key)
			for _, row := range rowsOf(t, table) {
				distinct[row[key]] = true
			}
			if len(distinct) != c.records {
				t.Errorf("%d values of %s, want %d", len(distinct), c.key, c.records)
			}
			if table, err = jsontext.Open(bytes.NewReader(document), int64(len(document)), c.path); err != nil {
				t.Fatal(err)
			}
			records := document
			if c.path != "" {
				var whole map[string]json.RawMessage
				if err := json.Unmarshal(document, &whole); err != nil {
					t.Fatal(err)
				}
				records = whole[c.path]
			}
			values, err := decodeAll(records)
			if err != nil || len(values) != c.records {
				t.Fatalf("%d records, %v, want %d", len(values), err, c.records)
			}
			t.Logf("%d records, %d cells are the same, titles %q", len(values), compare(t, table, values), table.Titles())
			for cut := 1; cut < len(document); cut += 1 + len(document)/20 {
				if _, err := jsontext.Open(bytes.NewReader(document[:cut]), int64(cut), c.path); err == nil {
					t.Errorf("cut at byte %d, unnoticed", cut)
				}
			}
		})
	}
}

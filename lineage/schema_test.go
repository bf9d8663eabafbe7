package lineage_test

import (
	"strings"
	"testing"

	"tamiz/lineage"
	"tamiz/pipeline"
)

func TestSchemaBreaks(t *testing.T) {
	table := func(key string, columns ...string) []lineage.PublishedTable {
		made := lineage.PublishedTable{Name: "schools", Key: strings.Fields(key)}
		for _, text := range columns { // name TYPE [since]
			parts := strings.Fields(text)
			column := pipeline.Column{Name: parts[0], Type: parts[1]}
			if len(parts) > 2 {
				column.Deprecated = &pipeline.Deprecation{Since: parts[2], Instead: "use another"}
			}
			made.Columns = append(made.Columns, column)
		}
		return []lineage.PublishedTable{made}
	}
	before := table("id", "id BIGINT", "n DOUBLE")
	for _, c := range []struct {
		name          string
		before, after []lineage.PublishedTable
		want          string // of what is said; "" for no break
	}{
		{"nothing", before, before, ""},
		{"added", before, table("id", "id BIGINT", "n DOUBLE", "more VARCHAR"), ""},
		{"moved", before, table("id", "n DOUBLE", "id BIGINT"), ""},
		{"a new table", nil, before, ""},
		{"removed", before, table("id", "id BIGINT"), "n is gone"},
		{"renamed", before, table("id", "id BIGINT", "m DOUBLE"), "n is gone"},
		{"retyped", before, table("id", "id BIGINT", "n VARCHAR"), "n was DOUBLE and would be VARCHAR"},
		{"another key", before, table("id n", "id BIGINT", "n DOUBLE"), "the key was id and would be id, n"},
		{"a table removed", before, nil, "id is gone; n is gone"},
		{"deprecated now", before, table("id", "id BIGINT", "n DOUBLE 2026-11-29"), ""},
		{"deprecated in the past", before, table("id", "id BIGINT", "n DOUBLE 2025-11-29"), "did not say so"},
		{"removed too soon", table("id", "id BIGINT", "n DOUBLE 2025-12-01"), table("id", "id BIGINT"), "may go from 2026-12-01 on"},
		{"removed after a year", table("id", "id BIGINT", "n DOUBLE 2025-11-29"), table("id", "id BIGINT"), ""},
		{"retyped after a year", table("id", "id BIGINT", "n DOUBLE 2025-11-29"), table("id", "id BIGINT", "n VARCHAR"), ""},
		{"a table removed after a year", table("id", "id BIGINT 2025-11-29", "n DOUBLE 2025-11-29"), nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var said []string
			for _, b := range lineage.SchemaBreaks(c.before, c.after, "2026-11-15", "2026-11-29") {
				if b.Table != "schools" || len(b.Columns) != len(b.Changes) {
					t.Errorf("%+v", b)
				}
				said = append(said, b.Changes...)
			}
			if got := strings.Join(said, "; "); !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tamiz/internal/duck"
	"tamiz/lineage/standards"
	"tamiz/pipeline"
)

// TestSchema_ColumnsGoAfterAYear lives through the life of a column in four
// periods, and then exports all of it.
func TestSchema_ColumnsGoAfterAYear(t *testing.T) {
	project := toyProject(t, "")
	shape := func(columns, described string) {
		writeText(t, filepath.Join(project, "sql/toy/marts/clear.sql"), "-- One row per id.\nselect "+columns+" from staging.stg_x\n")
		writeText(t, filepath.Join(project, "sql/toy/marts/clear.yml"), "description: D\nkey: [id]\nrows: one per staging.stg_x\ntrace: {staging.stg_x: key}\ncolumns:\n  id: {description: I.}\n"+described)
	}
	run := func(asOf, want string) string {
		t.Helper()
		said, err := command("run", "--project", project, "--as-of", asOf).CombinedOutput()
		if !strings.Contains(string(said), want) || (err == nil) != strings.HasPrefix(want, "published") {
			t.Fatalf("%s: %v: want %q in\n%s", asOf, err, want, said)
		}
		return string(said)
	}
	run("2026-01-20", "published 2026-01-11.1")

	const m = "  m: {description: M.}\n"
	shape("id, n, n * 2 as m", "  n: {description: N., deprecated: {since: 2026-01-25, instead: <m>}}\n"+m)
	run("2026-02-01", "published 2026-01-25.1")
	e := latestEdition(t, project, "toy")
	for file, want := range map[string]string{standards.CodebookFile: "clear,n,,DOUBLE,,N.,,,2026-01-25,<m>\n", standards.CodebookHTMLFile: "Deprecated since 2026-01-25: use &lt;m&gt;.",
		standards.PackageFile: `"deprecated": {`} {
		if text := string(e.read(t, file)); !strings.Contains(text, want) {
			t.Errorf("%s does not tell of the deprecated column", file)
		}
	}

	shape("id, n * 2 as m", m)
	said := run("2026-06-14", "held: The table clear would no longer be what its readers rely on; this is about: n.")
	for _, want := range []string{"n is gone; it was deprecated since 2026-01-25, and may go from 2027-01-25 on", "to mend"} {
		if !strings.Contains(said, want) {
			t.Errorf("want %q in\n%s", want, said)
		}
	}
	run("2027-02-10", "published 2027-01-31.1")

	shape("id, printf('%.3f', n) as m", m)
	said = run("2027-02-25", "held: The table clear")
	if !strings.Contains(said, "m was DOUBLE and would be VARCHAR") {
		t.Errorf("a column that was retyped is not named:\n%s", said)
	}
	tamiz(t, "approve", "--reason", "a test", "--project", project)
	if e := latestEdition(t, project, "toy"); e.manifest.Snapshot != "2027-02-14.1" {
		t.Errorf("after a person has approved it, the latest is %s", e.manifest.Snapshot)
	}
	shape("id, n * 2 as m", m)
	run("2027-03-10", "held") // back again: retyped, too

	testExport(t, project)
}

// testExport asks DuckDB files that were exported from four editions.
func testExport(t *testing.T, project string) {
	dir := t.TempDir()
	for _, name := range []string{"views", "copied"} {
		file := filepath.Join(dir, name+".duckdb")
		tamiz(t, "export", "toy", "--project", project, "--duckdb", file, "--copy="+fmt.Sprint(name == "copied"))
		if name == "copied" { // it needs no store
			text := tamiz(t, "export", "--project", project, "--sql", filepath.Join(dir, "all.sql"), "-o", "json")
			if !strings.Contains(text, `"editions": 4`) {
				t.Errorf("export told %s", text)
			}
			if err := os.Rename(filepath.Join(project, "store"), filepath.Join(project, "gone")); err != nil {
				t.Fatal(err)
			}
		}
		answers := func(sql string) string {
			db, err := duck.Open(t.Context(), duck.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if err := db.Exec(t.Context(), "attach "+pipeline.QuoteText(file)+" as other (read_only); use other"); err != nil {
				t.Fatal(err)
			}
			_, rows, err := db.Rows(t.Context(), sql)
			if err != nil {
				t.Fatalf("%s: %s: %v", name, sql, err)
			}
			var lines []string
			for _, row := range rows {
				lines = append(lines, strings.Join(cells(row, "-"), " "))
			}
			return strings.Join(lines, "; ")
		}
		for sql, want := range map[string]string{
			"select snapshot, period_end, count(n), count(m) from clear group by all order by all": "2026-01-11.1 2026-01-11 3 0; 2026-01-25.1 2026-01-25 3 3; 2027-01-31.1 2027-01-31 0 3; 2027-02-14.1 2027-02-14 0 3",
			"select count(*) from latest.mixed":                                                    "3",
			"select snapshot from editions order by 1":                                             "2026-01-11.1; 2026-01-25.1; 2027-01-31.1; 2027-02-14.1",
			"select count(*) from (describe latest.clear)":                                         "2",
			"select comment from duckdb_views() where view_name = 'clear' and schema_name = 'main' union all select comment from duckdb_tables() where table_name = 'clear' and schema_name = 'main'": "D",
		} {
			if got := answers(sql); got != want {
				t.Errorf("%s: %s\ngives %s\nwant  %s", name, sql, got, want)
			}
		}
	}
	for _, arguments := range [][]string{nil, {"--duckdb", "a", "--sql", "b"}, {"--sql", "b", "--copy"}, {"--duckdb", filepath.Join(dir, "views.duckdb")}} {
		c := command(append([]string{"export", "--project", project}, arguments...)...)
		if said, _ := c.CombinedOutput(); c.ProcessState.ExitCode() != exitUsage {
			t.Errorf("export %s: exit %d\n%s", fmt.Sprint(arguments), c.ProcessState.ExitCode(), said)
		}
	}
}

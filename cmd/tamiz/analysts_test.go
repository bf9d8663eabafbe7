package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"tamiz/internal/duck"
	"tamiz/internal/s3server"
	"tamiz/pipeline"
	"tamiz/transform"
)

// block is a recipe, or a part of one.
type block struct {
	Language string `json:"language"`
	Text     string `json:"text"`
}

// recipesOf gives the blocks of a document that are in one of some languages.
func recipesOf(t *testing.T, file string, languages ...string) []block {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []block
	for i, part := range strings.Split(string(text), "\n```") {
		language, body, _ := strings.Cut(part, "\n")
		if i%2 == 1 && slices.Contains(languages, language) {
			blocks = append(blocks, block{language, body})
		}
	}
	return blocks
}

// python gives the interpreter that has the packages of the recipes. Where they
// cannot be had, the test says so and is skipped.
func python(t *testing.T) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c := exec.Command("../../scripts/python-tools")
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	folder := strings.TrimSpace(stdout.String())
	if err != nil || folder == "" {
		t.Skipf("the Python packages of the recipes are not here: %v %s", err, stderr.String())
	}
	return filepath.Join(folder, "bin", "python")
}

// pasted runs blocks as a user would: what each gave comes back.
func pasted(t *testing.T, blocks []block) []json.RawMessage {
	t.Helper()
	input, err := json.Marshal(blocks)
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(python(t), "testdata/recipes.py")
	c.Stdin = bytes.NewReader(input)
	c.Env = slices.DeleteFunc(os.Environ(), func(line string) bool { return strings.HasPrefix(line, "AWS_") }) // a reader without an account
	text, err := c.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("%v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var answers []json.RawMessage
	if err := json.Unmarshal(text, &answers); err != nil || len(answers) != len(blocks) {
		t.Fatalf("%v: %d answers to %d recipes", err, len(answers), len(blocks))
	}
	return answers
}

// TestAnalysts_RecipesWork runs each recipe of docs/analysts.md over HTTP
// against a bucket that everyone may read, and compares with tamiz query.
func TestAnalysts_RecipesWork(t *testing.T) {
	if testing.Short() {
		t.Skip("two runs of a sample")
	}
	python(t)
	server := s3server.Start(t)
	server.Use(t)
	server.LetEveryoneRead(t)
	project := sampleProject(t, "mx", 60)
	settings := filepath.Join(project, "tamiz.yml")
	text, err := os.ReadFile(settings)
	if err != nil {
		t.Fatal(err)
	}
	writeText(t, settings, regexp.MustCompile(`(?m)^store:.*\n`).ReplaceAllString(string(text), onS3(server)))
	tamiz(t, "run", "--project", project)
	later := command("run", "--project", project, "--as-of", "2021-09-26", "-o", "json")
	if text, err := later.Output(); err != nil { // a question of so small a sample
		var records []pipeline.RunRecord
		if json.Unmarshal(text, &records) != nil || len(records) != 1 || records[0].Verdict != pipeline.Held {
			t.Fatalf("%v\n%s", err, text)
		}
		tamiz(t, "approve", records[0].ID, "--reason", "a test", "--project", project)
	}
	const first, second = "2021-08-29.1", "2021-09-26.1"
	school := query(t, project, "select cct from profiles where shift = 'MATUTINO' and profile is not null order by cct limit 1")[0][0]
	put := strings.NewReplacer("https://data.example.org/tamiz", server.Endpoint+"/"+server.Bucket+"/edu", "14EPR0042X", school, "2026-11-30", "2021-09-01")
	blocks := recipesOf(t, "../../docs/analysts.md", "sql", "python")
	for i := range blocks {
		blocks[i].Text = put.Replace(blocks[i].Text)
	}
	answers := pasted(t, blocks)

	profiles := "select profile, count(*) as schools from profiles group by all order by all"
	history := func(snapshot string) []string {
		return append([]string{snapshot}, query(t, project, "select profile, urgency, feasibility from profiles where shift = 'MATUTINO' and cct = '"+school+"'", "--snapshot", snapshot)[0]...)
	}
	earlier := query(t, project, "select '"+first+"', profile, count(*) as schools from profiles group by all order by all", "--snapshot", first)
	joined := query(t, project, "select schools.municipality_code, count(*) as schools, round(avg(profiles.urgency), 3) as urgency from profiles join schools using (cct, shift) where profile = 1 group by all order by all")
	for i, want := range [][][]string{nil, query(t, project, profiles), earlier, {history(first), history(second)}, joined} {
		var got [][]string
		if err := json.Unmarshal(answers[i], &got); err != nil || want != nil && fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s\ngave %v\nwant %v: %v", blocks[i].Text, got, want, err)
		}
	}
	copied, statements := filepath.Join(t.TempDir(), "all.duckdb"), filepath.Join(t.TempDir(), "all.sql")
	tamiz(t, "export", "mx", "--project", project, "--duckdb", copied, "--copy")
	tamiz(t, "export", "mx", "--project", project, "--sql", statements)
	views, err := os.ReadFile(statements)
	if err != nil {
		t.Fatal(err)
	}
	secret := fmt.Sprintf("install httpfs; load httpfs; create secret (type s3, key_id '%s', secret '%s', endpoint '%s', region 'us-east-1', url_style 'path', use_ssl false);\n",
		server.AccessKey, server.SecretKey, strings.TrimPrefix(server.Endpoint, "http://"))
	const editions = "select snapshot, count(*) from profiles group by all order by all"
	for _, answer := range pasted(t, []block{{"sql", "attach '" + copied + "' as copied (read_only); use copied; " + editions}, {"sql", "use memory; " + secret + string(views) + editions}}) {
		if want := fmt.Sprintf(`[["%s","%s"],["%s","%s"]]`, first, rows(t, project, first), second, rows(t, project, second)); strings.ReplaceAll(string(answer), " ", "") != want {
			t.Errorf("the export holds %s, want %s", answer, want)
		}
	}
	total := rows(t, project, first)
	for i, want := range map[int][]string{5: {"profile"}, 6: {first, second, total, "urgency"}, 7: {first, second, total, "urgency"}} {
		var printed string
		if err := json.Unmarshal(answers[i], &printed); err != nil {
			t.Fatal(err)
		}
		for _, word := range want {
			if !strings.Contains(printed, word) {
				t.Errorf("%s\nprinted\n%s\nwithout %q", blocks[i].Text, printed, word)
			}
		}
	}
}

// rows counts the profiles of an edition.
func rows(t *testing.T, project, snapshot string) string {
	t.Helper()
	return query(t, project, "select count(*) from profiles", "--snapshot", snapshot)[0][0]
}

// testOneSchool reads single schools from a file of national size as the recipe
// does, and counts what goes over the wire.
func testOneSchool(t *testing.T, e edition) {
	python(t)
	const rows, most = 140_392, 300_000
	dir := t.TempDir()
	schools := nationalProfiles(t, e, dir, rows)
	var sent, asked atomic.Int64
	files := http.FileServer(http.Dir(dir))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		files.ServeHTTP(&countingWriter{w, &sent}, r)
	}))
	defer server.Close()
	recipe := recipesOf(t, "../../docs/analysts.md", "sql")[3].Text
	_, recipe, _ = strings.Cut(recipe, "editions where withdrawn is null);\n")
	worst := int64(0)
	for _, school := range schools {
		sent.Store(0)
		asked.Store(0)
		sql := "install httpfs; load httpfs;" + strings.NewReplacer("getvariable('files')", "['"+server.URL+"/profiles.parquet']", "14EPR0042X", school).Replace(recipe)
		var found [][]string
		if err := json.Unmarshal(pasted(t, []block{{"sql", sql}})[0], &found); err != nil || len(found) != 1 {
			t.Errorf("%s: %d rows: %v", school, len(found), err)
		}
		t.Logf("%s: %d bytes in %d requests", school, sent.Load(), asked.Load())
		worst = max(worst, sent.Load())
	}
	if worst > most || worst == 0 {
		t.Errorf("one school costs %d bytes, want at most %d", worst, most)
	}
}

type countingWriter struct {
	http.ResponseWriter
	sent *atomic.Int64
}

func (w *countingWriter) Write(text []byte) (int, error) {
	n, err := w.ResponseWriter.Write(text)
	w.sent.Add(int64(n))
	return n, err
}

// nationalProfiles writes a table of the columns of profiles, with as many rows
// as a country has, as our steps write theirs; it gives the keys of some of its
// rows. Its texts repeat more than real ones, its figures less.
func nationalProfiles(t *testing.T, e edition, dir string, rows int) []string {
	t.Helper()
	const settings = "zstd 8192"
	if engine := transform.Engine(""); !strings.Contains(engine, settings) {
		t.Fatalf("steps write as %s, this test as %s", engine, settings)
	}
	db, err := duck.Open(t.Context(), duck.Options{Memory: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	from := pipeline.QuoteText(filepath.Join(e.dir, "data", "profiles.parquet"))
	_, dictionary, err := db.Rows(t.Context(), "select decode(value) from parquet_kv_metadata("+from+") where decode(key) = 'columns'")
	if err != nil {
		t.Fatal(err)
	}
	key := "printf('%02dEPR%04dX', i // 4600 + 1, i % 4600)"
	copied := fmt.Sprintf(`copy (
		select * replace (%[1]s as cct, 'MATUTINO' as shift, hash(i, 1) / 18446744073709551615 as urgency, round(hash(i, 2) / 18446744073709551615, 4) as feasibility)
		from (select *, row_number() over () - 1 as place from read_parquet(%[2]s)) as sample_rows
		inner join (select i from range(%[3]d) as numbers(i)) as numbers on sample_rows.place = numbers.i %% (select count(*) from read_parquet(%[2]s))
		order by cct, shift
	) to %[4]s (format parquet, compression zstd, row_group_size 8192, kv_metadata {columns: %[5]s})`,
		key, from, rows, pipeline.QuoteText(filepath.Join(dir, "profiles.parquet")), pipeline.QuoteText(*dictionary[0][0]))
	if err := db.Exec(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	_, keys, err := db.Rows(t.Context(), fmt.Sprintf("select %s from unnest([0, 9000, %d, %d]) as numbers(i)", key, rows/2, rows-1))
	if err != nil {
		t.Fatal(err)
	}
	var schools []string
	for _, row := range keys {
		schools = append(schools, *row[0])
	}
	return schools
}

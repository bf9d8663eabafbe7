package main

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"

	"tamiz/pipeline"
)

var updateFaults = flag.Bool("update-faults", false, "write docs/faults.md anew")

// publisher is a real HTTP server: the sample's files and, below a prefix for
// each scenario, what a publisher may do to them.
type publisher struct {
	*httptest.Server
	files    map[string][]byte // path → content
	mu       sync.Mutex
	handlers map[string]http.HandlerFunc // /scenario/path → what it answers instead
}

func (p *publisher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	p.mu.Lock()
	handler := p.handlers[r.URL.Path]
	content, ok := p.files[path]
	p.mu.Unlock()
	if handler != nil {
		handler(w, r)
		return
	}
	if !ok {
		http.NotFound(w, r)
		return
	}
	serve(w, r, content)
}

// serve answers as most servers do: with a date, an ETag, and in parts.
func serve(w http.ResponseWriter, r *http.Request, content []byte) {
	w.Header().Set("ETag", `"`+string(pipeline.DigestOf(string(content)).Short())+`"`)
	http.ServeContent(w, r, "", time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), bytes.NewReader(content))
}

func (p *publisher) answer(path string, handler http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handlers[path] = handler
}

// online are the sources that the project fetches, and their addresses.
var online = map[string]string{
	"deaths_ssa": "deaths_ssa.csv", "registry": "registry_{1..3}.csv", "planea": "planea_{01..32}.zip",
	"census_ageb": "census_ageb.csv", "marginalization": "marginalization.csv", "buildings": "buildings.csv",
}

// newPublisher serves a sample project's files, and turns the project into one
// that fetches them. The project has published once.
func newPublisher(t *testing.T) (*publisher, string) {
	t.Helper()
	base := filepath.Join(t.TempDir(), "base")
	tamiz(t, "init", "mx", base, "--sample", "--schools", "1500")
	p := publish(t, base)
	p.connect(t, base, "base", "")
	faultRun(t, base)
	return p, base
}

// publish serves the files of a project's sample.
func publish(t *testing.T, base string) *publisher {
	t.Helper()
	p := &publisher{files: map[string][]byte{}, handlers: map[string]http.HandlerFunc{}}
	for source := range online {
		paths, _ := filepath.Glob(filepath.Join(base, "sample", source, "*"))
		for i, path := range paths {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			name := source + filepath.Ext(path)
			switch source {
			case "registry":
				name = fmt.Sprintf("registry_%d.csv", i+1)
			case "planea":
				name = filepath.Base(path)
			}
			p.files[name] = content
		}
	}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

// connect writes the project's addresses, those of one scenario.
func (p *publisher) connect(t *testing.T, project, scenario, extra string) {
	t.Helper()
	file := filepath.Join(project, "tamiz.yml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		for source, path := range online {
			if strings.HasPrefix(line, "    "+source+":") {
				lines[i] = fmt.Sprintf("    %s: {url: \"%s/%s/%s\", folder: \"inbox/%s/*\"}", source, p.URL, scenario, path, source)
				if more, ok := strings.CutPrefix(extra, source+" "); ok && strings.HasPrefix(more, "url:") {
					lines[i] = "    " + source + ": {" + more + "}"
				} else if ok {
					lines[i] = strings.TrimSuffix(lines[i], "}") + ", " + more + "}"
				}
			}
		}
	}
	joined := strings.Join(lines, "\n")
	if !strings.Contains(joined, "\nhttp:") {
		joined += "\nhttp: {tries: 3, wait: 1ms, timeout: 300ms}\n"
	}
	if err := os.WriteFile(file, []byte(joined), 0o644); err != nil {
		t.Fatal(err)
	}
}

// faultRun runs a project whatever comes of it.
func faultRun(t *testing.T, project string) (*pipeline.RunRecord, string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c := command("run", "mx", "--project", project, "-o", "json")
	c.Stdout, c.Stderr = &stdout, &stderr
	runErr := c.Run()
	var records []*pipeline.RunRecord
	if err := json.Unmarshal(stdout.Bytes(), &records); err != nil || len(records) != 1 {
		t.Fatalf("run: %v, %v\n%s%s", runErr, err, stdout.String(), stderr.String())
	}
	return records[0], stderr.String()
}

// verdictOf gives FAULTS' word for what came of a run.
func verdictOf(record *pipeline.RunRecord) string {
	carried := slices.ContainsFunc(record.Sources, func(s pipeline.SourceRecord) bool { return s.State == sourceCarried || s.State == sourceDead })
	switch {
	case record.Verdict == pipeline.Published && carried:
		return "carry"
	case record.Verdict == pipeline.Published:
		return "publish"
	case record.Verdict == pipeline.Held:
		return "hold"
	}
	return string(record.Verdict)
}

// messageOf is what the operator reads of a source in a run.
func messageOf(record *pipeline.RunRecord, source string) string {
	for _, s := range record.Sources {
		if s.Source == source && s.Message != "" {
			return s.Message
		}
		if s.Source == source {
			return strings.Join(s.Notes, "; ")
		}
	}
	return ""
}

// edit changes the records of a CSV file; the first one is the header.
func edit(content []byte, change func(rows [][]string) [][]string) []byte {
	text := string(content)
	var coding *charmap.Charmap
	end := "\n"
	if !strings.Contains(text, "\n") {
		end = "\r"
	}
	if !utf8.Valid(content) && end == "\r" {
		coding = charmap.Macintosh
	} else if !utf8.Valid(content) {
		coding = charmap.Windows1252
	}
	if coding != nil {
		text, _ = coding.NewDecoder().String(text)
	}
	text = strings.ReplaceAll(text, end, "\n")
	reader := csv.NewReader(strings.NewReader(text))
	reader.FieldsPerRecord = -1
	rows, err := reader.ReadAll()
	if err != nil {
		panic(err)
	}
	var b strings.Builder
	writer := csv.NewWriter(&b)
	writer.WriteAll(change(rows))
	text = strings.ReplaceAll(b.String(), "\n", end)
	if coding != nil {
		text, _ = coding.NewEncoder().String(text)
	}
	return []byte(text)
}

// each changes every record but the header.
func each(change func(i int, row []string)) func([][]string) [][]string {
	return func(rows [][]string) [][]string {
		for i, row := range rows[1:] {
			change(i, row)
		}
		return rows
	}
}

func columnOf(rows [][]string, title string) int { return slices.Index(rows[0], title) }

// fresh is a new version without a fault: one more death on one day.
func fresh(content []byte) []byte {
	return edit(content, func(rows [][]string) [][]string {
		rows[1][2] += "1"
		return rows
	})
}

// zipped packs one file.
func zipped(name string, content []byte) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, _ := w.Create(name)
	f.Write(content)
	w.Close()
	return b.Bytes()
}

// renamedSheet renames the sheet of the first workbook in an archive.
func renamedSheet(content []byte) []byte {
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		panic(err)
	}
	member, err := archive.File[0].Open()
	if err != nil {
		panic(err)
	}
	book, err := excelize.OpenReader(member)
	if err != nil {
		panic(err)
	}
	book.SetSheetName(book.GetSheetName(0), "RESULTADOS")
	var b bytes.Buffer
	if err := book.Write(&b); err != nil {
		panic(err)
	}
	return zipped(archive.File[0].Name, b.Bytes())
}

// cut sends a part of a file, then breaks the connection.
func cut(w http.ResponseWriter, content []byte, share float64) {
	w.Header().Set("Content-Length", fmt.Sprint(len(content)))
	w.Write(content[:int(share*float64(len(content)))])
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

var unstable = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "publisher"}, {regexp.MustCompile(`localhost:\d+`), "localhost"},
	{regexp.MustCompile(`sha256 [0-9a-f]{12}…`), "sha256 …"}, {regexp.MustCompile(`\d{4}-\d\d-\d\d`), "DATE"},
	{regexp.MustCompile(`\d{1,2} (January|February|March|April|May|June|July|August|September|October|November|December) \d{4}`), "DATE"},
	{regexp.MustCompile(`put there by [^,;]+`), "put there by USER"}, {regexp.MustCompile(`/s\d+/`), "/"},
}

// told is a message as a cell of the table: what is not the same on every
// machine has another word.
func told(message string) string {
	for _, u := range unstable {
		message = u.pattern.ReplaceAllString(message, u.with)
	}
	var lines []string
	for _, line := range strings.Split(message, "\n") {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	text := strings.Join(lines, "<br>")
	if runes := []rune(text); len(runes) > 900 {
		text = string(runes[:900]) + "…"
	}
	return strings.ReplaceAll(text, "|", `\|`)
}

// TestFaults strikes a project that has published with the faults of a source,
// at a real HTTP server, and wants for each its verdict and its words.
func TestFaults_EachGetsItsVerdict(t *testing.T) {
	if testing.Short() {
		t.Skip("about three minutes; without -short it runs")
	}
	p, base := newPublisher(t)
	var mu sync.Mutex
	rows := map[int]string{}
	t.Run("each", func(t *testing.T) {
		for _, f := range sourceFaults(p) {
			t.Run(fmt.Sprint(f.number), func(t *testing.T) {
				t.Parallel()
				project := filepath.Join(t.TempDir(), "project")
				if err := os.CopyFS(project, os.DirFS(base)); err != nil {
					t.Fatal(err)
				}
				scenario := fmt.Sprintf("s%d", f.number)
				p.connect(t, project, scenario, f.card(p, scenario))
				if f.strike != nil {
					f.strike("/" + scenario + "/")
				}
				record, stderr := faultRun(t, project)
				if f.then != nil {
					record, stderr = f.then(t, project)
				}
				message := messageOf(record, f.source)
				if got := verdictOf(record); got != f.verdict {
					t.Errorf("fault %d, %s: %s, want %s\n%s\n%s\n%s", f.number, f.name, got, f.verdict, record.Reason, message, stderr)
				}
				for _, word := range f.words {
					if !strings.Contains(message, word) {
						t.Errorf("fault %d, %s: %q is not in\n%s", f.number, f.name, word, message)
					}
				}
				if f.verdict == "publish" && len(f.words) == 0 {
					message = ""
				}
				mu.Lock()
				rows[f.number] = fmt.Sprintf("| %d | %s | %s | %s |", f.number, f.name, f.verdict, told(message))
				mu.Unlock()
			})
		}
	})
	if !t.Failed() {
		compareTable(t, rows)
	}
}

// compareTable wants docs/faults.md to say what just happened.
func compareTable(t *testing.T, rows map[int]string) {
	t.Helper()
	const file = "../../docs/faults.md"
	var b strings.Builder
	b.WriteString("# Faults of sources\n\nWhat the operator reads when a source breaks, and what becomes of the run. `make faults` makes this page: each row is a real run of the\n" +
		"synthetic sample against a real HTTP server. In the verdict, *carry* means that the last good version stays in use and the rest goes on;\n" +
		"*publish* that the new version is used.\n\nFault 23 cannot be detected: two columns whose values look alike were swapped under their titles. Only the publisher can know.\n\n" +
		"| # | fault | verdict | what the operator reads |\n|---|---|---|---|\n")
	for number := range 43 {
		if row, ok := rows[number]; ok {
			b.WriteString(row + "\n")
		}
	}
	if *updateFaults {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(text) == b.String() {
		return
	}
	for _, line := range strings.Split(b.String(), "\n") {
		if !strings.Contains(string(text), line) {
			t.Errorf("docs/faults.md does not say what happened; run: make faults\n%s", line)
		}
	}
}

// shiftFaults makes every fault in a project's log older.
func shiftFaults(t *testing.T, project string, days int) {
	t.Helper()
	file := filepath.Join(project, "store", "mx", "observations.jsonl") // whose lines count
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatal(err)
		}
		if o["fault"] != nil {
			at, err := time.Parse(time.RFC3339, o["observed_at"].(string))
			if err != nil {
				t.Fatal(err)
			}
			o["observed_at"] = at.AddDate(0, 0, -days).Format(time.RFC3339)
		}
		text, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		out = append(append(out, text...), '\n')
	}
	if err := os.WriteFile(file, out, 0o644); err != nil {
		t.Fatal(err)
	}
}

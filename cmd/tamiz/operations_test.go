package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"tamiz/internal/s3server"
	"tamiz/load"
	"tamiz/pipeline"
)

var fenced = regexp.MustCompile("(?s)```(\\w+)\n(.*?)```")

// manual is a document, or a section of one, with the places of a test in place
// of its own.
type manual struct {
	blocks   map[string][]string // by language
	next     int                 // of the sh blocks
	observed string              // the project that it makes
	env      []string
}

func readManual(t *testing.T, document, section string, places *strings.Replacer, home string) *manual {
	t.Helper()
	text, err := os.ReadFile("../../" + document)
	if err != nil {
		t.Fatal(err)
	}
	if section != "" {
		_, after, _ := strings.Cut(string(text), "\n## "+section+"\n")
		after, _, _ = strings.Cut(after, "\n## ")
		text = []byte(after)
	}
	m := &manual{blocks: map[string][]string{}, observed: places.Replace("/srv/tamiz/observatory")}
	for _, match := range fenced.FindAllStringSubmatch(places.Replace(string(text)), -1) {
		m.blocks[match[1]] = append(m.blocks[match[1]], match[2])
	}
	bin := filepath.Join(home, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	self, err := filepath.Abs(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(bin, "tamiz")); err != nil {
		t.Fatal(err)
	}
	m.env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + home, asCommand + "=1"}
	return m
}

// types runs the next block of commands, in a shell in which those before it
// were typed, and wants an exit code and words of its output.
func (m *manual) types(t *testing.T, code int, words ...string) {
	t.Helper()
	if m.next == len(m.blocks["sh"]) {
		t.Fatal("the document has no more blocks of commands")
	}
	block := m.blocks["sh"][m.next]
	before := "cd " + m.observed + " 2>/dev/null && set -a && . ./environment && set +a\n"
	if m.next < 2 {
		before = "cd " + m.observed + " 2>/dev/null || cd /\n"
	}
	m.next++
	c := exec.CommandContext(t.Context(), "sh", "-c", before+"set -e\n"+block)
	c.Env = m.env
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if got := c.ProcessState.ExitCode(); got != code {
		t.Fatalf("exit code %d, want %d, of\n%s\n%s", got, code, block, out)
	}
	said := strings.Join(strings.Fields(string(out)), " ")
	for _, word := range words {
		if !strings.Contains(said, word) {
			t.Errorf("%q is not said by\n%s\n%s", word, block, out)
		}
	}
	for _, secret := range []string{"the-password", secretOf(m.blocks["ini"][0])} {
		if strings.Contains(string(out), secret) {
			t.Errorf("a secret is shown by\n%s\n%s", block, out)
		}
	}
}

func secretOf(environment string) string {
	_, rest, _ := strings.Cut(environment, "AWS_SECRET_ACCESS_KEY=")
	secret, _, _ := strings.Cut(rest, "\n")
	return secret
}

// TestRealSetUp_WordForWord does what the documents say, against a real S3
// server and a real mail server: a first set-up, a backup, the loss of all but
// the backup, and its restoration.
func TestRealSetUp_WordForWord(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a pipeline, loses everything, and runs it again")
	}
	t.Run("operations", func(t *testing.T) { setUpForReal(t, "docs/operations.md", "") })
	t.Run("readme", func(t *testing.T) { setUpForReal(t, "README.md", realSection) })
}

// realSection of the README is typed by this test and not by that of its other
// sections.
const realSection = "Run it for real"

func setUpForReal(t *testing.T, document, section string) {
	server, letters := s3server.Start(t), startMailbox(t)
	base := t.TempDir()
	home := filepath.Join(base, "home")
	m := readManual(t, document, section, strings.NewReplacer(
		"/srv/tamiz", base+"/srv", "/backup/tamiz", base+"/backup", "s3://example-bucket/tamiz", "s3://"+server.Bucket+"/tamiz",
		"https://s3.example.org", server.Endpoint, "host: smtp.example.org", "host: 127.0.0.1, port: "+strconv.Itoa(letters.port)+", tls: none",
		"the-key", server.AccessKey, "the-secret", server.SecretKey), home)
	tamiz(t, "init", "mx", filepath.Join(base, "publishers"), "--sample", "--schools", "80")
	if err := os.MkdirAll(filepath.Join(home, "Downloads"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(base, "publishers", "sample"), filepath.Join(home, "Downloads", "tamiz")); err != nil {
		t.Fatal(err)
	}

	m.types(t, 0, "made the project")
	write(t, filepath.Join(m.observed, "tamiz.yml"), m.blocks["yaml"][0])
	write(t, filepath.Join(m.observed, "environment"), m.blocks["ini"][0])
	m.types(t, 1, "conditional writes hold", "takes the account", "clock of the store", "next: bring the file of registry: put it into")
	server.Use(t) // the test itself looks into the store
	tamiz(t, "log", "add", "mx", "school_reports", "cct=07PPR9999V", "shift=MATUTINO", "item=water", "value=no", "observed_on=2026-11-01", "reporter_role=head", "--project", m.observed)
	m.types(t, 0, "published 20", "last run")
	if got := letters.texts(); section == "" && (len(got) == 0 || !strings.Contains(got[0], "prueba")) {
		t.Errorf("letters that arrived: %q", got)
	}
	project, err := (&options{project: m.observed}).openProject()
	if err != nil {
		t.Fatal(err)
	}
	store, err := openRemote(t.Context(), project)
	if err != nil {
		t.Fatal(err)
	}
	decided := pipeline.Decision{Decision: pipeline.Withdraw, Snapshot: "2019-01-06.1", Reason: "a decision to be kept", Who: "test", At: time.Now()}
	if err := load.OpenLedger(store, "mx").Decide(t.Context(), decided); err != nil {
		t.Fatal(err)
	}
	m.types(t, 0, "copied ")
	before := contents(t, store)

	for key := range before { // the store is lost, and the warehouse
		if err := store.Remove(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(filepath.Join(m.observed, "warehouse")); err != nil {
		t.Fatal(err)
	}
	m.types(t, 0, "copied ", "each is what it was when it was written", "nothing new")
	after := contents(t, store)
	for key, text := range before {
		switch name := strings.TrimPrefix(key, "mx/"); {
		case name == "lock.json" || name == "status.json":
		case name == "observations.jsonl":
			if !strings.HasPrefix(after[key], text) {
				t.Errorf("%s lost what it said", key)
			}
		case after[key] != text:
			t.Errorf("%s is not what it was", key)
		}
	}
	for key := range after {
		if before[key] == "" && !strings.Contains(key, "/doctor/") {
			t.Errorf("%s is new, though nothing is", key)
		}
	}
	if section == "" {
		m.prunes(t)
	}
	if m.next != len(m.blocks["sh"]) {
		t.Errorf("%d blocks of commands of %s are not run by this test", len(m.blocks["sh"])-m.next, document)
	}
}

// prunes tidies up; copies of what the store does not have go.
func (m *manual) prunes(t *testing.T) {
	t.Helper()
	gone := filepath.Join(m.observed, "warehouse", "cache", "mx", "snapshots", "2019-01-06.1")
	if err := os.MkdirAll(gone, 0o755); err != nil {
		t.Fatal(err)
	}
	m.types(t, 0, "results", "would remove 0 snapshots")
	if _, err := os.Stat(gone); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("copies of a snapshot that the store does not have are still in the cache: %v", err)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// contents gives what a store holds, by key.
func contents(t *testing.T, store load.Store) map[string]string {
	t.Helper()
	objects, err := store.List(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, object := range objects {
		content, _, err := store.Get(context.Background(), object.Key)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		_, err = io.Copy(&text, content)
		if err = errors.Join(err, content.Close()); err != nil {
			t.Fatal(err)
		}
		found[object.Key] = text.String()
	}
	return found
}

package extract_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tamiz/extract"
	"tamiz/pipeline"
)

// clock tells a time that tests move by hand.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func newClock() *clock { return &clock{time.Date(2026, 11, 8, 9, 30, 0, 5, time.UTC)} }

func openLog(t *testing.T, path string, c *clock) *extract.Log {
	t.Helper()
	log, err := extract.OpenLog(path, c.now)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

func observed(name, digest string) []extract.ObservedFile {
	return []extract.ObservedFile{{Name: name, Digest: pipeline.Digest(digest), Bytes: 3}}
}

func TestLog_NotesOnlyWhatIsNew(t *testing.T) {
	path, c := filepath.Join(t.TempDir(), "state", "observations.jsonl"), newClock()
	log := openLog(t, path, c)
	if _, ok := log.Last("registry"); ok {
		t.Error("an empty log knows something")
	}
	if _, err := os.Stat(filepath.Dir(path)); err == nil {
		t.Error("opening wrote something")
	}
	steps := []struct {
		source, name, digest string
		lines                int
	}{
		{"registry", "a.csv", "d1", 1}, {"registry", "a.csv", "d1", 1}, {"registry", "renamed.csv", "d1", 1},
		{"deaths", "a.csv", "d1", 2}, {"registry", "a.csv", "d2", 3}, {"registry", "a.csv", "d1", 4},
	}
	for i, step := range steps {
		c.at = c.at.Add(time.Hour)
		observation, err := log.Append(extract.Observation{Source: step.source, How: extract.HowFolder, Files: observed(step.name, step.digest)})
		if err != nil {
			t.Fatal(err)
		}
		if observation.Files[0].Name != step.name {
			t.Errorf("step %d: got the name %s, want today's", i, observation.Files[0].Name)
		}
		text, _ := os.ReadFile(path)
		if got := strings.Count(string(text), "\n"); got != step.lines {
			t.Errorf("step %d: got %d lines, want %d", i, got, step.lines)
		}
	}
	again := openLog(t, path, c)
	last, ok := again.Last("registry")
	if !ok || last.Files[0].Digest != "d1" || !last.ObservedAt.Equal(time.Date(2026, 11, 8, 15, 30, 0, 0, time.UTC)) {
		t.Errorf("last: got %+v", last)
	}
	text, _ := os.ReadFile(path)
	first, _, _ := strings.Cut(string(text), "\n")
	want := `{"source":"registry","observed_at":"2026-11-08T10:30:00Z","how":"folder","files":[{"name":"a.csv","digest":"d1","bytes":3}]}`
	if first != want {
		t.Errorf("got  %s\nwant %s", first, want)
	}
}

func TestLog_SurvivesACrashAtEveryByte(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	path := filepath.Join(dir, "whole.jsonl")
	log := openLog(t, path, c)
	for _, digest := range []string{"d1", "d2"} {
		if _, err := log.Append(extract.Observation{Source: "registry", How: extract.HowFolder, Files: observed("é.csv", digest)}); err != nil {
			t.Fatal(err)
		}
	}
	whole, _ := os.ReadFile(path)
	for cut := range len(whole) + 1 {
		torn := put(t, filepath.Join(dir, "torn.jsonl"), string(whole[:cut]))
		log := openLog(t, torn, c)
		if _, err := log.Append(extract.Observation{Source: "registry", How: extract.HowFolder, Files: observed("a.csv", "d3")}); err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		last, ok := openLog(t, torn, c).Last("registry")
		if !ok || last.Files[0].Digest != "d3" {
			t.Fatalf("cut at %d: got %+v, want d3", cut, last)
		}
		text, _ := os.ReadFile(torn)
		kept := strings.Count(string(whole[:cut]), "\n")
		if cut == strings.IndexByte(string(whole), '\n') || cut == len(whole)-1 { // only its line end was lost
			kept++
		}
		if got := strings.Count(string(text), "\n"); got != kept+1 {
			t.Fatalf("cut at %d: got %d lines, want %d:\n%s", cut, got, kept+1, text)
		}
	}
}

func TestLog_RefusesDamageWithinIt(t *testing.T) {
	path := put(t, filepath.Join(t.TempDir(), "log.jsonl"), "{\"source\":\"a\"}\n\n{oops}\n{\"source\":\"b\"}\n")
	_, err := extract.OpenLog(path, newClock().now)
	if pipeline.KindOf(err) != pipeline.Storage || !strings.Contains(err.Error(), path+":3") {
		t.Errorf("got %v, want the line of the damage", err)
	}
}

func TestLog_KnowsSinceWhenASourceFails(t *testing.T) {
	c := newClock()
	log := openLog(t, filepath.Join(t.TempDir(), "log.jsonl"), c)
	see := func(digest string) {
		t.Helper()
		if _, err := log.Append(extract.Observation{Source: "registry", How: extract.HowHTTP, Files: observed("a.csv", digest)}); err != nil {
			t.Fatal(err)
		}
	}
	fail := func(problem string, refused ...pipeline.Pin) {
		t.Helper()
		if err := log.NoteFault("registry", refused, &pipeline.Error{Kind: pipeline.Drift, Problem: problem}); err != nil {
			t.Fatal(err)
		}
	}
	since := func() string {
		at, failing := log.Failing("registry")
		if !failing {
			return "good"
		}
		return at.Format(pipeline.DateLayout)
	}
	day := func() { c.at = c.at.AddDate(0, 0, 1) }
	for i, step := range []struct {
		do   func()
		want string
	}{
		{func() { see("d1") }, "good"},
		{func() { fail("503") }, "2026-11-09"},
		{func() { fail("503") }, "2026-11-09"},
		{func() { see("d2"); fail("half of the rows gone", pipeline.Pin{Digest: "d2"}) }, "2026-11-09"}, // a bad version is no recovery
		{func() { see("d2"); fail("half of the rows gone", pipeline.Pin{Digest: "d2"}) }, "2026-11-09"},
		{func() { see("d1"); log.NoteGood("registry") }, "good"},
		{func() { fail("404") }, "2026-11-14"},
		{func() { see("d3"); log.NoteGood("registry") }, "good"},
	} {
		step.do()
		if got := since(); got != step.want {
			t.Errorf("step %d: got %s, want %s", i, got, step.want)
		}
		day()
	}
}

func TestLog_VersionsAreThoseThatWereNotRefused(t *testing.T) {
	c := newClock()
	log := openLog(t, filepath.Join(t.TempDir(), "observations.jsonl"), c)
	see := func(digest string) {
		t.Helper()
		c.at = c.at.AddDate(0, 0, 1)
		if _, err := log.Append(extract.Observation{Source: "deaths", How: extract.HowFolder, Files: observed("a.csv", digest)}); err != nil {
			t.Fatal(err)
		}
	}
	see("d1")
	see("d1")
	see("d2")
	if err := log.NoteFault("deaths", []pipeline.Pin{{Digest: "d2", Name: "a.csv", Bytes: 3}}, &pipeline.Error{Problem: "fails a gate"}); err != nil {
		t.Fatal(err)
	}
	see("d3")
	c.at = c.at.AddDate(0, 0, 1)
	if err := log.NoteFault("deaths", nil, &pipeline.Error{Problem: "down"}); err != nil {
		t.Fatal(err)
	}
	if err := log.NoteGood("deaths"); err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, vintage := range log.Versions("deaths") {
		text += vintage.AsOf + " " + string(vintage.Files[0].Digest) + ", "
	}
	if want := "2026-11-09 d1, 2026-11-12 d3, 2026-11-13 d3, "; text != want {
		t.Errorf("versions: %s want %s", text, want)
	}
}

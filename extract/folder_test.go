package extract_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tamiz/extract"
	"tamiz/pipeline"
)

// world is a folder with an inbox, an archive, and a log.
type world struct {
	dir     string
	clock   *clock
	source  pipeline.Source
	archive *extract.Archive
	log     *extract.Log
}

func newWorld(t *testing.T) *world {
	dir, c := t.TempDir(), newClock()
	w := &world{dir: dir, clock: c,
		source: pipeline.Source{Name: "registry", Path: "config/mx/sources/registry.yml", URL: "unverified",
			Folder: filepath.Join(dir, "inbox", "registry", "*.csv"), Parsing: pipeline.Parsing{MaxBytes: 100}},
		archive: extract.NewArchive(filepath.Join(dir, "archive"), filepath.Join(dir, "private")),
		log:     openLog(t, filepath.Join(dir, "observations.jsonl"), c)}
	if err := os.MkdirAll(filepath.Join(dir, "inbox", "registry"), 0o755); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) put(t *testing.T, name, content string) {
	t.Helper()
	put(t, filepath.Join(w.dir, "inbox", "registry", name), content)
}

// see looks, then observes, and wants the same from both.
func (w *world) see(t *testing.T) ([]pipeline.Pin, error) {
	t.Helper()
	before := everything(t, w.dir)
	looked, lookErr := extract.Look(t.Context(), w.source, w.archive, w.log)
	if after := everything(t, w.dir); after != before {
		t.Errorf("Look wrote something:\n%s\nbefore:\n%s", after, before)
	}
	pins, err := extract.Observe(t.Context(), w.source, w.archive, w.log)
	if fmt.Sprint(looked) != fmt.Sprint(pins) || (lookErr == nil) != (err == nil) {
		t.Errorf("Look gave %v, %v; Observe gave %v, %v", looked, lookErr, pins, err)
	}
	return pins, err
}

func everything(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			fmt.Fprintln(&b, path, info.Size(), info.ModTime())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestObserve_PinsTheFilesOfAFolder(t *testing.T) {
	w := newWorld(t)
	w.put(t, "b.csv", "two")
	w.put(t, "a.csv", "one")
	w.put(t, "copy.csv", "one")
	w.put(t, ".hidden.csv", "three")
	w.put(t, "notes.txt", "four")
	if err := os.Mkdir(filepath.Join(w.dir, "inbox", "registry", "folder.csv"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(put(t, filepath.Join(w.dir, "elsewhere"), "five"), filepath.Join(w.dir, "inbox", "registry", "link.csv")); err != nil {
		t.Fatal(err)
	}
	pins, err := w.see(t)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for i, pin := range pins {
		names = append(names, pin.Name)
		if i > 0 && pins[i-1].Digest >= pin.Digest {
			t.Error("pins are not sorted by digest")
		}
		if pin.Carried != "" || !pin.ObservedAt.Equal(w.clock.at.Truncate(time.Second)) {
			t.Errorf("got %+v", pin)
		}
		path, err := w.archive.Path(pin.Digest)
		if err != nil {
			t.Fatal(err)
		}
		if digest, size, err := pipeline.HashFile(path); err != nil || digest != pin.Digest || size != pin.Bytes {
			t.Errorf("archived: got %s, %d, %v, want %+v", digest, size, err, pin)
		}
	}
	if len(pins) != 3 || !strings.Contains(fmt.Sprint(names), "a.csv") || strings.Contains(fmt.Sprint(names), "copy") {
		t.Errorf("got %v, want a.csv, b.csv and link.csv", names)
	}
	first := w.clock.at
	w.clock.at = first.AddDate(0, 0, 14)
	if pins, err = w.see(t); err != nil || !pins[0].ObservedAt.Equal(first.Truncate(time.Second)) {
		t.Errorf("an unchanged world: got %v, %v, want the first observation", pins, err)
	}
}

func TestObserve_CarriesForwardWhatIsGone(t *testing.T) {
	w := newWorld(t)
	w.put(t, "a.csv", "one")
	if _, err := w.see(t); err != nil {
		t.Fatal(err)
	}
	w.clock.at = w.clock.at.AddDate(0, 0, 14)
	w.put(t, "a.csv", "two")
	newer, err := w.see(t)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(w.dir, "inbox", "registry", "a.csv")); err != nil {
		t.Fatal(err)
	}
	w.clock.at = w.clock.at.AddDate(0, 0, 14)
	pins, err := w.see(t)
	if err != nil || len(pins) != 1 || pins[0].Digest != newer[0].Digest {
		t.Fatalf("got %v, %v, want %v carried", pins, err, newer)
	}
	if want := "no file matches inbox/registry/*.csv now; the version of 2026-11-22 stays in use"; pins[0].Carried != want {
		t.Errorf("got %q, want %q", pins[0].Carried, want)
	}
	lost, _ := w.archive.Path(newer[0].Digest) // then an older version serves
	if err := os.Remove(lost); err != nil {
		t.Fatal(err)
	}
	if pins, err = w.see(t); err != nil || len(pins) != 1 || !strings.Contains(pins[0].Carried, "2026-11-08") {
		t.Errorf("got %v, %v, want the version of 2026-11-08", pins, err)
	}
}

func TestObserve_OfASourceNeverSeen(t *testing.T) {
	w := newWorld(t)
	if pins, err := w.see(t); pins != nil || err != nil {
		t.Errorf("got %v, %v, want nothing", pins, err)
	}
	w.source.Required = true
	_, err := w.see(t)
	if pipeline.KindOf(err) != pipeline.SourceDown || !strings.Contains(err.Error(), w.source.Folder) || !strings.Contains(err.Error(), "put the file there") {
		t.Errorf("got %v, want where to put the file", err)
	}
	w.source.URL = "https://example.org/registry.csv"
	if _, err = w.see(t); err == nil || !strings.Contains(err.Error(), "get it from https://example.org/registry.csv") {
		t.Errorf("got %v, want where to get the file", err)
	}
}

func TestObserve_TellsAllFilesThatAreInTheWay(t *testing.T) {
	w := newWorld(t)
	w.put(t, "fits.csv", strings.Repeat("x", 100))
	w.put(t, "large.csv", strings.Repeat("x", 101))
	if err := os.Symlink(filepath.Join(w.dir, "nowhere"), filepath.Join(w.dir, "inbox", "registry", "broken.csv")); err != nil {
		t.Fatal(err)
	}
	_, err := w.see(t)
	if err == nil {
		t.Fatal("got no error")
	}
	for _, want := range []string{"large.csv is larger than its card allows", "at most 100 bytes", "101 bytes",
		"config/mx/sources/registry.yml, under limits:", "bytes: 1KiB", "broken.csv cannot be read"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in\n%v", want, err)
		}
	}
	if err := os.Remove(filepath.Join(w.dir, "inbox", "registry", "broken.csv")); err != nil {
		t.Fatal(err)
	}
	if _, err = w.see(t); pipeline.KindOf(err) != pipeline.Drift {
		t.Errorf("got kind %s, want drift", pipeline.KindOf(err))
	}
}

func TestObserve_PassesOverHiddenFolders(t *testing.T) {
	w := newWorld(t)
	w.source.Folder = filepath.Join(w.dir, "inbox", "*", "*.csv")
	put(t, filepath.Join(w.dir, "inbox", ".trash", "old.csv"), "old")
	w.put(t, "a.csv", "one")
	pins, err := w.see(t)
	if err != nil || len(pins) != 1 || pins[0].Name != "a.csv" {
		t.Errorf("got %v, %v, want a.csv", pins, err)
	}
	w.source.Folder = filepath.Join(w.dir, "inbox", "[")
	if _, err := w.see(t); pipeline.KindOf(err) != pipeline.Config {
		t.Errorf("a pattern that is none: got %v", err)
	}
}

func TestObserve_KeepsPrivateBytesApart(t *testing.T) {
	w := newWorld(t)
	w.source.Private = true
	w.put(t, "a.csv", "one")
	pins, err := w.see(t)
	if err != nil {
		t.Fatal(err)
	}
	if path, err := w.archive.Path(pins[0].Digest); err != nil || !strings.HasPrefix(path, filepath.Join(w.dir, "private")) {
		t.Errorf("got %s, %v, want it in the private folder", path, err)
	}
	if _, err := os.Stat(filepath.Join(w.dir, "archive")); err == nil {
		t.Error("the public archive holds private bytes")
	}
}

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
	watch   *extract.Watch
}

func newWorld(t *testing.T) *world {
	dir, c := t.TempDir(), newClock()
	w := &world{dir: dir, clock: c,
		source: pipeline.Source{Name: "registry", Path: "config/mx/sources/registry.yml", URL: "unverified",
			Folder: filepath.Join(dir, "inbox", "registry", "*.csv"), Parsing: pipeline.Parsing{MaxBytes: 100}},
		archive: extract.NewArchive(filepath.Join(dir, "archive"), filepath.Join(dir, "private"), nil),
		log:     openLog(t, filepath.Join(dir, "observations.jsonl"), c)}
	w.watch = &extract.Watch{Archive: w.archive, Log: w.log, Scratch: filepath.Join(dir, "downloads")}
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
	looked, lookErr := extract.Look(t.Context(), w.source, w.log)
	if after := everything(t, w.dir); after != before {
		t.Errorf("Look wrote something:\n%s\nbefore:\n%s", after, before)
	}
	observation, err := w.watch.Observe(t.Context(), w.source)
	pins := observation.Pins()
	if absent := len(looked) == 0 && pipeline.KindOf(err) == pipeline.SourceDown; fmt.Sprint(looked) != fmt.Sprint(pins) || !absent && (lookErr == nil) != (err == nil) {
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

func TestObserve_SaysThatAKnownFileIsGone(t *testing.T) {
	w := newWorld(t)
	w.put(t, "a.csv", "one")
	if _, err := w.see(t); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(w.dir, "inbox", "registry", "a.csv")); err != nil {
		t.Fatal(err)
	}
	pins, err := w.see(t)
	if len(pins) != 0 || pipeline.KindOf(err) != pipeline.SourceDown || !strings.Contains(err.Error(), "no file matches inbox/registry/*.csv now") {
		t.Errorf("got %v, %v", pins, err)
	}
}

func TestObserve_TakesWhatBelongsToAFile(t *testing.T) {
	w := newWorld(t)
	w.source.Folder = filepath.Join(w.dir, "inbox", "registry", "*.shp")
	w.source.Parsing.Formats = []string{"shapefile"}
	for _, name := range []string{"a.shp", "a.DBF", "a.prj", "a.shx", "b.dbf"} {
		w.put(t, name, name)
	}
	pins, err := w.see(t)
	if err != nil || len(pins) != 1 || len(pins[0].Beside) != 2 || pins[0].Beside[0].Ending != ".dbf" || pins[0].Beside[1].Ending != ".prj" {
		t.Fatalf("got %+v, %v", pins, err)
	}
	before := pins[0].Identity()
	w.put(t, "a.prj", "another")
	if pins, err = w.see(t); err != nil || pins[0].Identity() == before {
		t.Errorf("a new projection is the same file: %+v, %v", pins, err)
	}
}

func TestObserve_OfASourceNeverSeen(t *testing.T) {
	w := newWorld(t)
	if pins, err := w.see(t); len(pins) != 0 || err != nil {
		t.Errorf("got %v, %v, want nothing", pins, err)
	}
	w.source.Required = true
	_, err := w.see(t)
	if pipeline.KindOf(err) != pipeline.SourceDown || !strings.Contains(err.Error(), w.source.Folder) || !strings.Contains(err.Error(), "put the file there") {
		t.Errorf("got %v, want where to put the file", err)
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

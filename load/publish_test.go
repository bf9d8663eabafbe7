package load_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tamiz/internal/s3server"
	"tamiz/load"
	"tamiz/load/dirstore"
	"tamiz/load/s3store"
	"tamiz/load/storetest"
	"tamiz/pipeline"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// publication makes a snapshot of two marts with these contents.
func publication(t *testing.T, period, schools, profiles string) load.Publication {
	t.Helper()
	dir := t.TempDir()
	p := load.Publication{Files: map[string]string{}, Manifest: load.Manifest{Pipeline: "toy", PeriodEnd: period}}
	for name, content := range map[string]string{"profiles": profiles, "schools": schools} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256([]byte(content))
		digest := pipeline.Digest(hex.EncodeToString(sum[:]))
		file := "data/" + name + ".parquet"
		p.Files[file] = path
		p.Manifest.Tables = append(p.Manifest.Tables, load.ManifestTable{Name: name, File: file, Digest: digest, RowDigest: digest, Bytes: int64(len(content))})
	}
	return p
}

func open(t *testing.T) *dirstore.Store {
	t.Helper()
	store, err := dirstore.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// whole reads the latest snapshot whole: each file against its digest.
func whole(ctx context.Context, store load.Store) (*load.Snapshot, error) {
	snapshot, err := load.ReadLatest(ctx, store, "toy")
	if err != nil || snapshot == nil {
		return nil, err
	}
	for _, table := range snapshot.Contents() {
		reader, _, err := store.Get(ctx, load.TableKey("toy", snapshot.Snapshot, table.File))
		if err != nil {
			return nil, fmt.Errorf("%s misses %s: %w", snapshot.Snapshot, table.File, err)
		}
		h := sha256.New()
		_, err = io.Copy(h, reader)
		reader.Close()
		if err != nil {
			return nil, err
		}
		if got := hex.EncodeToString(h.Sum(nil)); got != string(table.Digest) {
			return nil, fmt.Errorf("%s: %s is not what its manifest says", snapshot.Snapshot, table.File)
		}
	}
	return snapshot, nil
}

func verify(t *testing.T, store load.Store) *load.Snapshot {
	t.Helper()
	snapshot, err := whole(t.Context(), store)
	if err != nil {
		t.Fatalf("a reader sees a broken snapshot: %v", err)
	}
	return snapshot
}

// TestPublish_NotesMayNameTheSnapshot describes each snapshot once its id is
// known, also where another content has taken an id.
func TestPublish_NotesMayNameTheSnapshot(t *testing.T) {
	store := open(t)
	for i, rows := range []string{"one", "two"} {
		p := publication(t, "2026-11-15", rows, "profiles")
		p.Notes = map[string][]byte{"method.yml": []byte("method")}
		p.Describe = func(m *load.Manifest) (map[string][]byte, error) {
			if len(m.Files) > 0 {
				t.Errorf("%s is described with the files of another", m.Snapshot)
			}
			return map[string][]byte{"CITATION.cff": []byte("version: " + m.Snapshot)}, nil
		}
		if _, _, err := load.Publish(t.Context(), store, p, noon); err != nil {
			t.Fatal(err)
		}
		snapshot, err := whole(t.Context(), store)
		if err != nil {
			t.Fatal(err)
		}
		text, err := load.ReadNote(t.Context(), store, "toy", snapshot.Snapshot, "CITATION.cff")
		if want := fmt.Sprintf("version: 2026-11-15.%d", i+1); err != nil || string(text) != want || len(snapshot.Files) != 2 {
			t.Errorf("%q, want %q; the manifest lists %d notes: %v", text, want, len(snapshot.Files), err)
		}
	}
	broken := publication(t, "2026-11-29", "three", "profiles")
	broken.Describe = func(*load.Manifest) (map[string][]byte, error) { return nil, errors.New("no words") }
	if _, _, err := load.Publish(t.Context(), store, broken, noon); err == nil || !strings.Contains(err.Error(), "no words") {
		t.Errorf("a snapshot that cannot be described is published: %v", err)
	}
}

func TestPublish_MakesAChainOfRevisions(t *testing.T) {
	ctx, store := context.Background(), open(t)
	steps := []struct {
		period, schools string
		want            string
		isNew           bool
	}{
		{"2026-11-15", "a", "2026-11-15.1", true},
		{"2026-11-15", "a", "2026-11-15.1", false},
		{"2026-11-15", "b", "2026-11-15.2", true},
		{"2026-11-29", "b", "2026-11-15.2", false}, // an unchanged world needs no snapshot
		{"2026-11-29", "c", "2026-11-29.1", true},
	}
	for _, step := range steps {
		snapshot, isNew, err := load.Publish(ctx, store, publication(t, step.period, step.schools, "p"), noon)
		if err != nil || snapshot.Snapshot != step.want || isNew != step.isNew {
			t.Fatalf("%+v: got %v, new %t, %v", step, snapshot, isNew, err)
		}
		verify(t, store)
	}
	list, err := load.List(ctx, store, "toy")
	if err != nil || len(list) != 3 {
		t.Fatalf("list: %d, %v", len(list), err)
	}
	for i, snapshot := range list {
		if i == 0 && snapshot.Parent != nil || i > 0 && (snapshot.Parent == nil || snapshot.Parent.Manifest != list[i-1].Digest) {
			t.Errorf("%s does not name its parent's digest: %+v", snapshot.Snapshot, snapshot.Parent)
		}
	}
}

func TestPublish_SumsCoverEveryFile(t *testing.T) {
	ctx, store := context.Background(), open(t)
	p := publication(t, "2026-11-15", "a", "p")
	p.Notes = map[string][]byte{"method.yml": []byte("method"), "lineage/definition.txt": []byte("definition")}
	snapshot, _, err := load.Publish(ctx, store, p, noon)
	if err != nil {
		t.Fatal(err)
	}
	if names := fmt.Sprint(snapshot.Files); names != fmt.Sprintf("[{lineage/definition.txt %s 10} {method.yml %s 6}]", sha("definition"), sha("method")) {
		t.Errorf("the manifest names %s", names)
	}
	path, err := store.Path(load.TableKey("toy", snapshot.Snapshot, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 5 {
		t.Errorf("SHA256SUMS has %d lines, want manifest and four files:\n%s", len(lines), text)
	}
	for _, line := range lines {
		digest, name, _ := strings.Cut(line, "  ")
		if got, _, err := pipeline.HashFile(filepath.Join(filepath.Dir(path), name)); err != nil || string(got) != digest {
			t.Errorf("%s: %v, digest %s", line, err, got)
		}
	}
}

// TestPublish_CopiesWhatTheParentHas wants unchanged marts and notes to be
// copied in the store, under whatever name, and damaged ones to be sent anew.
func TestPublish_CopiesWhatTheParentHas(t *testing.T) {
	ctx, store := t.Context(), &counted{Store: open(t)}
	publish := func(period, schools string) {
		t.Helper()
		p := publication(t, period, schools, "p")
		p.Notes = map[string][]byte{"method.yml": []byte("method"), period + ".txt": []byte("definition")}
		store.copies = 0
		if _, _, err := load.Publish(ctx, store, p, noon); err != nil {
			t.Fatal(err)
		}
		wantSound(t, store, period)
	}
	publish("2026-11-01", "a")
	if publish("2026-11-15", "b"); store.copies != 3 {
		t.Errorf("%d files were copied, want a mart and two notes", store.copies)
	}
	if _, err := store.Put(ctx, "toy/snapshots/2026-11-15.1/method.yml", strings.NewReader("damaged"), load.Condition{}); err != nil {
		t.Fatal(err)
	}
	p := publication(t, "2026-11-29", "c", "p")
	p.Notes = map[string][]byte{"method.yml": []byte("method")}
	if _, _, err := load.Publish(ctx, store, p, noon); err != nil {
		t.Fatal(err)
	}
	if got := content(t, store, "toy/snapshots/2026-11-29.1/method.yml"); got != "method" {
		t.Errorf("damage was copied: %q", got)
	}
}

// counted counts what is copied within a store.
type counted struct {
	load.Store
	mutex  sync.Mutex
	copies int
}

func (c *counted) Copy(ctx context.Context, from, to string, when load.Condition) (load.Version, error) {
	c.mutex.Lock()
	c.copies++
	c.mutex.Unlock()
	return c.Store.Copy(ctx, from, to, when)
}

// TestPublish_SurvivesEveryBreak breaks the n-th call for every n, in every
// way, restarts, and wants a reader beside it to see the old or the new
// snapshot, whole, at any time, and the new one in the end, exactly once.
func TestPublish_SurvivesEveryBreak(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	bothStores(t, func(t *testing.T, open func(t *testing.T) load.Store) {
		for _, how := range []storetest.How{storetest.Before, storetest.After, storetest.InDoubt(1), storetest.InDoubt(4), storetest.InDoubt(8)} {
			n := 1
			for breakOnce(t, open(t), n, how) {
				n++
			}
			if n <= 10 {
				t.Fatalf("only %d calls: the sweep is broken", n-1)
			}
			t.Logf("%s: %d calls were broken", how, n-1)
		}
	})
}

// breakOnce breaks the n-th call of a publication; it reports whether it came
// as far as that.
func breakOnce(t *testing.T, store load.Store, n int, how storetest.How) bool {
	t.Helper()
	ctx := t.Context()
	if _, _, err := load.Publish(ctx, store, publication(t, "2026-11-15", "old", "same in both"), noon); err != nil {
		t.Fatal(err)
	}
	stop := watch(t, store)
	defer stop()
	next := publication(t, "2026-11-29", "new", "same in both")
	next.Notes = map[string][]byte{"method.yml": []byte("method")}
	broken := storetest.Break(store, n, how)
	_, _, err := load.Publish(ctx, broken, next, noon)
	if broken.Calls() < n { // it was not reached: all calls have been broken once
		if err != nil {
			t.Fatal(err)
		}
		return false
	}
	if !errors.Is(err, storetest.ErrBroken) {
		t.Fatalf("call %d %s: %v", n, how, err)
	}
	snapshot, _, err := load.Publish(ctx, broken, next, noon)
	if err != nil || snapshot.Snapshot != "2026-11-29.1" {
		t.Fatalf("call %d %s: after restart %v, %v", n, how, snapshot, err)
	}
	for broken.Calls() < n+10 { // whatever was late has arrived
		if _, err := broken.List(ctx, "toy/"); err != nil {
			t.Fatal(err)
		}
	}
	if seen := verify(t, store); seen.Snapshot != "2026-11-29.1" {
		t.Fatalf("call %d %s: in the end a reader sees %s", n, how, seen.Snapshot)
	}
	if list, err := load.List(ctx, store, "toy"); err != nil || len(list) != 2 {
		t.Fatalf("call %d %s: %d snapshots, %v", n, how, len(list), err)
	}
	if _, isNew, err := load.Publish(ctx, store, next, noon); err != nil || isNew {
		t.Fatalf("call %d %s: published again: %t, %v", n, how, isNew, err)
	}
	return true
}

// watch reads the latest snapshot whole, again and again, until it is stopped.
// It may see the old one, then the new one.
func watch(t *testing.T, store load.Store) (stop func()) {
	t.Helper()
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		seen := "2026-11-15.1"
		for {
			select {
			case <-done:
				return
			default:
			}
			snapshot, err := whole(t.Context(), store)
			switch {
			case err != nil:
				t.Errorf("a reader sees a broken snapshot: %v", err)
				return
			case snapshot.Snapshot != seen && snapshot.Snapshot != "2026-11-29.1":
				t.Errorf("a reader sees %s after %s", snapshot.Snapshot, seen)
				return
			}
			seen = snapshot.Snapshot
		}
	}()
	return func() { close(done); <-ended }
}

func TestPublish_RivalsPublishOnce(t *testing.T) {
	ctx, store := context.Background(), open(t)
	done := make(chan error)
	for i := range 4 {
		p := publication(t, "2026-11-29", fmt.Sprint("world ", i%2), "p")
		go func() {
			_, _, err := load.Publish(ctx, store, p, noon)
			done <- err
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	verify(t, store)
}

// TestPublish_ALostAnswerIsNoConflict loses the answer to each changing call,
// one at a time, and wants one try to publish the new snapshot as its own.
func TestPublish_ALostAnswerIsNoConflict(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	server := s3server.Start(t)
	server.Use(t)
	proxy := server.Proxy(t)
	for lost := 0; ; lost++ {
		store, err := s3store.Open(t.Context(), s3store.Options{Bucket: server.Bucket, Endpoint: proxy.Endpoint, PathStyle: true, Prefix: fmt.Sprint(lost)})
		if err != nil {
			t.Fatal(err)
		}
		history(t, store, "2026-11-15")
		proxy.LoseAnswerAfter(lost)
		history(t, store, "2026-11-29")
		reached := proxy.Faults() == 0
		proxy.Pass()
		if latest := verify(t, store); latest.Snapshot != "2026-11-29.1" {
			t.Errorf("answer %d was lost: the latest is %s", lost+1, latest.Snapshot)
		}
		if list, err := load.List(t.Context(), store, "toy"); err != nil || len(list) != 2 {
			t.Errorf("answer %d was lost: %d snapshots, %v", lost+1, len(list), err)
		}
		if !reached {
			if lost < 6 {
				t.Errorf("only %d answers were lost", lost)
			}
			return
		}
	}
}

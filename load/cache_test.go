package load_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"

	"tamiz/load"
	"tamiz/load/dirstore"
	"tamiz/pipeline"
)

// elsewhere is a store whose objects are no files of this machine; it counts
// what is asked of it.
type elsewhere struct {
	load.Store
	gets map[string]int
}

func (e *elsewhere) Get(ctx context.Context, key string) (io.ReadCloser, load.Version, error) {
	e.gets[key]++
	return e.Store.Get(ctx, key)
}

func TestLocal_AsksOnceForWhatNeverChanges(t *testing.T) {
	remote := &elsewhere{Store: open(t), gets: map[string]int{}}
	local := load.NewLocal(remote, t.TempDir())
	const mart, pointer = "toy/snapshots/2026-11-15.1/data/a.parquet", "toy/latest.json"
	for _, key := range []string{mart, pointer} {
		if err := write(t, remote, key, "one"); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		for _, key := range []string{mart, pointer} {
			reader, _, err := local.Get(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			if content, err := io.ReadAll(reader); err != nil || string(content) != "one" {
				t.Errorf("%s: %q, %v", key, content, err)
			}
			reader.Close()
		}
	}
	if remote.gets[mart] != 1 || remote.gets[pointer] != 3 {
		t.Errorf("asked for the mart %d times, want 1; for the pointer %d times, want 3", remote.gets[mart], remote.gets[pointer])
	}
	if _, _, err := local.Get(t.Context(), "toy/snapshots/none/manifest.json"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is not there: %v", err)
	}
}

func TestLocal_MendsADamagedCopyAndTellsADamagedObject(t *testing.T) {
	remote := &elsewhere{Store: open(t), gets: map[string]int{}}
	local := load.NewLocal(remote, t.TempDir())
	const key = "toy/snapshots/2026-11-15.1/data/a.parquet"
	if err := write(t, remote, key, "one"); err != nil {
		t.Fatal(err)
	}
	digest := pipeline.Digest("7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed") // of "one"
	path, err := local.File(t.Context(), key, digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("won"), 0o644); err != nil {
		t.Fatal(err)
	}
	if path, err = local.File(t.Context(), key, digest); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "one" {
		t.Errorf("the copy holds %q, %v", content, err)
	}
	if err := write(t, remote, key, "won"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := local.File(t.Context(), key, digest); pipeline.KindOf(err) != pipeline.Storage || !strings.Contains(err.Error(), "not what its manifest says") {
		t.Errorf("a damaged object: %v", err)
	}
	if _, err := local.File(t.Context(), "toy/latest.json", ""); err == nil {
		t.Error("a pointer can be cached")
	}
}

func TestLocal_AFolderNeedsNoCopies(t *testing.T) {
	folder := t.TempDir()
	store, err := dirstore.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	path, err := load.NewLocal(store, t.TempDir()).File(t.Context(), "toy/latest.json", "")
	if err != nil || !strings.HasPrefix(path, folder) {
		t.Errorf("%s, %v", path, err)
	}
}

package dirstore_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"tamiz/load"
	"tamiz/load/dirstore"
	"tamiz/load/storetest"
)

func TestStore_KeepsThePromise(t *testing.T) {
	storetest.Run(t, func(t *testing.T) load.Store {
		t.Helper()
		store, err := dirstore.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return store
	})
}

func TestOpen_SweepsWhatKilledWritersLeft(t *testing.T) {
	dir := t.TempDir()
	if _, err := dirstore.Open(dir); err != nil {
		t.Fatal(err)
	}
	old, young := filepath.Join(dir, ".writing", "put-old"), filepath.Join(dir, ".writing", "put-young")
	for _, name := range []string{old, young} {
		if err := os.WriteFile(name, []byte("half"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-48 * time.Hour)
	if err := os.Chtimes(old, long, long); err != nil {
		t.Fatal(err)
	}
	if _, err := dirstore.Open(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); err == nil {
		t.Error("an old unfinished write is still there")
	}
	if _, err := os.Stat(young); err != nil {
		t.Error("a write that may still go on was removed")
	}
}

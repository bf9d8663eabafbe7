package load_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tamiz/load"
	"tamiz/load/dirstore"
	"tamiz/load/storetest"
	"tamiz/pipeline"
)

var recorded = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func said(word string) func(int64) map[string]string {
	return func(n int64) map[string]string { return map[string]string{"id": fmt.Sprint(n), "word": word} }
}

func TestLog_RivalsLoseNothing(t *testing.T) {
	dir := t.TempDir()
	const writers, each = 8, 6
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			store, err := dirstore.Open(dir) // each as a process of its own
			if err != nil {
				t.Error(err)
				return
			}
			for i := range each {
				if _, err := load.NewLog(store, "toy", "reports").Append(t.Context(), recorded, said(fmt.Sprintf("%d/%d", w, i))); err != nil {
					t.Errorf("writer %d: %v", w, err)
				}
			}
		})
	}
	group.Wait()
	store, err := dirstore.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := load.NewLog(store, "toy", "reports").Read(t.Context())
	if err != nil || len(entries) != writers*each {
		t.Fatalf("%d records, %v; want %d", len(entries), err, writers*each)
	}
	words := map[string]bool{}
	for i, entry := range entries {
		words[entry.Values["word"]] = true
		if entry.Values["id"] != fmt.Sprint(i+1) {
			t.Errorf("record %d calls itself %s", i+1, entry.Values["id"])
		}
	}
	if len(words) != writers*each {
		t.Errorf("%d different records", len(words))
	}
}

func TestLog_ABrokenStoreNeitherLosesNorDoubles(t *testing.T) {
	for _, after := range []bool{false, true} {
		how := storetest.Before
		if after {
			how = storetest.After
		}
		store, err := dirstore.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		log := load.NewLog(storetest.Break(store, 5, how), "toy", "reports")
		if _, err := log.Append(t.Context(), recorded, said("one")); err != nil {
			t.Fatal(err)
		}
		if _, err = log.Append(t.Context(), recorded, said("two")); (err == nil) != after || err != nil && !errors.Is(err, storetest.ErrBroken) {
			t.Errorf("broken (after it was done: %t): %v", after, err)
		}
		if err != nil { // the caller tries again
			if _, err := log.Append(t.Context(), recorded, said("two")); err != nil {
				t.Fatal(err)
			}
		}
		if entries, err := log.Read(t.Context()); err != nil || len(entries) != 2 {
			t.Errorf("after %t: %d records, %v", after, len(entries), err)
		}
	}
}

func TestLog_ShowsWhatWasChanged(t *testing.T) {
	dir := t.TempDir()
	store, err := dirstore.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	log := load.NewLog(store, "toy", "reports")
	var prefixes []string
	for _, word := range []string{"<no>", "yes", "si"} {
		if _, err := log.Append(t.Context(), recorded, said(word)); err != nil {
			t.Fatal(err)
		}
		entries, err := log.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := load.WritePrefix(&b, entries); err != nil {
			t.Fatal(err)
		}
		prefixes = append(prefixes, b.String())
	}
	for i := range prefixes[1:] {
		if !strings.HasPrefix(prefixes[i+1], strings.TrimSuffix(prefixes[i], load.PrefixEnd)) {
			t.Errorf("prefix %d does not go on from\n%s", i+2, prefixes[i])
		}
	}
	content, err := os.ReadFile(filepath.Join(dir, "toy", "logs", "reports", "0000000002.json"))
	if err != nil {
		t.Fatal(err)
	}
	second := string(content)
	for name, change := range map[string]func() error{
		"a word": func() error {
			return write(t, store, "toy/logs/reports/0000000002.json", strings.Replace(second, "yes", "no", 1))
		},
		"a space": func() error {
			return write(t, store, "toy/logs/reports/0000000002.json", strings.Replace(second, ":", ": ", 1))
		},
		"no JSON": func() error { return write(t, store, "toy/logs/reports/0000000002.json", "{") },
		"a gap":   func() error { return store.Remove(t.Context(), "toy/logs/reports/0000000002.json") },
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if _, err := log.Read(t.Context()); pipeline.KindOf(err) != pipeline.Drift {
			t.Errorf("%s: %v", name, err)
		}
		if err := write(t, store, "toy/logs/reports/0000000002.json", second); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := log.Read(t.Context()); err != nil {
		t.Errorf("restored: %v", err)
	}
	if err := store.Remove(t.Context(), "toy/logs/reports/0000000001.json"); err != nil {
		t.Fatal(err)
	}
	if _, err := log.Append(t.Context(), recorded, said("late")); pipeline.KindOf(err) != pipeline.Drift {
		t.Errorf("appended to a log with a gap: %v", err)
	}
}

func write(t *testing.T, store load.Store, key, content string) error {
	t.Helper()
	_, err := store.Put(t.Context(), key, strings.NewReader(content), load.Condition{})
	return err
}

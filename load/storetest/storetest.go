// Package storetest is the promise of [load.Store] as tests: every
// implementation passes the same suite, and every caller can be tried with a
// store that breaks.
//
// In comes a function that opens an empty store; out come failing tests. It
// has no code that the product runs.
package storetest

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"tamiz/load"
)

// Run tries an implementation. open gives a new, empty store.
func Run(t *testing.T, open func(t *testing.T) load.Store) {
	t.Helper()
	ctx := t.Context()
	put := func(t *testing.T, s load.Store, key, content string, when load.Condition) (load.Version, error) {
		t.Helper()
		return s.Put(ctx, key, strings.NewReader(content), when)
	}
	t.Run("GetsWhatWasPut", func(t *testing.T) {
		s := open(t)
		version, err := put(t, s, "a/b/c.txt", "one", load.Condition{})
		if err != nil {
			t.Fatal(err)
		}
		if content, got := read(t, s, "a/b/c.txt"); content != "one" || got != version {
			t.Errorf("got %q at %s, want one at %s", content, got, version)
		}
		if _, err := put(t, s, "a/b/c.txt", "two", load.Condition{}); err != nil {
			t.Fatal(err)
		}
		if content, got := read(t, s, "a/b/c.txt"); content != "two" || got == version {
			t.Errorf("got %q, and the version changed: %t", content, got != version)
		}
	})
	t.Run("SaysWhatIsNotThere", func(t *testing.T) {
		s := open(t)
		if _, _, err := s.Get(ctx, "nothing"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("get: %v", err)
		}
		if err := s.Remove(ctx, "nothing"); err != nil {
			t.Errorf("remove: %v", err)
		}
		if objects, err := s.List(ctx, "nothing/"); err != nil || len(objects) != 0 {
			t.Errorf("list: %v, %v", objects, err)
		}
	})
	t.Run("KeepsConditions", func(t *testing.T) { conditions(t, open(t)) })
	t.Run("ListsInOrder", func(t *testing.T) {
		s := open(t)
		for _, key := range []string{"x/b", "x/a/1", "y/c", "x/ab"} {
			if _, err := put(t, s, key, key, load.Condition{}); err != nil {
				t.Fatal(err)
			}
		}
		objects, err := s.List(ctx, "x/")
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, object := range objects {
			keys = append(keys, object.Key)
		}
		if got := strings.Join(keys, " "); got != "x/a/1 x/ab x/b" {
			t.Errorf("list: %s", got)
		}
	})
	t.Run("RefusesKeysThatLeaveIt", func(t *testing.T) {
		s := open(t)
		for _, key := range []string{"../out", "/etc/x", "a/../../b", ""} {
			if _, err := put(t, s, key, "x", load.Condition{}); err == nil {
				t.Errorf("key %q was accepted", key)
			}
		}
	})
	t.Run("LetsOneRivalWin", func(t *testing.T) { rivals(t, open(t)) })
	t.Run("LeavesNothingHalfWritten", func(t *testing.T) {
		s := open(t)
		broken := io.MultiReader(strings.NewReader("half"), failing{})
		if _, err := s.Put(ctx, "h", broken, load.Condition{}); err == nil {
			t.Error("a broken upload succeeded")
		}
		if _, _, err := s.Get(ctx, "h"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("half of an upload can be read: %v", err)
		}
	})
}

// conditions tries Absent and Match.
func conditions(t *testing.T, s load.Store) {
	t.Helper()
	put := func(t *testing.T, s load.Store, key, content string, when load.Condition) (load.Version, error) {
		t.Helper()
		return s.Put(t.Context(), key, strings.NewReader(content), when)
	}
	first, err := put(t, s, "p", "1", load.Condition{Absent: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := put(t, s, "p", "2", load.Condition{Absent: true}); !errors.Is(err, load.ErrConflict) {
		t.Errorf("absent, but it is there: %v", err)
	}
	second, err := put(t, s, "p", "2", load.Condition{Match: first})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := put(t, s, "p", "3", load.Condition{Match: first}); !errors.Is(err, load.ErrConflict) {
		t.Errorf("match of an old version: %v", err)
	}
	if content, version := read(t, s, "p"); content != "2" || version != second {
		t.Errorf("a refused put changed something: %q", content)
	}
	if _, err := put(t, s, "never", "1", load.Condition{Match: first}); !errors.Is(err, load.ErrConflict) {
		t.Errorf("match of nothing: %v", err)
	}
}

// rivals race for one pointer, each from the version that it has seen.
func rivals(t *testing.T, s load.Store) {
	t.Helper()
	ctx := t.Context()
	version, err := s.Put(ctx, "pointer", strings.NewReader("0"), load.Condition{})
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	var mutex sync.Mutex
	won := 0
	for i := range 16 {
		group.Go(func() {
			_, err := s.Put(ctx, "pointer", strings.NewReader("rival "+string(rune('a'+i))), load.Condition{Match: version})
			mutex.Lock()
			defer mutex.Unlock()
			if err == nil {
				won++
			} else if !errors.Is(err, load.ErrConflict) {
				t.Errorf("rival: %v", err)
			}
		})
	}
	group.Wait()
	if won != 1 {
		t.Errorf("%d rivals won, want 1", won)
	}
}

func read(t *testing.T, s load.Store, key string) (string, load.Version) {
	t.Helper()
	reader, version, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	content, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(content), version
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("the line broke") }

// ErrBroken is what a broken store answers.
var ErrBroken = errors.New("the store broke")

// Break wraps a store whose n-th changing call, counted from 1, fails: before
// it did anything or, if after is true, after it was done, so that the caller
// is in doubt.
func Break(store load.Store, n int, after bool) *Broken {
	return &Broken{Store: store, n: n, after: after}
}

// Broken is a store that breaks once.
type Broken struct {
	load.Store
	n, calls int
	after    bool
}

// Calls is the number of changing calls so far.
func (b *Broken) Calls() int { return b.calls }

// Put fails if its turn has come.
func (b *Broken) Put(ctx context.Context, key string, content io.Reader, when load.Condition) (load.Version, error) {
	b.calls++
	if b.calls != b.n {
		return b.Store.Put(ctx, key, content, when)
	}
	if b.after {
		if _, err := b.Store.Put(ctx, key, content, when); err != nil {
			return "", err
		}
	}
	return "", ErrBroken
}

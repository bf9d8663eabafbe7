// Package storetest is the promise of [load.Store] as tests: every
// implementation passes the same suite, and every caller can be tried with a
// store that breaks.
//
// In comes a function that opens an empty store; out come failing tests. It
// has no code that the product runs.
package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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
	t.Run("ListsBeyondAPage", func(t *testing.T) { manyKeys(t, open(t)) })
	t.Run("KeepsLargeObjects", func(t *testing.T) { large(t, open(t)) })
	t.Run("Copies", func(t *testing.T) { copies(t, open(t)) })
	t.Run("RefusesKeysThatLeaveIt", func(t *testing.T) {
		s := open(t)
		for _, key := range []string{"../out", "/etc/x", "a/../../b", ""} {
			if _, err := put(t, s, key, "x", load.Condition{}); err == nil {
				t.Errorf("key %q was accepted", key)
			}
			if _, err := s.Copy(ctx, "a", key, load.Condition{}); err == nil {
				t.Errorf("a copy to key %q was accepted", key)
			}
			if _, err := s.Copy(ctx, key, "a", load.Condition{}); err == nil || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a copy of key %q: %v", key, err)
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

// rivals race for one key: to make it, to turn it from the version that each
// has seen, and to make it by a copy.
func rivals(t *testing.T, s load.Store) {
	t.Helper()
	ctx := t.Context()
	if _, err := s.Put(ctx, "source", strings.NewReader("copied"), load.Condition{}); err != nil {
		t.Fatal(err)
	}
	put := func(when load.Condition) func(content string) error {
		return func(content string) error {
			_, err := s.Put(ctx, "pointer", strings.NewReader(content), when)
			return err
		}
	}
	race(t, "absent", put(load.Condition{Absent: true}))
	_, version := read(t, s, "pointer")
	race(t, "match", put(load.Condition{Match: version}))
	race(t, "the same content, absent", func(string) error {
		_, err := s.Put(ctx, "same", strings.NewReader("same"), load.Condition{Absent: true})
		return err
	})
	race(t, "copy", func(string) error {
		_, err := s.Copy(ctx, "source", "target", load.Condition{Absent: true})
		return err
	})
}

// race wants one of 16 to succeed, and a conflict for each of the others.
func race(t *testing.T, name string, try func(content string) error) {
	t.Helper()
	var group sync.WaitGroup
	var won atomic.Int32
	for i := range 16 {
		group.Go(func() {
			err := try(name + " by rival " + string(rune('a'+i)))
			if err == nil {
				won.Add(1)
			} else if !errors.Is(err, load.ErrConflict) {
				t.Errorf("%s: rival: %v", name, err)
			}
		})
	}
	group.Wait()
	if won.Load() != 1 {
		t.Errorf("%s: %d rivals won, want 1", name, won.Load())
	}
}

// manyKeys lists more keys than an answer of any service holds.
func manyKeys(t *testing.T, s load.Store) {
	t.Helper()
	const count = 1005
	var group sync.WaitGroup
	for worker := range 16 {
		group.Go(func() {
			for i := worker; i < count; i += 16 {
				if _, err := s.Put(t.Context(), fmt.Sprintf("many/%d/%04d", i%3, i), strings.NewReader("x"), load.Condition{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	objects, err := s.List(t.Context(), "many/")
	if err != nil || len(objects) != count {
		t.Fatalf("%d of %d keys are listed: %v", len(objects), count, err)
	}
	if !slices.IsSortedFunc(objects, func(a, b load.Object) int { return strings.Compare(a.Key, b.Key) }) {
		t.Error("the list is not in order")
	}
	if objects[0].Bytes != 1 || objects[0].ModifiedAt.IsZero() {
		t.Errorf("the list tells nothing about %+v", objects[0])
	}
}

// large puts an object that no store takes in one piece: from a stream of
// unknown length, and from something that can be read again.
func large(t *testing.T, s load.Store) {
	t.Helper()
	content := make([]byte, 12<<20+17)
	for i := range content {
		content[i] = byte(i * i >> 9)
	}
	for name, reader := range map[string]io.Reader{"stream": io.MultiReader(bytes.NewReader(content)), "file": bytes.NewReader(content)} {
		version, err := s.Put(t.Context(), name, reader, load.Condition{Absent: true})
		if err != nil {
			t.Fatal(err)
		}
		if got, have := read(t, s, name); got != string(content) || have != version {
			t.Errorf("%s: %d bytes came back, of version %s, want %d of %s", name, len(got), have, len(content), version)
		}
		if _, err := s.Put(t.Context(), name, bytes.NewReader(content[1:]), load.Condition{Absent: true}); !errors.Is(err, load.ErrConflict) {
			t.Errorf("%s: absent, but it is there: %v", name, err)
		}
		if _, err := s.Put(t.Context(), name, bytes.NewReader(content[1:]), load.Condition{Match: version + "0"}); !errors.Is(err, load.ErrConflict) {
			t.Errorf("%s: match of another version: %v", name, err)
		}
		if _, err := s.Put(t.Context(), name, bytes.NewReader(content[1:]), load.Condition{Match: version}); err != nil {
			t.Errorf("%s: match: %v", name, err)
		}
		if _, err := s.Copy(t.Context(), name, name+" again", load.Condition{Absent: true}); err != nil {
			t.Fatal(err)
		}
		if got, _ := read(t, s, name+" again"); got != string(content[1:]) {
			t.Errorf("%s: the copy has %d bytes, want %d", name, len(got), len(content)-1)
		}
	}
	if _, err := s.Put(t.Context(), "broken", io.MultiReader(bytes.NewReader(content), failing{}), load.Condition{}); err == nil {
		t.Error("a broken upload succeeded")
	}
	if objects, err := s.List(t.Context(), ""); err != nil || len(objects) != 4 {
		t.Errorf("%d objects, want 4: %v", len(objects), err)
	}
}

// copies tries Copy.
func copies(t *testing.T, s load.Store) {
	t.Helper()
	ctx := t.Context()
	put := func(key, content string) {
		t.Helper()
		if _, err := s.Put(ctx, key, strings.NewReader(content), load.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	put("from/ä +%.txt", "one")
	put("from/empty", "")
	for from, want := range map[string]string{"from/ä +%.txt": "one", "from/empty": ""} {
		version, err := s.Copy(ctx, from, "to/"+from, load.Condition{Absent: true})
		if err != nil {
			t.Fatalf("copy %s: %v", from, err)
		}
		if content, got := read(t, s, "to/"+from); content != want || got != version {
			t.Errorf("the copy is %q of %s, want %q of %s", content, got, want, version)
		}
	}
	put("from/ä +%.txt", "two")
	if content, _ := read(t, s, "to/from/ä +%.txt"); content != "one" {
		t.Errorf("a put to the source changed the copy to %q", content)
	}
	if _, err := s.Copy(ctx, "from/ä +%.txt", "to/from/ä +%.txt", load.Condition{Absent: true}); !errors.Is(err, load.ErrConflict) {
		t.Errorf("absent, but it is there: %v", err)
	}
	if _, err := s.Copy(ctx, "from/ä +%.txt", "to/from/ä +%.txt", load.Condition{}); err != nil {
		t.Error(err)
	}
	if content, _ := read(t, s, "to/from/ä +%.txt"); content != "two" {
		t.Errorf("a copy over another object gave %q", content)
	}
	put("to/from/ä +%.txt", "three")
	if content, _ := read(t, s, "from/ä +%.txt"); content != "two" {
		t.Errorf("a put to the copy changed the source to %q", content)
	}
	if _, err := s.Copy(ctx, "from/nothing", "to/nothing", load.Condition{Absent: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("copy of nothing: %v", err)
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

package extract_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tamiz/extract"
	"tamiz/pipeline"
)

// put writes a file and gives its path.
func put(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestArchive_KeepsBytesByDigest(t *testing.T) {
	dir := t.TempDir()
	archive := extract.NewArchive(filepath.Join(dir, "public"), filepath.Join(dir, "private"), nil)
	path := put(t, filepath.Join(dir, "in.csv"), "a,b\n1,2\n")
	want, wantSize, err := pipeline.HashFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, private := range []bool{false, true} {
		digest, size, err := archive.Add(t.Context(), path, private, 100)
		if err != nil || digest != want || size != wantSize {
			t.Fatalf("got %s, %d, %v, want %s, %d", digest, size, err, want, wantSize)
		}
		folder := map[bool]string{false: "public", true: "private"}[private]
		kept := filepath.Join(dir, folder, "sha256", string(want[:2]), string(want))
		info, err := os.Stat(kept)
		if err != nil || info.Mode().Perm() != 0o444 {
			t.Errorf("%s: got %v, %v, want a read-only file", folder, info, err)
		}
	}
	if found, err := archive.Path(want); err != nil || !strings.Contains(found, "public") {
		t.Errorf("path: got %s, %v", found, err)
	}
	if err := archive.Verify(t.Context(), want); err != nil {
		t.Errorf("verify sound bytes: %v", err)
	}
}

func TestArchive_CopiesOnce(t *testing.T) {
	dir := t.TempDir()
	archive := extract.NewArchive(filepath.Join(dir, "public"), filepath.Join(dir, "private"), nil)
	path := put(t, filepath.Join(dir, "in.csv"), "a\n")
	digest, _, err := archive.Add(t.Context(), path, false, 0)
	if err != nil {
		t.Fatal(err)
	}
	kept, _ := archive.Path(digest)
	before, _ := os.Stat(kept)
	if _, _, err := archive.Add(t.Context(), path, false, 0); err != nil {
		t.Fatal(err)
	}
	after, _ := os.Stat(kept)
	if !os.SameFile(before, after) {
		t.Error("the same bytes were copied again")
	}
	entries, err := os.ReadDir(filepath.Dir(kept))
	if err != nil || len(entries) != 1 {
		t.Errorf("got %v, %v, want one file and no leftovers", entries, err)
	}
}

func TestArchive_FindsDamageAndTakesTheBytesAgain(t *testing.T) {
	dir := t.TempDir()
	archive := extract.NewArchive(filepath.Join(dir, "public"), filepath.Join(dir, "private"), nil)
	path := put(t, filepath.Join(dir, "in.csv"), "a,b\n1,2\n")
	digest, _, err := archive.Add(t.Context(), path, false, 0)
	if err != nil {
		t.Fatal(err)
	}
	kept, _ := archive.Path(digest)
	if err := os.Chmod(kept, 0o644); err != nil {
		t.Fatal(err)
	}
	put(t, kept, "a,b\n1,3\n")
	err = archive.Verify(t.Context(), digest)
	if pipeline.KindOf(err) != pipeline.Storage || !strings.Contains(err.Error(), "damaged") {
		t.Fatalf("verify damaged bytes: got %v", err)
	}
	if _, err := archive.Path(digest); pipeline.KindOf(err) != pipeline.Storage || !strings.Contains(err.Error(), "not in the archive") {
		t.Errorf("path of damaged bytes: got %v", err)
	}
	if _, _, err := archive.Add(t.Context(), path, false, 0); err != nil {
		t.Fatal(err)
	}
	if err := archive.Verify(t.Context(), digest); err != nil {
		t.Errorf("after adding again: %v", err)
	}
}

func TestArchive_RefusesWhatItMustNotKeep(t *testing.T) {
	dir := t.TempDir()
	archive := extract.NewArchive(filepath.Join(dir, "public"), filepath.Join(dir, "private"), nil)
	large := put(t, filepath.Join(dir, "large.csv"), strings.Repeat("x", 1001))
	if _, _, err := archive.Add(t.Context(), large, false, 1000); err == nil || !strings.Contains(err.Error(), "larger than its card allows") {
		t.Errorf("a large file: got %v", err)
	}
	if _, _, err := archive.Add(t.Context(), dir, false, 0); err == nil {
		t.Error("a folder was added")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := archive.Add(ctx, large, false, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "public")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was written: %v", err)
	}
	for _, digest := range []pipeline.Digest{"", "abc", pipeline.Digest(strings.Repeat("A", 64)), pipeline.Digest("../" + strings.Repeat("a", 61))} {
		if _, err := archive.Path(digest); err == nil {
			t.Errorf("digest %q was accepted", digest)
		}
	}
}

// meddler is a context that changes a file at some of the times it is asked,
// which is before each piece that is read.
type meddler struct {
	context.Context
	path  string
	when  func(asked int) bool
	asked int
}

func (m *meddler) Err() error {
	if m.asked++; m.when(m.asked) {
		return os.WriteFile(m.path, []byte(strings.Repeat("x", m.asked)), 0o644)
	}
	return nil
}

func TestArchive_TriesOnceMoreWhereAFileChanges(t *testing.T) {
	dir := t.TempDir()
	archive := extract.NewArchive(filepath.Join(dir, "public"), filepath.Join(dir, "private"), nil)
	path := put(t, filepath.Join(dir, "in.csv"), "as it was")
	once := &meddler{Context: t.Context(), path: path, when: func(asked int) bool { return asked == 3 }}
	digest, size, err := archive.Add(once, path, false, 0)
	if err != nil || size != 3 {
		t.Fatalf("changed once: got %d bytes, %v", size, err)
	}
	if err := archive.Verify(t.Context(), digest); err != nil {
		t.Error(err)
	}
	always := &meddler{Context: t.Context(), path: path, when: func(asked int) bool { return asked%2 == 1 }}
	if _, _, err := archive.Add(always, path, false, 0); err == nil || !strings.Contains(err.Error(), "changed while it was read") {
		t.Errorf("always changing: got %v", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "public", "sha256", "*", ".adding-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// safe is a vault in memory; full is what it answers when it takes nothing.
type safe struct {
	kept map[pipeline.Digest][]byte
	full error
}

func (s *safe) Keep(_ context.Context, digest pipeline.Digest, path string) error {
	if s.full != nil {
		return s.full
	}
	content, err := os.ReadFile(path)
	s.kept[digest] = content
	return err
}

func (s *safe) Fetch(_ context.Context, digest pipeline.Digest, path string) error {
	content, ok := s.kept[digest]
	if !ok {
		return fs.ErrNotExist
	}
	return os.WriteFile(path, content, 0o644)
}

func TestArchive_WhatIsHereIsInTheVaultAndBack(t *testing.T) {
	dir, vault := t.TempDir(), &safe{kept: map[pipeline.Digest][]byte{}}
	archive := extract.NewArchive(filepath.Join(dir, "public"), filepath.Join(dir, "private"), vault)
	file := filepath.Join(dir, "x.csv")
	if err := os.WriteFile(file, []byte("a,b\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := archive.Add(t.Context(), file, true, 0); err != nil || len(vault.kept) != 0 {
		t.Fatalf("a private file left this machine: %d in the vault, %v", len(vault.kept), err)
	}
	vault.full = errors.New("no")
	public := extract.NewArchive(filepath.Join(dir, "public"), filepath.Join(dir, "other"), vault)
	if _, _, err := public.Add(t.Context(), file, false, 0); err == nil {
		t.Fatal("a file was archived here that the vault did not take")
	}
	vault.full = nil
	digest, _, err := public.Add(t.Context(), file, false, 0)
	if err != nil || len(vault.kept) != 1 {
		t.Fatalf("%d in the vault, %v", len(vault.kept), err)
	}
	path, err := public.Path(digest)
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func() error{
		"damaged": func() error { return errors.Join(os.Chmod(path, 0o644), os.WriteFile(path, []byte("a;b\n"), 0o644)) },
		"gone":    func() error { return os.Remove(path) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if err := public.Verify(t.Context(), digest); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if content, err := os.ReadFile(path); err != nil || string(content) != "a,b\n" {
			t.Errorf("%s: %q, %v", name, content, err)
		}
	}
	vault.kept[digest] = []byte("a;b\n")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := public.Verify(t.Context(), digest); pipeline.KindOf(err) != pipeline.Storage {
		t.Errorf("damaged here and there: %v", err)
	}
}

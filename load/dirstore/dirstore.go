// Package dirstore keeps the promise of [load.Store] in a folder.
//
// In come keys and contents; out go files that appear whole or not at all:
// written aside, synced, then linked or renamed into place. Conditional
// writes are guarded by a lock that other processes on this machine respect.
//
// It never follows a key out of its folder.
package dirstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"tamiz/load"
)

// Store is a folder.
type Store struct{ dir string }

const scratch = ".writing" // holds what is being written

// stale is how old an unfinished write must be to count as given up.
const stale = 24 * time.Hour

// Open makes the folder if need be, and sweeps what writers that were killed
// left behind a day ago or more.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(filepath.Join(dir, scratch), 0o755); err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	entries, err := os.ReadDir(filepath.Join(dir, scratch))
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !strings.HasPrefix(entry.Name(), "put-") || time.Since(info.ModTime()) < stale {
			continue
		}
		if err := os.Remove(filepath.Join(dir, scratch, entry.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("sweep the store: %w", err)
		}
	}
	return &Store{dir: dir}, nil
}

// View opens a folder that is there, to read alone: nothing in it is touched.
func View(dir string) (*Store, error) {
	if info, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("open the store: %s is no folder", dir)
	}
	return &Store{dir: dir}, nil
}

// Path gives the file of a key, for readers on this machine.
func (s *Store) Path(key string) (string, error) {
	if !fs.ValidPath(key) || strings.HasPrefix(key, ".") {
		return "", fmt.Errorf("store key %q is not valid", key)
	}
	return filepath.Join(s.dir, filepath.FromSlash(key)), nil
}

// Get opens an object.
func (s *Store) Get(_ context.Context, key string) (io.ReadCloser, load.Version, error) {
	path, err := s.Path(key)
	if err != nil {
		return nil, "", err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, "", fmt.Errorf("get %s: %w", key, err)
	}
	h := sha256.New()
	_, err = io.Copy(h, file)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, "", errors.Join(fmt.Errorf("get %s: %w", key, err), file.Close())
	}
	return file, load.Version(hex.EncodeToString(h.Sum(nil))), nil
}

func versionOf(path string) (load.Version, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", err
	}
	return load.Version(hex.EncodeToString(h.Sum(nil))), nil
}

// Put writes an object whole or not at all.
func (s *Store) Put(ctx context.Context, key string, content io.Reader, when load.Condition) (load.Version, error) {
	path, err := s.Path(key)
	if err != nil {
		return "", err
	}
	aside, version, err := s.writeAside(ctx, content)
	if err != nil {
		return "", fmt.Errorf("put %s: %w", key, err)
	}
	defer os.Remove(aside)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", fmt.Errorf("put %s: %w", key, err)
	}
	switch {
	case when.Absent: // a link fails if the name is taken
		if err = os.Link(aside, path); errors.Is(err, fs.ErrExist) {
			err = load.ErrConflict
		}
	case when.Match != "":
		err = s.swap(ctx, aside, path, when.Match)
	default:
		err = os.Rename(aside, path)
	}
	if err != nil {
		return "", fmt.Errorf("put %s: %w", key, err)
	}
	return version, syncDir(filepath.Dir(path))
}

// Copy gives the content a second name where that is enough and the file system
// can, since no Put writes into a file that is there; else it copies the bytes.
func (s *Store) Copy(ctx context.Context, from, to string, when load.Condition) (load.Version, error) {
	if when.Match != "" {
		return "", fmt.Errorf("copy %s: only Absent can be asked of a copy", to)
	}
	source, err := s.Path(from)
	if err != nil {
		return "", err
	}
	path, err := s.Path(to)
	if err != nil {
		return "", err
	}
	version, err := versionOf(source)
	if err != nil {
		return "", fmt.Errorf("copy %s: %w", from, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", fmt.Errorf("copy %s to %s: %w", from, to, err)
	}
	if when.Absent {
		switch err := os.Link(source, path); {
		case err == nil:
			return version, syncDir(filepath.Dir(path))
		case errors.Is(err, fs.ErrExist):
			return "", fmt.Errorf("copy %s to %s: %w", from, to, load.ErrConflict)
		}
	}
	content, err := os.Open(source)
	if err != nil {
		return "", fmt.Errorf("copy %s: %w", from, err)
	}
	defer content.Close()
	return s.Put(ctx, to, content, when)
}

func (s *Store) writeAside(ctx context.Context, content io.Reader) (string, load.Version, error) {
	file, err := os.CreateTemp(filepath.Join(s.dir, scratch), "put-")
	if err != nil {
		return "", "", err
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(file, h), content)
	err = errors.Join(err, ctx.Err(), file.Chmod(0o644), file.Sync(), file.Close())
	if err != nil {
		os.Remove(file.Name())
		return "", "", err
	}
	return file.Name(), load.Version(hex.EncodeToString(h.Sum(nil))), nil
}

// swap renames aside to path if path still holds the version.
func (s *Store) swap(ctx context.Context, aside, path string, want load.Version) error {
	lock := flock.New(filepath.Join(s.dir, scratch, "lock"))
	if _, err := lock.TryLockContext(ctx, 5*time.Millisecond); err != nil {
		return err
	}
	defer lock.Unlock()
	have, err := versionOf(path)
	if err != nil || have != want {
		return load.ErrConflict
	}
	return os.Rename(aside, path)
}

func syncDir(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync the store: %w", err)
	}
	defer folder.Close()
	if err := folder.Sync(); err != nil {
		return fmt.Errorf("sync the store: %w", err)
	}
	return nil
}

// List gives the objects below prefix, by key.
func (s *Store) List(ctx context.Context, prefix string) ([]load.Object, error) {
	var objects []load.Object
	start := filepath.Join(s.dir, filepath.FromSlash(prefix[:strings.LastIndex(prefix, "/")+1]))
	err := filepath.WalkDir(start, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if entry.IsDir() {
			if entry.Name() == scratch {
				return filepath.SkipDir
			}
			return nil
		}
		relative, err := filepath.Rel(s.dir, path)
		if err != nil {
			return err
		}
		key := filepath.ToSlash(relative)
		info, err := entry.Info()
		if err != nil || !strings.HasPrefix(key, prefix) {
			return err
		}
		objects = append(objects, load.Object{Key: key, Bytes: info.Size(), ModifiedAt: info.ModTime()})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", prefix, err)
	}
	sort.Slice(objects, func(i, j int) bool { return objects[i].Key < objects[j].Key })
	return objects, nil
}

// Remove removes an object.
func (s *Store) Remove(_ context.Context, key string) error {
	path, err := s.Path(key)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", key, err)
	}
	return nil
}

var _ load.Store = (*Store)(nil)

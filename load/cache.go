package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"tamiz/pipeline"
)

// Local is a store whose objects can be had as files of this machine.
type Local interface {
	Store
	// File gives the file of an object. Where a digest is given, its bytes
	// have it.
	File(ctx context.Context, key string, digest pipeline.Digest) (string, error)
}

// NewLocal gives files of a store: a folder's own or, of any other store,
// copies in a cache. What never changes once it is written (snapshots, raw
// bytes, logs, decisions, runs) is asked of such a store once.
func NewLocal(store Store, cacheDir string) Local {
	if folder, ok := store.(folder); ok {
		return inPlace{folder}
	}
	return &cache{Store: store, dir: cacheDir}
}

// folder is a store that lies on this machine.
type folder interface {
	Store
	Path(key string) (string, error)
}

type inPlace struct{ folder }

// File is the object itself.
func (s inPlace) File(_ context.Context, key string, _ pipeline.Digest) (string, error) {
	return s.Path(key)
}

type cache struct {
	Store
	dir string
}

// immutable are the parts of a pipeline's prefix whose objects never change.
var immutable = []string{"archive", "ledger", "logs", "runs", "snapshots"}

func isImmutable(key string) bool {
	_, rest, _ := strings.Cut(key, "/")
	part, _, _ := strings.Cut(rest, "/")
	for _, one := range immutable {
		if part == one {
			return true
		}
	}
	return false
}

// Get opens the copy of an object that never changes; any other is asked for.
func (c *cache) Get(ctx context.Context, key string) (io.ReadCloser, Version, error) {
	if !isImmutable(key) {
		return c.Store.Get(ctx, key)
	}
	path, err := c.File(ctx, key, "")
	if err != nil {
		return nil, "", err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, "", fmt.Errorf("get %s from the cache: %w", key, err)
	}
	return file, "", nil
}

// File gives the copy of an object, and makes it if need be.
func (c *cache) File(ctx context.Context, key string, digest pipeline.Digest) (string, error) {
	path := filepath.Join(c.dir, filepath.FromSlash(key))
	if !fs.ValidPath(key) || !isImmutable(key) {
		return "", fmt.Errorf("key %q cannot be cached", key)
	}
	if _, err := os.Stat(path); err == nil {
		if digest == "" {
			return path, nil
		}
		if got, _, err := pipeline.HashFile(path); err == nil && got == digest {
			return path, nil
		}
	}
	if err := c.fetch(ctx, key, path); err != nil {
		return "", err
	}
	if got, _, err := pipeline.HashFile(path); err != nil || digest != "" && got != digest {
		return "", errors.Join(err, &pipeline.Error{Kind: pipeline.Storage, Subject: key, Problem: "an object of the store is not what its manifest says",
			Expected: "sha256 " + string(digest), Found: "sha256 " + string(got), Hint: "tamiz store check lists all that is damaged; restore it from a copy of the store"})
	}
	return path, nil
}

func (c *cache) fetch(ctx context.Context, key, path string) error {
	reader, _, err := c.Store.Get(ctx, key)
	if err != nil {
		return err
	}
	defer reader.Close()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return &pipeline.Error{Kind: pipeline.Storage, Problem: "make a folder of the cache", Err: err}
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".fetching-")
	if err != nil {
		return &pipeline.Error{Kind: pipeline.Storage, Problem: "write to the cache", Err: err}
	}
	defer os.Remove(file.Name())
	_, err = io.Copy(file, reader)
	if err = errors.Join(err, ctx.Err(), file.Close()); err != nil {
		return fmt.Errorf("fetch %s: %w", key, err)
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return &pipeline.Error{Kind: pipeline.Storage, Problem: "write to the cache", Err: err}
	}
	return nil
}

// Remove forgets the copy as well.
func (c *cache) Remove(ctx context.Context, key string) error {
	if isImmutable(key) {
		if err := os.Remove(filepath.Join(c.dir, filepath.FromSlash(key))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove %s from the cache: %w", key, err)
		}
	}
	return c.Store.Remove(ctx, key)
}

// ReadJSON reads a small object into target; fs.ErrNotExist if there is none.
func ReadJSON(ctx context.Context, store Store, key string, target any) error {
	text, _, err := read(ctx, store, key)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, target); err != nil {
		return fmt.Errorf("read %s: %w", key, err)
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"tamiz/config"
	"tamiz/extract"
	"tamiz/load"
	"tamiz/load/dirstore"
	"tamiz/load/s3store"
	"tamiz/pipeline"
)

// openStore opens a project's store, with a cache in its warehouse if the
// store is not on this machine.
func openStore(ctx context.Context, project *config.Project) (load.Local, error) {
	store, err := openRemote(ctx, project)
	if err != nil {
		return nil, err
	}
	return load.NewLocal(store, filepath.Join(project.Warehouse, "cache")), nil
}

// openRemote opens the store itself.
func openRemote(ctx context.Context, project *config.Project) (load.Store, error) {
	if project.OnS3() {
		bucket, prefix := project.Bucket()
		return s3store.Open(ctx, s3store.Options{Bucket: bucket, Prefix: prefix, Endpoint: project.S3.Endpoint, Region: project.S3.Region, PathStyle: project.S3.PathStyle})
	}
	store, err := dirstore.Open(project.Store)
	if err != nil {
		return nil, &pipeline.Error{Kind: pipeline.Storage, Subject: project.Store, Err: err}
	}
	return store, nil
}

// storeName is the store in words: a folder as seen from here, or an address.
func storeName(project *config.Project, parts ...string) string {
	if project.OnS3() {
		return project.Store + "/" + path.Join(parts...)
	}
	return filepath.Join(append([]string{relative(project.Store)}, parts...)...)
}

// vault keeps public raw bytes in the store.
type vault struct {
	store  load.Store
	prefix string // of the pipeline's archive
}

// newArchive opens a pipeline's archive of raw bytes.
func newArchive(project *config.Project, store load.Store, name string) *extract.Archive {
	private := filepath.Join(project.Warehouse, name, "private")
	if !project.OnS3() {
		return extract.NewArchive(project.ArchiveDir(name), private, nil)
	}
	return extract.NewArchive(project.ArchiveDir(name), private, &vault{store: store, prefix: path.Join(name, "archive", "sha256")})
}

func (v *vault) key(digest pipeline.Digest) string {
	return path.Join(v.prefix, string(digest[:2]), string(digest))
}

// Keep puts a file where there is none.
func (v *vault) Keep(ctx context.Context, digest pipeline.Digest, file string) error {
	content, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("open what is to be archived: %w", err)
	}
	defer content.Close()
	if _, err := v.store.Put(ctx, v.key(digest), content, load.Condition{Absent: true}); err != nil && !errors.Is(err, load.ErrConflict) {
		return &pipeline.Error{Kind: pipeline.Storage, Subject: "the archive of raw bytes", Problem: "the store did not take a file", Where: v.key(digest), Err: err}
	}
	return nil
}

// Fetch writes archived bytes into a new file.
func (v *vault) Fetch(ctx context.Context, digest pipeline.Digest, file string) error {
	content, _, err := v.store.Get(ctx, v.key(digest))
	if err != nil {
		return err
	}
	defer content.Close()
	target, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fs.FileMode(0o444))
	if err != nil {
		return &pipeline.Error{Kind: pipeline.Storage, Problem: "write raw bytes", Err: err}
	}
	_, err = io.Copy(target, content)
	if err = errors.Join(err, target.Sync(), target.Close()); err != nil {
		return &pipeline.Error{Kind: pipeline.Storage, Problem: "fetch raw bytes from the store", Where: v.key(digest), Err: err}
	}
	return nil
}

package load

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	"tamiz/pipeline"
)

// errTaken says that another content lies under a name that we need.
var errTaken = errors.New("another snapshot was begun under this id")

// atOnce is how many files go to the store beside each other.
const atOnce = 8

// writeFiles puts the marts, the notes, the signature, and SHA256SUMS over all
// of them and the manifest to come. It never overwrites: what is there must be
// the same, and nothing else may be there. A file that the parent has too is
// copied from there, on the server.
func writeFiles(ctx context.Context, store Store, publication Publication, manifest Manifest, parent *Snapshot, text []byte) error {
	sums := map[string]pipeline.Digest{manifestFile: digestOf(text), sumsFile: ""}
	key := func(file string) string { return TableKey(manifest.Pipeline, manifest.Snapshot, file) }
	var jobs []func() error
	for _, file := range manifest.Contents() {
		sums[file.File] = file.Digest
		jobs = append(jobs, func() error {
			if from := sameFile(parent, file); from != "" {
				if err := copyOnce(ctx, store, from, key(file.File), file.Digest); !errors.Is(err, errNoCopy) {
					return err
				}
			}
			if note, ok := publication.Notes[file.File]; ok {
				return putOnce(ctx, store, key(file.File), bytes.NewReader(note), file.Digest)
			}
			return putFile(ctx, store, key(file.File), publication.Files[file.File], file.Digest)
		})
	}
	if publication.Sign != nil {
		signature := publication.Sign.sign(text, manifest.Pipeline, manifest.Snapshot)
		sums[signatureFile] = digestOf(signature)
		jobs = append(jobs, func() error {
			return putOnce(ctx, store, key(signatureFile), bytes.NewReader(signature), sums[signatureFile])
		})
	}
	begun, err := store.List(ctx, key("")+"/")
	if err != nil {
		return err
	}
	for _, object := range begun {
		if _, ours := sums[strings.TrimPrefix(object.Key, key("")+"/")]; !ours {
			return errTaken
		}
	}
	if err := together(jobs); err != nil {
		return err
	}
	delete(sums, sumsFile)
	list := sumsText(sums)
	return putOnce(ctx, store, key(sumsFile), strings.NewReader(list), digestOf([]byte(list)))
}

// sumsText is what SHA256SUMS holds, in the form of sha256sum.
func sumsText(sums map[string]pipeline.Digest) string {
	var b strings.Builder
	for _, file := range slices.Sorted(maps.Keys(sums)) {
		fmt.Fprintf(&b, "%s  %s\n", sums[file], file)
	}
	return b.String()
}

const sumsFile = "SHA256SUMS"

// together does the jobs, a few at a time, and gives the error of the first in
// their order that failed. After a failure it begins no further ones.
func together(jobs []func() error) error {
	errs := make([]error, len(jobs))
	turns := make(chan struct{}, atOnce)
	var group sync.WaitGroup
	var mutex sync.Mutex
	failed := false
	for i, job := range jobs {
		turns <- struct{}{}
		mutex.Lock()
		stop := failed
		mutex.Unlock()
		if stop {
			break
		}
		group.Go(func() {
			if errs[i] = job(); errs[i] != nil {
				mutex.Lock()
				failed = true
				mutex.Unlock()
			}
			<-turns
		})
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// sameFile finds the parent's file with the same content.
func sameFile(parent *Snapshot, file ManifestFile) string {
	if parent == nil {
		return ""
	}
	for _, other := range parent.Contents() {
		if other.Digest == file.Digest {
			return TableKey(parent.Pipeline, parent.Snapshot, other.File)
		}
	}
	return ""
}

// errNoCopy says that a file must be sent, since it could not be copied.
var errNoCopy = errors.New("there is no sound file to copy")

// copyOnce copies on the server and reads the copy back: what is published is
// never worse than the parent's file ought to be. A copy that is not what it
// should be is removed again; no manifest names it yet.
func copyOnce(ctx context.Context, store Store, from, to string, digest pipeline.Digest) error {
	_, err := store.Copy(ctx, from, to, Condition{Absent: true})
	if errors.Is(err, fs.ErrNotExist) {
		return errNoCopy
	}
	isOurs := err == nil
	if err != nil && !errors.Is(err, ErrConflict) {
		return err
	}
	err = compare(ctx, store, to, digest)
	if errors.Is(err, errTaken) && isOurs {
		if err := store.Remove(ctx, to); err != nil {
			return err
		}
		return errNoCopy
	}
	return err
}

func putFile(ctx context.Context, store Store, key, file string, digest pipeline.Digest) error {
	content, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("open what is to be published: %w", err)
	}
	defer content.Close()
	return putOnce(ctx, store, key, content, digest)
}

// putOnce puts an object where there is none, or finds the same there.
func putOnce(ctx context.Context, store Store, key string, content io.Reader, digest pipeline.Digest) error {
	_, err := store.Put(ctx, key, content, Condition{Absent: true})
	if !errors.Is(err, ErrConflict) {
		return err
	}
	return compare(ctx, store, key, digest)
}

// compare gives errTaken if an object is not what its digest says.
func compare(ctx context.Context, store Store, key string, digest pipeline.Digest) error {
	found, err := digestIn(ctx, store, key)
	if err == nil && found != digest || errors.Is(err, ErrDamaged) {
		return errTaken
	}
	return err
}

// digestIn reads an object whole.
func digestIn(ctx context.Context, store Store, key string) (pipeline.Digest, error) {
	there, _, err := store.Get(ctx, key)
	if err != nil {
		return "", err
	}
	defer there.Close()
	h := sha256.New()
	if _, err := io.Copy(h, there); err != nil {
		return "", fmt.Errorf("read %s: %w", key, err)
	}
	return pipeline.Digest(hex.EncodeToString(h.Sum(nil))), nil
}

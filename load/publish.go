package load

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"sort"
	"strings"
	"time"

	"tamiz/pipeline"
)

// Publication is a snapshot that may be published: all checks have passed.
// Its id, revision and parent are still to be given.
type Publication struct {
	Manifest Manifest
	Files    map[string]string // file below the snapshot → where it lies now
	Notes    map[string][]byte // further small files of the snapshot
	Barred   []string          // snapshots that a person has withdrawn
}

// Publish writes a snapshot and turns latest.json to it. It gives the
// snapshot that is the latest afterwards, and whether that is a new one: if
// the latest already holds the same rows, of sources that stand the same,
// nothing is written. A publication
// that was interrupted before the pointer turned is finished, not repeated.
func Publish(ctx context.Context, store Store, publication Publication, now time.Time) (*Snapshot, bool, error) {
	const tries = 5 // against rivals
	var err error
	for range tries {
		var latest, snapshot *Snapshot
		name := publication.Manifest.Pipeline
		if latest, err = ReadLatest(ctx, store, name); err != nil {
			return nil, false, err
		}
		if latest != nil && sameContent(&latest.Manifest, &publication.Manifest) {
			return latest, false, nil
		}
		if snapshot, err = write(ctx, store, publication, latest); err == nil {
			if err = turn(ctx, store, name, snapshot, latest, now); err == nil {
				return snapshot, true, nil
			}
		}
		if !errors.Is(err, ErrConflict) {
			return nil, false, err
		}
	}
	return nil, false, fmt.Errorf("publish: rivals were faster %d times: %w", tries, err)
}

// write puts the files, then the manifest on condition that nobody has taken
// the id; or finds what an interrupted publication of the same wrote.
func write(ctx context.Context, store Store, publication Publication, latest *Snapshot) (*Snapshot, error) {
	manifest := publication.Manifest
	manifest.Format = ManifestFormat
	if latest != nil {
		manifest.Parent = &Parent{Snapshot: latest.Snapshot, Manifest: latest.Digest}
	}
	existing, err := List(ctx, store, manifest.Pipeline)
	if err != nil {
		return nil, err
	}
	for _, snapshot := range existing {
		if snapshot.PeriodEnd != manifest.PeriodEnd {
			continue
		}
		manifest.Revision = max(manifest.Revision, revisionOf(snapshot.Snapshot, manifest.PeriodEnd))
		if sameParent(snapshot.Parent, manifest.Parent) && sameContent(&snapshot.Manifest, &manifest) {
			return snapshot, nil
		}
	}
	for range 100 {
		manifest.Revision++
		manifest.Snapshot = fmt.Sprintf("%s.%d", manifest.PeriodEnd, manifest.Revision)
		text, err := encode(manifest)
		if err != nil {
			return nil, err
		}
		if err := writeFiles(ctx, store, publication, manifest, text); errors.Is(err, errTaken) {
			continue // a rival, or a run that broke off, has begun another snapshot here
		} else if err != nil {
			return nil, err
		}
		if _, err := store.Put(ctx, manifestKey(manifest.Pipeline, manifest.Snapshot), bytes.NewReader(text), Condition{Absent: true}); err != nil {
			return nil, err
		}
		return &Snapshot{Manifest: manifest, Digest: digestOf(text)}, nil
	}
	return nil, fmt.Errorf("publish: no revision of %s is free", manifest.PeriodEnd)
}

func sameParent(a, b *Parent) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// errTaken says that another content lies under a name that we need.
var errTaken = errors.New("another snapshot was begun under this id")

// writeFiles puts the marts, the notes, and SHA256SUMS over all of them and
// the manifest to come. It never overwrites: what is there must be the same.
func writeFiles(ctx context.Context, store Store, publication Publication, manifest Manifest, text []byte) error {
	sums := map[string]pipeline.Digest{"manifest.json": digestOf(text)}
	key := func(file string) string { return TableKey(manifest.Pipeline, manifest.Snapshot, file) }
	for _, table := range manifest.Tables {
		sums[table.File] = table.Digest
		if err := putFile(ctx, store, key(table.File), publication.Files[table.File], table.Digest); err != nil {
			return err
		}
	}
	for name, content := range publication.Notes {
		sums[name] = digestOf(content)
		if err := putOnce(ctx, store, key(name), bytes.NewReader(content), sums[name]); err != nil {
			return err
		}
	}
	var lines []string
	for file, digest := range sums {
		lines = append(lines, fmt.Sprintf("%s  %s\n", digest, file))
	}
	sort.Slice(lines, func(i, j int) bool { return lines[i][64:] < lines[j][64:] })
	list := strings.Join(lines, "")
	return putOnce(ctx, store, key("SHA256SUMS"), strings.NewReader(list), digestOf([]byte(list)))
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
	there, _, err := store.Get(ctx, key)
	if err != nil {
		return err
	}
	defer there.Close()
	h := sha256.New()
	if _, err := io.Copy(h, there); err != nil {
		return fmt.Errorf("compare %s: %w", key, err)
	}
	if hex.EncodeToString(h.Sum(nil)) != string(digest) {
		return errTaken
	}
	return nil
}

// turn points latest.json to a snapshot, if it still points to its parent.
func turn(ctx context.Context, store Store, name string, snapshot, latest *Snapshot, now time.Time) error {
	text, err := encode(Latest{Snapshot: snapshot.Snapshot, Manifest: snapshot.Digest, PublishedAt: now.UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	when := Condition{Absent: true}
	if latest != nil {
		when = Condition{Match: latest.version}
	}
	_, err = store.Put(ctx, path.Join(name, "latest.json"), bytes.NewReader(text), when)
	return err
}

// Status is what status.json holds: when the world was last looked at, and
// what came of it.
type Status struct {
	CheckedAt time.Time `json:"checked_at"`
	Verdict   string    `json:"verdict"`
	Reason    string    `json:"reason,omitempty"`
	Latest    string    `json:"latest,omitempty"`
}

// WriteStatus tells readers of the store that somebody looked.
func WriteStatus(ctx context.Context, store Store, name string, status Status) error {
	text, err := encode(status)
	if err != nil {
		return err
	}
	_, err = store.Put(ctx, path.Join(name, "status.json"), bytes.NewReader(text), Condition{})
	return err
}

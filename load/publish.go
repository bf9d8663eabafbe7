package load

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"time"
)

// Publication is a snapshot that may be published: all checks have passed.
// Its id, revision and parent are still to be given.
type Publication struct {
	Manifest Manifest
	Files    map[string]string // file below the snapshot → where it lies now
	Notes    map[string][]byte // further small files of the snapshot
	Describe Describe          // nil: it has no others
	Barred   []string          // snapshots that were withdrawn: they are nothing to compare with or to go on with
	Sign     *Key              // signs the manifest; nil: nobody does
	Trust    []Trusted         // what readers will ask of the signature
}

// Describe gives further small files of a snapshot, which name it: of a
// manifest that has its id, and lists no notes yet.
type Describe func(manifest *Manifest) (map[string][]byte, error)

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
		if latest != nil && publication.sameAs(latest) {
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

// sameAs reports whether a snapshot tells readers what this one would.
func (p *Publication) sameAs(snapshot *Snapshot) bool {
	return !slices.Contains(p.Barred, snapshot.Snapshot) && sameContent(&snapshot.Manifest, &p.Manifest)
}

// describe adds the notes that name the snapshot, and lists all in its
// manifest.
func (p Publication) describe(manifest *Manifest) (Publication, error) {
	notes := maps.Clone(p.Notes)
	manifest.Files = nil
	if p.Describe != nil {
		more, err := p.Describe(manifest)
		if err != nil {
			return p, err
		}
		if notes == nil {
			notes = map[string][]byte{}
		}
		maps.Copy(notes, more)
	}
	p.Notes = notes
	manifest.Files = p.notes()
	return p, nil
}

// notes lists the further files, by name.
func (p *Publication) notes() []ManifestFile {
	var files []ManifestFile
	for _, name := range slices.Sorted(maps.Keys(p.Notes)) {
		files = append(files, ManifestFile{File: name, Digest: digestOf(p.Notes[name]), Bytes: int64(len(p.Notes[name]))})
	}
	return files
}

// write puts the files, then the manifest on condition that nobody has taken
// the id; or finds what an interrupted publication of the same wrote.
func write(ctx context.Context, store Store, publication Publication, latest *Snapshot) (*Snapshot, error) {
	manifest := publication.Manifest
	manifest.Format = ManifestFormat
	if latest != nil {
		manifest.Parent = &Parent{Snapshot: latest.Snapshot, Manifest: latest.Digest}
	}
	existing, err := list(ctx, store, manifest.Pipeline, manifest.PeriodEnd)
	if err != nil {
		return nil, err
	}
	gone, err := removed(ctx, store, manifest.Pipeline)
	if err != nil {
		return nil, err
	}
	for _, id := range append(gone, publication.Barred...) {
		manifest.Revision = max(manifest.Revision, revisionOf(id, manifest.PeriodEnd)) // an id is never given again
	}
	for _, snapshot := range existing {
		if snapshot.PeriodEnd != manifest.PeriodEnd {
			continue
		}
		manifest.Revision = max(manifest.Revision, revisionOf(snapshot.Snapshot, manifest.PeriodEnd))
		if !sameParent(snapshot.Parent, manifest.Parent) || !publication.sameAs(snapshot) {
			continue
		}
		if isSigned, err := publication.hasSigned(ctx, store, snapshot.Snapshot); err != nil || isSigned {
			return snapshot, err
		}
	}
	for range 100 {
		manifest.Revision++
		manifest.Snapshot = fmt.Sprintf("%s.%d", manifest.PeriodEnd, manifest.Revision)
		position := manifest.Snapshot
		if latest != nil && comparePlace(position, latest.Snapshot) < 0 {
			position = latest.Snapshot
		}
		if err := mayPublish(publication.Sign, publication.Trust, position); err != nil {
			return nil, err
		}
		whole, err := publication.describe(&manifest)
		if err != nil {
			return nil, err
		}
		text, err := encode(manifest)
		if err != nil {
			return nil, err
		}
		if err := writeFiles(ctx, store, whole, manifest, latest, text); errors.Is(err, errTaken) {
			continue // a rival, or a run that broke off, has begun another snapshot here
		} else if err != nil {
			return nil, err
		}
		if err := putOnce(ctx, store, manifestKey(manifest.Pipeline, manifest.Snapshot), bytes.NewReader(text), digestOf(text)); errors.Is(err, errTaken) {
			return nil, ErrConflict
		} else if err != nil {
			return nil, err
		}
		return &Snapshot{Manifest: manifest, Digest: digestOf(text)}, nil
	}
	return nil, fmt.Errorf("publish: no revision of %s is free", manifest.PeriodEnd)
}

// hasSigned reports whether a snapshot bears the signature that it would get
// now: one that a broken-off publication left without it is not gone on with.
func (p *Publication) hasSigned(ctx context.Context, store Store, id string) (bool, error) {
	if p.Sign == nil {
		return true, nil
	}
	name := p.Manifest.Pipeline
	text, _, err := read(ctx, store, manifestKey(name, id))
	if err != nil {
		return false, err
	}
	there, _, err := read(ctx, store, TableKey(name, id, signatureFile))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrDamaged) {
		return false, nil
	}
	return bytes.Equal(there, p.Sign.sign(text, name, id)), err
}

func sameParent(a, b *Parent) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// turn points latest.json to a snapshot, if it still is as it was when latest
// was read through it. A conflict with a write of our own, whose answer was
// lost, is none.
func turn(ctx context.Context, store Store, name string, snapshot, latest *Snapshot, now time.Time) error {
	text, err := Latest{Snapshot: snapshot.Snapshot, Manifest: snapshot.Digest, PublishedAt: now.UTC().Truncate(time.Second), Turn: rand.Text()}.sealed()
	if err != nil {
		return err
	}
	when := Condition{Absent: true}
	if latest != nil {
		when = Condition{Match: latest.version}
	}
	key := path.Join(name, latestFile)
	_, err = store.Put(ctx, key, bytes.NewReader(text), when)
	if errors.Is(err, ErrConflict) {
		if there, _, readErr := read(ctx, store, key); readErr == nil && bytes.Equal(there, text) {
			return nil
		}
	}
	return err
}

const latestFile = "latest.json"

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

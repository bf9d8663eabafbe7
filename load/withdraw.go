package load

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"tamiz/pipeline"
)

// Withdraw turns latest.json back from a snapshot to the last one before it
// that stands: its parent or, where that is among withdrawn, the parent of
// that. It gives the snapshot that is the latest afterwards. A snapshot that
// is not the latest needs no turn (nil, if nothing is the latest). Nothing of the snapshot itself is changed;
// who withdraws it keeps a record, and bars it (see [Publication]).
//
// It refuses, with nothing changed, if there is no such snapshot, if none is
// left to go back to, or if the one to go back to is damaged.
func Withdraw(ctx context.Context, store Store, name, id string, withdrawn []string, now time.Time) (*Snapshot, error) {
	if _, err := ReadSnapshot(ctx, store, name, id); errors.Is(err, fs.ErrNotExist) {
		return nil, &pipeline.Error{Kind: pipeline.Config, Subject: id, Problem: "there is no such snapshot", Hint: "tamiz snapshots lists them"}
	} else if err != nil {
		return nil, err
	}
	withdrawn = append(slices.Clone(withdrawn), id)
	const tries = 5 // against rivals
	for range tries {
		latest, err := ReadLatest(ctx, store, name)
		if err != nil {
			return nil, err
		}
		if latest == nil || latest.Snapshot != id {
			return latest, nil
		}
		target, err := standing(ctx, store, latest, withdrawn)
		if err != nil {
			return nil, err
		}
		if err := turn(ctx, store, name, target, latest, now); err == nil {
			return target, nil
		} else if !errors.Is(err, ErrConflict) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("withdraw %s: rivals were faster %d times: %w", id, tries, ErrConflict)
}

// standing goes from a snapshot to its parents until one is not withdrawn.
func standing(ctx context.Context, store Store, snapshot *Snapshot, withdrawn []string) (*Snapshot, error) {
	from := snapshot.Snapshot
	for slices.Contains(withdrawn, snapshot.Snapshot) {
		parent := snapshot.Parent
		nothing := &pipeline.Error{Kind: pipeline.Config, Subject: from, Problem: "it cannot be withdrawn: no snapshot is left to go back to",
			Effect: "readers still see it", Hint: "publish a better one: mend what is wrong, then tamiz run; or take the store away from its readers"}
		if parent == nil {
			return nil, nothing
		}
		before, err := ReadSnapshot(ctx, store, snapshot.Pipeline, parent.Snapshot)
		if errors.Is(err, fs.ErrNotExist) {
			nothing.Found = "its parent " + parent.Snapshot + " was removed"
			return nil, nothing
		}
		if err != nil {
			return nil, err
		}
		if before.Digest != parent.Manifest {
			return nil, &pipeline.Error{Kind: pipeline.Storage, Subject: before.Snapshot, Problem: "its manifest was changed after it was published",
				Expected: "sha256 " + string(parent.Manifest), Found: "sha256 " + string(before.Digest), Effect: "readers still see " + from, Hint: "restore it from a copy of the store"}
		}
		snapshot = before
	}
	for _, file := range snapshot.Contents() {
		if err := compare(ctx, store, TableKey(snapshot.Pipeline, snapshot.Snapshot, file.File), file.Digest); err != nil {
			return nil, &pipeline.Error{Kind: pipeline.Storage, Subject: snapshot.Snapshot, Problem: file.File + " is missing or damaged", Err: err,
				Effect: "readers still see " + from, Hint: "restore it from a copy of the store, then withdraw again"}
		}
	}
	return snapshot, nil
}

// Withdrawal says that a snapshot was withdrawn.
type Withdrawal struct {
	Snapshot string    `json:"-"`
	At       time.Time `json:"at"`
	Reason   string    `json:"reason"`
}

// Catalog is what catalog.json holds: all snapshots that were published and
// are kept. It is derived from the manifests, and may lag behind them.
type Catalog struct {
	Pipeline  string         `json:"pipeline"`
	Latest    string         `json:"latest"`
	Snapshots []CatalogEntry `json:"snapshots"` // in the order in which they were published
}

// CatalogEntry is one snapshot.
type CatalogEntry struct {
	Snapshot  string          `json:"snapshot"`
	PeriodEnd string          `json:"period_end"`
	Method    string          `json:"method_version"`
	Synthetic bool            `json:"synthetic,omitempty"`
	Manifest  pipeline.Digest `json:"manifest_sha256"`
	Tables    int             `json:"tables"`
	Rows      int64           `json:"rows"`
	Bytes     int64           `json:"bytes"`
	Parent    string          `json:"parent,omitempty"`
	Withdrawn *Withdrawal     `json:"withdrawn,omitempty"`
}

// WriteCatalog writes catalog.json anew. Snapshots whose publication was
// broken off do not stand in it.
func WriteCatalog(ctx context.Context, store Store, name string, withdrawn []Withdrawal) error {
	catalog, err := CatalogOf(ctx, store, name, withdrawn)
	if err != nil {
		return err
	}
	text, err := encode(catalog)
	if err != nil {
		return err
	}
	_, err = store.Put(ctx, path.Join(name, catalogFile), bytes.NewReader(text), Condition{})
	return err
}

// CatalogOf reads from the manifests what catalog.json would hold.
func CatalogOf(ctx context.Context, store Store, name string, withdrawn []Withdrawal) (Catalog, error) {
	latest, err := ReadLatest(ctx, store, name)
	if err != nil {
		return Catalog{}, err
	}
	snapshots, err := List(ctx, store, name)
	if err != nil {
		return Catalog{}, err
	}
	return catalogOf(name, latest, snapshots, withdrawn), nil
}

const catalogFile = "catalog.json"

// catalogOf sorts what was published by the length of the chain of parents.
func catalogOf(name string, latest *Snapshot, snapshots []*Snapshot, withdrawn []Withdrawal) Catalog {
	catalog := Catalog{Pipeline: name, Snapshots: []CatalogEntry{}}
	known := map[string]*Snapshot{}
	for _, snapshot := range snapshots {
		known[snapshot.Snapshot] = snapshot
	}
	position := map[string]int{} // of those that were published
	var place func(id string) int
	place = func(id string) int {
		snapshot := known[id]
		if snapshot == nil {
			return 0 // was removed
		}
		if _, ok := position[id]; !ok {
			position[id] = 1
			if snapshot.Parent != nil {
				position[id] += place(snapshot.Parent.Snapshot)
			}
		}
		return position[id]
	}
	if latest != nil {
		catalog.Latest = latest.Snapshot
		place(latest.Snapshot)
	}
	for _, w := range withdrawn {
		place(w.Snapshot)
	}
	for _, snapshot := range snapshots {
		if position[snapshot.Snapshot] == 0 {
			continue
		}
		entry := CatalogEntry{Snapshot: snapshot.Snapshot, PeriodEnd: snapshot.PeriodEnd, Method: snapshot.Method.Version, Synthetic: snapshot.Synthetic,
			Manifest: snapshot.Digest, Tables: len(snapshot.Tables), Parent: parentOf(snapshot)}
		for _, table := range snapshot.Tables {
			entry.Rows, entry.Bytes = entry.Rows+table.Rows, entry.Bytes+table.Bytes
		}
		if i := slices.IndexFunc(withdrawn, func(w Withdrawal) bool { return w.Snapshot == snapshot.Snapshot }); i >= 0 {
			entry.Withdrawn = &withdrawn[i]
		}
		catalog.Snapshots = append(catalog.Snapshots, entry)
	}
	slices.SortStableFunc(catalog.Snapshots, func(a, b CatalogEntry) int { return cmp.Compare(position[a.Snapshot], position[b.Snapshot]) })
	return catalog
}

package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Retention says which snapshots stay. Those of latest.json, and the one that
// a withdrawal would go back to, stay whatever it says.
type Retention struct {
	Latest int      // how many of the newest, by period and revision; 0: all
	Yearly bool     // the last of each year too
	Named  []string // and these
	Barred []string // were withdrawn: none is what a withdrawal would go back to
}

// Pruned says what a pruning removed, or would remove.
type Pruned struct {
	Snapshots []string // removed, the oldest first
	Kept      []string
	Files     int
	Bytes     int64
}

// Prune removes whole old snapshots: what it lists in dryRun, it removes else.
// It never touches raw bytes, logs, the ledger, or anything that a kept
// manifest names. A manifest goes first, after a copy of it was put under
// <pipeline>/removed/, so that a snapshot that can be found is whole, and the
// chain of parents can still be followed; then its files go. An interrupted
// pruning is finished by the next. The caller holds the lease.
func Prune(ctx context.Context, store Store, name string, rule Retention, dryRun bool) (Pruned, error) {
	latest, err := ReadLatest(ctx, store, name)
	if err != nil || latest == nil {
		return Pruned{}, err
	}
	snapshots, err := List(ctx, store, name)
	if err != nil {
		return Pruned{}, err
	}
	stays := rule.keeps(snapshots, latest)
	before, err := removed(ctx, store, name) // of which files may be left
	if err != nil {
		return Pruned{}, err
	}
	var report Pruned
	goes := map[string]bool{}
	for _, id := range before {
		goes[id] = true
	}
	for _, snapshot := range snapshots {
		id := snapshot.Snapshot
		if goes[id] = !stays[id]; goes[id] {
			report.Snapshots = append(report.Snapshots, id)
		} else {
			report.Kept = append(report.Kept, id)
		}
	}
	objects, err := store.List(ctx, path.Join(name, snapshotsFolder)+"/")
	if err != nil {
		return Pruned{}, err
	}
	var files []string
	for _, object := range objects {
		if goes[snapshotOf(name, object.Key)] {
			report.Files, report.Bytes = report.Files+1, report.Bytes+object.Bytes
			if path.Base(object.Key) != manifestFile {
				files = append(files, object.Key)
			}
		}
	}
	if dryRun {
		return report, nil
	}
	for _, id := range report.Snapshots {
		if err := hide(ctx, store, name, id); err != nil {
			return Pruned{}, fmt.Errorf("remove snapshot %s: %w", id, err)
		}
	}
	for _, key := range files {
		if err := store.Remove(ctx, key); err != nil {
			return Pruned{}, err
		}
	}
	return report, nil
}

const (
	snapshotsFolder = "snapshots"
	removedFolder   = "removed"
	manifestFile    = "manifest.json"
)

// keeps chooses what stays.
func (r Retention) keeps(snapshots []*Snapshot, latest *Snapshot) map[string]bool {
	stays := map[string]bool{latest.Snapshot: true}
	known := map[string]*Snapshot{}
	for _, snapshot := range snapshots {
		known[snapshot.Snapshot] = snapshot
	}
	before := known[parentOf(latest)]
	for before != nil && slices.Contains(r.Barred, before.Snapshot) {
		before = known[parentOf(before)]
	}
	if before != nil {
		stays[before.Snapshot] = true
	}
	for _, id := range r.Named {
		stays[id] = true
	}
	for i, snapshot := range snapshots { // by period and revision
		year := func(s *Snapshot) string { return s.PeriodEnd[:min(4, len(s.PeriodEnd))] }
		lastOfYear := i+1 == len(snapshots) || year(snapshots[i+1]) != year(snapshot)
		if r.Latest <= 0 || i >= len(snapshots)-r.Latest || r.Yearly && lastOfYear {
			stays[snapshot.Snapshot] = true
		}
	}
	return stays
}

func parentOf(snapshot *Snapshot) string {
	if snapshot.Parent == nil {
		return ""
	}
	return snapshot.Parent.Snapshot
}

// hide takes a snapshot out of sight: its manifest, and the signature, are kept
// under removed/.
func hide(ctx context.Context, store Store, name, id string) error {
	text, _, err := read(ctx, store, manifestKey(name, id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a removal that was broken off has arrived after all
	}
	if err != nil {
		return err
	}
	signature, _, err := read(ctx, store, TableKey(name, id, signatureFile))
	if err == nil {
		err = putOnce(ctx, store, removedKey(name, id)+signatureEnding, bytes.NewReader(signature), digestOf(signature))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := putOnce(ctx, store, removedKey(name, id), bytes.NewReader(text), digestOf(text)); err != nil {
		return err
	}
	return store.Remove(ctx, manifestKey(name, id))
}

func removedKey(name, id string) string { return path.Join(name, removedFolder, id+".json") }

// removed gives the snapshots that retention has removed.
func removed(ctx context.Context, store Store, name string) ([]string, error) {
	objects, err := store.List(ctx, path.Join(name, removedFolder)+"/")
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, object := range objects {
		if id, ok := strings.CutSuffix(path.Base(object.Key), ".json"); ok {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// snapshotOf gives the snapshot that a key belongs to, "" if none.
func snapshotOf(name, key string) string {
	rest, ok := strings.CutPrefix(key, path.Join(name, snapshotsFolder)+"/")
	id, _, isFile := strings.Cut(rest, "/")
	if !ok || !isFile {
		return ""
	}
	return id
}

package load

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"tamiz/pipeline"
)

// Finding is something that a check of the store has found.
type Finding struct {
	Key      string // of the object or, with a slash at its end, of the folder
	Problem  string // one sentence
	Expected string
	Found    string
	Hint     string // what to do
	Harmless bool   // nothing that was published, or that proves it, is touched
}

const restore = "restore it from a copy of the store (tamiz store copy)"

// Check reads everything of a pipeline in the store, and compares it with the
// digests that manifests, sums and names tell: files of snapshots, raw bytes,
// manifests with the chain of parents, latest.json, logs and ledger. It gives
// what is wrong, by key; an error only if the store could not be read. It
// calls progress, if there is one, after each object that it has read; give it
// the store itself, not a cache before it.
func Check(ctx context.Context, store Store, name string, progress func(done, total int)) ([]Finding, error) {
	objects, err := store.List(ctx, name+"/")
	if err != nil {
		return nil, err
	}
	c := &checker{store: store, name: name, there: map[string]bool{}, known: map[string]pipeline.Digest{}}
	for _, object := range objects {
		c.there[object.Key] = true
	}
	for _, step := range []func(context.Context) error{c.manifests, c.pointer, c.logs} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	if err := c.digests(ctx, progress); err != nil {
		return nil, err
	}
	c.leftovers()
	slices.SortStableFunc(c.findings, func(a, b Finding) int { return cmp.Compare(a.Key, b.Key) })
	return c.findings, nil
}

// checker gathers what a store says about itself.
type checker struct {
	store    Store
	name     string
	there    map[string]bool
	known    map[string]pipeline.Digest // of manifests, by snapshot
	findings []Finding
}

func (c *checker) find(f Finding) { c.findings = append(c.findings, f) }

// manifests reads all of them, kept and removed, and follows their parents.
func (c *checker) manifests(ctx context.Context) error {
	parents := map[string]*Parent{}
	for _, key := range slices.Sorted(maps.Keys(c.there)) {
		id, isRemoved := "", path.Dir(key) == path.Join(c.name, removedFolder)
		if isRemoved {
			id = strings.TrimSuffix(path.Base(key), ".json")
		} else if path.Base(key) == manifestFile {
			id = snapshotOf(c.name, key)
		}
		if id == "" {
			continue
		}
		text, _, err := read(ctx, c.store, key)
		if err != nil && !errors.Is(err, ErrDamaged) {
			return err
		}
		var manifest Manifest
		if err == nil {
			err = json.Unmarshal(text, &manifest)
		}
		if err != nil || manifest.Snapshot != id {
			c.find(Finding{Key: key, Problem: "the manifest cannot be read, or is of another snapshot", Expected: id, Found: cmp.Or(manifest.Snapshot, fmt.Sprint(err)), Hint: restore})
			continue
		}
		c.known[id], parents[key] = digestOf(text), manifest.Parent
		if isRemoved {
			continue
		}
		c.named(&manifest, key)
	}
	for key, parent := range parents {
		if parent == nil {
			continue
		}
		if digest, ok := c.known[parent.Snapshot]; !ok {
			c.find(Finding{Key: key, Problem: "its parent " + parent.Snapshot + " is missing", Expected: "sha256 " + string(parent.Manifest), Hint: restore})
		} else if digest != parent.Manifest {
			c.find(Finding{Key: key, Problem: "the manifest of its parent " + parent.Snapshot + " was changed", Expected: "sha256 " + string(parent.Manifest), Found: "sha256 " + string(digest), Hint: restore})
		}
	}
	return nil
}

// named looks whether what a manifest names is there.
func (c *checker) named(manifest *Manifest, key string) {
	missing := func(what, file string) {
		if !c.there[file] {
			c.find(Finding{Key: file, Problem: what + " is missing, which " + manifest.Snapshot + " names", Hint: restore})
		}
	}
	for _, table := range manifest.Tables {
		missing("the table "+table.Name, TableKey(c.name, manifest.Snapshot, table.File))
	}
	for _, file := range manifest.Files {
		missing(file.File, TableKey(c.name, manifest.Snapshot, file.File))
	}
	missing("the list of digests", TableKey(c.name, manifest.Snapshot, sumsFile))
	for _, source := range manifest.Sources {
		if source.Archive != "public" {
			continue
		}
		pins := slices.Clone(source.Files)
		for _, vintage := range source.Vintages {
			pins = append(pins, vintage.Files...)
		}
		for _, pin := range pins {
			missing("a raw file of "+source.Name, archiveKey(c.name, pin.Digest))
			for _, beside := range pin.Beside {
				missing("a raw file of "+source.Name, archiveKey(c.name, beside.Digest))
			}
		}
	}
}

func archiveKey(name string, digest pipeline.Digest) string {
	return path.Join(name, archiveFolder, "sha256", string(digest[:min(2, len(digest))]), string(digest))
}

const archiveFolder = "archive"

// pointer follows latest.json.
func (c *checker) pointer(ctx context.Context) error {
	key := path.Join(c.name, latestFile)
	text, _, err := read(ctx, c.store, key)
	var latest Latest
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.find(Finding{Key: key, Problem: "nothing was published yet", Harmless: len(c.known) == 0, Hint: restore})
		return nil
	case err != nil && !errors.Is(err, ErrDamaged):
		return err
	case err != nil || json.Unmarshal(text, &latest) != nil:
		c.find(Finding{Key: key, Problem: "it cannot be read", Hint: restore})
	case !c.there[manifestKey(c.name, latest.Snapshot)]:
		c.find(Finding{Key: key, Problem: "it points to a snapshot that is missing", Found: latest.Snapshot, Hint: restore})
	case c.known[latest.Snapshot] != latest.Manifest:
		c.find(Finding{Key: key, Problem: "the manifest of " + latest.Snapshot + " is not the one that was published",
			Expected: "sha256 " + string(latest.Manifest), Found: "sha256 " + string(c.known[latest.Snapshot]), Hint: restore})
	}
	return nil
}

// logs reads each log to its end.
func (c *checker) logs(ctx context.Context) error {
	found := map[[2]string]bool{}
	for key := range c.there {
		parts := strings.Split(strings.TrimPrefix(key, c.name+"/"), "/")
		if len(parts) == 3 && isLog(parts[0]) {
			found[[2]string{parts[0], parts[1]}] = true
		}
	}
	for log := range found {
		_, err := newLog(c.store, c.name, log[0], log[1]).Read(ctx)
		if err != nil && pipeline.KindOf(err) != pipeline.Drift && !errors.Is(err, ErrDamaged) {
			return err
		}
		if err != nil {
			c.find(Finding{Key: path.Join(c.name, log[0], log[1]) + "/", Problem: "the chain of its records is broken", Found: err.Error(), Hint: restore})
		}
	}
	return nil
}

func isLog(folder string) bool { return folder == "logs" || folder == "ledger" }

// digests reads every object of which something tells the digest.
func (c *checker) digests(ctx context.Context, progress func(done, total int)) error {
	wanted, err := expected(ctx, c.store, c.name, slices.Sorted(maps.Keys(c.there)))
	if err != nil {
		return err
	}
	var mutex sync.Mutex
	done := 0
	var jobs []func() error
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		if !c.there[key] {
			if path.Base(key) != manifestFile && snapshotOf(c.name, key) != "" && c.there[path.Join(c.name, snapshotsFolder, snapshotOf(c.name, key), manifestFile)] && !c.isMissing(key) {
				c.find(Finding{Key: key, Problem: "it is missing, though the snapshot's list of digests names it", Hint: restore})
			}
			continue
		}
		jobs = append(jobs, func() error {
			found, err := digestIn(ctx, c.store, key)
			if errors.Is(err, fs.ErrNotExist) {
				return nil // was removed since
			}
			if err != nil && !errors.Is(err, ErrDamaged) {
				return err
			}
			mutex.Lock()
			defer mutex.Unlock()
			if done++; progress != nil {
				progress(done, len(jobs))
			}
			if found != wanted[key] {
				c.find(Finding{Key: key, Problem: "it was changed after it was written", Expected: "sha256 " + string(wanted[key]), Found: "sha256 " + cmp.Or(string(found), "of other bytes"), Hint: restore})
			}
			return nil
		})
	}
	return together(jobs)
}

func (c *checker) isMissing(key string) bool {
	return slices.ContainsFunc(c.findings, func(f Finding) bool { return f.Key == key })
}

// expected gives the digests that are told about objects of a pipeline: of raw
// bytes by their names, of a snapshot's files by its sums and its manifest.
func expected(ctx context.Context, store Store, name string, keys []string) (map[string]pipeline.Digest, error) {
	wanted := map[string]pipeline.Digest{}
	for _, key := range keys {
		base := pipeline.Digest(path.Base(key))
		id := snapshotOf(name, key)
		isSums, isManifest := id != "" && string(base) == sumsFile, id != "" && string(base) == manifestFile
		if len(base) == 64 && key == archiveKey(name, base) {
			wanted[key] = base
		}
		if !isSums && !isManifest {
			continue
		}
		text, _, err := read(ctx, store, key)
		if errors.Is(err, ErrDamaged) || errors.Is(err, fs.ErrNotExist) {
			continue // is found elsewhere
		} else if err != nil {
			return nil, err
		}
		var manifest Manifest
		if isManifest && json.Unmarshal(text, &manifest) == nil {
			for _, file := range manifest.Contents() { // they count more than the sums
				wanted[TableKey(name, id, file.File)] = file.Digest
			}
		}
		for lines := bufio.NewScanner(bytes.NewReader(text)); isSums && lines.Scan(); {
			digest, file, ok := strings.Cut(lines.Text(), "  ")
			if key := TableKey(name, id, file); ok && fs.ValidPath(file) && wanted[key] == "" {
				wanted[key] = pipeline.Digest(digest)
			}
		}
	}
	return wanted, nil
}

// leftovers names what no manifest stands for.
func (c *checker) leftovers() {
	told := map[string]bool{}
	for key := range c.there {
		id := snapshotOf(c.name, key)
		folder := path.Join(c.name, snapshotsFolder, id) + "/"
		switch {
		case id != "" && !c.there[folder+manifestFile] && !told[folder]:
			told[folder] = true
			c.find(Finding{Key: folder, Problem: "these are files of a publication or a removal that was broken off; no reader sees them", Harmless: true})
		case strings.HasPrefix(key, path.Join(c.name, archiveFolder)+"/") && key != archiveKey(c.name, pipeline.Digest(path.Base(key))):
			c.find(Finding{Key: key, Problem: "its name is no digest: it is not of the archive", Harmless: true})
		}
	}
}

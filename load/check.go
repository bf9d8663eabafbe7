package load

import (
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
	c, err := newChecker(ctx, store, name)
	if err != nil {
		return nil, err
	}
	c.raw = true
	for _, step := range []func(context.Context) error{c.history, c.pointer, c.links, c.logs, c.snapshots} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	if err := c.digests(ctx, progress); err != nil {
		return nil, err
	}
	c.leftovers()
	return c.sorted(), nil
}

// checker gathers what a store says about itself.
type checker struct {
	store Store
	name  string
	only  string // the snapshot that is meant; "": all
	raw   bool   // raw bytes are read, too
	trust []Trusted

	there    map[string]int64     // bytes, by key
	told     map[string]*told     // manifests, by snapshot
	chain    map[string]bool      // the snapshots that count, and their ancestors
	signed   map[string]Signature // by snapshot
	files    int                  // of snapshots, that were compared
	stoodOn  map[string]rawFile   // of the archive, by key
	findings []Finding
}

// told is a manifest that can be read.
type told struct {
	Snapshot
	key         string
	text        []byte
	isRemoved   bool
	isConfirmed bool // by a child, latest.json or a trusted signature
}

func newChecker(ctx context.Context, store Store, name string) (*checker, error) {
	objects, err := store.List(ctx, name+"/")
	if err != nil {
		return nil, err
	}
	c := &checker{store: store, name: name, there: map[string]int64{}, told: map[string]*told{}, chain: map[string]bool{}, signed: map[string]Signature{}, stoodOn: map[string]rawFile{}}
	for _, object := range objects {
		c.there[object.Key] = object.Bytes
	}
	return c, nil
}

func (c *checker) find(f Finding) { c.findings = append(c.findings, f) }

func (c *checker) isThere(key string) bool { _, ok := c.there[key]; return ok }

func (c *checker) hasFinding(key string) bool {
	return slices.ContainsFunc(c.findings, func(f Finding) bool { return f.Key == key })
}

func (c *checker) sorted() []Finding {
	slices.SortStableFunc(c.findings, func(a, b Finding) int { return cmp.Compare(a.Key, b.Key) })
	return c.findings
}

// history reads all manifests, kept and removed.
func (c *checker) history(ctx context.Context) error {
	for _, key := range slices.Sorted(maps.Keys(c.there)) {
		id, isRemoved := "", path.Dir(key) == path.Join(c.name, removedFolder)
		if isRemoved {
			id, _ = strings.CutSuffix(path.Base(key), ".json")
		} else if path.Base(key) == manifestFile {
			id = snapshotOf(c.name, key)
		}
		if id == "" || isRemoved && path.Ext(key) != ".json" {
			continue
		}
		text, _, err := read(ctx, c.store, key)
		if err != nil && !errors.Is(err, ErrDamaged) {
			return err
		}
		one := &told{Snapshot: Snapshot{Digest: digestOf(text)}, key: key, text: text, isRemoved: isRemoved}
		if err == nil {
			err = json.Unmarshal(text, &one.Manifest)
		}
		if outside := slices.IndexFunc(one.Contents(), func(file ManifestFile) bool { return !fs.ValidPath(file.File) }); outside >= 0 {
			err = fmt.Errorf("it names %q", one.Contents()[outside].File)
		}
		if err != nil || one.Snapshot.Snapshot != id || one.Pipeline != c.name {
			c.find(Finding{Key: key, Problem: "the manifest cannot be read, or is of another snapshot", Expected: id, Found: cmp.Or(one.Snapshot.Snapshot, fmt.Sprint(err)), Hint: restore})
			continue
		}
		if before := c.told[id]; before != nil && before.Digest != one.Digest { // a removal was broken off
			c.find(Finding{Key: before.key, Problem: "it is not the manifest of " + id, Expected: "sha256 " + string(one.Digest), Found: "sha256 " + string(before.Digest), Hint: restore})
		}
		c.told[id] = one
	}
	c.follow()
	return nil
}

// follow gathers the chain of the snapshot that is meant, of all if none is.
func (c *checker) follow() {
	for id := c.only; id != "" && !c.chain[id]; {
		c.chain[id] = true
		if one := c.told[id]; one == nil || one.Parent == nil {
			return
		} else {
			id = one.Parent.Snapshot
		}
	}
	if c.only != "" {
		return
	}
	for key := range c.there {
		if id := snapshotOf(c.name, key); id != "" {
			c.chain[id] = true
		} else if rest, ok := strings.CutPrefix(key, path.Join(c.name, removedFolder)+"/"); ok {
			c.chain[strings.TrimSuffix(strings.TrimSuffix(rest, signatureEnding), ".json")] = true
		}
	}
}

// links compares each manifest with what its children say of it: first with
// those to which latest.json leads, of which it is known that they are sound.
func (c *checker) links(context.Context) error {
	ids, done := slices.Sorted(maps.Keys(c.told)), map[string]bool{}
	for _, id := range ids {
		for one := c.told[id]; one != nil && one.isConfirmed && !done[one.Snapshot.Snapshot]; {
			done[one.Snapshot.Snapshot] = true
			if c.link(one); one.Parent == nil {
				break
			}
			one = c.told[one.Parent.Snapshot]
		}
	}
	for _, id := range ids {
		if !done[id] {
			c.link(c.told[id])
		}
	}
	return nil
}

// link compares a manifest with what its child says of it.
func (c *checker) link(child *told) {
	if child.Parent == nil || !c.chain[child.Snapshot.Snapshot] && child.Parent.Snapshot != c.only {
		return
	}
	parent := c.told[child.Parent.Snapshot]
	want := "sha256 " + string(child.Parent.Manifest)
	switch {
	case parent == nil:
		c.find(Finding{Key: child.key, Problem: "its parent " + child.Parent.Snapshot + " is missing", Expected: want, Hint: restore})
	case parent.Digest == child.Parent.Manifest:
		parent.isConfirmed = true
	case child.isConfirmed:
		c.find(Finding{Key: parent.key, Problem: "the manifest was changed after " + child.Snapshot.Snapshot + " was published, which names it as its parent", Expected: want, Found: "sha256 " + string(parent.Digest), Hint: restore})
	default:
		c.find(Finding{Key: child.key, Problem: "it does not name the manifest of its parent " + child.Parent.Snapshot + " that is there: one of the two was changed", Expected: want, Found: "sha256 " + string(parent.Digest), Hint: restore})
	}
}

// place is where a snapshot stands in history: it is never before its parents.
func (c *checker) place(id string) string {
	highest := id
	seen := map[string]bool{}
	for one := c.told[id]; one != nil && one.Parent != nil && !seen[one.Snapshot.Snapshot]; one = c.told[one.Parent.Snapshot] {
		seen[one.Snapshot.Snapshot] = true
		if comparePlace(one.Parent.Snapshot, highest) > 0 {
			highest = one.Parent.Snapshot
		}
	}
	return highest
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
		c.find(Finding{Key: key, Problem: "nothing was published yet", Harmless: len(c.told) == 0, Hint: restore})
		return nil
	case err != nil && !errors.Is(err, ErrDamaged):
		return err
	case err != nil || json.Unmarshal(text, &latest) != nil:
		c.find(Finding{Key: key, Problem: "it cannot be read", Hint: restore})
		return nil
	}
	to := c.told[latest.Snapshot]
	written, err := latest.written()
	switch {
	case err != nil:
		return err
	case !bytes.Equal(text, written):
		c.find(Finding{Key: key, Problem: "it was changed after it was written: its own digest is of another text", Expected: strings.TrimSpace(string(written)), Found: strings.TrimSpace(string(text)), Hint: restore})
	case !c.isThere(manifestKey(c.name, latest.Snapshot)):
		c.find(Finding{Key: key, Problem: "it points to a snapshot that is missing", Found: latest.Snapshot, Hint: restore})
	case to == nil || to.Digest != latest.Manifest:
		found := ""
		if to != nil {
			found = "sha256 " + string(to.Digest)
		}
		c.find(Finding{Key: key, Problem: "the manifest of " + latest.Snapshot + " is not the one that was published", Expected: "sha256 " + string(latest.Manifest), Found: found, Hint: restore})
	default:
		to.isConfirmed = true
		c.reach(latest.Snapshot)
	}
	return nil
}

// reach notes that the latest snapshot does not stand on the one that is meant.
func (c *checker) reach(latest string) {
	seen := map[string]bool{}
	for one := c.told[latest]; one != nil && !seen[one.Snapshot.Snapshot]; one = c.told[one.Parent.Snapshot] {
		if seen[one.Snapshot.Snapshot] = true; one.Parent == nil {
			break
		}
	}
	if one := c.told[c.only]; one != nil && !seen[c.only] {
		c.find(Finding{Key: one.key, Problem: "the latest snapshot does not stand on it: it was withdrawn, or its publication was broken off", Found: "the latest is " + latest, Harmless: true})
	}
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
	wanted, err := expected(ctx, c.store, c.name, c.keys())
	if err != nil {
		return err
	}
	var mutex sync.Mutex
	done := 0
	var jobs []func() error
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		id, file := snapshotOf(c.name, key), path.Base(key)
		switch {
		case c.told[id] != nil && !c.told[id].isRemoved && (file == manifestFile || file == signatureFile):
			continue // see sums
		case !c.isThere(key):
			if file != manifestFile && id != "" && c.isThere(manifestKey(c.name, id)) && !c.hasFinding(key) {
				c.find(Finding{Key: key, Problem: "it is missing, though the snapshot's list of digests names it", Hint: restore})
			}
			continue
		case id != "":
			c.files++
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
	if err := together(jobs); err != nil {
		return err
	}
	c.sizes()
	return nil
}

// keys are the objects that count.
func (c *checker) keys() []string {
	if c.only == "" {
		return slices.Sorted(maps.Keys(c.there))
	}
	var keys []string
	for key := range c.there {
		if snapshotOf(c.name, key) == c.only {
			keys = append(keys, key)
		}
	}
	if one := c.told[c.only]; one != nil && c.raw && !one.isRemoved {
		for key := range c.rawBytes(&one.Manifest) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
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
		if !isSums {
			continue
		}
		for file, digest := range parseSums(text) {
			if key := TableKey(name, id, file); wanted[key] == "" {
				wanted[key] = digest
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
		case id != "" && !c.isThere(folder+manifestFile) && !told[folder]:
			told[folder] = true
			c.find(Finding{Key: folder, Problem: "these are files of a publication or a removal that was broken off; no reader sees them", Harmless: true})
		case strings.HasPrefix(key, path.Join(c.name, archiveFolder)+"/") && key != archiveKey(c.name, pipeline.Digest(path.Base(key))):
			c.find(Finding{Key: key, Problem: "its name is no digest: it is not of the archive", Harmless: true})
		}
	}
}

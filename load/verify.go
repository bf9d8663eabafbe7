package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"tamiz/pipeline"
)

// Verification says what is to be verified.
type Verification struct {
	Snapshot string    // "": all
	Raw      bool      // raw bytes are read, too; else they must be there, in their size
	Trust    []Trusted // none: signatures are named, and judged by nothing but their form
}

// Verified says what was seen.
type Verified struct {
	Files      int                  // of snapshots, that were compared with their digests
	Raw        int                  // files of the public archive, on which the snapshots stand
	Manifests  int                  // of the snapshots and of all before them, back to the first
	Signatures map[string]Signature // by snapshot; those before the one that is meant, too
	Removed    []string             // snapshots of which retention has left the manifest alone
	Findings   []Finding            // by key
}

// Signature says who signed a snapshot.
type Signature struct {
	Key     string // its id; "": it is not signed
	Trusted bool   // it is a signature by a key that may sign the snapshot
}

// Verify reads a snapshot, and compares each of its files with the manifest,
// the list of digests with both, the manifest with its parents back to the
// first, with what its children and latest.json say of it, and with its
// signature; it looks whether the raw bytes that it stands on are there. It
// does with one snapshot what [Check] does with a store, and gives an error of
// kind Config if there is no such snapshot.
func Verify(ctx context.Context, store Store, name string, what Verification, progress func(done, total int)) (*Verified, error) {
	c, err := newChecker(ctx, store, name)
	if err != nil {
		return nil, err
	}
	c.only, c.raw, c.trust = what.Snapshot, what.Raw, what.Trust
	if c.only != "" && !c.isThere(manifestKey(name, c.only)) && !c.isThere(removedKey(name, c.only)) {
		return nil, &pipeline.Error{Kind: pipeline.Config, Subject: c.only, Problem: "there is no such snapshot", Where: name, Hint: "tamiz snapshots lists them"}
	}
	for _, step := range []func(context.Context) error{c.history, c.pointer, c.links, c.snapshots} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	if err := c.digests(ctx, progress); err != nil {
		return nil, err
	}
	v := &Verified{Files: c.files, Raw: len(c.stoodOn), Signatures: c.signed, Findings: c.sorted()}
	for _, id := range slices.Sorted(maps.Keys(c.chain)) {
		if one := c.told[id]; one != nil {
			v.Manifests++
			if one.isRemoved && (c.only == "" || c.only == id) {
				v.Removed = append(v.Removed, id)
			}
		}
	}
	return v, nil
}

// snapshots looks at the folders of those that are meant, and at the
// signatures of those before them.
func (c *checker) snapshots(ctx context.Context) error {
	for _, id := range slices.Sorted(maps.Keys(c.told)) {
		one := c.told[id]
		if !c.chain[id] {
			continue
		}
		signature, err := c.signature(ctx, one)
		if err != nil {
			return err
		}
		if one.isRemoved || c.only != "" && c.only != id {
			continue
		}
		c.named(&one.Manifest)
		if err := c.sums(ctx, one, signature); err != nil {
			return err
		}
	}
	return nil
}

// named looks whether what a manifest names is there.
func (c *checker) named(manifest *Manifest) {
	missing := func(what, file string) {
		if !c.isThere(file) {
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
	raw := c.rawBytes(manifest)
	maps.Copy(c.stoodOn, raw)
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		missing("a raw file of "+raw[key].source, key)
		if there := c.there[key]; !c.raw && c.isThere(key) && there != raw[key].bytes {
			c.find(Finding{Key: key, Problem: "a raw file of " + raw[key].source + " was changed after it was written", Expected: fmt.Sprint(raw[key].bytes, " bytes"), Found: fmt.Sprint(there, " bytes"), Hint: restore})
		}
	}
}

// rawFile is a file of the archive that a manifest stands on.
type rawFile struct {
	source string
	bytes  int64
}

// rawBytes gives the objects of the public archive that a manifest names.
func (c *checker) rawBytes(manifest *Manifest) map[string]rawFile {
	found := map[string]rawFile{}
	for _, source := range manifest.Sources {
		if source.Archive != "public" {
			continue
		}
		pins := slices.Clone(source.Files)
		for _, vintage := range source.Vintages {
			pins = append(pins, vintage.Files...)
		}
		for _, pin := range pins {
			found[archiveKey(c.name, pin.Digest)] = rawFile{source.Name, pin.Bytes}
			for _, beside := range pin.Beside {
				found[archiveKey(c.name, beside.Digest)] = rawFile{source.Name, beside.Bytes}
			}
		}
	}
	return found
}

// signature reads the signature of a manifest, and asks whether it must have
// one. It gives nil if there is none that is sound.
func (c *checker) signature(ctx context.Context, one *told) (*signature, error) {
	id := one.Snapshot.Snapshot
	key := TableKey(c.name, id, signatureFile)
	if one.isRemoved {
		key = removedKey(c.name, id) + signatureEnding
	}
	place := c.place(id)
	if !c.isThere(key) {
		if asks(c.trust, place) {
			c.find(Finding{Key: key, Problem: "the signature is missing: keys are in use for " + id, Expected: c.trustedAt(place), Hint: restore + "; if it was published before there were keys, say with from: in trust: where they begin"})
		}
		return nil, nil
	}
	text, _, err := read(ctx, c.store, key)
	if err != nil && !errors.Is(err, ErrDamaged) {
		return nil, err
	}
	s, err := readSignature(text, c.name, id)
	if err != nil {
		c.find(Finding{Key: key, Problem: "the signature was changed after it was written: " + err.Error(), Hint: restore})
		return nil, nil
	}
	c.signed[id] = Signature{Key: s.by()}
	if !asks(c.trust, place) {
		return s, nil
	}
	known := false
	for _, t := range c.trust {
		if !t.covers(place) || t.Key.ID() != s.by() {
			continue
		}
		known = true
		if s.verifies(t.Key, one.text) {
			one.isConfirmed, c.signed[id] = true, Signature{Key: s.by(), Trusted: true}
			return s, nil
		}
	}
	finding := Finding{Key: key, Problem: "it is signed by a key that is not trusted for " + id, Expected: c.trustedAt(place), Found: "key " + s.by(), Hint: "find out who signed it; trust in tamiz.yml says which keys may"}
	if known {
		finding = Finding{Key: key, Problem: "it is no signature of this manifest by key " + s.by() + ": one of the two was changed", Expected: "a signature of " + one.key, Hint: restore}
	}
	c.find(finding)
	return nil, nil
}

// trustedAt names the keys that may sign at a place of the history.
func (c *checker) trustedAt(place string) string {
	var ids []string
	for _, t := range c.trust {
		if t.covers(place) {
			ids = append(ids, "key "+t.Key.ID())
		}
	}
	if len(ids) == 0 {
		return "a key; but none is trusted for " + place
	}
	return strings.Join(ids, " or ")
}

// sums compares SHA256SUMS with the manifest and with what is in the folder.
func (c *checker) sums(ctx context.Context, one *told, signed *signature) error {
	id := one.Snapshot.Snapshot
	key := TableKey(c.name, id, sumsFile)
	text, _, err := read(ctx, c.store, key)
	if errors.Is(err, fs.ErrNotExist) {
		c.strangers(one, nil)
		return nil // was found
	}
	if err != nil && !errors.Is(err, ErrDamaged) {
		return err
	}
	listed := parseSums(text)
	c.files++
	changed := func(file string, want pipeline.Digest) {
		f := Finding{Key: key, Problem: "its line of " + file + " was changed after it was written", Expected: "sha256 " + string(want), Found: "sha256 " + string(listed[file]), Hint: restore}
		if listed[file] == "" {
			f.Problem, f.Found = "it lacks the line of "+file, ""
		}
		c.find(f)
	}
	want := map[string]pipeline.Digest{manifestFile: one.Digest}
	for _, file := range one.Contents() {
		want[file.File] = file.Digest
	}
	if c.isThere(TableKey(c.name, id, signatureFile)) {
		if want[signatureFile], err = c.digestOrNone(ctx, TableKey(c.name, id, signatureFile)); err != nil {
			return err
		}
		c.files++
	}
	if !slices.ContainsFunc(slices.Collect(maps.Keys(want)), func(file string) bool { return listed[file] == want[file] }) {
		c.find(Finding{Key: key, Problem: "it is no list of the digests of this snapshot", Expected: "sha256 " + string(digestOf([]byte(sumsText(want)))), Found: "sha256 " + string(digestOf(text)), Hint: restore})
		c.strangers(one, listed)
		return nil
	}
	before := len(c.findings)
	for _, file := range slices.Sorted(maps.Keys(want)) {
		isWitness := file == manifestFile && !one.isConfirmed || file == signatureFile && (signed == nil || !c.signed[id].Trusted)
		switch object := TableKey(c.name, id, file); {
		case listed[file] == want[file]:
		case isWitness && listed[file] != "" && !c.hasFinding(object):
			c.find(Finding{Key: object, Problem: "it was changed after it was written", Expected: "sha256 " + string(listed[file]), Found: "sha256 " + string(want[file]), Hint: restore})
		case isWitness && listed[file] != "": // was found
		default:
			changed(file, want[file])
		}
	}
	for _, file := range slices.Sorted(maps.Keys(listed)) {
		switch _, known := want[file]; {
		case known:
		case file == signatureFile:
			c.find(Finding{Key: TableKey(c.name, id, file), Problem: "the signature is missing, which " + sumsFile + " names", Hint: restore})
		case one.Files != nil:
			c.find(Finding{Key: key, Problem: "it lists " + file + ", which the manifest does not name", Hint: restore})
		}
	}
	if len(c.findings) == before && one.Files != nil && !c.hasFinding(TableKey(c.name, id, signatureFile)) && string(text) != sumsText(want) {
		c.find(Finding{Key: key, Problem: "it was changed after it was written", Expected: "sha256 " + string(digestOf([]byte(sumsText(want)))), Found: "sha256 " + string(digestOf(text)), Hint: restore})
	}
	c.strangers(one, listed)
	return nil
}

// digestOrNone gives "" if the store itself says that an object is damaged.
func (c *checker) digestOrNone(ctx context.Context, key string) (pipeline.Digest, error) {
	digest, err := digestIn(ctx, c.store, key)
	if errors.Is(err, ErrDamaged) {
		return "", nil
	}
	return digest, err
}

// strangers names files that lie in a snapshot's folder, and in no list.
func (c *checker) strangers(one *told, listed map[string]pipeline.Digest) {
	known := map[string]bool{manifestFile: true, sumsFile: true, signatureFile: true}
	for _, file := range one.Contents() {
		known[file.File] = true
	}
	folder := path.Dir(one.key) + "/"
	for _, key := range slices.Sorted(maps.Keys(c.there)) {
		file, inside := strings.CutPrefix(key, folder)
		if _, isListed := listed[file]; inside && !known[file] && !(isListed && one.Files == nil) {
			c.find(Finding{Key: key, Problem: "it does not belong to the snapshot: the manifest does not name it", Hint: "take it out of the folder, after you have found out who put it there"})
		}
	}
}

// sizes compares the sizes of files that are sound with what is told of them.
func (c *checker) sizes() {
	for _, id := range slices.Sorted(maps.Keys(c.told)) {
		one := c.told[id]
		if one.isRemoved || c.only != "" && c.only != id {
			continue
		}
		for _, file := range one.Contents() {
			key := TableKey(c.name, id, file.File)
			if there, ok := c.there[key]; ok && there != file.Bytes && !c.hasFinding(key) {
				c.find(Finding{Key: key, Problem: "its size is not what the manifest says", Expected: fmt.Sprint(file.Bytes, " bytes"), Found: fmt.Sprint(there, " bytes"), Hint: restore})
			}
		}
	}
}

// parseSums reads lines of sha256sum.
func parseSums(text []byte) map[string]pipeline.Digest {
	sums := map[string]pipeline.Digest{}
	for line := range bytes.Lines(text) {
		digest, file, ok := strings.Cut(strings.TrimSuffix(string(line), "\n"), "  ")
		if ok && fs.ValidPath(file) {
			sums[file] = pipeline.Digest(digest)
		}
	}
	return sums
}

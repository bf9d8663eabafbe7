package load

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"tamiz/pipeline"
)

// Manifest says what a snapshot is: its files, what they stand on, and its
// parent. It holds no time but those at which sources were observed.
type Manifest struct {
	Format    string           `json:"format"`
	Pipeline  string           `json:"pipeline"`
	Snapshot  string           `json:"snapshot"` // <period end>.<revision>
	PeriodEnd string           `json:"period_end"`
	AsOf      string           `json:"as_of"`
	Revision  int              `json:"revision"`
	Synthetic bool             `json:"synthetic"`
	Parent    *Parent          `json:"parent"` // null for the first
	Method    Method           `json:"method"`
	Sources   []ManifestSource `json:"sources"`
	Tables    []ManifestTable  `json:"tables"`
	Files     []ManifestFile   `json:"files,omitempty"` // all others of the snapshot; none in manifests older than they
	Checks    ManifestChecks   `json:"checks"`
	Engine    Engine           `json:"engine"`
}

// ManifestFormat names this form of manifest.
const ManifestFormat = "tamiz-manifest/1"

// Parent is the snapshot that was the latest when this one was published.
type Parent struct {
	Snapshot string          `json:"snapshot"`
	Manifest pipeline.Digest `json:"manifest_sha256"`
}

// Method is the version of the parameters.
type Method struct {
	Version string          `json:"version"`
	Digest  pipeline.Digest `json:"digest"`                  // of the text of the method file
	Tables  pipeline.Digest `json:"tables_digest,omitempty"` // of what its tables hold; "" in manifests older than it
}

// MethodOf names the method of a pipeline.
func MethodOf(p *pipeline.Pipeline) Method {
	return Method{Version: p.MethodVersion, Digest: pipeline.DigestOf(string(p.MethodText)), Tables: pipeline.MeaningOf(p.MethodTables())}
}

// Same reports whether two methods are the same whatever their version: their
// tables hold the same or, where a manifest does not tell, their text is.
func (m Method) Same(other Method) bool {
	if m.Tables == "" || other.Tables == "" {
		return m.Digest == other.Digest
	}
	return m.Tables == other.Tables
}

// MethodFile is the copy of the method file in a snapshot.
const MethodFile = "method.yml"

// ManifestSource is one source with the files that were used.
type ManifestSource struct {
	Name      string         `json:"name"`
	Title     string         `json:"title"`
	Publisher string         `json:"publisher"`
	Licence   string         `json:"licence"`
	Citation  string         `json:"citation,omitempty"`
	URL       string         `json:"url"`
	Archive   string         `json:"archive"` // public or private
	Files     []pipeline.Pin `json:"files"`   // none: the source gave nothing

	Vintages []pipeline.Vintage `json:"vintages,omitempty"` // of a source with a history: the versions that were used, by day
}

// ManifestTable is one mart.
type ManifestTable struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	File        string          `json:"file"` // below the snapshot
	Digest      pipeline.Digest `json:"sha256"`
	Bytes       int64           `json:"bytes"`
	Rows        int64           `json:"rows"`
	Key         []string        `json:"key"`
	RowDigest   pipeline.Digest `json:"row_digest"`
	Fingerprint pipeline.Digest `json:"fingerprint"`
}

// ManifestFile is a file of the snapshot as it was published. The list of
// digests and the signature of the manifest stand in no manifest: they are
// made from it.
type ManifestFile struct {
	File   string          `json:"file"` // below the snapshot
	Digest pipeline.Digest `json:"sha256"`
	Bytes  int64           `json:"bytes"`
}

// Contents gives every file that a manifest vouches for: marts, then others.
func (m *Manifest) Contents() []ManifestFile {
	var files []ManifestFile
	for _, table := range m.Tables {
		files = append(files, ManifestFile{File: table.File, Digest: table.Digest, Bytes: table.Bytes})
	}
	return append(files, m.Files...)
}

// ManifestChecks sums up what was checked before publication.
type ManifestChecks struct {
	Passed   int                    `json:"passed"`
	Warnings []pipeline.CheckResult `json:"warnings"`
	Approved []pipeline.CheckResult `json:"approved,omitempty"` // questions to which a person said yes
}

// Engine is what made the snapshot. Bytes are promised to be equal on an
// equal platform, figures to 1e-12 elsewhere.
type Engine struct {
	Tamiz    string            `json:"tamiz"`
	DuckDB   string            `json:"duckdb"`
	Platform map[string]string `json:"platform"`
}

// Latest is what latest.json holds: the one pointer that readers follow.
type Latest struct {
	Snapshot    string          `json:"snapshot"`
	Manifest    pipeline.Digest `json:"manifest_sha256"`
	PublishedAt time.Time       `json:"published_at"`
	Turn        string          `json:"turn,omitempty"` // random: of the call that wrote it, which so knows it as its own

	// Digest is of this file without it, written the same way; "" in files older than it.
	Digest pipeline.Digest `json:"sha256,omitempty"`
}

// written gives the text that latest.json had when it was written: without a
// digest in files older than that.
func (l Latest) written() ([]byte, error) {
	if l.Digest == "" {
		return encode(l)
	}
	return l.sealed()
}

// sealed gives the text of latest.json, with its digest.
func (l Latest) sealed() ([]byte, error) {
	l.Digest = ""
	text, err := encode(l)
	if err != nil {
		return nil, err
	}
	l.Digest = digestOf(text)
	return encode(l)
}

// Snapshot is a manifest as it was read.
type Snapshot struct {
	Manifest
	Digest  pipeline.Digest
	version Version // of latest.json, when read through it
}

// ReadLatest follows latest.json. It gives nil if nothing was published yet.
func ReadLatest(ctx context.Context, store Store, name string) (*Snapshot, error) {
	latest, version, err := readPointer(ctx, store, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	snapshot, err := ReadSnapshot(ctx, store, name, latest.Snapshot)
	if err != nil {
		return nil, err
	}
	if snapshot.Digest != latest.Manifest {
		return nil, &pipeline.Error{Kind: pipeline.Storage, Subject: latest.Snapshot,
			Problem: "its manifest is not the one that was published", Expected: string(latest.Manifest), Found: string(snapshot.Digest)}
	}
	snapshot.version = version
	return snapshot, nil
}

// ReadPointer reads latest.json without following it; fs.ErrNotExist if nothing
// was published yet.
func ReadPointer(ctx context.Context, store Store, name string) (Latest, error) {
	latest, _, err := readPointer(ctx, store, name)
	return latest, err
}

func readPointer(ctx context.Context, store Store, name string) (latest Latest, version Version, err error) {
	text, version, err := read(ctx, store, path.Join(name, latestFile))
	if err != nil {
		return latest, "", err
	}
	if err := json.Unmarshal(text, &latest); err != nil {
		return latest, "", fmt.Errorf("read %s/latest.json: %w", name, err)
	}
	return latest, version, nil
}

// ReadSnapshot reads one manifest.
func ReadSnapshot(ctx context.Context, store Store, name, id string) (*Snapshot, error) {
	if strings.ContainsAny(id, `/\`) {
		return nil, fmt.Errorf("snapshot %q: a snapshot is named such as 2026-11-29.1", id)
	}
	text, _, err := read(ctx, store, manifestKey(name, id))
	if err != nil {
		return nil, err
	}
	snapshot := &Snapshot{Digest: digestOf(text)}
	if err := json.Unmarshal(text, &snapshot.Manifest); err != nil {
		return nil, fmt.Errorf("read the manifest of %s: %w", id, err)
	}
	return snapshot, nil
}

// ReadNote reads a small file of a snapshot; fs.ErrNotExist if it has none.
func ReadNote(ctx context.Context, store Store, name, id, file string) ([]byte, error) {
	text, _, err := read(ctx, store, TableKey(name, id, file))
	return text, err
}

// List reads the manifests of all snapshots, by period and revision.
func List(ctx context.Context, store Store, name string) ([]*Snapshot, error) {
	return list(ctx, store, name, "")
}

// list reads those of a period, of all if it is "".
func list(ctx context.Context, store Store, name, period string) ([]*Snapshot, error) {
	objects, err := store.List(ctx, path.Join(name, snapshotsFolder)+"/"+period)
	if err != nil {
		return nil, err
	}
	found := make([]*Snapshot, len(objects))
	var jobs []func() error
	for i, object := range objects {
		if path.Base(object.Key) != manifestFile {
			continue
		}
		jobs = append(jobs, func() (err error) {
			found[i], err = ReadSnapshot(ctx, store, name, path.Base(path.Dir(object.Key)))
			if errors.Is(err, fs.ErrNotExist) {
				return nil // was removed since
			}
			return err
		})
	}
	if err := together(jobs); err != nil {
		return nil, err
	}
	snapshots := slices.DeleteFunc(found, func(s *Snapshot) bool { return s == nil })
	sort.Slice(snapshots, func(i, j int) bool {
		if snapshots[i].PeriodEnd != snapshots[j].PeriodEnd {
			return snapshots[i].PeriodEnd < snapshots[j].PeriodEnd
		}
		return snapshots[i].Revision < snapshots[j].Revision
	})
	return snapshots, nil
}

// TableKey is the key of a file of a snapshot.
func TableKey(name, id, file string) string { return path.Join(name, snapshotsFolder, id, file) }

func manifestKey(name, id string) string { return path.Join(name, snapshotsFolder, id, manifestFile) }

// SameRows reports whether two manifests hold the same rows in the same
// tables, however they are packed.
func SameRows(a, b *Manifest) bool {
	if len(a.Tables) != len(b.Tables) {
		return false
	}
	rows := map[string]pipeline.Digest{}
	for _, table := range a.Tables {
		rows[table.Name] = table.RowDigest
	}
	for _, table := range b.Tables {
		if digest, ok := rows[table.Name]; !ok || digest != table.RowDigest {
			return false
		}
	}
	return true
}

// SameCarried reports whether the same sources are carried forward in a
// snapshot and in the pins of a run: readers are told when that changes.
func SameCarried(published []ManifestSource, pins map[string][]pipeline.Pin) bool {
	for _, source := range published {
		if isCarried(source.Files) != isCarried(pins[source.Name]) {
			return false
		}
	}
	return true
}

func isCarried(pins []pipeline.Pin) bool { return len(pins) > 0 && pins[0].Carried != "" }

func sameContent(a, b *Manifest) bool {
	pins := map[string][]pipeline.Pin{}
	for _, source := range b.Sources {
		pins[source.Name] = source.Files
	}
	return SameRows(a, b) && SameCarried(a.Sources, pins)
}

func read(ctx context.Context, store Store, key string) ([]byte, Version, error) {
	reader, version, err := store.Get(ctx, key)
	if err != nil {
		return nil, "", err
	}
	defer reader.Close()
	const most = 64 << 20
	text, err := io.ReadAll(io.LimitReader(reader, most+1))
	if err != nil {
		return nil, "", fmt.Errorf("read %s: %w", key, err)
	}
	if len(text) > most {
		return nil, "", fmt.Errorf("read %s: it is larger than %d bytes", key, most)
	}
	return text, version, nil
}

func digestOf(text []byte) pipeline.Digest {
	sum := sha256.Sum256(text)
	return pipeline.Digest(hex.EncodeToString(sum[:]))
}

func encode(value any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return b.Bytes(), nil
}

// revisionOf reads the revision from a snapshot's id.
func revisionOf(id, period string) int {
	rest, ok := strings.CutPrefix(id, period+".")
	n, err := strconv.Atoi(rest)
	if !ok || err != nil {
		return 0
	}
	return n
}

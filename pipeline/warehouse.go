package pipeline

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Warehouse keeps artifacts in a folder, each under its fingerprint. An
// artifact appears whole or not at all: it is written aside and renamed.
type Warehouse struct{ dir string }

const recordFile = "record.json"

// OpenWarehouse makes the folder if need be. A warehouse that a newer Tamiz has
// made is an error of kind Config.
func OpenWarehouse(dir string) (*Warehouse, error) {
	for _, sub := range []string{"artifacts", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, &Error{Kind: Storage, Problem: "make the warehouse", Err: err}
		}
	}
	w := &Warehouse{dir: dir}
	return w, w.checkFormat()
}

// Dir is the warehouse's folder.
func (w *Warehouse) Dir() string { return w.dir }

// ID tells this warehouse from others: a random word, made once.
func (w *Warehouse) ID() (string, error) {
	file := filepath.Join(w.dir, "id")
	text, err := os.ReadFile(file)
	if err == nil && len(text) > 0 {
		return string(text), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", &Error{Kind: Storage, Problem: "read the warehouse's id", Err: err}
	}
	id := rand.Text()
	return id, WriteFile(file, []byte(id))
}

// ArtifactDir is the folder of the artifact of that fingerprint, there or not.
func (w *Warehouse) ArtifactDir(fingerprint Digest) string {
	return filepath.Join(w.dir, "artifacts", string(fingerprint[:2]), string(fingerprint))
}

// Record reads what is known about an artifact. It gives fs.ErrNotExist if
// the artifact is not there.
func (w *Warehouse) Record(fingerprint Digest) (*Record, error) {
	text, err := os.ReadFile(filepath.Join(w.ArtifactDir(fingerprint), recordFile))
	if err != nil {
		return nil, fmt.Errorf("read the record of an artifact: %w", err)
	}
	var record Record
	if err := json.Unmarshal(text, &record); err != nil {
		return nil, fmt.Errorf("read the record of artifact %s: %w", fingerprint.Short(), err)
	}
	return &record, nil
}

// Has reports whether the artifact is there.
func (w *Warehouse) Has(fingerprint Digest) bool {
	_, err := os.Stat(filepath.Join(w.ArtifactDir(fingerprint), recordFile))
	return err == nil
}

// Verify reads an artifact's files again and compares their digests. An
// artifact that was damaged is removed, so that it is computed again, and
// Verify reports false.
func (w *Warehouse) Verify(fingerprint Digest) (bool, error) {
	record, err := w.Record(fingerprint)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		for name, want := range record.Digests {
			got, _, err := HashFile(filepath.Join(w.ArtifactDir(fingerprint), name))
			if err != nil || got != want {
				return false, w.remove(fingerprint)
			}
		}
		return true, nil
	}
	return false, w.remove(fingerprint)
}

func (w *Warehouse) remove(fingerprint Digest) error {
	if err := os.RemoveAll(w.ArtifactDir(fingerprint)); err != nil {
		return &Error{Kind: Storage, Problem: "remove a damaged artifact", Err: err}
	}
	return nil
}

// scratchAge is how old a folder of unlocked work must be to be swept.
const scratchAge = 24 * time.Hour

// Scratch makes an empty folder for one step's output. Steps that run under
// the lock of the warehouse give their kind; what runs without it, such as
// binding, is swept only when it is old.
func (w *Warehouse) Scratch(kind StepKind) (string, error) {
	dir, err := os.MkdirTemp(filepath.Join(w.dir, "tmp"), string(kind)+"-")
	if err != nil {
		return "", &Error{Kind: Storage, Problem: "make a folder for a step", Err: err}
	}
	return dir, nil
}

// Sweep removes what interrupted runs left behind. Only who holds the lock of
// the warehouse may call it.
func (w *Warehouse) Sweep() error {
	entries, err := os.ReadDir(filepath.Join(w.dir, "tmp"))
	if err != nil {
		return fmt.Errorf("read the warehouse: %w", err)
	}
	for _, entry := range entries {
		if info, err := entry.Info(); strings.HasPrefix(entry.Name(), string(StepBind)) && (err != nil || time.Since(info.ModTime()) < scratchAge) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(w.dir, "tmp", entry.Name())); err != nil {
			return &Error{Kind: Storage, Problem: "remove what an interrupted run left", Err: err}
		}
	}
	return nil
}

// Keep turns a scratch folder into the artifact of record.Fingerprint: it
// hashes and syncs its files, writes the record, and renames the folder into
// place. If a rival was faster, its artifact stays and ours is dropped; where
// the two differ, that is an error, since a step must be pure.
func (w *Warehouse) Keep(scratch string, record *Record) error {
	record.Digests = map[string]Digest{}
	entries, err := os.ReadDir(scratch)
	if err != nil {
		return fmt.Errorf("read a step's output: %w", err)
	}
	for _, entry := range entries {
		if entry.Name() == PlacesFile {
			continue
		}
		digest, size, err := HashFile(filepath.Join(scratch, entry.Name()))
		if err != nil {
			return err
		}
		record.Digests[entry.Name()] = digest
		record.Bytes += size
	}
	text, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return fmt.Errorf("write a record: %w", err)
	}
	if err := WriteFile(filepath.Join(scratch, recordFile), text); err != nil {
		return err
	}
	target := w.ArtifactDir(record.Fingerprint)
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return &Error{Kind: Storage, Problem: "make a folder of the warehouse", Err: err}
	}
	if err := os.Rename(scratch, target); err == nil {
		return nil
	}
	old, err := w.Record(record.Fingerprint)
	if err != nil {
		return &Error{Kind: Storage, Problem: "keep an artifact", Err: err}
	}
	if err := os.RemoveAll(scratch); err != nil {
		return &Error{Kind: Storage, Problem: "remove a step's second output", Err: err}
	}
	if old.Digests[TableFile] != record.Digests[TableFile] {
		return &Error{Kind: Internal, Subject: record.Table,
			Problem: "the step gave other bytes when it ran again, so it is not pure",
			Found:   fmt.Sprintf("%s, before %s", record.Digests[TableFile].Short(), old.Digests[TableFile].Short())}
	}
	return nil
}

// HashFile gives the SHA-256 of a file and its size in bytes.
func HashFile(path string) (Digest, int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", 0, fmt.Errorf("open for hashing: %w", err)
	}
	defer file.Close()
	h := sha256.New()
	size, err := io.Copy(h, file)
	if err != nil {
		return "", 0, fmt.Errorf("hash %s: %w", path, err)
	}
	return Digest(hex.EncodeToString(h.Sum(nil))), size, nil
}

// WriteFile writes a file whole or not at all: aside, synced, renamed.
func WriteFile(path string, content []byte) error {
	if err := writeFile(path, content); err != nil {
		return &Error{Kind: Storage, Problem: "write " + path, Err: err}
	}
	return nil
}

func writeFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".writing-")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	if _, err := file.Write(content); err != nil {
		file.Close()
		return err
	}
	if err := file.Sync(); err != nil {
		file.Close()
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	if err := os.Chmod(file.Name(), 0o644); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

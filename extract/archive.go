package extract

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"tamiz/pipeline"
)

// Archive keeps raw bytes for ever, each file under the SHA-256 of its bytes:
// <folder>/sha256/ab/<64 digits>. Files of private sources lie in a folder of
// their own, which is never published.
type Archive struct {
	public, private string
	vault           Vault
}

// Vault is where public raw bytes are kept beside this machine, for ever. It
// is the store, where that is no folder of this machine.
type Vault interface {
	// Keep takes the file of that digest; what it holds already is left as it is.
	Keep(ctx context.Context, digest pipeline.Digest, path string) error
	// Fetch writes the bytes of that digest into a new file, or gives
	// fs.ErrNotExist.
	Fetch(ctx context.Context, digest pipeline.Digest, path string) error
}

var (
	errChanged  = errors.New("the file changed while it was read")
	errTooLarge = errors.New("the file is larger than its card allows")
)

// NewArchive names the folders; they are made when the first file is added.
// The vault may be nil: then the public folder is where the bytes are kept.
func NewArchive(publicDir, privateDir string, vault Vault) *Archive {
	return &Archive{public: publicDir, private: privateDir, vault: vault}
}

// Add keeps a file and gives the digest and size of its bytes. A file that is
// there already is not copied again. A file that changes while it is read is
// tried once more, then it is an error; so is one larger than maxBytes.
func (a *Archive) Add(ctx context.Context, path string, private bool, maxBytes int64) (pipeline.Digest, int64, error) {
	digest, size, err := a.add(ctx, path, private, maxBytes)
	if errors.Is(err, errChanged) {
		digest, size, err = a.add(ctx, path, private, maxBytes)
	}
	if err != nil {
		return "", 0, fmt.Errorf("archive %s: %w", filepath.Base(path), err)
	}
	return digest, size, nil
}

func (a *Archive) add(ctx context.Context, path string, private bool, maxBytes int64) (pipeline.Digest, int64, error) {
	digest, size, err := hashInto(ctx, io.Discard, path, maxBytes)
	if err != nil {
		return "", 0, err
	}
	target := a.place(a.dir(private), digest)
	if info, err := os.Stat(target); err == nil && info.Size() == size {
		return digest, size, nil
	}
	mode := fs.FileMode(0o755)
	if private {
		mode = 0o700
	}
	if err := os.MkdirAll(filepath.Dir(target), mode); err != nil {
		return "", 0, storageError("make a folder of the archive", err)
	}
	keep := func(string) error { return nil }
	if a.vault != nil && !private { // first there: what is here is there as well
		keep = func(copied string) error { return a.vault.Keep(ctx, digest, copied) }
	}
	if err := copyAs(ctx, path, target, digest, maxBytes, keep); err != nil {
		return "", 0, err
	}
	return digest, size, nil
}

// copyAs copies a file to target whole or not at all, if its bytes still have
// the digest and keep takes the copy.
func copyAs(ctx context.Context, path, target string, digest pipeline.Digest, maxBytes int64, keep func(string) error) error {
	file, err := os.CreateTemp(filepath.Dir(target), ".adding-")
	if err != nil {
		return storageError("add to the archive", err)
	}
	defer os.Remove(file.Name())
	writer := &storageWriter{file: file}
	copied, _, err := hashInto(ctx, writer, path, maxBytes)
	if writer.err != nil {
		err = storageError("add to the archive", writer.err)
	}
	if err == nil && copied != digest {
		err = errChanged
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	if err := errors.Join(file.Chmod(0o444), file.Sync(), file.Close()); err != nil {
		return storageError("add to the archive", err)
	}
	if err := keep(file.Name()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), target); err != nil {
		return storageError("add to the archive", err)
	}
	return syncDir(filepath.Dir(target))
}

// Path is where the bytes of that digest lie.
func (a *Archive) Path(digest pipeline.Digest) (string, error) {
	if raw, err := hex.DecodeString(string(digest)); err != nil || len(raw) != sha256.Size || strings.ToLower(string(digest)) != string(digest) {
		return "", fmt.Errorf("%q is not a SHA-256 in lower-case hexadecimal", digest)
	}
	for _, dir := range []string{a.public, a.private} {
		path := a.place(dir, digest)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", &pipeline.Error{Kind: pipeline.Storage, Problem: "raw bytes are not in the archive",
		Where: "sha256 " + string(digest),
		Hint:  "put the file with these bytes back into its source's folder, then: tamiz run --fetch"}
}

// Verify makes sure that the bytes of that digest lie on this machine, as they
// were. What is not here is fetched from the vault; a damaged file is moved
// aside, as <digest>.damaged, so that the same bytes can be added anew. Bytes
// that cannot be had so give an error of kind Storage.
func (a *Archive) Verify(ctx context.Context, digest pipeline.Digest) error {
	err := a.verify(ctx, digest)
	if err == nil || a.vault == nil || ctx.Err() != nil {
		return err
	}
	if fetchErr := a.restore(ctx, digest); errors.Is(fetchErr, fs.ErrNotExist) {
		return err
	} else if fetchErr != nil {
		return fetchErr
	}
	return a.verify(ctx, digest)
}

// restore fetches public bytes from the vault.
func (a *Archive) restore(ctx context.Context, digest pipeline.Digest) error {
	target := a.place(a.public, digest)
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return storageError("make a folder of the archive", err)
	}
	aside := target + ".fetching"
	defer os.Remove(aside)
	if err := os.Remove(aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return storageError("fetch raw bytes from the store", err)
	}
	if err := a.vault.Fetch(ctx, digest, aside); err != nil {
		return err
	}
	got, _, err := hashInto(ctx, io.Discard, aside, 0)
	if err != nil {
		return storageError("fetch raw bytes from the store", err)
	}
	if got != digest {
		return damagedError(digest, got)
	}
	if err := os.Rename(aside, target); err != nil {
		return storageError("fetch raw bytes from the store", err)
	}
	return syncDir(filepath.Dir(target))
}

func (a *Archive) verify(ctx context.Context, digest pipeline.Digest) error {
	path, err := a.Path(digest)
	if err != nil {
		return err
	}
	got, _, err := hashInto(ctx, io.Discard, path, 0)
	if err != nil {
		return storageError("verify the archive", err)
	}
	if got == digest {
		return nil
	}
	if err := os.Rename(path, path+".damaged"); err != nil {
		return storageError("move damaged raw bytes aside", err)
	}
	return damagedError(digest, got)
}

func damagedError(want, got pipeline.Digest) error {
	return &pipeline.Error{Kind: pipeline.Storage, Problem: "raw bytes in the archive are damaged",
		Expected: "sha256 " + string(want), Found: "sha256 " + string(got),
		Hint: "put the file with the expected digest back into its source's folder, then: tamiz run --fetch"}
}

func (a *Archive) dir(private bool) string {
	if private {
		return a.private
	}
	return a.public
}

func (a *Archive) place(dir string, digest pipeline.Digest) string {
	return filepath.Join(dir, "sha256", string(digest[:2]), string(digest))
}

// hashInto copies a regular file to a writer and gives the digest and size of
// what it copied. A maxBytes of 0 sets no limit.
func hashInto(ctx context.Context, writer io.Writer, path string, maxBytes int64) (pipeline.Digest, int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", 0, fmt.Errorf("open: %w", err)
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", 0, errors.Join(fmt.Errorf("%s is not a regular file", filepath.Base(path)), err)
	}
	hash := sha256.New()
	var size int64
	buffer := make([]byte, 256<<10)
	for {
		if err := ctx.Err(); err != nil {
			return "", 0, err
		}
		n, err := file.Read(buffer)
		if size += int64(n); maxBytes > 0 && size > maxBytes {
			return "", 0, errTooLarge
		}
		hash.Write(buffer[:n]) // never fails
		if _, err := writer.Write(buffer[:n]); err != nil {
			return "", 0, err
		}
		if errors.Is(err, io.EOF) {
			return pipeline.Digest(hex.EncodeToString(hash.Sum(nil))), size, nil
		}
		if err != nil {
			return "", 0, fmt.Errorf("read: %w", err)
		}
	}
}

// storageWriter remembers its error, so that a full disk is told from a source
// that cannot be read.
type storageWriter struct {
	file *os.File
	err  error
}

// Write writes to the file.
func (w *storageWriter) Write(content []byte) (int, error) {
	n, err := w.file.Write(content)
	w.err = err
	return n, err
}

func storageError(problem string, err error) error {
	return &pipeline.Error{Kind: pipeline.Storage, Problem: problem, Err: err}
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return storageError("sync a folder", err)
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return storageError("sync a folder", err)
	}
	return nil
}

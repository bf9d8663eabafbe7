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
type Archive struct{ public, private string }

var (
	errChanged  = errors.New("the file changed while it was read")
	errTooLarge = errors.New("the file is larger than its card allows")
)

// NewArchive names the folders; they are made when the first file is added.
func NewArchive(publicDir, privateDir string) *Archive {
	return &Archive{public: publicDir, private: privateDir}
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
	if err := copyAs(ctx, path, target, digest, maxBytes); err != nil {
		return "", 0, err
	}
	return digest, size, nil
}

// copyAs copies a file to target whole or not at all, if its bytes still have
// the digest.
func copyAs(ctx context.Context, path, target string, digest pipeline.Digest, maxBytes int64) error {
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

// Verify reads archived bytes again and compares their digest. A damaged file
// is moved aside, as <digest>.damaged, so that the same bytes can be added anew.
func (a *Archive) Verify(ctx context.Context, digest pipeline.Digest) error {
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

// Package zipped hands out the members of ZIP archives, one after the other.
//
// In comes an archive as publishers really make them: with folders, archives
// inside of archives, back-slashes and old character sets in names, and the
// litter of desktop systems. Out comes each regular member, unpacked into a
// temporary file so that it can be read at any place, in the order of names.
//
// This package never trusts a size that an archive declares, never writes
// under a name that an archive gives, and leaves no file behind. The format is
// described in PKWARE's APPNOTE.TXT; members must be stored or deflated.
package zipped

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

// Limits bound what an archive may cost. A zero stands for the default.
type Limits struct {
	Members int   // entries of all archives together, folders too
	Bytes   int64 // unpacked bytes of all members together, nested archives too
	Ratio   int64 // unpacked bytes for one packed byte, beyond [RatioFloor]
	Depth   int   // archives inside of archives; a negative number allows none
}

// The defaults of [Limits].
const (
	DefaultMembers = 10_000
	DefaultBytes   = 4 << 30
	DefaultRatio   = 200
	DefaultDepth   = 2
)

// RatioFloor is how many bytes may be unpacked at any ratio.
const RatioFloor = 10 << 20

func (l Limits) filled() Limits {
	if l.Members == 0 {
		l.Members = DefaultMembers
	}
	if l.Bytes == 0 {
		l.Bytes = DefaultBytes
	}
	if l.Ratio <= 0 {
		l.Ratio = DefaultRatio
	}
	if l.Depth == 0 {
		l.Depth = DefaultDepth
	}
	return l
}

// Is reports whether a file that begins with these bytes is a ZIP archive. It
// wants the first four bytes; an .xlsx is a ZIP archive, too.
func Is(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("PK\x05\x06"))
}

// Walk calls visit for each regular member of the archive in r, which is size
// bytes long, in the byte order of the names. A member whose name ends in .zip
// and that is a ZIP archive is walked into, and its members are called
// "outer.zip/inner.csv". Folders, "__MACOSX/", ".DS_Store" and "Thumbs.db" are
// passed over. Links and other special files are an error.
//
// Names come with slashes and in UTF-8; bytes that are no UTF-8 are read as
// code page 437. A name that is absolute, leads out of its folder, or occurs
// twice is an error, as is an encrypted member, a damaged one, and all that is
// beyond a limit: that error names the limit and its value.
//
// A member lies in a new folder within tempDir, and can be read only until
// visit returns. An error of visit ends the walk and is returned as it is.
// What was visited before an error is sound: its checksum was right.
func Walk(ctx context.Context, r io.ReaderAt, size int64, limits Limits, tempDir string,
	visit func(name string, member io.ReaderAt, size int64) error,
) (err error) {
	dir, err := os.MkdirTemp(tempDir, "zip-")
	if err != nil {
		return fmt.Errorf("make a folder to unpack into: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	w := &walker{ctx: ctx, limits: limits.filled(), packed: size, dir: dir, visit: visit,
		buffer: make([]byte, 128<<10)}
	return w.archive(r, size, "", 0)
}

type walker struct {
	ctx     context.Context
	limits  Limits
	packed  int64 // size of the outermost archive
	dir     string
	visit   func(name string, member io.ReaderAt, size int64) error
	buffer  []byte
	members int   // seen so far
	bytes   int64 // unpacked so far
}

// archive walks one archive; prefix is its own name and a slash, or nothing.
func (w *walker) archive(r io.ReaderAt, size int64, prefix string, depth int) error {
	list, err := w.list(r, size, prefix, depth)
	if err != nil {
		return err
	}
	for _, m := range list {
		if err := w.member(m, prefix, size, depth); err != nil {
			return err
		}
	}
	return nil
}

// member unpacks one member, and visits it or walks into it.
func (w *walker) member(m member, prefix string, archiveSize int64, depth int) (err error) {
	file, err := os.CreateTemp(w.dir, "member-")
	if err != nil {
		return fmt.Errorf("make a file to unpack into: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	size, err := w.unpack(file, m.file, archiveSize)
	if err != nil {
		return fmt.Errorf("member %q: %w", prefix+m.name, err)
	}
	content := io.NewSectionReader(file, 0, size)
	if m.nested {
		return w.archive(content, size, prefix+m.name+"/", depth+1)
	}
	return w.visit(prefix+m.name, content, size)
}

// unpack copies what a member holds, counts it, and compares its checksum.
func (w *walker) unpack(target io.Writer, file *zip.File, archiveSize int64) (int64, error) {
	source, err := file.Open()
	if err != nil {
		return 0, damaged(err)
	}
	defer source.Close()                                                     // nothing to lose: it is only read
	packed := int64(min(file.CompressedSize64, uint64(max(archiveSize, 0)))) // what is declared may be a lie
	sum := crc32.NewIEEE()
	var size int64
	for {
		if err := w.ctx.Err(); err != nil {
			return 0, err
		}
		n, readErr := source.Read(w.buffer)
		size += int64(n)
		w.bytes += int64(n)
		if err := w.within(size, packed); err != nil {
			return 0, err
		}
		sum.Write(w.buffer[:n]) // never fails
		if _, err := target.Write(w.buffer[:n]); err != nil {
			return 0, fmt.Errorf("unpack: %w", err)
		}
		switch {
		case errors.Is(readErr, io.EOF) && sum.Sum32() != file.CRC32:
			return 0, damaged(zip.ErrChecksum)
		case errors.Is(readErr, io.EOF):
			return size, nil
		case readErr != nil:
			return 0, damaged(readErr)
		}
	}
}

// within compares what has been unpacked with the limits.
func (w *walker) within(size, packed int64) error {
	if w.bytes > w.limits.Bytes {
		return fmt.Errorf("the archive unpacks to more than the limit Bytes = %d allows", w.limits.Bytes)
	}
	ratio := w.limits.Ratio
	if size > RatioFloor && size/ratio > packed {
		return fmt.Errorf("%d packed bytes unpack to more than the limit Ratio = %d allows", packed, ratio)
	}
	if w.bytes > RatioFloor && w.bytes/ratio > w.packed {
		return fmt.Errorf("an archive of %d bytes unpacks to more than the limit Ratio = %d allows", w.packed, ratio)
	}
	return nil
}

func damaged(err error) error {
	if errors.Is(err, zip.ErrAlgorithm) {
		return fmt.Errorf("it is packed by a method that is not known here, want stored or deflated: %w", err)
	}
	return fmt.Errorf("the ZIP archive is cut short or damaged: %w", err)
}

package biff

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/richardlehane/mscfb"
)

// What opening a compound file may read before its streams are reached:
// header, directory and tables. The library walks the directory by recursion,
// as deep as it has entries, and no recover could mend an exhausted stack;
// 32,768 entries are far more than a workbook has.
const (
	openingBytes = 4 << 20
	openingReads = 1 << 16
)

var signature = []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")

// openStream finds the stream of records in a compound file.
func openStream(r io.ReaderAt, size int64) (mscfb.File, error) {
	guard := &guarded{in: r, size: size, opening: true}
	if err := checkHeader(guard); err != nil {
		return mscfb.File{}, err
	}
	compound, err := mscfb.New(guard)
	if err != nil {
		return mscfb.File{}, damaged("read its table of contents: %w", err)
	}
	guard.opening = false
	var found *mscfb.File
	encrypted := false
	for _, file := range compound.File {
		if len(file.Path) > 0 || file.FileInfo().IsDir() {
			continue
		}
		switch strings.ToLower(file.Name) {
		case "workbook":
			found = file
		case "book":
			if found == nil {
				found = file
			}
		case "encryptedpackage":
			encrypted = true
		}
	}
	switch {
	case found != nil && (found.Size > size || found.Size > StreamLimit):
		return mscfb.File{}, damaged("its workbook is said to have %d bytes, the file has %d (and %d are the limit)", found.Size, size, StreamLimit)
	case found != nil:
		return *found, nil
	case encrypted:
		return mscfb.File{}, errEncrypted
	}
	return mscfb.File{}, errors.New("the file is an Office file without an Excel workbook in it (perhaps a Word document)")
}

// checkHeader refuses what is no compound file, or one whose counts of tables
// go beyond the file.
func checkHeader(guard *guarded) error {
	head := make([]byte, min(512, max(guard.size, 0)))
	if n, err := guard.in.ReadAt(head, 0); n < len(head) {
		return fmt.Errorf("read the beginning of the file: %w", err)
	}
	if !bytes.HasPrefix(head, signature) {
		return fmt.Errorf("the file is %s, not an Excel 97-2003 workbook (.xls)", alien(head))
	}
	if len(head) < 512 {
		return damaged("it is cut off after %d bytes", len(head))
	}
	shift := binary.LittleEndian.Uint16(head[30:])
	if shift != 9 && shift != 12 {
		return damaged("its sectors have 2^%d bytes, want 2^9 or 2^12", shift)
	}
	sectors := guard.size >> shift
	for _, table := range []struct {
		name string
		at   int
	}{{"FAT", 44}, {"mini FAT", 64}, {"DIFAT", 72}} {
		if count := binary.LittleEndian.Uint32(head[table.at:]); int64(count) > sectors {
			return damaged("its %s is said to have %d sectors, the file has %d", table.name, count, sectors)
		}
	}
	return nil
}

// alien says what a file is if it is no compound file.
func alien(head []byte) string {
	start := bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\xEF\xBB\xBF")))
	for _, magic := range []struct{ start, what string }{
		{"\x09\x00\x04\x00", "a workbook of Excel 2 (BIFF2)"},
		{"\x09\x02\x06\x00", "a workbook of Excel 3 (BIFF3)"},
		{"\x09\x04\x06\x00", "a workbook of Excel 4 (BIFF4)"},
		{"\x09\x08", "a bare stream of Excel records (BIFF5 or later) without its container"},
		{"PK\x03\x04", "a newer Excel workbook (.xlsx) or another ZIP archive"},
	} {
		if bytes.HasPrefix(head, []byte(magic.start)) {
			return magic.what
		}
	}
	switch {
	case len(head) == 0:
		return "empty"
	case bytes.HasPrefix(start, []byte("<")):
		return "a web page or an XML document"
	}
	return "something else"
}

// guarded stands between the compound file and the library that reads it. It
// refuses reads outside of the file, reads of the header as if it were data
// (where broken chains lead), and endless reading while the file is opened.
type guarded struct {
	in      io.ReaderAt
	size    int64
	opening bool
	reads   int
	bytes   int
}

// ReadAt reads exactly len(p) bytes or fails.
func (g *guarded) ReadAt(p []byte, at int64) (int, error) {
	if g.opening {
		g.reads++
		g.bytes += len(p)
		if g.reads > openingReads || g.bytes > openingBytes {
			return 0, errors.New("its directory is larger than that of any workbook")
		}
	}
	if at < 0 || at > g.size-int64(len(p)) {
		return 0, fmt.Errorf("it points to byte %d, the file has %d: %w", at, g.size, io.ErrUnexpectedEOF)
	}
	if at < 512 && g.reads > 1 {
		return 0, errors.New("a chain of sectors breaks off")
	}
	n, err := g.in.ReadAt(p, at)
	if n == len(p) {
		return n, nil
	}
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

package extract

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"tamiz/extract/csvtext"
	"tamiz/extract/zipped"
	"tamiz/pipeline"
)

// headSize is how many bytes tell what kind of file it is.
const headSize = 4096

// piece is a run of bytes that holds a table: a raw file, a member of an
// archive, or what belongs to it.
type piece struct {
	io.ReaderAt
	size int64
}

// from reads the piece from an offset on.
func (p piece) from(offset int64) io.Reader { return io.NewSectionReader(p, offset, p.size-offset) }

func (p piece) head() []byte {
	head := make([]byte, min(headSize, p.size))
	n, _ := p.ReadAt(head, 0) // what is missing shows when it is read
	return head[:n]
}

// all reads a small piece whole.
func (p piece) all(limit int64) ([]byte, error) {
	if p.ReaderAt == nil {
		return nil, nil
	}
	if p.size > limit {
		return nil, fmt.Errorf("it is larger than %s", sizeText(limit))
	}
	return io.ReadAll(io.NewSectionReader(p, 0, p.size))
}

// eachPart reads the raw file, or each member of the archive that it is.
func (r *reading) eachPart(contents []content) error {
	main := piece{contents[0].file, contents[0].size}
	if err := csvtext.Foreign(main.head(), r.wanted()); err != nil && main.size == 0 {
		return err
	}
	if r.source.Parsing.Members != "" && zipped.Is(main.head()) {
		return r.eachMember(main)
	}
	beside := map[string]piece{}
	for _, c := range contents[1:] {
		beside[c.ending] = piece{c.file, c.size}
	}
	return r.readPiece("", main, beside)
}

// eachMember reads the members of an archive that the card names, in the
// order of their names.
func (r *reading) eachMember(archive piece) error {
	limits := zipped.Limits{Bytes: 8 * r.source.Parsing.MaxBytes} // unpacked, all together
	var seen []string
	beside := map[string]map[string]piece{} // path without its ending → ending → what lies there
	var inner error
	err := zipped.Walk(r.ctx, archive, archive.size, limits, r.scratch, func(name string, member io.ReaderAt, size int64) error {
		inner = r.ctx.Err()
		ending := strings.ToLower(path.Ext(name))
		stem := strings.TrimSuffix(name, path.Ext(name))
		switch {
		case inner != nil:
		case r.wants(name):
			inner = r.readPiece(name, piece{member, size}, beside[stem])
		case slices.Contains(r.source.Companions(), ending):
			if beside[stem] == nil {
				beside[stem] = map[string]piece{}
			}
			beside[stem][ending], inner = r.set(piece{member, size})
		default:
			seen = append(seen, name)
		}
		return inner
	})
	switch {
	case inner != nil:
		return inner
	case err != nil:
		return r.unreadable("ZIP archive", err)
	case r.parts == 0:
		return &pipeline.Error{Kind: pipeline.Drift, Problem: "no member of the ZIP archive is the one that the card names",
			Expected: r.source.Parsing.Members, Found: csvtext.Cut(strings.Join(seen, ", ")),
			Hint: "if one of them is the right one, let this line in " + r.source.Path + " fit its name:\n  members: " + r.source.Parsing.Members}
	}
	return nil
}

// set copies a member aside, for it is needed after its turn.
func (r *reading) set(member piece) (piece, error) {
	file, err := os.CreateTemp(r.scratch, "beside-")
	if err != nil {
		return piece{}, storageError("unpack an archive", err)
	}
	if err := os.Remove(file.Name()); err != nil { // it lives as long as it is open
		return piece{}, storageError("unpack an archive", errors.Join(err, file.Close()))
	}
	size, err := copyAll(r.ctx, file, io.NewSectionReader(member, 0, member.size))
	if err != nil {
		return piece{}, storageError("unpack an archive", errors.Join(err, file.Close()))
	}
	r.kept = append(r.kept, file)
	return piece{file, size}, nil
}

// wants reports whether the card's pattern names a member: by its whole path
// if the pattern has a slash, else by its last part, in any case.
func (r *reading) wants(name string) bool {
	pattern := strings.ToLower(r.source.Parsing.Members)
	name = strings.ToLower(name)
	if !strings.Contains(pattern, "/") {
		name = path.Base(name)
	}
	ok, _ := path.Match(pattern, name)
	return ok
}

// readPiece finds out which of the card's formats a piece has, and reads it.
func (r *reading) readPiece(name string, p piece, beside map[string]piece) error {
	r.part = name
	format, err := r.formatOf(p)
	if err != nil {
		return err
	}
	return formats[format](r, name, p, beside)
}

// formatOf tells a piece's format by its first bytes, among those of the card.
func (r *reading) formatOf(p piece) (string, error) {
	head := p.head()
	found := ""
	for _, sign := range signs {
		if strings.HasPrefix(string(head), sign.start) {
			found = sign.format
			break
		}
	}
	if slices.Contains(r.source.Parsing.Formats, found) {
		return found, nil
	}
	if found == "" { // a text, or a table whose beginning says little
		for _, format := range r.source.Parsing.Formats {
			if looksLike(format, head) {
				return format, nil
			}
		}
	}
	if err := csvtext.Foreign(head, r.wanted()); err != nil {
		if len(found) > 0 {
			err.Hint = fmt.Sprintf("if the publisher has changed the format, write into %s:\n  format: [%s]\nor export the table as %s, and put that file into the inbox",
				r.source.Path, strings.Join(append(slices.Clone(r.source.Parsing.Formats), found), ", "), r.source.Parsing.Formats[0])
		}
		return "", err
	}
	return "", &pipeline.Error{Kind: pipeline.Drift, Problem: "the file is not " + r.wanted(),
		Found: csvtext.Cut(fmt.Sprintf("%q", head[:min(len(head), 60)])), Hint: "get the file again, or ask its publisher"}
}

// wanted names the card's formats in words.
func (r *reading) wanted() string {
	var words []string
	for _, format := range r.source.Parsing.Formats {
		words = append(words, formatWords[format])
	}
	return strings.Join(words, " or ")
}

// unreadable says that a decoder could not read a piece.
func (r *reading) unreadable(what string, err error) error {
	var e *pipeline.Error
	var fault *csvtext.Fault
	if errors.As(err, &e) || errors.As(err, &fault) || errors.Is(err, io.EOF) || r.ctx.Err() != nil {
		return err
	}
	for _, ours := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG, syscall.EROFS, syscall.EIO} {
		if errors.Is(err, ours) { // our disk, where it is unpacked: the publisher is not to blame
			return storageError("unpack the "+what, err)
		}
	}
	return &pipeline.Error{Kind: pipeline.Drift, Problem: "the " + what + " cannot be read", Err: err,
		Hint: "the download may have been cut short; get the file again, or ask its publisher"}
}

// spill is a folder for what a decoder unpacks.
func (r *reading) spill() (string, error) {
	dir := filepath.Join(r.scratch, "unpacked")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", storageError("make a folder for a table", err)
	}
	return dir, nil
}

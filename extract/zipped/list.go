package zipped

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// member is an entry that will be visited or walked into.
type member struct {
	name   string // clean, in UTF-8, with slashes
	nested bool
	file   *zip.File
}

// key sorts a nested archive where the names of its members belong.
func (m member) key() string {
	if m.nested {
		return m.name + "/"
	}
	return m.name
}

// list gives the members of an archive, checked and in the order of names.
func (w *walker) list(r io.ReaderAt, size int64, prefix string, depth int) ([]member, error) {
	files, err := w.directory(r, size, prefix)
	if err != nil {
		return nil, err
	}
	var list []member
	seen := map[string]bool{}
	for _, file := range files {
		name, err := cleanName(file.Name)
		if err != nil {
			return nil, fmt.Errorf("member %q: %w", prefix+file.Name, err)
		}
		if isFolder(file) || isLitter(name) {
			continue
		}
		if err := w.check(file, seen[name]); err != nil {
			return nil, fmt.Errorf("member %q: %w", prefix+name, err)
		}
		seen[name] = true
		nested, err := isNested(name, file)
		if err != nil {
			return nil, fmt.Errorf("member %q: %w", prefix+name, err)
		}
		if nested && depth >= w.limits.Depth {
			return nil, fmt.Errorf("member %q: archives lie inside of archives beyond the limit Depth = %d", prefix+name, w.limits.Depth)
		}
		list = append(list, member{name: name, nested: nested, file: file})
	}
	slices.SortFunc(list, func(a, b member) int { return strings.Compare(a.key(), b.key()) })
	for i := 1; i < len(list); i++ {
		if before := list[i-1]; before.nested && strings.HasPrefix(list[i].name, before.key()) {
			return nil, fmt.Errorf("member %q: %q is an archive and a folder at once", prefix+list[i].name, prefix+before.name)
		}
	}
	return list, nil
}

// directory reads the central directory, within the limit of members.
func (w *walker) directory(r io.ReaderAt, size int64, prefix string) ([]*zip.File, error) {
	left := max(w.limits.Members-w.members, 0)
	files, err := Directory(r, size, left)
	inside := ""
	if prefix != "" {
		inside = fmt.Sprintf("member %q: ", strings.TrimSuffix(prefix, "/"))
	}
	w.members += len(files)
	switch {
	case errors.Is(err, ErrMembers):
		return nil, fmt.Errorf("%sthe archive has more members than the limit Members = %d allows", inside, w.limits.Members)
	case err != nil:
		return nil, fmt.Errorf("%s%w", inside, damaged(err))
	}
	return files, nil
}

// cleanName gives the name of an entry with slashes and in UTF-8.
func cleanName(raw string) (string, error) {
	name := raw
	if !utf8.ValidString(name) {
		var text strings.Builder
		for _, b := range []byte(name) {
			text.WriteRune(charmap.CodePage437.DecodeByte(b))
		}
		name = text.String()
	}
	name = strings.ReplaceAll(name, `\`, "/")
	switch {
	case name == "":
		return "", errors.New("it has no name")
	case strings.ContainsRune(name, 0):
		return "", errors.New("its name holds a NUL character")
	case strings.HasPrefix(name, "/"):
		return "", errors.New("its name is an absolute path")
	case len(name) > 1 && name[1] == ':' && (name[0]|0x20 >= 'a' && name[0]|0x20 <= 'z'):
		return "", errors.New("its name begins with a drive letter")
	case slices.Contains(strings.Split(name, "/"), ".."):
		return "", errors.New(`its name leads out of its folder by ".."`)
	}
	return path.Clean(name), nil
}

func isFolder(file *zip.File) bool {
	return strings.HasSuffix(file.Name, "/") || strings.HasSuffix(file.Name, `\`) || file.Mode().IsDir()
}

// isLitter tells what desktop systems leave in archives.
func isLitter(name string) bool {
	base := path.Base(name)
	return base == ".DS_Store" || base == "Thumbs.db" || slices.Contains(strings.Split(name, "/"), "__MACOSX")
}

func (w *walker) check(file *zip.File, seen bool) error {
	const encrypted = 0x1
	switch {
	case seen:
		return errors.New("two members have this name")
	case path.Clean(file.Name) == ".":
		return errors.New("it has no name")
	case file.Flags&encrypted != 0:
		return errors.New("it is encrypted; get the archive without a password")
	case !file.Mode().IsRegular():
		return errors.New("it is a link or a special file, want a regular one")
	}
	return nil
}

// isNested reports whether an entry is an archive to walk into: its name says
// so and so do its first bytes.
func isNested(name string, file *zip.File) (bool, error) {
	if !strings.EqualFold(path.Ext(name), ".zip") {
		return false, nil
	}
	source, err := file.Open()
	if err != nil {
		return false, damaged(err)
	}
	defer source.Close() // nothing to lose: it is only read
	head := make([]byte, 4)
	n, err := io.ReadFull(source, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false, damaged(err)
	}
	return Is(head[:n]), nil
}

package xlsx

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"tamiz/extract/zipped"
)

const oleMagic = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

// parts are the members of the ZIP archive that a workbook is.
type parts struct {
	size   int64
	byName map[string]*zip.File // in lower case, with slashes
}

// openParts reads the directory of the archive.
func openParts(r io.ReaderAt, size int64) (*parts, error) {
	if size > PackedLimit {
		return nil, fmt.Errorf("the workbook has %d bytes, more than the limit of %d", size, PackedLimit)
	}
	head := make([]byte, min(max(size, 0), 8))
	if n, err := r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the workbook: %w", err)
	} else if head = head[:n]; bytes.Equal(head, []byte(oleMagic)) {
		return nil, errors.New("the workbook is protected by a password, or an .xls file of old: save it as .xlsx without a password")
	}
	files, err := zipped.Directory(r, size, PartsLimit)
	switch {
	case errors.Is(err, zipped.ErrMembers):
		return nil, fmt.Errorf("the workbook has more than %d parts", PartsLimit)
	case err != nil:
		return nil, fmt.Errorf("it is no .xlsx workbook, or cut short: %w", err)
	}
	p := &parts{size: size, byName: map[string]*zip.File{}}
	for _, file := range files {
		name := partName(file.Name)
		if p.byName[name] != nil {
			return nil, fmt.Errorf("two parts of the workbook are called %q", file.Name)
		}
		p.byName[name] = file
	}
	return p, nil
}

func partName(name string) string {
	return strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(name, `\`, "/"), "/"))
}

// find gives a part whose declared sizes are within the limits. The ZIP reader
// gives an error where a part turns out longer than declared.
func (p *parts) find(name string, limit uint64) (*zip.File, error) {
	file := p.byName[partName(name)]
	const encrypted = 0x1
	switch {
	case file == nil:
		return nil, fmt.Errorf("the workbook has no part %q: it is damaged or no .xlsx workbook", name)
	case file.Flags&encrypted != 0:
		return nil, fmt.Errorf("part %q is encrypted", name)
	case file.CompressedSize64 > uint64(p.size):
		return nil, fmt.Errorf("part %q: %w", name, damaged(io.ErrUnexpectedEOF))
	case file.UncompressedSize64 > limit:
		return nil, fmt.Errorf("part %q unpacks to %d bytes, more than the limit of %d", name, file.UncompressedSize64, limit)
	case file.UncompressedSize64 > RatioFloor && file.UncompressedSize64/RatioLimit > file.CompressedSize64:
		return nil, fmt.Errorf("part %q unpacks to more than %d times its packed size", name, RatioLimit)
	}
	return file, nil
}

// stream begins to read the XML of a part; what is read is counted.
func (p *parts) stream(name string, limit uint64) (*stream, error) {
	file, err := p.find(name, limit)
	if err != nil {
		return nil, err
	}
	source, err := file.Open()
	if err != nil {
		return nil, fmt.Errorf("part %q: %w", name, damaged(err))
	}
	return newStream(source, int64(limit)), nil
}

func damaged(err error) error {
	return fmt.Errorf("it is cut short or damaged: %w", err)
}

// link is a relationship from one part to another.
type link struct{ kind, target string }

// links reads the relationships of a part, by their identifiers.
func (p *parts) links(of string) (map[string]link, error) {
	name := path.Join(path.Dir(of), "_rels", path.Base(of)+".rels")
	if of == "" {
		name = "_rels/.rels"
	}
	found := map[string]link{}
	err := p.each(name, 2, func(element xml.StartElement) error {
		target, external := attribute(element, "Target"), attribute(element, "TargetMode") == "External"
		if element.Name.Local != "Relationship" || external {
			return nil
		}
		target = strings.ReplaceAll(target, `\`, "/")
		if !strings.HasPrefix(target, "/") {
			target = path.Join(path.Dir(of), target)
		}
		kind := attribute(element, "Type")
		found[attribute(element, "Id")] = link{kind: kind[strings.LastIndexByte(kind, '/')+1:], target: path.Clean(target)}
		return nil
	})
	return found, err
}

// each calls visit for all elements at one depth of a small part.
func (p *parts) each(name string, depth int, visit func(xml.StartElement) error) error {
	s, err := p.stream(name, SmallLimit)
	if err != nil {
		return err
	}
	defer s.close()
	for {
		token, err := s.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("part %q: %w", name, err)
		}
		if element, ok := token.(xml.StartElement); ok && s.depth == depth {
			if err := visit(element); err != nil {
				return fmt.Errorf("part %q: %w", name, err)
			}
		}
	}
}

// attribute gives the value of an attribute, of whatever namespace.
func attribute(element xml.StartElement, name string) string {
	for _, a := range element.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// readList finds the sheets and the part that holds the shared strings.
func (w *Workbook) readList() (stringsPath string, err error) {
	root, err := w.parts.links("")
	if err != nil {
		return "", err
	}
	book := ""
	for _, l := range root {
		if l.kind == "officeDocument" && (book == "" || l.target < book) {
			book = l.target
		}
	}
	switch {
	case book == "":
		return "", errors.New("the file is no Excel workbook: it names no main part")
	case strings.HasSuffix(book, ".bin"):
		return "", errors.New("the workbook is a binary one (.xlsb): save it as .xlsx")
	}
	links, err := w.parts.links(book)
	if err != nil {
		return "", err
	}
	for _, l := range links {
		if l.kind == "sharedStrings" && (stringsPath == "" || l.target < stringsPath) {
			stringsPath = l.target
		}
	}
	w.paths = map[string]string{}
	err = w.parts.each(book, 3, func(element xml.StartElement) error {
		name, l := attribute(element, "name"), links[attribute(element, "id")]
		if element.Name.Local != "sheet" || l.kind != "worksheet" && l.kind != "" { // "": Sheet will say that the part is missing
			return nil
		}
		if _, twice := w.paths[name]; twice {
			return fmt.Errorf("two sheets are called %q", name)
		}
		w.names = append(w.names, name)
		w.paths[name] = l.target
		return nil
	})
	return stringsPath, err
}

package zipped_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"tamiz/extract/zipped"
)

// entry is a member of an archive that a test builds.
type entry struct {
	name, content string
	header        func(*zip.FileHeader)
}

func build(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range entries {
		header := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		if e.header != nil {
			e.header(header)
		}
		member, err := w.CreateHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(member, e.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// walk gives what is visited, as "name=content".
func walk(t testing.TB, raw []byte, limits zipped.Limits) ([]string, error) {
	t.Helper()
	dir := t.TempDir()
	var seen []string
	err := zipped.Walk(t.Context(), bytes.NewReader(raw), int64(len(raw)), limits, dir,
		func(name string, member io.ReaderAt, size int64) error {
			content, err := io.ReadAll(io.NewSectionReader(member, 0, size))
			if err != nil || int64(len(content)) != size {
				t.Errorf("%s: %d bytes of %d, %v", name, len(content), size, err)
			}
			if len(content) > 20 {
				content = fmt.Appendf(nil, "%d bytes", len(content))
			}
			seen = append(seen, name+"="+string(content))
			return nil
		})
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("files are left behind: %v", left)
	}
	return seen, err
}

func TestIs(t *testing.T) {
	for head, want := range map[string]bool{
		"PK\x03\x04rest": true, "PK\x05\x06": true, "PK\x03": false, "": false, "PK\x07\x08": false, "\xd0\xcf\x11\xe0": false,
	} {
		if got := zipped.Is([]byte(head)); got != want {
			t.Errorf("Is(%q) = %v, want %v", head, got, want)
		}
	}
}

func TestWalk_VisitsInTheOrderOfNames(t *testing.T) {
	inner := string(build(t, entry{name: "z.csv", content: "z"}, entry{name: "b/a.csv", content: "a"}))
	book := string(build(t, entry{name: "xl/workbook.xml", content: "x"}))
	raw := build(t,
		entry{name: "outer.zip", content: inner},
		entry{name: "b.csv", content: "2"},
		entry{name: "outer.zip-notes.txt", content: "n"},
		entry{name: "folder/"},
		entry{name: `folder\a.csv`, content: "3"},
		entry{name: "B.csv", content: "1"},
		entry{name: "__MACOSX/._b.csv", content: "litter"},
		entry{name: "folder/__MACOSX/x", content: "litter"},
		entry{name: ".DS_Store", content: "litter"},
		entry{name: "folder/Thumbs.db", content: "litter"},
		entry{name: "./same/../b2", content: "never"},
	)
	if _, err := walk(t, raw, zipped.Limits{}); err == nil || !strings.Contains(err.Error(), `".."`) {
		t.Fatalf("got %v, want an error that names ..", err)
	}
	raw = build(t,
		entry{name: "outer.ZIP", content: inner},
		entry{name: "b.csv", content: "2"},
		entry{name: "outer.ZIP-notes.txt", content: "n"},
		entry{name: "folder/"},
		entry{name: `folder\a.csv`, content: "3"},
		entry{name: "B.csv", content: "1"},
		entry{name: "__MACOSX/._b.csv", content: "litter"},
		entry{name: "folder/__MACOSX/x", content: "litter"},
		entry{name: ".DS_Store", content: "litter"},
		entry{name: "folder/Thumbs.db", content: "litter"},
		entry{name: "no.zip", content: "plain text"},
		entry{name: "empty.zip", content: ""},
		entry{name: "book.xlsx", content: book},
		entry{name: "./dot.csv", content: "4"},
		entry{name: "a\xa4o.csv", content: "5", header: func(h *zip.FileHeader) { h.NonUTF8 = true }},
		entry{name: "año.txt", content: "6"},
	)
	got, err := walk(t, raw, zipped.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"B.csv=1", "año.csv=5", "año.txt=6", "b.csv=2", fmt.Sprintf("book.xlsx=%d bytes", len(book)),
		"dot.csv=4", "empty.zip=", "folder/a.csv=3", "no.zip=plain text",
		"outer.ZIP-notes.txt=n", "outer.ZIP/b/a.csv=a", "outer.ZIP/z.csv=z"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestWalk_RefusesNames(t *testing.T) {
	for name, want := range map[string]string{
		"/etc/x": "absolute path", `\server\x`: "absolute path", "../x": "leads out", `a\..\x`: "leads out",
		"C:x.csv": "drive letter", `d:\x`: "drive letter", "a\x00b": "NUL", ".": "no name", "../": "leads out",
		"a/b/..": "leads out",
	} {
		_, err := walk(t, build(t, entry{name: name}), zipped.Limits{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", name, err, want)
		}
	}
}

func TestWalk_RefusesMembers(t *testing.T) {
	inner := string(build(t, entry{name: "x", content: "1"}))
	cases := []struct {
		name    string
		entries []entry
		want    string
	}{
		{"twice", []entry{{name: "a/b"}, {name: `a\b`}}, `member "a/b": two members have this name`},
		{"archive and folder", []entry{{name: "a.zip", content: inner}, {name: "a.zip/x"}}, "an archive and a folder at once"},
		{"link", []entry{{name: "l", content: "/etc", header: func(h *zip.FileHeader) { h.SetMode(os.ModeSymlink | 0o777) }}}, "link"},
	}
	for _, c := range cases {
		if _, err := walk(t, build(t, c.entries...), zipped.Limits{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

// directoryAt finds the central directory's entry of a one-member archive.
func directoryAt(raw []byte) int { return bytes.Index(raw, []byte("PK\x01\x02")) }

func TestWalk_TellsDamage(t *testing.T) {
	const cut = "the ZIP archive is cut short or damaged: "
	whole := build(t, entry{name: "a.csv", content: strings.Repeat("some text ", 50)})
	stored := build(t, entry{name: "a.csv", content: "HELLO", header: func(h *zip.FileHeader) { h.Method = zip.Store }})
	change := func(raw []byte, edit func([]byte)) []byte {
		raw = bytes.Clone(raw)
		edit(raw)
		return raw
	}
	cases := []struct {
		name string
		raw  []byte
		want string
	}{
		{"empty", nil, cut},
		{"no archive", []byte("id,name\n1,x\n"), cut},
		{"cut", whole[:len(whole)-30], cut},
		{"half", whole[:len(whole)/2], cut},
		{"checksum", change(stored, func(b []byte) { b[bytes.Index(b, []byte("HELLO"))] = 'J' }), `member "a.csv": ` + cut},
		{"checksum of nought", change(stored, func(b []byte) {
			b[bytes.Index(b, []byte("HELLO"))] = 'J'
			clear(b[directoryAt(b)+16 : directoryAt(b)+20])
			b[directoryAt(b)+8] &^= 8 // no data descriptor
		}), "checksum"},
		{"longer than declared", change(whole, func(b []byte) {
			binary.LittleEndian.PutUint32(b[directoryAt(b)+24:], 10)
		}), cut},
		{"shorter than declared", change(whole, func(b []byte) {
			binary.LittleEndian.PutUint32(b[directoryAt(b)+24:], 1<<30)
		}), cut},
		{"encrypted", change(whole, func(b []byte) { b[directoryAt(b)+8] |= 1 }), `member "a.csv": it is encrypted`},
		{"method", change(whole, func(b []byte) { b[directoryAt(b)+10] = 12 }), "want stored or deflated"},
		{"nested", build(t, entry{name: "in.zip", content: string(whole[:len(whole)-30])}), `member "in.zip": ` + cut},
	}
	for _, c := range cases {
		if _, err := walk(t, c.raw, zipped.Limits{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func TestWalk_NamesTheLimit(t *testing.T) {
	leaf := entry{name: "x.csv", content: "1234567890"}
	one := string(build(t, leaf, entry{name: "y.csv", content: "1234567890"}))
	two := string(build(t, entry{name: "one.zip", content: one}))
	three := string(build(t, entry{name: "two.zip", content: two}))
	zeros := entry{name: "zeros", content: strings.Repeat("\x00", 12<<20)}
	many := make([]entry, 0, 3000)
	for i := range cap(many) {
		many = append(many, entry{name: fmt.Sprintf("%d-%s", i, strings.Repeat("n", 1000))})
	}
	cases := []struct {
		name   string
		raw    []byte
		limits zipped.Limits
		want   string
	}{
		{"members", []byte(one), zipped.Limits{Members: 1}, "Members = 1 "},
		{"members of nested archives", []byte(three), zipped.Limits{Members: 3}, "Members = 3 "},
		{"large directory", build(t, many...), zipped.Limits{Members: 2}, "Members = 2 "},
		{"bytes", []byte(one), zipped.Limits{Bytes: 19}, "Bytes = 19 "},
		{"bytes of nested archives", []byte(two), zipped.Limits{Bytes: int64(len(one)) + 19}, "Bytes = "},
		{"ratio", build(t, zeros), zipped.Limits{}, "Ratio = 200 "},
		{"depth", []byte(two), zipped.Limits{Depth: -1}, "Depth = -1"},
		{"default depth", build(t, entry{name: "three.zip", content: three}), zipped.Limits{}, "Depth = 2"},
	}
	for _, c := range cases {
		if _, err := walk(t, c.raw, c.limits); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	for name, raw := range map[string][]byte{
		"the limits themselves": []byte(one),
		"three archives":        []byte(three),
	} {
		if _, err := walk(t, raw, zipped.Limits{Members: 4}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := walk(t, build(t, zeros), zipped.Limits{Ratio: 2000}); err != nil {
		t.Errorf("a higher ratio: %v", err)
	}
}

// overlapped builds an archive whose n entries share the same packed bytes.
func overlapped(t testing.TB, n, size int) []byte {
	one := build(t, entry{name: "000", content: strings.Repeat("\x00", size)})
	at := directoryAt(one)
	end := bytes.Index(one, []byte("PK\x05\x06"))
	out := bytes.Clone(one[:at])
	for i := range n {
		record := bytes.Clone(one[at:end])
		copy(record[46:], fmt.Sprintf("%03d", i))
		out = append(out, record...)
	}
	tail := bytes.Clone(one[end:])
	binary.LittleEndian.PutUint16(tail[8:], uint16(n))
	binary.LittleEndian.PutUint16(tail[10:], uint16(n))
	binary.LittleEndian.PutUint32(tail[12:], uint32(n*(end-at)))
	return append(out, tail...)
}

func TestWalk_CountsEntriesThatShareTheirBytes(t *testing.T) {
	raw := overlapped(t, 100, 1<<20)
	if seen, err := walk(t, raw, zipped.Limits{}); err == nil || !strings.Contains(err.Error(), "Ratio = 200 ") || len(seen) > 20 {
		t.Errorf("got %d members and %v", len(seen), err)
	}
	if seen, err := walk(t, overlapped(t, 3, 100), zipped.Limits{}); err != nil || len(seen) != 3 {
		t.Errorf("got %q and %v", seen, err)
	}
}

func TestWalk_StopsWhenToldTo(t *testing.T) {
	raw := build(t, entry{name: "a", content: "1"}, entry{name: "b", content: "2"})
	mine := errors.New("mine")
	calls := 0
	err := zipped.Walk(t.Context(), bytes.NewReader(raw), int64(len(raw)), zipped.Limits{}, t.TempDir(),
		func(string, io.ReaderAt, int64) error { calls++; return mine })
	if !errors.Is(err, mine) || calls != 1 {
		t.Errorf("got %v after %d calls", err, calls)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = zipped.Walk(ctx, bytes.NewReader(raw), int64(len(raw)), zipped.Limits{}, t.TempDir(),
		func(string, io.ReaderAt, int64) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
}

func FuzzWalk(f *testing.F) {
	leaf := build(f, entry{name: "a.csv", content: "id,name\n1,x\n"}, entry{name: `d\b.txt`, content: ""}, entry{name: "d/"})
	nested := build(f, entry{name: "in.zip", content: string(leaf)}, entry{name: "c\xa4", content: "c", header: func(h *zip.FileHeader) { h.NonUTF8 = true }})
	deep := build(f, entry{name: "b.zip", content: string(nested)}, entry{name: "../up", content: "1"})
	for _, raw := range [][]byte{leaf, nested, deep, overlapped(f, 20, 5000), leaf[:40], build(f),
		build(f, entry{name: "bomb.zip", content: string(build(f, entry{name: "0", content: strings.Repeat("\x00", 1<<20)}))})} {
		f.Add(raw)
	}
	limits := zipped.Limits{Members: 30, Bytes: 300_000, Ratio: 100, Depth: 2}
	f.Fuzz(func(t *testing.T, raw []byte) {
		dir, last, members, total := t.TempDir(), "", 0, int64(0)
		err := zipped.Walk(t.Context(), bytes.NewReader(raw), int64(len(raw)), limits, dir,
			func(name string, member io.ReaderAt, size int64) error {
				if name <= last {
					t.Errorf("%q comes after %q", name, last)
				}
				if strings.HasPrefix(name, "/") || strings.Contains(name, `\`) || slices.Contains(strings.Split(name, "/"), "..") {
					t.Errorf("the name %q is not safe", name)
				}
				content, err := io.ReadAll(io.NewSectionReader(member, 0, size))
				if err != nil || int64(len(content)) != size {
					t.Errorf("%d bytes of %d, %v", len(content), size, err)
				}
				last, total = name, total+size
				members++
				return nil
			})
		if members > limits.Members || total > limits.Bytes {
			t.Errorf("%d members, %d bytes: beyond the limits, %v", members, total, err)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("files are left behind: %v", left)
		}
	})
}

package csvtext

import (
	"fmt"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// Encoding says which characters the bytes of a file stand for. All that are
// known agree with ASCII in their lower half, so that separators, quotes and
// line ends are found without decoding.
type Encoding struct {
	name   string
	table  *charmap.Charmap // nil for utf-8
	glyphs [256]string      // by byte, in UTF-8; "" where the encoding has none
}

// FindEncoding gives the encoding that a card calls by that name.
func FindEncoding(name string) (*Encoding, error) {
	e := &Encoding{name: name}
	switch name {
	case "utf-8":
		return e, nil
	case "latin-1":
		e.table = charmap.ISO8859_1
	case "windows-1252":
		e.table = charmap.Windows1252
	case "mac-roman":
		e.table = charmap.Macintosh
	default:
		return nil, fmt.Errorf("encoding %q is unknown: want utf-8, latin-1, windows-1252 or mac-roman", name)
	}
	for b := range e.glyphs {
		if r := e.table.DecodeByte(byte(b)); r != utf8.RuneError && !isC1(r) {
			e.glyphs[b] = string(r)
		}
	}
	return e, nil
}

// Name is what a card calls the encoding.
func (e *Encoding) Name() string { return e.name }

// AppendText appends the text that raw bytes stand for, in UTF-8.
func (e *Encoding) AppendText(text, raw []byte) []byte {
	if e.table == nil {
		return append(text, raw...)
	}
	for {
		plain := 0
		for plain < len(raw) && raw[plain] < utf8.RuneSelf {
			plain++
		}
		text = append(text, raw[:plain]...)
		if plain == len(raw) {
			return text
		}
		glyph := e.glyphs[raw[plain]]
		if glyph == "" {
			glyph = string(utf8.RuneError)
		}
		text, raw = append(text, glyph...), raw[plain+1:]
	}
}

// bytesOf gives the bytes that stand for a word, if the encoding has all of
// its characters.
func (e *Encoding) bytesOf(word string) ([]byte, bool) {
	if e.table == nil {
		return []byte(word), true
	}
	return encode(e.table, word)
}

// wrongAt gives the place of the first byte in a run of bytes ≥ 0x80 that is
// no text in this encoding, or -1.
func (e *Encoding) wrongAt(run []byte) int {
	if e.table != nil {
		for i, b := range run {
			if e.glyphs[b] == "" {
				return i
			}
		}
		return -1
	}
	for i := 0; i < len(run); {
		r, size := utf8.DecodeRune(run[i:])
		if (r == utf8.RuneError && size <= 1) || isC1(r) {
			return i
		}
		i += size
	}
	return -1
}

// isC1 reports whether r is one of the control characters that no text holds.
func isC1(r rune) bool { return r >= 0x80 && r <= 0x9F }

func encode(table *charmap.Charmap, word string) ([]byte, bool) {
	encoded := make([]byte, 0, len(word))
	for _, r := range word {
		b, ok := table.EncodeRune(r)
		if !ok {
			return nil, false
		}
		encoded = append(encoded, b)
	}
	return encoded, true
}

// encodedTwice reports whether a run of characters beyond ASCII, put back into
// the bytes of an older encoding, is UTF-8 again: "Ã©" for "é". Real text does
// not do that by chance more than now and then.
func encodedTwice(run []byte) bool {
	if utf8.RuneCount(run) < 2 {
		return false
	}
	for _, table := range []*charmap.Charmap{charmap.Windows1252, charmap.ISO8859_1, charmap.Macintosh} {
		if inner, ok := encode(table, string(run)); ok && utf8.Valid(inner) {
			return true
		}
	}
	return false
}

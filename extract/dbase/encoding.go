package dbase

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// encoding says which characters the bytes of text stand for.
type encoding struct {
	name  string
	table *charmap.Charmap // nil for utf-8
}

// tables are the encodings of one byte a character that are known.
var tables = map[string]*charmap.Charmap{
	"cp437": charmap.CodePage437, "cp850": charmap.CodePage850, "cp852": charmap.CodePage852,
	"cp855": charmap.CodePage855, "cp858": charmap.CodePage858, "cp860": charmap.CodePage860,
	"cp862": charmap.CodePage862, "cp863": charmap.CodePage863, "cp865": charmap.CodePage865,
	"cp866":      charmap.CodePage866,
	"iso-8859-1": charmap.ISO8859_1, "iso-8859-2": charmap.ISO8859_2, "iso-8859-3": charmap.ISO8859_3,
	"iso-8859-4": charmap.ISO8859_4, "iso-8859-5": charmap.ISO8859_5, "iso-8859-6": charmap.ISO8859_6,
	"iso-8859-7": charmap.ISO8859_7, "iso-8859-8": charmap.ISO8859_8, "iso-8859-9": charmap.ISO8859_9,
	"iso-8859-10": charmap.ISO8859_10, "iso-8859-13": charmap.ISO8859_13, "iso-8859-14": charmap.ISO8859_14,
	"iso-8859-15": charmap.ISO8859_15, "iso-8859-16": charmap.ISO8859_16,
	"koi8-r": charmap.KOI8R, "koi8-u": charmap.KOI8U,
	"mac-roman": charmap.Macintosh, "mac-cyrillic": charmap.MacintoshCyrillic,
	"windows-874": charmap.Windows874, "windows-1250": charmap.Windows1250, "windows-1251": charmap.Windows1251,
	"windows-1252": charmap.Windows1252, "windows-1253": charmap.Windows1253, "windows-1254": charmap.Windows1254,
	"windows-1255": charmap.Windows1255, "windows-1256": charmap.Windows1256, "windows-1257": charmap.Windows1257,
	"windows-1258": charmap.Windows1258,
}

// aliases are names that follow no rule, folded.
var aliases = map[string]string{
	"utf8": "utf-8", "65001": "utf-8", "ascii": "utf-8", "usascii": "utf-8", "20127": "utf-8",
	"ansi": "windows-1252", "latin1": "iso-8859-1", "l1": "iso-8859-1", "latin9": "iso-8859-15",
	"macroman": "mac-roman", "macintosh": "mac-roman", "10000": "mac-roman",
	"maccyrillic": "mac-cyrillic", "10007": "mac-cyrillic",
	"28603": "iso-8859-13", "28605": "iso-8859-15",
	"koi8r": "koi8-r", "20866": "koi8-r", "koi8u": "koi8-u", "21866": "koi8-u",
}

// languages gives the code pages by the language byte of a header. Some of them
// are not known here.
var languages = map[byte]string{
	0x01: "437", 0x02: "850", 0x03: "1252", 0x04: "10000", 0x08: "865", 0x09: "437", 0x0A: "850", 0x0B: "437",
	0x0D: "437", 0x0E: "850", 0x0F: "437", 0x10: "850", 0x11: "437", 0x12: "850", 0x13: "932", 0x14: "850",
	0x15: "437", 0x16: "850", 0x17: "865", 0x18: "437", 0x19: "437", 0x1A: "850", 0x1B: "437", 0x1C: "863",
	0x1D: "850", 0x1F: "852", 0x22: "852", 0x23: "852", 0x24: "860", 0x25: "850", 0x26: "866", 0x37: "850",
	0x40: "852", 0x4D: "936", 0x4E: "949", 0x4F: "950", 0x50: "874", 0x57: "1252", 0x58: "1252", 0x59: "1252",
	0x64: "852", 0x65: "866", 0x66: "865", 0x67: "861", 0x68: "895", 0x69: "620", 0x6A: "737", 0x6B: "857",
	0x6C: "863", 0x78: "950", 0x79: "949", 0x7A: "936", 0x7B: "932", 0x7C: "874", 0x7D: "1255", 0x7E: "1256",
	0x86: "737", 0x87: "852", 0x88: "857", 0x96: "10007", 0x97: "10029", 0x98: "10006",
	0xC8: "1250", 0xC9: "1251", 0xCA: "1254", 0xCB: "1253", 0xCC: "1257",
}

// Encoding gives the name by which an encoding is called here ("utf-8",
// "windows-1252", "iso-8859-1", "cp850", "mac-roman"), for a name as .cpg files
// have it: upper and lower case, blanks and marks do not matter, and the number
// of a code page is enough ("ISO 88591", "ANSI 1252", "1252", "65001"). It
// reports whether the encoding is known.
func Encoding(name string) (string, bool) {
	if len(name) > 100 {
		return "", false
	}
	folded := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name))
	for _, prefix := range []string{"", "windows", "ansi", "oem", "codepage", "cp", "ibm", "dos", "iso"} {
		number, ok := strings.CutPrefix(folded, prefix)
		if !ok {
			continue
		}
		if alias, ok := aliases[number]; ok {
			return alias, true
		}
		for _, known := range []string{"windows-" + number, "cp" + number, isoName(number)} {
			if tables[known] != nil {
				return known, true
			}
		}
	}
	return "", false
}

// isoName turns 88591 and the code page 28591 into iso-8859-1.
func isoName(number string) string {
	if part, ok := strings.CutPrefix(number, "8859"); ok {
		return "iso-8859-" + part
	}
	if part, ok := strings.CutPrefix(number, "285"); ok && len(part) == 2 {
		return "iso-8859-" + strings.TrimPrefix(part, "9")
	}
	return ""
}

// findEncoding finds the encoding of a table by a name or, without one, by the
// language byte of its header.
func findEncoding(name string, language byte) (encoding, error) {
	if name == "" {
		page, ok := languages[language]
		if !ok {
			page = "1252"
		}
		canonical, ok := Encoding(page)
		if !ok {
			return encoding{}, fmt.Errorf("the header of the table says code page %s, which is not known: save the table in UTF-8, and say so", page)
		}
		return encoding{canonical, tables[canonical]}, nil
	}
	canonical, ok := Encoding(name)
	if !ok {
		return encoding{}, fmt.Errorf("the encoding %.40q is not known: want a name such as UTF-8, ISO-8859-1, 1252 or CP850", name)
	}
	return encoding{canonical, tables[canonical]}, nil
}

// decode gives the text that raw bytes stand for. Where the text is full, it
// may have been cut within a character; then that one is left out.
func (e encoding) decode(raw []byte, full bool) (string, error) {
	foreign := 0
	for _, b := range raw {
		if b >= utf8.RuneSelf {
			foreign++
		}
	}
	if foreign == 0 {
		return string(raw), nil
	}
	if e.table == nil {
		if full {
			raw = wholeCharacters(raw)
		}
		for at := 0; at < len(raw); {
			r, size := utf8.DecodeRune(raw[at:])
			if r == utf8.RuneError && size == 1 {
				return "", e.misfit(raw[at], at)
			}
			at += size
		}
		return string(raw), nil
	}
	text := make([]byte, 0, len(raw)+2*foreign)
	for at, b := range raw {
		r := e.table.DecodeByte(b)
		if r == utf8.RuneError || r >= 0x80 && r <= 0x9F { // the latter are controls that no text holds
			return "", e.misfit(b, at)
		}
		text = utf8.AppendRune(text, r)
	}
	return string(text), nil
}

func (e encoding) misfit(b byte, at int) error {
	return fmt.Errorf("byte %d of its text is 0x%02X, which is no character in %s: the table may be in another encoding", at+1, b, e.name)
}

// wholeCharacters takes off a last character that is not whole.
func wholeCharacters(raw []byte) []byte {
	for back := 1; back < utf8.UTFMax && back <= len(raw); back++ {
		if tail := raw[len(raw)-back:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				return raw[:len(raw)-back]
			}
			break
		}
	}
	return raw
}

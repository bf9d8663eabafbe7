package biff_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"unicode/utf16"
)

// le joins numbers of Go's fixed sizes, bytes and texts, little end first.
func le(parts ...any) []byte {
	var b bytes.Buffer
	for _, part := range parts {
		if text, ok := part.(string); ok {
			part = []byte(text)
		}
		if err := binary.Write(&b, binary.LittleEndian, part); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// rec builds a record.
func rec(kind uint16, parts ...any) []byte {
	body := le(parts...)
	return append(le(kind, uint16(len(body))), body...)
}

func wide(text string) []byte { return le(utf16.Encode([]rune(text))) }

// str is a text with its length in two bytes: compressed if it is ASCII.
func str(text string) []byte {
	units := utf16.Encode([]rune(text))
	if len(units) == len(text) {
		return le(uint16(len(units)), uint8(0), text)
	}
	return le(uint16(len(units)), uint8(1), units)
}

// sst is a table of shared texts in one record.
func sst(texts ...string) []byte {
	body := le(uint32(len(texts)), uint32(len(texts)))
	for _, text := range texts {
		body = append(body, str(text)...)
	}
	return rec(0xFC, body)
}

var (
	eof       = rec(0x0A)
	sheetBOF  = rec(0x809, uint16(0x600), uint16(0x10), make([]byte, 12))
	globalBOF = rec(0x809, uint16(0x600), uint16(0x05), make([]byte, 12))
)

func label(row, column int, text string) []byte {
	return rec(0x204, uint16(row), uint16(column), uint16(0), str(text))
}
func shared(row, column int, index uint32) []byte {
	return rec(0xFD, uint16(row), uint16(column), uint16(0), index)
}
func number(row, column int, value float64) []byte {
	return rec(0x203, uint16(row), uint16(column), uint16(0), value)
}
func rkCell(row, column int, folded uint32) []byte {
	return rec(0x27E, uint16(row), uint16(column), uint16(0), folded)
}
func formula(row, column int, result uint64) []byte {
	return rec(0x06, uint16(row), uint16(column), uint16(0), result, uint16(0), uint32(0), uint16(0))
}
func rkFloat(value float64, flags uint32) uint32 {
	return uint32(math.Float64bits(value)>>32)&^3 | flags
}
func rkInt(value int32, flags uint32) uint32 { return uint32(value)<<2 | 2 | flags }

// part is a sheet of a workbook that is built.
type part struct {
	name         string
	hidden, kind uint8
	records      []byte // between BOF and EOF
}

// stream is a workbook's stream of records; globals stand before the sheets.
func stream(globals []byte, parts ...part) []byte {
	size := len(globalBOF) + len(globals) + len(eof)
	for _, p := range parts {
		size += len(rec(0x85, uint32(0), p.hidden, p.kind, uint8(0), uint8(1), wide(p.name)))
	}
	out := bytes.Clone(globalBOF)
	for _, p := range parts {
		out = append(out, rec(0x85, uint32(size), p.hidden, p.kind, uint8(len([]rune(p.name))), uint8(1), wide(p.name))...)
		size += len(sheetBOF) + len(p.records) + len(eof)
	}
	out = join(out, globals, eof)
	for _, p := range parts {
		out = join(out, sheetBOF, p.records, eof)
	}
	return out
}

// book is a whole file with such a stream.
func book(globals []byte, parts ...part) []byte {
	return compound("Workbook", stream(globals, parts...))
}

const (
	sector = 512
	ended  = 0xFFFFFFFE
	free   = 0xFFFFFFFF
)

// compound builds a compound file with one stream: in the mini stream if it is
// shorter than 4096 bytes. Its sectors: directory, mini FAT, data, FAT.
func compound(name string, data []byte) []byte {
	mini := len(data) > 0 && len(data) < 4096
	pad := func(b []byte, to int) []byte { return append(bytes.Clone(b), make([]byte, (to-len(b)%to)%to)...) }
	body := pad(data, sector)
	sectors := len(body) / sector
	first, miniFAT := uint32(2), bytes.Repeat([]byte{0xFF}, sector)
	root := entry("Root Entry", 5, 1, ended, 0)
	file := entry(name, 2, free, first, len(data))
	miniFirst, miniCount := uint32(ended), uint32(0)
	if mini {
		count := (len(data) + 63) / 64
		for i := range count {
			next := uint32(i + 1)
			if i == count-1 {
				next = ended
			}
			binary.LittleEndian.PutUint32(miniFAT[4*i:], next)
		}
		root = entry("Root Entry", 5, 1, first, count*64)
		file = entry(name, 2, free, 0, len(data))
		miniFirst, miniCount = 1, 1
	}
	fatSectors := 1
	for fatSectors*sector/4 < 2+sectors+fatSectors {
		fatSectors++
	}
	fat := bytes.Repeat([]byte{0xFF}, fatSectors*sector)
	put := func(at, value int) { binary.LittleEndian.PutUint32(fat[4*at:], uint32(value)) }
	put(0, ended)
	put(1, ended)
	for i := range sectors {
		put(2+i, 3+i)
	}
	if sectors > 0 {
		put(1+sectors, ended)
	}
	places := bytes.Repeat([]byte{0xFF}, 109*4)
	for i := range fatSectors {
		put(2+sectors+i, 0xFFFFFFFD)
		binary.LittleEndian.PutUint32(places[4*i:], uint32(2+sectors+i))
	}
	header := le("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", make([]byte, 16), uint16(0x3E), uint16(3), uint16(0xFFFE), uint16(9), uint16(6),
		make([]byte, 6), uint32(0), uint32(fatSectors), uint32(0), uint32(0), uint32(4096), miniFirst, miniCount, uint32(ended), uint32(0), places)
	directory := pad(append(root, file...), sector)
	return join(header, directory, miniFAT, body, fat)
}

// entry is an entry of the directory.
func entry(name string, kind uint8, child, first uint32, size int) []byte {
	text := append(wide(name), make([]byte, 64)...)[:64]
	return le(text, uint16(2*len(name)+2), kind, uint8(1), uint32(free), uint32(free), child, make([]byte, 36), first, uint32(size), uint32(0))
}

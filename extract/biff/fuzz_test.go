package biff_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"

	"tamiz/extract/biff"
)

// seeds are small workbooks with every kind of record, and with damage.
func seeds() [][]byte {
	texts := join(
		rec(0xFC, uint32(3), uint32(3), str("a"), le(uint16(4), uint8(0x0D), uint16(1), uint32(2), wide("wx"))),
		rec(0x3C, uint8(0), "yz", uint32(0), "PH", str("c")))
	cells := join(
		rec(0x208, make([]byte, 16)), shared(0, 0, 2), shared(0, 1, 1), label(0, 2, "é年"),
		rec(0xD6, uint16(0), uint16(3), uint16(0), str("rich"), uint16(1), uint32(0)),
		number(1, 0, 1e308), rkCell(1, 1, rkInt(-12345, 1)), rkCell(1, 2, rkFloat(1.5, 1)),
		rec(0xBD, uint16(2), uint16(2), uint16(0), rkInt(1, 0), uint16(0), rkInt(3, 1), uint16(3)),
		rec(0xBE, uint16(3), uint16(2), uint16(0), uint16(0), uint16(3)), rec(0x201, make([]byte, 6)),
		rec(0x205, uint16(3), uint16(2), uint16(0), uint8(0x2A), uint8(1)),
		formula(4, 0, math.Float64bits(2.5)), formula(4, 1, result(0, 0)), rec(0x4BC, uint32(0)),
		rec(0x207, uint16(4), uint8(0), "ab"), rec(0x3C, uint8(1), wide("é年")),
		formula(4, 2, result(1, 1)), formula(4, 3, result(2, 7)), sheetBOF, eof, number(9, 9, 3))
	unsorted := join(number(4, 0, 5), formula(1, 1, result(0, 0)), rec(0x207, str("x")), shared(0, 0, 0))
	sheets := []part{{name: "s", records: cells}, {name: "t", records: unsorted}, {name: "c", kind: 2}}
	small := book(texts, sheets...)
	return [][]byte{
		small, small[:len(small)-700], book(join(rec(0x5C, make([]byte, 5000)), texts), sheets...),
		book(rec(0x2F, make([]byte, 54))), compound("Book", join(rec(0x809, uint16(0x500), uint16(5)), eof)), nil,
	}
}

// readAll reads the first sheets as far as they go, and checks that rows,
// cells and text stay within the limits and that no panic had to be caught.
func readAll(t *testing.T, file []byte) {
	check := func(err error) {
		if err != nil && strings.Contains(err.Error(), "stumbled") {
			t.Errorf("a panic was caught: %v", err)
		}
	}
	w, err := biff.Open(bytes.NewReader(file), int64(len(file)))
	check(err)
	if err != nil {
		return
	}
	names := w.Sheets()
	for _, name := range names[:min(len(names), 8)] {
		sheet, err := w.Sheet(name)
		check(err)
		if err != nil {
			continue
		}
		text, before := 0, int64(0)
		for {
			cells, row, err := sheet.Next()
			check(err)
			if err != nil {
				if _, _, again := sheet.Next(); errors.Is(err, io.EOF) != errors.Is(again, io.EOF) {
					t.Errorf("got %v after %v", again, err)
				}
				break
			}
			if row > biff.RowsLimit || len(cells) > biff.ColumnsLimit || before > 0 && row != before+1 {
				t.Fatalf("row %d after row %d with %d cells", row, before, len(cells))
			}
			before = row
			for _, cell := range cells {
				text += len(cell)
			}
		}
		if text > biff.TextLimit {
			t.Errorf("a sheet gave %d bytes of text", text)
		}
	}
}

// measured reads a file and tells how many bytes that took from the heap in
// all. A byte of the file takes at most some hundred (numbers of 309 digits in
// six bytes); beside it there are buffers of 64 KiB for each sheet read.
func measured(t *testing.T, file []byte) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	readAll(t, file)
	runtime.ReadMemStats(&after)
	if took, most := after.TotalAlloc-before.TotalAlloc, uint64(8<<20+200*len(file)); took > most {
		t.Errorf("a file of %d bytes took %d bytes of memory, want at most %d", len(file), took, most)
	}
}

func FuzzOpen(f *testing.F) {
	for _, seed := range seeds() {
		f.Add(seed)
	}
	f.Fuzz(measured)
}

// FuzzStream damages the records alone, so that the compound file is sound.
func FuzzStream(f *testing.F) {
	for _, seed := range seeds()[:3] {
		f.Add(seed[1536 : len(seed)-sector])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 1<<16 {
			measured(t, compound("Workbook", data))
		}
	})
}

func TestOpen_EndsWhateverOneByteIsDamaged(t *testing.T) {
	for _, seed := range seeds()[:3] {
		for at := range seed {
			if at > 2*sector && at < 7000 && bytes.Equal(seed[at-16:at+min(16, len(seed)-at)], make([]byte, 32)) {
				continue // filler
			}
			for _, value := range []byte{0, 1, 0xFE, 0xFF} {
				file := bytes.Clone(seed)
				file[at] = value
				readAll(t, file)
			}
			if at%7 == 0 {
				readAll(t, seed[:at])
			}
		}
	}
}

// The library recurses as deep as the directory is long: here each of 262,144
// entries is the left neighbour of the one before.
func TestOpen_RefusesAHugeDirectory(t *testing.T) {
	const entries = 1 << 18
	var directory bytes.Buffer
	for i := range entries {
		e := entry("x", 1, free, 0, 0)
		copy(e[68:], le(uint32((i+1)%entries)))
		directory.Write(e)
	}
	sectors := directory.Len() / sector
	fatSectors := (sectors*4)/sector + 16
	fat := bytes.Repeat([]byte{0xFF}, fatSectors*sector)
	for i := range sectors {
		copy(fat[4*i:], le(uint32(i+1)))
	}
	copy(fat[4*(sectors-1):], le(uint32(ended)))
	difat := make([]byte, 0, 8*sector)
	var places []byte
	for i := range fatSectors {
		place := le(uint32(sectors + i))
		if i < 109 {
			places = append(places, place...)
			continue
		}
		if len(difat)%sector == sector-4 {
			difat = append(difat, le(uint32(sectors+fatSectors+len(difat)/sector+1))...)
		}
		difat = append(difat, place...)
	}
	for len(difat)%sector != 0 {
		difat = append(difat, 0xFF)
	}
	header := le("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", make([]byte, 16), uint16(0x3E), uint16(3), uint16(0xFFFE), uint16(9), uint16(6),
		make([]byte, 6), uint32(0), uint32(fatSectors), uint32(0), uint32(0), uint32(4096), uint32(ended), uint32(0),
		uint32(sectors+fatSectors), uint32(len(difat)/sector), places)
	_, err := open(join(header, directory.Bytes(), fat, difat))
	if err == nil || !strings.Contains(err.Error(), "its directory is larger than that of any workbook") {
		t.Errorf("got %v, want a refusal of the directory", err)
	}
}

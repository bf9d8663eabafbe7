package biff_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"tamiz/extract/biff"
)

// open opens a file in memory.
func open(file []byte) (*biff.Workbook, error) {
	return biff.Open(bytes.NewReader(file), int64(len(file)))
}

// rows reads a sheet: each row as its number and its cells.
func rows(w *biff.Workbook, name string) (got []string, err error) {
	sheet, err := w.Sheet(name)
	if err != nil {
		return nil, err
	}
	for {
		cells, row, err := sheet.Next()
		if errors.Is(err, io.EOF) {
			return got, nil
		}
		if err != nil {
			return got, err
		}
		got = append(got, fmt.Sprintf("%d%q", row, cells))
	}
}

// result is the result of a formula that is no number.
func result(kind, value uint64) uint64 { return 0xFFFF<<48 | value<<16 | kind }

func TestSheet_GivesTheTextOfEveryKindOfCell(t *testing.T) {
	text := rec(0x207, str("from a formula"))
	cases := []struct {
		name    string
		globals []byte
		records []byte
		want    string
	}{
		{"nothing", nil, nil, ""},
		{"label", nil, label(0, 0, "año 年 😀"), `1["año 年 😀"]`},
		{"label with low bytes above ASCII", nil, rec(0x204, uint16(0), uint16(0), uint16(0), uint16(2), uint8(0), "\xD1\xE9"), `1["Ñé"]`},
		{"half a surrogate pair", nil, rec(0x204, uint16(0), uint16(0), uint16(0), uint16(3), uint8(1), uint16(0xD83D), uint16('a'), uint16(0xDE00)), `1["�a�"]`},
		{"text with font runs", nil, rec(0xD6, uint16(0), uint16(1), uint16(0), str("rich"), uint16(1), uint32(0)), `1["" "rich"]`},
		{"shared text", sst("a", "", "é年"), join(shared(0, 0, 2), shared(0, 1, 1), shared(0, 2, 0)), `1["é年" "" "a"]`},
		{"numbers", nil, join(number(0, 0, 0.1), number(0, 1, -2), number(0, 2, 1e21), number(0, 3, math.Copysign(0, -1)), number(0, 4, math.NaN()), number(0, 5, math.Inf(1)), number(0, 6, 1.0/3)),
			`1["0.1" "-2" "1000000000000000000000" "0" "" "" "0.3333333333333333"]`},
		{"folded numbers", nil, join(rkCell(0, 0, rkInt(7, 0)), rkCell(0, 1, rkInt(-7, 0)), rkCell(0, 2, rkInt(12345, 1)), rkCell(0, 3, rkFloat(1.5, 0)), rkCell(0, 4, rkFloat(-1.5, 1)), rkCell(0, 5, rkInt(-(1<<29), 1))),
			`1["7" "-7" "123.45" "1.5" "-0.015" "-5368709.12"]`},
		{"many folded numbers", nil, rec(0xBD, uint16(3), uint16(2), uint16(0), rkInt(1, 0), uint16(0), rkInt(2, 0), uint16(0), rkInt(3, 1), uint16(4)), `4["" "" "1" "2" "0.03"]`},
		{"truth values and errors", nil, join(rec(0x205, uint16(0), uint16(0), uint16(0), uint8(1), uint8(0)), rec(0x205, uint16(0), uint16(1), uint16(0), uint8(0), uint8(0)), rec(0x205, uint16(0), uint16(2), uint16(0), uint8(0x2A), uint8(1)), rec(0x205, uint16(0), uint16(3), uint16(0), uint8(0x99), uint8(1))),
			`1["TRUE" "FALSE" "#N/A" "#UNKNOWN!"]`},
		{"formulas", nil, join(formula(0, 0, math.Float64bits(2.5)), formula(0, 1, result(0, 0)), text, formula(0, 2, result(1, 1)), formula(0, 3, result(2, 7)), formula(0, 4, result(3, 0)), number(0, 5, 9)),
			`1["2.5" "from a formula" "TRUE" "#DIV/0!" "" "9"]`},
		{"a shared formula stands between formula and text", nil, join(formula(0, 0, result(0, 0)), rec(0x4BC, uint32(0)), text), `1["from a formula"]`},
		{"a formula whose text is missing", nil, join(formula(0, 0, result(0, 0)), number(0, 1, 1)), `1["" "1"]`},
		{"a formula's long text goes on", nil, join(formula(0, 0, result(0, 0)), rec(0x207, uint16(4), uint8(0), "ab"), rec(0x3C, uint8(1), wide("é年")), number(1, 0, 1)), `1["abé年"] 2["1"]`},
		{"blank cells are no cells", nil, join(rec(0x201, uint16(0), uint16(0), uint16(0)), number(2, 1, 5), rec(0xBE, uint16(2), uint16(2), uint16(0), uint16(0), uint16(3)), rec(0x201, uint16(9), uint16(0), uint16(0))), `3["" "5"]`},
		{"rows between are empty", nil, join(number(2, 0, 1), number(5, 0, 2)), `3["1"] 4[] 5[] 6["2"]`},
		{"the last row and column", nil, number(65535, 255, 1), `65536[` + strings.Repeat(`"" `, 255) + `"1"]`},
		{"dimensions lie", nil, join(rec(0x200, uint32(0), uint32(1), uint16(0), uint16(1), uint16(0)), number(1, 1, 8)), `2["" "8"]`},
		{"a chart in the sheet is left out", nil, join(number(0, 0, 1), sheetBOF, number(0, 0, 77), sheetBOF, eof, eof, number(1, 0, 2)), `1["1"] 2["2"]`},
		{"columns in any order, the later cell stands", nil, join(number(0, 2, 3), number(0, 0, 1), number(0, 2, 4)), `1["1" "" "4"]`},
		{"rows in any order", sst("x"), join(number(4, 0, 5), formula(1, 1, result(0, 0)), text, number(4, 1, 6), shared(0, 0, 0), number(1, 0, 2), label(4, 1, "later")), `1["x"] 2["2" "from a formula"] 3[] 4[] 5["5" "later"]`},
	}
	for _, c := range cases {
		for _, filler := range []int{0, 9000} { // in the mini stream, and in sectors of its own
			t.Run(fmt.Sprint(c.name, filler), func(t *testing.T) {
				w, err := open(book(join(c.globals, rec(0x5C, make([]byte, filler))), part{name: "s", records: c.records}))
				if err != nil {
					t.Fatal(err)
				}
				got, err := rows(w, "s")
				if err != nil {
					t.Fatal(err)
				}
				if strings.Join(got, " ") != c.want {
					t.Errorf("got  %s\nwant %s", strings.Join(got, " "), c.want)
				}
			})
		}
	}
}

func TestOpen_SharedTextsBreakAnywhere(t *testing.T) {
	head := le(uint32(3), uint32(3))
	body := func(parts ...any) []byte { return le(parts...) }
	cont := func(parts ...any) []byte { return rec(0x3C, parts...) }
	rich := func(flags uint8, middle ...any) []byte {
		return le(uint16(4), flags, le(middle...))
	}
	cases := []struct {
		name string
		sst  []byte
		want string
	}{
		{"between texts", join(rec(0xFC, head, str("a")), cont(str("b")), cont(str("é年"))), `["a" "b" "é年"]`},
		{"within low bytes", join(rec(0xFC, head, str("a"), body(uint16(4), uint8(0), "wx")), cont(uint8(0), "yz", str("c"))), `["a" "wxyz" "c"]`},
		{"low bytes go on as units", join(rec(0xFC, head, str("a"), body(uint16(4), uint8(0), "wx")), cont(uint8(1), wide("é年"), str("c"))), `["a" "wxé年" "c"]`},
		{"units go on as low bytes", join(rec(0xFC, head, str("a"), body(uint16(4), uint8(1), wide("é年"))), cont(uint8(0), "yz", str("c"))), `["a" "é年yz" "c"]`},
		{"right behind the length", join(rec(0xFC, head, str("a"), body(uint16(2), uint8(0))), cont(uint8(1), wide("é年"), str("c"))), `["a" "é年" "c"]`},
		{"an odd byte before the break is left out", join(rec(0xFC, head, str("a"), body(uint16(2), uint8(1), wide("é"), uint8(0x55))), cont(uint8(1), wide("年"), str("c"))), `["a" "é年" "c"]`},
		{"within a surrogate pair", join(rec(0xFC, head, str("a"), body(uint16(2), uint8(1), uint16(0xD83D))), cont(uint8(1), uint16(0xDE00), str("c"))), `["a" "😀" "c"]`},
		{"over three records", join(rec(0xFC, head, str("a"), body(uint16(4), uint8(0), "w")), cont(uint8(0), "x"), cont(uint8(1), wide("年"), ""), cont(uint8(0), "z", str("c"))), `["a" "wx年z" "c"]`},
		{"a text ends with the record: no flag byte", join(rec(0xFC, head, str("a"), str("wxyz")), cont(str("c"))), `["a" "wxyz" "c"]`},
		{"font runs and phonetics are left out", rec(0xFC, head, str("a"), rich(0x0C, uint16(2), uint32(5), "wxyz", make([]byte, 8), "PHONE"), str("c")), `["a" "wxyz" "c"]`},
		{"within the font runs: no flag byte", join(rec(0xFC, head, str("a"), rich(0x08, uint16(2), "wxyz", make([]byte, 3))), cont(make([]byte, 5), str("c"))), `["a" "wxyz" "c"]`},
		{"within the phonetics, over two breaks", join(rec(0xFC, head, str("a"), rich(0x05, uint32(9), wide("wxyz"), "PH")), cont("ONE"), cont("TICS", str("c"))), `["a" "wxyz" "c"]`},
		{"rich text broken in its characters", join(rec(0xFC, head, str("a"), rich(0x0D, uint16(1), uint32(2), wide("wx"))), cont(uint8(0), "yz", uint32(0), "PH", str("c"))), `["a" "wxyz" "c"]`},
		{"within the length", join(rec(0xFC, head, str("a"), uint8(4)), cont(uint8(0), uint8(0), "wxyz", str("c"))), `["a" "wxyz" "c"]`},
		{"an empty continuation", join(rec(0xFC, head, str("a")), cont(), cont(str("b"), str("c"))), `["a" "b" "c"]`},
		{"more are claimed than there are", rec(0xFC, uint32(9), uint32(1<<31), str("a"), str("b"), str("c")), `["a" "b" "c"]`},
	}
	cells := join(shared(0, 0, 0), shared(0, 1, 1), shared(0, 2, 2))
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w, err := open(book(c.sst, part{name: "s", records: cells}))
			if err != nil {
				t.Fatal(err)
			}
			got, err := rows(w, "s")
			if err != nil || len(got) != 1 || got[0] != "1"+c.want {
				t.Errorf("got %s, %v, want 1%s", got, err, c.want)
			}
		})
	}
}

func TestSheets_AreWorksheetsInTheirOrder(t *testing.T) {
	w, err := open(book(nil,
		part{name: "zwei", records: number(0, 0, 2)},
		part{name: "chart", kind: 2},
		part{name: "hidden 年", hidden: 1, records: number(0, 0, 3)},
		part{name: "macro", kind: 1},
		part{name: "a", hidden: 2, records: number(0, 0, 4)}))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprintf("%q", w.Sheets()), `["zwei" "hidden 年" "a"]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for name, want := range map[string]string{"zwei": `1["2"]`, "hidden 年": `1["3"]`, "a": `1["4"]`} {
		if got, err := rows(w, name); err != nil || strings.Join(got, "") != want {
			t.Errorf("sheet %s: got %v, %v, want %s", name, got, err, want)
		}
	}
	if _, err := w.Sheet("chart"); err == nil || !strings.Contains(err.Error(), `there is no sheet "chart"; the workbook has "zwei", "hidden 年", "a"`) {
		t.Errorf("got %v, want the names of the sheets", err)
	}
}

func TestSheets_CanBeReadSideBySide(t *testing.T) {
	var one, two []byte
	for i := range 20000 {
		one, two = append(one, number(i, 0, float64(i))...), append(two, number(i, 1, float64(-i))...)
	}
	w, err := open(book(nil, part{name: "1", records: one}, part{name: "2", records: two}))
	if err != nil {
		t.Fatal(err)
	}
	a, errA := w.Sheet("1")
	b, errB := w.Sheet("2")
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	for i := range 20000 {
		left, row, err := a.Next()
		if err != nil || row != int64(i+1) || fmt.Sprintf("%q", left) != fmt.Sprintf(`["%d"]`, i) {
			t.Fatalf("row %d of the first sheet: got %q (%d), %v", i+1, left, row, err)
		}
		right, row, err := b.Next()
		if err != nil || row != int64(i+1) || len(right) != 2 {
			t.Fatalf("row %d of the second sheet: got %q (%d), %v", i+1, right, row, err)
		}
	}
	for range 2 {
		if _, _, err := a.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("got %v behind the last row, want the end", err)
		}
	}
}

func TestErrors_SayWhatIsWrong(t *testing.T) {
	good := book(sst("a"), part{name: "s", records: label(0, 0, "a")})
	big := book(rec(0x5C, make([]byte, 9000)), part{name: "s", records: label(0, 0, "a")})
	patched := func(file []byte, at int, b ...byte) []byte {
		file = bytes.Clone(file)
		copy(file[at:], b)
		return file
	}
	sheetWith := func(records ...[]byte) []byte { return book(nil, part{name: "s", records: join(records...)}) }
	old := compound("Book", join(rec(0x809, uint16(0x500), uint16(5), uint32(0)), eof))
	var many []part
	for range biff.SheetsLimit + 1 {
		many = append(many, part{name: "s"})
	}
	cases := []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "the file is empty"},
		{"text", []byte("a,b\n"), "something else, not an Excel 97-2003 workbook"},
		{"web page", []byte("\n<html>"), "a web page"},
		{"xlsx", []byte("PK\x03\x04....."), "a newer Excel workbook (.xlsx)"},
		{"BIFF4", rec(0x409, uint16(0), uint16(16), uint16(0)), "Excel 4 (BIFF4)"},
		{"BIFF5", old, "Excel 5 or 95 (BIFF5)"},
		{"unknown version", compound("Workbook", join(rec(0x809, uint16(0x700), uint16(5)), eof)), "unknown version (0x0700"},
		{"Word", compound("WordDocument", make([]byte, 5000)), "without an Excel workbook"},
		{"encrypted", book(rec(0x2F, make([]byte, 54)), part{name: "s"}), "encrypted (protected by a password)"},
		{"encrypted xlsx", compound("EncryptedPackage", make([]byte, 5000)), "encrypted (protected by a password)"},
		{"cut in the header", good[:100], "cut off after 100 bytes"},
		{"cut in the sectors", big[:3000], "the file is damaged"},
		{"sectors of another size", patched(good, 30, 7), "sectors have 2^7 bytes"},
		{"too many FAT sectors", patched(good, 44, 0xFF, 0xFF), "FAT is said to have 65535 sectors"},
		{"stream longer than the file", patched(good, 512+128+120, 0, 0, 0, 0x10), "is said to have 268435456 bytes"},
		{"a directory in a circle", patched(good, len(good)-512, 0, 0, 0, 0), "cycle"},
		{"a stream whose chain breaks off", patched(big, len(big)-512+4*5, 0xFF, 0xFF, 0xFF, 0xFF), "the file is damaged"},
		{"empty stream", compound("Workbook", nil), "its workbook is empty"},
		{"no globals", compound("Workbook", join(sheetBOF, eof)), "begins with a part of kind 0x0010"},
		{"no beginning", compound("Workbook", join(eof, eof)), "begins with a record of kind 0x000A"},
		{"stream without end", compound("Workbook", globalBOF), "cut off"},
		{"too many sheets", book(nil, many...), "more than 4096 sheets"},
		{"shared texts cut", book(rec(0xFC, uint32(1), uint32(1), uint16(9), uint8(0), "abc"), part{name: "s"}), "shared text 1: the file is damaged: a record ends too early"},
		{"sheet outside of the file", compound("Workbook", join(globalBOF, rec(0x85, uint32(1<<20), uint16(0), uint8(1), uint8(0), "s"), eof)), `sheet "s": the file is damaged: a sheet is said to begin at byte 1048576`},
		{"shared text that is not there", sheetWith(number(0, 0, 1), shared(2, 27, 0)), `sheet "s", row 3: column AB: the file is damaged: it wants the shared text 1 of 0`},
		{"column beyond", sheetWith(number(0, 256, 1)), `sheet "s", row 1: the file is damaged: a cell is in column IW`},
		{"columns beyond", sheetWith(rec(0xBD, uint16(0), uint16(255), uint16(0), uint32(0), uint16(0), uint32(0), uint16(0))), "column IW"},
		{"short number", sheetWith(rec(0x203, uint16(0), uint16(0), uint16(0), uint32(0))), "column A: the file is damaged: a record ends too early"},
		{"short cell", sheetWith(rec(0x203, uint16(0), uint16(0))), "a record ends too early"},
		{"a record longer than the file", sheetWith(number(7, 0, 1), le(uint16(0x203), uint16(60000))), `sheet "s", behind row 8: the file is damaged: it is cut off`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w, err := open(c.file)
			if err == nil {
				_, err = rows(w, "s")
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want … %s …", err, c.want)
			}
		})
	}
}

func TestSheet_BoundsItsText(t *testing.T) {
	long := strings.Repeat("x", 60000)
	var table, cells []byte
	table = le(uint32(1), uint32(1), uint16(len(long)), uint8(0), long)
	for i := range biff.TextLimit/len(long) + 10 {
		cells = append(cells, shared(i/200, i%200, 0)...)
	}
	w, err := open(book(rec(0xFC, table), part{name: "s", records: cells}))
	if err != nil {
		t.Fatal(err)
	}
	sheet, err := w.Sheet("s")
	for err == nil {
		_, _, err = sheet.Next()
	}
	if !strings.Contains(err.Error(), "more than 1073741824 bytes of text") {
		t.Errorf("got %v, want the limit of text", err)
	}
	if _, _, again := sheet.Next(); again == nil || again.Error() != err.Error() {
		t.Errorf("got %v when reading on, want the same error", again)
	}
}

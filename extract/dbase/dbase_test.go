package dbase_test

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"tamiz/extract/dbase"
)

type column struct {
	title string
	kind  byte
	width int
}

// build writes a table; each record begins with its flag.
func build(columns []column, records ...string) []byte {
	size := 1
	for _, c := range columns {
		size += c.width
	}
	file := make([]byte, 32, 1024)
	file[0] = 0x03
	binary.LittleEndian.PutUint32(file[4:], uint32(len(records)))
	binary.LittleEndian.PutUint16(file[8:], uint16(32+32*len(columns)+1))
	binary.LittleEndian.PutUint16(file[10:], uint16(size))
	for _, c := range columns {
		descriptor := make([]byte, 32)
		copy(descriptor[:10], c.title)
		descriptor[11] = c.kind
		descriptor[16], descriptor[17] = byte(c.width), byte(c.width>>8)
		file = append(file, descriptor...)
	}
	file = append(file, 0x0D)
	for _, record := range records {
		file = append(file, record...)
	}
	return append(file, 0x1A)
}

// with gives a copy of a file with other bytes at one place.
func with(file []byte, at int, replaced ...byte) []byte {
	file = bytes.Clone(file)
	copy(file[at:], replaced)
	return file
}

func open(file []byte, encoding string) (*dbase.Table, error) {
	return dbase.Open(bytes.NewReader(file), int64(len(file)), encoding)
}

func readAll(table *dbase.Table) (rows [][]string, numbers []int64, err error) {
	for {
		cells, number, err := table.Next()
		if errors.Is(err, io.EOF) && err == io.EOF {
			return rows, numbers, nil
		}
		if err != nil {
			return rows, numbers, err
		}
		rows, numbers = append(rows, slices.Clone(cells)), append(numbers, number)
	}
}

func read(file []byte, encoding string) ([][]string, error) {
	table, err := open(file, encoding)
	if err != nil {
		return nil, err
	}
	rows, _, err := readAll(table)
	return rows, err
}

func TestTable_GivesTitlesCellsAndNumbers(t *testing.T) {
	file := build([]column{{"CODE", 'C', 5}, {"N", 'N', 8}},
		" 0012   -12.50", "*0013    99.00", " 0014 ********", " \x00\x00\x00\x00\x00        ")
	table, err := open(file, "")
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%q", table.Titles()); got != `["CODE" "N"]` {
		t.Errorf("titles: got %s", got)
	}
	rows, numbers, err := readAll(table)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%q %d", rows, numbers); got != `[["0012" "-12.50"] ["0014" ""] ["" ""]] [1 3 4]` {
		t.Errorf("rows: got %s", got)
	}
	if table.Deleted() != 1 || table.Records() != 4 {
		t.Errorf("got %d deleted of %d records, want 1 of 4", table.Deleted(), table.Records())
	}
	if _, _, err := table.Next(); err != io.EOF {
		t.Errorf("after the end: got %v", err)
	}
}

func TestTable_ReadsEachType(t *testing.T) {
	cases := []struct {
		kind      byte
		raw, want string // an error if it begins with "error: "
	}{
		{'C', " a b  ", " a b"},
		{'C', "Jos\xE9 ", "José"},
		{'C', "a\x00\x00", "a"},
		{'C', "a\x00b", "error: record 1, field X: byte 2 of its text is 0x00"},
		{'C', "ab\x81", "error: record 1, field X: byte 3 of its text is 0x81, which is no character in windows-1252"},
		{'C', strings.Repeat("x", 300) + " ", strings.Repeat("x", 300)},
		{'N', "  007.10 ", "007.10"},
		{'N', "1.5e-3", "1.5e-3"},
		{'N', "***", ""},
		{'N', "   ", ""},
		{'N', "-nan", ""}, {'N', "-1.#IND", ""},
		{'N', "NaN", ""},
		{'F', "+Inf", ""},
		{'F', "1e999", "1e999"},
		{'F', "0x10", "error: record 1, field X: \"0x10\" is no number"},
		{'N', "1*2", "error: record 1, field X: \"1*2\" is no number"},
		{'N', "1\xE9", "error: record 1, field X: \"1\\xe9\" is no number"},
		{'L', "T", "TRUE"}, {'L', "y", "TRUE"}, {'L', "N", "FALSE"}, {'L', "f", "FALSE"},
		{'L', "?", ""}, {'L', " ", ""}, {'L', "\x00", ""},
		{'L', "1", "error: record 1, field X: byte 0x31 is neither true nor false"},
		{'D', "20120229", "2012-02-29"}, {'D', "        ", ""}, {'D', "00000000", ""},
		{'D', "20110229", "error: record 1, field X: \"20110229\" is no date"},
		{'D', "2012", "error: field X of the table has type D and is 4 bytes wide, want 8"},
		{'I', "\x01\x02\x00\x00", "513"}, {'I', "\xFF\xFF\xFF\xFF", "-1"},
		{'I', "\x01\x02", "error: field X of the table has type I and is 2 bytes wide, want 4"},
		{'M', "        12", "12"}, {'M', "\x00\x00\x00\x00", ""},
		{'M', "\x07\x00\x00\x00", "error: record 1, field X: its type M is not read"},
		{'B', "\x00\x00\x00\x00\x00\x00\xF0\x3F", "error: record 1, field X: its type B is not read"},
		{'\x07', "\x00", "error: record 1, field X: its type 0x07 is not read"},
		{'V', "abc ", "abc"},
		{'0', "\x00", ""},
		{'0', "A", "error: record 1, field X: it marks fields of the record as null"},
	}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%c %.12q", c.kind, c.raw), func(t *testing.T) {
			rows, err := read(build([]column{{"X", c.kind, len(c.raw)}}, " "+c.raw), "")
			if problem, ok := strings.CutPrefix(c.want, "error: "); ok {
				if err == nil || !strings.HasPrefix(err.Error(), problem) {
					t.Fatalf("got %q, %v, want error %q", rows, err, problem)
				}
				return
			}
			if err != nil || len(rows) != 1 || rows[0][0] != c.want {
				t.Errorf("got %q, %v, want %q", rows, err, c.want)
			}
		})
	}
}

func TestTable_DecodesText(t *testing.T) {
	cases := []struct {
		name, encoding string
		language       byte
		raw, want      string // no want: an error
	}{
		{"nothing known: windows-1252", "", 0, "\x93Mar\xEDa\x94", "“María”"},
		{"an odd language byte: windows-1252", "", 0xEE, "\xF1", "ñ"},
		{"the language byte", "", 0x02, "Mar\xA1a", "María"},
		{"the Mac", "", 0x04, "Mar\x92a", "María"},
		{"a name goes before the language byte", "ISO 88591", 0x02, "Mar\xEDa", "María"},
		{"utf-8", "UTF-8", 0x57, "María", "María"},
		{"utf-8 cut within a character", "UTF-8", 0, "Mar\xC3", "Mar"},
		{"utf-8 with an odd byte", "UTF-8", 0, "Mar\xEDa", ""},
		{"utf-8 cut, but not by the width", "UTF-8", 0, "Mar\xC3 ", ""},
		{"controls in iso-8859-1", "ISO-8859-1", 0, "\x93a\x94", ""},
		{"a code page not known", "", 0x7B, "a", ""},
		{"a name not known", "Shift-JIS", 0, "a", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			rows, err := read(with(build([]column{{"X", 'C', len(c.raw)}}, " "+c.raw), 29, c.language), c.encoding)
			if (err != nil) != (c.want == "") {
				t.Fatal(rows, err)
			}
			if err == nil && rows[0][0] != c.want {
				t.Errorf("got %q, want %q", rows[0][0], c.want)
			}
		})
	}
}

func TestEncoding_FoldsNames(t *testing.T) {
	cases := []struct{ name, want string }{
		{"UTF-8", "utf-8"}, {"utf8", "utf-8"}, {"65001", "utf-8"}, {"\ufeffUTF-8\r\n", "utf-8"},
		{"ISO 88591", "iso-8859-1"}, {"ISO-8859-1", "iso-8859-1"}, {"8859_1", "iso-8859-1"}, {"88591", "iso-8859-1"},
		{"28591", "iso-8859-1"}, {"28605", "iso-8859-15"}, {"ISO-8859-15", "iso-8859-15"}, {"885915", "iso-8859-15"}, {"latin1", "iso-8859-1"},
		{"1252", "windows-1252"}, {"ANSI 1252", "windows-1252"}, {"CP1252", "windows-1252"}, {"Windows-1252", "windows-1252"},
		{"CP850", "cp850"}, {"437", "cp437"}, {"OEM 437", "cp437"}, {"IBM850", "cp850"},
		{"MacRoman", "mac-roman"}, {"10000", "mac-roman"}, {"KOI8-R", "koi8-r"},
		{"", ""}, {"windows", ""}, {"1", ""}, {"Big5", ""}, {"cp", ""}, {strings.Repeat(" ", 200) + "1252", ""},
	}
	for _, c := range cases {
		if got, ok := dbase.Encoding(c.name); got != c.want || ok != (c.want != "") {
			t.Errorf("%q: got %q, %t, want %q", c.name, got, ok, c.want)
		}
	}
}

func TestOpen_RefusesHeadersThatLie(t *testing.T) {
	good := build([]column{{"A", 'C', 3}, {"B", 'N', 2}}, " abc 1", " def 2", " ghi 3")
	cases := []struct {
		name string
		file []byte
		want string
	}{
		{"nothing", nil, "the file is no dBase table: it has only 0 bytes"},
		{"another file", with(good, 0, 'P', 'K'), "the file is no dBase III, dBase IV or FoxPro table: its first byte is 0x50"},
		{"dBase 7", with(good, 0, 0x04), "the table is of dBase 7"},
		{"encrypted", with(good, 15, 1), "the table is encrypted"},
		{"a short header", with(good, 8, 33, 0), "the header of the table says that it is 33 bytes long"},
		{"a long header", with(good, 8, 0xFF, 0xFF), "the table is cut short: its header says that it is 65535 bytes long, the file has 116"},
		{"another header length", with(good, 8, 64, 0), "the header of the table says that a record has 6 bytes, but its fields make 4"},
		{"another record length", with(good, 10, 7, 0), "the header of the table says that a record has 7 bytes, but its fields make 6"},
		{"no record length", with(good, 10, 0, 0), "the header of the table says that a record has 0 bytes, but its fields make 6"},
		{"too many records", with(good, 4, 0xFF, 0xFF, 0xFF, 0xFF), "the table is cut short: its header says 4294967295 records, the file holds 3: 4294967292 are missing"},
		{"cut short", good[:len(good)-6], "the table is cut short: its header says 3 records, the file holds 2: 1 are missing"},
		{"too few records", with(good, 4, 2), "the header of the table says 2 records, but another one follows the last"},
		{"no fields", with(good, 32, 0x0D), "the table has no fields"},
		{"no title", with(good, 32, 0), "field 1 of the table has no title"},
		{"no width", with(good, 32+16, 0), "field A of the table is 0 bytes wide"},
		{"an early end", with(good, 32+64+1+12, 0x1A), "the table is cut short: its end is marked after record 2, the header says 3 records: 1 are missing"},
		{"an odd flag", with(good, 32+64+1+6, 'x'), "record 2 begins with byte 0x78, where a blank or an asterisk belongs"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, err := read(c.file, ""); err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	for _, fine := range [][]byte{good, good[:len(good)-1], append(bytes.Clone(good), "what follows the end mark is nothing"...)} {
		if rows, err := read(fine, ""); err != nil || len(rows) != 3 {
			t.Errorf("got %d rows, %v", len(rows), err)
		}
	}
}

func TestTable_SaysThatReadingFailed(t *testing.T) {
	file := build([]column{{"A", 'C', 3}}, " abc", " def")
	if _, err := dbase.Open(bytes.NewReader(file[:40]), int64(len(file)), ""); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a header that ends early: got %v", err)
	}
	table, err := dbase.Open(failing{bytes.NewReader(file), 66}, int64(len(file)), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := table.Next(); !errors.Is(err, iotest.ErrTimeout) || !strings.HasPrefix(err.Error(), "read record 1: ") {
		t.Errorf("a broken disk: got %v", err)
	}
}

// failing reads only what begins before a limit.
type failing struct {
	io.ReaderAt
	limit int64
}

func (f failing) ReadAt(into []byte, offset int64) (int, error) {
	if offset+int64(len(into)) > f.limit {
		return 0, iotest.ErrTimeout
	}
	return f.ReaderAt.ReadAt(into, offset)
}

func realFile(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("TAMIZ_DATA")
	if root == "" {
		root = "../../../shared/data"
	}
	file := filepath.Join(root, name)
	if _, err := os.Stat(file); err != nil {
		t.Skip("the real files are not there: set TAMIZ_DATA")
	}
	return file
}

func readReal(t *testing.T, name, encoding string) (titles []string, rows [][]string) {
	t.Helper()
	file, err := os.ReadFile(realFile(t, name))
	if err != nil {
		t.Fatal(err)
	}
	table, err := open(file, encoding)
	if err != nil {
		t.Fatal(err)
	}
	rows, _, err = readAll(table)
	if err != nil {
		t.Fatal(err)
	}
	return table.Titles(), rows
}

func TestTable_KeepsCodesOfARealTable(t *testing.T) {
	titles, rows := readReal(t, "geo/mx_yucatan_ageb/31a.dbf", "ISO 88591")
	if len(rows) != 1532 || strings.Join(titles, " ") != "CVEGEO CVE_ENT CVE_MUN CVE_LOC CVE_AGEB" {
		t.Fatalf("got %d rows of %q", len(rows), titles)
	}
	for i, row := range rows {
		if len(row[0]) != 13 || row[0] != strings.Join(row[1:], "") {
			t.Fatalf("record %d: got %q", i+1, row)
		}
	}
}

func TestTable_AgreesWithARealTableAsText(t *testing.T) {
	file, err := os.Open(realFile(t, "derived/geoda_nepal_75districts.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	want, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	titles, rows := readReal(t, "np/emis/geoda_nepal_75districts.dbf", "")
	got := append([][]string{titles}, rows...)
	if len(got) != len(want) {
		t.Fatalf("got %d rows, want %d", len(got), len(want))
	}
	compared := 0
	for i := range want {
		for j := range want[i] {
			if got[i][j] != want[i][j] {
				t.Errorf("record %d, field %s: got %q, want %q", i, titles[j], got[i][j], want[i][j])
			}
			compared++
		}
	}
	t.Logf("%d cells compared", compared)
}

func FuzzTable(f *testing.F) {
	good := build([]column{{"CODE", 'C', 5}, {"N", 'N', 6}, {"DAY", 'D', 8}, {"OK", 'L', 1}, {"I", 'I', 4}, {"MEMO", 'M', 10}},
		" 0012  12.50"+"20120229"+"T"+"\x01\x02\x00\x00"+"         7", "*Jos\xE9 ******"+"        "+"?"+"\xFF\xFF\xFF\xFF"+"          ")
	f.Add(good, "")
	f.Add(good[:len(good)-9], "UTF-8")
	f.Add(with(good, 4, 0xFF, 0xFF, 0xFF, 0x7F), "850")
	f.Add(with(good, 10, 0), "ISO 88591")
	f.Add(with(good, 29, 0x02), "")
	f.Fuzz(func(t *testing.T, file []byte, encoding string) {
		table, err := open(file, encoding)
		if err != nil {
			return
		}
		rows, total, last := 0, 0, int64(0)
		for {
			cells, number, err := table.Next()
			if err != nil {
				break
			}
			if rows++; rows > len(file) || number <= last {
				t.Fatalf("%d rows, number %d after %d, from %d bytes", rows, number, last, len(file))
			}
			if last = number; len(cells) != len(table.Titles()) {
				t.Fatalf("%d cells, %d titles", len(cells), len(table.Titles()))
			}
			for _, cell := range cells {
				total += len(cell)
				if !utf8.ValidString(cell) {
					t.Fatalf("%q is no UTF-8", cell)
				}
			}
		}
		if total > 3*len(file) { // a byte makes three at most
			t.Fatalf("%d bytes of cells from %d bytes", total, len(file))
		}
	})
}

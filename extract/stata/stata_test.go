package stata_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"tamiz/extract/stata"
)

func open(file []byte) (*stata.Table, error) {
	return stata.Open(bytes.NewReader(file), int64(len(file)))
}

// rowsOf reads all observations.
func rowsOf(t *testing.T, table *stata.Table) [][]string {
	t.Helper()
	var rows [][]string
	for {
		cells, number, err := table.Next()
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		if rows = append(rows, slices.Clone(cells)); number != int64(len(rows)) {
			t.Fatalf("observation %d has the number %d", len(rows), number)
		}
	}
}

func TestTable_ReadsEveryTypeFormatAndByteOrder(t *testing.T) {
	for _, format := range []byte{113, 114, 115} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			t.Run(fmt.Sprint(format, order), func(t *testing.T) {
				table, err := open(sample(format, order).build())
				if err != nil {
					t.Fatal(err)
				}
				if want := []string{"b", "i", "l", "f", "d", "s1", "s244"}; !slices.Equal(table.Titles(), want) {
					t.Errorf("titles %q, want %q", table.Titles(), want)
				}
				if want := []string{"a byte", "", "Año", "", "", "", "long"}; !slices.Equal(table.Labels(), want) {
					t.Errorf("labels %q, want %q", table.Labels(), want)
				}
				want := [][]string{
					{"-127", "-32767", "-2147483647", "0.1", "0.1", "x", "Niño € 5"},
					{"100", "32740", "2147483620", "-15000000000", "-1000000000000000000000", "", ""},
				}
				if got := rowsOf(t, table); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("got  %q\nwant %q", got, want)
				}
				if _, _, err := table.Next(); !errors.Is(err, io.EOF) {
					t.Errorf("after the last observation: %v", err)
				}
			})
		}
	}
}

func TestTable_TellsMissingValuesByType(t *testing.T) {
	cases := []struct {
		kind  byte
		value any
		want  string
	}{
		{251, int8(101), ""}, {251, int8(102), ".a"}, {251, int8(127), ".z"}, {251, int8(100), "100"}, {251, int8(-128), "-128"},
		{252, int16(32741), ""}, {252, int16(32742), ".a"}, {252, int16(32767), ".z"}, {252, int16(101), "101"},
		{253, int32(2147483621), ""}, {253, int32(2147483622), ".a"}, {253, int32(2147483647), ".z"}, {253, int32(32741), "32741"},
		{254, uint32(0x7f000000), ""}, {254, uint32(0x7f000800), ".a"}, {254, uint32(0x7f00d000), ".z"},
		{254, uint32(0x7f000001), ""}, {254, uint32(0x7f00d800), ""}, {254, uint32(0x7f800000), ""}, {254, uint32(0x7fc00000), ""},
		{254, uint32(0xff800000), ""}, {254, uint32(0xffc00000), ""},
		{254, uint32(0x7effffff), "170141170000000000000000000000000000000"},
		{254, uint32(0xfeffffff), "-170141170000000000000000000000000000000"},
		{254, float32(101), "101"}, {254, float32(16777217), "16777216"}, {254, float32(20.3), "20.3"},
		{255, uint64(0x7fe0000000000000), ""}, {255, uint64(0x7fe0010000000000), ".a"}, {255, uint64(0x7fe01a0000000000), ".z"},
		{255, uint64(0x7fe0000000000001), ""}, {255, uint64(0x7fe01b0000000000), ""}, {255, math.Inf(1), ""}, {255, math.Inf(-1), ""}, {255, math.NaN(), ""},
		{255, 1e15, "1000000000000000"}, {255, float64(float32(0.1)), "0.10000000149011612"}, {255, 32741.0, "32741"},
		{3, "\x81b\x00", "\ufffdb"}, {3, " \xe9 ", " é "}, {3, "abc", "abc"},
	}
	for _, c := range cases {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			b := builder{format: 114, order: order, variables: []variable{{c.kind, "v", ""}}, rows: [][]any{{c.value}}}
			table, err := open(b.build())
			if err != nil {
				t.Fatal(err)
			}
			if got := rowsOf(t, table)[0][0]; got != c.want {
				t.Errorf("type %d, %v: got %q, want %q", c.kind, c.value, got, c.want)
			}
		}
	}
}

func TestOpen_SaysWhatIsWrong(t *testing.T) {
	whole := sample(114, binary.LittleEndian).build()
	rowSize := 1 + 2 + 4 + 4 + 8 + 1 + 244
	change := func(at int, to ...byte) []byte {
		file := slices.Clone(whole)
		copy(file[at:], to)
		return file
	}
	expansion := len(whole) - 2*rowSize - 5 - (5 + 7) - 5
	cases := []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "the file is empty"},
		{"tiny", []byte("ab"), "fewer than 4 bytes"},
		{"text", []byte("name,age\n1,2\n"), "no Stata table"},
		{"text that begins like a format", []byte("rows,of\n1,2\n"), "no Stata table"},
		{"format 117", []byte("<stata_dta><header><release>117</release><byteorder>LSF"), `format "117", newer than 115, the last that is read here: save it in the old format of Stata 12/13 (in Stata: saveold NAME.dta, version(12)) or as CSV`},
		{"format 118", []byte("<stata_dta><header><release>118</release>"), `format "118"`},
		{"a new format without its release", []byte("<stata_dta><hea"), "format of 117 or later"},
		{"format 112", change(0, 112), "format 112, older than 113, the first that is read here: save it"},
		{"format 105", change(0, 105), "format 105"},
		{"byte order", change(1, 3), "no Stata table"},
		{"negative variables", change(4, 0xFF, 0xFF), "promises -1 variables"},
		{"negative observations", change(6, 0, 0, 0, 0x80), "-2147483648 observations"},
		{"no variables", change(4, 0, 0), "no variables"},
		{"unknown type", change(109, 245), `variable 1, "b": its type has the code 245`},
		{"type 0", change(110, 0), `variable 2, "i": its type has the code 0`},
		{"too many variables", change(4, 0xFF, 0x7F), "the file is cut short: it ends in the description of its variables, so all 2 observations are missing"},
		{"too many observations", change(6, 0xFF, 0xFF, 0xFF, 0x7F), "promises 2147483647 observations and holds 2 whole ones, so 2147483645 are missing"},
		{"one byte less", whole[:len(whole)-1], "promises 2 observations and holds 1 whole ones, so 1 are missing"},
		{"one observation less", whole[:len(whole)-rowSize-1], "so 2 are missing"},
		{"within the header", whole[:50], "it ends in its header, so all observations are missing"},
		{"within the names", whole[:150], "it ends in the description of its variables"},
		{"within the expansion fields", whole[:expansion+3], "it ends in its expansion fields"},
		{"expansion field beyond the end", change(expansion, 1, 0xFF, 0xFF, 0xFF, 0x7F), "it ends in its expansion fields"},
		{"expansion field of negative length", change(expansion, 1, 0xFF, 0xFF, 0xFF, 0xFF), "has the type 1 and the length -1"},
		{"expansion field that is no end", change(expansion, 0, 1), "has the type 0 and the length 1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, err := open(c.file); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// broken fails to read from some offset on.
type broken struct {
	file []byte
	from int64
	err  error
}

func (b broken) ReadAt(p []byte, at int64) (int, error) {
	if at+int64(len(p)) <= b.from {
		return copy(p, b.file[at:]), nil
	}
	n := 0
	if at < b.from {
		n = copy(p, b.file[at:b.from])
	}
	return n, b.err
}

func TestTable_PassesOnWhatTheDiskSays(t *testing.T) {
	file := sample(114, binary.LittleEndian).build()
	fault := errors.New("the disk is gone")
	for from := range int64(len(file)) {
		table, err := stata.Open(broken{file, from, fault}, int64(len(file)))
		for err == nil {
			_, _, err = table.Next()
		}
		if !errors.Is(err, fault) {
			t.Fatalf("broken from byte %d: %v", from, err)
		}
	}
	table, err := stata.Open(broken{file, int64(len(file) - 1), io.EOF}, int64(len(file)))
	for err == nil {
		_, _, err = table.Next()
	}
	if want := "observation 2: the file ends in it, 1 observations are missing"; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

func FuzzTable(f *testing.F) {
	for _, format := range []byte{113, 114, 115} {
		f.Add(sample(format, binary.LittleEndian).build())
		f.Add(sample(format, binary.BigEndian).build())
	}
	f.Add(builder{format: 115, order: binary.LittleEndian, variables: []variable{{255, "d", ""}}, rows: [][]any{{5e-324}, {uint64(0x7fe0010000000000)}}}.build())
	f.Add([]byte("<stata_dta><header><release>118</release>"))
	f.Fuzz(func(t *testing.T, file []byte) {
		table, err := open(file)
		if err != nil {
			return
		}
		if len(table.Titles()) != len(table.Labels()) {
			t.Fatal("not as many labels as titles")
		}
		size := 0
		for n := 0; ; n++ {
			cells, number, err := table.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal("an observation that Open had counted:", err)
			}
			if n > len(file) || number != int64(n+1) || len(cells) != len(table.Titles()) {
				t.Fatalf("row %d has the number %d and %d cells", n, number, len(cells))
			}
			for _, cell := range cells {
				size += len(cell)
			}
		}
		// A double near 0 takes 8 bytes in the file and up to 330 digits.
		if size > 42*len(file) {
			t.Fatalf("%d bytes became %d", len(file), size)
		}
	})
}

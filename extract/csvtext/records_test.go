package csvtext_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"tamiz/extract/csvtext"
)

// split reads all records as text, with the line of each.
func split(source io.Reader, separator string) (rows [][]string, lines []int64, ends csvtext.LineEnds, err error) {
	records, err := csvtext.NewRecords(source, separator)
	if err != nil {
		return nil, nil, ends, err
	}
	for {
		record, err := records.Next()
		if errors.Is(err, io.EOF) {
			return rows, lines, records.LineEnds(), nil
		}
		if err != nil {
			return rows, lines, records.LineEnds(), err
		}
		var row []string
		for _, field := range record.Fields {
			row = append(row, string(field))
		}
		rows, lines = append(rows, row), append(lines, record.Line)
	}
}

func TestRecords_SplitsAsPublishersWrite(t *testing.T) {
	cases := []struct{ name, text, separator, want, lines, ends string }{
		{"line feeds", "a,b\n1,2\n", ",", `[["a" "b"] ["1" "2"]]`, "[1 2]", "LF"},
		{"no line end at the end", "a,b\n1,2", ",", `[["a" "b"] ["1" "2"]]`, "[1 2]", "LF"},
		{"carriage returns and line feeds", "a,b\r\n1,2\r\n", ",", `[["a" "b"] ["1" "2"]]`, "[1 2]", "CRLF"},
		{"carriage returns only", "a,b\r1,2\r", ",", `[["a" "b"] ["1" "2"]]`, "[1 2]", "CR"},
		{"mixed line ends", "a\r\nb\nc\rd", ",", `[["a"] ["b"] ["c"] ["d"]]`, "[1 2 3 4]", "LF and CRLF and CR"},
		{"blank lines are no records", "a,b\n\n \t \n1,2\n\n", ",", `[["a" "b"] ["1" "2"]]`, "[1 4]", "LF"},
		{"empty fields are fields", ",\n,,\n", ",", `[["" ""] ["" "" ""]]`, "[1 2]", "LF"},
		{"a quoted empty field is a record", "\"\"\n", ",", `[[""]]`, "[1]", "LF"},
		{"separator in quotes", "\"a,b\",c\n", ",", `[["a,b" "c"]]`, "[1]", "LF"},
		{"doubled quotes", "\"say \"\"hi\"\"\",c\n", ",", `[["say \"hi\"" "c"]]`, "[1]", "LF"},
		{"line ends in quotes become LF", "\"a\r\nb\rc\nd\",e\nf,g\n", ",", `[["a\nb\nc\nd" "e"] ["f" "g"]]`, "[1 5]", "LF"},
		{"a quote in plain text is text", "5\" pipe,x\n", ",", `[["5\" pipe" "x"]]`, "[1]", "LF"},
		{"blanks stay", " a , b\n", ",", `[[" a " " b"]]`, "[1]", "LF"},
		{"blanks after a closing quote stay", "\"a\" ,b\n", ",", `[["a " "b"]]`, "[1]", "LF"},
		{"semicolons", "a;b,c\n", ";", `[["a" "b,c"]]`, "[1]", "LF"},
		{"tabs", "a\t\tb\n", "\t", `[["a" "" "b"]]`, "[1]", "LF"},
		{"bars", "a|b\n", "|", `[["a" "b"]]`, "[1]", "LF"},
		{"nothing", "", ",", `[]`, "[]", "none"},
		{"only line ends", "\r\n\n\r", ",", `[]`, "[]", "LF and CRLF and CR"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, source := range []io.Reader{strings.NewReader(c.text), iotest.OneByteReader(strings.NewReader(c.text))} {
				rows, lines, ends, err := split(source, c.separator)
				if err != nil {
					t.Fatal(err)
				}
				if got := fmt.Sprintf("%q", rows); got != c.want {
					t.Errorf("records of %q: got %s, want %s", c.text, got, c.want)
				}
				if got := fmt.Sprint(lines); got != c.lines {
					t.Errorf("lines: got %s, want %s", got, c.lines)
				}
				if ends.String() != c.ends {
					t.Errorf("line ends: got %s, want %s", ends, c.ends)
				}
			}
		})
	}
}

func TestRecords_SaysWhereAFaultIs(t *testing.T) {
	cases := []struct {
		name, text string
		line       int64
		problem    string
	}{
		{"unclosed quote", "a,b\n1,\"x\ny\nz\n", 2, "never closed"},
		{"unclosed quote after another one", "a,b\n\"x\ny\",\"z\n", 3, "never closed"},
		{"text after a closing quote", "a\nb\n\"El \"Sauz\"\",x\n", 3, "doubled"},
		{"an unclosed quote in a large file", "a,b\n\"x" + strings.Repeat("y,z\n", 1<<20), 2, "never closed"},
		{"a long field", "a\n" + strings.Repeat("x", csvtext.FieldLimit+1), 2, "a field is longer than 1,048,576 bytes"},
		{"a long record", "a\n" + strings.Repeat(strings.Repeat("x", 1000)+",", 9000), 2, "a record is longer than 8,388,608 bytes"},
		{"too many fields", "a\n" + strings.Repeat(",", csvtext.FieldsLimit), 2, "more than 16,384 fields"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, _, _, err := split(strings.NewReader(c.text), ",")
			var fault *csvtext.Fault
			if !errors.As(err, &fault) {
				t.Fatalf("got %v, want a fault", err)
			}
			if fault.Line != c.line || !strings.Contains(fault.Problem, c.problem) {
				t.Errorf("got %v, want line %d: %s", fault, c.line, c.problem)
			}
		})
	}
}

func TestRecords_RefusesOddSeparators(t *testing.T) {
	for _, separator := range []string{"", ",,", "\"", "\n", "\r", "é"} {
		if _, err := csvtext.NewRecords(strings.NewReader(""), separator); err == nil {
			t.Errorf("separator %q was accepted", separator)
		}
	}
}

func TestRecords_SkipLinesIgnoresQuotes(t *testing.T) {
	for _, text := range []string{"a \" title\n\nx,y\n", "a \" title\r\n\r\nx,y\r\n", "a \" title\r\rx,y\r"} {
		records, err := csvtext.NewRecords(iotest.OneByteReader(strings.NewReader(text)), ",")
		if err != nil {
			t.Fatal(err)
		}
		if err := records.SkipLines(2); err != nil {
			t.Fatal(err)
		}
		record, err := records.Next()
		if err != nil || string(record.Fields[0]) != "x" || record.Line != 3 {
			t.Errorf("%q: got %q on line %d, %v", text, record.Fields, record.Line, err)
		}
		if err := records.SkipLines(5); !errors.Is(err, io.EOF) {
			t.Errorf("skip beyond the end: got %v, want EOF", err)
		}
	}
}

func TestRecords_PassesOnReadErrors(t *testing.T) {
	broken := errors.New("broken")
	_, _, _, err := split(io.MultiReader(strings.NewReader("a,b\n"), iotest.ErrReader(broken)), ",")
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want the reader's error", err)
	}
}

// write is the simple writer that FuzzRecords holds against the splitter.
func write(rows [][]string, separator, end string) string {
	var b strings.Builder
	for _, row := range rows {
		for i, field := range row {
			if i > 0 {
				b.WriteString(separator)
			}
			if field == "" || strings.ContainsAny(field, separator+"\"\r\n \t") {
				field = `"` + strings.ReplaceAll(field, `"`, `""`) + `"`
			}
			b.WriteString(field)
		}
		b.WriteString(end)
	}
	return b.String()
}

func FuzzRecords(f *testing.F) {
	for _, seed := range []string{"a,b\n1,2\n", "\"a\"\"\r\n\",b\r", ",,\n\"", "x\"y,\"\" ,\r\r\n", "é;\tñ|"} {
		f.Add([]byte(seed), byte(0), byte(3))
	}
	f.Fuzz(func(t *testing.T, text []byte, which, width byte) {
		separator := []string{",", ";", "\t", "|"}[which%4]
		rows, _, _, err := split(bytes.NewReader(text), separator)
		slow, _, _, slowErr := split(iotest.OneByteReader(bytes.NewReader(text)), separator)
		if fmt.Sprint(rows, err) != fmt.Sprint(slow, slowErr) {
			t.Fatalf("pieces matter: %q, %v against %q, %v", rows, err, slow, slowErr)
		}
		if err != nil {
			return
		}
		for _, end := range []string{"\n", "\r\n", "\r"} { // what was read, written and read again
			again, _, _, err := split(strings.NewReader(write(rows, separator, end)), separator)
			if err != nil || fmt.Sprintf("%q", again) != fmt.Sprintf("%q", rows) {
				t.Fatalf("got %q, %v, want %q", again, err, rows)
			}
		}
		fields := strings.Split(string(text), "\x00") // any text at all, written and read
		for i := range fields {
			fields[i] = strings.ReplaceAll(strings.ReplaceAll(fields[i], "\r\n", "\n"), "\r", "\n")
		}
		var table [][]string
		for n := int(width%5) + 1; len(fields) > 0; fields = fields[min(n, len(fields)):] {
			table = append(table, fields[:min(n, len(fields))])
		}
		again, _, _, err := split(strings.NewReader(write(table, separator, "\n")), separator)
		if err != nil || fmt.Sprintf("%q", again) != fmt.Sprintf("%q", table) {
			t.Fatalf("got %q, %v, want %q", again, err, table)
		}
	})
}

// BenchmarkRecords splits and decodes a registry-like table. The yardstick is
// 150 MB/s.
func BenchmarkRecords(b *testing.B) {
	line := "14EPR0042X,MATUTINO,BENITO JU\xE7REZ,\"AV. HIDALGO 12, CENTRO\",39,TONAL\xE7,PUBLICO,PRIMARIA,12,14,26,11,9,20,180\r"
	text := []byte(strings.Repeat(line, 64<<20/len(line)))
	encoding, err := csvtext.FindEncoding("mac-roman")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		records, _ := csvtext.NewRecords(bytes.NewReader(text), ",")
		var decoded []byte
		for {
			record, err := records.Next()
			if err != nil {
				break
			}
			decoded = decoded[:0]
			for _, field := range record.Fields {
				decoded = encoding.AppendText(decoded, field)
			}
		}
	}
	b.ReportMetric(float64(len(text))*float64(b.N)/b.Elapsed().Seconds()/150e6, "x150MB/s")
}

// BenchmarkSurvey reads the same table for its encoding.
func BenchmarkSurvey(b *testing.B) {
	line := "14EPR0042X,MATUTINO,BENITO JU\xE7REZ,\"AV. HIDALGO 12, CENTRO\",39,TONAL\xE7,PUBLICO,PRIMARIA,12,14,26,11,9,20,180\r"
	text := []byte(strings.Repeat(line, 256<<10/len(line)))
	b.SetBytes(int64(256 * len(text)))
	for b.Loop() {
		survey, err := csvtext.NewSurvey([]string{"utf-8", "windows-1252", "mac-roman", "latin-1"}, []string{"JUÁREZ", "MATRÍCULA", "NO ESTÁ"})
		if err != nil {
			b.Fatal(err)
		}
		for range 256 {
			survey.Write(text)
		}
		if choice, err := survey.Choose(); err != nil || choice.Encoding.Name() != "mac-roman" {
			b.Fatal(choice, err)
		}
	}
}

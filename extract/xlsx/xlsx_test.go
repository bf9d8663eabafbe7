package xlsx_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"tamiz/extract/xlsx"
)

const (
	space = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"`
	links = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
)

// pack builds a ZIP archive of names and contents in turn.
func pack(t testing.TB, parts ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := 0; i < len(parts); i += 2 {
		member, err := w.Create(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(member, parts[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// book builds a workbook with one sheet, "data", of that XML, and of shared
// strings, each of them the XML within <si>.
func book(t testing.TB, sheet string, texts ...string) []byte {
	t.Helper()
	var shared strings.Builder
	for _, text := range texts {
		shared.WriteString("<si>" + text + "</si>")
	}
	return pack(t, "_rels/.rels", `<Relationships><Relationship Id="a" Type="`+links+`/officeDocument" Target="/xl/book.xml"/></Relationships>`,
		`xl\book.xml`, `<workbook `+space+` xmlns:r="`+links+`"><sheets><sheet name="data" sheetId="1" r:id="x"/><sheet name="chart" r:id="c"/></sheets></workbook>`,
		"xl/_rels/Book.xml.rels", `<Relationships><Relationship Id="x" Type="`+links+`/worksheet" Target="sheets/one.xml"/>`+
			`<Relationship Id="c" Type="`+links+`/chartsheet" Target="c.xml"/>`+
			`<Relationship Id="t" Type="`+links+`/sharedStrings" Target="texts.xml"/></Relationships>`,
		"xl/sheets/one.xml", sheet,
		"xl/texts.xml", "<sst "+space+">"+shared.String()+"</sst>",
		"xl/oleObject1.bin", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
}

// data wraps rows into the XML of a sheet.
func data(rows string) string {
	return `<worksheet ` + space + `><cols><col min="1" max="2"/></cols><sheetData>` + rows + `</sheetData>` +
		`<controls><anchor><row>5</row><c>6</c></anchor></controls></worksheet>`
}

// read gives the rows of a sheet as `number:"cell" "cell"`.
func read(t testing.TB, raw []byte, sheet string) ([]string, error) {
	t.Helper()
	dir := t.TempDir()
	defer func() {
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("files are left behind: %v", left)
		}
	}()
	w, err := xlsx.Open(bytes.NewReader(raw), int64(len(raw)), dir)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	s, err := w.Sheet(sheet)
	if err != nil {
		return nil, err
	}
	var rows []string
	for {
		cells, number, err := s.Next()
		if errors.Is(err, io.EOF) {
			return rows, s.Close()
		}
		if err != nil {
			if _, _, again := s.Next(); again == nil || again.Error() != err.Error() {
				t.Errorf("after %v comes %v", err, again)
			}
			return rows, err
		}
		if len(cells) > 100 {
			cells = []string{fmt.Sprint(len(cells), " cells")}
		}
		rows = append(rows, fmt.Sprintf("%d:%q", number, cells))
	}
}

func TestSheet_GivesCellsAsText(t *testing.T) {
	cases := []struct{ name, rows, want string }{
		{"numbers", `<row r="1"><c r="A1"><v>9.1999999999999993</v></c><c r="B1" t="n"><v>1E+15</v></c><c r="C1"><v>-0</v></c>` +
			`<c r="D1"><v>123456789012345678</v></c><c r="E1"><v>1e999</v></c><c r="F1" s="3"><v>007</v></c></row>`,
			`1:["9.2" "1000000000000000" "0" "123456789012345680" "" "7"]`},
		{"texts that look like numbers", `<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="str"><v>0012</v></c>` +
			`<c r="D1" t="inlineStr"><is><t>9.1999999999999993</t></is></c></row>`, `1:["01001" "1e5" "0012" "9.1999999999999993"]`},
		{"other types", `<row r="1"><c r="A1" t="b"><v>1</v></c><c r="B1" t="b"><v>0</v></c><c r="C1" t="e"><v>#N/A</v></c>` +
			`<c r="D1" t="d"><v>2017-01-02</v></c><c t="b"/><c><f>1+1</f><v>2</v></c></row>`, `1:["TRUE" "FALSE" "#N/A" "2017-01-02" "" "2"]`},
		{"texts stay as they are", `<row r="1"><c r="A1" t="s"><v>2</v></c><c r="B1" t="s"><v> 3 </v></c><c r="C1" t="s"><v>4</v></c></row>`,
			`1:[" a\nb " "bold plain" "x_x\b"]`},
		{"rows and cells that are missing", `<row r="3"><c r="B3"><v>1</v></c><c><v>2</v></c><c r="F3"><v>3</v></c></row>` +
			`<row r="4"/><row><c r="A5" s="1"/><c><v>4</v></c><c r="D5"/></row><row r="1048576"><c r="A1048576"><v>5</v></c></row>`,
			`3:["" "1" "2" "" "" "3"] 5:["" "4"] 1048576:["5"]`},
		{"no numbers at all", `<row><c><v>1</v></c></row><row><c><v>2</v></c></row>`, `1:["1"] 2:["2"]`},
		{"the last column", `<row r="2"><c r="XFD2"><v>1</v></c></row>`, `2:["16384 cells"]`},
		{"no rows", ``, ``},
		{"extensions", `<row r="1"><extLst><ext/></extLst><c><v>1</v><extLst><ext/></extLst></c></row>`, `1:["1"]`},
	}
	texts := []string{"<t>01001</t>", "<t>1e5</t>", `<t xml:space="preserve"> a` + "\n" + `b </t>`,
		"<r><rPr><b/></rPr><t>bold</t></r><r><t> plain</t></r><rPh><t>sound</t></rPh>", "<t>x_x005F_x_x0008_</t>"}
	for _, c := range cases {
		rows, err := read(t, book(t, data(c.rows), texts...), "data")
		if got := strings.Join(rows, " "); err != nil || got != c.want {
			t.Errorf("%s: got %.300s, %v\nwant %.300s", c.name, got, err, c.want)
		}
	}
}

func TestSheet_TellsWhatIsWrongAndWhere(t *testing.T) {
	many := strings.Repeat(`<row><c r="XFD%d"><v>1</v></c></row>`, 3000)
	numbers := make([]any, 3000)
	for i := range numbers {
		numbers[i] = i + 1
	}
	cases := []struct{ name, rows, want string }{
		{"no number", `<row r="2"><c r="B2"><v>abc</v></c></row>`, `sheet "data": row 2: cell B2: "abc" is no number`},
		{"hexadecimal", `<row><c><v>0x1p-2</v></c></row>`, `is no number`},
		{"no logical value", `<row><c t="b"><v>2</v></c></row>`, `cell A1: "2" is no logical value`},
		{"no such text", `<row><c t="s"><v>9</v></c></row>`, `row 1: cell A1: it refers to shared string "9", but the workbook has 1`},
		{"negative text", `<row><c t="s"><v>-1</v></c></row>`, `shared string "-1"`},
		{"type", `<row><c t="q"><v>1</v></c></row>`, `type "q" is unknown`},
		{"style", `<row><c s="q" t="s"><v>0</v></c></row>`, `style "q"`},
		{"row order", `<row r="5"/><row r="3"/>`, `row 3 stands after row 5`},
		{"row twice", `<row r="5"/><row r="5"/>`, `row 5 stands after row 5`},
		{"row number", `<row r="x"/>`, `"x" is no number`},
		{"row too far", `<row r="1048577"/>`, `row 1048577 is beyond the limit of 1048576 rows`},
		{"huge row", `<row r="999999999999"/>`, `beyond the limit`},
		{"two numbers", `<row r="1" x:r="2" xmlns:x="u"/>`, `given twice`},
		{"cell order", `<row><c r="C1"/><c r="B1"/></row>`, `cell B1 stands after cell C1`},
		{"cell of another row", `<row r="3"><c r="C4"/></row>`, `row 3: "C4" is no cell of this row`},
		{"column too far", `<row><c r="XFE1"/></row>`, `beyond the limit of 16384 columns`},
		{"far too far", `<row><c r="ZZZZ1"/></row>`, `"ZZZZ1" is no cell`},
		{"two values", `<row><c><v>1</v><v>2</v></c></row>`, `unexpected element "v"`},
		{"value in parts", `<row><c><v>1<b/>2</v></c></row>`, `unexpected element "b"`},
		{"cell in a cell", `<row><c><c/></c></row>`, `unexpected element "c"`},
		{"row in a row", `<row><row/></row>`, `unexpected element "row"`},
		{"cell beside", `<c/>`, `unexpected element "c"`},
		{"text too long", `<row><c t="str"><v>` + strings.Repeat("a", 1<<17+1) + `</v></c></row>`, `longer than 131072 bytes`},
		{"cell too long", `<row><c><f>` + strings.Repeat("a", 1<<20) + `</f></c></row>`, `longer than 1048576 bytes of XML`},
		{"attribute too long", `<row r="1"/><row x="` + strings.Repeat("a", 1<<20) + `"/>`, `longer than 1048576 bytes of XML`},
		{"escapes", `<row><c t="str"><v>` + strings.Repeat("_x0041_", 1001) + `</v></c></row>`, `more than 1000 characters`},
		{"depth", `<row><c>` + strings.Repeat("<x>", 100), `nested deeper than 64`},
		{"cut short", `<row r="1"><c r="A1"><v>1</v></c></row><row`, `its XML is damaged`},
		{"far-off columns", fmt.Sprintf(many, numbers...), `nearly all are empty`},
	}
	for _, c := range cases {
		sheet := data(c.rows)
		if c.name == "cut short" || c.name == "depth" {
			sheet = sheet[:strings.Index(sheet, "</sheetData>")]
		}
		_, err := read(t, book(t, sheet, "<t>a</t>"), "data")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func TestSheet_BoundsRepeatedTexts(t *testing.T) {
	long := "<t>" + strings.Repeat("a", 1<<17) + "</t>"
	wide := data("<row>" + strings.Repeat(`<c t="s"><v>0</v></c>`, 65) + "</row>")
	if _, err := read(t, book(t, wide, long), "data"); err == nil || !strings.Contains(err.Error(), "row 1: it has more than 8388608 bytes of text") {
		t.Errorf("one row: got %v", err)
	}
	tall := data(strings.Repeat("<row>"+strings.Repeat(`<c t="s"><v>0</v></c>`, 60)+"</row>", 20))
	if _, err := read(t, book(t, tall, long), "data"); err == nil || !strings.Contains(err.Error(), "repeats its shared strings") {
		t.Errorf("many rows: got %v", err)
	}
}

func TestOpen_RefusesWhatIsNoWorkbook(t *testing.T) {
	good := book(t, data(""), "<t>a</t>")
	change := func(old, new string) []byte { return bytes.ReplaceAll(bytes.Clone(good), []byte(old), []byte(new)) }
	many := make([]string, 0, 2*10_001)
	for i := range cap(many) / 2 {
		many = append(many, fmt.Sprint("part", i), "")
	}
	for name, c := range map[string]struct {
		raw  []byte
		want string
	}{
		"empty":                {nil, "it is no .xlsx workbook, or cut short"},
		"text":                 {[]byte("id,name\n"), "it is no .xlsx workbook"},
		"protected":            {[]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest"), "protected by a password"},
		"cut":                  {good[:len(good)-40], "cut short"},
		"another archive":      {pack(t, "a.csv", "1"), `no part "_rels/.rels"`},
		"two parts":            {change("xl/oleObject1.bin", "XL/SHEETS/one.xml"), "two parts"},
		"no list":              {change("xl/_rels/Book", "xl/_rels/Look"), "no part"},
		"too many parts":       {pack(t, many...), "more than 10000 parts"},
		"binary":               {pack(t, "_rels/.rels", `<R><Relationship Id="a" Type="x/officeDocument" Target="xl/workbook.bin"/></R>`), ".xlsb"},
		"no main part":         {pack(t, "_rels/.rels", `<R/>`), "names no main part"},
		"shared strings bomb":  {book(t, data(""), strings.Repeat("<t/>", 6<<20)), "more than 200 times"},
		"shared string long":   {book(t, data(""), "<t>"+strings.Repeat("ab", 1<<16)+"c</t>"), "shared strings: text 0: a text is longer"},
		"shared strings other": {book(t, data(""), "<row/>"), `unexpected element "row"`},
	} {
		_, err := read(t, c.raw, "data")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	if _, err := read(t, good, "chart"); err == nil || err.Error() != `there is no sheet "chart": the workbook has "data"` {
		t.Errorf("a chart: %v", err)
	}
	if _, err := read(t, book(t, data(strings.Repeat("<row/>", 5<<20))), "data"); err == nil || !strings.Contains(err.Error(), "more than 200 times") {
		t.Errorf("a bomb: %v", err)
	}
}

// made builds a workbook with excelize.
func made(t testing.TB, rows int) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	if _, err := f.NewSheet("Año 2"); err != nil {
		t.Fatal(err)
	}
	for row := 1; row <= rows; row++ {
		values := []any{fmt.Sprintf("%05d", row), float64(row) / 10, row%2 == 0, nil, "ñandú " + strings.Repeat("x", row%50)}
		if err := f.SetSheetRow("Año 2", fmt.Sprintf("A%d", row), &values); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestSheet_ReadsLargePartsThroughFiles(t *testing.T) {
	const rows = 30_000 // more than 1 MiB of XML, in the sheet and in the shared strings
	raw := made(t, rows)
	got, err := read(t, raw, "Año 2")
	if err != nil || len(got) != rows {
		t.Fatalf("%d rows, %v", len(got), err)
	}
	for i, row := range got {
		logical := map[bool]string{true: "TRUE", false: "FALSE"}[(i+1)%2 == 0]
		want := fmt.Sprintf(`%d:["%05d" "%v" "%s" "" "ñandú %s"]`, i+1, i+1, float64(i+1)/10, logical, strings.Repeat("x", (i+1)%50))
		if row != want {
			t.Fatalf("got %s, want %s", row, want)
		}
	}
}

func TestWorkbook_ClosesWhatIsOpen(t *testing.T) {
	raw, dir := made(t, 30_000), t.TempDir()
	w, err := xlsx.Open(bytes.NewReader(raw), int64(len(raw)), dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(w.Sheets()); got != "[Sheet1 Año 2]" {
		t.Errorf("sheets: %s", got)
	}
	s, err := w.Sheet("Año 2")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Next(); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%d folders while a sheet is open, want 1", len(left))
	}
	if err := errors.Join(w.Close(), s.Close(), w.Close()); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("files are left behind: %v", left)
	}
	if _, _, err := s.Next(); err == nil {
		t.Error("a closed sheet gives rows")
	}
	if _, err := w.Sheet("Año 2"); err != nil {
		t.Error(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

func FuzzWorkbook(f *testing.F) {
	f.Add(made(f, 3))
	f.Add(book(f, data(`<row r="1"><c r="A1" t="s"><v>0</v></c><c r="XFD1" t="b"><v>1</v></c></row>`), "<t>a</t>"))
	f.Fuzz(func(t *testing.T, raw []byte) { check(t, raw) })
}

// FuzzSheet spares the fuzzer the checksums of a ZIP archive.
func FuzzSheet(f *testing.F) {
	f.Add(data(`<row r="1"><c r="A1" t="s"><v>0</v></c><c r="D1" t="b"><v>1</v></c></row><row><c t="e"><f>1/0</f><v>#DIV/0!</v></c></row>`), "<t>a</t>")
	f.Add(data(`<row r="3"><c t="inlineStr"><is><r><t>_x000D_</t></r></is></c><c><v>1.50</v></c></row>`), "<r><t>b</t></r><rPh><t>c</t></rPh>")
	f.Fuzz(func(t *testing.T, sheet, text string) { check(t, book(t, sheet, text, text)) })
}

func check(t *testing.T, raw []byte) {
	dir := t.TempDir()
	defer func() {
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("files are left behind: %v", left)
		}
	}()
	soundError := func(err error) {
		for _, bad := range []string{"the file is damaged", "do not agree"} { // a panic, or a guard that reads otherwise
			if err != nil && strings.Contains(err.Error(), bad) {
				t.Fatal(err)
			}
		}
	}
	w, err := xlsx.Open(bytes.NewReader(raw), int64(len(raw)), dir)
	if soundError(err); err != nil {
		return
	}
	defer w.Close()
	for _, name := range w.Sheets() {
		s, err := w.Sheet(name)
		if soundError(err); err != nil {
			continue
		}
		last, total := int64(0), 0
		for err == nil {
			var cells []string
			var number int64
			if cells, number, err = s.Next(); err != nil {
				break
			}
			if number <= last || number > xlsx.RowLimit || len(cells) == 0 || len(cells) > xlsx.ColumnLimit {
				t.Fatalf("row %d of %d cells after row %d", number, len(cells), last)
			}
			last = number
			for _, cell := range cells {
				total += len(cell)
			}
		}
		soundError(err)
		if total > xlsx.TextFloor+1100*400*len(raw) {
			t.Fatalf("%d bytes of text from %d bytes", total, len(raw))
		}
	}
}

package extract

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"tamiz/extract/biff"
	"tamiz/extract/csvtext"
	"tamiz/extract/dbase"
	"tamiz/extract/jsontext"
	"tamiz/extract/shape"
	"tamiz/extract/stata"
	"tamiz/extract/xlsx"
	"tamiz/pipeline"
)

// table is one part of a raw file whose rows can be read from the first on,
// as often as it takes to find its header.
type table struct {
	open      func(skip int) (grid, error) // after so many rows
	delimited bool                         // every record must be as wide as the header
	named     bool                         // the format itself names the columns, in one row before the records
}

// grid gives the rows of a table.
type grid interface {
	next() (csvtext.Record, error)      // io.EOF after the last; valid until the next call
	text(appendTo, field []byte) []byte // decodes a field to UTF-8
	notes() []string
	close() error
}

// formats reads one piece in each of the formats that a card may name.
var formats = map[string]func(r *reading, name string, p piece, beside map[string]piece) error{
	"csv": (*reading).readCSV, "xlsx": (*reading).readXLSX, "xls": (*reading).readXLS, "dbf": (*reading).readDBF,
	"shapefile": (*reading).readShapefile, "dta": (*reading).readDTA, "json": (*reading).readJSON,
}

var formatWords = map[string]string{
	"csv": "a table in text (csv)", "xlsx": "an Excel workbook (.xlsx)", "xls": "an old Excel workbook (.xls)", "dbf": "a dBASE table (.dbf)",
	"shapefile": "a shapefile (.shp)", "dta": "a Stata file (.dta)", "json": "a table in JSON",
}

// signs are the first bytes by which formats are known for certain.
var signs = []struct{ start, format string }{
	{"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "xls"}, {"PK\x03\x04", "xlsx"}, {"\x00\x00\x27\x0A", "shapefile"},
}

// looksLike reports whether a file without a certain sign may be of a format.
func looksLike(format string, head []byte) bool {
	switch format {
	case "csv":
		return true
	case "json":
		start := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xEF\xBB\xBF")), " \t\r\n")
		return len(start) > 0 && (start[0] == '[' || start[0] == '{')
	case "dta":
		return len(head) > 2 && (head[0] >= 102 && head[0] <= 115 && (head[1] == 1 || head[1] == 2) || bytes.HasPrefix(head, []byte("<stata_dta>")))
	case "dbf":
		return len(head) > 0 && slices.Contains([]byte{0x02, 0x03, 0x04, 0x05, 0x30, 0x31, 0x32, 0x43, 0x63, 0x83, 0x8B, 0xCB, 0xF5, 0xFB}, head[0])
	}
	return false
}

// csvGrid gives the records of delimited text.
type csvGrid struct {
	*csvtext.Records
	piece     piece
	choice    csvtext.Choice
	separator string
}

func (g *csvGrid) next() (csvtext.Record, error) { return g.Next() }
func (g *csvGrid) text(appendTo, field []byte) []byte {
	return g.choice.Encoding.AppendText(appendTo, field)
}
func (g *csvGrid) close() error { return nil }

func (g *csvGrid) notes() []string {
	separator := g.separator
	if separator == "\t" {
		separator = "tab"
	}
	return []string{"encoding: " + g.choice.Reason, "line ends: " + g.LineEnds().String() + "; separator: " + separator}
}

// readCSV looks at all bytes first: are they text, and in which encoding?
func (r *reading) readCSV(name string, p piece, _ map[string]piece) error {
	parsing := &r.source.Parsing
	choice, err := r.choose(p)
	if err != nil {
		return err
	}
	open := func(skip int) (grid, error) {
		records, err := csvtext.NewRecords(nil, parsing.Separator)
		if err != nil {
			return nil, r.wrongCard(err)
		}
		records.Resume(p.from(int64(choice.Mark)), int64(choice.Mark), 1)
		g := &csvGrid{records, p, choice, parsing.Separator}
		r.grid = g // for messages
		if err := records.SkipLines(skip); err != nil && err != io.EOF {
			return nil, err
		}
		return g, nil
	}
	return r.readTable(name, table{open: open, delimited: true})
}

func (r *reading) wrongCard(err error) error {
	return &pipeline.Error{Kind: pipeline.Config, Where: r.source.Path, Problem: "the card is wrong", Err: err}
}

// choose finds the encoding of a text; what a reading of all of it has found
// is not looked for again.
func (r *reading) choose(p piece) (csvtext.Choice, error) {
	if r.picking != nil && r.picking.places != nil {
		return r.picking.places.choice()
	}
	survey, err := csvtext.NewSurvey(r.source.Parsing.Encodings, r.source.Parsing.Expect)
	if err != nil {
		return csvtext.Choice{}, r.wrongCard(err)
	}
	if _, err := copyAll(r.ctx, survey, p.from(0)); err != nil {
		return csvtext.Choice{}, storageError("read raw bytes", err)
	}
	return survey.Choose()
}

// rowsOf is what all decoders of tables give.
type rowsOf interface {
	Next() (cells []string, number int64, err error)
}

// cellGrid gives the rows of a decoder that yields cells of text.
type cellGrid struct {
	r        *reading
	what     string // the format, for messages
	rows     rowsOf
	titles   []string // given as the first row; nil if the rows hold them
	gaps     bool     // rows that the decoder passes over are empty ones
	line     int64    // of the row given last
	waiting  []string // the row after a gap
	waitLine int64
	fields   [][]byte
	note     []string
	closing  func() error
}

func (g *cellGrid) text(appendTo, field []byte) []byte { return append(appendTo, field...) }
func (g *cellGrid) notes() []string                    { return g.note }

func (g *cellGrid) close() error {
	if g.closing == nil {
		return nil
	}
	return g.closing()
}

func (g *cellGrid) next() (csvtext.Record, error) {
	if g.titles != nil {
		titles := g.titles
		g.titles = nil
		return g.record(titles, 0), nil
	}
	if g.waitLine == 0 {
		cells, number, err := g.rows.Next()
		if err != nil {
			return csvtext.Record{}, g.r.unreadable(g.what, err)
		}
		if !g.gaps || number <= g.line+1 {
			g.line = number
			return g.record(cells, number), nil
		}
		g.waiting, g.waitLine = cells, number
	}
	g.line++
	if g.line < g.waitLine {
		return csvtext.Record{Line: g.line}, nil
	}
	g.waitLine = 0
	return g.record(g.waiting, g.line), nil
}

func (g *cellGrid) record(cells []string, line int64) csvtext.Record {
	g.fields = g.fields[:0]
	for _, cell := range cells {
		g.fields = append(g.fields, []byte(cell))
	}
	return csvtext.Record{Fields: g.fields, Line: line}
}

// readNamed reads a table of a format that names its columns itself.
func (r *reading) readNamed(name, what string, open func() (rowsOf, []string, error)) error {
	return r.readTable(name, table{named: true, open: func(skip int) (grid, error) {
		rows, titles, err := open()
		if err != nil {
			return nil, r.unreadable(what, err)
		}
		if titles == nil {
			titles = []string{}
		}
		return &cellGrid{r: r, what: what, rows: rows, titles: titles}, nil
	}})
}

func (r *reading) readDBF(name string, p piece, beside map[string]piece) error {
	return r.readNamed(name, "dBASE table", func() (rowsOf, []string, error) {
		t, err := dbase.Open(p, p.size, "")
		if err != nil {
			return nil, nil, err
		}
		return t, t.Titles(), nil
	})
}

func (r *reading) readDTA(name string, p piece, _ map[string]piece) error {
	return r.readNamed(name, "Stata file", func() (rowsOf, []string, error) {
		t, err := stata.Open(p, p.size)
		if err != nil {
			return nil, nil, err
		}
		return t, t.Titles(), nil
	})
}

func (r *reading) readJSON(name string, p piece, _ map[string]piece) error {
	return r.readNamed(name, "table in JSON", func() (rowsOf, []string, error) {
		t, err := jsontext.Open(p, p.size, r.source.Parsing.JSONPath)
		if err != nil {
			return nil, nil, err
		}
		return t, t.Titles(), nil
	})
}

// readShapefile reads polygons with their attributes; the geometry is the
// last column, as GeoJSON in WGS84.
func (r *reading) readShapefile(name string, p piece, beside map[string]piece) error {
	const small = 64 << 10
	attributes, ok := beside[".dbf"]
	if !ok {
		return &pipeline.Error{Kind: pipeline.Drift, Problem: "the shapefile is not whole: its table of attributes is missing",
			Expected: "a file of the same name that ends in .dbf", Hint: "put all files of the shapefile (.shp, .dbf, .prj, .cpg) side by side, under one name"}
	}
	projection, err := beside[".prj"].all(small)
	if err != nil {
		return r.unreadable("shapefile's .prj", err)
	}
	encoding, err := beside[".cpg"].all(small)
	if err != nil {
		return r.unreadable("shapefile's .cpg", err)
	}
	return r.readNamed(name, "shapefile", func() (rowsOf, []string, error) {
		layer, err := shape.Open(shape.Files{SHP: shape.Part{R: p, Size: p.size}, DBF: shape.Part{R: attributes, Size: attributes.size}, PRJ: projection, CPG: encoding})
		if err != nil {
			return nil, nil, err
		}
		return layer, layer.Titles(), nil
	})
}

// readSheets reads the sheet that the card names; without a name there must
// be only one.
func (r *reading) readSheets(name, what string, sheets []string, open func(sheet string) (rowsOf, func() error, error)) error {
	sheet := ""
	for _, wanted := range r.source.Parsing.Sheets {
		i := slices.IndexFunc(sheets, func(given string) bool { return strings.EqualFold(strings.TrimSpace(given), strings.TrimSpace(wanted)) })
		if i >= 0 {
			sheet = sheets[i]
			break
		}
	}
	if len(r.source.Parsing.Sheets) == 0 && len(sheets) == 1 {
		sheet = sheets[0]
	}
	if sheet == "" {
		return r.noSheet(sheets)
	}
	if len(sheets) > 1 || len(r.source.Parsing.Sheets) > 0 {
		name = strings.TrimPrefix(name+" › "+sheet, " › ")
	}
	return r.readTable(name, table{open: func(skip int) (grid, error) {
		rows, closing, err := open(sheet)
		if err != nil {
			return nil, r.unreadable(what, err)
		}
		g := &cellGrid{r: r, what: what, rows: rows, gaps: true, closing: closing}
		for range skip {
			if _, err := g.next(); err == io.EOF {
				break
			} else if err != nil {
				return nil, err
			}
		}
		return g, nil
	}})
}

func (r *reading) noSheet(sheets []string) error {
	e := &pipeline.Error{Kind: pipeline.Drift, Problem: "the workbook has no sheet of the name that the card gives",
		Expected: strings.Join(r.source.Parsing.Sheets, " or "), Found: csvtext.Cut(strings.Join(sheets, ", "))}
	if len(r.source.Parsing.Sheets) == 0 {
		e.Problem, e.Expected = "the workbook has several sheets, and the card does not say which is meant", "sheet: in the card"
	}
	if len(sheets) > 0 {
		e.Hint = fmt.Sprintf("if %s is the right one, write into %s:\n  sheet: [%s]\nthen: tamiz run --fetch", sheets[0], r.source.Path,
			strings.Join(append(slices.Clone(r.source.Parsing.Sheets), sheets[0]), ", "))
	}
	return e
}

func (r *reading) readXLS(name string, p piece, _ map[string]piece) error {
	const what = "old Excel workbook (.xls)"
	book, err := biff.Open(p, p.size)
	if err != nil {
		return r.unreadable(what, err)
	}
	return r.readSheets(name, what, book.Sheets(), func(sheet string) (rowsOf, func() error, error) {
		rows, err := book.Sheet(sheet)
		return rows, nil, err
	})
}

func (r *reading) readXLSX(name string, p piece, _ map[string]piece) error {
	const what = "Excel workbook (.xlsx)"
	dir, err := r.spill()
	if err != nil {
		return err
	}
	book, err := xlsx.Open(p, p.size, dir)
	if err != nil {
		return r.unreadable(what, err)
	}
	defer book.Close()
	return r.readSheets(name, what, book.Sheets(), func(sheet string) (rowsOf, func() error, error) {
		rows, err := book.Sheet(sheet)
		if err != nil {
			return nil, nil, err
		}
		return rows, rows.Close, nil
	})
}

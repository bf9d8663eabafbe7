// Package xlsx reads the cells of Excel workbooks (.xlsx, .xlsm) row by row.
//
// In comes a workbook as the world sends it. Out come the rows of a sheet,
// each cell as text: numbers in the shortest decimal that gives the same
// float64, dates as the serial numbers they are stored as, logical values as
// TRUE and FALSE, errors such as #N/A as they are shown, formulas as the value
// that was saved with them.
//
// Values are decoded by excelize. It takes the end of damaged XML for the end
// of a sheet, puts cells that are out of order into wrong columns, shows the
// number of a shared string that does not exist, and knows no limits. So a
// guard reads the same XML ahead of it, row by row: excelize sees only what
// the guard has found sound, and of the file only the one sheet and its shared
// strings. The format is ECMA-376 (ISO/IEC 29500), parts 1 and 2.
//
// This package never formats a value, never evaluates a formula, and follows
// no link. It leaves no file behind once a sheet is closed.
package xlsx

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Limits of a workbook. What is beyond them is an error.
const (
	PackedLimit   = 256 << 20 // bytes of the file: the packed sheet is held in memory
	PartsLimit    = 10_000    // entries of the ZIP archive
	UnpackedLimit = 1 << 30   // bytes of a sheet and its shared strings, unpacked
	RatioLimit    = 200       // unpacked bytes for one packed byte, beyond RatioFloor
	RatioFloor    = 16 << 20  // bytes that a part may unpack to at any ratio
	SmallLimit    = 16 << 20  // bytes of the parts that list sheets, unpacked
	DepthLimit    = 64        // elements inside of elements
	TokenLimit    = 1 << 20   // bytes of XML of one tag, one cell, one shared string
	StringsLimit  = 1 << 22   // shared strings
)

// Limits of a sheet: the first two are those of Excel. Cells count up to the
// last one of each row, also where they are not written in the file.
const (
	RowLimit      = 1_048_576
	ColumnLimit   = 16_384
	CellTextLimit = 1 << 17 // bytes of text in a cell; Excel allows 32,767 characters
	EscapeLimit   = 1000    // characters of a cell that are written as _xHHHH_
	RowTextLimit  = 8 << 20 // bytes of text in a row
	CellsFloor    = 16 << 20
	CellsPerByte  = 16 // cells for each byte of the sheet's XML, beyond CellsFloor
	TextFloor     = 64 << 20
	TextPerByte   = 32 // bytes of text for each byte of the sheet's XML, beyond TextFloor
)

// Workbook is an open workbook.
type Workbook struct {
	parts   *parts
	tempDir string
	names   []string
	paths   map[string]string // by name of sheet
	strings *texts
	open    map[*Sheet]bool
}

// Open looks at a whole workbook, which is size bytes long; r must be readable
// until the workbook is closed. Sheets with more than 1 MiB of XML are unpacked
// into a folder within tempDir, which lasts until the sheet is closed.
func Open(r io.ReaderAt, size int64, tempDir string) (w *Workbook, err error) {
	defer rescue(&err)
	p, err := openParts(r, size)
	if err != nil {
		return nil, err
	}
	w = &Workbook{parts: p, tempDir: tempDir, open: map[*Sheet]bool{}}
	stringsPath, err := w.readList()
	if err != nil {
		return nil, err
	}
	if w.strings, err = readTexts(p, stringsPath); err != nil {
		return nil, fmt.Errorf("shared strings: %w", err)
	}
	return w, nil
}

// Sheets gives the names of the worksheets in the workbook's order, hidden
// ones too. Sheets that are charts only are not among them.
func (w *Workbook) Sheets() []string { return append([]string(nil), w.names...) }

// Sheet begins to read a sheet, which is found by its exact name.
func (w *Workbook) Sheet(name string) (s *Sheet, err error) {
	defer rescue(&err)
	path, ok := w.paths[name]
	if !ok {
		return nil, fmt.Errorf("there is no sheet %q: the workbook has %s", name, quoteAll(w.names))
	}
	s, err = openSheet(w, name, path)
	if err != nil {
		return nil, fmt.Errorf("sheet %q: %w", name, err)
	}
	w.open[s] = true
	return s, nil
}

// Close closes the sheets that are still open, and removes their files.
func (w *Workbook) Close() error {
	var all error
	for s := range w.open {
		all = errors.Join(all, s.Close())
	}
	return all
}

// rescue is the last net: it turns a panic into an error.
func rescue(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the file is damaged: %v", p)
	}
}

func quoteAll(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	quoted := make([]string, 0, len(names))
	for i, name := range names {
		if i == 20 {
			quoted = append(quoted, fmt.Sprintf("and %d more", len(names)-i))
			break
		}
		quoted = append(quoted, strconv.Quote(name))
	}
	return strings.Join(quoted, ", ")
}

// repack copies packed parts into an archive of the few parts that excelize
// needs, under the names that it knows.
func repack(sheet, sharedStrings *zip.File) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, part := range []struct{ name, content string }{
		{"[Content_Types].xml", contentTypes}, {"_rels/.rels", packageLinks},
		{"xl/workbook.xml", workbookList}, {"xl/_rels/workbook.xml.rels", workbookLinks},
	} {
		member, err := w.Create(part.name)
		if err == nil {
			_, err = io.WriteString(member, part.content)
		}
		if err != nil {
			return nil, err
		}
	}
	for _, part := range []struct {
		name string
		file *zip.File
	}{{"xl/worksheets/sheet1.xml", sheet}, {"xl/sharedStrings.xml", sharedStrings}} {
		if part.file == nil {
			continue
		}
		source, err := part.file.OpenRaw()
		if err != nil {
			return nil, damaged(err)
		}
		member, err := w.CreateRaw(&zip.FileHeader{Name: part.name, Method: part.file.Method, CRC32: part.file.CRC32,
			CompressedSize64: part.file.CompressedSize64, UncompressedSize64: part.file.UncompressedSize64})
		if err != nil {
			return nil, err
		}
		if n, err := io.Copy(member, source); err != nil || uint64(n) != part.file.CompressedSize64 {
			return nil, damaged(errors.Join(err, io.ErrUnexpectedEOF))
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if bytes.Contains(out.Bytes(), []byte(oleMagic)) { // excelize would try to decrypt it
		return nil, errors.New("the sheet holds binary data, not XML")
	}
	return out.Bytes(), nil
}

const (
	xmlHead      = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`
	mainSpace    = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
	linkSpace    = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	packageSpace = "http://schemas.openxmlformats.org/package/2006/"
	typePrefix   = "application/vnd.openxmlformats-officedocument.spreadsheetml."

	contentTypes = xmlHead + `<Types xmlns="` + packageSpace + `content-types">` +
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
		`<Override PartName="/xl/workbook.xml" ContentType="` + typePrefix + `sheet.main+xml"/>` +
		`<Override PartName="/xl/worksheets/sheet1.xml" ContentType="` + typePrefix + `worksheet+xml"/>` +
		`<Override PartName="/xl/sharedStrings.xml" ContentType="` + typePrefix + `sharedStrings+xml"/></Types>`
	packageLinks = xmlHead + `<Relationships xmlns="` + packageSpace + `relationships">` +
		`<Relationship Id="rId1" Type="` + linkSpace + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`
	workbookList = xmlHead + `<workbook xmlns="` + mainSpace + `" xmlns:r="` + linkSpace + `">` +
		`<sheets><sheet name="` + onlySheet + `" sheetId="1" r:id="rId1"/></sheets></workbook>`
	workbookLinks = xmlHead + `<Relationships xmlns="` + packageSpace + `relationships">` +
		`<Relationship Id="rId1" Type="` + linkSpace + `/worksheet" Target="worksheets/sheet1.xml"/>` +
		`<Relationship Id="rId2" Type="` + linkSpace + `/sharedStrings" Target="/xl/sharedStrings.xml"/></Relationships>`

	onlySheet = "Sheet1" // what excelize calls the sheet, whatever its name
)

package sample

import (
	"archive/zip"
	"bufio"
	"compress/flate"
	"fmt"
	"io"
	"strconv"
	"time"
)

// archiveTime is the date of every entry of every archive: a clock would give other bytes in every run.
var archiveTime = time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC)

func archiveHeader(name string) *zip.FileHeader {
	return &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: archiveTime}
}

// newArchive begins a ZIP archive that is packed fast rather than small. Its entries must be written one after the
// other, as they share one compressor.
func newArchive(to io.Writer) *zip.Writer {
	archive := zip.NewWriter(to)
	var packer *flate.Writer
	archive.RegisterCompressor(zip.Deflate, func(to io.Writer) (io.WriteCloser, error) {
		if packer != nil {
			packer.Reset(to)
			return packer, nil
		}
		var err error
		packer, err = flate.NewWriter(to, flate.BestSpeed)
		return packer, err
	})
	return archive
}

// The parts of a workbook that are the same in all of them, in the order of writing. %s is the name of the sheet.
var workbookParts = []struct{ name, text string }{
	{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
		`<Default Extension="xml" ContentType="application/xml"/>` +
		`<Override PartName="/xl/workbook.xml" ContentType="` + sheetML + `.sheet.main+xml"/>` +
		`<Override PartName="/xl/worksheets/sheet1.xml" ContentType="` + sheetML + `.worksheet+xml"/>` +
		`<Override PartName="/xl/styles.xml" ContentType="` + sheetML + `.styles+xml"/>` +
		`<Override PartName="/xl/sharedStrings.xml" ContentType="` + sheetML + `.sharedStrings+xml"/>` +
		`<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>` +
		`</Types>`},
	{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="rId1" Type="` + relations + `/officeDocument" Target="xl/workbook.xml"/>` +
		`<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" Target="docProps/core.xml"/>` +
		`</Relationships>`},
	{"docProps/core.xml", `<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"` +
		` xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"` +
		` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:title>Datos sintéticos</dc:title>` +
		`<dcterms:created xsi:type="dcterms:W3CDTF">2020-01-01T00:00:00Z</dcterms:created></cp:coreProperties>`},
	{"xl/workbook.xml", `<workbook xmlns="` + sheetSpace + `" xmlns:r="` + relations + `"><sheets>` +
		`<sheet name="%s" sheetId="1" r:id="rId1"/></sheets></workbook>`},
	{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="rId1" Type="` + relations + `/worksheet" Target="worksheets/sheet1.xml"/>` +
		`<Relationship Id="rId2" Type="` + relations + `/styles" Target="styles.xml"/>` +
		`<Relationship Id="rId3" Type="` + relations + `/sharedStrings" Target="sharedStrings.xml"/></Relationships>`},
	{"xl/styles.xml", `<styleSheet xmlns="` + sheetSpace + `"><fonts count="1"><font/></fonts>` +
		`<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>` +
		`<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>` +
		`<cellXfs count="1"><xf/></cellXfs></styleSheet>`},
}

const (
	xmlHead    = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	sheetML    = "application/vnd.openxmlformats-officedocument.spreadsheetml"
	sheetSpace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
	relations  = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
)

// workbook writes an XLSX file of one sheet in one go. It is a tenth of a library's work, and fast enough for a
// country: counts are numbers, all else is shared text, empty cells are left out. The first error stays, and close
// gives it.
type workbook struct {
	archive *zip.Writer
	out     *bufio.Writer
	row     []byte
	scratch []byte
	cells   int
	rows    int
	places  map[string]int // of the shared texts
	shared  []byte         // their XML
	uses    int
	err     error
}

// newWorkbook writes the parts before the sheet, and begins the sheet.
func newWorkbook(to io.Writer, name string) (*workbook, error) {
	b := &workbook{archive: newArchive(to), places: map[string]int{}}
	for _, part := range workbookParts {
		entry, err := b.archive.CreateHeader(archiveHeader(part.name))
		if err != nil {
			return nil, err
		}
		text := part.text
		if part.name == "xl/workbook.xml" {
			text = fmt.Sprintf(text, name)
		}
		if _, err := io.WriteString(entry, xmlHead+text); err != nil {
			return nil, err
		}
	}
	entry, err := b.archive.CreateHeader(archiveHeader("xl/worksheets/sheet1.xml"))
	if err != nil {
		return nil, err
	}
	b.out = bufio.NewWriterSize(entry, 1<<16)
	_, err = b.out.WriteString(xmlHead + `<worksheet xmlns="` + sheetSpace + `"><sheetData>`)
	return b, err
}

// begin begins a cell, up to its type.
func (b *workbook) begin() {
	if b.cells == 0 {
		b.row = append(b.row, `<row r="`...)
		b.row = strconv.AppendInt(b.row, int64(b.rows+1), 10)
		b.row = append(b.row, `">`...)
	}
	if b.cells >= 26 && b.err == nil {
		b.err = fmt.Errorf("row %d has more than the 26 columns that have one letter", b.rows+1)
	}
	b.row = append(b.row, `<c r="`...)
	b.row = append(b.row, byte('A'+b.cells))
	b.row = strconv.AppendInt(b.row, int64(b.rows+1), 10)
	b.cells++
}

func (b *workbook) text(value string) { b.numbered(value, 0, 0, "") }

// numbered writes a text that holds a number of the given width between two texts; without one if the width is 0.
func (b *workbook) numbered(before string, n, width int, after string) {
	b.scratch = append(b.scratch[:0], before...)
	if width > 0 {
		b.scratch = appendPadded(b.scratch, n, width)
	}
	b.scratch = append(b.scratch, after...)
	b.share()
}

func (b *workbook) percent(k, n int) {
	b.scratch = appendPercent(b.scratch[:0], k, n)
	b.share()
}

// share writes a cell with the text in scratch; one without text is an empty cell.
func (b *workbook) share() {
	if len(b.scratch) == 0 {
		b.empty(1)
		return
	}
	place, known := b.places[string(b.scratch)]
	if !known {
		place = len(b.places)
		b.places[string(b.scratch)] = place
		b.shared = append(b.shared, "<si><t>"...)
		for _, c := range b.scratch {
			switch c {
			case '&':
				b.shared = append(b.shared, "&amp;"...)
			case '<':
				b.shared = append(b.shared, "&lt;"...)
			case '>':
				b.shared = append(b.shared, "&gt;"...)
			default:
				b.shared = append(b.shared, c)
			}
		}
		b.shared = append(b.shared, "</t></si>"...)
	}
	b.uses++
	b.begin()
	b.row = append(b.row, `" t="s"><v>`...)
	b.row = strconv.AppendInt(b.row, int64(place), 10)
	b.row = append(b.row, `</v></c>`...)
}

func (b *workbook) count(n int) {
	b.begin()
	b.row = append(b.row, `"><v>`...)
	b.row = strconv.AppendInt(b.row, int64(n), 10)
	b.row = append(b.row, `</v></c>`...)
}

func (b *workbook) empty(cells int) {
	if b.cells == 0 && cells > 0 && b.err == nil {
		b.err = fmt.Errorf("row %d begins with an empty cell", b.rows+1)
	}
	b.cells += cells
}

func (b *workbook) end() {
	b.row = append(b.row, "</row>"...)
	if _, err := b.out.Write(b.row); err != nil && b.err == nil {
		b.err = err
	}
	b.row, b.cells = b.row[:0], 0
	b.rows++
}

// close ends the sheet, and writes the shared texts behind it.
func (b *workbook) close() error {
	if b.err != nil {
		return b.err
	}
	if _, err := b.out.WriteString("</sheetData></worksheet>"); err != nil {
		return err
	}
	if err := b.out.Flush(); err != nil {
		return err
	}
	entry, err := b.archive.CreateHeader(archiveHeader("xl/sharedStrings.xml"))
	if err != nil {
		return err
	}
	head := fmt.Sprintf(`%s<sst xmlns="%s" count="%d" uniqueCount="%d">`, xmlHead, sheetSpace, b.uses, len(b.places))
	for _, part := range [][]byte{[]byte(head), b.shared, []byte("</sst>")} {
		if _, err := entry.Write(part); err != nil {
			return err
		}
	}
	return b.archive.Close()
}

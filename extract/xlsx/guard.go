package xlsx

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// kind is what the value of a cell is.
type kind byte

const (
	absent kind = iota // no cell, or no value
	number
	boolean
	text
)

// row is what the guard knows of a row before excelize reads it.
type row struct {
	number int
	kinds  []kind // by column
}

// guard reads a sheet's XML one row ahead of excelize, and lets only rows pass
// that excelize reads rightly and within the limits.
type guard struct {
	stream  *stream
	texts   *texts
	inData  bool // within <sheetData>
	ended   bool // behind </sheetData>
	pending *xml.StartElement
	row     row
	cells   int64 // so far
	text    int64 // bytes of it so far
}

// next gives the next row that the XML has, io.EOF after the last one. The
// beginning of the row behind it is checked by then.
func (g *guard) next() (row, error) {
	if g.pending == nil && !g.ended {
		if err := g.find(); err != nil {
			return row{}, err
		}
	}
	if g.pending == nil {
		return row{}, io.EOF
	}
	number, err := rowNumber(*g.pending, g.row.number)
	if err != nil {
		return row{}, err
	}
	g.row.number, g.row.kinds, g.pending = number, g.row.kinds[:0], nil
	if err := g.readRow(); err != nil {
		return row{}, fmt.Errorf("row %d: %w", number, err)
	}
	return g.row, g.find()
}

// find goes to the next row, or to the end of the XML.
func (g *guard) find() error {
	for {
		token, err := g.stream.next()
		if errors.Is(err, io.EOF) && g.ended {
			return nil
		}
		if err != nil {
			return noEOF(err)
		}
		if g.ended {
			continue
		}
		switch token := token.(type) {
		case xml.StartElement:
			name := token.Name.Local
			switch depth := g.stream.depth; {
			case depth == 1 && name == "worksheet":
			case depth == 2 && name == "sheetData":
				g.inData = true
			case depth == 3 && name == "row" && g.inData:
				element := token.Copy()
				g.pending = &element
				return nil
			case depth == 1 || structural(name):
				return fmt.Errorf("its XML is damaged: unexpected element %q", name)
			}
		case xml.EndElement:
			if g.stream.depth == 1 && g.inData {
				g.ended = true
			}
		}
	}
}

// rowNumber gives the number of a row, which is the one before it plus one
// where the row does not tell.
func rowNumber(element xml.StartElement, before int) (int, error) {
	value, err := single(element, "r")
	if err != nil {
		return 0, fmt.Errorf("the row after row %d: %w", before, err)
	}
	number := before + 1
	if value != "" {
		if number, err = strconv.Atoi(value); err != nil || value[0] == '+' {
			return 0, fmt.Errorf("the row after row %d: its number %q is no number", before, value)
		}
	}
	switch {
	case number <= before:
		return 0, fmt.Errorf("row %d stands after row %d: rows must be in order", number, before)
	case number > RowLimit:
		return 0, fmt.Errorf("row %d is beyond the limit of %d rows", number, RowLimit)
	}
	return number, nil
}

// single gives an attribute that must not occur twice in any namespace.
func single(element xml.StartElement, name string) (string, error) {
	value, found := "", false
	for _, a := range element.Attr {
		if a.Name.Local != name {
			continue
		}
		if found {
			return "", fmt.Errorf("attribute %q is given twice", name)
		}
		value, found = a.Value, true
	}
	return value, nil
}

// readRow reads the cells of a row, to its end.
func (g *guard) readRow() error {
	rowText := 0
	for g.stream.depth >= 3 {
		token, err := g.stream.next()
		if err != nil {
			return noEOF(err)
		}
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if name := element.Name.Local; name != "c" || g.stream.depth != 4 {
			if structural(name) {
				return fmt.Errorf("its XML is damaged: unexpected element %q", name)
			}
			continue
		}
		column, err := g.column(element)
		if err != nil {
			return err
		}
		k, length, err := g.readCell(element)
		if err != nil {
			return fmt.Errorf("cell %s: %w", cellName(column, g.row.number), err)
		}
		for len(g.row.kinds) < column-1 {
			g.row.kinds = append(g.row.kinds, absent)
		}
		g.row.kinds = append(g.row.kinds, k)
		if rowText += length; rowText > RowTextLimit {
			return fmt.Errorf("it has more than %d bytes of text", RowTextLimit)
		}
	}
	g.cells += int64(len(g.row.kinds))
	g.text += int64(rowText)
	switch read := g.stream.offset(); {
	case g.cells > CellsFloor+CellsPerByte*read:
		return fmt.Errorf("the sheet has more than %d cells for %d bytes of XML: far-off columns are filled, and nearly all are empty", g.cells, read)
	case g.text > TextFloor+TextPerByte*read:
		return fmt.Errorf("the sheet repeats its shared strings to more than %d bytes for %d bytes of XML", g.text, read)
	}
	return nil
}

// column gives the column of a cell, from 1.
func (g *guard) column(element xml.StartElement) (int, error) {
	before := len(g.row.kinds)
	reference, err := single(element, "r")
	if err != nil {
		return 0, err
	}
	column := before + 1
	if reference != "" {
		letters := strings.TrimRight(reference, "0123456789")
		if len(letters) < 1 || len(letters) > 3 || reference[len(letters):] != strconv.Itoa(g.row.number) {
			return 0, fmt.Errorf("%q is no cell of this row", reference)
		}
		column = 0
		for _, letter := range []byte(letters) {
			if letter < 'A' || letter > 'Z' {
				return 0, fmt.Errorf("%q is no cell of this row", reference)
			}
			column = column*26 + int(letter-'A') + 1
		}
	}
	switch {
	case column <= before:
		return 0, fmt.Errorf("cell %s stands after cell %s: cells must be in order", reference, cellName(before, g.row.number))
	case column > ColumnLimit:
		return 0, fmt.Errorf("column %d is beyond the limit of %d columns", column, ColumnLimit)
	}
	return column, nil
}

// readCell reads a cell to its end. It gives the kind and length of its value.
func (g *guard) readCell(element xml.StartElement) (kind, int, error) {
	cellType, err := single(element, "t")
	if err != nil {
		return absent, 0, err
	}
	if style, err := single(element, "s"); err != nil {
		return absent, 0, err
	} else if _, wrong := strconv.ParseInt(style, 10, 64); wrong != nil && hasAttribute(element, "s") {
		return absent, 0, fmt.Errorf("its style %q is no number", style)
	}
	var value []byte
	seen, length := map[string]bool{}, 0
	for g.stream.depth >= 4 {
		token, err := g.stream.more()
		if err != nil {
			return absent, 0, noEOF(err)
		}
		child, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		name := child.Name.Local
		if structural(name) || g.stream.depth == 5 && seen[name] {
			return absent, 0, fmt.Errorf("its XML is damaged: unexpected element %q", name)
		}
		if g.stream.depth != 5 {
			continue
		}
		seen[name] = true
		switch name {
		case "v":
			if value, err = g.plainText(); err == nil {
				err = checkText(value)
			}
			length += len(value)
		case "is":
			n := 0
			n, err = g.stream.richText(name)
			length += n
		}
		if err != nil {
			return absent, 0, err
		}
	}
	return g.judge(cellType, value, length)
}

// judge checks a value against the type of its cell.
func (g *guard) judge(cellType string, value []byte, length int) (kind, int, error) {
	if len(value) == 0 && cellType != "inlineStr" {
		return absent, 0, nil
	}
	switch cellType {
	case "", "n":
		shown, err := decimal(string(value))
		return number, len(shown), err
	case "b":
		_, err := logical(string(value))
		return boolean, len("FALSE"), err
	case "s":
		index, err := strconv.Atoi(strings.TrimSpace(string(value)))
		if err != nil || index < 0 || index >= len(g.texts.lengths) {
			return absent, 0, fmt.Errorf("it refers to shared string %q, but the workbook has %d of them", value, len(g.texts.lengths))
		}
		return text, int(g.texts.lengths[index]), nil
	case "str", "inlineStr", "e", "d":
		return text, length, nil
	}
	return absent, 0, fmt.Errorf("its type %q is unknown", cellType)
}

// plainText reads an element that holds text only, to its end.
func (g *guard) plainText() ([]byte, error) {
	var value []byte
	for {
		token, err := g.stream.more()
		if err != nil {
			return nil, noEOF(err)
		}
		switch token := token.(type) {
		case xml.CharData:
			value = append(value, token...)
		case xml.StartElement:
			return nil, fmt.Errorf("its XML is damaged: unexpected element %q", token.Name.Local)
		case xml.EndElement:
			return value, nil
		}
	}
}

func hasAttribute(element xml.StartElement, name string) bool {
	for _, a := range element.Attr {
		if a.Name.Local == name {
			return true
		}
	}
	return false
}

// cellName writes a place as people do, such as AB12.
func cellName(column, row int) string {
	letters := ""
	for ; column > 0; column = (column - 1) / 26 {
		letters = string(rune('A'+(column-1)%26)) + letters
	}
	return letters + strconv.Itoa(row)
}

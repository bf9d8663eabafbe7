package xlsx

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
)

// texts is what the guard knows of the shared strings.
type texts struct {
	file    *zip.File // nil where the workbook has none
	lengths []int32   // bytes of each
}

// readTexts checks the shared strings and measures them.
func readTexts(p *parts, name string) (*texts, error) {
	t := &texts{}
	if name == "" || p.byName[partName(name)] == nil { // a link without a part is what some writers leave
		return t, nil
	}
	var err error
	if t.file, err = p.find(name, UnpackedLimit); err != nil {
		return nil, err
	}
	s, err := p.stream(name, UnpackedLimit)
	if err != nil {
		return nil, err
	}
	defer s.close()
	for {
		token, err := s.next()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			return nil, err
		}
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch item := element.Name.Local == "si"; {
		case s.depth == 1 && element.Name.Local != "sst", item != (s.depth == 2) && element.Name.Local != "extLst":
			return nil, fmt.Errorf("its XML is damaged: unexpected element %q", element.Name.Local)
		case !item:
			continue
		case len(t.lengths) == StringsLimit:
			return nil, fmt.Errorf("there are more than %d", StringsLimit)
		}
		length, err := s.richText("si")
		if err != nil {
			return nil, fmt.Errorf("text %d: %w", len(t.lengths), err)
		}
		t.lengths = append(t.lengths, int32(length))
	}
}

// richText reads to the end of an element, which the last token began, and
// gives the length of all text in it. Elements called like the parts of a
// sheet are not expected there.
func (s *stream) richText(of string) (int, error) {
	outer := s.depth
	var text []byte
	for s.depth >= outer {
		token, err := s.more()
		if err != nil {
			return 0, noEOF(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if name := token.Name.Local; name == of || structural(name) {
				return 0, fmt.Errorf("its XML is damaged: unexpected element %q", name)
			}
		case xml.CharData:
			text = append(text, token...)
		}
	}
	return len(text), checkText(text)
}

// structural tells the elements that excelize takes for rows and cells
// wherever they stand.
func structural(name string) bool { return name == "row" || name == "c" || name == "sheetData" }

func checkText(text []byte) error {
	if len(text) > CellTextLimit {
		return fmt.Errorf("a text is longer than %d bytes", CellTextLimit)
	}
	if bytes.Count(text, []byte("_x")) > EscapeLimit {
		return fmt.Errorf("a text has more than %d characters written as _xHHHH_", EscapeLimit)
	}
	return nil
}

// noEOF turns the end of the XML where more is wanted into damage.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return damaged(io.ErrUnexpectedEOF)
	}
	return err
}

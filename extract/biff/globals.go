package biff

import (
	"encoding/binary"
	"errors"
	"fmt"
)

var errEncrypted = errors.New("the workbook is encrypted (protected by a password): open it in Excel and save it without the password")

// beginning reads the first record of a part of the workbook, which tells
// version and kind of the part.
func (r *records) beginning() (part uint16, err error) {
	kind, err := r.next()
	if err != nil {
		return 0, err
	}
	switch kind {
	case 0x0009, 0x0209, 0x0409:
		return 0, errors.New("the workbook is of Excel 4 or older (BIFF2 to BIFF4): save it as .xlsx or .csv")
	case kindBOF:
	default:
		return 0, damaged("a part of it begins with a record of kind 0x%04X instead of 0x%04X", kind, kindBOF)
	}
	if len(r.body) < 4 {
		return 0, damaged("%w", errShort)
	}
	switch version := binary.LittleEndian.Uint16(r.body); version {
	case 0x0600:
		return binary.LittleEndian.Uint16(r.body[2:]), nil
	case 0x0500:
		return 0, errors.New("the workbook is of Excel 5 or 95 (BIFF5): save it as .xlsx or .csv")
	default:
		return 0, fmt.Errorf("the workbook is of an unknown version (0x%04X; Excel 97-2003, BIFF8, is 0x0600)", version)
	}
}

// readGlobals reads the part that describes the workbook as a whole.
func (w *Workbook) readGlobals() error {
	if w.stream.Size == 0 {
		return damaged("its workbook is empty")
	}
	r, err := w.recordsAt(0)
	if err != nil {
		return err
	}
	if part, err := r.beginning(); err != nil {
		return err
	} else if part != 0x0005 {
		return damaged("its workbook begins with a part of kind 0x%04X instead of 0x0005", part)
	}
	for all := 0; ; {
		kind, err := r.next()
		if err != nil {
			return err
		}
		switch kind {
		case kindEOF:
			return nil
		case kindFilePass:
			return errEncrypted
		case kindSST:
			if w.shared, err = r.sharedTexts(); err != nil {
				return fmt.Errorf("shared text %d: %w", len(w.shared)+1, err)
			}
		case kindBoundSheet:
			if all++; all > SheetsLimit {
				return fmt.Errorf("the workbook has more than %d sheets", SheetsLimit)
			}
			place, isWorksheet, err := r.sheetPlace()
			if err != nil {
				return fmt.Errorf("list of sheets, entry %d: %w", all, err)
			}
			if isWorksheet {
				w.sheets = append(w.sheets, place)
			}
		}
	}
}

// sheetPlace takes an entry of the list of sheets.
func (r *records) sheetPlace() (place sheetPlace, isWorksheet bool, err error) {
	head, err := r.take(8)
	if err != nil {
		return sheetPlace{}, false, err
	}
	place.at, isWorksheet = int64(binary.LittleEndian.Uint32(head)), head[5] == 0
	place.name, err = r.characters(int(head[6]), head[7]&1 != 0)
	return place, isWorksheet, err
}

// sharedTexts takes the table of shared texts. How many it claims to have is
// not believed: it ends where its bytes end.
func (r *records) sharedTexts() (texts []string, err error) {
	head, err := r.take(8)
	if err != nil {
		return nil, err
	}
	for claimed := binary.LittleEndian.Uint32(head[4:]); uint32(len(texts)) < claimed; {
		if ended, err := r.ended(); ended || err != nil {
			return texts, err
		}
		text, err := r.richText()
		if err != nil {
			return texts, err
		}
		texts = append(texts, text)
	}
	return texts, nil
}

package biff

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
)

// isCell tells whether a record holds cells with values.
func isCell(kind uint16) bool {
	switch kind {
	case kindLabelSST, kindLabel, kindRString, kindNumber, kindRK, kindMulRk, kindBoolErr,
		kindFormula, kindFormula3, kindFormula4:
		return true
	}
	return false
}

// readCell reads the next record, which has cells, into s.cells.
func (s *Sheet) readCell(r *records) error {
	kind, err := r.next()
	if err != nil {
		return err
	}
	head, err := r.take(4)
	if err != nil {
		return err
	}
	column := int(binary.LittleEndian.Uint16(head[2:]))
	if kind == kindMulRk {
		for len(r.body) >= 6 { // a format and a number each; the last column follows
			number := binary.LittleEndian.Uint32(r.body[2:])
			r.body = r.body[6:]
			if err := s.put(column, numberText(rk(number))); err != nil {
				return err
			}
			column++
		}
		return nil
	}
	text, err := s.cellText(kind, r)
	if err != nil {
		return fmt.Errorf("column %s: %w", letters(column), err)
	}
	return s.put(column, text)
}

// cellText takes what follows row and column of a record with one cell.
func (s *Sheet) cellText(kind uint16, r *records) (string, error) {
	if _, err := r.take(2); err != nil { // its format
		return "", err
	}
	switch kind {
	case kindLabel, kindRString:
		return r.text()
	case kindRK, kindLabelSST:
		value, err := r.take(4)
		if err != nil {
			return "", err
		}
		number := binary.LittleEndian.Uint32(value)
		if kind == kindRK {
			return numberText(rk(number)), nil
		}
		if int64(number) >= int64(len(s.workbook.shared)) {
			return "", damaged("it wants the shared text %d of %d", int64(number)+1, len(s.workbook.shared))
		}
		return s.workbook.shared[number], nil
	case kindBoolErr:
		value, err := r.take(2)
		if err != nil {
			return "", err
		}
		if value[1] != 0 {
			return errorText(value[0]), nil
		}
		return boolText(value[0]), nil
	}
	value, err := r.take(8)
	if err != nil {
		return "", err
	}
	if kind == kindNumber || binary.LittleEndian.Uint16(value[6:]) != 0xFFFF {
		return numberText(math.Float64frombits(binary.LittleEndian.Uint64(value))), nil
	}
	switch value[0] {
	case 0:
		return r.formulaText()
	case 1:
		return boolText(value[2]), nil
	case 2:
		return errorText(value[2]), nil
	}
	return "", nil
}

// formulaText reads the text that a formula gave, from a record behind it.
// What was shared by several formulas may stand between.
func (r *records) formulaText() (string, error) {
	for {
		kind, _, err := r.peek()
		if err != nil {
			return "", err
		}
		switch kind {
		case kindString:
			if _, err := r.next(); err != nil {
				return "", err
			}
			return r.text()
		case kindContinue, kindShrFmla, kindArray, kindArray2, kindTable, kindTable2:
			if err := r.pass(); err != nil {
				return "", err
			}
		default:
			return "", nil
		}
	}
}

// put writes a cell into its column.
func (s *Sheet) put(column int, text string) error {
	if column >= ColumnsLimit {
		return damaged("a cell is in column %s, the format has %d columns", letters(column), ColumnsLimit)
	}
	if s.given += int64(len(text)); s.given > TextLimit {
		return fmt.Errorf("the sheet has more than %d bytes of text", TextLimit)
	}
	for len(s.cells) <= column {
		s.cells = append(s.cells, "")
	}
	s.cells[column] = text
	return nil
}

// letters names a column as Excel does.
func letters(column int) string {
	name := ""
	for column++; column > 0; column = (column - 1) / 26 {
		name = string(rune('A'+(column-1)%26)) + name
	}
	return name
}

// rk unfolds a number that Excel folded into four bytes: the high bits of a
// float or an integer, either perhaps to be divided by a hundred.
func rk(folded uint32) float64 {
	value := math.Float64frombits(uint64(folded&^3) << 32)
	if folded&2 != 0 {
		value = float64(int32(folded) >> 2)
	}
	if folded&1 != 0 {
		value /= 100
	}
	return value
}

// numberText writes a number in the shortest way that gives it back.
func numberText(value float64) string {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return ""
	}
	if value == 0 {
		return "0" // not -0
	}
	return strconv.FormatFloat(value, 'f', -1, 64)
}

func boolText(value byte) string {
	if value != 0 {
		return "TRUE"
	}
	return "FALSE"
}

// errorText writes an error as Excel shows it.
func errorText(code byte) string {
	switch code {
	case 0x00:
		return "#NULL!"
	case 0x07:
		return "#DIV/0!"
	case 0x0F:
		return "#VALUE!"
	case 0x17:
		return "#REF!"
	case 0x1D:
		return "#NAME?"
	case 0x24:
		return "#NUM!"
	case 0x2A:
		return "#N/A"
	}
	return "#UNKNOWN!"
}

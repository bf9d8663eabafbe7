package dbase

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// padding is what fills a value up to the width of its field.
const padding = " \x00"

// check refuses fields whose width does not fit their type.
func (f *field) check() error {
	want := map[byte]int{'D': 8, 'L': 1, 'I': 4}[f.kind]
	if want > 0 && f.width != want {
		return fmt.Errorf("field %s of the table has type %c and is %d bytes wide, want %d", f.title, f.kind, f.width, want)
	}
	return nil
}

// cell gives the text of one field of the record.
func (t *Table) cell(f field) (string, error) {
	raw := t.record[f.begin : f.begin+f.width]
	switch f.kind {
	case 'C':
		return t.characters(raw)
	case 'N', 'F':
		return number(bytes.Trim(raw, padding))
	case 'D':
		return date(bytes.Trim(raw, padding))
	case 'L':
		return truth(raw[0])
	case 'I':
		return strconv.Itoa(int(int32(binary.LittleEndian.Uint32(raw)))), nil
	case 'M', 'G', 'P': // the place of a text in another file; none if empty
		raw = bytes.Trim(raw, padding)
	case '0': // bits that say which fields of the record are null
		if len(bytes.Trim(raw, "\x00")) > 0 {
			return "", errors.New("it marks fields of the record as null, in a way of FoxPro that is not read: save the table as dBase IV")
		}
		return "", nil
	}
	for _, b := range raw {
		if b < ' ' || b == 0x7F {
			return "", fmt.Errorf("its type %s is not read: save the table with fields of type C, N, F, L, D or I", kindName(f.kind))
		}
	}
	return t.characters(raw)
}

// characters decodes text.
func (t *Table) characters(raw []byte) (string, error) {
	text := bytes.TrimRight(raw, padding)
	if at := bytes.IndexByte(text, 0); at >= 0 {
		return "", fmt.Errorf("byte %d of its text is 0x00, which no text holds", at+1)
	}
	return t.text.decode(text, len(text) == len(raw))
}

// number checks that text is a number and leaves it as it stands.
func number(raw []byte) (string, error) {
	text := string(raw)
	if strings.Trim(text, "*") == "" { // too wide for the field, or empty
		return "", nil
	}
	word := strings.ToLower(strings.TrimLeft(text, "+-"))
	if word == "nan" || word == "inf" || word == "infinity" || strings.HasPrefix(word, "1.#") { // as C writes what is no number
		return "", nil
	}
	_, err := strconv.ParseFloat(text, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) || strings.Trim(text, "+-.0123456789eE") != "" {
		return "", fmt.Errorf("%q is no number", text)
	}
	return text, nil
}

func date(raw []byte) (string, error) {
	text := string(raw)
	if text == "" || text == "00000000" {
		return "", nil
	}
	day, err := time.Parse("20060102", text)
	if err != nil {
		return "", fmt.Errorf("%q is no date: want year, month and day as YYYYMMDD", text)
	}
	return day.Format(time.DateOnly), nil
}

func truth(b byte) (string, error) {
	switch b {
	case 'T', 't', 'Y', 'y':
		return "TRUE", nil
	case 'F', 'f', 'N', 'n':
		return "FALSE", nil
	case '?', ' ', 0:
		return "", nil
	}
	return "", fmt.Errorf("byte 0x%02X is neither true nor false: want T, F, Y, N, ? or a blank", b)
}

func kindName(kind byte) string {
	if kind > ' ' && kind < 0x7F {
		return string(rune(kind))
	}
	return fmt.Sprintf("0x%02X", kind)
}

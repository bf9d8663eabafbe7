package stata

import (
	"bytes"
	"math"
	"strconv"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// Codes of the types; 1 to 244 are strings of that many bytes.
const (
	maxString  = 244
	kindByte   = 251
	kindInt    = 252
	kindLong   = 253
	kindFloat  = 254
	kindDouble = 255
)

// Codes of the missing value "."; ".a" to ".z" follow, by 1 or by the step.
const (
	missingByte   = 101
	missingInt    = 32741
	missingLong   = 2147483621
	missingFloat  = 0x7f000000
	stepFloat     = 0x800
	missingDouble = 0x7fe0000000000000
	stepDouble    = 0x10000000000
)

// cellWidth gives the bytes that a value of a type takes; 0 for no type.
func cellWidth(kind byte) int64 {
	switch kind {
	case kindByte:
		return 1
	case kindInt:
		return 2
	case kindLong, kindFloat:
		return 4
	case kindDouble:
		return 8
	}
	if kind <= maxString {
		return int64(kind)
	}
	return 0
}

// appendCell appends the text of a value, whose bytes are as many as its type
// takes.
func (t *Table) appendCell(text []byte, kind byte, raw []byte) []byte {
	switch kind {
	case kindByte:
		return appendInteger(text, int64(int8(raw[0])), missingByte)
	case kindInt:
		return appendInteger(text, int64(int16(t.order.Uint16(raw))), missingInt)
	case kindLong:
		return appendInteger(text, int64(int32(t.order.Uint32(raw))), missingLong)
	case kindFloat:
		bits := t.order.Uint32(raw)
		if bits>>31 == 0 && bits >= missingFloat {
			return appendMissing(text, uint64(bits-missingFloat), stepFloat)
		}
		return appendFloat(text, float64(math.Float32frombits(bits)), 32)
	case kindDouble:
		bits := t.order.Uint64(raw)
		if bits>>63 == 0 && bits >= missingDouble {
			return appendMissing(text, bits-missingDouble, stepDouble)
		}
		return appendFloat(text, math.Float64frombits(bits), 64)
	}
	return appendText(text, raw)
}

func appendInteger(text []byte, value, missing int64) []byte {
	if value >= missing {
		return appendMissing(text, uint64(value-missing), 1)
	}
	return strconv.AppendInt(text, value, 10)
}

// appendMissing appends the text of the missing value whose code lies so far
// above that of ".".
func appendMissing(text []byte, distance, step uint64) []byte {
	if letter := distance / step; distance%step == 0 && 1 <= letter && letter <= 26 {
		return append(text, '.', 'a'+byte(letter-1))
	}
	return text
}

func appendFloat(text []byte, value float64, bits int) []byte {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return text
	}
	return strconv.AppendFloat(text, value, 'f', -1, bits)
}

// appendText appends, in UTF-8, what stands before the first NUL. The five
// bytes that windows-1252 leaves open become U+FFFD.
func appendText(text, raw []byte) []byte {
	if end := bytes.IndexByte(raw, 0); end >= 0 {
		raw = raw[:end]
	}
	for _, b := range raw {
		r := charmap.Windows1252.DecodeByte(b)
		if 0x80 <= r && r <= 0x9F {
			r = utf8.RuneError
		}
		text = utf8.AppendRune(text, r)
	}
	return text
}

package stata_test

import (
	"bytes"
	"encoding/binary"
	"math"
)

// variable is a column of a file that a test builds.
type variable struct {
	kind        byte
	name, label string
}

// builder writes Stata files as the formats' help page describes them.
type builder struct {
	format    byte
	order     binary.AppendByteOrder
	variables []variable
	notes     []string // become expansion fields
	rows      [][]any
}

func padded(text string, width int) []byte {
	field := bytes.Repeat([]byte{0xCC}, width) // Stata leaves garbage after the NUL
	copy(field, text)
	if len(text) < width {
		field[len(text)] = 0
	}
	return field
}

func (b builder) build() []byte {
	file := []byte{b.format, 2, 1, 0}
	if b.order == binary.AppendByteOrder(binary.BigEndian) {
		file[1] = 1
	}
	n := len(b.variables)
	file = b.order.AppendUint16(file, uint16(n))
	file = b.order.AppendUint32(file, uint32(len(b.rows)))
	file = append(file, padded("a test", 81)...)
	file = append(file, padded("14 Apr 2012 08:20", 18)...)
	for _, v := range b.variables {
		file = append(file, v.kind)
	}
	for _, v := range b.variables {
		file = append(file, padded(v.name, 33)...)
	}
	file = append(file, make([]byte, 2*(n+1))...)
	formatSize := 49
	if b.format == 113 {
		formatSize = 12
	}
	file = append(file, make([]byte, n*formatSize)...)
	file = append(file, make([]byte, n*33)...)
	for _, v := range b.variables {
		file = append(file, padded(v.label, 81)...)
	}
	for _, note := range b.notes {
		file = append(file, 1)
		file = b.order.AppendUint32(file, uint32(len(note)))
		file = append(file, note...)
	}
	file = append(file, 0, 0, 0, 0, 0)
	for _, row := range b.rows {
		for i, cell := range row {
			switch v := cell.(type) {
			case int8:
				file = append(file, byte(v))
			case int16:
				file = b.order.AppendUint16(file, uint16(v))
			case int32:
				file = b.order.AppendUint32(file, uint32(v))
			case uint32:
				file = b.order.AppendUint32(file, v)
			case float32:
				file = b.order.AppendUint32(file, math.Float32bits(v))
			case uint64:
				file = b.order.AppendUint64(file, v)
			case float64:
				file = b.order.AppendUint64(file, math.Float64bits(v))
			case string:
				file = append(file, padded(v, int(b.variables[i].kind))...)
			}
		}
	}
	return file
}

// sample has every type, in two observations.
func sample(format byte, order binary.AppendByteOrder) builder {
	return builder{format: format, order: order, notes: []string{"", "a note\x00"},
		variables: []variable{{251, "b", "a byte"}, {252, "i", ""}, {253, "l", "A\xf1o"}, {254, "f", ""}, {255, "d", ""}, {1, "s1", ""}, {244, "s244", "long"}},
		rows: [][]any{
			{int8(-127), int16(-32767), int32(-2147483647), float32(0.1), 0.1, "x", "Ni\xf1o \x80 5"},
			{int8(100), int16(32740), int32(2147483620), float32(-1.5e10), -1e21, "", ""},
		}}
}

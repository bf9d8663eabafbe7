// Package dbase reads tables in dBase files (.dbf), as dBase III and IV, FoxPro
// and the makers of shapefiles write them.
//
// In comes the whole file by random access; out come its records, one at a
// time, as text in UTF-8. The format is told in "Xbase: Data File (*.dbf)" and
// in Microsoft's "Table File Structure" for Visual FoxPro. Its own limits bound
// what is kept in memory: a header has at most 65,535 bytes, so 2,046 fields,
// and a record at most 65,535 bytes.
//
// This package never changes a value but to take off the blanks that the
// format pads it with, and reads neither memo files nor dBase 7.
package dbase

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

const (
	prologueSize   = 32 // bytes of a header before its fields
	descriptorSize = 32 // bytes that describe a field
	titleSize      = 11 // of them, the title

	headerEnd   = 0x0D
	fileEnd     = 0x1A
	flagKept    = ' '
	flagDeleted = '*'
)

// Table gives the records of a file, from the first to the last.
type Table struct {
	source  *bufio.Reader // stands at the next record
	text    encoding
	fields  []field
	titles  []string
	record  []byte
	cells   []string
	records int64
	at      int64 // records read, deleted ones among them
	deleted int
}

type field struct {
	title string
	kind  byte
	begin int // in the record
	width int // bytes
}

// Open reads the header of a table of size bytes. The encoding is a name that
// [Encoding] knows, or "" for the one that the header names or, where it names
// none, windows-1252.
//
// It is an error if the file is no such table, if the lengths in its header do
// not agree with each other, or if it holds fewer records than the header says
// (the error tells how many are missing), or more.
func Open(r io.ReaderAt, size int64, encoding string) (*Table, error) {
	if size < prologueSize+descriptorSize {
		return nil, fmt.Errorf("the file is no dBase table: it has only %d bytes", max(size, 0))
	}
	var head [prologueSize]byte
	if err := readAt(r, head[:], 0); err != nil {
		return nil, fmt.Errorf("read the header of the table: %w", err)
	}
	if err := checkVersion(head[0]); err != nil {
		return nil, err
	}
	if head[15] == 1 {
		return nil, errors.New("the table is encrypted: save it without a password")
	}
	count := int64(binary.LittleEndian.Uint32(head[4:]))
	headerSize := int64(binary.LittleEndian.Uint16(head[8:]))
	recordSize := int64(binary.LittleEndian.Uint16(head[10:]))
	switch {
	case headerSize < prologueSize+descriptorSize:
		return nil, fmt.Errorf("the header of the table says that it is %d bytes long, too few for one field", headerSize)
	case headerSize > size:
		return nil, fmt.Errorf("the table is cut short: its header says that it is %d bytes long, the file has %d", headerSize, size)
	}
	text, err := findEncoding(encoding, head[29])
	if err != nil {
		return nil, err
	}
	header := make([]byte, headerSize)
	if err := readAt(r, header, 0); err != nil {
		return nil, fmt.Errorf("read the header of the table: %w", err)
	}
	fields, err := readFields(header[prologueSize:], int(recordSize), text)
	if err != nil {
		return nil, err
	}
	if err := checkSize(r, size, headerSize, recordSize, count); err != nil {
		return nil, err
	}
	t := &Table{text: text, fields: fields, records: count, record: make([]byte, recordSize), cells: make([]string, len(fields))}
	for _, f := range fields {
		t.titles = append(t.titles, f.title)
	}
	t.source = bufio.NewReaderSize(io.NewSectionReader(r, headerSize, size-headerSize), 1<<16)
	return t, nil
}

// Titles gives the names of the fields, as the header has them.
func (t *Table) Titles() []string { return slices.Clone(t.titles) }

// Records is the number of records in the file, deleted ones among them.
func (t *Table) Records() int64 { return t.records }

// Deleted is the number of records passed over so far because they are marked
// as deleted.
func (t *Table) Deleted() int { return t.deleted }

// Next gives the next record that is not deleted, one cell for each title, and
// its number: records count from 1, deleted ones among them. The end is io.EOF.
// The cells may be used until the next call.
//
// Text (C) has its blanks on the right taken off; numbers (N, F, I) are as they
// stand in the file, "" where they are filled with asterisks, for they were too
// wide; dates (D) are YYYY-MM-DD; truth (L) is TRUE, FALSE or "". Other types
// are given as their bytes, if these are text. An error names record and field.
func (t *Table) Next() (cells []string, number int64, err error) {
	for t.at < t.records {
		if _, err := io.ReadFull(t.source, t.record); err != nil {
			return nil, 0, fmt.Errorf("read record %d: %w", t.at+1, noEOF(err))
		}
		t.at++
		switch t.record[0] {
		case flagKept:
		case flagDeleted:
			t.deleted++
			continue
		case fileEnd:
			return nil, 0, fmt.Errorf("the table is cut short: its end is marked after record %d, the header says %d records: %d are missing",
				t.at-1, t.records, t.records-t.at+1)
		default:
			return nil, 0, fmt.Errorf("record %d begins with byte 0x%02X, where a blank or an asterisk belongs: the table is damaged", t.at, t.record[0])
		}
		for i, f := range t.fields {
			if t.cells[i], err = t.cell(f); err != nil {
				return nil, 0, fmt.Errorf("record %d, field %s: %w", t.at, f.title, err)
			}
		}
		return t.cells, t.at, nil
	}
	return nil, 0, io.EOF
}

func checkVersion(version byte) error {
	switch version {
	case 0x03, 0x83, 0xF5, 0xFB: // dBase III, FoxBASE, FoxPro 2
	case 0x43, 0x63, 0x7B, 0x8B, 0xCB: // dBase IV
	case 0x30, 0x31, 0x32: // Visual FoxPro
	case 0x04, 0x8C:
		return errors.New("the table is of dBase 7, which is not read: save it as dBase IV")
	default:
		return fmt.Errorf("the file is no dBase III, dBase IV or FoxPro table: its first byte is 0x%02X", version)
	}
	return nil
}

// readFields takes the fields from a header behind its prologue.
func readFields(header []byte, recordSize int, text encoding) ([]field, error) {
	var fields []field
	short, long := 1, 1 // sizes of a record, by the two ways to tell the width of text
	var high []int
	for len(header) >= descriptorSize && header[0] != headerEnd {
		descriptor := header[:descriptorSize]
		header = header[descriptorSize:]
		raw, _, _ := bytes.Cut(descriptor[:titleSize], []byte{0})
		title, err := text.decode(bytes.TrimSpace(raw), true)
		if err != nil {
			return nil, fmt.Errorf("the title of field %d: %w", len(fields)+1, err)
		}
		if title == "" {
			return nil, fmt.Errorf("field %d of the table has no title", len(fields)+1)
		}
		f := field{title: title, kind: descriptor[11], width: int(descriptor[16])}
		more := 0
		if f.kind == 'C' {
			more = int(descriptor[17]) << 8
		}
		if f.width+more == 0 {
			return nil, fmt.Errorf("field %s of the table is 0 bytes wide", title)
		}
		short, long = short+f.width, long+f.width+more
		fields, high = append(fields, f), append(high, more)
	}
	switch {
	case len(fields) == 0:
		return nil, errors.New("the table has no fields")
	case short == recordSize:
		clear(high)
	case long != recordSize: // Clipper and FoxPro have text of more than 255 bytes
		return nil, fmt.Errorf("the header of the table says that a record has %d bytes, but its fields make %d", recordSize, short)
	}
	begin := 1
	for i := range fields {
		f := &fields[i]
		f.begin, f.width = begin, f.width+high[i]
		begin += f.width
		if err := f.check(); err != nil {
			return nil, err
		}
	}
	return fields, nil
}

// checkSize compares the number of records that the header tells with what the
// file has room for.
func checkSize(r io.ReaderAt, size, headerSize, recordSize, count int64) error {
	end := headerSize + count*recordSize // below 2^49
	if held := (size - headerSize) / recordSize; held < count {
		return fmt.Errorf("the table is cut short: its header says %d records, the file holds %d: %d are missing", count, held, count-held)
	}
	if size-end < recordSize {
		return nil
	}
	var next [1]byte
	if err := readAt(r, next[:], end); err != nil {
		return fmt.Errorf("read the end of the table: %w", err)
	}
	if next[0] == flagKept || next[0] == flagDeleted {
		return fmt.Errorf("the header of the table says %d records, but another one follows the last: the table was not closed as it should be, or is damaged", count)
	}
	return nil
}

func readAt(r io.ReaderAt, into []byte, offset int64) error {
	n, err := r.ReadAt(into, offset)
	if n == len(into) {
		return nil
	}
	return noEOF(err)
}

// noEOF keeps an early end of the file from being taken for the end of the
// table.
func noEOF(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

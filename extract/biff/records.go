package biff

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// Kinds of records, by the names of the specification.
const (
	kindFormula    = 0x0006
	kindEOF        = 0x000A
	kindArray2     = 0x0021
	kindFilePass   = 0x002F
	kindTable2     = 0x0037
	kindContinue   = 0x003C
	kindBoundSheet = 0x0085
	kindMulRk      = 0x00BD
	kindRString    = 0x00D6
	kindSST        = 0x00FC
	kindLabelSST   = 0x00FD
	kindNumber     = 0x0203
	kindLabel      = 0x0204
	kindBoolErr    = 0x0205
	kindFormula3   = 0x0206 // written by some programs instead of kindFormula
	kindString     = 0x0207
	kindArray      = 0x0221
	kindTable      = 0x0236
	kindRK         = 0x027E
	kindFormula4   = 0x0406 // the same
	kindShrFmla    = 0x04BC
	kindBOF        = 0x0809
)

// errShort says that a record ends before what it should hold.
var errShort = errors.New("a record ends too early")

// records reads one record after the other. A record is its kind (2 bytes),
// its length (2 bytes) and so many bytes; records of the kind CONTINUE carry
// on the one before them.
type records struct {
	in     *bufio.Reader
	at     int64  // how many bytes have been read
	body   []byte // what of the current record is not taken yet
	buffer []byte
	spare  []byte
	units  []uint16
}

// peek tells kind and length of the next record.
func (r *records) peek() (kind uint16, size int, err error) {
	head, err := r.in.Peek(4)
	if err != nil {
		return 0, 0, cutOff(err)
	}
	return binary.LittleEndian.Uint16(head), int(binary.LittleEndian.Uint16(head[2:])), nil
}

// pass leaves out the next record.
func (r *records) pass() error {
	_, size, err := r.peek()
	if err != nil {
		return err
	}
	n, err := r.in.Discard(4 + size)
	r.at += int64(n)
	return cutOff(err)
}

// next reads the next record into body.
func (r *records) next() (kind uint16, err error) {
	kind, size, err := r.peek()
	if err != nil {
		return 0, err
	}
	if _, err := r.in.Discard(4); err != nil {
		return 0, cutOff(err)
	}
	if cap(r.buffer) < size {
		r.buffer = make([]byte, max(size, 1<<13))
	}
	r.body = r.buffer[:size]
	n, err := io.ReadFull(r.in, r.body)
	r.at += 4 + int64(n)
	return kind, cutOff(err)
}

// cutOff names the end of the stream where more was to come.
func cutOff(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return damaged("it is cut off: %w", io.ErrUnexpectedEOF)
	}
	return damaged("%w", err)
}

// proceed goes on to the CONTINUE record of the current record.
func (r *records) proceed() error {
	kind, _, err := r.peek()
	if err != nil {
		return err
	}
	if kind != kindContinue {
		return damaged("%w", errShort)
	}
	_, err = r.next()
	return err
}

// ended tells whether nothing is left of the current record and its
// continuations.
func (r *records) ended() (bool, error) {
	for len(r.body) == 0 {
		if kind, _, err := r.peek(); err != nil || kind != kindContinue {
			return true, err
		}
		if _, err := r.next(); err != nil {
			return true, err
		}
	}
	return false, nil
}

// take gives the next n bytes of the record. They hold until the next call.
func (r *records) take(n int) ([]byte, error) {
	if n <= len(r.body) {
		taken := r.body[:n]
		r.body = r.body[n:]
		return taken, nil
	}
	r.spare = r.spare[:0]
	for len(r.spare) < n {
		if len(r.body) == 0 {
			if err := r.proceed(); err != nil {
				return nil, err
			}
			continue
		}
		part := r.body[:min(n-len(r.spare), len(r.body))]
		r.spare = append(r.spare, part...)
		r.body = r.body[len(part):]
	}
	return r.spare, nil
}

// skip leaves out n bytes of the record.
func (r *records) skip(n int64) error {
	for n > int64(len(r.body)) {
		n -= int64(len(r.body))
		if err := r.proceed(); err != nil {
			return err
		}
	}
	r.body = r.body[n:]
	return nil
}

// characters takes a text of count UTF-16 units, either whole or, if not wide,
// their low bytes alone. Where it goes on in a CONTINUE record, that one
// begins with a byte that says anew whether units are whole.
func (r *records) characters(count int, wide bool) (string, error) {
	r.units = r.units[:0]
	for {
		width := 1
		if wide {
			width = 2
		}
		here := min(count-len(r.units), len(r.body)/width)
		for i := range here {
			if wide {
				r.units = append(r.units, binary.LittleEndian.Uint16(r.body[2*i:]))
			} else {
				r.units = append(r.units, uint16(r.body[i]))
			}
		}
		r.body = r.body[here*width:]
		if len(r.units) == count {
			return r.decoded(), nil
		}
		if err := r.proceed(); err != nil {
			return "", err
		}
		flags, err := r.take(1)
		if err != nil {
			return "", err
		}
		wide = flags[0]&1 != 0
	}
}

// decoded gives the units as text; half a surrogate pair becomes U+FFFD.
func (r *records) decoded() string {
	r.spare = r.spare[:0]
	for i := 0; i < len(r.units); i++ {
		char := rune(r.units[i])
		if utf16.IsSurrogate(char) {
			pair := rune(utf8.RuneError)
			if i+1 < len(r.units) {
				pair = utf16.DecodeRune(char, rune(r.units[i+1]))
			}
			if char = pair; char != utf8.RuneError {
				i++
			}
		}
		r.spare = utf8.AppendRune(r.spare, char)
	}
	return string(r.spare)
}

// text takes a text that begins with its length in two bytes.
func (r *records) text() (string, error) {
	head, err := r.take(3)
	if err != nil {
		return "", err
	}
	return r.characters(int(binary.LittleEndian.Uint16(head)), head[2]&1 != 0)
}

// richText takes a shared text and leaves out the runs of its fonts and its
// phonetic reading.
func (r *records) richText() (string, error) {
	head, err := r.take(3)
	if err != nil {
		return "", err
	}
	count, flags, behind := int(binary.LittleEndian.Uint16(head)), head[2], int64(0)
	if flags&8 != 0 {
		runs, err := r.take(2)
		if err != nil {
			return "", err
		}
		behind += 4 * int64(binary.LittleEndian.Uint16(runs))
	}
	if flags&4 != 0 {
		phonetic, err := r.take(4)
		if err != nil {
			return "", err
		}
		behind += int64(binary.LittleEndian.Uint32(phonetic))
	}
	text, err := r.characters(count, flags&1 != 0)
	if err != nil {
		return "", err
	}
	return text, r.skip(behind)
}

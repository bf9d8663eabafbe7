package stata

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// Lengths in bytes, as the formats give them.
const (
	headSize     = 109 // format, byte order, file type, unused, variables (2), observations (4), label (81), time (18)
	nameSize     = 33
	labelSize    = 81
	maxVariables = math.MaxInt16

	bufferSize = 64 << 10
)

// howToSave is what to do about a file in a format that is not read here.
const howToSave = "save it in the old format of Stata 12/13 (in Stata: saveold NAME.dta, version(12)) or as CSV"

// input is a file that is read from its beginning to its end.
type input struct {
	*bufio.Reader
	size, at int64  // bytes in the file; bytes read
	promised string // the observations that follow, for messages
}

// take reads the next n bytes, of which the caller knows a bound.
func (in *input) take(n int64, what string) ([]byte, error) {
	if n > in.size-in.at {
		return nil, in.cutShort(what)
	}
	raw := make([]byte, n)
	if _, err := io.ReadFull(in, raw); err != nil {
		return nil, in.readError(what, err)
	}
	in.at += n
	return raw, nil
}

// skip passes over the next n bytes.
func (in *input) skip(n int64, what string) error {
	if n > in.size-in.at {
		return in.cutShort(what)
	}
	for n > 0 {
		step := min(n, 1<<30)
		if _, err := in.Discard(int(step)); err != nil {
			return in.readError(what, err)
		}
		n -= step
		in.at += step
	}
	return nil
}

func (in *input) cutShort(what string) error {
	return fmt.Errorf("the file is cut short: it ends in %s, so all %sobservations are missing: get the file again", what, in.promised)
}

func (in *input) readError(what string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return in.cutShort(what)
	}
	return fmt.Errorf("read %s: %w", what, err)
}

// header is what the first bytes of a file say.
type header struct {
	format    byte
	variables int64
}

// readHeader finds the format, the byte order and the number of observations.
func (t *Table) readHeader(in *input) (header, error) {
	start, err := in.Peek(int(max(0, min(in.size, headSize))))
	if err != nil && !errors.Is(err, io.EOF) {
		return header{}, fmt.Errorf("read the header: %w", err)
	}
	if err := refuse(start); err != nil {
		return header{}, err
	}
	head, err := in.take(headSize, "its header")
	if err != nil {
		return header{}, err
	}
	t.order = binary.LittleEndian
	if head[1] == 1 {
		t.order = binary.BigEndian
	}
	h := header{format: head[0], variables: int64(int16(t.order.Uint16(head[4:])))}
	t.rows = int64(int32(t.order.Uint32(head[6:])))
	if h.variables < 0 || t.rows < 0 {
		return header{}, fmt.Errorf("the file is damaged: its header promises %d variables and %d observations", h.variables, t.rows)
	}
	if h.variables == 0 {
		return header{}, errors.New("the file has no variables")
	}
	in.promised = fmt.Sprintf("%d ", t.rows)
	return h, nil
}

// refuse says why a file that begins so is not read; nil if it is.
func refuse(start []byte) error {
	if tail, ok := bytes.CutPrefix(start, []byte("<stata_dta>")); ok {
		tail = bytes.TrimPrefix(tail, []byte("<header>"))
		if release, _, ok := bytes.Cut(bytes.TrimPrefix(tail, []byte("<release>")), []byte("</release>")); ok && len(release) == 3 {
			return fmt.Errorf("the file is in Stata format %q, newer than 115, the last that is read here: %s", release, howToSave)
		}
		return fmt.Errorf("the file is in a Stata format of 117 or later, newer than 115, the last that is read here: %s", howToSave)
	}
	switch {
	case len(start) == 0:
		return errors.New("the file is empty")
	case len(start) < 4:
		return errors.New("the file is no Stata table: it has fewer than 4 bytes")
	case start[0] < 102 || start[0] > 115 || start[1] < 1 || start[1] > 2 || start[2] != 1:
		return fmt.Errorf("the file is no Stata table: it begins with the bytes % x, where a format, a byte order and a file type should stand", start[:4])
	case start[0] < 113:
		return fmt.Errorf("the file is in Stata format %d, older than 113, the first that is read here: %s", start[0], howToSave)
	}
	return nil
}

// readVariables reads what describes each variable: type, name, label. It
// passes over the order of sorting, the display formats, and the names of
// value labels.
func (t *Table) readVariables(in *input, head header) error {
	const what = "the description of its variables"
	n := head.variables
	formatSize := int64(49)
	if head.format == 113 {
		formatSize = 12
	}
	if n > maxVariables || n*(1+nameSize+2+formatSize+nameSize+labelSize)+2 > in.size-in.at {
		return in.cutShort(what)
	}
	var err error
	if t.kinds, err = in.take(n, what); err != nil {
		return err
	}
	names, err := in.take(n*nameSize, what)
	if err != nil {
		return err
	}
	if err := in.skip(2*(n+1)+n*formatSize+n*nameSize, what); err != nil {
		return err
	}
	labels, err := in.take(n*labelSize, what)
	if err != nil {
		return err
	}
	t.titles, t.labels = texts(names, nameSize), texts(labels, labelSize)
	return nil
}

// texts decodes fields of one width that stand one after another.
func texts(raw []byte, width int) []string {
	list := make([]string, 0, len(raw)/width)
	for ; len(raw) >= width; raw = raw[width:] {
		list = append(list, string(appendText(nil, raw[:width])))
	}
	return list
}

// skipExpansion passes over the expansion fields, notes and the like, each
// with its type and length. One of type 0 and length 0 ends them.
func skipExpansion(in *input, order binary.ByteOrder) error {
	const what = "its expansion fields"
	for {
		at := in.at
		start, err := in.Peek(5)
		if err != nil {
			return in.readError(what, err)
		}
		kind, length := start[0], int64(int32(order.Uint32(start[1:])))
		if length < 0 || kind == 0 && length != 0 {
			return fmt.Errorf("the file is damaged: the expansion field at byte %d has the type %d and the length %d", at, kind, length)
		}
		if err := in.skip(5+length, what); err != nil {
			return err
		}
		if kind == 0 {
			return nil
		}
	}
}

package jsontext

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// errDamaged is what no record that the decoder has accepted leads to.
var errDamaged = errors.New("this is no valid JSON")

// geometry is the member whose object is one cell.
const geometry = "geometry"

// member is a path that records have.
type member struct {
	column int   // -1 while it is only an object
	row    int64 // the last record that had it
}

// columns are the paths of all records so far.
type columns struct {
	titles  []string
	members map[string]*member
	sealed  bool // no more may come

	raw   []byte // the record, and how far it is read
	at    int
	row   int64
	path  []byte
	visit func(column int, value []byte) error
}

func newColumns() columns { return columns{members: map[string]*member{}} }

// rewind makes ready for the second pass.
func (c *columns) rewind() {
	c.sealed = true
	for _, m := range c.members {
		m.row = 0
	}
}

// walk visits all cells of a record, which is a valid JSON object.
func (c *columns) walk(raw []byte, row int64, visit func(column int, value []byte) error) error {
	c.raw, c.at, c.row, c.visit = raw, 0, row, visit
	return c.object(0, 1)
}

// object visits the members of an object, at its brace, whose own path is as
// long as prefix. The depth is the number of parts that their paths have.
func (c *columns) object(prefix, depth int) error {
	if depth > DepthLimit {
		return fmt.Errorf("objects lie in each other more than %d deep", DepthLimit)
	}
	c.at++
	for {
		switch c.next() {
		case '}':
			c.at++
			return nil
		case ',':
			c.at++
			continue
		case '"':
		default:
			return errDamaged
		}
		c.path = c.path[:prefix]
		if depth > 1 {
			c.path = append(c.path, '.')
		}
		own := len(c.path)
		var err error
		if c.path, err = appendString(c.path, c.value()); err != nil {
			return err
		}
		if len(c.path) > TitleLimit {
			return fmt.Errorf("the path of a member is longer than %d bytes: it begins with %q", TitleLimit, c.path[:40])
		}
		if c.next() != ':' {
			return errDamaged
		}
		c.at++
		if err := c.cell(c.next(), string(c.path[own:]) == geometry, depth); err != nil {
			return err
		}
	}
}

// cell visits the member whose path was read, at its value.
func (c *columns) cell(first byte, shape bool, depth int) error {
	nested := first == '{' && !shape
	m, err := c.member(nested)
	if err != nil {
		return err
	}
	if nested {
		return c.object(len(c.path), depth+1)
	}
	value := c.value()
	if len(value) == 0 {
		return errDamaged
	}
	if err := c.visit(m.column, value); err != nil {
		return fmt.Errorf("member %q: %w", c.path, err)
	}
	return nil
}

// member finds the path that was read, or adds it.
func (c *columns) member(nested bool) (*member, error) {
	m := c.members[string(c.path)]
	if m == nil {
		if c.sealed {
			return nil, fmt.Errorf("the member %q is new: the file was changed while it was read", c.path)
		}
		if len(c.members) >= 2*TitlesLimit {
			return nil, fmt.Errorf("the records have more than %d different members: this is no table", 2*TitlesLimit)
		}
		m = &member{column: -1}
		c.members[string(c.path)] = m
	}
	if m.row == c.row {
		return nil, fmt.Errorf("the member %q comes twice in it", c.path)
	}
	m.row = c.row
	if !nested && m.column < 0 {
		if c.sealed {
			return nil, fmt.Errorf("the member %q is no object any more: the file was changed while it was read", c.path)
		}
		if len(c.titles) >= TitlesLimit {
			return nil, fmt.Errorf("the records have more than %d different columns: this is no table", TitlesLimit)
		}
		m.column = len(c.titles)
		c.titles = append(c.titles, string(c.path))
	}
	return m, nil
}

// next passes over space and gives the byte that follows; 0 at the end.
func (c *columns) next() byte {
	for ; c.at < len(c.raw); c.at++ {
		if !isSpace(c.raw[c.at]) {
			return c.raw[c.at]
		}
	}
	return 0
}

// value passes over the value that begins here and gives its bytes.
func (c *columns) value() []byte {
	start := c.at
	for open := 0; c.at < len(c.raw); {
		b := c.raw[c.at]
		switch {
		case b == '"':
			c.quoted()
		case b == '[' || b == '{':
			open++
			c.at++
		case (b == ']' || b == '}') && open > 0:
			open--
			c.at++
		case open == 0 && (isSpace(b) || b == ',' || b == ']' || b == '}'):
			return c.raw[start:c.at]
		default:
			c.at++
			continue
		}
		if open == 0 {
			return c.raw[start:c.at]
		}
	}
	return c.raw[start:c.at]
}

// quoted passes over a string, from quote to quote.
func (c *columns) quoted() {
	for c.at++; c.at < len(c.raw); c.at++ {
		switch c.raw[c.at] {
		case '\\':
			c.at++
		case '"':
			c.at++
			return
		}
	}
	c.at = len(c.raw)
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\r' || b == '\n' }

// appendString appends what a JSON string stands for. As encoding/json does, it
// puts U+FFFD for what is no UTF-8 and for half a surrogate pair.
func appendString(text, quoted []byte) ([]byte, error) {
	if len(quoted) < 2 {
		return nil, errDamaged
	}
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return append(text, inner...), nil
	}
	var decoded string
	if err := json.Unmarshal(quoted, &decoded); err != nil {
		return nil, fmt.Errorf("read a string: %w", err)
	}
	return append(text, decoded...), nil
}

// appendCompact appends a JSON text without the space in it. Its strings keep
// their escapes; what is no UTF-8 becomes U+FFFD.
func (t *Table) appendCompact(text, value []byte) ([]byte, error) {
	t.compact.Reset()
	if err := json.Compact(&t.compact, value); err != nil {
		return nil, fmt.Errorf("read an array or object: %w", err)
	}
	for rest := t.compact.Bytes(); len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if r == utf8.RuneError {
			text = utf8.AppendRune(text, r)
		} else {
			text = append(text, rest[:size]...)
		}
		rest = rest[size:]
	}
	return text, nil
}

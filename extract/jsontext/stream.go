package jsontext

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// errLong says that a value is larger than memory is kept for.
var errLong = fmt.Errorf("it is longer than %d MiB, the limit of one record", RecordLimit>>20)

// guard lets a decoder read up to a limit, so that no value fills the memory.
type guard struct {
	in          *bufio.Reader
	read, limit int64
	fault       error // that stopped it; decoders do not all pass it on
}

// Read reads what is left up to the limit.
func (g *guard) Read(p []byte) (int, error) {
	if g.read >= g.limit {
		g.fault = errLong
		return 0, errLong
	}
	n, err := g.in.Read(p[:min(int64(len(p)), g.limit-g.read)])
	g.read += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		g.fault = fmt.Errorf("read: %w", err)
	}
	return n, err
}

// stream is a document from some byte on, where a value begins.
type stream struct {
	source     io.ReaderAt
	size, base int64
	guard      *guard
	decoder    *json.Decoder
	lines      bool // records stand one after another, in no array
	raw        json.RawMessage
	done       error // what the last record led to, once it is no record
}

func newInput(r io.ReaderAt, size, from int64) *bufio.Reader {
	return bufio.NewReaderSize(io.NewSectionReader(r, from, size-from), 64<<10)
}

func newStream(r io.ReaderAt, size, from int64) *stream {
	s := &stream{source: r, size: size, base: from, guard: &guard{in: newInput(r, size, from)}}
	s.decoder = json.NewDecoder(s.guard)
	s.decoder.UseNumber() // else a number beyond the float64 is an error
	return s
}

// at is the byte of the file that is read next.
func (s *stream) at() int64 { return s.base + s.decoder.InputOffset() }

// allow gives the next step its share of memory.
func (s *stream) allow() { s.guard.limit = s.decoder.InputOffset() + RecordLimit }

// token reads the next token.
func (s *stream) token() (json.Token, error) {
	s.allow()
	token, err := s.decoder.Token()
	if err != nil {
		return nil, fmt.Errorf("at byte %d: %w", s.at(), s.explain(err))
	}
	return token, nil
}

// end checks that nothing follows the document.
func (s *stream) end() error {
	s.allow()
	_, err := s.decoder.Token()
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case s.guard.fault == nil && (err == nil || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &syntax)):
		return fmt.Errorf("at byte %d: something follows the end of the document", s.at())
	}
	return fmt.Errorf("at byte %d: %w", s.at(), s.explain(err))
}

// skip passes over the rest of as many arrays and objects as are open.
func (s *stream) skip(open int) error {
	for open > 0 {
		token, err := s.token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('['), json.Delim('{'):
			if open++; open > nestingLimit {
				return fmt.Errorf("at byte %d: arrays and objects lie in each other more than %d deep", s.at(), nestingLimit)
			}
		case json.Delim(']'), json.Delim('}'):
			open--
		}
	}
	return nil
}

// record reads the next record, an object, and tells at which byte it begins;
// io.EOF, bare, after the last. The bytes hold until the next call.
func (s *stream) record() ([]byte, int64, error) {
	if s.done != nil {
		return nil, s.at(), s.done
	}
	s.allow()
	if !s.lines && !s.decoder.More() {
		_, err := s.decoder.Token() // the end of the array
		if s.done = io.EOF; err != nil {
			s.done = s.explain(err)
		}
		return nil, s.at(), s.done
	}
	s.raw = s.raw[:0]
	err := s.decoder.Decode(&s.raw)
	if s.lines && errors.Is(err, io.EOF) {
		s.done = io.EOF
		return nil, s.at(), s.done
	}
	if err != nil {
		start := s.next()
		s.done = s.locate(err, start)
		return nil, start, s.done
	}
	start := s.at() - int64(len(s.raw))
	if len(s.raw) == 0 || s.raw[0] != '{' {
		return nil, start, fmt.Errorf("it is %s, no object", kindOf(s.raw))
	}
	return s.raw, start, nil
}

// next is the byte of the file that is read next and is no space.
func (s *stream) next() int64 {
	at := s.at()
	in := newInput(s.source, s.size, at)
	for b, err := in.ReadByte(); err == nil && isSpace(b); b, err = in.ReadByte() {
		at++
	}
	return at
}

// locate tells in which byte of a value the fault lies: it reads the value once
// more, since the decoder counts from somewhere else after tokens.
func (s *stream) locate(err error, start int64) error {
	var syntax *json.SyntaxError
	if s.guard.fault != nil || !errors.As(err, &syntax) {
		return s.explain(err)
	}
	again := newStream(s.source, s.size, start)
	again.allow()
	var value json.RawMessage
	if !errors.As(again.decoder.Decode(&value), &syntax) {
		return s.explain(err)
	}
	return fmt.Errorf("in byte %d: %w", again.base+syntax.Offset-1, s.explain(err))
}

// explain says what an error of the decoder means.
func (s *stream) explain(err error) error {
	var syntax *json.SyntaxError
	switch {
	case s.guard.fault != nil:
		return s.guard.fault
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the document is cut short, it ends at byte %d: get the file again: %w", s.size, io.ErrUnexpectedEOF)
	case errors.As(err, &syntax):
		return fmt.Errorf("this is no valid JSON: %w", err)
	}
	return fmt.Errorf("read: %w", err)
}

// kindOf says what a value is, for people.
func kindOf(value []byte) string {
	if len(value) > 0 {
		switch value[0] {
		case '[':
			return "an array"
		case '{':
			return "an object"
		case '"':
			return "a string"
		case 't', 'f':
			return string(value)
		case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			return "a number"
		}
	}
	return "null"
}

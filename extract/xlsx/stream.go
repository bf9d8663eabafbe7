package xlsx

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
)

// stream reads the XML of a part token by token, within limits.
type stream struct {
	source  io.ReadCloser
	reader  *bufio.Reader
	decoder *xml.Decoder
	depth   int // of the element that the last token began, or is in
	rooted  bool
	left    int64 // bytes of the whole part
	budget  int   // bytes of what is read now
}

var errBudget = fmt.Errorf("a tag, cell or text is longer than %d bytes of XML", TokenLimit)

func newStream(source io.ReadCloser, limit int64) *stream {
	s := &stream{source: source, reader: bufio.NewReaderSize(source, 32<<10), left: limit}
	s.decoder = xml.NewDecoder(s) // an io.ByteReader, so nothing is read ahead uncounted
	s.restart()
	return s
}

// restart allows another TokenLimit bytes.
func (s *stream) restart() { s.budget = TokenLimit }

// ReadByte reads and counts.
func (s *stream) ReadByte() (byte, error) {
	if s.budget--; s.budget < 0 {
		return 0, errBudget
	}
	b, err := s.reader.ReadByte()
	if err != nil {
		return 0, err
	}
	if s.left--; s.left < 0 {
		return 0, errors.New("it unpacks to more than the limit allows")
	}
	return b, nil
}

// Read is there for the decoder's sake, which reads single bytes only.
func (s *stream) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b, err := s.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = b
	return 1, nil
}

// next gives a token with a budget of its own, io.EOF after the root element.
func (s *stream) next() (xml.Token, error) {
	s.restart()
	return s.more()
}

// more gives a token out of the budget of those before it.
func (s *stream) more() (xml.Token, error) {
	token, err := s.decoder.Token()
	if errors.Is(err, io.EOF) && !s.rooted {
		return nil, damaged(io.ErrUnexpectedEOF)
	}
	if errors.Is(err, io.EOF) {
		return nil, io.EOF
	}
	if err != nil {
		return nil, fmt.Errorf("its XML is damaged: %w", err)
	}
	switch token.(type) {
	case xml.StartElement:
		s.rooted = true
		if s.depth++; s.depth > DepthLimit {
			return nil, fmt.Errorf("its XML is nested deeper than %d elements", DepthLimit)
		}
	case xml.EndElement:
		s.depth--
	}
	return token, nil
}

// offset is how many bytes of XML have been read.
func (s *stream) offset() int64 { return s.decoder.InputOffset() }

func (s *stream) close() error { return s.source.Close() }

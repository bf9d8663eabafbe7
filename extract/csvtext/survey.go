package csvtext

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// Survey looks at all bytes of a file, written to it in pieces of any size,
// and then tells which of the allowed encodings the file is in. It keeps a few
// kilobytes only.
type Survey struct {
	candidates []*candidate
	words      []string
	patterns   map[string]*bool // bytes of a word → found in the file
	folding    bool             // some word holds a blank
	longest    int              // pattern

	head    []byte // the first bytes of the file
	window  []byte // the end of the last piece, then this piece, blanks folded
	run     []byte // bytes ≥ 0x80 at the end of the last piece
	size    int64
	feeds   int64 // LF so far
	returns int64 // CR so far
	control *place

	foreign int64 // bytes ≥ 0x80
	torn    int64 // those of them that are UTF-8, so that other readings tear them
	doubled int64 // those of them that are UTF-8 of UTF-8
}

// candidate is one encoding that the file may be in.
type candidate struct {
	*Encoding
	patterns []string // by word; "" where the encoding lacks a character
	wrong    *place   // where the bytes are no text in it
}

// place is where a byte stands.
type place struct {
	offset, feeds, returns int64
	value                  byte
}

const (
	headSize = 4 << 10
	runLimit = 64 << 10
)

// NewSurvey begins a survey. Encodings are those that the card allows, in the
// order in which they are preferred; words are those that a right reading
// shows.
func NewSurvey(encodings, words []string) (*Survey, error) {
	s := &Survey{words: words, patterns: map[string]*bool{}}
	for _, name := range encodings {
		encoding, err := FindEncoding(name)
		if err != nil {
			return nil, err
		}
		s.candidates = append(s.candidates, &candidate{Encoding: encoding, patterns: make([]string, len(words))})
	}
	for i, word := range words {
		word = strings.TrimSpace(string(foldBlanks(nil, []byte(word))))
		s.folding = s.folding || strings.Contains(word, " ")
		for _, c := range s.candidates {
			if pattern, ok := c.bytesOf(word); ok && len(pattern) > 0 {
				c.patterns[i] = string(pattern)
				s.patterns[string(pattern)] = new(bool)
				s.longest = max(s.longest, len(pattern))
			}
		}
	}
	return s, nil
}

// Write takes the next piece of the file. It never fails.
func (s *Survey) Write(piece []byte) (int, error) {
	if len(s.head) < headSize {
		s.head = append(s.head, piece[:min(len(piece), headSize-len(s.head))]...)
	}
	s.judgeBytes(piece)
	s.search(piece)
	s.size += int64(len(piece))
	s.feeds += int64(bytes.Count(piece, []byte{'\n'}))
	s.returns += int64(bytes.Count(piece, []byte{'\r'}))
	return len(piece), nil
}

// judgeBytes looks for control characters, and hands each run of bytes beyond
// ASCII to the candidates. Such a run has the same borders in all encodings.
func (s *Survey) judgeBytes(piece []byte) {
	for i := 0; i < len(piece); {
		if b := piece[i]; b < utf8.RuneSelf {
			if len(s.run) > 0 {
				s.judgeRun(piece[:i], true)
			}
			i = s.skipASCII(piece, i)
			continue
		}
		end := i + 1
		for end < len(piece) && piece[end] >= utf8.RuneSelf {
			end++
		}
		s.run = append(s.run, piece[i:end]...)
		if end < len(piece) || len(s.run) > runLimit {
			s.judgeRun(piece[:end], end < len(piece))
		}
		i = end
	}
}

// skipASCII gives the place of the next byte beyond ASCII, and remembers the
// first control character on the way.
func (s *Survey) skipASCII(piece []byte, i int) int {
	for ; i < len(piece) && piece[i] < utf8.RuneSelf; i++ {
		if b := piece[i]; b < ' ' && b != '\t' && b != '\r' && b != '\n' && s.control == nil {
			s.control = s.placeOf(piece[:i], 0, b)
		}
	}
	return i
}

// judgeRun lets the candidates judge the run that ends with seen. A run that
// is not over yet keeps the bytes of its last, perhaps cut, character.
func (s *Survey) judgeRun(seen []byte, over bool) {
	run, rest := s.run, []byte(nil)
	if !over {
		cut := len(run) - 1
		for cut > len(run)-utf8.UTFMax && !utf8.RuneStart(run[cut]) {
			cut--
		}
		run, rest = run[:cut], run[cut:]
	}
	for _, c := range s.candidates {
		if c.wrong != nil {
			continue
		}
		if at := c.wrongAt(run); at >= 0 {
			c.wrong = s.placeOf(seen, len(s.run)-at, run[at])
		}
	}
	s.foreign += int64(len(run))
	if utf8.Valid(run) {
		s.torn += int64(len(run))
		if encodedTwice(run) {
			s.doubled += int64(len(run))
		}
	}
	s.run = append(s.run[:0], rest...)
}

// placeOf is where the byte stands that lies back bytes before the end of seen.
func (s *Survey) placeOf(seen []byte, back int, value byte) *place {
	return &place{offset: s.size + int64(len(seen)-back), value: value,
		feeds:   s.feeds + int64(bytes.Count(seen, []byte{'\n'})),
		returns: s.returns + int64(bytes.Count(seen, []byte{'\r'}))}
}

// search marks the words that stand in this piece, or across its beginning.
func (s *Survey) search(piece []byte) {
	if s.longest == 0 {
		return
	}
	if s.folding {
		s.window = foldBlanks(s.window, piece)
	} else {
		s.window = append(s.window, piece...)
	}
	missing := false
	for pattern, found := range s.patterns {
		if !*found {
			*found = bytes.Contains(s.window, []byte(pattern))
		}
		missing = missing || !*found
	}
	if !missing {
		s.longest = 0
		return
	}
	keep := max(0, len(s.window)-s.longest)
	s.window = append(s.window[:0], s.window[keep:]...)
}

// foldBlanks appends a piece to folded text, with each run of white space as
// one blank, also across the border between the two.
func foldBlanks(text, piece []byte) []byte {
	blank := len(text) > 0 && text[len(text)-1] == ' '
	n := len(text)
	text = slices.Grow(text, len(piece))[:n+len(piece)]
	for _, b := range piece {
		if b == ' ' || (b >= '\t' && b <= '\r') {
			if blank {
				continue
			}
			b = ' '
		}
		text[n], blank = b, b == ' '
		n++
	}
	return text[:n]
}

package shape

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const (
	wktLimit  = 1 << 16 // bytes of a .prj
	wktNested = 16      // nodes within nodes
)

// node is a part of a well-known text (OGC 01-009, chapter 7): KEYWORD["name", number, NODE[…]].
type node struct {
	keyword string // in capitals
	name    string // the first text
	numbers []float64
	nodes   []*node
}

// child gives the first node within n of that keyword.
func (n *node) child(keyword string) *node {
	for _, inner := range n.nodes {
		if inner.keyword == keyword {
			return inner
		}
	}
	return nil
}

// number gives a number of a node within n, where 0 is the first.
func (n *node) number(keyword string, at int) (float64, error) {
	inner := n.child(keyword)
	if inner == nil || len(inner.numbers) <= at {
		return 0, fmt.Errorf("%s %q does not tell its %s", n.keyword, n.name, keyword)
	}
	return inner.numbers[at], nil
}

// parseWKT reads the first node of a text; what follows it (heights) does not
// matter.
func parseWKT(text string) (*node, error) {
	if len(text) > wktLimit {
		return nil, fmt.Errorf("it has %d bytes, more than %d", len(text), wktLimit)
	}
	p := &wktParser{rest: text}
	return p.node(0)
}

type wktParser struct{ rest string }

func (p *wktParser) skipBlanks() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// take takes one of the characters, if it comes next.
func (p *wktParser) take(characters string) bool {
	p.skipBlanks()
	if p.rest == "" || !strings.Contains(characters, p.rest[:1]) {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *wktParser) node(depth int) (*node, error) {
	if depth > wktNested {
		return nil, fmt.Errorf("it is nested deeper than %d", wktNested)
	}
	p.skipBlanks()
	keyword := p.word()
	if keyword == "" {
		return nil, p.odd()
	}
	n := &node{keyword: strings.ToUpper(keyword)}
	if !p.take("[(") { // a word that stands for itself: NORTH
		if depth == 0 {
			return nil, p.odd()
		}
		return n, nil
	}
	for named := false; ; {
		p.skipBlanks()
		switch {
		case p.rest == "":
			return nil, errors.New("it ends too early")
		case p.rest[0] == '"':
			text, err := p.quoted()
			if err != nil {
				return nil, err
			}
			if !named {
				n.name, named = text, true
			}
		case strings.Contains("+-.0123456789", p.rest[:1]):
			value, err := p.number()
			if err != nil {
				return nil, err
			}
			n.numbers = append(n.numbers, value)
		default:
			inner, err := p.node(depth + 1)
			if err != nil {
				return nil, err
			}
			n.nodes = append(n.nodes, inner)
		}
		if p.take("])") {
			return n, nil
		}
		if !p.take(",") {
			return nil, p.odd()
		}
	}
}

func (p *wktParser) word() string {
	end := 0
	for end < len(p.rest) && (p.rest[end]|0x20 >= 'a' && p.rest[end]|0x20 <= 'z' || p.rest[end] == '_' || end > 0 && p.rest[end] >= '0' && p.rest[end] <= '9') {
		end++
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	return word
}

func (p *wktParser) quoted() (string, error) {
	var text strings.Builder
	for p.rest = p.rest[1:]; ; {
		part, rest, closed := strings.Cut(p.rest, `"`)
		if !closed {
			return "", errors.New("a quote is never closed")
		}
		text.WriteString(part)
		if p.rest = rest; !strings.HasPrefix(rest, `"`) {
			return text.String(), nil
		}
		text.WriteByte('"')
		p.rest = rest[1:]
	}
}

func (p *wktParser) number() (float64, error) {
	end := 0
	for end < len(p.rest) && strings.Contains("+-.0123456789eE", p.rest[end:end+1]) {
		end++
	}
	value, err := strconv.ParseFloat(p.rest[:end], 64)
	if err != nil {
		return 0, fmt.Errorf("%.40q is no number", p.rest[:end])
	}
	p.rest = p.rest[end:]
	return value, nil
}

func (p *wktParser) odd() error {
	if p.rest == "" {
		return errors.New("it ends too early")
	}
	return fmt.Errorf("it is not written as projections are, from %.40q on", p.rest)
}

package csvtext

import (
	"bytes"
	"fmt"
	"strings"

	"tamiz/pipeline"
)

// Choice is the encoding that a file is in, and how that was found.
type Choice struct {
	Encoding *Encoding
	Mark     int    // bytes of the mark at the beginning of the file, to be skipped
	Reason   string // for people
}

// Choose tells the encoding, when all of the file has been written. The error
// is a [pipeline.Error] of kind Drift.
func (s *Survey) Choose() (Choice, error) {
	if len(s.run) > 0 {
		s.judgeRun(nil, true)
	}
	if err := Foreign(s.head, "a table in text (csv)"); err != nil {
		return Choice{}, err
	}
	if s.control != nil {
		return Choice{}, s.controlError()
	}
	var choice Choice
	candidates, why := s.candidates, ""
	if bytes.HasPrefix(s.head, utf8Mark) {
		choice.Mark, why = len(utf8Mark), ", marked so by its first bytes"
		if candidates = only("utf-8", candidates); len(candidates) == 0 {
			return Choice{}, s.markError()
		}
	}
	ascii := s.foreign == int64(choice.Mark)
	best := s.best(candidates)
	switch {
	case best == nil:
		return Choice{}, s.misfit(candidates)
	case len(s.words) > 0 && s.score(best) == 0:
		return Choice{}, s.wordsMissing(best)
	case ascii:
		choice.Encoding, choice.Reason = &Encoding{name: "utf-8"}, "utf-8 (plain ASCII)"
		return choice, nil
	}
	choice.Encoding, choice.Reason = best.Encoding, best.name+why
	if len(s.words) > 0 {
		choice.Reason += fmt.Sprintf(", %d of %d expected words are in it", s.score(best), len(s.words))
	}
	for _, c := range s.candidates {
		switch {
		case c == best:
		case c.wrong == nil && !s.misreads(c) && s.score(c) == s.score(best):
			choice.Reason += "; " + c.name + " fits as well and comes later on the card"
		default:
			choice.Reason += "; " + c.name + ": " + s.verdict(c)
		}
	}
	return choice, nil
}

// best gives the candidate that fits with most words; the first of equals.
func (s *Survey) best(candidates []*candidate) *candidate {
	var best *candidate
	for _, c := range candidates {
		if c.wrong == nil && !s.misreads(c) && (best == nil || s.score(c) > s.score(best)) {
			best = c
		}
	}
	return best
}

// misreads reports whether most characters beyond ASCII would come out as
// those that stand for the bytes of UTF-8.
func (s *Survey) misreads(c *candidate) bool {
	if c.table == nil {
		return 2*s.doubled > s.foreign
	}
	return 2*s.torn > s.foreign
}

func (s *Survey) score(c *candidate) int {
	score := 0
	for _, pattern := range c.patterns {
		if found := s.patterns[pattern]; found != nil && *found {
			score++
		}
	}
	return score
}

// verdict says why a candidate was not taken.
func (s *Survey) verdict(c *candidate) string {
	switch {
	case c.wrong != nil:
		return fmt.Sprintf("byte 0x%02X at offset %s (line %s) is no text in it", c.wrong.value, Count(c.wrong.offset), Count(s.line(c.wrong)))
	case s.misreads(c) && c.table == nil:
		return `its characters are UTF-8 that was encoded twice, such as "Ã©" for "é"`
	case s.misreads(c):
		return "its characters would be torn UTF-8"
	}
	return fmt.Sprintf("%d of %d expected words", s.score(c), len(s.words))
}

// line is the physical line of a place; CR ends lines only where no LF does.
func (s *Survey) line(p *place) int64 {
	if s.feeds == 0 {
		return p.returns + 1
	}
	return p.feeds + 1
}

func only(name string, candidates []*candidate) []*candidate {
	for _, c := range candidates {
		if c.name == name {
			return []*candidate{c}
		}
	}
	return nil
}

func (s *Survey) names() string {
	var names []string
	for _, c := range s.candidates {
		names = append(names, c.name)
	}
	return strings.Join(names, ", ")
}

func (s *Survey) controlError() error {
	e := &pipeline.Error{Kind: pipeline.Drift, Expected: "text",
		Problem: "the file holds control characters, so it is no text",
		Where:   fmt.Sprintf("offset %s, line %s", Count(s.control.offset), Count(s.line(s.control))),
		Found:   fmt.Sprintf("byte 0x%02X", s.control.value),
		Hint:    "the file may be damaged; get it again"}
	if s.control.value == 0 {
		e.Problem = "the file holds NUL bytes, so it is no text"
		e.Hint = "the file may be damaged, or in UTF-16; get it again, or save it as UTF-8"
	}
	return e
}

func (s *Survey) markError() error {
	return &pipeline.Error{Kind: pipeline.Drift, Problem: "the file is in another encoding than its card allows",
		Expected: s.names(), Found: "utf-8, marked so by its first bytes",
		Hint: "add utf-8 to the card, under encoding: any_of"}
}

// misfit is the error where no candidate fits.
func (s *Survey) misfit(candidates []*candidate) error {
	e := &pipeline.Error{Kind: pipeline.Drift, Problem: "the file fits no encoding that its card allows",
		Expected: "text in " + s.names(),
		Hint:     "open the file and see which encoding shows its words right; then add that to the card, under encoding: any_of"}
	var found []string
	for _, c := range candidates {
		found = append(found, c.name+": "+s.verdict(c))
	}
	if 2*s.doubled > s.foreign {
		e.Problem = "the text was encoded twice, so that expected words are missing or broken"
		e.Hint = "ask the publisher for the file as it was, or get it again"
	}
	found = append(found, "the file begins with: "+s.beginning(nil))
	e.Found = strings.Join(found, "\n")
	if len(s.words) > 0 {
		e.Expected += ", with the words " + quoteAll(s.words)
	}
	return e
}

func (s *Survey) wordsMissing(best *candidate) error {
	return &pipeline.Error{Kind: pipeline.Drift, Problem: "expected words are missing: none is in the file",
		Expected: "at least one of " + quoteAll(s.words),
		Found:    "read as " + best.name + ", the file begins with: " + s.beginning(best.Encoding),
		Hint:     "if the file is the right one, give words of it in the card, under encoding: expect"}
}

// beginning gives the first line with text in it.
func (s *Survey) beginning(encoding *Encoding) string {
	head := bytes.TrimSpace(bytes.TrimPrefix(s.head, utf8Mark))
	if end := bytes.IndexAny(head, "\r\n"); end >= 0 {
		head = head[:end]
	}
	if encoding != nil {
		head = encoding.AppendText(nil, head)
	}
	return Cut(string(head))
}

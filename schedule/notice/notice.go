// Package notice tells the operator what happened: once per event, in words
// for someone who is no expert, by mail and webhook.
//
// In come events (what happened, what it means, what to do, as sentences);
// out go messages. An event is kept in a file before anything is sent and
// until everything is, so that neither a crash nor a mail server that is down
// loses one.
//
// It never decides what is worth telling, and it never puts a password, the
// name of this machine or of a library into what it sends.
package notice

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tamiz/pipeline"
)

// About is what all notices of a run have in common.
type About struct {
	Pipeline  string            `json:"pipeline"`
	Title     map[string]string `json:"title,omitempty"` // of the pipeline, by language
	Period    string            `json:"period,omitempty"`
	Run       string            `json:"run,omitempty"`
	Latest    string            `json:"latest,omitempty"` // the edition that readers see; "" if there is none
	Synthetic bool              `json:"synthetic,omitempty"`
	At        time.Time         `json:"at"` // when it happened
}

// Act is something to do, and the command that does it, if one does.
type Act struct {
	Sentence pipeline.Sentence `json:"sentence"`
	Command  string            `json:"command,omitempty"` // a line to copy; it is said as it is
}

// Event is something that the operator is told of.
type Event struct {
	About
	ID      string              `json:"id"`     // equal for the same event, whoever sees it
	Kind    string              `json:"kind"`   // held, reminder, carried, left out, fetch problem, source good, failed, recovered, withdrawn
	Matter  pipeline.Sentence   `json:"matter"` // what the subject says
	What    []pipeline.Sentence `json:"what"`
	Means   []pipeline.Sentence `json:"means,omitempty"`
	Do      []Act               `json:"do,omitempty"`
	Details string              `json:"details,omitempty"` // technical, often English
}

// Letter is an event as it is sent.
type Letter struct {
	Event    Event
	Language string
	Subject  string // one line
	Text     string // lines of at most 72 characters, but for commands and details
}

// Sayer says sentences; words.Words does.
type Sayer interface {
	Say(language string, sentence pipeline.Sentence) string
}

const (
	textWidth  = 72
	mostRunes  = 20_000 // of the details
	mostInLine = 200    // of a subject
)

// Compose writes the letter of an event in a language.
func Compose(sayer Sayer, language string, event Event) Letter {
	c := &composer{say: func(s pipeline.Sentence) string { return clean(sayer.Say(language, s)) }}
	title := any(event.Title)
	if len(event.Title) == 0 {
		title = event.Pipeline
	}
	synthetic := ""
	if event.Synthetic {
		synthetic = "yes"
		c.paragraph("", c.say(pipeline.Sentence{Key: "synthetic"}))
		c.gap()
	}
	subject := c.say(pipeline.Sentence{Key: "subject", Values: map[string]any{"title": title, "matter": c.say(event.Matter), "synthetic": synthetic}})
	c.section(pipeline.Sentence{Key: "heading_happened"}, event.What)
	c.section(pipeline.Sentence{Key: "heading_means"}, append(event.Means[:len(event.Means):len(event.Means)], readers(event)))
	c.acts(event.Do)
	if event.Details != "" {
		c.line(c.say(pipeline.Sentence{Key: "heading_details"}))
		for line := range strings.SplitSeq(strings.TrimSpace(shorten(clean(event.Details), mostRunes)), "\n") {
			c.line(strings.TrimRight("  "+line, " "))
		}
		c.gap()
	}
	c.paragraph("", c.say(pipeline.Sentence{Key: "footer", Values: map[string]any{"pipeline": event.Pipeline, "run": event.Run}}))
	return Letter{Event: event, Language: language, Subject: shorten(strings.Join(strings.Fields(subject), " "), mostInLine), Text: c.text.String()}
}

// readers says which edition is public while all this happens.
func readers(event Event) pipeline.Sentence {
	if event.Latest == "" {
		return pipeline.Sentence{Key: "readers_see_none"}
	}
	if event.Kind == "held" || event.Kind == "reminder" || event.Kind == "failed" {
		return pipeline.Sentence{Key: "readers_still_see", Values: map[string]any{"latest": event.Latest}}
	}
	return pipeline.Sentence{Key: "readers_see", Values: map[string]any{"latest": event.Latest}}
}

type composer struct {
	say  func(pipeline.Sentence) string
	text strings.Builder
}

func (c *composer) line(text string) { c.text.WriteString(text + "\n") }

// gap leaves one empty line.
func (c *composer) gap() {
	if !strings.HasSuffix(c.text.String(), "\n\n") {
		c.line("")
	}
}

func (c *composer) section(heading pipeline.Sentence, sentences []pipeline.Sentence) {
	c.line(c.say(heading))
	for _, sentence := range sentences {
		c.paragraph("  ", c.say(sentence))
	}
	c.gap()
}

func (c *composer) acts(acts []Act) {
	if len(acts) == 0 {
		return
	}
	c.line(c.say(pipeline.Sentence{Key: "heading_do"}))
	hasCommand := false
	for _, act := range acts {
		mark := "  "
		if len(acts) > 1 {
			mark = "  * "
		}
		c.paragraph(mark, c.say(act.Sentence))
		if act.Command != "" {
			hasCommand = hasCommand || !strings.HasPrefix(act.Command, "/")
			c.gap()
			c.line("      " + strings.Join(strings.Fields(clean(act.Command)), " "))
			c.gap()
		}
	}
	if hasCommand {
		c.gap()
		c.paragraph("  ", c.say(pipeline.Sentence{Key: "commands_where"}))
	}
	c.gap()
}

// paragraph breaks a text into lines; those after the first hang under it. A
// word that is longer than a line stays whole.
func (c *composer) paragraph(mark, text string) {
	line, width := mark, utf8.RuneCountInString(mark)
	empty := true
	for _, word := range strings.Fields(text) {
		runes := utf8.RuneCountInString(word)
		if !empty && width+1+runes > textWidth {
			c.line(line)
			line, width, empty = strings.Repeat(" ", utf8.RuneCountInString(mark)), utf8.RuneCountInString(mark), true
		}
		if !empty {
			line += " "
			width++
		}
		line, width, empty = line+word, width+runes, false
	}
	c.line(line)
}

// clean makes any text safe to show: valid UTF-8 without control characters,
// which could move the cursor of a terminal or end a header.
func clean(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return ' '
		}
		return r
	}, text)
}

func shorten(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

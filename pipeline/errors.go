package pipeline

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says what someone must do differently about an error. It decides the
// exit code, whether a retry makes sense, and what a page says.
type Kind string

// The kinds of error.
const (
	Config     Kind = "config"      // a mistake in YAML, SQL or flags; exit 2
	SourceDown Kind = "source down" // the world does not answer
	Drift      Kind = "drift"       // a source changed its shape
	Failed     Kind = "check"       // data broke a promise
	Storage    Kind = "storage"     // disk or store refused
	Busy       Kind = "busy"        // another run holds the lock; exit 75
	Internal   Kind = "internal"    // everything else
)

// Error is the one error type for cases in which someone must act. Fields
// that are empty are not shown.
type Error struct {
	Kind     Kind
	Subject  string // the source, model or file that it is about
	Problem  string // what happened, one sentence
	Where    string // file, sheet, record, column; or path:line
	Expected string
	Found    string
	Effect   string // what it means for the result
	Hint     string // what to do
	Err      error
}

// Error tells what happened, where, what was expected, and what to do.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Subject != "" {
		b.WriteString(e.Subject + ": ")
	}
	b.WriteString(e.Problem)
	if e.Err != nil {
		if e.Problem != "" {
			b.WriteString(": ")
		}
		b.WriteString(e.Err.Error())
	}
	for _, line := range []struct{ label, text string }{
		{"where", e.Where}, {"expected", e.Expected}, {"found", e.Found}, {"effect", e.Effect}, {"to mend", e.Hint},
	} {
		if line.text != "" {
			text := strings.ReplaceAll(line.text, "\n", "\n            ")
			fmt.Fprintf(&b, "\n  %-9s %s", line.label, text)
		}
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf gives the kind of the first Error in the chain, Internal if none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

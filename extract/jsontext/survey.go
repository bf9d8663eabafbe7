package jsontext

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// survey reads all records for their columns.
func (t *Table) survey() error {
	for {
		err := t.read(func(int, []byte) error { return nil })
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// surveyArray reads a document that is the array of records.
func (t *Table) surveyArray(r io.ReaderAt, size, start int64) error {
	t.stream = newStream(r, size, start)
	if _, err := t.stream.token(); err != nil {
		return err
	}
	if err := t.survey(); err != nil {
		return err
	}
	return t.stream.end()
}

// surveyLines reads a document that is objects one after another. One object
// alone that holds arrays of objects is no record but wraps the table.
func (t *Table) surveyLines(r io.ReaderAt, size, start int64) error {
	wrap := &envelope{stream: newStream(r, size, start)}
	alone := false
	if _, err := wrap.stream.token(); err == nil && wrap.object("", 0) == nil {
		alone = wrap.stream.end() == nil
	}
	if alone && wrap.tables > 0 {
		return fmt.Errorf("the document is an object, no array of records: %s", wrap.advice())
	}
	t.stream = newStream(r, size, start)
	t.stream.lines = true
	err := t.survey()
	if errors.Is(err, errLong) && t.row == 1 && wrap.tables > 0 {
		return fmt.Errorf("%w; if the document is an object that holds the records: %s", err, wrap.advice())
	}
	return err
}

// surveyPath reads the array of records at a path, and all that is around it.
// It gives the byte at which the array begins.
func (t *Table) surveyPath(r io.ReaderAt, size, start int64, path string) (int64, error) {
	t.stream = newStream(r, size, start)
	from := int64(-1)
	wrap := &envelope{stream: t.stream, path: path, records: func(at int64) error {
		from = at
		return t.survey()
	}}
	if _, err := t.stream.token(); err != nil {
		return 0, err
	}
	if err := wrap.object("", 0); err != nil {
		return 0, err
	}
	if err := t.stream.end(); err != nil {
		return 0, err
	}
	if from < 0 {
		return 0, fmt.Errorf("there is no %q in the document: %s", path, wrap.advice())
	}
	return from, nil
}

// namesLimit is how many arrays a message names.
const namesLimit = 5

// envelope is the object around the records.
type envelope struct {
	stream  *stream
	path    string               // of the records; "" where there are none to read
	records func(at int64) error // reads them, to the end of their array
	found   bool
	tables  int      // arrays of objects that are not at the path
	names   []string // the paths of the first of these, and of empty arrays
}

// object reads an object after its brace.
func (e *envelope) object(prefix string, depth int) error {
	for {
		key, err := e.stream.token()
		if err != nil {
			return err
		}
		name, ok := key.(string)
		if !ok {
			return nil // its end
		}
		if depth > 0 {
			name = prefix + "." + name
		}
		value, err := e.stream.token()
		if err != nil {
			return err
		}
		if err := e.member(name, depth, value); err != nil {
			return err
		}
	}
}

// member reads what is left of a member after the first token of its value.
func (e *envelope) member(name string, depth int, value json.Token) error {
	known := len(name) <= TitleLimit && depth < DepthLimit
	switch {
	case known && e.path != "" && name == e.path:
		at := e.stream.at() - 1
		if e.found {
			return fmt.Errorf("at byte %d: there are two members %q in the document", at, name)
		}
		if value != json.Delim('[') {
			return fmt.Errorf("at byte %d: the member %q is no array", at, name)
		}
		e.found = true
		return e.records(at)
	case value == json.Delim('{') && known:
		return e.object(name, depth+1)
	case value == json.Delim('{'):
		return e.stream.skip(1)
	case value != json.Delim('['):
		return nil
	}
	first, err := e.stream.token()
	if err != nil {
		return err
	}
	open := 1
	switch first {
	case json.Delim(']'):
		open = 0
	case json.Delim('['), json.Delim('{'):
		open = 2
	}
	if first == json.Delim('{') {
		e.tables++
	}
	if known && len(e.names) < namesLimit && (first == json.Delim('{') || open == 0) {
		e.names = append(e.names, name)
	}
	return e.stream.skip(open)
}

// bareText is what YAML reads as text without quotes.
var bareText = regexp.MustCompile(`^\pL[\pL\pN_./-]*$`)

// advice names the arrays that could hold the records.
func (e *envelope) advice() string {
	if len(e.names) == 0 {
		return "it holds no array of records"
	}
	var quoted, lines []string
	for _, name := range e.names {
		quoted = append(quoted, strconv.Quote(name))
		if !bareText.MatchString(name) || slices.Contains([]string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}, strings.ToLower(name)) {
			name = strconv.Quote(name)
		}
		lines = append(lines, "path: "+name)
	}
	return fmt.Sprintf("it holds arrays under %s: say on the card which one is meant: %s", strings.Join(quoted, ", "), strings.Join(lines, " or "))
}

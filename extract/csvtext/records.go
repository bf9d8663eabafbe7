package csvtext

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Limits of one record. What is larger is no table but a lost quote.
const (
	FieldLimit  = 1 << 20 // bytes
	RecordLimit = 8 << 20 // bytes
	FieldsLimit = 1 << 14
)

// Fault is a place in a file that is no sound record.
type Fault struct {
	Line    int64 // physical line, from 1
	Problem string
	Raw     []byte // how the record begins, undecoded
}

// Error tells the line and what is wrong there.
func (f *Fault) Error() string { return fmt.Sprintf("line %s: %s", Count(f.Line), f.Problem) }

// Record is one record of a file. Its slices hold until the next one is read.
type Record struct {
	Fields [][]byte // undecoded, without their quotes
	Raw    []byte   // as it stands in the file, without its line end
	Line   int64    // physical line on which it begins, from 1
}

// LineEnds counts the line ends outside of quotes.
type LineEnds struct{ LF, CRLF, CR int64 }

// String names the kinds that occur.
func (l LineEnds) String() string {
	var kinds []string
	for _, kind := range []struct {
		name  string
		count int64
	}{{"LF", l.LF}, {"CRLF", l.CRLF}, {"CR", l.CR}} {
		if kind.count > 0 {
			kinds = append(kinds, kind.name)
		}
	}
	if len(kinds) == 0 {
		return "none"
	}
	return strings.Join(kinds, " and ")
}

// Records splits a file into records. A record ends with LF, CRLF or CR; a
// field that begins with a quote ends with one and may hold separators, line
// ends (which become LF) and doubled quotes. A quote elsewhere is text. Lines
// that are empty or blank are no records.
type Records struct {
	source     io.Reader
	separator  byte
	stops      [256]bool // separator and line ends
	buffer     []byte
	begin, end int   // what of the buffer is not split yet
	base       int64 // bytes of the source before the buffer
	final      bool  // the source has ended
	line       int64 // of the next record
	lineEnds   LineEnds
	fields     [][]byte
	spare      []byte // fields that differ from their raw bytes
}

// errMore says that the record goes on beyond the buffer.
var errMore = errors.New("more bytes wanted")

// NewRecords begins to split. The separator is one byte of ASCII.
func NewRecords(source io.Reader, separator string) (*Records, error) {
	if len(separator) != 1 || strings.ContainsAny(separator, "\"\r\n") || separator[0] >= 0x80 {
		return nil, fmt.Errorf("separator %q: want one character such as , ; or a tab", separator)
	}
	r := &Records{source: source, separator: separator[0], line: 1, buffer: make([]byte, 64<<10)}
	for _, stop := range []byte{separator[0], '\r', '\n'} {
		r.stops[stop] = true
	}
	return r, nil
}

// LineEnds tells which line ends have been seen.
func (r *Records) LineEnds() LineEnds { return r.lineEnds }

// SkipLines passes over physical lines, whatever quotes they hold.
func (r *Records) SkipLines(n int) error {
	for n > 0 {
		rest := r.buffer[r.begin:r.end]
		at := bytes.IndexAny(rest, "\r\n")
		size, more := 0, at < 0
		if at >= 0 {
			size, more = r.lineEnd(rest[at:])
		}
		switch {
		case !more:
			r.begin += at + size
			r.line++
			n--
		case r.final:
			r.begin = r.end
			return io.EOF
		default:
			if err := r.fill(); err != nil {
				return err
			}
		}
	}
	return nil
}

// Next gives the next record, io.EOF after the last one, or a [Fault].
func (r *Records) Next() (Record, error) {
	for {
		if r.begin == r.end && r.final {
			return Record{}, io.EOF
		}
		size, lines, err := r.split(r.buffer[r.begin:r.end])
		if errors.Is(err, errMore) {
			if err := r.fill(); err != nil {
				return Record{}, err
			}
			continue
		}
		if err != nil {
			return Record{}, err
		}
		record := Record{Fields: r.fields, Line: r.line,
			Raw: bytes.TrimRight(r.buffer[r.begin:r.begin+size], "\r\n")}
		r.begin += size
		r.line += lines
		if len(record.Fields) > 1 || len(bytes.Trim(record.Raw, " \t")) > 0 {
			return record, nil
		}
	}
}

// split takes one record from the beginning of data into r.fields. It tells
// its size and how many physical lines end in it.
func (r *Records) split(data []byte) (size int, lines int64, err error) {
	r.fields, r.spare = r.fields[:0], r.spare[:0]
	for at := 0; ; {
		var field []byte
		next := at
		if at < len(data) && data[at] == '"' {
			var inside int64
			if field, next, inside, err = r.quoted(data, at, lines); err != nil {
				return 0, 0, err
			}
			lines += inside
		} else {
			for next < len(data) && !r.stops[data[next]] {
				next++
			}
			field = data[at:next]
		}
		if len(field) > FieldLimit {
			return 0, 0, r.fault(lines, data, "a field is longer than %s bytes", Count(FieldLimit))
		}
		if len(r.fields) == FieldsLimit {
			return 0, 0, r.fault(lines, data, "a record has more than %s fields", Count(FieldsLimit))
		}
		r.fields = append(r.fields, field)
		if next < len(data) && data[next] == r.separator {
			at = next + 1
			continue
		}
		end, more := r.lineEnd(data[next:])
		if more && !r.final {
			return 0, 0, errMore
		}
		r.note(data[next : next+end])
		return next + end, lines + 1, nil
	}
}

// lineEnd tells the size of the line end at the beginning of data, or that
// more bytes are wanted to know it.
func (r *Records) lineEnd(data []byte) (size int, more bool) {
	switch {
	case len(data) == 0:
		return 0, true
	case data[0] == '\n':
		return 1, false
	case len(data) == 1:
		return 1, !r.final
	case data[1] == '\n':
		return 2, false
	}
	return 1, false
}

func (r *Records) note(end []byte) {
	switch string(end) {
	case "\n":
		r.lineEnds.LF++
	case "\r\n":
		r.lineEnds.CRLF++
	case "\r":
		r.lineEnds.CR++
	}
}

// quoted takes the field whose opening quote is data[at]. It gives the text
// between the quotes, the place behind it, and how many line ends are inside.
func (r *Records) quoted(data []byte, at int, lines int64) (field []byte, next int, inside int64, err error) {
	doubled, end := false, at+1
	for {
		i := bytes.IndexByte(data[end:], '"')
		if i < 0 || end+i+1 == len(data) && !r.final {
			if r.final || len(data)-at > 2*FieldLimit {
				return nil, 0, 0, r.fault(lines, data, "a quote opens here and is never closed")
			}
			return nil, 0, 0, errMore
		}
		if end += i; end+1 == len(data) || data[end+1] != '"' {
			break
		}
		doubled = true
		end += 2
	}
	next = end + 1
	for next < len(data) && data[next] == ' ' && r.separator != ' ' { // `"text" ,`
		next++
	}
	if next < len(data) && !r.stops[data[next]] {
		return nil, 0, 0, r.fault(lines, data, "text follows a closing quote (a quote inside of quotes must be doubled)")
	}
	field = data[at+1 : end]
	if doubled || next > end+1 || bytes.IndexByte(field, '\r') >= 0 {
		field = r.clean(field, data[end+1:next])
	}
	return field, next, int64(bytes.Count(field, []byte{'\n'})), nil
}

// clean copies a field with its doubled quotes halved, its line ends turned
// into LF, and the blanks that followed its closing quote.
func (r *Records) clean(field, blanks []byte) []byte {
	from := len(r.spare)
	for i := 0; i < len(field); i++ {
		switch {
		case field[i] == '"':
			i++ // the second of a pair
			r.spare = append(r.spare, '"')
		case field[i] == '\r':
			if i+1 < len(field) && field[i+1] == '\n' {
				i++
			}
			r.spare = append(r.spare, '\n')
		default:
			r.spare = append(r.spare, field[i])
		}
	}
	r.spare = append(r.spare, blanks...)
	return r.spare[from:len(r.spare):len(r.spare)]
}

func (r *Records) fault(lines int64, data []byte, problem string, args ...any) error {
	return &Fault{Line: r.line + lines, Problem: fmt.Sprintf(problem, args...), Raw: bytes.Clone(data[:min(len(data), 1000)])}
}

// fill reads on, behind what is not split yet.
func (r *Records) fill() error {
	if r.begin > 0 {
		r.end = copy(r.buffer, r.buffer[r.begin:r.end])
		r.base += int64(r.begin)
		r.begin = 0
	}
	if r.end == len(r.buffer) {
		if len(r.buffer) >= RecordLimit {
			return r.fault(0, r.buffer, "a record is longer than %s bytes", Count(RecordLimit))
		}
		r.buffer = append(r.buffer, make([]byte, len(r.buffer))...)
	}
	n, err := io.ReadFull(r.source, r.buffer[r.end:])
	r.end += n
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		r.final = true
	case err != nil:
		return fmt.Errorf("read the raw file: %w", err)
	}
	return nil
}

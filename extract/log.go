package extract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"tamiz/pipeline"
)

// Observation is what was seen of one source at one time: its whole set of
// files, or why they could not be seen or used. It is one line of the [Log].
type Observation struct {
	Source     string         `json:"source"`
	ObservedAt time.Time      `json:"observed_at"`
	How        string         `json:"how"`
	By         string         `json:"by,omitempty"`    // who put the files into the inbox
	Files      []ObservedFile `json:"files,omitempty"` // sorted by digest, each digest once
	Fault      *Fault         `json:"fault,omitempty"`
}

// Fault is why a source, or a new version of it, cannot be used.
type Fault struct {
	Problem string `json:"problem"` // one line
	Message string `json:"message"` // all that the operator was told
}

// ObservedFile is one file of an observation.
type ObservedFile struct {
	Name         string            `json:"name"` // without its folder
	Digest       pipeline.Digest   `json:"digest"`
	Bytes        int64             `json:"bytes"`
	Beside       []pipeline.Beside `json:"beside,omitempty"`
	URL          string            `json:"url,omitempty"`  // that was asked for
	From         string            `json:"from,omitempty"` // that answered, if another
	ETag         string            `json:"etag,omitempty"`
	LastModified string            `json:"last_modified,omitempty"`
}

// How the files of an observation came in.
const (
	HowFolder = "folder" // a folder is where the source lives
	HowInbox  = "inbox"  // a person put them there, in place of a download
	HowHTTP   = "http"
	HowMirror = "mirror"
)

func (f *ObservedFile) identity() pipeline.Digest { return pipeline.Identity(f.Digest, f.Beside) }

// same reports whether two observations hold the same bytes, whatever the
// files are called.
func (o *Observation) same(other *Observation) bool {
	return slices.EqualFunc(o.Files, other.Files, func(a, b ObservedFile) bool { return a.identity() == b.identity() })
}

// sameDoors reports whether the addresses and validators are the same, too.
func (o *Observation) sameDoors(other *Observation) bool {
	return o.same(other) && slices.EqualFunc(o.Files, other.Files, func(a, b ObservedFile) bool {
		return a.URL == b.URL && a.ETag == b.ETag && a.LastModified == b.LastModified
	})
}

// Pins turns an observation into what a run stands on.
func (o *Observation) Pins() []pipeline.Pin {
	pins := make([]pipeline.Pin, len(o.Files))
	for i, file := range o.Files {
		pins[i] = pipeline.Pin{Digest: file.Digest, Name: file.Name, Bytes: file.Bytes, ObservedAt: o.ObservedAt, Beside: file.Beside}
	}
	return pins
}

// Log is the append-only list of observations: a file of JSON lines. Only one
// process may append at a time; the lock of the run sees to that.
type Log struct {
	path         string
	now          func() time.Time
	observations []Observation
}

// OpenLog reads a log; one that is not there yet is empty. A last line that
// was torn by a crash is passed over. Nothing is written before [Log.Append].
func OpenLog(path string, now func() time.Time) (*Log, error) {
	log := &Log{path: path, now: now}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, storageError("read the log of observations", err)
	}
	for number := 1; len(text) > 0; number++ {
		line, rest, whole := bytes.Cut(text, []byte{'\n'})
		text = rest
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var observation Observation
		if err := json.Unmarshal(line, &observation); err != nil {
			if !whole {
				break
			}
			return nil, &pipeline.Error{Kind: pipeline.Storage, Problem: "the log of observations is damaged",
				Where: fmt.Sprintf("%s:%d", path, number), Err: err,
				Hint: "restore the file from a copy, or delete that line: its source is then observed anew"}
		}
		log.observations = append(log.observations, observation)
	}
	return log, nil
}

// Last gives the latest observation of a source in which its files were seen.
func (l *Log) Last(source string) (Observation, bool) {
	return l.latest(source, func(o Observation) bool { return o.Fault == nil })
}

// LastFault gives the latest fault of a source, if there was one.
func (l *Log) LastFault(source string) (Observation, bool) {
	return l.latest(source, func(o Observation) bool { return o.Fault != nil })
}

// Failing tells since when a source cannot be used, if it cannot. A new
// version that is refused does not end a failing: one that is used does.
func (l *Log) Failing(source string) (since time.Time, failing bool) {
	for i := len(l.observations) - 1; i >= 0; i-- {
		o := &l.observations[i]
		switch {
		case o.Source != source:
		case o.Fault != nil:
			since, failing = o.ObservedAt, true
		case !failing:
			return since, false
		case l.refusedAfter(i):
		default:
			return since, true
		}
	}
	return since, failing
}

// refusedAfter reports whether the version of a line was refused: the next
// line of its source is a fault that names its files.
func (l *Log) refusedAfter(i int) bool {
	for _, o := range l.observations[i+1:] {
		if o.Source == l.observations[i].Source {
			return o.Fault != nil && len(o.Files) > 0 && o.same(&l.observations[i])
		}
	}
	return false
}

// Versions gives all good versions of a source in the order in which they
// were observed, each with its day (UTC). A version that came back stands
// there again.
func (l *Log) Versions(source string) []pipeline.Vintage {
	var versions []pipeline.Vintage
	for i := range l.observations {
		o := &l.observations[i]
		if o.Source == source && o.Fault == nil && len(o.Files) > 0 && !l.refusedAfter(i) {
			versions = append(versions, pipeline.Vintage{AsOf: o.ObservedAt.UTC().Format(pipeline.DateLayout), Files: o.Pins()})
		}
	}
	return versions
}

// superseded reports whether these files were seen before, and something else
// since then.
func (l *Log) superseded(source string, files []ObservedFile) bool {
	wanted := Observation{Source: source, Files: files}
	seen := false
	for i := range l.observations {
		o := &l.observations[i]
		if o.Source == source && o.Fault == nil {
			if o.same(&wanted) {
				seen = true
			} else if seen {
				return true
			}
		}
	}
	return false
}

func (l *Log) latest(source string, fits func(Observation) bool) (Observation, bool) {
	for i := len(l.observations) - 1; i >= 0; i-- {
		if l.observations[i].Source == source && fits(l.observations[i]) {
			return l.observations[i], true
		}
	}
	return Observation{}, false
}

// Append notes what was seen of a source now, and gives the observation to go
// by: the last one where the bytes are still the same, for then nothing is
// written.
func (l *Log) Append(observation Observation) (Observation, error) {
	observation, isNew := l.weigh(observation)
	if !isNew {
		return observation, nil
	}
	return observation, l.append(observation)
}

// NoteFault notes that a source, or the version of it in files, cannot be
// used; the same fault is noted once.
func (l *Log) NoteFault(source string, refused []pipeline.Pin, fault error) error {
	observation := Observation{Source: source, ObservedAt: l.time(), How: "fault", Fault: &Fault{Problem: problemOf(fault), Message: fault.Error()}}
	for _, pin := range refused {
		observation.Files = append(observation.Files, ObservedFile{Name: pin.Name, Digest: pin.Digest, Bytes: pin.Bytes, Beside: pin.Beside})
	}
	for i := len(l.observations) - 1; i >= 0; i-- {
		if o := &l.observations[i]; o.Source == source {
			if o.Fault != nil && *o.Fault == *observation.Fault && o.same(&observation) {
				return nil
			}
			break
		}
	}
	return l.append(observation)
}

// NoteGood notes that a source that failed can be used again.
func (l *Log) NoteGood(source string) error {
	if _, failing := l.Failing(source); !failing {
		return nil
	}
	last, ok := l.Last(source)
	if !ok {
		return nil
	}
	last.ObservedAt = l.time()
	return l.append(last)
}

// problemOf is the first line of what an error says about a source.
func problemOf(err error) string {
	var e *pipeline.Error
	if errors.As(err, &e) && e.Problem != "" {
		return e.Problem
	}
	line, _, _ := bytes.Cut([]byte(err.Error()), []byte{'\n'})
	return string(line)
}

func (l *Log) time() time.Time { return l.now().UTC().Truncate(time.Second) }

func (l *Log) append(observation Observation) error {
	line, err := json.Marshal(observation)
	if err != nil {
		return fmt.Errorf("write an observation: %w", err)
	}
	if err := l.write(append(line, '\n')); err != nil {
		return storageError("append to the log of observations", err)
	}
	l.observations = append(l.observations, observation)
	return nil
}

// weigh completes the observation that Append would note, and tells whether it
// is a new one. Today's names stay on it even if its bytes are the last ones.
func (l *Log) weigh(observation Observation) (Observation, bool) {
	observation.ObservedAt = l.time()
	last, known := l.Last(observation.Source)
	if known && last.same(&observation) {
		observation.ObservedAt = last.ObservedAt
		return observation, !last.sameDoors(&observation)
	}
	return observation, true
}

// write appends one line and waits until it is on disk. What a crash left of
// an earlier line is ended or cut off first.
func (l *Log) write(line []byte) error {
	if err := os.MkdirAll(filepath.Dir(l.path), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(l.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	text, err := os.ReadFile(l.path)
	if err != nil {
		return err
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	if torn := text[whole:]; json.Valid(torn) {
		line = append([]byte{'\n'}, line...)
	} else if len(torn) > 0 {
		if err := file.Truncate(int64(whole)); err != nil {
			return err
		}
	}
	if _, err := file.Write(line); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	return syncDir(filepath.Dir(l.path))
}

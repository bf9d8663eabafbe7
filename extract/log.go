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
// files. It is one line of the [Log].
type Observation struct {
	Source     string         `json:"source"`
	ObservedAt time.Time      `json:"observed_at"`
	How        string         `json:"how"`
	Files      []ObservedFile `json:"files"` // sorted by digest, each digest once
}

// ObservedFile is one file of an observation.
type ObservedFile struct {
	Name   string          `json:"name"` // without its folder
	Digest pipeline.Digest `json:"digest"`
	Bytes  int64           `json:"bytes"`
}

// HowFolder is how a file was seen: in a folder.
const HowFolder = "folder"

// same reports whether two observations hold the same bytes, whatever the
// files are called.
func (o *Observation) same(other *Observation) bool {
	return slices.EqualFunc(o.Files, other.Files, func(a, b ObservedFile) bool { return a.Digest == b.Digest })
}

// pins turns an observation into what a run stands on.
func (o *Observation) pins() []pipeline.Pin {
	pins := make([]pipeline.Pin, len(o.Files))
	for i, file := range o.Files {
		pins[i] = pipeline.Pin{Digest: file.Digest, Name: file.Name, Bytes: file.Bytes, ObservedAt: o.ObservedAt}
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

// Last gives the latest observation of a source, if there is one.
func (l *Log) Last(source string) (Observation, bool) {
	return l.latest(source, func(Observation) bool { return true })
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
func (l *Log) Append(source, how string, files []ObservedFile) (Observation, error) {
	observation, isNew := l.weigh(source, how, files)
	if !isNew {
		return observation, nil
	}
	line, err := json.Marshal(observation)
	if err != nil {
		return Observation{}, fmt.Errorf("write an observation: %w", err)
	}
	if err := l.write(append(line, '\n')); err != nil {
		return Observation{}, storageError("append to the log of observations", err)
	}
	l.observations = append(l.observations, observation)
	return observation, nil
}

// weigh builds the observation that Append would note, and tells whether it is
// a new one. Today's names stay on it even if its bytes are the last ones.
func (l *Log) weigh(source, how string, files []ObservedFile) (Observation, bool) {
	observation := Observation{Source: source, ObservedAt: l.now().UTC().Truncate(time.Second), How: how, Files: files}
	last, known := l.Last(source)
	if known && last.same(&observation) {
		observation.ObservedAt = last.ObservedAt
		return observation, false
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

package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"time"

	"tamiz/pipeline"
)

// Entry is one record of a [Log]. It is never changed and never removed: what
// is to be taken back is said in a further record.
type Entry struct {
	Sequence   int64             `json:"sequence"`    // from 1, without a gap
	Previous   pipeline.Digest   `json:"previous"`    // SHA-256 of the record before it; "" for the first
	RecordedAt time.Time         `json:"recorded_at"` // by the clock of who added it
	Values     map[string]string `json:"values"`      // column → text; an empty one is left out
}

// Log is an append-only list of records in a store, one object a record:
// <pipeline>/logs/<log>/0000000001.json. A number is taken by a put on
// condition that nobody has it, so that no writer can lose a rival's record;
// each record names the digest of the one before it, so that none can be
// changed unseen.
type Log struct {
	store  Store
	prefix string
	name   string
}

// NewLog names a log; it comes to be with its first record.
func NewLog(store Store, pipelineName, name string) *Log {
	return newLog(store, pipelineName, "logs", name)
}

func newLog(store Store, pipelineName, folder, name string) *Log {
	return &Log{store: store, prefix: path.Join(pipelineName, folder, name) + "/", name: name}
}

func (l *Log) key(sequence int64) string { return fmt.Sprintf("%s%010d.json", l.prefix, sequence) }

// Append adds a record with the next free number and gives it. Compose says what
// the record of that number holds; it is called again when a rival was faster.
// Where it gives nil, nothing is added.
func (l *Log) Append(ctx context.Context, recordedAt time.Time, compose func(sequence int64) map[string]string) (Entry, error) {
	for ctx.Err() == nil {
		last, digest, err := l.last(ctx)
		if err != nil {
			return Entry{}, err
		}
		entry := Entry{Sequence: last + 1, Previous: digest, RecordedAt: recordedAt.UTC(), Values: compose(last + 1)}
		if entry.Values == nil {
			return Entry{}, nil
		}
		text, err := entry.text()
		if err != nil {
			return Entry{}, err
		}
		key := l.key(entry.Sequence)
		_, err = l.store.Put(ctx, key, bytes.NewReader(text), Condition{Absent: true})
		if err == nil {
			return entry, nil
		}
		if errors.Is(err, ErrConflict) {
			continue
		}
		if there, _, getErr := read(ctx, l.store, key); getErr == nil && bytes.Equal(there, text) {
			return entry, nil // it was written before the store failed
		}
		return Entry{}, &pipeline.Error{Kind: pipeline.Storage, Subject: l.name, Problem: "the record could not be added to the log", Err: err}
	}
	return Entry{}, ctx.Err()
}

// last gives the number and the digest of the last record, 0 and "" if there
// is none.
func (l *Log) last(ctx context.Context) (int64, pipeline.Digest, error) {
	objects, err := l.store.List(ctx, l.prefix)
	if err != nil || len(objects) == 0 {
		return 0, "", err
	}
	number := int64(len(objects))
	if objects[number-1].Key != l.key(number) {
		return 0, "", l.damaged(objects[number-1].Key, "record number "+fmt.Sprint(number), objects[number-1].Key)
	}
	text, _, err := read(ctx, l.store, l.key(number))
	return number, digestOf(text), err
}

// text is the record as it is stored: one line.
func (e Entry) text() ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(e); err != nil {
		return nil, fmt.Errorf("write a record of a log: %w", err)
	}
	return b.Bytes(), nil
}

// Read gives all records in their order, after it has followed their chain. A
// record that is missing or was changed is an error of kind Drift.
func (l *Log) Read(ctx context.Context) ([]Entry, error) {
	objects, err := l.store.List(ctx, l.prefix)
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, len(objects))
	previous := pipeline.Digest("")
	for i, object := range objects {
		text, _, err := read(ctx, l.store, object.Key)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &entries[i]); err != nil {
			return nil, l.damaged(object.Key, "a record as JSON", err.Error())
		}
		entry := entries[i]
		again, err := entry.text()
		if err != nil {
			return nil, err
		}
		switch {
		case object.Key != l.key(int64(i)+1), entry.Sequence != int64(i)+1:
			return nil, l.damaged(object.Key, fmt.Sprintf("record %d", i+1), fmt.Sprintf("record %d", entry.Sequence))
		case entry.Previous != previous:
			return nil, l.damaged(object.Key, "sha256 "+string(entry.Previous)+" of the record before it", "sha256 "+string(previous))
		case !bytes.Equal(again, text):
			return nil, l.damaged(object.Key, "the record as it was written", "other text")
		}
		previous = digestOf(text)
	}
	return entries, nil
}

func (l *Log) damaged(where, expected, found string) error {
	return &pipeline.Error{Kind: pipeline.Drift, Subject: l.name, Problem: "the log is damaged: a record is missing or was changed",
		Where: where, Expected: expected, Found: found, Hint: "restore the records from a copy of the store; a log is never edited"}
}

// WritePrefix writes records as one JSON array, a line each: the form in which
// a run pins the log as far as it went. The array of a longer log begins with
// the same bytes, but for [PrefixEnd].
func WritePrefix(w io.Writer, entries []Entry) error {
	var b bytes.Buffer
	before := "[\n"
	for _, entry := range entries {
		text, err := entry.text()
		if err != nil {
			return err
		}
		b.WriteString(before)
		b.Write(bytes.TrimSuffix(text, []byte("\n")))
		before = ",\n"
	}
	b.WriteString(PrefixEnd)
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write the records of a log: %w", err)
	}
	return nil
}

// PrefixEnd closes the array that WritePrefix writes.
const PrefixEnd = "\n]\n"

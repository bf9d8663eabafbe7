package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"tamiz/load"
	"tamiz/pipeline"
)

// withPrefix reads a log of the store as far as it goes, and hands it on as a
// source whose folder holds that prefix as one file, so that a log is pinned,
// archived and read as any file is. A log without records is an empty folder.
func (s *session) withPrefix(ctx context.Context, source *pipeline.Source, use func(pipeline.Source) error) error {
	entries, err := load.NewLog(s.store, s.p.Name, source.Name).Read(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tamiz-log-")
	if err != nil {
		return &pipeline.Error{Kind: pipeline.Storage, Problem: "make a folder for the records of a log", Err: err}
	}
	defer os.RemoveAll(dir)
	if len(entries) > 0 {
		var b bytes.Buffer
		if err := load.WritePrefix(&b, entries); err != nil {
			return err
		}
		if err := s.goesOn(source, b.Bytes()); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d.json", source.Name, len(entries))), b.Bytes(), 0o600); err != nil {
			return &pipeline.Error{Kind: pipeline.Storage, Problem: "write the records of a log", Err: err}
		}
	}
	prefix := *source
	prefix.Folder = filepath.Join(dir, source.Name+"-*.json")
	return use(prefix)
}

// goesOn wants a log to begin with what was pinned of it before: its chain
// shows a record that was changed, but not a log that was written anew.
func (s *session) goesOn(source *pipeline.Source, prefix []byte) error {
	last, known := s.log.Last(source.Name)
	if !known || len(last.Files) != 1 {
		return nil
	}
	path, err := s.archive.Path(last.Files[0].Digest)
	if err != nil {
		return nil // its bytes are gone: there is nothing to compare with
	}
	before, err := os.ReadFile(path)
	if err != nil {
		return &pipeline.Error{Kind: pipeline.Storage, Problem: "read the records that were pinned before", Err: err}
	}
	if bytes.HasPrefix(prefix, bytes.TrimSuffix(before, []byte(load.PrefixEnd))) {
		return nil
	}
	return &pipeline.Error{Kind: pipeline.Drift, Subject: source.Name, Problem: "the log does not go on from the records that were pinned before",
		Where: "the log " + source.Name + " in the store", Expected: "the records of " + last.Files[0].Name + ", and then more", Found: "other records, or fewer",
		Hint: "restore the records from a copy of the store; a log is never edited"}
}

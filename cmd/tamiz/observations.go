package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"tamiz/extract"
	"tamiz/load"
	"tamiz/pipeline"
)

// The log of observations is kept in the store as well as in the warehouse, so
// that any machine that shares the store, or starts anew, knows what was seen.
// Only who holds the lock of the pipeline writes it.

func (s *session) observationsKey() string { return path.Join(s.p.Name, "observations.jsonl") }

func (s *session) observationsFile() string {
	return filepath.Join(s.project.Warehouse, s.p.Name, "observations.jsonl")
}

// takeObservations brings the warehouse's log up to the store's. Where each
// has lines that the other lacks, the store's counts: what this machine alone
// has seen, it will see again.
func (s *session) takeObservations(ctx context.Context) error {
	theirs, _, err := s.storedObservations(ctx)
	if err != nil {
		return err
	}
	ours, err := os.ReadFile(s.observationsFile())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &pipeline.Error{Kind: pipeline.Storage, Problem: "read the log of observations", Err: err}
	}
	if !bytes.HasPrefix(ours, theirs) {
		if err := pipeline.WriteFile(s.observationsFile(), theirs); err != nil {
			return err
		}
	}
	s.log, err = extract.OpenLog(s.observationsFile(), s.now)
	return err
}

// giveObservations writes the warehouse's log to the store.
func (s *session) giveObservations(ctx context.Context) error {
	ours, err := os.ReadFile(s.observationsFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return &pipeline.Error{Kind: pipeline.Storage, Problem: "read the log of observations", Err: err}
	}
	theirs, version, err := s.storedObservations(ctx)
	if err != nil || bytes.Equal(ours, theirs) {
		return err
	}
	_, err = s.store.Put(ctx, s.observationsKey(), bytes.NewReader(ours), load.Condition{Absent: version == "", Match: version})
	return err
}

func (s *session) storedObservations(ctx context.Context) ([]byte, load.Version, error) {
	content, version, err := s.store.Get(ctx, s.observationsKey())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	defer content.Close()
	text, err := io.ReadAll(content)
	if err != nil {
		return nil, "", fmt.Errorf("read the log of observations in the store: %w", err)
	}
	return text, version, nil
}

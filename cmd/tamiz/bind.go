package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"tamiz/pipeline"
	"tamiz/transform"
)

// The artifact of binding is what reading all SQL tells; which columns are made
// from which is in a file of its own, for it is large and seldom wanted.
const (
	bindFile    = "binding.json"
	columnsFile = "columns.json"
)

// bind binds a pipeline's SQL. Binding is a step like the others: pure, and
// kept under its fingerprint, so that an unchanged pipeline is not bound anew.
func bind(ctx context.Context, w *pipeline.Warehouse, p *pipeline.Pipeline, engine string) (*pipeline.Binding, error) {
	fingerprint := bindFingerprint(p, engine)
	if sound, err := w.Verify(fingerprint); err != nil {
		return nil, err
	} else if sound {
		text, err := os.ReadFile(filepath.Join(w.ArtifactDir(fingerprint), bindFile))
		binding := &pipeline.Binding{}
		if err == nil && json.Unmarshal(text, binding) == nil {
			binding.Apply(p)
			return binding, nil
		}
	}
	binding, err := transform.Bind(ctx, p)
	if err != nil {
		return nil, err
	}
	scratch, err := w.Scratch(pipeline.StepBind)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	for file, content := range map[string]any{bindFile: binding, columnsFile: binding.Lineage} {
		text, err := json.Marshal(content)
		if err != nil {
			return nil, fmt.Errorf("keep the binding: %w", err)
		}
		if err := pipeline.WriteFile(filepath.Join(scratch, file), text); err != nil {
			return nil, err
		}
	}
	return binding, w.Keep(scratch, &pipeline.Record{Kind: pipeline.StepBind, Table: p.Name, Fingerprint: fingerprint})
}

func bindFingerprint(p *pipeline.Pipeline, engine string) pipeline.Digest {
	return pipeline.DigestOf("bind with columns", engine, string(p.SourceText()))
}

// columns tells which columns are made from which. It is what binding found,
// just now or before.
func (s *session) columns() (pipeline.ColumnLineage, error) {
	if s.binding.Lineage == nil {
		file := filepath.Join(s.warehouse.ArtifactDir(bindFingerprint(s.p, s.engines[pipeline.StepGo])), columnsFile)
		text, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(text, &s.binding.Lineage)
		}
		if err != nil {
			return nil, &pipeline.Error{Kind: pipeline.Storage, Where: file, Problem: "what is known of the columns cannot be read", Err: err, Hint: "run again"}
		}
	}
	return s.binding.Lineage, nil
}

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

// bindFile is the artifact of binding: what reading all SQL tells.
const bindFile = "binding.json"

// bind binds a pipeline's SQL. Binding is a step like the others: pure, and
// kept under its fingerprint, so that an unchanged pipeline is not bound anew.
func bind(ctx context.Context, w *pipeline.Warehouse, p *pipeline.Pipeline, engine string) (*pipeline.Binding, error) {
	fingerprint := pipeline.DigestOf("bind", engine, string(p.SourceText()))
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
	text, err := json.Marshal(binding)
	if err != nil {
		return nil, fmt.Errorf("keep the binding: %w", err)
	}
	if err := pipeline.WriteFile(filepath.Join(scratch, bindFile), text); err != nil {
		return nil, err
	}
	return binding, w.Keep(scratch, &pipeline.Record{Kind: pipeline.StepBind, Table: p.Name, Fingerprint: fingerprint})
}

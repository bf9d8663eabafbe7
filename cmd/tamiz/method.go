package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"tamiz/config"
	"tamiz/load"
	"tamiz/pipeline"
)

// methodPath is where a pipeline's method stands in the project or, if it
// uses the configuration inside tamiz, would stand.
func methodPath(project *config.Project, p *pipeline.Pipeline) string {
	return relative(filepath.Join(project.Dir, "config", p.Name, load.MethodFile))
}

// projectFlag names the project in commands to type, if it is not here.
func projectFlag(project *config.Project) string {
	if dir := relative(project.Dir); dir != "." {
		return " --project " + dir
	}
	return ""
}

// checkMethod refuses a method that differs from one that some snapshot was
// published with under the same version, be it the latest or not: a version
// means one thing for ever.
func (s *session) checkMethod(ctx context.Context) error {
	snapshots, err := load.List(ctx, s.store, s.p.Name)
	if err != nil {
		return err
	}
	method := load.MethodOf(s.p)
	var used []string
	taken := ""
	for _, snapshot := range snapshots {
		used = append(used, snapshot.Method.Version)
		if snapshot.Method.Version == method.Version && !snapshot.Method.Same(method) {
			taken = snapshot.Snapshot
		}
	}
	if taken == "" {
		return nil
	}
	where := methodPath(s.project, s.p)
	hint := "raise version at the top of the file, then run again"
	if next := pipeline.NextVersion(method.Version, used); next != "" {
		hint = fmt.Sprintf("raise version at the top of the file, such as version: %s, then run again", next)
	}
	return &pipeline.Error{Kind: pipeline.Config, Where: where,
		Problem: "the method changed, but its version did not", Found: "version " + method.Version + ", already published with other values in " + taken,
		Effect: "nothing is run or published: readers could not tell the two methods apart",
		Hint:   hint + fmt.Sprintf("\nwhat it would change: %s diff %s --method %s%s", self(), taken, where, projectFlag(s.project))}
}

// methodOf gives the method that a snapshot was made with.
func methodOf(ctx context.Context, store load.Store, p *pipeline.Pipeline, snapshot *load.Snapshot) (config.Method, error) {
	text, err := load.ReadNote(ctx, store, p.Name, snapshot.Snapshot, load.MethodFile)
	if err == nil {
		return config.ParseMethod(snapshot.Snapshot+"/"+load.MethodFile, text)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return config.Method{}, err
	}
	if !load.MethodOf(p).Same(snapshot.Method) {
		return config.Method{}, &pipeline.Error{Kind: pipeline.Config, Subject: snapshot.Snapshot,
			Problem: "the snapshot holds no copy of its method, and the project's method is another one",
			Hint:    "compare with a newer snapshot: each holds its " + load.MethodFile}
	}
	return config.Method{Version: p.MethodVersion, Tables: p.MethodTables()}, nil
}

package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tamiz/config"
	"tamiz/lineage"
	"tamiz/load"
	"tamiz/pipeline"
	"tamiz/transform"
)

// findRaw looks for all raw bytes that the snapshot stands on, and reads them.
func (r *rebuilding) findRaw() error {
	for _, source := range r.snapshot.Sources {
		pins := slices.Clone(source.Files)
		for _, vintage := range source.Vintages {
			pins = append(pins, vintage.Files...)
		}
		for _, pin := range pins {
			for _, digest := range pin.Digests() {
				if r.raw[digest] != "" || r.lost[digest] {
					continue
				}
				finding, err := r.findOne(source, pin, digest)
				if err != nil {
					return err
				}
				if r.lost[digest] = finding != nil; finding != nil {
					r.report.Findings = append(r.report.Findings, *finding)
				}
			}
		}
	}
	return nil
}

// findOne finds one raw file; the finding says why it cannot be had.
func (r *rebuilding) findOne(source load.ManifestSource, pin pipeline.Pin, digest pipeline.Digest) (*lineage.RebuildFinding, error) {
	finding := &lineage.RebuildFinding{Kind: lineage.FindMissing, Subject: source.Name, Problem: "its raw file " + pin.Name + " is missing in the archive", Expected: "sha256 " + string(digest),
		Effect: "what stands on it cannot be rebuilt", Hint: "restore the archive from a copy of the store; the file was seen on " + pin.ObservedAt.UTC().Format(pipeline.DateLayout) + ", from " + cmp.Or(source.URL, "a log of the store") + " (" + source.Publisher + ")"}
	place, err := r.rawPlace(source, digest)
	if err == nil {
		var found pipeline.Digest
		if found, _, err = pipeline.HashFile(place); err == nil {
			if found == digest {
				r.raw[digest] = place
				return nil, nil
			}
			finding.Kind, finding.Problem, finding.Found = lineage.FindDamaged, "its raw file "+pin.Name+" is damaged in the archive", "sha256 "+string(found)
			return finding, nil
		}
	}
	switch {
	case r.ctx.Err() != nil:
		return nil, r.ctx.Err()
	case errors.Is(err, load.ErrDamaged), pipeline.KindOf(err) == pipeline.Storage:
		finding.Kind, finding.Problem, finding.Found = lineage.FindDamaged, "its raw file "+pin.Name+" cannot be read from the archive", err.Error()
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case source.Archive == "private":
		finding.Kind, finding.Problem = lineage.FindSealed, "it is private: its raw file "+pin.Name+" lies outside the store, with the operator"
		finding.Hint = "the operator can rebuild all, in the project's folder"
	}
	return finding, nil
}

// rawPlace says where raw bytes should lie: those of a private source in the
// warehouse of the project, if there is one.
func (r *rebuilding) rawPlace(source load.ManifestSource, digest pipeline.Digest) (string, error) {
	if raw, err := hex.DecodeString(string(digest)); err != nil || len(raw) != sha256.Size {
		return "", fmt.Errorf("%q is no SHA-256: %w", digest, fs.ErrNotExist)
	}
	at := path.Join("sha256", string(digest[:2]), string(digest))
	if source.Archive == "private" {
		if r.project.Warehouse == "" {
			return "", fs.ErrNotExist
		}
		return filepath.Join(r.project.Warehouse, r.snapshot.Pipeline, "private", filepath.FromSlash(at)), nil
	}
	return r.store.File(r.ctx, path.Join(r.snapshot.Pipeline, "archive", at), "")
}

// steps makes every mart that does not stand on lost bytes, and tells of the
// steps that were made.
func (r *rebuilding) steps() (pipeline.MadeSteps, error) {
	s := &session{project: r.project, warehouse: r.warehouse, now: time.Now}
	walk := s.walk(r.report.Workers)
	walk.RawPath = func(digest pipeline.Digest) (string, error) { return r.raw[digest], nil }
	progress := &bar{w: r.out, began: time.Now()}
	walk.Progress = progress.show
	targets := slices.DeleteFunc(r.plan.Marts(), func(step *pipeline.Step) bool { return r.broken[step] != nil })
	records, err := walk.Run(r.ctx, r.plan, targets, nil)
	if r.ctx.Err() != nil {
		return pipeline.MadeSteps{}, r.ctx.Err()
	}
	if pipeline.KindOf(err) == pipeline.Storage {
		return pipeline.MadeSteps{}, err
	}
	if err != nil {
		r.report.Findings = append(r.report.Findings, lineage.RebuildFinding{Kind: lineage.FindFailed, Subject: r.snapshot.Snapshot, Problem: "steps that ran when it was published do not run here", Found: err.Error()})
	}
	r.report.Steps = len(records)
	return r.warehouse.Made(slices.DeleteFunc(r.plan.Behind(targets), func(step *pipeline.Step) bool { return !r.warehouse.Has(step.Fingerprint) }))
}

// compare puts what came out beside what was published.
func (r *rebuilding) compare(made pipeline.MadeSteps) error {
	for _, table := range r.snapshot.Tables {
		file := lineage.RebuiltFile{File: table.File, Table: table.Name, Published: table.Digest}
		if steps := r.plan.Table("marts." + table.Name); len(steps) == 1 && r.broken[steps[0]] == nil && r.warehouse.Has(steps[0].Fingerprint) {
			if err := r.compareTable(&file, table, steps[0]); err != nil {
				return err
			}
		}
		r.report.Files = append(r.report.Files, file)
	}
	again, err := notes(r.p, made)
	if err != nil {
		return err
	}
	if r.report.Here.Tamiz == r.report.Published.Tamiz { // else another version may word them otherwise
		manifest := r.snapshot.Manifest
		described, err := describe(r.p, r.binding, r.recorded)(&manifest)
		if err != nil {
			return err
		}
		maps.Copy(again, described)
	}
	for _, published := range r.snapshot.Files {
		text, ok := again[published.File]
		if !ok || published.File == config.DefinitionFile || published.File == pipeline.MadeFile { // what is rebuilt from, and compared step by step
			continue
		}
		r.report.Files = append(r.report.Files, lineage.RebuiltFile{File: published.File, Published: published.Digest, Rebuilt: digestOfBytes(text)})
		if r.report.Into != "" {
			if err := pipeline.WriteFile(filepath.Join(r.dir, "snapshot", filepath.FromSlash(published.File)), text); err != nil {
				return err
			}
		}
	}
	return nil
}

// compareTable compares a mart and, where its bytes are others, its rows.
func (r *rebuilding) compareTable(file *lineage.RebuiltFile, table load.ManifestTable, step *pipeline.Step) error {
	record, err := r.warehouse.Record(step.Fingerprint)
	if err != nil {
		return err
	}
	place := filepath.Join(r.warehouse.ArtifactDir(step.Fingerprint), pipeline.TableFile)
	if r.report.Into != "" {
		if err := copyFile(place, filepath.Join(r.dir, "snapshot", filepath.FromSlash(table.File))); err != nil {
			return err
		}
	}
	file.Rebuilt, file.SameRows = record.Digests[pipeline.TableFile], record.RowDigest == table.RowDigest
	if file.Rebuilt == file.Published || file.SameRows {
		return nil
	}
	published, err := r.store.File(r.ctx, load.TableKey(r.snapshot.Pipeline, r.snapshot.Snapshot, table.File), table.Digest)
	if err == nil {
		var found pipeline.Digest
		if found, _, err = pipeline.HashFile(published); err == nil && found != table.Digest {
			err = load.ErrDamaged
		}
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, load.ErrDamaged) || pipeline.KindOf(err) == pipeline.Storage {
		return nil // there is nothing to compare values with; its digest differs all the same
	}
	if err != nil {
		return err
	}
	file.Difference, err = transform.CompareTables(r.ctx, r.project.Memory, table.Key, published, place, lineage.Tolerance)
	return err
}

func digestOfBytes(text []byte) pipeline.Digest {
	sum := sha256.Sum256(text)
	return pipeline.Digest(hex.EncodeToString(sum[:]))
}

// copyFile copies a file into a folder that it makes if need be.
func copyFile(from, to string) error {
	content, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("copy a file: %w", err)
	}
	defer content.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return &pipeline.Error{Kind: pipeline.Storage, Problem: "copy a rebuilt file", Err: err}
	}
	target, err := os.Create(to)
	if err != nil {
		return &pipeline.Error{Kind: pipeline.Storage, Problem: "copy a rebuilt file", Err: err}
	}
	_, err = io.Copy(target, content)
	if err = errors.Join(err, target.Close()); err != nil {
		return &pipeline.Error{Kind: pipeline.Storage, Problem: "copy a rebuilt file", Err: err}
	}
	return nil
}

// tellRebuild says what came of it: the digests, what stands against a proof,
// and what is proved.
func tellRebuild(w io.Writer, r *lineage.Rebuild) {
	fmt.Fprintf(w, "%s of %s, rebuilt from %s: %s, %s, %.1f s\n\n", r.Snapshot, r.Pipeline, relative(r.Store), plural(r.Steps, "step", "steps"), plural(r.Workers, "worker", "workers"), r.Seconds)
	if len(r.Files) > 0 {
		var rows [][]string
		for _, file := range r.Files {
			rows = append(rows, []string{"  " + file.File, file.Published.Short(), cmp.Or(file.Rebuilt.Short(), "-"), file.State()})
		}
		table(w, []string{"  file", "published", "rebuilt", ""}, rows)
		fmt.Fprintln(w)
	}
	for _, file := range r.Files {
		if file.Difference != nil {
			tellTableDifference(w, file.File, file.Difference)
		}
	}
	for _, one := range r.Findings {
		fmt.Fprintf(w, "%s  %s: %s\n", paint(w, red, one.Kind), one.Subject, one.Problem)
		for _, line := range []struct{ label, text string }{{"expected", one.Expected}, {"found", one.Found}, {"effect", one.Effect}, {"to mend", one.Hint}} {
			if line.text != "" {
				fmt.Fprintf(w, "  %-9s %s\n", line.label, strings.ReplaceAll(line.text, "\n", "\n            "))
			}
		}
	}
	for _, note := range r.Notes {
		fmt.Fprintf(w, "note  %s\n", note)
	}
	if r.Into != "" {
		fmt.Fprintf(w, "the rebuilt files lie in %s\n", relative(filepath.Join(r.Into, "snapshot")))
	}
	equal := 0
	for _, file := range r.Files {
		if file.Rebuilt == file.Published {
			equal++
		}
	}
	switch r.Proof {
	case lineage.ProofBytes:
		fmt.Fprintf(w, "%s: all %s are equal byte for byte (%s)\n", paint(w, green, "proved"), plural(equal, "file", "files"), platformText(r.Here))
	case lineage.ProofFigures:
		fmt.Fprintf(w, "%s: the figures are equal to %.0e, all else exactly; %d of %d files byte for byte\n  published on %s\n  rebuilt on   %s\n", paint(w, green, "proved"), lineage.Tolerance, equal, len(r.Files),
			platformText(r.Published), platformText(r.Here))
	case lineage.ProofPart:
		fmt.Fprintf(w, "%s: %d of %d files are equal byte for byte; the others cannot be rebuilt from this store\n", paint(w, yellow, "proved in part"), equal, len(r.Files))
	case lineage.ProofNone:
		fmt.Fprintf(w, "%s: %d of %d files are equal byte for byte\n", paint(w, red, "not proved"), equal, len(r.Files))
	}
}

func tellTableDifference(w io.Writer, file string, d *pipeline.TableDifference) {
	switch {
	case d.Shape != "":
		fmt.Fprintf(w, "  %s has other columns: %s\n", file, d.Shape)
	case d.IsNone():
		fmt.Fprintf(w, "  %s: no figure differs by more than %.1e\n", file, d.Largest)
	default:
		fmt.Fprintf(w, "  %s: %s only in the published one, %s only in the rebuilt one\n", file, plural(d.OnlyBefore, "row", "rows"), plural(d.OnlyAfter, "row", "rows"))
		for _, column := range d.Columns {
			fmt.Fprintf(w, "    %s differs in %s, first in %s: %s → %s\n", column.Column, plural(column.Rows, "row", "rows"), column.Key, shorten(column.Before), shorten(column.After))
		}
	}
}

// platformText names what figures can depend on.
func platformText(m lineage.Maker) string {
	return fmt.Sprintf("%s/%s, FMA %s, %s, %s, DuckDB %s", m.Platform["os"], m.Platform["arch"], m.Platform["fma"], m.Platform["libc"], m.Platform["go"], m.DuckDB)
}

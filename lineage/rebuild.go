package lineage

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tamiz/pipeline"
)

// Tolerance is how far figures that were computed on another platform may lie
// apart: of the larger one or, below 1, of 1.
const Tolerance = 1e-12

// ProofKind says what rebuilding a snapshot has proved.
type ProofKind string

// What rebuilding can prove.
const (
	ProofBytes   ProofKind = "bytes"   // every file is equal byte for byte
	ProofFigures ProofKind = "figures" // another platform or engine: texts are equal, figures to [Tolerance]
	ProofPart    ProofKind = "part"    // some raw bytes could not be had; what stands on the others is equal
	ProofNone    ProofKind = "none"    // something differs
)

// Rebuild tells what came of rebuilding a snapshot from what was recorded.
type Rebuild struct {
	Pipeline  string           `json:"pipeline"`
	Snapshot  string           `json:"snapshot"`
	Store     string           `json:"store"`
	Proof     ProofKind        `json:"proof"`
	Files     []RebuiltFile    `json:"files"`
	Findings  []RebuildFinding `json:"findings"` // in the order of the walk; none if all is equal
	Notes     []string         `json:"notes"`    // what is not the same and did not matter
	Published Maker            `json:"published_by"`
	Here      Maker            `json:"rebuilt_by"`
	Steps     int              `json:"steps_run"`
	Workers   int              `json:"workers"`
	Seconds   float64          `json:"seconds"`
	Into      string           `json:"into,omitempty"` // where the files lie now
}

// Maker is which program made something, and on which platform.
type Maker struct {
	Tamiz    string            `json:"tamiz"`
	DuckDB   string            `json:"duckdb"`
	Platform map[string]string `json:"platform"`
}

// RebuiltFile is one file of the snapshot, as it was published and as it came
// out again.
type RebuiltFile struct {
	File       string                    `json:"file"`
	Table      string                    `json:"table,omitempty"` // "": it is no table
	Published  pipeline.Digest           `json:"published"`
	Rebuilt    pipeline.Digest           `json:"rebuilt,omitempty"`   // "": it could not be rebuilt
	SameRows   bool                      `json:"same_rows,omitempty"` // of a table: its row digest is equal
	Difference *pipeline.TableDifference `json:"difference,omitempty"`
}

// State says in words how the two compare.
func (f *RebuiltFile) State() string {
	switch {
	case f.Rebuilt == "":
		return "not rebuilt"
	case f.Rebuilt == f.Published:
		return "equal"
	case f.SameRows:
		return "equal rows, other bytes"
	case f.Difference != nil && f.Difference.IsNone():
		return fmt.Sprintf("figures equal to %.0e", Tolerance)
	}
	return "DIFFERS"
}

func (f *RebuiltFile) isClose() bool {
	return f.Rebuilt == f.Published || f.Rebuilt != "" && (f.SameRows || f.Difference != nil && f.Difference.IsNone())
}

// RebuildFinding is something that stands against a proof.
type RebuildFinding struct {
	Kind     string `json:"kind"`    // one of the kinds below
	Subject  string `json:"subject"` // step, source or file
	Problem  string `json:"problem"`
	Expected string `json:"expected,omitempty"`
	Found    string `json:"found,omitempty"`
	Effect   string `json:"effect,omitempty"`
	Hint     string `json:"hint,omitempty"`
}

// The kinds of findings.
const (
	FindDamaged    = "damaged"    // bytes are not what their digest says
	FindMissing    = "missing"    // raw bytes that the store should hold
	FindSealed     = "sealed"     // raw bytes of a private source, which no store holds
	FindDefinition = "definition" // a step is not what the run recorded
	FindFailed     = "failed"     // a step does not run here
	FindBytes      = "bytes"      // a step gave other bytes
)

// Broken finds the steps that cannot be run for want of raw bytes, and for
// each the sources that it stands on and that are lost.
func Broken(plan *pipeline.Plan, lost map[pipeline.Digest]bool) map[*pipeline.Step][]string {
	broken := map[*pipeline.Step][]string{}
	for _, step := range plan.Steps {
		sources := map[string]bool{}
		if step.Kind == pipeline.StepRead {
			for _, digest := range (pipeline.Pin{Digest: step.Raw, Beside: step.Beside}).Digests() {
				if lost[digest] {
					sources[step.Source.Name] = true
				}
			}
		}
		for _, input := range step.Inputs {
			for _, parent := range input.Steps {
				for _, source := range broken[parent] {
					sources[source] = true
				}
			}
		}
		if len(sources) > 0 {
			broken[step] = slices.Sorted(maps.Keys(sources))
		}
	}
	return broken
}

// partNames says in words what a part of a fingerprint is.
var partNames = map[string]string{
	"program": "its program (the SQL, or which method)", "parameters": "its key, its rule of rows or a macro", "texts": "its descriptions",
	"card": "how its source is read (the card)", "file": "the raw file", "engine": "what runs it (Tamiz, Go or DuckDB)",
}

// OtherSteps compares what a run recorded of its steps with the steps of a
// plan. The finding is the first step that is another one by itself, not only
// by its inputs; nil if there is none. Engines counts those that another
// version of Tamiz, Go or DuckDB runs here, which is no difference by itself.
func OtherSteps(recorded []pipeline.MadeStep, planned []*pipeline.Step) (first *RebuildFinding, engines int) {
	known := map[string]pipeline.MadeStep{}
	for _, made := range recorded {
		known[made.Step] = made
	}
	for _, step := range planned {
		made, ok := known[step.Label]
		delete(known, step.Label)
		if ok && made.Parts["engine"] != step.Parts["engine"] {
			engines++
		}
		if first != nil {
			continue
		}
		switch parts := otherParts(made.Parts, step.Parts); {
		case !ok:
			first = &RebuildFinding{Kind: FindDefinition, Subject: step.Label, Problem: "the definition has a step that the run did not have"}
		case len(parts) > 0:
			first = &RebuildFinding{Kind: FindDefinition, Subject: step.Label, Problem: "the definition is not what was run: the first step that differs is this one, by " + strings.Join(parts, ", ")}
		}
	}
	if first == nil && len(known) > 0 {
		first = &RebuildFinding{Kind: FindDefinition, Subject: slices.Sorted(maps.Keys(known))[0], Problem: "the run had a step that the definition does not have"}
	}
	return first, engines
}

// otherParts names the parts of a fingerprint that are a step's own and differ,
// and inputs that one side lacks. What differs in an input is told there.
func otherParts(recorded, planned map[string]pipeline.Digest) []string {
	names := maps.Clone(recorded)
	if names == nil {
		names = map[string]pipeline.Digest{}
	}
	maps.Copy(names, planned)
	var other []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		before, after := recorded[name], planned[name]
		isInput := strings.Contains(name, ".")
		switch {
		case name == "engine" || before == after, isInput && before != "" && after != "":
		case isInput:
			other = append(other, "which tables it reads ("+name+")")
		default:
			other = append(other, partNames[name])
		}
	}
	return other
}

// OtherBytes finds the first step whose result has other bytes than the run
// recorded, nil if there is none. What was not made again is passed over.
func OtherBytes(recorded, made []pipeline.MadeStep) *RebuildFinding {
	known := map[string]pipeline.MadeStep{}
	for _, one := range recorded {
		known[one.Step] = one
	}
	for _, one := range made {
		before, ok := known[one.Step]
		if !ok {
			continue
		}
		for _, file := range slices.Sorted(maps.Keys(before.Digests)) {
			if one.Digests[file] == before.Digests[file] {
				continue
			}
			finding := &RebuildFinding{Kind: FindBytes, Subject: one.Step, Problem: "it is the first step whose result (" + file + ") has other bytes",
				Expected: fmt.Sprintf("sha256 %s, %d rows", before.Digests[file], before.Rows), Found: fmt.Sprintf("sha256 %s, %d rows", one.Digests[file], one.Rows)}
			if before.Parts["engine"] != one.Parts["engine"] {
				finding.Problem += "; another version of Tamiz, Go or DuckDB runs it here"
			}
			return finding
		}
	}
	return nil
}

// Judge says what is proved. Engines is how many steps another version runs
// here; first is the first step with other bytes, nil if there is none.
func (r *Rebuild) Judge(engines int, first *RebuildFinding) {
	isEqualPlatform := engines == 0 && r.Published.DuckDB == r.Here.DuckDB && maps.Equal(r.Published.Platform, r.Here.Platform)
	if engines > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("another version of Tamiz, Go or DuckDB runs %d of the steps here", engines))
	}
	r.Notes = append(r.Notes, r.otherPlatform()...)
	isEqual, isClose, isWhole, tables, other := true, true, true, 0, ""
	for i := range r.Files {
		file := &r.Files[i]
		if file.Rebuilt == "" {
			isWhole = false
			continue
		}
		if file.Table != "" {
			tables++
		}
		if file.Rebuilt != file.Published {
			isEqual, other = false, cmp.Or(other, file.File)
		}
		isClose = isClose && file.isClose()
	}
	if !isEqual && (isEqualPlatform || !isClose) {
		if first == nil {
			first = &RebuildFinding{Kind: FindBytes, Subject: other, Problem: "every step gave the bytes that the run recorded, but the manifest names others for this file"}
		}
		r.Findings = append(r.Findings, *first)
	}
	isContradicted := slices.ContainsFunc(r.Findings, func(f RebuildFinding) bool {
		return f.Kind == FindDefinition || f.Kind == FindFailed
	})
	switch {
	case tables == 0 || isContradicted || !isClose || !isEqual && isEqualPlatform:
		r.Proof = ProofNone
	case !isWhole || len(r.Findings) > 0:
		r.Proof = ProofPart
	case !isEqual:
		r.Proof = ProofFigures
	default:
		r.Proof = ProofBytes
	}
}

// IsProved reports whether the whole snapshot came out again.
func (r *Rebuild) IsProved() bool { return r.Proof == ProofBytes || r.Proof == ProofFigures }

// otherPlatform tells in what the two makers differ.
func (r *Rebuild) otherPlatform() []string {
	var list []string
	add := func(name, before, after string) {
		if before != after {
			list = append(list, fmt.Sprintf("%s: published by %s, rebuilt by %s", name, before, after))
		}
	}
	add("Tamiz", r.Published.Tamiz, r.Here.Tamiz)
	add("DuckDB", r.Published.DuckDB, r.Here.DuckDB)
	names := maps.Clone(r.Published.Platform)
	if names == nil {
		names = map[string]string{}
	}
	maps.Copy(names, r.Here.Platform)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		add(name, r.Published.Platform[name], r.Here.Platform[name])
	}
	return list
}

package lineage_test

import (
	"strings"
	"testing"

	"tamiz/lineage"
	"tamiz/pipeline"
)

// chainPlan is raw.a → staging.a → marts.a, and raw.b → marts.b.
func chainPlan() *pipeline.Plan {
	read := func(name string) *pipeline.Step {
		return &pipeline.Step{Kind: pipeline.StepRead, Table: "raw." + name, Label: "raw." + name, Raw: pipeline.Digest("file " + name), Source: &pipeline.Source{Name: name},
			Parts: map[string]pipeline.Digest{"file": "f", "card": "c", "engine": "e"}}
	}
	model := func(table string, parent *pipeline.Step) *pipeline.Step {
		return &pipeline.Step{Kind: pipeline.StepModel, Table: table, Label: table, Inputs: []pipeline.StepInput{{Table: parent.Table, Steps: []*pipeline.Step{parent}}},
			Parts: map[string]pipeline.Digest{"program": "p", "parameters": "q", "engine": "e", parent.Table: "i"}}
	}
	rawA, rawB := read("a"), read("b")
	staging := model("staging.a", rawA)
	return &pipeline.Plan{Steps: []*pipeline.Step{rawA, rawB, staging, model("marts.a", staging), model("marts.b", rawB)}}
}

func made(plan *pipeline.Plan) []pipeline.MadeStep {
	var list []pipeline.MadeStep
	for _, step := range plan.Steps {
		parts := map[string]pipeline.Digest{}
		for name, digest := range step.Parts {
			parts[name] = digest
		}
		list = append(list, pipeline.MadeStep{Step: step.Label, Kind: step.Kind, Parts: parts, Digests: map[string]pipeline.Digest{pipeline.TableFile: "bytes"}})
	}
	return list
}

func TestBroken_WhatStandsOnLostBytesAndNothingElse(t *testing.T) {
	plan := chainPlan()
	broken := lineage.Broken(plan, map[pipeline.Digest]bool{"file a": true})
	var names []string
	for _, step := range plan.Steps {
		if len(broken[step]) > 0 {
			names = append(names, step.Label+" for want of "+strings.Join(broken[step], ","))
		}
	}
	if got, want := strings.Join(names, "; "), "raw.a for want of a; staging.a for want of a; marts.a for want of a"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestOtherSteps_NamesTheFirstThatDiffersByItself(t *testing.T) {
	for _, c := range []struct {
		name, subject, problem string
		engines                int
		change                 func(recorded []pipeline.MadeStep) []pipeline.MadeStep
	}{
		{"nothing", "", "", 0, func(r []pipeline.MadeStep) []pipeline.MadeStep { return r }},
		{"an input alone is told where it differs", "", "", 0, func(r []pipeline.MadeStep) []pipeline.MadeStep { r[3].Parts["staging.a"] = "x"; return r }},
		{"another engine", "", "", 1, func(r []pipeline.MadeStep) []pipeline.MadeStep { r[0].Parts["engine"] = "x"; return r }},
		{"sql", "staging.a", "its program", 0, func(r []pipeline.MadeStep) []pipeline.MadeStep {
			r[2].Parts["program"], r[3].Parts["staging.a"], r[4].Parts["program"] = "x", "x", "x"
			return r
		}},
		{"card and file", "raw.b", "how its source is read (the card), the raw file", 0, func(r []pipeline.MadeStep) []pipeline.MadeStep {
			r[1].Parts["card"], r[1].Parts["file"] = "x", "x"
			return r
		}},
		{"other inputs", "marts.b", "which tables it reads (raw.c)", 0, func(r []pipeline.MadeStep) []pipeline.MadeStep { r[4].Parts["raw.c"] = "x"; return r }},
		{"a step more", "marts.b", "a step that the run did not have", 0, func(r []pipeline.MadeStep) []pipeline.MadeStep { return r[:4] }},
		{"a step less", "marts.c", "a step that the definition does not have", 0, func(r []pipeline.MadeStep) []pipeline.MadeStep {
			return append(r, pipeline.MadeStep{Step: "marts.c"})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := chainPlan()
			first, engines := lineage.OtherSteps(c.change(made(plan)), plan.Steps)
			switch {
			case engines != c.engines:
				t.Errorf("%d other engines, want %d", engines, c.engines)
			case first == nil && c.subject != "":
				t.Error("nothing was found")
			case first != nil && (first.Subject != c.subject || !strings.Contains(first.Problem, c.problem) || c.subject == ""):
				t.Errorf("%s: %s", first.Subject, first.Problem)
			}
		})
	}
}

func TestOtherBytes_NamesTheFirst(t *testing.T) {
	plan := chainPlan()
	recorded, again := made(plan), made(plan)
	if finding := lineage.OtherBytes(recorded, again); finding != nil {
		t.Error(finding)
	}
	again[3].Digests[pipeline.TableFile], again[2].Digests[pipeline.TableFile] = "x", "x"
	if finding := lineage.OtherBytes(recorded, again); finding == nil || finding.Subject != "staging.a" || strings.Contains(finding.Problem, "version") {
		t.Errorf("%+v", finding)
	}
	again[2].Parts["engine"] = "x"
	if finding := lineage.OtherBytes(recorded, again[2:]); finding == nil || !strings.Contains(finding.Problem, "another version") {
		t.Errorf("%+v", finding)
	}
}

func TestJudge_SaysWhatIsProved(t *testing.T) {
	equal := lineage.RebuiltFile{File: "a", Table: "a", Published: "x", Rebuilt: "x"}
	rows := lineage.RebuiltFile{File: "b", Table: "b", Published: "x", Rebuilt: "y", SameRows: true}
	figures := lineage.RebuiltFile{File: "c", Table: "c", Published: "x", Rebuilt: "y", Difference: &pipeline.TableDifference{Largest: 1e-15}}
	other := lineage.RebuiltFile{File: "d", Table: "d", Published: "x", Rebuilt: "y", Difference: &pipeline.TableDifference{OnlyAfter: 1}}
	unread := lineage.RebuiltFile{File: "e", Table: "e", Published: "x", Rebuilt: "y"} // the published one is damaged
	note := lineage.RebuiltFile{File: "g", Published: "x", Rebuilt: "x"}               // no table: it proves little
	lost := lineage.RebuiltFile{File: "f", Table: "f", Published: "x"}
	here, elsewhere := map[string]string{"arch": "amd64"}, map[string]string{"arch": "arm64"}
	first := &lineage.RebuildFinding{Kind: lineage.FindBytes, Subject: "staging.a"}
	for _, c := range []struct {
		name     string
		files    []lineage.RebuiltFile
		platform map[string]string
		engines  int
		found    []lineage.RebuildFinding
		proof    lineage.ProofKind
		findings int
	}{
		{"all equal", []lineage.RebuiltFile{equal, equal}, here, 0, nil, lineage.ProofBytes, 0},
		{"all equal elsewhere", []lineage.RebuiltFile{equal}, elsewhere, 3, nil, lineage.ProofBytes, 0},
		{"figures elsewhere", []lineage.RebuiltFile{equal, rows, figures}, elsewhere, 0, nil, lineage.ProofFigures, 0},
		{"rows with another engine", []lineage.RebuiltFile{rows}, here, 1, nil, lineage.ProofFigures, 0},
		{"rows on an equal platform break the promise", []lineage.RebuiltFile{equal, rows}, here, 0, nil, lineage.ProofNone, 1},
		{"other rows elsewhere", []lineage.RebuiltFile{figures, other}, elsewhere, 0, nil, lineage.ProofNone, 1},
		{"nothing to compare with", []lineage.RebuiltFile{equal, unread}, elsewhere, 0, nil, lineage.ProofNone, 1},
		{"sealed", []lineage.RebuiltFile{equal, lost}, here, 0, []lineage.RebuildFinding{{Kind: lineage.FindSealed}}, lineage.ProofPart, 1},
		{"all sealed", []lineage.RebuiltFile{lost, lost, note}, here, 0, []lineage.RebuildFinding{{Kind: lineage.FindSealed}}, lineage.ProofNone, 1},
		{"a lost file that no mart stands on", []lineage.RebuiltFile{equal}, here, 0, []lineage.RebuildFinding{{Kind: lineage.FindMissing}}, lineage.ProofPart, 1},
		{"another definition with equal bytes", []lineage.RebuiltFile{equal}, here, 0, []lineage.RebuildFinding{{Kind: lineage.FindDefinition}}, lineage.ProofNone, 1},
		{"nothing was tried", nil, here, 0, []lineage.RebuildFinding{{Kind: lineage.FindDamaged}}, lineage.ProofNone, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := lineage.Rebuild{Files: c.files, Findings: c.found, Published: lineage.Maker{Platform: here}, Here: lineage.Maker{Platform: c.platform}}
			r.Judge(c.engines, first)
			if r.Proof != c.proof || len(r.Findings) != c.findings || r.IsProved() != (c.proof == lineage.ProofBytes || c.proof == lineage.ProofFigures) {
				t.Errorf("proof %s with %d findings, want %s with %d", r.Proof, len(r.Findings), c.proof, c.findings)
			}
			if hasNotes := len(r.Notes) > 0; hasNotes != (c.engines > 0 || c.platform["arch"] == "arm64") {
				t.Errorf("notes: %v", r.Notes)
			}
		})
	}
}

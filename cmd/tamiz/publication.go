package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"tamiz/config"
	"tamiz/load"
	"tamiz/pipeline"
)

// publication gathers what a snapshot is made of.
func (r *runState) publication() (load.Publication, error) {
	m := load.Manifest{
		Pipeline: r.p.Name, PeriodEnd: r.pins.PeriodEnd, AsOf: r.pins.AsOf, Synthetic: r.pins.Synthetic,
		Method: load.MethodOf(r.p),
		Checks: load.ManifestChecks{Passed: r.passed, Warnings: r.warnings},
		Engine: load.Engine{Tamiz: versionText(), DuckDB: r.duckDB, Platform: r.record.Platform},
	}
	for _, one := range r.failures { // a person let them pass, or else nothing would be published
		m.Checks.Approved = append(m.Checks.Approved, one.CheckResult)
	}
	for _, source := range r.p.Sources {
		archive := "public"
		if source.Private {
			archive = "private"
		}
		m.Sources = append(m.Sources, load.ManifestSource{Name: source.Name, Title: source.Title, Publisher: source.Publisher,
			Licence: source.Licence, Citation: source.Citation, URL: source.URL, Archive: archive, Files: r.pins.Sources[source.Name],
			Vintages: r.pins.Vintages[source.Name]})
	}
	publication := load.Publication{Files: map[string]string{}}
	for _, mart := range r.p.Marts() {
		step := r.graph.Table(mart.Name)[0]
		sound, err := r.warehouse.Verify(step.Fingerprint)
		if err != nil {
			return publication, err
		}
		if !sound {
			return publication, &pipeline.Error{Kind: pipeline.Storage, Subject: mart.Name, Problem: "its file was damaged after it was made",
				Effect: "nothing is published", Hint: "run again: it is computed anew; look at the disk if this happens twice"}
		}
		record, err := r.warehouse.Record(step.Fingerprint)
		if err != nil {
			return publication, err
		}
		file := "data/" + mart.Base() + ".parquet"
		path := filepath.Join(r.warehouse.ArtifactDir(step.Fingerprint), pipeline.TableFile)
		m.Tables = append(m.Tables, load.ManifestTable{Name: mart.Base(), Description: mart.Description, File: file,
			Digest: record.Digests[pipeline.TableFile], Bytes: fileSize(path), Rows: record.Rows, Key: mart.Key, RowDigest: record.RowDigest, Fingerprint: step.Fingerprint})
		publication.Files[file] = path
	}
	publication.Manifest = m
	made, err := r.made()
	if err != nil {
		return publication, err
	}
	if publication.Notes, err = notes(r.p, made); err != nil {
		return publication, err
	}
	if _, err := r.columns(); err != nil {
		return publication, err
	}
	publication.Describe = describe(r.p, r.binding, made)
	if publication.Trust, err = trusted(r.project, r.p.Name); err != nil {
		return publication, err
	}
	publication.Sign, err = signingKey(r.project)
	return publication, err
}

// made tells of the steps that the marts stand on. A result that only others
// stand on may be gone by now: it is made again, so that equal runs tell the
// same.
func (r *runState) made() (pipeline.MadeSteps, error) {
	behind := r.graph.Behind(r.graph.Marts())
	if _, err := r.session.walk(r.record.Workers).Run(r.ctx, r.graph, behind, nil); err != nil {
		return pipeline.MadeSteps{}, err
	}
	return r.warehouse.Made(behind)
}

// notes are the files of a snapshot that rebuild its marts.
func notes(p *pipeline.Pipeline, made pipeline.MadeSteps) (map[string][]byte, error) {
	definition, err := config.Pack(p)
	if err != nil {
		return nil, err
	}
	steps, err := json.MarshalIndent(made, "", " ")
	if err != nil {
		return nil, fmt.Errorf("write what is told of the steps: %w", err)
	}
	return map[string][]byte{load.MethodFile: p.MethodText, config.DefinitionFile: definition, pipeline.MadeFile: append(steps, '\n')}, nil
}

// tell ends a run in plain words.
func (r *runState) tell(flags string, failure error) {
	w := r.out
	title := fmt.Sprintf("tamiz %s · pipeline %s · project %s", version, r.p.Name, relative(r.project.Dir))
	if r.pins.Synthetic {
		title += " · synthetic data"
	}
	if r.record.Verdict == pipeline.NothingNew && len(r.ran) == 0 {
		fmt.Fprintf(w, "nothing new since %s (%s checked, %.1f s)\n", r.record.Snapshot, plural(len(r.p.Sources), "source", "sources"), r.record.FinishedAt.Sub(r.record.StartedAt).Seconds())
		r.tellSources(true)
		return
	}
	fmt.Fprintf(w, "%s\n\n", title)
	if r.graph != nil {
		files := 0
		for _, pins := range r.pins.Sources {
			files += len(pins)
		}
		fmt.Fprintf(w, "  sources   %-50s %5.1f s\n", fmt.Sprintf("%s, %s new or changed", plural(files, "file", "files"), plural(r.changed, "source", "sources")), r.lookTime.Seconds())
		fmt.Fprintf(w, "  steps     %-50s %5.1f s\n", fmt.Sprintf("%s planned, %s run", count(len(r.graph.Steps)+r.gates), count(len(r.ran))), r.stepTime.Seconds())
	}
	r.tellSources(false)
	if failure != nil {
		fmt.Fprintf(w, "\n  %s: nothing public moved\n", paint(w, red, "failed"))
		return
	}
	if r.record.Verdict == pipeline.Partial {
		fmt.Fprintf(w, "\n  %s: %s\n", r.record.Verdict, r.record.Reason)
		return
	}
	questions := 0
	for _, one := range r.failures {
		if one.question != nil {
			questions++
		}
	}
	asked := ""
	if questions > 0 {
		asked = ", " + plural(questions, "question", "questions")
	}
	fmt.Fprintf(w, "  checks    %s passed, %s, %s%s\n\n", count(r.passed), plural(len(r.warnings), "warning", "warnings"), plural(len(r.failures)-questions, "error", "errors"), asked)
	r.tellVerdict(flags)
}

// tellSources names the sources that cannot be used, and what is done instead:
// with all that the operator has to know or, if nothing has happened since the
// last run, in one line.
func (r *runState) tellSources(short bool) {
	told := false
	defer func() {
		if told {
			fmt.Fprintln(r.out)
		}
	}()
	for _, source := range r.record.Sources {
		word := map[string]string{sourceCarried: "carried", sourceLeftOut: "left out", sourceDead: "dead"}[source.State]
		switch {
		case word == "" && !short && len(source.Notes) > 0 && (strings.HasPrefix(source.Notes[0], "came from") || strings.HasPrefix(source.Notes[0], "taken from")):
			fmt.Fprintf(r.out, "  noted     %s: %s\n", source.Source, source.Notes[0])
		case word == "":
		case short:
			fmt.Fprintf(r.out, "  %s  %s: %s; %s\n", paint(r.out, yellow, word), source.Source, source.Problem, source.Effect)
		default:
			told = true
			fmt.Fprintf(r.out, "\n  %s  %s\n", paint(r.out, yellow, word), strings.ReplaceAll(source.Message, "\n", "\n  "))
		}
	}
}

func (r *runState) tellVerdict(flags string) {
	w := r.out
	switch r.record.Verdict {
	case pipeline.Held:
		r.tellHolds(flags)
		return
	case pipeline.NothingNew:
		fmt.Fprintf(w, "  nothing new: every table holds the same rows as in %s\n", r.record.Snapshot)
	case pipeline.Published:
		rows, bytes := int64(0), int64(0)
		for _, table := range r.published.Tables {
			rows, bytes = rows+table.Rows, bytes+table.Bytes
		}
		fmt.Fprintf(w, "  %s %s   %s, %s rows, %s   %s\n\n", paint(w, green, "published"), r.record.Snapshot, plural(len(r.published.Tables), "mart", "marts"),
			count(rows), size(bytes), storeName(r.project, r.p.Name))
	}
	lines, err := r.summary()
	if err != nil {
		lines = []string{"(the summary could not be made: " + firstLine(err) + ")"}
	}
	for _, line := range lines {
		fmt.Fprintf(w, "  %s\n", wrap(line, 96, "    "))
	}
	for _, check := range r.warnings {
		r.tellCheck(paint(w, yellow, "warning"), check)
	}
	if r.unsent != "" {
		fmt.Fprintf(w, "  %s\n", r.unsent)
	}
	if r.record.Verdict == pipeline.Published {
		fmt.Fprintf(w, "\nNext:\n")
		for _, next := range nextCommands(r.p, flags) {
			fmt.Fprintf(w, "  %s\n", next)
		}
	}
}

// tellHolds says why the run waits, and which one decision is to be taken.
func (r *runState) tellHolds(flags string) {
	w := r.out
	for _, one := range r.failures {
		word := paint(w, red, "error")
		if one.question != nil {
			word = paint(w, yellow, "question")
		}
		r.tellCheck(word, one.CheckResult)
	}
	for _, hold := range r.record.Holds {
		switch hold.Kind {
		case pipeline.HoldDamaged, pipeline.HoldWithdrawn, pipeline.HoldSchema:
			fmt.Fprintf(w, "  %s  %s\n", paint(w, yellow, "question"), strings.ReplaceAll(hold.Details, "\n", "\n  "))
		}
	}
	for _, cause := range r.record.Causes {
		fmt.Fprintf(w, "  %s\n", r.causeText(cause))
	}
	fmt.Fprintf(w, "\n  %s: %s Readers still see %s.\n", paint(w, red, "held"), r.record.Reason, latestName(r.latest))
	fmt.Fprintf(w, "  All offending rows: %s runs %s%s\n", self(), r.record.ID, flags)
	for _, line := range whatToDecide(r.record, flags) {
		fmt.Fprintf(w, "  %s\n", line)
	}
}

func (r *runState) tellCheck(word string, check pipeline.CheckResult) {
	fmt.Fprintf(r.out, "  %s  %s: %s in %s of %s rows\n", word, check.Table, check.Name, count(check.Failing), count(check.Rows))
	if len(check.Sample) > 0 {
		fmt.Fprintf(r.out, "           e.g. %.160s\n", check.Sample[0])
	}
}

func latestName(latest *load.Snapshot) string {
	if latest == nil {
		return "nothing yet"
	}
	return latest.Snapshot
}

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tamiz/config"
	"tamiz/extract"
	"tamiz/lineage"
	"tamiz/load"
	"tamiz/pipeline"
	"tamiz/transform"
)

// whyFlags are what why can be asked for.
type whyFlags struct {
	column, snapshot, html string
	full, deep             bool
}

// mostFollowed is how large a group of rows may be whose own rows are followed
// without --full.
const mostFollowed = 30

func newWhy(o *options) *cobra.Command {
	f := &whyFlags{}
	command := &cobra.Command{
		Use:   "why PIPELINE [MART [KEY…]]",
		Short: "why a published row says what it says, down to the raw records, and the proof",
		Long: `Show how one row of a mart came about: the rows that make it, the rows that make
those, and at the end the records of the raw files, each with its publisher,
licence, address, time of retrieval, SHA-256 and place in the file, and as it
stands there. Every step on the way is run again on the traced rows alone, and
every record is read again from the archive: all must come out identical.
Raw files are first compared with their SHA-256. Where in a large text file a
record begins, the run that read it has noted (warehouse, places.json); what is
not found there, and everything with --deep, is counted from the file's beginning.
KEY is the key of the row, in the order of the mart's key columns. Without a key,
or without a mart, why lists what there is.
Records of private sources are masked: letters and digits are hidden.
Exit codes: 0 proved; 2 no such row; 3 something came out different.`,
		Example: `  tamiz why mx
  tamiz why mx coverage 14 PRIMARY
  tamiz why mx coverage 14 PRIMARY --column schools_count
  tamiz why mx coverage 14 PRIMARY --full --html why.html
  tamiz why mx coverage 14 PRIMARY --deep -o json`,
		Args: args(cobra.MinimumNArgs(1)),
		RunE: func(command *cobra.Command, arguments []string) error { return why(command, o, f, arguments) },
	}
	flags := command.Flags()
	flags.StringVar(&f.column, "column", "", "one column: what it does not need is left out")
	flags.StringVar(&f.snapshot, "snapshot", "", "another snapshot than the latest, such as 2026-11-29.1")
	flags.BoolVar(&f.full, "full", false, "show every step with all columns, and follow every row")
	flags.BoolVar(&f.deep, "deep", false, "also run in full the steps that need whole tables, and compare; count raw records from the beginning")
	flags.StringVar(&f.html, "html", "", "write the whole answer into one HTML file that opens without a server")
	return command
}

func why(command *cobra.Command, o *options, f *whyFlags, arguments []string) error {
	ctx := command.Context()
	project, names, asJSON, err := o.opened(arguments[:1])
	if err != nil {
		return err
	}
	if len(arguments) == 1 {
		return listMarts(command, o, project, names[0], f.snapshot)
	}
	w, err := openWhy(ctx, project, names[0], f.snapshot, command.ErrOrStderr())
	if err != nil {
		return err
	}
	deriver, err := w.deriver(ctx, arguments[1], f.column, f.full)
	if err != nil {
		return err
	}
	if want := deriver.Mart.Key; len(arguments)-2 != len(want) {
		return w.noKey(ctx, deriver, arguments[2:])
	}
	key := make([]*string, len(arguments)-2)
	for i := range key {
		key[i] = &arguments[i+2]
	}
	deriver.Counted = f.deep
	if err := w.complete(ctx, deriver, f.deep); err != nil {
		return err
	}
	graph, err := deriver.Derive(ctx, [][]*string{key})
	if err != nil {
		return err
	}
	if !graph.Found(0) {
		return w.noKey(ctx, deriver, arguments[2:])
	}
	if f.deep {
		unlock, err := w.lock()
		if err != nil {
			return err
		}
		defer unlock()
		if err := graph.Deep(ctx); err != nil {
			return err
		}
	}
	derivation, err := graph.Derivation(ctx, 0, asJSON || f.full || f.html != "" || f.column != "")
	if err != nil {
		return err
	}
	derivation.Snapshot, derivation.Manifest = w.snapshot.Snapshot, w.snapshot.Digest
	derivation.Notes = append(derivation.Notes, w.notes...)
	out := command.OutOrStdout()
	if f.html != "" {
		var page bytes.Buffer
		if err := derivation.WritePage(&page); err != nil {
			return err
		}
		if err := pipeline.WriteFile(f.html, page.Bytes()); err != nil {
			return err
		}
	}
	if asJSON {
		err = printJSON(out, derivation)
	} else {
		derivation.Print(out, f.full)
	}
	if err == nil && !derivation.Proof.Proved {
		err = errDiffers
	}
	return err
}

// whyWork is what why works on: one snapshot and the definition that made it.
type whyWork struct {
	*session
	snapshot *load.Snapshot
	plan     *pipeline.Plan
	carried  bool // the definition is the one that the snapshot carries
	notes    []string
	told     io.Writer
}

// openWhy finds the plan of a snapshot: the definition over its pins.
func openWhy(ctx context.Context, project *config.Project, name, id string, told io.Writer) (*whyWork, error) {
	if id == "latest" {
		id = ""
	}
	_, snapshot, err := openSnapshot(ctx, project, name, id)
	if err != nil {
		return nil, err
	}
	s, err := openDuty(ctx, project, name, time.Now)
	if err != nil {
		return nil, err
	}
	w := &whyWork{session: s, snapshot: snapshot, told: told}
	if err := w.useDefinition(ctx); err != nil {
		return nil, err
	}
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	w.plan = pipeline.NewPlan(s.p, s.binding, pinsOf(snapshot), s.engines)
	w.tellSources()
	return w, nil
}

// useDefinition takes the definition that the snapshot carries in place of the
// project's present one, if they are not the same. What either calls private
// stays private.
func (w *whyWork) useDefinition(ctx context.Context) error {
	at := slices.IndexFunc(w.snapshot.Files, func(f load.ManifestFile) bool { return f.File == config.DefinitionFile })
	if at < 0 {
		return nil
	}
	want := w.snapshot.Files[at].Digest
	if present, err := config.Pack(w.p); err != nil || digestOfBytes(present) == want {
		w.carried = err == nil
		return err
	}
	text, err := load.ReadNote(ctx, w.store, w.p.Name, w.snapshot.Snapshot, config.DefinitionFile)
	if err != nil {
		return err
	}
	if found := digestOfBytes(text); found != want {
		return &pipeline.Error{Kind: pipeline.Storage, Subject: w.snapshot.Snapshot, Where: config.DefinitionFile, Problem: "it is not the file that was published",
			Expected: "sha256 " + string(want), Found: "sha256 " + string(found), Hint: "restore it from a copy of the store; tamiz verify names all that was changed"}
	}
	files, err := config.Unpack(text)
	if err != nil {
		return err
	}
	published, err := config.Load(files, w.p.Name)
	if err != nil {
		w.notes = append(w.notes, "this Tamiz cannot use the definition that the snapshot carries (published by Tamiz "+w.snapshot.Engine.Tamiz+"), so that today's is used")
		return nil
	}
	for i := range published.Sources {
		source := &published.Sources[i]
		source.Private = source.Private || slices.ContainsFunc(w.p.Sources, func(present pipeline.Source) bool { return present.Name == source.Name && present.Private })
	}
	w.p, w.carried = published, true
	return nil
}

// tellSources has the sources say of themselves what the manifest says of
// them: where the bytes came from, and under which licence.
func (w *whyWork) tellSources() {
	for _, step := range w.plan.Steps {
		if step.Source == nil {
			continue
		}
		for _, source := range w.snapshot.Sources {
			if source.Name == step.Source.Name {
				step.Source.Title, step.Source.Publisher, step.Source.Licence, step.Source.URL = source.Title, source.Publisher, source.Licence, source.URL
				step.Source.Private = step.Source.Private || source.Archive == "private"
			}
		}
	}
}

// deriver prepares to derive rows of a mart, of which one column may be meant.
func (w *whyWork) deriver(ctx context.Context, mart, column string, full bool) (*lineage.Deriver, error) {
	at := slices.IndexFunc(w.snapshot.Tables, func(t load.ManifestTable) bool { return t.Name == strings.TrimPrefix(mart, "marts.") })
	if at < 0 {
		return nil, &pipeline.Error{Kind: pipeline.Config, Subject: w.snapshot.Snapshot, Problem: fmt.Sprintf("the snapshot has no mart %q", mart),
			Hint: "tamiz why " + w.p.Name + " lists the marts with their keys"}
	}
	table := w.snapshot.Tables[at]
	model := w.p.Model("marts." + table.Name)
	if model == nil {
		return nil, &pipeline.Error{Kind: pipeline.Config, Subject: table.Name, Problem: "the definition has no such mart any more, so nothing tells how it was made"}
	}
	if column != "" && !slices.ContainsFunc(model.Columns, func(c pipeline.Column) bool { return c.Name == column }) {
		return nil, &pipeline.Error{Kind: pipeline.Config, Subject: table.Name, Problem: fmt.Sprintf("it has no column %q", column), Expected: columnNames(model)}
	}
	if w.plan.Table(model.Name)[0].Fingerprint != table.Fingerprint {
		w.notes = append(w.notes, w.otherwise())
	}
	file, err := w.store.File(ctx, load.TableKey(w.p.Name, w.snapshot.Snapshot, table.File), table.Digest)
	if err != nil {
		return nil, err
	}
	walk := w.walk(0)
	walk.Workers = max(4, w.project.Workers) // half of them find rows while the others prove
	walk.RawPath = func(digest pipeline.Digest) (string, error) {
		path, err := w.archive.Path(digest)
		if err == nil {
			return path, nil
		}
		if w.archive.Verify(ctx, digest) != nil { // it may lie in the store alone
			return "", err
		}
		return w.archive.Path(digest)
	}
	d := &lineage.Deriver{Plan: w.plan, Walk: walk, Tracer: transform.SQL{}, Reader: extract.Reader{}, Mart: model, Published: file, Column: column, Most: mostFollowed, Together: true}
	if column != "" {
		if d.Lineage, err = w.columns(); err != nil {
			return nil, err
		}
	}
	if full {
		d.Most, d.Together = 0, false
	}
	return d, nil
}

// otherwise says why what follows is made by other steps than the snapshot.
func (w *whyWork) otherwise() string {
	engine := w.snapshot.Engine
	if w.carried {
		return fmt.Sprintf("%s was published by Tamiz %s with DuckDB %s; what follows is its definition run by Tamiz %s with DuckDB %s, and the published row is compared with what that makes",
			w.snapshot.Snapshot, engine.Tamiz, engine.DuckDB, versionText(), w.duckDB)
	}
	return "the definition has changed since " + w.snapshot.Snapshot + " was published: its SQL, method, a card or the engine; what follows is today's definition, and the published row is compared with what that makes"
}

func columnNames(model *pipeline.Model) string {
	var names []string
	for _, column := range model.Columns {
		names = append(names, column.Name)
	}
	return strings.Join(names, ", ")
}

// complete computes again what the warehouse no longer holds.
func (w *whyWork) complete(ctx context.Context, d *lineage.Deriver, all bool) error {
	steps := d.Steps(all)
	needs := d.Walk.Needs(d.Plan, steps, nil, nil)
	if len(needs) == 0 {
		return nil
	}
	fmt.Fprintf(w.told, "%s not in the warehouse any more: computing again\n", plural(len(needs), "step that this stands on is", "steps that this stands on are"))
	unlock, err := w.lock()
	if err != nil {
		return err
	}
	defer unlock()
	for _, need := range needs {
		if need.Step.Kind == pipeline.StepRead {
			if _, err := d.Walk.RawPath(need.Step.Raw); err != nil {
				return err
			}
		}
	}
	walk := *d.Walk
	walk.Progress = (&bar{w: w.told, began: time.Now()}).show
	_, err = walk.Run(ctx, d.Plan, steps, nil)
	return err
}

// listMarts lists the marts of a snapshot with their keys.
func listMarts(command *cobra.Command, o *options, project *config.Project, name, id string) error {
	asJSON, err := o.json()
	if err != nil {
		return err
	}
	_, snapshot, err := openSnapshot(command.Context(), project, name, id)
	if err != nil {
		return err
	}
	type mart struct {
		Name        string   `json:"mart"`
		Key         []string `json:"key"`
		Rows        int64    `json:"rows"`
		Description string   `json:"description"`
	}
	marts, rows := []mart{}, [][]string{}
	for _, table := range snapshot.Tables {
		description := strings.Join(strings.Fields(table.Description), " ")
		marts = append(marts, mart{table.Name, table.Key, table.Rows, description})
		rows = append(rows, []string{"  " + table.Name, strings.ToUpper(strings.Join(table.Key, " ")), count(table.Rows), lineage.FirstSentence(description, 70)})
	}
	if asJSON {
		return printJSON(command.OutOrStdout(), marts)
	}
	fmt.Fprintf(command.OutOrStdout(), "tamiz why %s MART KEY…   snapshot %s\n", name, snapshot.Snapshot)
	table(command.OutOrStdout(), []string{"  mart", "key", "rows", "what it is"}, rows)
	return nil
}

// nearHits is how many keys are shown that are like the wrong one.
const nearHits = 12

// noKey says that no row has this key, and which have one like it.
func (w *whyWork) noKey(ctx context.Context, d *lineage.Deriver, key []string) error {
	problem := &pipeline.Error{Kind: pipeline.Config, Subject: d.Mart.Base(), Problem: "no row of " + w.snapshot.Snapshot + " has this key",
		Expected: strings.ToUpper(strings.Join(d.Mart.Key, " ")), Found: strings.Join(key, " ")}
	if len(key) != len(d.Mart.Key) {
		problem.Problem = fmt.Sprintf("its key has %s, not %d", plural(len(d.Mart.Key), "column", "columns"), len(key))
	}
	if len(key) == 0 {
		problem.Found = "no key"
		return problem
	}
	var list []string
	for _, name := range d.Mart.Key {
		list = append(list, pipeline.QuoteName(name))
	}
	_, rows, err := ask(ctx, map[string]string{d.Mart.Base(): d.Published}, fmt.Sprintf("select distinct %s from marts.%s where cast(%s as varchar) = %s order by all limit %d",
		strings.Join(list, ", "), pipeline.QuoteName(d.Mart.Base()), list[0], pipeline.QuoteText(key[0]), nearHits+1))
	if err != nil {
		return err
	}
	var near []string
	for _, row := range rows[:min(len(rows), nearHits)] {
		near = append(near, strings.Join(quoted(row), " "))
	}
	if len(rows) > nearHits {
		near = append(near, "…")
	}
	problem.Hint = "look for it: tamiz query \"select " + strings.Join(d.Mart.Key, ", ") + " from " + d.Mart.Base() + "\""
	if len(near) > 0 {
		problem.Hint = "with " + d.Mart.Key[0] + " " + key[0] + " there are:\n" + strings.Join(near, "\n")
	}
	aside, err := w.setAside(ctx, d, key[0])
	if len(aside) > 0 {
		problem.Effect = "records of it were set aside:\n" + strings.Join(aside, "\n")
	}
	return errors.Join(problem, err)
}

// setAside finds the records with this value in the first column of the key
// that a model below the mart has set aside, and why.
func (w *whyWork) setAside(ctx context.Context, d *lineage.Deriver, value string) ([]string, error) {
	var found []string
	for _, step := range d.Steps(true) {
		file := filepath.Join(w.warehouse.ArtifactDir(step.Fingerprint), pipeline.AsideFile)
		if _, err := os.Stat(file); err != nil || !slices.ContainsFunc(w.binding.Columns[step.Table], func(c pipeline.Column) bool { return c.Name == d.Mart.Key[0] }) {
			continue
		}
		columns, rows, err := ask(ctx, map[string]string{"aside": file}, fmt.Sprintf("select * from aside where cast(%s as varchar) = %s order by all limit %d",
			pipeline.QuoteName(d.Mart.Key[0]), pipeline.QuoteText(value), nearHits))
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			text := step.Table + ":"
			for _, name := range []string{"_set_aside", "_record", "_file"} {
				if i := slices.Index(columns, name); i >= 0 && row[i] != nil {
					text += " " + strings.TrimPrefix(name, "_") + " " + *row[i]
				}
			}
			found = append(found, strings.Replace(text, ": set_aside ", ": ", 1))
		}
	}
	return found, nil
}

// quoted writes values so that a shell takes each for one word.
func quoted(row []*string) []string {
	list := cells(row, "")
	for i, text := range list {
		if strings.ContainsAny(text, " \"'$|&;()<>*?") || text == "" {
			list[i] = "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
		}
	}
	return list
}

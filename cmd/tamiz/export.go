package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tamiz/internal/duck"
	"tamiz/load"
	"tamiz/pipeline"
)

// exportFlags are the flags of export.
type exportFlags struct {
	from, duckDB, sql string
	copied            bool
}

func newExport(o *options) *cobra.Command {
	f := &exportFlags{}
	command := &cobra.Command{
		Use:   "export [PIPELINE]",
		Short: "a DuckDB file with all published editions as tables",
		Long: `Write a DuckDB file over all of history: for each mart a view over its rows of every
edition, the columns snapshot and period_end first (a column that an edition lacks is
null there); in the schema latest the marts of the latest edition as they are; in the
table editions the editions. Withdrawn ones are left out.

The views read the store's files where they lie. With --copy the file holds the rows and
needs no store. Views over a bucket are written as SQL, for DuckDB checks each file when
it makes a view: duckdb FILE < SQL makes them where its extension httpfs is.`,
		Example: `  tamiz export --duckdb history.duckdb
  tamiz export mx --duckdb history.duckdb --copy       to give away
  tamiz export mx --sql history.sql                    the statements; also over s3://
  tamiz export mx --duckdb history.duckdb --from /media/copy/store`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(command *cobra.Command, arguments []string) error {
			return f.export(command, o, arguments)
		},
	}
	command.Flags().StringVar(&f.duckDB, "duckdb", "", "write this new DuckDB file")
	command.Flags().StringVar(&f.sql, "sql", "", "write the statements that make it to this new file")
	command.Flags().BoolVar(&f.copied, "copy", false, "copy the rows into the file")
	command.Flags().StringVar(&f.from, "from", "", "the store: a folder or s3://bucket/prefix (default: the project's)")
	return command
}

// exported is what export tells of what it wrote.
type exported struct {
	Pipeline string `json:"pipeline"`
	File     string `json:"file"`
	Editions int    `json:"editions"`
	Tables   int    `json:"tables"`
	Copied   bool   `json:"copied"`
}

func (f *exportFlags) export(command *cobra.Command, o *options, arguments []string) error {
	ctx := command.Context()
	asJSON, err := o.json()
	if err != nil {
		return err
	}
	if (f.duckDB == "") == (f.sql == "") || f.sql != "" && f.copied {
		return &usageError{errors.New("want --duckdb FILE, with or without --copy, or --sql FILE\n  to mend   tamiz export --help shows how it is used")}
	}
	file := f.duckDB + f.sql
	if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
		return &pipeline.Error{Kind: pipeline.Config, Problem: "the file is there already", Where: file, Hint: "name another, or remove it"}
	}
	project, store, err := o.openToRead(ctx, f.from)
	if err != nil {
		return err
	}
	name := ""
	if len(arguments) == 1 {
		name = arguments[0]
	}
	if name, err = pipelineIn(ctx, project, store, name, f.from); err != nil {
		return err
	}
	place := f.from
	if place == "" {
		place = project.Store
	}
	cache, err := os.MkdirTemp("", "tamiz-export-") // of what is copied from a bucket
	if err != nil {
		return &pipeline.Error{Kind: pipeline.Storage, Problem: "make a folder to export from", Err: err}
	}
	defer os.RemoveAll(cache)
	h, err := f.history(ctx, load.NewLocal(store, cache), name, place)
	if err != nil {
		return err
	}
	if f.sql != "" {
		err = pipeline.WriteFile(file, []byte(h.statements()))
	} else {
		err = h.write(ctx, file)
	}
	if err != nil {
		return err
	}
	told := exported{Pipeline: name, File: file, Editions: len(h.snapshots), Tables: len(h.marts()), Copied: f.copied}
	if asJSON {
		return printJSON(command.OutOrStdout(), told)
	}
	fmt.Fprintf(command.OutOrStdout(), "%s: %s of %s; latest is %s\n", file, plural(told.Tables, "table", "tables"), plural(told.Editions, "edition", "editions"), h.latest)
	return nil
}

// history is what is exported: editions, and where the files of their marts are.
type history struct {
	snapshots []*load.Snapshot // by period and revision
	latest    string
	files     map[string]map[string]string // mart → snapshot → file or address
	copied    bool
}

// history finds the editions that were published and not withdrawn.
func (f *exportFlags) history(ctx context.Context, store load.Local, name, place string) (*history, error) {
	latest, err := readSnapshot(ctx, store, name, "latest")
	if err != nil {
		return nil, err
	}
	decisions, err := load.OpenLedger(store, name).Decisions(ctx)
	if err != nil {
		return nil, err
	}
	catalog, err := load.CatalogOf(ctx, store, name, withdrawals(decisions))
	if err != nil {
		return nil, err
	}
	isRemote := strings.HasPrefix(place, "s3://")
	if isRemote && f.duckDB != "" && !f.copied {
		return nil, &usageError{fmt.Errorf("%s is a bucket: want --copy, or --sql FILE\n  to mend   tamiz export --help says why", place)}
	}
	if !isRemote {
		if place, err = filepath.Abs(place); err != nil {
			return nil, fmt.Errorf("find the store: %w", err)
		}
	}
	h := &history{latest: latest.Snapshot, files: map[string]map[string]string{}, copied: f.copied}
	for _, entry := range catalog.Snapshots {
		if entry.Withdrawn != nil {
			continue
		}
		snapshot, err := readSnapshot(ctx, store, name, entry.Snapshot)
		if err != nil {
			return nil, err
		}
		h.snapshots = append(h.snapshots, snapshot)
		for _, table := range snapshot.Tables {
			if h.files[table.Name] == nil {
				h.files[table.Name] = map[string]string{}
			}
			key := load.TableKey(name, snapshot.Snapshot, table.File)
			at := filepath.Join(place, filepath.FromSlash(key))
			switch {
			case isRemote && f.copied:
				if at, err = store.File(ctx, key, table.Digest); err != nil {
					return nil, err
				}
			case isRemote:
				at = strings.TrimRight(place, "/") + "/" + path.Clean(key)
			}
			h.files[table.Name][snapshot.Snapshot] = at
		}
	}
	return h, nil
}

func (h *history) marts() []string {
	var marts []string
	for mart := range h.files {
		marts = append(marts, mart)
	}
	slices.Sort(marts)
	return marts
}

// statements makes the tables and views in an empty database.
func (h *history) statements() string {
	var b strings.Builder
	b.WriteString("create table editions (snapshot varchar primary key, period_end date, as_of date, method_version varchar, synthetic boolean, manifest_sha256 varchar);\ncreate schema latest;\n")
	for _, s := range h.snapshots {
		fmt.Fprintf(&b, "insert into editions values (%s, date %s, date %s, %s, %t, %s);\n", pipeline.QuoteText(s.Snapshot), pipeline.QuoteText(s.PeriodEnd), pipeline.QuoteText(s.AsOf),
			pipeline.QuoteText(s.Method.Version), s.Synthetic, pipeline.QuoteText(string(s.Digest)))
	}
	kind := "view"
	if h.copied {
		kind = "table"
	}
	for _, mart := range h.marts() {
		var parts []string
		description := ""
		for _, s := range h.snapshots {
			file, ok := h.files[mart][s.Snapshot]
			if !ok {
				continue
			}
			source := duck.ReadParquet([]string{file})
			parts = append(parts, fmt.Sprintf("select %s as snapshot, date %s as period_end, rows_of.* from (%s) as rows_of", pipeline.QuoteText(s.Snapshot), pipeline.QuoteText(s.PeriodEnd), source))
			i := slices.IndexFunc(s.Tables, func(t load.ManifestTable) bool { return t.Name == mart })
			description = s.Tables[i].Description
			if s.Snapshot == h.latest {
				fmt.Fprintf(&b, "create %s latest.%s as %s;\n", kind, pipeline.QuoteName(mart), source)
			}
		}
		fmt.Fprintf(&b, "create %s %s as\n%s;\n", kind, pipeline.QuoteName(mart), strings.Join(parts, "\nunion all by name\n"))
		fmt.Fprintf(&b, "comment on %s %s is %s;\n", kind, pipeline.QuoteName(mart), pipeline.QuoteText(description))
	}
	return b.String()
}

// write makes the file aside and gives it its name when it is whole.
func (h *history) write(ctx context.Context, file string) error {
	scratch, err := os.MkdirTemp(filepath.Dir(file), ".tamiz-export-")
	if err != nil {
		return &pipeline.Error{Kind: pipeline.Storage, Problem: "write the DuckDB file", Where: file, Err: err}
	}
	defer os.RemoveAll(scratch)
	db, err := duck.Open(ctx, duck.Options{Memory: 2 << 30, Temp: scratch})
	if err != nil {
		return err
	}
	defer db.Close()
	made := filepath.Join(scratch, "made.duckdb")
	if err := db.Exec(ctx, "attach "+pipeline.QuoteText(made)+" as made; use made;\n"+h.statements()+"use memory; detach made;"); err != nil {
		return &pipeline.Error{Kind: pipeline.Storage, Problem: "write the DuckDB file", Where: file, Err: err}
	}
	if err := os.Rename(made, file); err != nil {
		return &pipeline.Error{Kind: pipeline.Storage, Problem: "write the DuckDB file", Where: file, Err: err}
	}
	return nil
}

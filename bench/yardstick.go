package main

import (
	"bufio"
	"context"
	"embed"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"tamiz/config"
	"tamiz/internal/duck"
	"tamiz/pipeline"
	"tamiz/sql"
)

//go:embed *.sql
var files embed.FS

// measured says how a pipeline is measured: by yardstick_PIPELINE.sql and
// compare_PIPELINE.sql.
type measured struct {
	hasFigures bool   // figures_PIPELINE.sql says what the results must show
	kind       string // of the sample's folder
	isUpdated  bool   // also runs with one source new
	equal      string // what to say if nothing differs in %d columns
}

var measures = map[string]measured{
	"mx": {
		kind: "plain", isUpdated: true,
		equal: "The two results are equal, bit for bit, in all %d columns compared; what depends on learning, where its result is published and not imputed.",
	},
	"np": {
		kind: "np", hasFigures: true,
		equal: "The two results are equal, within 1e-12, in all %d columns compared.",
	},
}

func text(file string) string {
	content, err := files.ReadFile(file)
	if err != nil {
		panic(err) // it is part of this program
	}
	return string(content)
}

// results is where the yardstick writes.
func results(s settings) string { return filepath.Join(s.work, "yardstick") }

// runYardstick is the child process: one DuckDB with all cores.
func runYardstick(ctx context.Context, s settings) error {
	if err := os.MkdirAll(results(s), 0o755); err != nil {
		return fmt.Errorf("make the yardstick's folder: %w", err)
	}
	db, err := duck.Open(ctx, duck.Options{Threads: s.workers})
	if err != nil {
		return err
	}
	defer db.Close()
	before, err := preamble(s)
	if err != nil {
		return err
	}
	if s.plan != "" { // the file is written anew by each statement; the last one writes the schools
		before += "set profiling_output = " + pipeline.QuoteText(s.plan) + "; pragma enable_profiling = 'query_tree';\n"
	}
	if err := db.Exec(ctx, before); err != nil {
		return fmt.Errorf("prepare the yardstick: %w", err)
	}
	file := "yardstick_" + s.pipeline + ".sql"
	if err := db.Exec(ctx, text(file)); err != nil {
		return fmt.Errorf("bench/%s: %w", file, err)
	}
	return nil
}

// preamble gives the yardstick its folders, the schema of each source (the
// titles in the first line of its first file) and the tables of the
// configuration that it names.
func preamble(s settings) (string, error) {
	var b strings.Builder
	folder := filepath.Join(s.yardstick, "sample")
	fmt.Fprintf(&b, "set variable folder = %s; set variable output = %s;\n", pipeline.QuoteText(folder), pipeline.QuoteText(results(s)))
	sources, err := os.ReadDir(folder)
	if err != nil {
		return "", fmt.Errorf("look at the sample: %w", err)
	}
	for _, source := range sources {
		files, err := filepath.Glob(filepath.Join(folder, source.Name(), "*.[ct]sv"))
		if err != nil || len(files) == 0 {
			continue
		}
		titles, err := titlesOf(files[0])
		if err != nil {
			return "", err
		}
		for i, title := range titles {
			titles[i] = pipeline.QuoteText(title) + ": 'VARCHAR'"
		}
		fmt.Fprintf(&b, "set variable %s_columns = {%s};\n", source.Name(), strings.Join(titles, ", "))
	}
	method, err := config.Load(config.Mount{"config": config.Files, "sql": sql.Files}, s.pipeline)
	if err != nil {
		return "", fmt.Errorf("read the method: %w", err)
	}
	b.WriteString("create schema method; create schema reference;\n")
	yardstick := text("yardstick_" + s.pipeline + ".sql")
	for _, table := range method.Tables {
		if strings.Contains(yardstick, table.Name) {
			fmt.Fprintf(&b, "create table %s as\n%s;\n", pipeline.QuoteTable(table.Name), table.SQL())
		}
	}
	return b.String(), nil
}

func titlesOf(path string) ([]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the titles: %w", err)
	}
	defer file.Close()
	reader := csv.NewReader(bufio.NewReader(file))
	if filepath.Ext(path) == ".tsv" {
		reader.Comma = '\t'
	}
	titles, err := reader.Read()
	if err != nil {
		return nil, fmt.Errorf("read the titles of %s: %w", path, err)
	}
	return titles, nil
}

// asked answers a query over the results of both.
func asked(ctx context.Context, s settings, project, file string) ([][]*string, error) {
	snapshots, err := filepath.Glob(filepath.Join(project, "store", s.pipeline, "snapshots", "*", "data"))
	if err != nil || len(snapshots) != 1 {
		return nil, fmt.Errorf("%s: found %d snapshots instead of one: the run was held, or publishes elsewhere", project, len(snapshots))
	}
	db, err := duck.Open(ctx, duck.Options{})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	before := fmt.Sprintf("set variable output = %s; set variable marts = %s; set variable folder = %s; set variable schools = %d",
		pipeline.QuoteText(results(s)), pipeline.QuoteText(snapshots[0]), pipeline.QuoteText(filepath.Join(project, "sample")), s.schools)
	if err := db.Exec(ctx, before); err != nil {
		return nil, fmt.Errorf("prepare bench/%s: %w", file, err)
	}
	_, rows, err := db.Rows(ctx, text(file))
	if err != nil {
		return nil, fmt.Errorf("bench/%s: %w", file, err)
	}
	return rows, nil
}

// compare prints in how many values the two results differ, by column.
func compare(ctx context.Context, s settings, project string, out io.Writer) error {
	rows, err := asked(ctx, s, project, "compare_"+s.pipeline+".sql")
	if err != nil {
		return err
	}
	var different []string
	for _, row := range rows {
		if *row[1] != "0" {
			different = append(different, *row[0]+" "+*row[1])
		}
	}
	if len(different) == 0 {
		fmt.Fprintf(out, "\n"+measures[s.pipeline].equal+"\n", len(rows))
		return nil
	}
	fmt.Fprintf(out, "\nRows whose values differ, by column: %s.\n", strings.Join(different, ", "))
	return nil
}

// figures prints what the results must show; it fails if one does not hold.
func figures(ctx context.Context, s settings, project string, out io.Writer) error {
	if !measures[s.pipeline].hasFigures {
		return nil
	}
	rows, err := asked(ctx, s, project, "figures_"+s.pipeline+".sql")
	if err != nil {
		return err
	}
	fmt.Fprint(out, "\n| figure | value | holds |\n|---|---|---|\n")
	var wrong []string
	for _, row := range rows {
		fmt.Fprintf(out, "| %s | %s | %s |\n", *row[0], *row[1], *row[2])
		if *row[2] != "true" {
			wrong = append(wrong, *row[0])
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%s: not as it must be: %s", project, strings.Join(wrong, "; "))
	}
	return nil
}

package main

import (
	"bufio"
	"context"
	_ "embed" // the SQL
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

//go:embed yardstick.sql
var yardstickSQL string

//go:embed compare.sql
var compareSQL string

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
	if err := db.Exec(ctx, yardstickSQL); err != nil {
		return fmt.Errorf("bench/yardstick.sql: %w", err)
	}
	return nil
}

// preamble gives the yardstick its folders, the schema of each source (the
// titles in the first line of its first file) and the method's texts.
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
	method, err := config.Load(config.Mount{"config": config.Files, "sql": sql.Files}, pipelineName)
	if err != nil {
		return "", fmt.Errorf("read the method: %w", err)
	}
	b.WriteString("create schema method;\n")
	for _, table := range method.Tables {
		if strings.HasPrefix(table.Name, "method.") {
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

// compare prints in how many values the two results differ, by column.
func compare(ctx context.Context, s settings, project string, out io.Writer) error {
	snapshots, err := filepath.Glob(filepath.Join(project, "store", pipelineName, "snapshots", "*", "data"))
	if err != nil || len(snapshots) != 1 {
		return fmt.Errorf("%s: found %d snapshots instead of one: the run was held, or publishes elsewhere", project, len(snapshots))
	}
	db, err := duck.Open(ctx, duck.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Exec(ctx, "set variable output = "+pipeline.QuoteText(results(s))+"; set variable marts = "+pipeline.QuoteText(snapshots[0])); err != nil {
		return fmt.Errorf("compare the results: %w", err)
	}
	_, rows, err := db.Rows(ctx, compareSQL)
	if err != nil {
		return fmt.Errorf("bench/compare.sql: %w", err)
	}
	var different []string
	for _, row := range rows {
		if *row[1] != "0" {
			different = append(different, *row[0]+" "+*row[1])
		}
	}
	if len(different) == 0 {
		fmt.Fprintf(out, "\nThe two results are equal, bit for bit, in all %d columns compared; what depends on learning, where its result is published and not imputed.\n", len(rows))
		return nil
	}
	fmt.Fprintf(out, "\nSchools whose values differ, by column: %s.\n", strings.Join(different, ", "))
	return nil
}

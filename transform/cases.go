package transform

import (
	"context"
	"encoding/csv"
	"fmt"
	"math"
	"strconv"
	"strings"

	"golang.org/x/tools/txtar"

	"tamiz/internal/duck"
	"tamiz/pipeline"
)

// Given is rows of one table for a case: texts under column names. A text
// that is nil is NULL; columns that are not named are NULL.
type Given struct {
	Table   string
	Columns []string
	Rows    [][]*string
}

// Bench is a database in which models run over given rows: for model cases
// and reference vectors. Tables that are not given are empty, but for the
// constant tables, which are the real ones.
type Bench struct {
	db      *duck.DB
	p       *pipeline.Pipeline
	binding *pipeline.Binding
	filled  map[string]bool // tables that do not hold what they hold at first
}

// OpenBench opens a bench for the models of p. Close it.
func OpenBench(ctx context.Context, p *pipeline.Pipeline, binding *pipeline.Binding) (*Bench, error) {
	db, err := duck.Open(ctx, duck.Options{})
	if err != nil {
		return nil, err
	}
	b := &Bench{db: db, p: p, binding: binding, filled: map[string]bool{}}
	var setup strings.Builder
	setup.WriteString(duck.CreateSchemas)
	for _, macro := range p.Macros {
		setup.WriteString("\n" + macro.SQL + ";\n")
	}
	for name := range binding.Columns {
		setup.WriteString("create table " + pipeline.QuoteTable(name) + " as " + b.first(name) + ";\n")
	}
	if err := db.Exec(ctx, setup.String()); err != nil {
		db.Close()
		return nil, fmt.Errorf("open a bench: %w", err)
	}
	return b, nil
}

// Close frees the bench.
func (b *Bench) Close() error { return b.db.Close() }

// first is the select of what a table holds if it is not given.
func (b *Bench) first(name string) string {
	for _, table := range b.p.Tables {
		if table.Name == name {
			return table.SQL()
		}
	}
	return b.rowsSQL(name, Given{})
}

// Select computes the models named by targets, and what they stand on, from
// given rows, then runs a query over them. A model that is given is not
// computed.
func (b *Bench) Select(ctx context.Context, given []Given, targets []string, query string) (columns []string, rows [][]*string, err error) {
	if err := b.give(ctx, given); err != nil {
		return nil, nil, err
	}
	wanted := map[string]bool{}
	var want func(table string)
	want = func(table string) {
		if wanted[table] || b.filled[table] {
			return
		}
		wanted[table] = true
		for _, input := range b.binding.Inputs[table] {
			want(input)
		}
	}
	for _, target := range targets {
		want(target)
	}
	for _, name := range b.binding.Order {
		if !wanted[name] {
			continue
		}
		rows, err := b.keptRows(ctx, b.p.Model(name))
		if err != nil {
			return nil, nil, err
		}
		if err := b.fill(ctx, name, rows); err != nil {
			return nil, nil, err
		}
	}
	return b.db.Rows(ctx, query)
}

// keptRows is the select of a model without the rows that it sets aside. A
// transform is run for it.
func (b *Bench) keptRows(ctx context.Context, model *pipeline.Model) (string, error) {
	if model.Transform != nil {
		return "select * from " + evaluated, evaluate(ctx, b.db, model)
	}
	if !b.binding.SetsAside(model.Name) {
		return model.SQL, nil
	}
	return "select * exclude (" + asideColumn + ") from (\n" + model.SQL + "\n) where " + asideColumn + " is null", nil
}

func (b *Bench) fill(ctx context.Context, name, sql string) error {
	b.filled[name] = true
	table := pipeline.QuoteTable(name)
	if err := b.db.Exec(ctx, "delete from "+table+"; insert into "+table+" from (\n"+sql+"\n)"); err != nil {
		return fmt.Errorf("fill %s: %w", name, err)
	}
	return nil
}

// give puts back what the last case changed, and puts in what is given.
func (b *Bench) give(ctx context.Context, given []Given) error {
	for name := range b.filled {
		if err := b.fill(ctx, name, b.first(name)); err != nil {
			return err
		}
		delete(b.filled, name)
	}
	for _, table := range given {
		if _, known := b.binding.Columns[table.Table]; !known {
			return fmt.Errorf("given %s: there is no such table", table.Table)
		}
		for _, column := range table.Columns {
			if !hasColumn(b.binding.Columns[table.Table], column) {
				return fmt.Errorf("given %s: it has no column %s", table.Table, column)
			}
		}
		if err := b.fill(ctx, table.Table, b.rowsSQL(table.Table, table)); err != nil {
			return err
		}
	}
	return nil
}

// rowsSQL gives the select of given rows with the table's full columns.
func (b *Bench) rowsSQL(name string, given Given) string {
	index := map[string]int{}
	for i, column := range given.Columns {
		index[column] = i
	}
	var selects []string
	for number, row := range given.Rows {
		var list []string
		for _, column := range b.binding.Columns[name] {
			literal := "null"
			if i, ok := index[column.Name]; ok {
				if row[i] != nil {
					literal = pipeline.QuoteText(*row[i])
				}
			} else if column.Name == "_file" {
				literal = "'case'"
			} else if column.Name == "_part" {
				literal = "''"
			} else if column.Name == "_record" || column.Name == "_line" {
				literal = strconv.Itoa(number + 1)
			}
			list = append(list, "cast("+literal+" as "+column.Type+") as "+pipeline.QuoteName(column.Name))
		}
		selects = append(selects, "select "+strings.Join(list, ", "))
	}
	if len(selects) == 0 {
		var list []string
		for _, column := range b.binding.Columns[name] {
			list = append(list, "cast(null as "+column.Type+") as "+pipeline.QuoteName(column.Name))
		}
		return "select " + strings.Join(list, ", ") + " where false"
	}
	return strings.Join(selects, "\nunion all ")
}

// CaseResult is how one case of a model's txtar file came out.
type CaseResult struct {
	Model, Case string
	Err         error
}

// Cases runs the cases of one model.
func (b *Bench) Cases(ctx context.Context, model *pipeline.Model) []CaseResult {
	var results []CaseResult
	for _, c := range splitCases(model) {
		results = append(results, CaseResult{Model: model.Name, Case: c.name, Err: b.runCase(ctx, model, c)})
	}
	return results
}

type modelCase struct {
	name  string
	files []txtar.File
}

// splitCases divides a file at its markers "-- case NAME --".
func splitCases(model *pipeline.Model) []modelCase {
	archive := txtar.Parse([]byte(model.Cases))
	comment := strings.TrimSpace(string(archive.Comment))
	comment, _, _ = strings.Cut(comment, "\n")
	cases := []modelCase{{name: comment}}
	for _, file := range archive.Files {
		if name, ok := strings.CutPrefix(file.Name, "case "); ok {
			cases = append(cases, modelCase{name: name})
			continue
		}
		last := &cases[len(cases)-1]
		last.files = append(last.files, file)
	}
	if len(cases[0].files) == 0 && len(cases) > 1 {
		cases = cases[1:]
	}
	return cases
}

func (b *Bench) runCase(ctx context.Context, model *pipeline.Model, c modelCase) error {
	var given []Given
	wants := map[string]Given{}
	for _, file := range c.files {
		rows, err := parseCSV(string(file.Data))
		if err != nil {
			return fmt.Errorf("%s: %s: %w", model.CasesPath, file.Name, err)
		}
		name := strings.TrimSuffix(file.Name, ".csv")
		if table, ok := strings.CutPrefix(name, "given "); ok {
			rows.Table = table
			given = append(given, rows)
		} else {
			wants[name] = rows
		}
	}
	if len(wants) == 0 {
		return fmt.Errorf("%s: the case wants nothing: add -- want.csv --", model.CasesPath)
	}
	if err := b.give(ctx, given); err != nil {
		return fmt.Errorf("%s: %w", model.CasesPath, err)
	}
	for name, want := range wants {
		from, err := b.keptRows(ctx, model)
		if err != nil {
			return fmt.Errorf("%s: %w", model.CasesPath, err)
		}
		order := keyOrder(model)
		switch name {
		case "want":
		case "want set aside":
			from, order = "select * from (\n"+model.SQL+"\n) where "+asideColumn+" is not null", "all"
		default:
			return fmt.Errorf("%s: a file is named given TABLE.csv, want.csv or want set aside.csv, not %q", model.CasesPath, name)
		}
		if err := b.compare(ctx, model, from, order, want); err != nil {
			return fmt.Errorf("%s: %s: %w", model.CasesPath, name, err)
		}
	}
	return nil
}

// compare wants the same rows in the same order, in the columns it names.
func (b *Bench) compare(ctx context.Context, model *pipeline.Model, from, order string, want Given) error {
	types, err := b.db.Columns(ctx, from)
	if err != nil {
		return err
	}
	typeOf := map[string]string{}
	for _, column := range types {
		typeOf[column.Name] = column.Type
	}
	var names []string
	for _, column := range want.Columns {
		if typeOf[column] == "" {
			return fmt.Errorf("the model has no column %s", column)
		}
		names = append(names, pipeline.QuoteName(column))
	}
	_, got, err := b.db.Rows(ctx, "select "+strings.Join(names, ", ")+" from (\n"+from+"\n) order by "+order)
	if err != nil {
		return sqlError(model.SQLPath, model.SQL, err)
	}
	if len(got) != len(want.Rows) {
		return fmt.Errorf("want %d rows, got %d: %s", len(want.Rows), len(got), showRows(got))
	}
	for i, row := range want.Rows {
		for j, value := range row {
			cast, err := b.castText(ctx, value, typeOf[want.Columns[j]])
			if err != nil {
				return fmt.Errorf("row %d, column %s: %w", i+1, want.Columns[j], err)
			}
			if !sameValue(cast, got[i][j], typeOf[want.Columns[j]]) {
				return fmt.Errorf("row %d, column %s: want %s, got %s (row: %s)", i+1, want.Columns[j], show(cast), show(got[i][j]), showRows(got[i:i+1]))
			}
		}
	}
	return nil
}

// castText brings a wanted text into the form that DuckDB prints.
func (b *Bench) castText(ctx context.Context, value *string, kind string) (*string, error) {
	if value == nil || kind == "VARCHAR" {
		return value, nil
	}
	_, rows, err := b.db.Rows(ctx, "select cast("+pipeline.QuoteText(*value)+" as "+kind+") as wanted")
	if err != nil {
		return nil, err
	}
	return rows[0][0], nil
}

func sameValue(a, b *string, kind string) bool {
	if a == nil || b == nil {
		return a == b
	}
	if kind == "DOUBLE" {
		x, errX := strconv.ParseFloat(*a, 64)
		y, errY := strconv.ParseFloat(*b, 64)
		return errX == nil && errY == nil && math.Abs(x-y) <= 1e-9*math.Max(1, math.Abs(x))
	}
	return *a == *b
}

func show(value *string) string {
	if value == nil {
		return "NULL"
	}
	return strconv.Quote(*value)
}

func showRows(rows [][]*string) string {
	var lines []string
	for _, row := range rows[:min(len(rows), 8)] {
		var cells []string
		for _, cell := range row {
			cells = append(cells, show(cell))
		}
		lines = append(lines, strings.Join(cells, ","))
	}
	return strings.Join(lines, " | ")
}

// parseCSV reads given or wanted rows: an unquoted empty cell is NULL, "" is
// the empty text. Blanks around cells do not count.
func parseCSV(text string) (Given, error) {
	const empty = "\x00empty"
	reader := csv.NewReader(strings.NewReader(strings.ReplaceAll(quotedEmpty(text), `""`+"\x01", empty)))
	reader.Comment = '#'
	reader.TrimLeadingSpace = true
	records, err := reader.ReadAll()
	if err != nil {
		return Given{}, err
	}
	if len(records) == 0 {
		return Given{}, fmt.Errorf("want a header line")
	}
	given := Given{}
	for _, name := range records[0] {
		given.Columns = append(given.Columns, strings.TrimSpace(name))
	}
	for _, record := range records[1:] {
		row := make([]*string, len(record))
		for i, cell := range record {
			switch cell {
			case "":
			case empty:
				row[i] = new(string)
			default:
				row[i] = &record[i]
			}
		}
		given.Rows = append(given.Rows, row)
	}
	return given, nil
}

// quotedEmpty marks cells that are exactly "".
func quotedEmpty(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		cells := strings.Split(line, ",")
		for j, cell := range cells {
			if strings.TrimSpace(cell) == `""` {
				cells[j] = `""` + "\x01"
			}
		}
		lines[i] = strings.Join(cells, ",")
	}
	return strings.Join(lines, "\n")
}

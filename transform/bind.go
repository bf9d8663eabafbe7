package transform

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"

	"tamiz/internal/duck"
	"tamiz/pipeline"
)

// Bind reads all SQL of a pipeline over empty tables: which table each model
// reads, in what order they run, which columns come out and from which they
// are made, and that nothing in it depends on chance, the clock, or the order
// of rows. All mistakes come back joined, each with file and line.
func Bind(ctx context.Context, p *pipeline.Pipeline) (*pipeline.Binding, error) {
	db, err := duck.Open(ctx, duck.Options{})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	b := &binder{ctx: ctx, db: db, p: p, out: &pipeline.Binding{
		Inputs: map[string][]string{}, CheckInputs: map[string][]string{},
		Columns: map[string][]pipeline.Column{}, Macros: map[string][]pipeline.Macro{},
		CheckMacros: map[string][]pipeline.Macro{}, Lineage: pipeline.ColumnLineage{},
	}}
	if err := b.prepare(); err != nil {
		return nil, err
	}
	b.readReferences()
	if len(b.problems) == 0 {
		b.order()
	}
	if len(b.problems) == 0 {
		for _, name := range b.out.Order {
			b.bindModel(p.Model(name))
		}
	}
	if len(b.problems) == 0 {
		b.bindChecks()
		b.bindGates()
	}
	b.out.Apply(p)
	return b.out, errors.Join(b.problems...)
}

type binder struct {
	ctx      context.Context
	db       *duck.DB
	p        *pipeline.Pipeline
	out      *pipeline.Binding
	problems []error
}

func (b *binder) problem(where, subject, hint, format string, arguments ...any) {
	b.problems = append(b.problems, &pipeline.Error{
		Kind: pipeline.Config, Where: where, Subject: subject, Hint: hint, Problem: fmt.Sprintf(format, arguments...),
	})
}

// prepare makes macros, empty raw tables and the constant tables.
func (b *binder) prepare() error {
	if err := b.db.Exec(b.ctx, duck.CreateSchemas); err != nil {
		return fmt.Errorf("make schemas: %w", err)
	}
	for _, macro := range b.p.Macros {
		if err := b.db.Exec(b.ctx, macro.SQL); err != nil {
			b.problem(macro.Path, "macro "+macro.Name, "", "%v", err)
		}
	}
	tables := append([]pipeline.Table(nil), b.p.Tables...)
	tables = append(tables, pipeline.RunTable(b.p, pipeline.Pins{PeriodEnd: "2000-01-01", AsOf: "2000-01-01"}))
	for _, table := range tables {
		b.create(table.Name, table.SQL(), table.Path)
	}
	for i := range b.p.Sources {
		source := &b.p.Sources[i]
		b.create(source.Table(), pipeline.EmptyRawSQL(source), source.Path)
		b.create(pipeline.GoodTable(source.Name), pipeline.EmptyRawSQL(source), source.Path)
		b.out.Lineage[source.Table()] = rawLineage(source)
		if source.History > 0 {
			b.create(source.HistoryTable(), pipeline.EmptyRawSQL(source), source.Path)
			b.out.Lineage[source.HistoryTable()] = rawLineage(source)
			b.create(source.VintagesTable(), pipeline.EmptyVintagesSQL, source.Path)
		}
	}
	return errors.Join(b.problems...)
}

func (b *binder) create(table, sql, path string) {
	if err := b.db.Exec(b.ctx, "create table "+pipeline.QuoteTable(table)+" as\n"+sql); err != nil {
		b.problem(path, table, "", "%v", err)
		return
	}
	columns, err := b.db.Columns(b.ctx, "from "+pipeline.QuoteTable(table))
	if err != nil {
		b.problem(path, table, "", "%v", err)
	}
	b.out.Columns[table] = columns
}

// order sorts models so that inputs come first, or names a cycle.
func (b *binder) order() {
	const visiting, done = 1, 2
	state := map[string]int{}
	var path []string
	var visit func(name string) bool
	visit = func(name string) bool {
		switch state[name] {
		case done:
			return true
		case visiting:
			for i, step := range path {
				if step == name {
					path = path[i:]
					break
				}
			}
			model := b.p.Model(name)
			b.problem(model.SQLPath, name, "", "models read each other in a cycle: %s → %s", strings.Join(path, " → "), name)
			return false
		}
		state[name] = visiting
		path = append(path, name)
		for _, input := range b.out.Inputs[name] {
			if b.p.Model(input) != nil && !visit(input) {
				return false
			}
		}
		path = path[:len(path)-1]
		state[name] = done
		b.out.Order = append(b.out.Order, name)
		return true
	}
	for i := range b.p.Models {
		if !visit(b.p.Models[i].Name) {
			return
		}
	}
}

// bindModel binds one model over empty inputs and checks it against its yml.
func (b *binder) bindModel(model *pipeline.Model) {
	table := pipeline.QuoteTable(model.Name)
	var columns []pipeline.Column
	if model.Transform != nil {
		columns = b.bindTransform(model)
		b.out.Lineage[model.Name] = transformLineage(model)
	} else {
		var ok bool
		if columns, ok = b.bindSelect(model); !ok {
			return
		}
	}
	kept := columns[:0:0]
	for _, column := range columns {
		if column.Name != asideColumn {
			kept = append(kept, column)
			continue
		}
		b.out.Aside = append(b.out.Aside, model.Name)
		if err := b.db.Exec(b.ctx, "alter table "+table+" drop column "+asideColumn); err != nil {
			b.problem(model.SQLPath, model.Name, "", "%v", err)
		}
	}
	b.compareColumns(model, kept)
	b.out.Columns[model.Name] = kept
	if model.IsMart() {
		if err := b.db.Exec(b.ctx, "create table previous."+pipeline.QuoteName(model.Base())+" as from "+pipeline.QuoteTable(model.Name)); err != nil {
			b.problem(model.SQLPath, model.Name, "", "%v", err)
		}
	}
	b.checkRules(model)
}

// bindSelect binds a model's SQL, refuses what is unsafe in it, reads from
// which columns it makes its own, and makes its empty table.
func (b *binder) bindSelect(model *pipeline.Model) ([]pipeline.Column, bool) {
	plan, err := b.db.BoundPlan(b.ctx, model.SQL)
	if err != nil {
		b.problems = append(b.problems, sqlError(model.SQLPath, model.SQL, err))
		return nil, false
	}
	for _, fault := range unsafeParts(plan) {
		b.problem(fmt.Sprintf("%s:%d", model.SQLPath, fault.line(model.SQL)), model.Name, fault.hint, "%s", fault.problem)
	}
	table := pipeline.QuoteTable(model.Name)
	if err := b.db.Exec(b.ctx, "create table "+table+" as from (\n"+model.SQL+"\n) with no data"); err != nil {
		b.problems = append(b.problems, sqlError(model.SQLPath, model.SQL, err))
		return nil, false
	}
	columns, err := b.db.Columns(b.ctx, "from "+table)
	if err != nil {
		b.problem(model.SQLPath, model.Name, "", "%v", err)
		return nil, false
	}
	b.out.Lineage[model.Name] = selectLineage(plan, columns)
	return columns, true
}

// compareColumns wants every column described, none extra, in order.
func (b *binder) compareColumns(model *pipeline.Model, columns []pipeline.Column) {
	described, made := map[string]int{}, map[string]bool{}
	for i, column := range model.Columns {
		described[column.Name] = i
	}
	for _, column := range columns {
		made[column.Name] = true
		if _, ok := described[column.Name]; !ok {
			b.problem(inDoc(model, "columns:"), model.Name, "add under columns:\n  "+column.Name+":\n    description: …",
				"it makes column %s, which has no description", column.Name)
			continue
		}
		switch {
		case strings.Contains(column.Type, "FLOAT"), strings.Contains(column.Type, "HUGEINT"), strings.Contains(column.Type, "TIMESTAMP WITH"):
			b.problem(model.Place(), model.Name, "cast it to double, bigint or timestamp", "column %s has type %s, which other tools read differently", column.Name, column.Type)
		}
	}
	for _, column := range model.Columns {
		if !made[column.Name] {
			b.problem(inDoc(model, "  "+column.Name+":"), model.Name, "", "column %s is described, but it is not made", column.Name)
		}
	}
	for _, key := range model.Key {
		if !made[key] {
			b.problem(inDoc(model, "key:"), model.Name, "", "key names column %s, which is not made", key)
		}
	}
	if model.IsStaging() && (!made["_file"] || !made["_record"]) {
		b.problem(model.SQLPath, model.Name, "", "a staging model carries _file and _record, so that every row leads back to its raw line")
	}
	if len(b.problems) == 0 {
		for i, column := range columns {
			if model.Columns[i].Name != column.Name {
				b.problem(inDoc(model, "columns:"), model.Name, "", "columns stand in another order than in the SQL, from %s on", column.Name)
				return
			}
		}
	}
}

// checkRules wants each input traced, by expressions that bind.
func (b *binder) checkRules(model *pipeline.Model) {
	inputs := map[string]bool{}
	for _, input := range b.out.Inputs[model.Name] {
		inputs[input] = true
		trace, ok := model.Trace[input]
		if !ok {
			b.problem(inDoc(model, "trace:"), model.Name, "add under trace:\n  "+input+": key   # or broadcast, whole, {group: {…}}",
				"it reads %s, but does not say which of its rows make one row here (trace)", input)
			continue
		}
		if b.bindsTogether(model, input, trace) {
			continue
		}
		for _, match := range trace.Match {
			if _, err := b.db.Columns(b.ctx, "select ("+match.Input+") is not distinct from made."+pipeline.QuoteName(match.Output)+
				" from "+pipeline.QuoteTable(input)+" as given, "+pipeline.QuoteTable(model.Name)+" as made where false"); err != nil {
				if _, err := b.db.Columns(b.ctx, "select "+match.Input+" as traced from "+pipeline.QuoteTable(input)); err != nil {
					b.problem(inDoc(model, input), model.Name, "", "trace of %s: %s: %v", input, match.Input, err)
				} else if !hasColumn(b.out.Columns[model.Name], match.Output) {
					b.problem(inDoc(model, input), model.Name, "", "trace of %s: the model has no column %s", input, match.Output)
				}
			}
		}
	}
	for traced := range model.Trace {
		if !inputs[traced] {
			b.problem(inDoc(model, traced), model.Name, "", "trace names %s, which the SQL does not read", traced)
		}
	}
	for _, from := range model.Rows.From {
		if !inputs[from] {
			b.problem(inDoc(model, "rows:"), model.Name, "", "rows names %s, which the SQL does not read", from)
		}
	}
	if model.Rows.Kind == pipeline.RowsGenerated {
		for input := range inputs {
			if schema, _, _ := strings.Cut(input, "."); schema != "method" && schema != "reference" && input != "raw.run" {
				b.problem(model.DocPath, model.Name, "", "rows: generated is only for models of constants; it reads %s", input)
			}
		}
	}
}

// bindsTogether tries all expressions of a trace at once: the common case.
func (b *binder) bindsTogether(model *pipeline.Model, input string, trace pipeline.Trace) bool {
	list := []string{"1"}
	for _, match := range trace.Match {
		list = append(list, "("+match.Input+") is not distinct from made."+pipeline.QuoteName(match.Output))
	}
	_, err := b.db.Columns(b.ctx, "select "+strings.Join(list, ", ")+" from "+pipeline.QuoteTable(input)+" as given, "+pipeline.QuoteTable(model.Name)+" as made where false")
	return err == nil
}

// inDoc gives the place in a model's yml where a word first stands.
func inDoc(model *pipeline.Model, word string) string {
	return fmt.Sprintf("%s:%d", model.DocPath, lineWith(model.DocText, word))
}

func hasColumn(columns []pipeline.Column, name string) bool {
	for _, column := range columns {
		if column.Name == name {
			return true
		}
	}
	return false
}

// bindChecks finds which tables checks read, and that they bind.
func (b *binder) bindChecks() {
	for i := range b.p.Models {
		model := &b.p.Models[i]
		tables := map[string]bool{model.Name: true}
		var texts strings.Builder
		singles, together := b.bindSingles(model)
		for _, table := range singles {
			tables[table] = tables[table] || !strings.HasPrefix(table, "previous.")
		}
		for _, check := range model.Checks {
			texts.WriteString(check.SQL + "\n")
			if together && check.Where != "" {
				continue
			}
			references, err := b.references(check.SQL)
			if err == nil {
				_, err = b.db.Columns(b.ctx, check.SQL)
			}
			if err != nil {
				b.problem(fmt.Sprintf("%s:%d", check.Path, lineWith(model.DocText, check.Name)), model.Name+", check "+check.Name, "", "%v", err)
				continue
			}
			for _, table := range references {
				if !strings.HasPrefix(table, "previous.") {
					tables[table] = true
				}
			}
		}
		b.out.CheckMacros[model.Name] = b.macrosIn(texts.String())
		for table, read := range tables {
			if !read {
				continue
			}
			b.out.CheckInputs[model.Name] = append(b.out.CheckInputs[model.Name], table)
		}
		sort.Strings(b.out.CheckInputs[model.Name])
	}
}

// bindSingles tries all conditions on single rows at once: the common case.
func (b *binder) bindSingles(model *pipeline.Model) (tables []string, ok bool) {
	list := []string{"1"}
	for _, check := range model.Checks {
		if check.Where != "" {
			list = append(list, "("+check.Where+")")
		}
	}
	sql := "select " + strings.Join(list, ", ") + " from " + model.Name
	tables, err := b.references(sql)
	if err == nil {
		_, err = b.db.Columns(b.ctx, sql)
	}
	return tables, err == nil
}

// bindGates finds which macros the gates of sources need, and that they bind.
func (b *binder) bindGates() {
	for i := range b.p.Sources {
		source := &b.p.Sources[i]
		var texts strings.Builder
		for _, check := range source.Gates {
			sql := strings.ReplaceAll(check.SQL, pipeline.ObservedOn, "date '2000-01-01'")
			texts.WriteString(sql + "\n")
			references, err := b.references(sql)
			if err == nil {
				_, err = b.db.Columns(b.ctx, sql)
			}
			if err != nil {
				b.problem(source.Path, source.Name+", gate "+check.Name, "", "%v", err)
			}
			for _, table := range references {
				if table != source.Table() && table != pipeline.GoodTable(source.Name) {
					b.problem(source.Path, source.Name+", gate "+check.Name, "", "a gate reads %s and %s only, not %s", source.Table(), pipeline.GoodTable(source.Name), table)
				}
			}
		}
		b.out.CheckMacros[source.Table()] = b.macrosIn(texts.String())
	}
}

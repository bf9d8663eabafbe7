package lineage

import (
	"context"
	"slices"
	"strings"

	"tamiz/pipeline"
)

// Deriver finds derivations in one snapshot.
type Deriver struct {
	Plan    *pipeline.Plan
	Walk    *pipeline.Walk // it knows where artifacts and raw bytes lie; Derive runs nothing with it
	Tracer  pipeline.Tracer
	Reader  pipeline.RecordReader
	Lineage pipeline.ColumnLineage // nil: not known, so that everything is followed

	Mart      *pipeline.Model
	Published string // file of the mart, as it was published
	Column    string // "" for all
	Most      int    // a group of more rows is counted and not followed; 0: no limit
	Together  bool   // see [pipeline.TraceTask]
	Counted   bool   // raw records are counted from the beginning of their files, not looked for by known places
}

// node is a row while the derivations are found.
type node struct {
	table  string
	key    []*string
	values []*string
	inputs []edge
	proof  ProofOfRow
	fault  *RowFault
}

type edge struct {
	table    string
	kind     pipeline.TraceKind
	count    int64
	rows     []*node
	records  []*Record
	followed bool
}

// Derivations holds the derivations of many rows; what they share stands in it once.
type Derivations struct {
	*Deriver
	roots   []*node
	columns map[string][]pipeline.Column // of tables, as their files have them
	rows    map[string]map[string]*node  // table → key → row
	records map[string]map[string]*Record
	masked  map[string]bool // tables that hold the records of a private source one by one
	needs   map[string]map[string]bool
	inFull  map[string]bool // tables whose steps were run in full, and made the same
	unlike  []Fault         // those that made another
}

// Derive finds and proves the derivations of the rows with these keys. Tables
// are done one after another, from the mart to the raw files, those that do
// not wait for each other beside each other; rows that come out different are
// told in the graph and are no error.
func (d *Deriver) Derive(ctx context.Context, keys [][]*string) (*Derivations, error) {
	g := &Derivations{Deriver: d, columns: map[string][]pipeline.Column{}, rows: map[string]map[string]*node{}, records: map[string]map[string]*Record{}, masked: map[string]bool{}}
	g.needs = d.columnsNeeded()
	for _, key := range keys {
		g.roots = append(g.roots, g.row(d.Mart.Name, key))
	}
	return g, g.run(ctx)
}

// followed lists the inputs of a model whose rows are followed.
func (d *Deriver) followed(needs map[string]map[string]bool, model *pipeline.Model) []string {
	var tables []string
	for table, trace := range model.Trace {
		if len(trace.Match) > 0 && (needs == nil || needs[table] != nil) {
			tables = append(tables, table)
		}
	}
	slices.Sort(tables)
	return tables
}

// columnsNeeded says which columns of which tables the wanted columns need;
// nil if that is not known.
func (d *Deriver) columnsNeeded() map[string]map[string]bool {
	if d.Lineage == nil || d.Column == "" {
		return nil
	}
	needs := map[string]map[string]bool{}
	var visit func(ref pipeline.ColumnRef)
	visit = func(ref pipeline.ColumnRef) {
		if needs[ref.Table] == nil {
			needs[ref.Table] = map[string]bool{}
		}
		if needs[ref.Table][ref.Column] {
			return
		}
		needs[ref.Table][ref.Column] = true
		for _, input := range d.Lineage[ref.Table].Columns[ref.Column] {
			visit(input.ColumnRef)
		}
	}
	visit(pipeline.ColumnRef{Table: d.Mart.Name, Column: d.Column})
	return needs
}

// Steps lists the steps whose artifacts Derive reads and, if all are wanted,
// those that they stand on.
func (d *Deriver) Steps(all bool) []*pipeline.Step {
	seen := map[*pipeline.Step]bool{}
	var steps []*pipeline.Step
	var add func(step *pipeline.Step)
	add = func(step *pipeline.Step) {
		if seen[step] {
			return
		}
		seen[step] = true
		steps = append(steps, step)
		for _, input := range step.Inputs {
			for _, parent := range input.Steps {
				if all {
					add(parent)
				}
			}
		}
	}
	for _, table := range d.cone(d.columnsNeeded()) {
		step := d.Plan.Table(table)[0]
		if table != d.Mart.Name {
			add(step)
		}
		for _, input := range step.Inputs {
			for _, parent := range input.Steps {
				add(parent)
			}
		}
	}
	return steps
}

// cone lists the models whose rows may be derived, those that use others first.
func (d *Deriver) cone(needs map[string]map[string]bool) []string {
	in := map[string]bool{d.Mart.Name: true}
	var tables []string
	for i := len(d.Plan.Steps) - 1; i >= 0; i-- {
		step := d.Plan.Steps[i]
		if step.Model == nil || step.Kind == pipeline.StepCheck || !in[step.Table] {
			continue
		}
		tables = append(tables, step.Table)
		for _, table := range d.followed(needs, step.Model) {
			in[table] = true
		}
	}
	return tables
}

// run walks down the cone: a table is done when all that use it are.
func (g *Derivations) run(ctx context.Context) error {
	tables := g.cone(g.needs)
	waits := map[string]int{} // of tables: users that are not done
	for _, table := range tables {
		for _, input := range g.followed(g.needs, g.Plan.Table(table)[0].Model) {
			waits[input]++
		}
	}
	type outcome struct {
		table  string // "" for a raw file
		traced *pipeline.Traced
		proved bool // else its rows are found, and being proved
		err    error
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	finished, free := make(chan outcome), make(chan struct{}, max(1, g.Walk.Workers))
	running := 0
	start := func(work func() outcome) {
		running++
		go func() {
			free <- struct{}{}
			out := work()
			<-free
			finished <- out
		}()
	}
	begin := func(table string) {
		if g.Plan.Table(table)[0].Model == nil {
			for _, reading := range g.readings(table) {
				start(func() outcome { return outcome{err: g.reread(ctx, reading)} })
			}
			return
		}
		nodes := g.sorted(table)
		start(func() outcome {
			traced, err := g.trace(ctx, table, nodes, func(found *pipeline.Traced) { finished <- outcome{table: table, traced: found} })
			return outcome{table, traced, true, err}
		})
	}
	begin(tables[0])
	var failed error
	for running > 0 {
		out := <-finished
		if out.proved || out.table == "" {
			running--
		}
		if out.err != nil && failed == nil {
			failed = out.err
			stop()
		}
		if failed != nil || out.table == "" {
			continue
		}
		if out.proved {
			g.prove(out.table, out.traced)
			continue
		}
		g.keep(out.table, out.traced)
		for _, input := range g.followed(g.needs, g.Plan.Table(out.table)[0].Model) {
			if waits[input]--; waits[input] == 0 {
				begin(input)
			}
		}
	}
	return failed
}

// row gives the node of a row, a new one if it is met for the first time.
func (g *Derivations) row(table string, key []*string) *node {
	if g.rows[table] == nil {
		g.rows[table] = map[string]*node{}
	}
	text := joined(key)
	if g.rows[table][text] == nil {
		g.rows[table][text] = &node{table: table, key: key}
	}
	return g.rows[table][text]
}

// joined makes one text of values.
func joined(values []*string) string {
	var b strings.Builder
	for _, value := range values {
		if value != nil {
			b.WriteString("=" + *value)
		}
		b.WriteByte(0x1f)
	}
	return b.String()
}

// sorted gives the rows of a table that are wanted, by key.
func (g *Derivations) sorted(table string) []*node {
	texts := make([]string, 0, len(g.rows[table]))
	for text := range g.rows[table] {
		texts = append(texts, text)
	}
	slices.Sort(texts)
	nodes := make([]*node, len(texts))
	for i, text := range texts {
		nodes[i] = g.rows[table][text]
	}
	return nodes
}

// trace asks for the inputs of rows of a model, and for their proof.
func (g *Derivations) trace(ctx context.Context, table string, nodes []*node, found func(*pipeline.Traced)) (*pipeline.Traced, error) {
	if len(nodes) == 0 {
		found(&pipeline.Traced{})
		return &pipeline.Traced{}, nil
	}
	step := g.Plan.Table(table)[0]
	task := pipeline.TraceTask{Task: pipeline.Task{Step: step, Inputs: g.Walk.InputFiles(step), Memory: g.Walk.Memory}, Output: g.Walk.TablePath(step.Fingerprint), Together: g.Together, Found: found}
	if table == g.Mart.Name {
		task.Output = g.Published
	}
	for _, node := range nodes {
		task.Keys = append(task.Keys, node.key)
	}
	return g.Tracer.Trace(ctx, task)
}

// keep puts what was found into the graph, and notes which rows it needs next.
func (g *Derivations) keep(table string, traced *pipeline.Traced) {
	step := g.Plan.Table(table)[0]
	followed := g.followed(g.needs, step.Model)
	g.columns[table] = namedColumns(traced.Columns, step.Model.Columns)
	g.masked[table] = g.isMasked(step.Model)
	for i, node := range g.sorted(table) {
		row := traced.Rows[i]
		node.values = row.Values
		if row.Values == nil {
			continue // no such row
		}
		for _, input := range step.Inputs {
			trace := step.Model.Trace[input.Table]
			e := edge{table: input.Table, kind: trace.Kind}
			if len(trace.Match) == 0 {
				e.count, _ = g.size(input)
				node.inputs = append(node.inputs, e)
				continue
			}
			rows := row.Inputs[input.Table]
			e.count = int64(len(rows))
			e.followed = slices.Contains(followed, input.Table) && (g.Most == 0 || len(rows) <= g.Most)
			if e.followed {
				g.follow(&e, traced.Inputs[input.Table], rows)
			}
			node.inputs = append(node.inputs, e)
		}
	}
}

// prove notes how the rows of a table came out.
func (g *Derivations) prove(table string, traced *pipeline.Traced) {
	step := g.Plan.Table(table)[0]
	for i, node := range g.sorted(table) {
		row := traced.Rows[i]
		switch {
		case row.Values == nil:
			continue // no such row
		case row.Fault != nil:
			node.proof, node.fault = ProvedDifferent, &RowFault{row.Fault.Problem, row.Fault.Columns, row.Fault.Want, row.Fault.Found}
		case step.Model.ReproducedWhole():
			node.proof = NotProved
		default:
			node.proof = ProvedIdentical
		}
	}
}

// follow adds the rows of an input to the graph.
func (g *Derivations) follow(e *edge, columns []string, rows [][]*string) {
	step := g.Plan.Table(e.table)[0]
	for _, row := range rows {
		switch step.Kind {
		case pipeline.StepRead:
			e.records = append(e.records, g.record(e.table, columns, row))
		case pipeline.StepTable:
			node := g.row(e.table, row)
			node.values, node.proof = row, ProvedConstant
			g.columns[e.table] = namedColumns(columns, g.constantColumns(e.table))
			e.rows = append(e.rows, node)
		default:
			var key []*string
			for _, column := range step.Model.Key {
				key = append(key, row[slices.Index(columns, column)])
			}
			e.rows = append(e.rows, g.row(e.table, key))
		}
	}
}

func (g *Derivations) constantColumns(table string) []pipeline.Column {
	for _, constant := range g.Plan.Pipeline.Tables {
		if constant.Name == table {
			var columns []pipeline.Column
			for _, column := range constant.Columns {
				columns = append(columns, pipeline.Column{Name: column.Name, Type: column.Type, Description: column.Description})
			}
			return columns
		}
	}
	return nil
}

// namedColumns gives the descriptions of columns in the order of a file.
func namedColumns(names []string, described []pipeline.Column) []pipeline.Column {
	columns := make([]pipeline.Column, len(names))
	for i, name := range names {
		columns[i].Name = name
		for _, column := range described {
			if column.Name == name {
				columns[i] = column
			}
		}
	}
	return columns
}

// isMasked reports whether a model holds the records of a private source one
// by one.
func (g *Derivations) isMasked(model *pipeline.Model) bool {
	for table := range model.Trace {
		steps := g.Plan.Table(table)
		if g.Plan.IsRead(table) && steps[0].Source.Private {
			return true
		}
		if model.Rows.Kind == pipeline.RowsOnePer && slices.Contains(model.Rows.From, table) && steps[0].Model != nil && g.isMasked(steps[0].Model) {
			return true
		}
	}
	return false
}

// size counts the rows of an input, and gives the digest of its file; none if
// it is made of several.
func (g *Derivations) size(input pipeline.StepInput) (rows int64, digest pipeline.Digest) {
	for _, step := range input.Steps {
		record, err := g.Walk.Warehouse.Record(step.Fingerprint)
		if err != nil {
			continue // it was there when the step was traced
		}
		rows += record.Rows
		if len(input.Steps) == 1 {
			digest = record.Digests[pipeline.TableFile]
		}
	}
	return rows, digest
}

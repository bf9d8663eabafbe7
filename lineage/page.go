package lineage

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"tamiz/pipeline"
)

//go:embed why.html
var pageText string

var pageTemplate = template.Must(template.New("why").Parse(pageText))

// page is what the template shows.
type page struct {
	*Derivation
	Title   string
	Values  []pageValue
	Tree    pageRow
	Whole   []pageTable
	Verdict []string
}

type pageValue struct{ Name, Value, Meaning string }

// pageRow is a row or a record, with what is below it.
type pageRow struct {
	Anchor  string // "" where it stands elsewhere already
	Link    string // to where it stands
	Name    string
	About   string // what its table is
	Program string
	Facts   []pageValue
	Proof   string
	Good    bool
	Open    bool
	Values  []pageValue
	Text    string // of a record
	Below   []pageRow
	Notes   []string // inputs without rows, or not followed
}

type pageTable struct {
	Name, About, Digest, Sources string
	Count                        string
	Columns                      []string
	Rows                         [][]string
}

// WritePage writes a derivation as one HTML page that needs nothing else.
func (d *Derivation) WritePage(w io.Writer) error {
	p := &page{Derivation: d, Title: pipeline.BaseName(d.Mart) + " " + strings.Join(d.Key, " ")}
	b := &pageBuilder{d, map[int]bool{}, map[int]bool{}, map[string]bool{}}
	p.Values = b.values(d.Rows[0], true)
	p.Tree = b.row(0)
	p.Tree.Open, p.Tree.Values = true, nil
	p.Whole = b.whole()
	var text strings.Builder
	(&printer{Writer: &text, Derivation: d}).verdict()
	p.Verdict = strings.Split(strings.TrimSpace(text.String()), "\n")
	if err := pageTemplate.Execute(w, p); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

type pageBuilder struct {
	*Derivation
	rows, records map[int]bool    // that stand on the page
	tables        map[string]bool // that are explained
}

func (b *pageBuilder) values(row Row, all bool) []pageValue {
	table := b.Tables[row.Table]
	var values []pageValue
	for i, column := range table.Columns {
		if i < len(row.Values) && (row.Values[i] != nil || all && column.Name == b.Column) && (b.Column == "" || !all || column.Name == b.Column) {
			values = append(values, pageValue{column.Name, Cut(quantity(row.Values[i], column.Unit), 2000), strings.Join(strings.Fields(column.Description), " ")})
		}
	}
	return values
}

func (b *pageBuilder) row(at int) pageRow {
	row := b.Rows[at]
	table := b.Tables[row.Table]
	anchor := fmt.Sprintf("row-%d", at)
	node := pageRow{Name: strings.TrimSpace(row.Table + " " + strings.Join(b.KeyOf(row), " "))}
	if b.rows[at] {
		node.Link = anchor
		return node
	}
	b.rows[at] = true
	node.Anchor, node.About = anchor, strings.Join(strings.Fields(table.Description), " ")
	if !b.tables[row.Table] { // its first row explains it
		node.Program = table.Program
	}
	node.Proof, node.Good = proofWords[row.Proof], row.Proof != ProvedDifferent
	if table.Place != "" {
		node.Facts = append(node.Facts, pageValue{Name: "program", Value: table.Place})
	}
	if table.Method != "" {
		node.Facts = append(node.Facts, pageValue{Name: "transform", Value: table.Method})
	}
	if row.Fault != nil {
		node.Facts = append(node.Facts, pageValue{Name: "published", Value: Cut(row.Fault.Want, 4000)}, pageValue{Name: "made again", Value: Cut(row.Fault.Found, 4000)})
	}
	node.Values = b.values(row, false)
	b.explain(row.Table, node.Values)
	for _, input := range row.Inputs {
		switch {
		case input.Trace == pipeline.TraceBroadcast || input.Trace == pipeline.TraceWhole:
			node.Notes = append(node.Notes, input.Table+", all of it: "+rowsText(input.Count))
		case input.Count > 0 && !input.Followed:
			node.Notes = append(node.Notes, input.Table+": "+rowsText(input.Count)+", not followed")
		}
		for _, child := range input.Rows {
			node.Below = append(node.Below, b.row(child))
		}
		for _, record := range input.Records {
			node.Below = append(node.Below, b.record(record))
		}
	}
	return node
}

// explain leaves out what columns mean where another row of the table said it.
func (b *pageBuilder) explain(table string, values []pageValue) {
	for i := range values {
		if b.tables[table] {
			values[i].Meaning = ""
		}
	}
	b.tables[table] = true
}

func (b *pageBuilder) record(at int) pageRow {
	record := b.Records[at]
	anchor := fmt.Sprintf("record-%d", at)
	node := pageRow{Name: recordPlace(record)}
	if b.records[at] {
		node.Link = anchor
		return node
	}
	b.records[at] = true
	node.Anchor, node.About, node.Text = anchor, record.Title, Cut(record.Shown(), 20000)
	node.Proof, node.Good = "read again from the archive: identical", record.Proof != ProvedDifferent
	if !node.Good {
		node.Proof = "READ AGAIN: DIFFERENT"
	}
	node.Facts = []pageValue{{Name: "publisher", Value: record.Publisher}, {Name: "licence", Value: record.Licence}, {Name: "address", Value: record.URL},
		{Name: "seen", Value: record.Retrieved.UTC().Format("2006-01-02 15:04 UTC") + carried(record)}, {Name: "sha256", Value: string(record.Digest)}}
	for i, column := range b.Tables[record.Table].Columns {
		if i < len(record.Values) && record.Values[i] != nil && !strings.HasPrefix(column.Name, "_") {
			node.Values = append(node.Values, pageValue{column.Name, Cut(*record.Values[i], 300), column.Description})
		}
	}
	b.explain(record.Table, node.Values)
	return node
}

func (b *pageBuilder) whole() []pageTable {
	var names []string
	for _, row := range b.Rows {
		for _, input := range row.Inputs {
			if (input.Trace == pipeline.TraceBroadcast || input.Trace == pipeline.TraceWhole) && !slices.Contains(names, input.Table) {
				names = append(names, input.Table)
			}
		}
	}
	slices.Sort(names)
	var tables []pageTable
	for _, name := range names {
		table := b.Tables[name]
		shown := pageTable{Name: name, About: strings.Join(strings.Fields(table.Description), " "), Digest: string(table.Digest), Sources: strings.Join(table.Sources, ", "), Count: rowsText(table.Count)}
		for _, column := range table.Columns {
			shown.Columns = append(shown.Columns, column.Name)
		}
		for _, row := range table.Rows {
			var cells []string
			for _, value := range row {
				cells = append(cells, Cut(short(value), 300))
			}
			shown.Rows = append(shown.Rows, cells)
		}
		tables = append(tables, shown)
	}
	return tables
}

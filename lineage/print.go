package lineage

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"tamiz/pipeline"
)

// FirstSentence gives the first sentence of a text, cut to at most so many
// characters.
func FirstSentence(text string, most int) string {
	text = strings.Join(strings.Fields(text), " ")
	if end := strings.Index(text, ". "); end >= 0 {
		text = text[:end+1]
	}
	return Cut(strings.TrimSuffix(text, "."), most)
}

// Cut shortens a text to at most so many characters.
func Cut(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return strings.TrimRight(string(runes[:most-1]), " ,;:(") + "…"
}

// printer writes a derivation for people.
type printer struct {
	io.Writer
	*Derivation
	shown   map[int]bool // rows
	told    map[int]bool // records
	seen    map[valueRef]bool
	sourced map[string]bool // sources that were named
}

func (p *printer) line(format string, arguments ...any) {
	fmt.Fprintln(p, strings.TrimRight(fmt.Sprintf(format, arguments...), " "))
}

// Print writes a derivation for people: in short the values of the row and the
// records that they stand on; in full every step between.
func (d *Derivation) Print(w io.Writer, full bool) {
	p := &printer{Writer: w, Derivation: d, shown: map[int]bool{}, told: map[int]bool{}}
	what := pipeline.BaseName(d.Mart) + " " + strings.Join(d.Key, " ")
	if d.Column != "" {
		what = d.Column + " of " + what
	}
	about := "snapshot " + d.Snapshot + " · method " + d.Pipeline + " " + d.Method
	if d.Synthetic {
		about += " · synthetic data"
	}
	p.line("%s   %s", what, about)
	for _, note := range d.Notes {
		p.line("  note: %s", note)
	}
	p.line("")
	if full || d.lineage == nil {
		p.values(d.Rows[0], full)
		p.line("")
	}
	if full {
		p.line("%s", p.title(0))
		p.tree(0, "")
		p.line("")
	} else if d.lineage != nil {
		p.seen, p.sourced = map[valueRef]bool{}, map[string]bool{}
		p.value(0, d.Column, "")
	} else {
		p.sources()
		p.whole(full)
	}
	if full {
		p.whole(full)
	}
	p.verdict()
}

// values lists what a row says.
func (p *printer) values(row Row, full bool) {
	table := p.Tables[row.Table]
	width, unknown := 0, []string{}
	for _, column := range table.Columns {
		width = max(width, len(column.Name))
	}
	for i, column := range table.Columns {
		if p.Column != "" && column.Name != p.Column || slices.Contains(table.Key, column.Name) {
			continue
		}
		value := row.Values[i]
		if value == nil && p.Column == "" {
			unknown = append(unknown, column.Name)
			continue
		}
		text := quantity(value, column.Unit)
		if meaning := FirstSentence(column.Description, 72); meaning != "" && !full && utf8.RuneCountInString(text) <= 24 {
			text += strings.Repeat(" ", max(2, 20-utf8.RuneCountInString(text))) + meaning
		} else if full && meaning != "" {
			text += "   " + strings.Join(strings.Fields(column.Description), " ")
		}
		p.line("  %-*s  %s", width, column.Name, text)
	}
	if len(unknown) > 0 {
		p.line("  %s: %s", "unknown or none", strings.Join(unknown, ", "))
	}
}

// quantity writes a value with its unit; long numbers are rounded, for people.
func quantity(value *string, unit string) string {
	text := short(value)
	if unit != "" && value != nil {
		text += " " + unit
	}
	return text
}

// short writes a value for people.
func short(value *string) string {
	if value == nil {
		return "unknown"
	}
	text := strings.Join(strings.Fields(*value), " ")
	if number, err := strconv.ParseFloat(text, 64); err == nil && len(text) > 9 && strings.Contains(text, ".") {
		return strconv.FormatFloat(number, 'g', 6, 64)
	}
	if text == "" {
		return `""`
	}
	return text
}

// title names a row.
func (p *printer) title(at int) string {
	row := p.Rows[at]
	text := row.Table + " " + strings.Join(p.KeyOf(row), " ")
	if row.Proof == ProvedConstant {
		text = row.Table + "  (" + p.Tables[row.Table].Place + ")"
	}
	return text
}

// proofWords says how a row is proved.
var proofWords = map[ProofOfRow]string{ProvedIdentical: "made again: identical", ProvedDifferent: "MADE AGAIN: DIFFERENT",
	NotProved: "not made again: needs whole tables", ProvedInFull: "made again in full: identical"}

// tree writes everything below a row.
func (p *printer) tree(at int, indent string) {
	row, table := p.Rows[at], p.Tables[p.Rows[at].Table]
	p.shown[at] = true
	bar := "│  "
	if len(row.Inputs) == 0 {
		bar = "   "
	}
	if table.Description != "" {
		p.line("%s%s%s", indent, bar, FirstSentence(table.Description, 150))
	}
	if proof := proofWords[row.Proof]; proof != "" {
		place := table.Place
		if table.Method != "" {
			place += ", transform " + table.Method
		}
		p.line("%s%s%s · %s", indent, bar, place, proof)
	}
	if at > 0 {
		for i, column := range table.Columns {
			if i < len(row.Values) && row.Values[i] != nil && !slices.Contains(table.Key, column.Name) {
				p.line("%s%s  %s = %s", indent, bar, column.Name, Cut(quantity(row.Values[i], column.Unit), 160))
			}
		}
	}
	for i, input := range row.Inputs {
		p.input(input, indent, i == len(row.Inputs)-1)
	}
}

// input writes an input of a row, and what is below it.
func (p *printer) input(input Input, indent string, last bool) {
	branch, _ := branches(indent, last)
	table := p.Tables[input.Table]
	switch {
	case input.Trace == pipeline.TraceBroadcast || input.Trace == pipeline.TraceWhole:
		p.line("%s%s, all of it: %s · sha256 %s…", branch, input.Table, rowsText(table.Count), table.Digest.Short())
		return
	case input.Count == 0:
		p.line("%s%s: no row", branch, input.Table)
		return
	case !input.Followed:
		p.line("%s%s: %s, not followed", branch, input.Table, rowsText(input.Count))
		return
	}
	for i, at := range input.Rows {
		branch, below := branches(indent, last && i == len(input.Rows)-1)
		if p.shown[at] {
			p.line("%s%s   as above", branch, p.title(at))
			continue
		}
		p.line("%s%s", branch, p.title(at))
		p.tree(at, below)
	}
	for i, at := range input.Records {
		branch, below := branches(indent, last && i == len(input.Records)-1)
		if p.told[at] {
			p.line("%s%s   as above", branch, recordPlace(p.Records[at]))
			continue
		}
		p.told[at] = true
		p.line("%s%s", branch, recordPlace(p.Records[at]))
		p.record(p.Records[at], below, 4000)
	}
}

// branches gives the beginning of a line of the tree, and of those below it.
func branches(indent string, last bool) (branch, below string) {
	if last {
		return indent + "└─ ", indent + "   "
	}
	return indent + "├─ ", indent + "│  "
}

func rowsText(n int64) string {
	if n == 1 {
		return "1 row"
	}
	return thousands(n) + " rows"
}

// thousands writes a number with separators.
func thousands(n int64) string {
	text := strconv.FormatInt(n, 10)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// recordPlace says where a record stands.
func recordPlace(record Record) string {
	text := cmp.Or(record.File, "sha256 "+record.Digest.Short()+"…")
	if record.Part != "" {
		text += ", " + record.Part
	}
	where := "line"
	if record.Text == "" {
		where = "row"
	}
	text += ", record " + thousands(record.Number)
	if record.Line > 0 {
		text += ", " + where + " " + thousands(record.Line)
	}
	return text
}

// record writes what is known of a record, and the record itself.
func (p *printer) record(record Record, indent string, most int) {
	p.line("%s  %s, %s", indent, record.Title, record.Publisher)
	p.line("%s  licence: %s · address: %s", indent, cmp.Or(record.Licence, "none stated"), cmp.Or(record.URL, "none"))
	p.line("%s  sha256 %s · seen %s%s", indent, record.Digest, record.Retrieved.UTC().Format("2006-01-02 15:04"), carried(record))
	p.line("%s  %s", indent, Cut(record.Shown(), most))
}

func carried(record Record) string {
	if record.Carried == "" {
		return ""
	}
	return " · carried forward: " + record.Carried
}

// Shown gives the record as it stands in a text file, else its cells. A record
// that came out different says so.
func (r *Record) Shown() string {
	text := r.Text
	if text == "" {
		var cells []string
		for i, cell := range r.Cells {
			if cell == "" {
				continue
			}
			if cell = Cut(strings.Join(strings.Fields(cell), " "), 120); r.Titles[i] != "" {
				cell = r.Titles[i] + ": " + cell
			}
			cells = append(cells, cell)
		}
		text = strings.Join(cells, " | ")
	}
	if r.Masked {
		text += "   (masked: the source is private)"
	}
	if r.Proof == ProvedDifferent {
		text += "   READ AGAIN: DIFFERENT"
	}
	return text
}

// fewRecords is how many records of a source are shown in short.
const fewRecords = 4

// sources lists the records that a row stands on, by source.
func (p *printer) sources() {
	bySource := map[string][]Record{}
	var names []string
	for _, record := range p.Records {
		if bySource[record.Source] == nil {
			names = append(names, record.Source)
		}
		bySource[record.Source] = append(bySource[record.Source], record)
	}
	if len(names) == 0 {
		p.line("It stands on no record of a raw file.")
		return
	}
	p.line("It stands on %s of %s:", number(len(p.Records), "record", "records"), number(len(names), "source", "sources"))
	for n, name := range names {
		records := bySource[name]
		branch, below := branches("", n == len(names)-1)
		first := records[0]
		p.line("%s%s", branch, Cut(first.Title+" · "+first.Publisher, 130))
		for i, record := range records {
			if i == fewRecords {
				p.line("%s… and %s; --full shows all", below, number(len(records)-i, "record more", "records more"))
				break
			}
			p.line("%s%s · sha256 %s… · seen %s%s", below, recordPlace(record), record.Digest.Short(), record.Retrieved.UTC().Format("2006-01-02"), carried(record))
			p.line("%s  %s", below, Cut(record.Shown(), 150))
		}
	}
}

func number(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(int64(n)) + " " + many
}

// whole lists the tables that are used whole, and what was not followed.
func (p *printer) whole(full bool) {
	var names []string
	counted := map[string]int64{}
	var groups []string
	for _, row := range p.Rows {
		for _, input := range row.Inputs {
			switch {
			case input.Trace == pipeline.TraceBroadcast || input.Trace == pipeline.TraceWhole:
				if !slices.Contains(names, input.Table) {
					names = append(names, input.Table)
				}
			case !input.Followed && input.Count > 0 && (p.Column == "" || input.Count > 1):
				if counted[input.Table] == 0 {
					groups = append(groups, input.Table)
				}
				counted[input.Table] = max(counted[input.Table], input.Count)
			}
		}
	}
	slices.Sort(names)
	slices.Sort(groups)
	if len(names) > 0 {
		p.line("Used whole, with every row:")
		var constants []string
		for _, name := range names {
			table := p.Tables[name]
			if table.Kind == pipeline.StepTable && !full {
				constants = append(constants, name)
				continue
			}
			text := fmt.Sprintf("  %s: %s · sha256 %s…", name, rowsText(table.Count), table.Digest.Short())
			if len(table.Sources) > 0 {
				text += " · from " + strings.Join(table.Sources, ", ")
			}
			p.line("%s", text)
			if full && table.Rows != nil && len(table.Rows) <= 40 {
				for _, row := range table.Rows {
					p.line("    %s", Cut(cellsText(table.Columns, row), 220))
				}
			}
		}
		if len(constants) > 0 {
			p.line("  %s", wrapped("of the method and its catalogues: "+strings.Join(constants, ", "), 118, "    "))
		}
	}
	for _, name := range groups {
		p.line("Not followed: %s of %s, which were replayed on; --full follows them", rowsText(counted[name]), name)
	}
}

// wrapped breaks a text into lines of at most so many characters.
func wrapped(text string, most int, indent string) string {
	var b strings.Builder
	length := 0
	for i, word := range strings.Fields(text) {
		size := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case length+1+size > most:
			b.WriteString("\n" + indent)
			length = len(indent)
		default:
			b.WriteString(" ")
			length++
		}
		b.WriteString(word)
		length += size
	}
	return b.String()
}

func cellsText(columns []pipeline.Column, row []*string) string {
	var cells []string
	for i, value := range row {
		if value != nil {
			cells = append(cells, columns[i].Name+" = "+short(value))
		}
	}
	return strings.Join(cells, " · ")
}

// verdict says what was proved.
func (p *printer) verdict() {
	proof := p.Proof
	for _, name := range proof.Whole {
		p.line("not proved: %s needs whole tables; --deep runs it in full", name)
	}
	if len(proof.InFull) > 0 {
		p.line("in full: %s run over whole tables, all rows identical", number(len(proof.InFull), "step was", "steps were"))
	}
	if proof.Proved {
		p.line("proved: %s replayed on %s, %s read again from the archive, all identical", number(proof.Steps, "step", "steps"),
			number(proof.Rows, "traced row", "traced rows"), number(proof.Records, "record", "records"))
		return
	}
	for _, fault := range proof.Faults {
		p.line("NOT PROVED: %s %s: %s", fault.Table, strings.Join(fault.Key, " "), fault.Problem)
		if len(fault.Columns) > 0 {
			p.line("  columns   %s", strings.Join(fault.Columns, ", "))
		}
		if fault.Want != "" {
			p.line("  published %s", Cut(fault.Want, 1000))
		}
		if fault.Found != "" {
			p.line("  made      %s", Cut(fault.Found, 1000))
		}
	}
}

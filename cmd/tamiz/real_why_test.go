package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"

	"tamiz/internal/u01"
	"tamiz/pipeline"
	"tamiz/transform"
)

// rawRecord is a record of a raw table to which a row of a mart was traced.
type rawRecord struct {
	table, file, part string
	record, line      int
}

// tracing follows rows of models down to the records that they stand on.
type tracing struct {
	t     *testing.T
	plan  *pipeline.Plan
	walk  *pipeline.Walk
	seen  map[string]bool
	found []rawRecord
}

// openTracing stands on the last run of a project.
func openTracing(t *testing.T, dir, data, name string) *tracing {
	t.Helper()
	project, err := (&options{project: dir, vars: []string{"data=" + data}}).openProject()
	if err != nil {
		t.Fatal(err)
	}
	s, err := openSession(context.Background(), project, name)
	if err != nil {
		t.Fatal(err)
	}
	pins, err := s.runs.LastPins()
	if err != nil || pins == nil {
		t.Fatalf("no run: %v", err)
	}
	return &tracing{t: t, plan: pipeline.NewPlan(s.p, s.binding, *pins, s.engines), walk: s.walk(1)}
}

// down gives the raw records that make the row of a model with this key.
func (d *tracing) down(table string, key ...string) []rawRecord {
	d.seen, d.found = map[string]bool{}, nil
	values := make([]*string, len(key))
	for i := range key {
		values[i] = &key[i]
	}
	d.follow(table, values)
	return d.found
}

func (d *tracing) follow(table string, key []*string) {
	step := d.plan.Table(table)[0]
	name := table
	for _, value := range key {
		name += "|" + textOf(value)
	}
	if d.seen[name] {
		return
	}
	d.seen[name] = true
	traced, err := transform.SQL{}.Trace(context.Background(), pipeline.TraceTask{Keys: [][]*string{key}, Output: d.walk.TablePath(step.Fingerprint), Together: true,
		Task: pipeline.Task{Step: step, Inputs: d.walk.InputFiles(step), Memory: 2 << 30}})
	if err != nil {
		d.t.Fatal(err)
	}
	if traced.Rows[0].Values == nil || traced.Rows[0].Fault != nil {
		d.t.Fatalf("%s: %+v", name, traced.Rows[0].Fault)
	}
	for _, input := range slices.Sorted(maps.Keys(traced.Inputs)) {
		columns, rows := traced.Inputs[input], traced.Rows[0].Inputs[input]
		for _, row := range rows {
			value := func(column string) *string { return row[slices.Index(columns, column)] }
			if strings.HasPrefix(input, "raw.") {
				d.add(input, value)
				continue
			}
			var next []*string
			for _, column := range d.plan.Table(input)[0].Model.Key {
				next = append(next, value(column))
			}
			d.follow(input, next)
		}
	}
}

func (d *tracing) add(table string, value func(string) *string) {
	record, errRecord := strconv.Atoi(textOf(value("_record")))
	line, errLine := strconv.Atoi(textOf(value("_line")))
	if errRecord != nil || errLine != nil {
		d.t.Fatalf("%s: %v, %v", table, errRecord, errLine)
	}
	found := rawRecord{table, textOf(value("_file")), textOf(value("_part")), record, line}
	if !slices.Contains(d.found, found) {
		d.found = append(d.found, found)
	}
}

func textOf(value *string) string {
	if value == nil {
		return "NULL"
	}
	return *value
}

// witness is a raw file as a reader other than ours sees it.
type witness struct {
	name   string
	rows   map[int][]string // by line of the text or row of the sheet
	offset int              // what a record's number must be added to give its place among rows
	order  []int            // the lines of the rows, in their order
	places map[string]int   // column of the mart → place in a row, from 0
	key    [2]int           // places of the CCT and the shift

	extension int // place of the outpost, for upper secondary
}

// register reads the register as a whole with the standard library.
func register(t *testing.T, path string) *witness {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text, err := charmap.Macintosh.NewDecoder().String(string(raw))
	if err != nil {
		t.Fatal(err)
	}
	reader := csv.NewReader(strings.NewReader(strings.ReplaceAll(text, "\r", "\n")))
	w := &witness{name: filepath.Base(path), rows: map[int][]string{}, places: map[string]int{}, key: [2]int{0, 1}}
	for {
		row, err := reader.Read()
		if err != nil {
			break
		}
		line, _ := reader.FieldPos(0)
		w.rows[line], w.order = row, append(w.order, line)
	}
	titles := w.rows[w.order[0]]
	for column, title := range map[string]string{
		"school_name": "NOMBRE CT", "municipality_name": "NOMBRE MUNICIPIO", "locality_name": " NOMBRE LOCALIDAD", "pupils_count": "MATRICULA TOTAL",
		"pupils_men_count": "HOMBRES TOTAL", "pupils_women_count": "MUJERES TOTAL", "pupils_grade_6_count": "TOTAL 6°",
		"teachers_count": "DOCENTES", "groups_count": "GRUPOS",
	} {
		if w.places[column] = slices.Index(titles, title); w.places[column] < 0 {
			t.Fatalf("the register has no column %q: %q", title, titles)
		}
	}
	return w
}

// sheetAsCSV reads the conversion that others made of a sheet: its records are
// the sheet's rows, from row 1.
func sheetAsCSV(t *testing.T, path string) *witness {
	t.Helper()
	w := &witness{name: filepath.Base(path), rows: map[int][]string{}, key: [2]int{2, 3},
		places: map[string]int{"school_name": 4, "municipality_name": 7, "locality_name": 9}}
	for i, row := range csvRecords(t, path) {
		w.rows[i+1], w.order = row, append(w.order, i+1)
	}
	w.offset = 2 // three rows of header where the register has one
	return w
}

// sheetAsXML reads a workbook of PLANEA from its XML.
func sheetAsXML(t *testing.T, path string) *witness {
	t.Helper()
	w := &witness{name: filepath.Base(path), rows: map[int][]string{}, key: [2]int{letters("C"), letters("E")}, extension: letters("F"),
		places: map[string]int{"school_name": letters("D"), "municipality_name": letters("G"), "subsystem": letters("I"),
			"enrolled_count": letters("L"), "maths_tested_count": letters("O"), "peer_group": letters("T")}}
	for i, row := range sheetRows(t, path) {
		w.rows[i+1], w.order = row, append(w.order, i+1)
	}
	return w
}

// witnesses gives, by table, part and digest of the raw file, what another
// reader sees in it.
func witnesses(t *testing.T, data string) map[string]*witness {
	t.Helper()
	all := map[string]*witness{}
	digest := func(path string) string {
		digest, _, err := pipeline.HashFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(digest)
	}
	path := filepath.Join(data, "mx", "registry", "jalisco_cct_estadistica_5.csv")
	all["raw.registry||"+digest(path)] = register(t, path)
	for _, state := range []string{"01", "06"} {
		file := digest(filepath.Join(data, "mx", "enlace2012", state+"_RESUL_ESC_GRADO_ASIGNATURA.xls"))
		for level, sheet := range enlaceSheets {
			all["raw.enlace_"+level+"|"+sheet+"|"+file] = sheetAsCSV(t, filepath.Join(data, "derived", "enlace2012_"+state+"_"+sheet+".csv"))
		}
	}
	path = filepath.Join(data, "mx", "planea_ms2017", "14_escuelas_planeams2017.xlsx")
	all["raw.planea_upper|ESC_PMS2017|"+digest(path)] = sheetAsXML(t, path)
	return all
}

// cellKind is a kind of cells of a mart that come straight from a raw cell, and
// how many of them are drawn.
type cellKind struct {
	mart, where string
	key         []string // its first two are the CCT and the shift
	columns     []string
	many        int
}

// tracedCell is one cell of a mart.
type tracedCell struct {
	mart          string
	key           []string
	column, value string
}

// draw gives the same cells in every run.
func (c cellKind) draw(t *testing.T, dir string) []tracedCell {
	t.Helper()
	var all []tracedCell
	for _, row := range query(t, dir, "select "+strings.Join(slices.Concat(c.key, c.columns), ", ")+" from "+c.mart+" where "+c.where) {
		for i, column := range c.columns {
			if value := row[len(c.key)+i]; value != "" {
				all = append(all, tracedCell{"marts." + c.mart, row[:len(c.key)], column, value})
			}
		}
	}
	chance := func(c tracedCell) float64 { return u01.Of("why|" + strings.Join(c.key, "|") + "|" + c.column) }
	slices.SortFunc(all, func(a, b tracedCell) int { return cmp.Compare(chance(a), chance(b)) })
	if len(all) < c.many {
		t.Fatalf("%s where %s has %d cells, want %d", c.mart, c.where, len(all), c.many)
	}
	return all[:c.many]
}

// realTraced follows random cells of the mart schools
// down their traces to the line of the raw file, reads that line with another
// reader, and finds the value there. It covers the register of Jalisco, both
// sheets of ENLACE for the states 01 and 06, and, with cells of the mart
// upper_secondary, a workbook of PLANEA; of the other workbooks in the old
// format there is no reading but ours.
func realTraced(t *testing.T, dir, data string) {
	t.Helper()
	tracing := openTracing(t, dir, data, "mx")
	seen := witnesses(t, data)
	columns := []string{"school_name", "municipality_name", "locality_name", "pupils_count", "pupils_men_count", "pupils_women_count",
		"pupils_grade_6_count", "teachers_count", "groups_count"}
	covered, total := map[string]int{}, 0
	for _, kind := range []cellKind{
		{"schools", "level in ('PRIMARY', 'SECONDARY') and state_code = '14'", []string{"cct", "shift"}, columns, 40},
		{"schools", "level in ('PRIMARY', 'SECONDARY') and state_code = '01'", []string{"cct", "shift"}, columns, 35},
		{"schools", "level in ('PRIMARY', 'SECONDARY') and state_code = '06'", []string{"cct", "shift"}, columns, 25},
		{"upper_secondary", "state_code = '14'", []string{"cct", "shift", "extension"},
			[]string{"school_name", "municipality_name", "subsystem", "enrolled_count", "maths_tested_count", "peer_group"}, 20},
	} {
		for _, cell := range kind.draw(t, dir) {
			held := tracing.cellIn(seen, cell, covered)
			if len(held) != 1 || clean(held[0]) != cell.value {
				t.Errorf("%s of %q: %q in the mart, %q where its traces lead", cell.column, cell.key, cell.value, held)
			}
			total += len(held)
		}
	}
	t.Logf("cells found, by file: %v", covered)
	if total != 120 || len(covered) != len(seen) {
		t.Errorf("%d cells found in %d files, want 120 in %d", total, len(covered), len(seen))
	}
}

// cellIn gives what the raw cells hold to which a cell is traced, in the files
// that have a witness. The traces of a school lead to the records of all
// shifts of its CCT; those of other shifts are not looked into.
func (d *tracing) cellIn(seen map[string]*witness, cell tracedCell, covered map[string]int) []string {
	var held []string
	for _, found := range d.down(cell.mart, cell.key...) {
		w := seen[found.table+"|"+found.part+"|"+found.file]
		if w == nil {
			continue // an area around the school, or a source without a witness
		}
		row := w.rows[found.line]
		if row == nil || w.order[found.record+w.offset] != found.line {
			d.t.Errorf("%q is traced to record %d of %s, line %d, which is another", cell.key, found.record, w.name, found.line)
			continue
		}
		if row[w.key[0]] != cell.key[0] {
			d.t.Errorf("%q is traced to line %d of %s, which is of %s", cell.key, found.line, w.name, row[w.key[0]])
		}
		place, has := w.places[cell.column]
		if !has || !strings.HasPrefix(row[w.key[1]], cell.key[1]) || len(cell.key) > 2 && cmp.Or(row[w.extension], "NONE") != cell.key[2] {
			continue
		}
		held = append(held, row[place])
		covered[w.name]++
	}
	return held
}

// clean is what staging does to text: ends trimmed, single blanks.
func clean(text string) string { return strings.Join(strings.Fields(text), " ") }

package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"

	"tamiz/lineage"
	"tamiz/pipeline"
)

var (
	whySchools = flag.Int("why-schools", 140392, "schools of the sample that make audit makes")
	whyProject = flag.String("why-project", "", "a project that has run, to be proved in place of that sample")
)

// TestWhy_RawLinesCarryTheValues proves 1,000 random rows of the profiles of
// the national sample, all together, and reads every raw record that the proof names with readers that are not ours. TestWhy does so
// for 30 of a small one.
func TestWhy_RawLinesCarryTheValues(t *testing.T) {
	if !*isAudit {
		t.Skip("takes long: make audit runs it")
	}
	dir := *whyProject
	if dir == "" {
		dir = sampleProject(t, "mx", *whySchools)
		runRecord(t, "--project", dir)
	}
	proveWhy(t, dir, "profile is not null", 1000, 0, inOneGo)
}

// manner is how rows are proved.
type manner int

const (
	inOneGo  manner = iota // all together: a step runs once, on all that was traced
	rowByRow               // a step runs for each traced row alone
)

// proveWhy derives rows of the profiles. No step may make another row, and all
// records must hold what is said of them, but for those of formats that only
// we can read: no more than unread.
func proveWhy(t *testing.T, dir, where string, many, unread int, how manner, flags ...string) {
	t.Helper()
	ctx := context.Background()
	var vars []string
	if len(flags) == 2 {
		vars = flags[1:]
	}
	w := openedWhy(t, dir, vars...)
	deriver, err := w.deriver(ctx, "profiles", "", true)
	if err != nil {
		t.Fatal(err)
	}
	deriver.Together = how != rowByRow
	keys := drawnKeys(t, dir, "profiles", deriver.Mart.Key, where, many, flags...)
	began := time.Now()
	rows := 0
	records := map[string]lineage.Record{}
	tables := map[string]lineage.Table{}
	graph, err := deriver.Derive(ctx, keys)
	if err != nil {
		t.Fatal(err)
	}
	for i := range keys {
		d, err := graph.Derivation(ctx, i, false)
		if err != nil || !graph.Found(i) {
			t.Fatalf("%v: found %t, %v", d.Key, graph.Found(i), err)
		}
		if !d.Proof.Proved || len(d.Records) == 0 {
			t.Errorf("%v: %d records, %+v", d.Key, len(d.Records), d.Proof.Faults)
		}
		rows += d.Proof.Rows
		for _, record := range d.Records {
			records[fmt.Sprint(record.Table, record.Digest, record.Number)] = record
			tables[record.Table] = d.Tables[record.Table]
		}
	}
	took := time.Since(began)
	began = time.Now()
	read, notRead := readIndependently(t, w, records, tables)
	t.Logf("%d rows of profiles proved in %s: %d traced rows (the same row counts in each), %d different records, %v of them read by other readers in %s; not: %v",
		len(keys), took.Round(time.Second), rows, len(records), read, time.Since(began).Round(time.Second), notRead)
	for source, n := range notRead {
		if unread -= n; unread < 0 {
			t.Errorf("%d records of %s have no other reader", n, source)
		}
	}
}

// readIndependently compares records with the raw bytes, read by the standard
// library and excelize. It counts by source what it read, and what it cannot.
func readIndependently(t *testing.T, w *whyWork, records map[string]lineage.Record, tables map[string]lineage.Table) (read, notRead map[string]int) {
	t.Helper()
	read, notRead = map[string]int{}, map[string]int{}
	seen := map[string]*otherReading{}
	for _, record := range records {
		source := w.plan.Table(record.Table)[0].Source
		name := string(record.Digest) + record.Part
		if seen[name] == nil {
			file, err := w.archive.Path(record.Digest)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			seen[name] = readOtherwise(t, raw, record.Part, source)
		}
		other := seen[name]
		if other == nil {
			notRead[source.Name]++
			continue
		}
		if problem := other.unlike(record, source, tables[record.Table].Columns); problem != "" {
			t.Errorf("%s, record %d, line %d of %s %s: %s", source.Name, record.Number, record.Line, record.File, record.Part, problem)
			if read["wrong"]++; read["wrong"] > 20 {
				t.Fatal("and so on")
			}
		}
		read[source.Name]++
	}
	return read, notRead
}

// otherReading is a table as another reader sees it.
type otherReading struct {
	rows   map[int64][]string // by line of the text, or row of the sheet
	number map[int64]int64    // line → number of the record, from 1; nil where several parts are counted together
	header []int64            // lines that may hold titles, the last first
	values []map[string]string
}

// readOtherwise reads a part of a raw file; nil if nothing but our own reader
// can.
func readOtherwise(t *testing.T, raw []byte, part string, source *pipeline.Source) *otherReading {
	t.Helper()
	sheet := ""
	if member, rest, ok := strings.Cut(part, " › "); ok {
		part, sheet = member, rest
	} else if bytes.HasPrefix(raw, []byte("PK\x03\x04")) && !strings.Contains(part, ".") {
		part, sheet = "", part
	}
	if part != "" && bytes.HasPrefix(raw, []byte("PK\x03\x04")) {
		archive, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range archive.File {
			if file.Name != part && path.Base(file.Name) != part {
				continue
			}
			member, err := file.Open()
			if err != nil {
				t.Fatal(err)
			}
			raw, err = io.ReadAll(member)
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	switch {
	case bytes.HasPrefix(raw, []byte("PK\x03\x04")):
		return readWorkbook(t, raw, sheet)
	case bytes.HasPrefix(raw, []byte("\xD0\xCF\x11\xE0")) || bytes.HasPrefix(raw, []byte("\x00\x00\x27\x0A")):
		return nil
	case bytes.HasPrefix(bytes.TrimSpace(raw), []byte("[")):
		return readObjects(t, raw)
	case bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")):
		return nil // polygons
	}
	return readText(t, raw, source)
}

func readWorkbook(t *testing.T, raw []byte, sheet string) *otherReading {
	t.Helper()
	book, err := excelize.OpenReader(bytes.NewReader(raw), excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	if sheet == "" {
		sheet = book.GetSheetList()[0]
	}
	rows, err := book.GetRows(sheet)
	if err != nil {
		t.Fatal(err)
	}
	o := &otherReading{rows: map[int64][]string{}}
	for i, row := range rows {
		o.rows[int64(i+1)] = row
		if i < 20 {
			o.header = append(o.header, int64(i+1))
		}
	}
	return o
}

// readObjects reads a list of objects in JSON, one a record.
func readObjects(t *testing.T, raw []byte) *otherReading {
	t.Helper()
	var list []map[string]any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&list); err != nil {
		t.Fatal(err)
	}
	o := &otherReading{}
	for _, object := range list {
		flat := map[string]string{}
		flatten("", object, flat)
		o.values = append(o.values, flat)
	}
	return o
}

func flatten(prefix string, value any, into map[string]string) {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			flatten(strings.TrimPrefix(prefix+"."+name, "."), inner, into)
		}
	case nil:
		into[prefix] = ""
	default:
		into[prefix] = fmt.Sprint(v)
	}
}

// readText reads delimited text with the standard library.
func readText(t *testing.T, raw []byte, source *pipeline.Source) *otherReading {
	t.Helper()
	text := strings.TrimPrefix(string(raw), "\uFEFF")
	if !utf8.ValidString(text) {
		decoder := charmap.Windows1252.NewDecoder()
		if slices.Contains(source.Parsing.Encodings, "mac-roman") && bytes.IndexByte(raw, '\n') < 0 {
			decoder = charmap.Macintosh.NewDecoder()
		}
		var err error
		if text, err = decoder.String(text); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(text, "\n") {
		text = strings.ReplaceAll(text, "\r", "\n")
	}
	reader := csv.NewReader(strings.NewReader(text))
	reader.FieldsPerRecord, reader.Comma = -1, rune(source.Parsing.Separator[0])
	o := &otherReading{rows: map[int64][]string{}, number: map[int64]int64{}}
	for number := int64(1 - source.Parsing.HeaderRows); ; number++ {
		row, err := reader.Read()
		if err == io.EOF {
			return o
		}
		if err != nil {
			t.Fatalf("%s: %v", source.Name, err)
		}
		line, _ := reader.FieldPos(0)
		o.rows[int64(line)], o.number[int64(line)] = row, number
		if number <= 0 {
			o.header = append(o.header, int64(line))
		}
	}
}

// unlike says how a record differs from what another reader sees.
func (o *otherReading) unlike(record lineage.Record, source *pipeline.Source, columns []pipeline.Column) string {
	if o.values != nil {
		return o.unlikeObject(record, source)
	}
	row, there := o.rows[record.Line]
	if !there {
		return "there is no such line"
	}
	if o.number != nil && o.number[record.Line] != record.Number {
		return fmt.Sprintf("that line holds record %d", o.number[record.Line])
	}
	if record.Text != "" {
		reader := csv.NewReader(strings.NewReader(record.Text))
		reader.Comma = rune(source.Parsing.Separator[0])
		if again, err := reader.Read(); err != nil || !slices.Equal(again, row) {
			return fmt.Sprintf("the raw line is %q, shown is %q", row, record.Text)
		}
	}
	compared := 0
	for i, column := range source.Parsing.Columns {
		if columns[i].Name != column.Name {
			return "the columns are in another order"
		}
		place := o.place(column, record.Line)
		if record.Values[i] == nil {
			if place >= 0 {
				return column.Name + " is said to be no column of the file"
			}
			continue
		}
		cell := ""
		if place >= 0 && place < len(row) {
			cell = row[place]
		} else if place < 0 {
			return column.Name + ": no title of the card stands in the file"
		}
		if cell != *record.Values[i] && (record.Text != "" || !sameNumber(cell, *record.Values[i])) {
			return fmt.Sprintf("%s is %q, shown is %q", column.Name, cell, *record.Values[i])
		}
		compared++
	}
	if compared == 0 {
		return "no value could be compared"
	}
	return ""
}

// place finds a card's column in the row of titles.
func (o *otherReading) place(column pipeline.SourceColumn, line int64) int {
	if column.Position > 0 {
		return column.Position - 1
	}
	for _, header := range o.header {
		if header >= line {
			break
		}
		for _, title := range column.Titles {
			if i := slices.IndexFunc(o.rows[header], func(given string) bool { return titleOf(given) == titleOf(title) }); i >= 0 {
				return i
			}
		}
	}
	return -1
}

// sameNumber reports whether two texts write one number: a workbook holds
// 9.1999999999999993 for 9.2.
func sameNumber(a, b string) bool {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && x == y
}

func titleOf(title string) string {
	return strings.ToUpper(strings.Join(strings.Fields(title), " "))
}

func (o *otherReading) unlikeObject(record lineage.Record, source *pipeline.Source) string {
	if record.Number < 1 || record.Number > int64(len(o.values)) {
		return "there is no such record"
	}
	object := o.values[record.Number-1]
	for i, column := range source.Parsing.Columns {
		found := false
		for _, title := range column.Titles {
			cell, there := object[title]
			if !there || found {
				continue
			}
			found = true
			if shown := lineage.TextOf(record.Values[i]); cell != shown && !sameNumber(cell, shown) {
				return fmt.Sprintf("%s is %q, shown is %q", column.Name, cell, lineage.TextOf(record.Values[i]))
			}
		}
	}
	return ""
}

package jsontext_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"tamiz/extract/jsontext"
)

func open(document, path string) (*jsontext.Table, error) {
	return jsontext.Open(strings.NewReader(document), int64(len(document)), path)
}

// rowsOf reads all records.
func rowsOf(t *testing.T, table *jsontext.Table) [][]string {
	t.Helper()
	var rows [][]string
	for {
		cells, number, err := table.Next()
		if errors.Is(err, io.EOF) {
			if _, _, again := table.Next(); !errors.Is(again, io.EOF) {
				t.Errorf("after the last record: %v", again)
			}
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		if rows = append(rows, slices.Clone(cells)); number != int64(len(rows)) {
			t.Fatalf("record %d has the number %d", len(rows), number)
		}
	}
}

// nested gives objects in each other, with members a.
func nested(depth int) string {
	return strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth)
}

func TestTable_GivesCellsAsTheyStand(t *testing.T) {
	cases := []struct {
		name, document, path string
		titles               []string
		rows                 [][]string
	}{
		{"paths in order of appearance", `[{"b":1,"a":{"y":2,"x":3}},{"c":4,"a":{"x":5}}]`, "",
			[]string{"b", "a.y", "a.x", "c"}, [][]string{{"1", "2", "3", ""}, {"", "", "5", "4"}}},
		{"numbers as written", `[{"n":1.0},{"n":-0},{"n":1E400},{"n":12345678901234567890.10}]`, "",
			[]string{"n"}, [][]string{{"1.0"}, {"-0"}, {"1E400"}, {"12345678901234567890.10"}}},
		{"booleans, null, lacking", `[{"v":true},{"v":false},{"v":null},{}]`, "",
			[]string{"v"}, [][]string{{"TRUE"}, {"FALSE"}, {""}, {""}}},
		{"escapes", `[{"a\u00f1o":"\"\\\/\b\n\t\u00e9\ud83d\ude00", "s":" x "},{"s":"\ud800z"}]`, "",
			[]string{"año", "s"}, [][]string{{"\"\\/\b\n\té😀", " x "}, {"", "\ufffdz"}}},
		{"bytes that are no UTF-8", "[{\"s\":\"a\xff\xfeb\",\"l\":[\"\xff\xfe\"]}]", "",
			[]string{"s", "l"}, [][]string{{"a\ufffd\ufffdb", "[\"\ufffd\ufffd\"]"}}},
		{"arrays are compact text", `[{"l": [ 1.50, {"z" : "\u00e9 ]", "a": [ ] } ]}, {"l": []}]`, "",
			[]string{"l"}, [][]string{{`[1.50,{"z":"\u00e9 ]","a":[]}]`}, {"[]"}}},
		{"geometry is one cell", `[{"geometry": {"type": "Point", "coordinates": [1.0, 2]}, "p":{"geometry":{ }}},{"geometry":null}]`, "",
			[]string{"geometry", "p.geometry"}, [][]string{{`{"type":"Point","coordinates":[1.0,2]}`, "{}"}, {"", ""}}},
		{"at a path", ` {"type":"F","crs":{"n":[{"x":9}]},"features":[{"a":1},{"a":2}],"bbox":[1,[2]]} `, "features",
			[]string{"a"}, [][]string{{"1"}, {"2"}}},
		{"at a long path", `{"a":{"b":[{"x":1}],"c":[{"x":2}]}}`, "a.c", []string{"x"}, [][]string{{"2"}}},
		{"a member with a dot in its name", `[{"a.b":1},{"a":{"b":2}}]`, "", []string{"a.b"}, [][]string{{"1"}, {"2"}}},
		{"members without a name", `[{"":1},{"":{"":2}}]`, "", []string{"", "."}, [][]string{{"1", ""}, {"", "2"}}},
		{"null where others have an object", `[{"c":null},{"c":{"x":1}}]`, "", []string{"c", "c.x"}, [][]string{{"", ""}, {"", "1"}}},
		{"JSON Lines", "{\"a\":1}\n\n{\"b\":[{}]}\r\n", "", []string{"a", "b"}, [][]string{{"1", ""}, {"", "[{}]"}}},
		{"JSON Lines of one record", `{"a":1,"b":[1,2]}`, "", []string{"a", "b"}, [][]string{{"1", "[1,2]"}}},
		{"JSON Lines, each with records", `{"b":[{}]} {"b":[{}]}`, "", []string{"b"}, [][]string{{"[{}]"}, {"[{}]"}}},
		{"byte order mark and space", "\xEF\xBB\xBF \r\n\t[ { \"a\" : 1 } , {\"a\":2}\n]\n", "", []string{"a"}, [][]string{{"1"}, {"2"}}},
		{"no records", "[]", "", nil, nil},
		{"no records at a path", `{"r":[ ]}`, "r", nil, nil},
		{"records without members", `[{},{"a":{}}]`, "", nil, [][]string{{}, {}}},
		{"as deep as may be", "[" + nested(32) + "]", "", []string{strings.Repeat("a.", 31) + "a"}, [][]string{{"1"}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			table, err := open(c.document, c.path)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(table.Titles(), c.titles) {
				t.Errorf("titles %q, want %q", table.Titles(), c.titles)
			}
			if got := rowsOf(t, table); !slices.EqualFunc(got, c.rows, slices.Equal) {
				t.Errorf("got  %q\nwant %q", got, c.rows)
			}
		})
	}
}

func TestOpen_SaysWhatIsWrong(t *testing.T) {
	many := func(n int, format string) string {
		var members []string
		for i := range n {
			members = append(members, fmt.Sprintf(format, i))
		}
		return "[{" + strings.Join(members, ",") + "}]"
	}
	cases := []struct {
		name, document, path string
		want                 string
	}{
		{"empty", "", "", "the file is empty"},
		{"blank", "\xEF\xBB\xBF \n", "", "the file is empty"},
		{"web page", "\n<!DOCTYPE html><html>", "", `got a web page instead of JSON: the file begins with "<!DOCTYPE html><html>"`},
		{"web page at a path", "<html>", "features", "got a web page instead of JSON"},
		{"text", "a,b\n1,2", "", `the file holds no array of records: it begins with "a,b\n1,2", at byte 0`},
		{"UTF-16", "\xFF\xFE[\x00]\x00", "", "UTF-16: save it as UTF-8"},
		{"a number", " 12 ", "", "at byte 1"},
		{"an object around one array", `{"type":"F","features":[{"a":1}]}`, "", `the document is an object, no array of records: it holds arrays under "features": say on the card which one is meant: path: features`},
		{"an object around several", `{"a":[{}],"b":{"c":[{}],"e: f":[]},"d":[1]}`, "", `"a", "b.c", "b.e: f": say on the card which one is meant: path: a or path: b.c or path: "b.e: f"`},
		{"five at most", `{"a":[{}],"b":[{}],"c":[{}],"d":[{}],"e":[{}],"f":[{}]}`, "", `path: d or path: e`},
		{"path into an array", `[{"a":1}]`, "features", `the document is an array itself, so there is no "features" in it: take the path out of the card`},
		{"no such path", `{"a":{"b":[{}]},"on":[{}]}`, "features", `there is no "features" in the document: it holds arrays under "a.b", "on": say on the card which one is meant: path: a.b or path: "on"`},
		{"no such path and no array", `{"a":1}`, "features", "it holds no array of records"},
		{"path to an object", `{"a":{"b":[]}}`, "a", `at byte 5: the member "a" is no array`},
		{"path to a number", `{"a":1}`, "a", `the member "a" is no array`},
		{"path twice", `{"a":[],"a":[]}`, "a", `at byte 12: there are two members "a"`},
		{"no object", `[{"a":1},  12]`, "", "record 2, at byte 11: it is a number, no object"},
		{"null after a record", `[{"a":1},null]`, "", "record 2, at byte 9: it is null, no object"},
		{"an array", `[[1]]`, "", "record 1, at byte 1: it is an array, no object"},
		{"a string", `["x"]`, "", "it is a string, no object"},
		{"a boolean", `[true]`, "", "it is true, no object"},
		{"JSON Lines with an array", `{"a":1} [2]`, "", "record 2, at byte 8: it is an array, no object"},
		{"twice", `[{},{"a":1,"a":1}]`, "", `record 2, at byte 4: the member "a" comes twice in it`},
		{"twice by an escape", `[{"a":1,"\u0061":1}]`, "", `the member "a" comes twice`},
		{"twice within", `[{"b":{"a":1,"a":[]}}]`, "", `the member "b.a" comes twice`},
		{"two empty objects", `[{"b":{},"b":{}}]`, "", `the member "b" comes twice`},
		{"object and value", `[{"b":{},"b":1}]`, "", `the member "b" comes twice`},
		{"twice by a dot", `[{"b":{"a":1},"b.a":1}]`, "", `the member "b.a" comes twice`},
		{"cut in a record", `[{"a":1},{"a":`, "", "record 2, at byte 9: the document is cut short, it ends at byte 14"},
		{"cut after a record", `[{"a":1}`, "", "the document is cut short, it ends at byte 8"},
		{"cut after the records", `{"r":[{"a":1}]`, "r", "the document is cut short, it ends at byte 14"},
		{"cut before the records", `{"x":[1`, "r", "the document is cut short"},
		{"cut JSON Lines", "{\"a\":1}\n{\"a\"", "", "record 2, at byte 8: the document is cut short"},
		{"a fault in a record", `[{"a":1}, {"a":2,"b":x}]`, "", "record 2, at byte 10: in byte 21: this is no valid JSON: invalid character 'x'"},
		{"a fault after tokens", `{"x":[1,2,"y"],"r":[{"a":tru}]}`, "r", "in byte 28: this is no valid JSON"},
		{"no comma", `[{"a":1} {"a":2}]`, "", "record 2, at byte 9: this is no valid JSON"},
		{"a comma at the end", `[{"a":1},]`, "", "record 2, at byte 9: in byte 9: this is no valid JSON"},
		{"a wrong end", `[{"a":1}}`, "", "this is no valid JSON"},
		{"something after it", `[{"a":1}] x`, "", "at byte 10: something follows the end of the document"},
		{"another array after it", `[{"a":1}][]`, "", "something follows the end of the document"},
		{"something after the object", `{"r":[]} {}`, "r", "something follows the end of the document"},
		{"too deep", "[" + nested(33) + "]", "", "objects lie in each other more than 32 deep"},
		{"arrays without end", strings.Repeat("[", 1e6), "", "record 1, at byte 1: in byte 10001: this is no valid JSON: invalid character '[' exceeded max depth"},
		{"arrays without end beside the records", `{"x":` + strings.Repeat("[", 1e6), "r", "arrays and objects lie in each other more than 10000 deep"},
		{"objects without end", strings.Repeat(`{"a":`, 1e6), "", "exceeded max depth"},
		{"objects without end beside the records", strings.Repeat(`{"a":`, 1e6), "r", "more than 10000 deep"},
		{"arrays without end in a record", `[{"a":` + strings.Repeat("[", 1e6), "", "exceeded max depth"},
		{"many columns", many(5001, `"a%d":1`), "", "more than 5000 different columns"},
		{"many objects", many(10001, `"a%d":{}`), "", "more than 10000 different members"},
		{"long name", `[{"` + strings.Repeat("a", 1025) + `":1}]`, "", "longer than 1024 bytes"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, err := open(c.document, c.path); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// endless is a document that goes on in blocks without being in memory.
type endless struct {
	head string
	fill byte
}

func (e endless) ReadAt(p []byte, at int64) (int, error) {
	for i := range p {
		if p[i] = e.fill; at+int64(i) < int64(len(e.head)) {
			p[i] = e.head[at+int64(i)]
		}
	}
	return len(p), nil
}

func TestOpen_BoundsWhatItKeeps(t *testing.T) {
	const size = 1 << 40
	for _, c := range []struct{ name, head, path, want string }{
		{"a record", `[{"a":1},{"a":"`, "", "record 2, at byte 9: it is longer than 64 MiB"},
		{"a value beside the records", `{"a":"`, "r", "it is longer than 64 MiB"},
		{"an object around records", `{"r":[{}],"a":"`, "", "record 1, at byte 0: it is longer than 64 MiB, the limit of one record; if the document is an object that holds the records: it holds arrays under \"r\""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := jsontext.Open(endless{c.head, 'x'}, size, c.path); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// broken fails to read from some offset on.
type broken struct {
	document string
	from     int64
	err      error
}

func (b broken) ReadAt(p []byte, at int64) (int, error) {
	n := 0
	if at < b.from {
		n = copy(p, b.document[at:b.from])
	}
	if n < len(p) {
		return n, b.err
	}
	return n, nil
}

func TestOpen_PassesOnWhatTheDiskSays(t *testing.T) {
	fault := errors.New("the disk is gone")
	for path, document := range map[string]string{"": `[{"a":1},{"a":[2]}]`, "r": `{"x":[1],"r":[{"a":1}],"z":2}`} {
		for from := range int64(len(document)) {
			if _, err := jsontext.Open(broken{document, from, fault}, int64(len(document)), path); !errors.Is(err, fault) {
				t.Errorf("%s broken from byte %d: %v", document, from, err)
			}
		}
	}
}

func TestNext_NoticesThatTheFileWasChanged(t *testing.T) {
	for _, c := range []struct{ before, after string }{
		{`{"a":1},{"a":2}]`, `{"b":1},{"a":2}]`},
		{`{"a":{}}]      `, `{"a":123}]     `},
		{`{"a":1}]`, `{"a":1}`},
	} {
		space := "[" + strings.Repeat(" ", 1<<18) // more than is read ahead
		document := []byte(space + c.before)
		table, err := jsontext.Open(bytes.NewReader(document), int64(len(document)), "")
		if err != nil {
			t.Fatal(err)
		}
		clear(document)
		copy(document, space+c.after)
		for err == nil {
			_, _, err = table.Next()
		}
		if errors.Is(err, io.EOF) {
			t.Errorf("%s became %s, unnoticed", c.before, c.after)
		}
	}
}

// decodeAll reads records with encoding/json alone.
func decodeAll(document []byte) ([]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(document, []byte("\xEF\xBB\xBF"))))
	decoder.UseNumber()
	var values []any
	for {
		var value any
		err := decoder.Decode(&value)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	if len(values) == 1 {
		if array, ok := values[0].([]any); ok {
			return array, nil
		}
	}
	return values, nil
}

// flatten gives the cells of a value that encoding/json read; arrays and
// geometries as values.
func flatten(cells map[string]any, path, name string, value any) {
	switch v := value.(type) {
	case nil:
		cells[path] = ""
	case bool:
		cells[path] = strings.ToUpper(fmt.Sprint(v))
	case json.Number:
		cells[path] = v.String()
	case map[string]any:
		if name == "geometry" {
			cells[path] = v
			return
		}
		for key, inner := range v {
			flatten(cells, path+"."+key, key, inner)
		}
	default:
		cells[path] = v
	}
}

// compare checks a table against values that encoding/json read, and gives the
// number of cells that are there.
func compare(t *testing.T, table *jsontext.Table, values []any) int {
	t.Helper()
	titles, seen, count := table.Titles(), map[string]bool{}, 0
	for i, value := range values {
		record, ok := value.(map[string]any)
		if !ok {
			t.Fatalf("record %d is no object: %v", i+1, value)
		}
		want := map[string]any{}
		for key, inner := range record {
			flatten(want, key, key, inner)
		}
		cells, number, err := table.Next()
		if err != nil || number != int64(i+1) || len(cells) != len(titles) {
			t.Fatalf("record %d: number %d, %d cells, %v", i+1, number, len(cells), err)
		}
		for j, title := range titles {
			wanted, there := want[title]
			if !there {
				wanted = ""
			} else {
				seen[title] = true
				count++
			}
			if text, ok := wanted.(string); ok {
				if cells[j] != text {
					t.Fatalf("record %d, %q: got %q, want %q", i+1, title, cells[j], text)
				}
				continue
			}
			decoded, err := decodeAll([]byte("[" + cells[j] + "]"))
			if err != nil || len(decoded) != 1 || !reflect.DeepEqual(decoded[0], wanted) {
				t.Fatalf("record %d, %q: got %q, %v, want %v", i+1, title, cells[j], err, wanted)
			}
			delete(want, title)
		}
		for title := range want {
			if !slices.Contains(titles, title) {
				t.Fatalf("record %d: there is no column %q", i+1, title)
			}
		}
	}
	if _, _, err := table.Next(); !errors.Is(err, io.EOF) {
		t.Fatalf("after %d records: %v", len(values), err)
	}
	if len(seen) != len(titles) {
		t.Fatalf("titles %q, but only %q are in records", titles, slices.Collect(maps.Keys(seen)))
	}
	return count
}

func FuzzTable(f *testing.F) {
	for _, document := range []string{
		`[{"b":1,"a":{"y":2,"x":3}},{"c":4,"a":{"x":5}}]`,
		`[{"a\u00f1o":"\"\\\ud83d\ude00","l":[ 1, {"z":[]} ]},{"v":true,"w":null}]`,
		"{\"a\":1}\n{\"a.b\":-1.5e3,\"geometry\":{ \"x\":[1]}}\n",
		`{"type":"F","r":[{"a":1}],"x":[1,[2]]}`,
		"\xEF\xBB\xBF[]", `[{"a":1},null]`, `[{"a":1,"a":2}]`, `{"r":[{}],"r":[]}`, "[[[[", `[{"":{"":0}},]`, "[{\"\xff\":\"\xff\"}]", "<html>",
	} {
		f.Add([]byte(document), "")
		f.Add([]byte(document), "r")
	}
	f.Fuzz(func(t *testing.T, document []byte, path string) {
		table, err := open(string(document), path)
		if err != nil {
			return
		}
		if path == "" {
			values, err := decodeAll(document)
			if err != nil {
				t.Fatal("read, but encoding/json says", err)
			}
			compare(t, table, values)
			return
		}
		if !json.Valid(bytes.TrimPrefix(document, []byte("\xEF\xBB\xBF"))) {
			t.Fatal("read, but encoding/json says that it is not valid")
		}
		// A byte that is no UTF-8 becomes the three of U+FFFD.
		size := 0
		for _, row := range rowsOf(t, table) {
			for _, cell := range row {
				size += len(cell)
			}
		}
		if size > 3*len(document) {
			t.Fatalf("%d bytes became %d", len(document), size)
		}
	})
}

package extract_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tamiz/extract"
	"tamiz/pipeline"
)

// TestRecords_ByTheirPlaces reads records by the places that a whole reading
// has left, and by counting from the beginning of the file: both give the same.
func TestRecords_ByTheirPlaces(t *testing.T) {
	var text strings.Builder
	text.WriteString("\xEF\xBB\xBFA,B\r\n")
	for i := range 5000 {
		switch i % 5 {
		case 0:
			fmt.Fprintf(&text, "%d,\"two\r\nlines of \"\"é\"\"\"\r\n", i)
		case 1:
			fmt.Fprintf(&text, "\n%d,plain\n", i)
		default:
			fmt.Fprintf(&text, "%d,%s\r", i, strings.Repeat("x", i%97))
		}
	}
	source := card(column("a", "A"), column("b", "B"))
	file := put(t, filepath.Join(t.TempDir(), "raw"), text.String())
	_, dir, err := readFile(t, t.Context(), source, file)
	if err != nil {
		t.Fatal(err)
	}
	places := filepath.Join(dir, pipeline.PlacesFile)
	digest, _, err := pipeline.HashFile(file)
	if err != nil {
		t.Fatal(err)
	}
	read := func(places string, numbers ...int64) string {
		t.Helper()
		task := pipeline.Task{Dir: t.TempDir(), Step: &pipeline.Step{Kind: pipeline.StepRead, Table: "raw.registry", Source: source, Raw: digest},
			Inputs: []pipeline.TaskInput{{Table: "raw.registry", Files: []string{file}}}}
		found, err := extract.Reader{}.Records(t.Context(), task, places, numbers)
		if err != nil {
			return err.Error()
		}
		told := ""
		for _, record := range found {
			told += fmt.Sprintf("%d line %d %q: %q %q\n", record.Number, record.Line, record.Text, *record.Values[0], *record.Values[1])
		}
		return told
	}
	for _, numbers := range [][]int64{{1}, {1024}, {1025}, {1026, 1027, 4999}, {2, 2048, 2049, 2050, 5000}, {5001}} {
		if got, want := read(places, numbers...), read("", numbers...); got != want {
			t.Errorf("%v: by places\n%swant\n%s", numbers, got, want)
		}
	}
	if got := read(places, 4097); !strings.Contains(got, `"4096"`) {
		t.Errorf("record 4,097 is %s", got)
	}
	// They are used, and they are a help only: what is no such file is passed over.
	put(t, places, `{"format":"tamiz-places/1","encoding":"utf-8","mark":3,"records":[{"n":4000,"at":8,"line":2}]}`)
	if got := read(places, 4000); !strings.Contains(got, `"0"`) {
		t.Errorf("places are not used: %s", got)
	}
	for _, broken := range []string{"", "{", `{"format":"tamiz-places/0","records":[{"n":4000,"at":8,"line":2}]}`} {
		put(t, places, broken)
		if got := read(places, 4097); !strings.Contains(got, `"4096"`) {
			t.Errorf("%s: %s", broken, got)
		}
	}
	if err := os.Remove(places); err != nil {
		t.Fatal(err)
	}
	if got := read(places, 4097); !strings.Contains(got, `"4096"`) {
		t.Error(got)
	}
}

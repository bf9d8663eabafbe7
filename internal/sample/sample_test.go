package sample_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/text/encoding/charmap"

	"tamiz/internal/sample"
)

// whole holds the default samples, written once for all tests of the package.
var whole = struct {
	sync.Mutex
	dir     string
	written map[string]bool
}{written: map[string]bool{}}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "sample")
	if err != nil {
		panic(err)
	}
	whole.dir = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// folder gives the folder of the default sample of a pipeline.
func folder(t *testing.T, pipeline string) string {
	t.Helper()
	whole.Lock()
	defer whole.Unlock()
	dir := filepath.Join(whole.dir, pipeline)
	if !whole.written[pipeline] {
		if _, err := sample.Write(t.Context(), pipeline, dir, sample.Options{}, nil); err != nil {
			t.Fatal(err)
		}
		whole.written[pipeline] = true
	}
	return dir
}

// row is a record by column title.
type row map[string]string

// decoded reads a file as UTF-8 text; page may be nil.
func decoded(t *testing.T, path string, page *charmap.Charmap) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if page == nil {
		return string(raw)
	}
	text, err := page.NewDecoder().Bytes(raw)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// rows parses CSV text whatever its line ends, without a byte order mark.
func rows(t *testing.T, text string, comma rune) []row {
	t.Helper()
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.TrimPrefix(text, "\uFEFF"))
	reader := csv.NewReader(strings.NewReader(text))
	reader.Comma = comma
	titles, err := reader.Read()
	if err != nil {
		t.Fatal(err)
	}
	var all []row
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		one := make(row, len(titles))
		for i, title := range titles {
			one[title] = record[i]
		}
		all = append(all, one)
	}
}

func mexico(t *testing.T, name string, page *charmap.Charmap, comma rune) []row {
	t.Helper()
	return rows(t, decoded(t, filepath.Join(folder(t, "mx"), name), page), comma)
}

// planea reads the workbooks of all states of the default sample, without their footers.
func planea(t *testing.T) []row {
	t.Helper()
	var all []row
	for _, name := range forStates([]string{"planea/planea_NN.zip"}) {
		for _, book := range workbooks(t, contents(t, folder(t, "mx"), name)) {
			for _, cells := range book.cells[1 : len(book.cells)-1] {
				one := row{}
				for i, title := range book.cells[0] {
					one[title] = cells[i]
				}
				all = append(all, one)
			}
		}
	}
	return all
}

func TestWrite_GivesTheSameBytesTwice(t *testing.T) {
	for pipeline, plain := range map[string]bool{"mx": false, "np": false, "mx plain": true} {
		pipeline, _, _ := strings.Cut(pipeline, " ")
		first, second, third := t.TempDir(), t.TempDir(), t.TempDir()
		names := relative(t, first, write(t, pipeline, first, sample.Options{Schools: 300, Seed: "a", Plain: plain}))
		// Bytes may not depend on how many files are written at a time.
		before := runtime.GOMAXPROCS(1)
		write(t, pipeline, second, sample.Options{Schools: 300, Seed: "a", Plain: plain})
		runtime.GOMAXPROCS(before)
		write(t, pipeline, third, sample.Options{Schools: 300, Seed: "b", Plain: plain})
		if !slices.IsSorted(names) {
			t.Errorf("%s: the paths are not sorted: %v", pipeline, names)
		}
		for _, name := range names {
			one, other, odd := contents(t, first, name), contents(t, second, name), contents(t, third, name)
			if !bytes.Equal(one, other) {
				t.Errorf("%s: %s differs from run to run", pipeline, name)
			}
			// In a state of few schools no secondary school may have a result, whatever the seed.
			bare := strings.HasSuffix(name, ".csv") && bytes.Count(one, []byte("\n")) == 1
			if !bare && bytes.Equal(one, odd) {
				t.Errorf("%s: %s is the same for another seed", pipeline, name)
			}
		}
	}
}

func TestWrite_ListsEveryFileThatItWrote(t *testing.T) {
	for pipeline, want := range map[string][]string{
		"mx": {
			"buildings/synthetic_buildings.csv",
			"census_ageb/synthetic_RESAGEBURB.csv",
			"deaths_inegi/synthetic_deaths_2015_2018.tsv",
			"deaths_ssa/synthetic_deaths_2020_2021.csv",
			"marginalization/synthetic_IMM.csv",
			"marginalization_ageb/synthetic_IMU.csv",
			"planea/planea_NN.zip",
			"registry/synthetic_registry_1.csv",
			"registry/synthetic_registry_2.csv",
			"registry/synthetic_registry_3.csv",
			"truth/synthetic_truth.csv",
		},
		"np": {
			"allocations/synthetic_allocations.csv",
			"census/synthetic_census.csv",
			"enrolment/synthetic_enrolment.csv",
			"exams/synthetic_exams.csv",
			"population/synthetic_population.csv",
			"schools/synthetic_schools.csv",
		},
	} {
		dir := t.TempDir()
		got := relative(t, dir, write(t, pipeline, dir, sample.Options{Schools: 400}))
		if want := forStates(want); !slices.Equal(got, want) {
			t.Errorf("%s: wrote %v, want %v", pipeline, got, want)
		}
		plain := t.TempDir()
		got = relative(t, plain, write(t, pipeline, plain, sample.Options{Schools: 400, Plain: true}))
		for i, name := range want {
			want[i] = strings.Replace(name, "planea_NN.zip", "planea06_NN.csv", 1)
		}
		if pipeline == "mx" {
			want = append(want, "planea/planea09_NN.csv")
		}
		if want := forStates(want); !slices.Equal(got, want) {
			t.Errorf("%s, plain: wrote %v, want %v", pipeline, got, want)
		}
	}
}

// forStates puts the 32 states in the place of NN, and sorts.
func forStates(names []string) []string {
	var all []string
	for _, name := range names {
		if !strings.Contains(name, "NN") {
			all = append(all, name)
			continue
		}
		for state := 1; state <= 32; state++ {
			all = append(all, strings.Replace(name, "NN", fmt.Sprintf("%02d", state), 1))
		}
	}
	slices.Sort(all)
	return all
}

func TestWrite_CountsTheWorkUpToItsEnd(t *testing.T) {
	for _, pipeline := range []string{"mx", "np"} {
		var calls, last, end int
		_, err := sample.Write(t.Context(), pipeline, t.TempDir(), sample.Options{Schools: 9000}, func(done, total int) {
			if done < last || done > total {
				t.Errorf("%s: %d of %d after %d", pipeline, done, total, last)
			}
			calls, last, end = calls+1, done, total
		})
		if err != nil {
			t.Fatal(err)
		}
		if calls < 2 || last != end {
			t.Errorf("%s: %d calls, the last %d of %d", pipeline, calls, last, end)
		}
	}
}

func TestWrite_StopsWhenItIsNoLongerWanted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, err := sample.Write(ctx, "mx", t.TempDir(), sample.Options{}, func(int, int) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestWrite_RefusesWhatItCannotMake(t *testing.T) {
	for _, c := range []struct {
		pipeline string
		schools  int
		want     string
	}{
		{"mia", 10, "only of mx and np"},
		{"mx", -1, "must be 1 or more"},
		{"mx", 1_403_921, "ask for fewer schools"},
		{"np", 40_001, "ask for fewer schools"},
	} {
		_, err := sample.Write(t.Context(), c.pipeline, t.TempDir(), sample.Options{Schools: c.schools}, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %d schools: got %v, want an error with %q", c.pipeline, c.schools, err, c.want)
		}
	}
}

func write(t *testing.T, pipeline, dir string, options sample.Options) []string {
	t.Helper()
	paths, err := sample.Write(t.Context(), pipeline, dir, options, nil)
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func relative(t *testing.T, dir string, paths []string) []string {
	t.Helper()
	names := make([]string, len(paths))
	for i, path := range paths {
		name, err := filepath.Rel(dir, path)
		if err != nil {
			t.Fatal(err)
		}
		names[i] = filepath.ToSlash(name)
	}
	return names
}

func contents(t *testing.T, dir, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func BenchmarkWrite(b *testing.B) {
	for _, pipeline := range []string{"mx", "np"} {
		b.Run(pipeline, func(b *testing.B) {
			for b.Loop() {
				if _, err := sample.Write(b.Context(), pipeline, b.TempDir(), sample.Options{}, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

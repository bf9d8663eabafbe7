package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"

	"tamiz/pipeline"
)

// sourceFault is one row of FAULTS that is a source's fault.
type sourceFault struct {
	number  int
	name    string
	source  string
	verdict string
	words   []string // that the operator must read
	more    string   // what the project says more of the source
	strike  func(prefix string)
	then    func(t *testing.T, project string) (*pipeline.RunRecord, string)
}

func (f *sourceFault) card(p *publisher, scenario string) string {
	if f.more == "" {
		return ""
	}
	return f.source + " " + strings.NewReplacer("URL", p.URL, "SCENARIO", scenario).Replace(f.more)
}

// sourceFaults are transport's faults (1 to 19), then those of the files.
func sourceFaults(p *publisher) []*sourceFault {
	deaths := func(change func([]byte) []byte) func(prefix string) {
		return p.replaced("deaths_ssa.csv", change)
	}
	faults := transportFaults(p)
	for _, f := range []*sourceFault{
		{number: 20, name: "a column renamed", verdict: "carry", words: []string{"nearest: defunciones_registradas", "config/mx/sources/deaths_ssa.yml", "registered: {titles: [def_registradas, defunciones_registradas]"},
			strike: deaths(header("def_registradas", "defunciones_registradas"))},
		{number: 21, name: "columns in another order, headers with them", verdict: "publish", strike: deaths(recordsOf(func(rows [][]string) [][]string {
			for i, row := range rows {
				rows[i] = []string{row[2], row[0], row[1]}
			}
			return rows
		}))},
		{number: 24, name: "a title row inserted above the header", verdict: "carry", words: []string{"skip_rows: 1"}, strike: deaths(func(content []byte) []byte {
			return append([]byte("Defunciones por entidad\n"), fresh(content)...)
		})},
		{number: 25, name: "a new column", verdict: "publish", words: []string{"1 column of the file is not on the card"}, strike: deaths(recordsOf(func(rows [][]string) [][]string {
			for i := range rows {
				rows[i] = append(rows[i], "nueva")
			}
			return rows
		}))},
		{number: 27, name: "half of the rows gone", verdict: "carry", words: []string{"far fewer records"}, strike: deaths(recordsOf(func(rows [][]string) [][]string { return rows[:len(rows)/2] }))},
		{number: 28, name: "every row twice, identical", verdict: "publish", strike: deaths(recordsOf(func(rows [][]string) [][]string { return append(rows, rows[1:]...) }))},
		{number: 29, name: "5 % of keys twice with other values", verdict: "carry", words: []string{"the same key", "different values"}, strike: deaths(recordsOf(func(rows [][]string) [][]string {
			for i := 1; i < 1172*20; i += 20 {
				if i < len(rows) {
					rows = append(rows, []string{rows[i][0], rows[i][1], rows[i][2] + "0"})
				}
			}
			return rows
		}))},
		{number: 34, name: "3 % of dates in the future", verdict: "carry", words: []string{"lies in the future", "2199-"}, strike: deaths(recordsOf(each(func(i int, row []string) {
			if i%33 == 0 {
				row[0] = "2199" + row[0][4:]
			}
		})))},
		{number: 35, name: "one state missing", verdict: "carry", words: []string{"a part of it that was there is missing", `"one_group":"09"`}, strike: deaths(recordsOf(func(rows [][]string) [][]string {
			kept := rows[:1]
			for _, row := range rows[1:] {
				if row[1] != "09" {
					kept = append(kept, row)
				}
			}
			return kept
		}))},
		{number: 36, name: "a state's deaths zero for four weeks", verdict: "carry", words: []string{"no deaths at all for four weeks", `"state_code":"09"`}, strike: deaths(recordsOf(each(func(_ int, row []string) {
			if row[1] == "09" && strings.HasPrefix(row[0], "2020-08") {
				row[2] = "0"
			}
		})))},
	} {
		f.source = "deaths_ssa"
		faults = append(faults, f)
	}
	return append(append(faults, registryFaults(p)...), otherFaults(p)...)
}

// replaced serves a changed file in place of the sample's.
func (p *publisher) replaced(path string, change func([]byte) []byte) func(prefix string) {
	return func(prefix string) {
		content := change(p.files[path])
		p.answer(prefix+path, func(w http.ResponseWriter, r *http.Request) { serve(w, r, content) })
	}
}

func recordsOf(change func([][]string) [][]string) func([]byte) []byte {
	return func(content []byte) []byte { return edit(fresh(content), change) }
}

func header(from, to string) func([]byte) []byte {
	return func(content []byte) []byte { return []byte(strings.Replace(string(content), from, to, 1)) }
}

// status answers with a status alone.
func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, http.StatusText(code), code) }
}

func transportFaults(p *publisher) []*sourceFault {
	const path = "deaths_ssa.csv"
	newer := fresh(p.files[path])
	always := func(handler http.HandlerFunc) func(prefix string) {
		return func(prefix string) { p.answer(prefix+path, handler) }
	}
	var asked, cuts atomic.Int64
	faults := []*sourceFault{
		{number: 1, name: "one 503, then 200", verdict: "publish", strike: always(func(w http.ResponseWriter, r *http.Request) {
			if asked.Add(1) == 1 {
				status(503)(w, r)
				return
			}
			serve(w, r, newer)
		})},
		{number: 2, name: "503 for every try", verdict: "carry", words: []string{"503"}, strike: always(status(503))},
		{number: 3, name: "404", verdict: "carry", words: []string{"404", "inbox"}, strike: always(status(404))},
		{number: 4, name: "404, and the mirror serves the file", verdict: "publish", words: []string{"came from the mirror"}, more: `mirrors: ["URL/SCENARIO/mirror/deaths.csv"]`, strike: func(prefix string) {
			p.answer(prefix+path, status(404))
			p.answer(prefix+"mirror/deaths.csv", func(w http.ResponseWriter, r *http.Request) { serve(w, r, newer) })
		}},
		{number: 5, name: "403 to robots", verdict: "carry", words: []string{"403", "inbox"}, strike: always(status(403))},
		{number: 6, name: "after 5, a person puts the file into the inbox", verdict: "publish", words: []string{"taken from the inbox", "sha256"}, strike: always(status(403)),
			then: func(t *testing.T, project string) (*pipeline.RunRecord, string) {
				inbox := filepath.Join(project, "inbox", "deaths_ssa")
				if err := os.MkdirAll(inbox, 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(inbox, "descargado.csv"), newer, 0o644); err != nil {
					t.Fatal(err)
				}
				return faultRun(t, project)
			}},
		{number: 7, name: "no bytes for longer than the timeout", verdict: "carry", words: []string{"inbox"}, strike: always(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })},
		{number: 8, name: "connection cut at 70 %, server can resume", verdict: "publish", strike: always(func(w http.ResponseWriter, r *http.Request) {
			if cuts.Add(1) == 1 {
				w.Header().Set("ETag", `"stable"`)
				cut(w, newer, 0.7)
			}
			w.Header().Set("ETag", `"stable"`)
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(newer)))
		})},
		{number: 9, name: "body cut short, no length given, still valid CSV", verdict: "carry", words: []string{"far fewer records"}, strike: always(func(w http.ResponseWriter, _ *http.Request) {
			lines := strings.SplitAfter(string(newer), "\n")
			w.(http.Flusher).Flush()
			w.Write([]byte(strings.Join(lines[:len(lines)/2], "")))
		})},
		{number: 10, name: "HTML page with status 200", verdict: "carry", words: []string{"got a web page"}, strike: always(func(w http.ResponseWriter, _ *http.Request) {
			w.Write([]byte("<!DOCTYPE html><html><body>Mantenimiento</body></html>"))
		})},
		{number: 11, name: "redirect loop", verdict: "carry", strike: always(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) })},
		{number: 12, name: "redirect to a host that is not allowed", verdict: "carry", words: []string{"localhost"}, strike: always(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, strings.Replace(p.URL, "127.0.0.1", "localhost", 1)+"/base/"+path, http.StatusFound)
		})},
		{number: 13, name: "0 bytes", verdict: "carry", words: []string{"the file is empty"}, strike: always(func(http.ResponseWriter, *http.Request) {})},
		{number: 17, name: "304 for all sources", verdict: "nothing new"},
		{number: 18, name: "same bytes under a new ETag", verdict: "nothing new", strike: always(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("ETag", `"another"`)
			w.Write(p.files[path])
		})},
	}
	for _, f := range faults {
		f.source = "deaths_ssa"
	}
	return append(faults, certificateFault(), goneFault(p))
}

// certificateFault is a server whose certificate nobody has signed.
func certificateFault() *sourceFault {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = nil
	return &sourceFault{number: 16, name: "TLS certificate invalid", source: "deaths_ssa", verdict: "carry", words: []string{"certificate"},
		more: `url: "` + server.URL + `/deaths.csv"`}
}

// goneFault is the register gone for three months, then declared dead.
func goneFault(p *publisher) *sourceFault {
	return &sourceFault{number: 19, name: "required source gone for three months; then declared dead", source: "registry", verdict: "carry", words: []string{"declared dead: closed for good"},
		strike: func(prefix string) {
			for i := 1; i <= 3; i++ {
				p.answer(fmt.Sprintf("%sregistry_%d.csv", prefix, i), status(404))
			}
		},
		then: func(t *testing.T, project string) (*pipeline.RunRecord, string) {
			shiftFaults(t, project, 92)
			record, _ := faultRun(t, project)
			if got := verdictOf(record); got != "hold" || !strings.Contains(record.Reason, "source registry cannot be done without") {
				t.Errorf("gone for three months: %s (%s), want hold", got, record.Reason)
			}
			p.connect(t, project, "s19", `registry dead: "closed for good"`)
			p.replaced("deaths_ssa.csv", fresh)("/s19/") // there is something new elsewhere
			return faultRun(t, project)
		}}
}

// registryFaults strike the register, which is three files.
func registryFaults(p *publisher) []*sourceFault {
	all := func(change func([][]string) [][]string) func(prefix string) {
		return func(prefix string) {
			for i := 1; i <= 3; i++ {
				p.replaced(fmt.Sprintf("registry_%d.csv", i), func(content []byte) []byte { return edit(content, change) })(prefix)
			}
		}
	}
	faults := []*sourceFault{
		{number: 22, name: "the data of two columns swapped, ranges unlike", verdict: "carry", words: []string{"scale_of_teachers"}, strike: all(func(rows [][]string) [][]string {
			pupils, teachers := columnOf(rows, "MATRICULA TOTAL"), columnOf(rows, "DOCENTES")
			return each(func(_ int, row []string) { row[pupils], row[teachers] = row[teachers], row[pupils] })(rows)
		})},
		{number: 26, name: "an optional column gone", verdict: "publish", strike: all(func(rows [][]string) [][]string {
			name := columnOf(rows, "NOMBRE MUNICIPIO")
			for i, row := range rows {
				rows[i] = append(append([]string{}, row[:name]...), row[name+1:]...)
			}
			return rows
		}), then: func(t *testing.T, project string) (*pipeline.RunRecord, string) {
			if got := number(t, project, "select count(*) from schools where municipality_name is not null"); got > 0 {
				t.Errorf("%v schools still have the name of their municipality", got)
			}
			return lastRecord(t, project), ""
		}},
		{number: 30, name: "leading zeros of keys lost", verdict: "publish", strike: all(each(func(_ int, row []string) { row[0] = strings.TrimPrefix(row[0], "0") })),
			then: func(t *testing.T, project string) (*pipeline.RunRecord, string) {
				if got := number(t, project, "select count(*) from schools where list_contains(flags, 'CCT_PADDED')"); got < 100 {
					t.Errorf("%v schools are flagged as repaired, want hundreds", got)
				}
				return lastRecord(t, project), ""
			}},
		{number: 33, name: "one column × 100", verdict: "carry", words: []string{"of another size"}, strike: all(func(rows [][]string) [][]string {
			groups := columnOf(rows, "GRUPOS")
			return each(func(_ int, row []string) { row[groups] += "00" })(rows)
		})},
		{number: 40, name: "a new municipality, 0.2 % of schools unmatched", verdict: "publish", strike: all(func(rows [][]string) [][]string {
			for _, row := range rows[1:] {
				if strings.HasPrefix(row[0], "15") {
					row[columnOf(rows, "MUNICIPIO")] = "998"
					break
				}
			}
			return rows
		}), then: func(t *testing.T, project string) (*pipeline.RunRecord, string) {
			listed := query(t, project, "select unmatched_count, unmatched_sample[1] from linkage where link = 'registry_to_municipality' and unmatched_count > 0")
			if len(listed) != 1 || !strings.HasPrefix(listed[0][1], "15") {
				t.Errorf("the schools without their municipality are not listed: %v", listed)
			}
			return lastRecord(t, project), ""
		}},
		{number: 42, name: "grade totals no longer add up in 10 % of rows", verdict: "carry", words: []string{"pupils_total is no longer the sum of its parts", "at most 5 %"}, strike: all(func(rows [][]string) [][]string {
			first := columnOf(rows, "TOTAL 1°")
			return each(func(i int, row []string) {
				if n, err := strconv.Atoi(row[first]); err == nil && i%10 == 0 {
					row[first] = strconv.Itoa(n + 7)
				}
			})(rows)
		})},
	}
	for _, f := range faults {
		f.source = "registry"
	}
	return faults
}

func otherFaults(p *publisher) []*sourceFault {
	census := func(change func([][]string) [][]string) func(prefix string) {
		return p.replaced("census_ageb.csv", func(content []byte) []byte { return edit(content, change) })
	}
	names := func(change func(string) string) func(prefix string) {
		return p.replaced("marginalization.csv", func(content []byte) []byte { return []byte(change(string(content))) })
	}
	return []*sourceFault{
		{number: 14, name: "ZIP bomb, nested ZIP over the limit", source: "planea", verdict: "carry", words: []string{"limit"}, strike: p.replaced("planea_01.zip", func([]byte) []byte {
			return zipped("planea.xlsx", make([]byte, 64<<20))
		})},
		{number: 15, name: "ZIP cut short", source: "planea", verdict: "carry", words: []string{"cut short"}, strike: p.replaced("planea_02.zip", func(content []byte) []byte { return content[:len(content)*2/3] })},
		{number: 23, name: "two columns swapped, ranges alike", source: "census_ageb", verdict: "publish", strike: census(func(rows [][]string) [][]string {
			a, b := columnOf(rows, "VPH_PC"), columnOf(rows, "VPH_INTER")
			return each(func(_ int, row []string) { row[a], row[b] = row[b], row[a] })(rows)
		})},
		{number: 31, name: "UTF-8 became Windows-1252 (declared as possible)", source: "marginalization", verdict: "publish", words: []string{"windows-1252"}, strike: names(func(text string) string {
			text = strings.Replace(text, "Muy bajo", "Bajo", 1)
			coded, err := charmap.Windows1252.NewEncoder().String(strings.TrimPrefix(text, "\uFEFF"))
			if err != nil {
				panic(err)
			}
			return coded
		})},
		{number: 32, name: "text encoded twice", source: "marginalization", verdict: "carry", words: []string{"expect"}, strike: names(func(text string) string {
			twice, err := charmap.Windows1252.NewDecoder().String(strings.TrimPrefix(text, "\uFEFF"))
			if err != nil {
				panic(err)
			}
			return twice
		})},
		{number: 37, name: "three times as many masked cells", source: "census_ageb", verdict: "carry", words: []string{"masked"}, strike: census(func(rows [][]string) [][]string {
			first := columnOf(rows, "VPH_TV")
			return each(func(_ int, row []string) {
				for i := first; i < first+4; i++ {
					row[i] = "*"
				}
			})(rows)
		})},
		{number: 38, name: "decimal comma instead of point", source: "census_ageb", verdict: "carry", words: []string{"schooling_years", "decimal point"}, strike: census(func(rows [][]string) [][]string {
			years := columnOf(rows, "GRAPROES")
			return each(func(_ int, row []string) { row[years] = strings.Replace(row[years], ".", ",", 1) })(rows)
		})},
		{number: 39, name: "sheet renamed", source: "planea", verdict: "carry", words: []string{"no sheet of the name", "RESULTADOS"}, strike: p.replaced("planea_03.zip", renamedSheet)},
	}
}

// lastRecord reads the record of a project's latest run.
func lastRecord(t *testing.T, project string) *pipeline.RunRecord {
	t.Helper()
	warehouse, err := pipeline.OpenWarehouse(filepath.Join(project, "warehouse"))
	if err != nil {
		t.Fatal(err)
	}
	runs := warehouse.OpenRuns("mx")
	ids, err := runs.IDs()
	if err != nil || len(ids) == 0 {
		t.Fatal(err)
	}
	record, err := runs.Record(ids[len(ids)-1])
	if err != nil {
		t.Fatal(err)
	}
	return record
}

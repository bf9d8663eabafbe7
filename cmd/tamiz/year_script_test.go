package main

import (
	"fmt"
	"mime"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tamiz/load"
	"tamiz/pipeline"
)

// fault is a row of FAULTS: what it is, and the verdict that it must get.
type fault struct {
	number     int
	name, want string
}

var faultLine = regexp.MustCompile(`^\| (\d+) \| ([^|]*) \| ([^|]*) \|`)

// wantedVerdicts reads the table of FAULTS. That file is not in this
// repository: where it is absent, the test says so and is skipped.
func wantedVerdicts(t *testing.T) map[int]fault {
	t.Helper()
	file := os.Getenv("TAMIZ_FAULTS")
	if file == "" {
		file = "../../../shared/FAULTS.md"
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Skipf("the list of faults is not here (%v): set TAMIZ_FAULTS", err)
	}
	faults := map[int]fault{}
	for _, line := range strings.Split(string(text), "\n") {
		if match := faultLine.FindStringSubmatch(line); match != nil {
			number, _ := strconv.Atoi(match[1])
			faults[number] = fault{number, match[2], match[3]}
		}
	}
	if len(faults) < 58 {
		t.Fatalf("%s has %d faults", file, len(faults))
	}
	return faults
}

// faultRow is what came of a fault.
type faultRow struct {
	number        int
	given, period string
	decisions     int // that were asked and taken
	wrong         int // publications
	notices       int
	remark        string
}

// A course is what happens in a fortnight that is not only a matter of sources.
// It gives the verdict, and a remark for the table.
type course func(w *world, s slot) (given, remark string)

// fortnight is what happens in one fortnight of a script.
type fortnight struct {
	sources []int // faults of sources, which strike together
	number  int   // the fault whose course this is; 0: it has no row of its own
	course  course
}

// A script tells of a year: in which fortnight which faults strike. In the
// others nothing is wrong.
type script map[int]fortnight

func sources(numbers ...int) fortnight { return fortnight{sources: numbers} }

// yearOfSources has the faults of sources, two at once where both get the same
// verdict.
var yearOfSources = script{
	2: sources(1, 31), 3: sources(2, 14), 4: sources(3, 15), 5: sources(4, 23), 6: sources(5, 32), 7: sources(6, 26), 8: sources(7, 22),
	9: sources(8, 30), 10: sources(9, 33), 11: sources(10, 42), 12: sources(21, 40), 13: sources(11, 37), 14: sources(12, 38), 15: sources(13, 39),
	16: {sources: []int{16}, course: (*world).registerGoes}, 17: sources(20), 18: sources(24), 19: sources(27), 20: sources(29), 21: sources(34), 22: sources(35),
	23: {number: 19, course: (*world).registerIsDead}, 24: sources(36), 25: {sources: []int{25}, course: (*world).registerComes}, 26: sources(28),
}

// yearOfTheHouse has the faults of our own house, and what no single source
// can do.
var yearOfTheHouse = script{
	1: {course: (*world).withoutSeries}, 2: {number: 17, course: (*world).nothingIsNew}, 3: {number: 18, course: (*world).newTag},
	4: {number: 53, course: (*world).dueTwice}, 5: {number: 41, course: (*world).seriesBegins},
	6: {number: 43, course: (*world).methodWithoutVersion}, 7: {number: 44, course: (*world).storeRefuses}, 8: {number: 45, course: (*world).uploadsCut},
	9: {number: 46, course: (*world).rivalPublished}, 10: {number: 47, course: (*world).storeIsSlow}, 11: {number: 48, course: (*world).diskIsFull},
	12: {number: 49, course: (*world).killedEverywhere}, 13: {course: (*world).daemonIsDown}, 14: {number: 50, course: (*world).daemonIsBack},
	15: {number: 53, course: (*world).dueInGap}, 16: {number: 51, course: (*world).clockBack}, 17: {number: 52, course: (*world).clockForward},
	18: {number: 54, course: (*world).twoDaemons}, 19: {number: 55, course: (*world).artifactDamaged}, 20: {number: 56, course: (*world).rawDamaged},
	21: {course: (*world).rawDamagedAndServed}, 22: {number: 41, course: (*world).falseWave}, 23: {number: 57, course: (*world).mailIsDown},
	24: {number: 58, course: (*world).secretMissing},
}

// shortYear is a handful of fortnights with one fault of each verdict.
var shortYear = script{
	1: {course: (*world).withoutSeries}, 2: {number: 17, course: (*world).nothingIsNew}, 3: {number: 41, course: (*world).seriesBegins}, 4: sources(2, 14),
	5: {number: 44, course: (*world).storeRefuses}, 6: {number: 49, course: (*world).killedAtPointer},
}

// play plays the fortnights of a script from one to another.
func (w *world) play(year script, first, last int) {
	w.t.Helper()
	for i := first; i <= last; i++ {
		w.t.Logf("%s, fortnight %d, %s", w.name, i, w.slots[i-1].period)
		w.begin(w.slots[i-1])
		w.fortnight(w.slots[i-1], year[i])
	}
}

// fortnight plays one fortnight, and notes what came of its faults.
func (w *world) fortnight(s slot, f fortnight) {
	w.t.Helper()
	letters, acts, wrong := len(w.mail.taken()), w.acts, w.audit.wrong
	var came []faultRow
	if f.course != nil {
		given, remark := f.course(w, s)
		if f.number > 0 {
			came = append(came, faultRow{number: f.number, given: given, remark: remark})
		}
	}
	if f.course == nil || len(f.sources) > 0 {
		came = append(came, w.strike(s, f.sources)...)
	}
	subjects := w.subjects(letters)
	w.t.Logf("  letters: %s", strings.Join(subjects, " | "))
	if slices.Sort(subjects); len(slices.Compact(slices.Clone(subjects))) < len(subjects) {
		w.t.Errorf("something was told twice: %v", subjects)
	}
	for _, row := range came {
		row.period, row.decisions, row.wrong, row.notices = s.period, w.acts-acts, w.audit.wrong-wrong, len(subjects)
		w.rows = append(w.rows, row)
	}
	if verdict := pipeline.VerdictOf(w.audit.verdicts(), s.period); (verdict == nil || !verdict.Settled()) && !w.asleep {
		w.t.Errorf("%s is not settled at its end: %+v", s.period, verdict)
	}
}

// strike has sources fail all at once, runs, and says what came of each.
func (w *world) strike(s slot, numbers []int) []faultRow {
	w.t.Helper()
	var struck []*sourceFault
	for _, f := range sourceFaults(w.p) {
		if slices.Contains(numbers, f.number) {
			struck = append(struck, f)
		}
	}
	if len(struck) != len(numbers) {
		w.t.Fatalf("faults %v: %d are known", numbers, len(struck))
	}
	remark := ""
	before := w.latest()
	for _, f := range struck {
		if more := f.card(w.p, "world"); more != "" {
			w.configure(more)
		}
		if f.strike != nil {
			f.strike("/world/")
		}
		if f.number == 6 {
			w.write("inbox/deaths_ssa/descargado.csv", fresh(w.until(s.period)))
			remark = "a person puts the file where the letter of the fortnight before asks for it"
		}
	}
	out := w.tick(s.due.Add(time.Minute), nil, nil)
	if out.record == nil {
		w.t.Errorf("%v: no run\n%s%s", numbers, out.stdout, out.stderr)
		return nil
	}
	if len(numbers) == 0 && (out.record.Verdict != pipeline.Published || verdictOf(out.record) != "publish" && !w.gone) {
		w.t.Errorf("%s, where nothing is wrong: %s %s\n%s", s.period, verdictOf(out.record), out.record.Reason, out.stdout)
	}
	var rows []faultRow
	after := w.latest()
	for _, f := range struck {
		given := verdictOf(out.record)
		if state := stateOf(out.record, f.source); out.record.Verdict == pipeline.Published && (state.State == sourceCarried) != (given == "carry") {
			given = fmt.Sprintf("%s, but %s is %s", given, f.source, state.State)
		}
		if same := pipeline.SameFiles(filesOf(before, f.source), filesOf(after, f.source)); same != (f.verdict == "carry") {
			w.t.Errorf("fault %d, %s: the edition stands on the version before: %v\n%s", f.number, f.name, same, messageOf(out.record, f.source))
			w.audit.wrong++
		}
		for _, word := range f.words {
			if message := messageOf(out.record, f.source); !strings.Contains(message, word) {
				w.t.Errorf("fault %d, %s: %q is not in\n%s", f.number, f.name, word, message)
			}
		}
		row := faultRow{number: f.number, given: given}
		if f.number == 6 {
			row.remark = remark
		}
		rows = append(rows, row)
		if f.then != nil && (f.number == 26 || f.number == 30 || f.number == 40) {
			f.then(w.t, w.project)
		}
	}
	if slices.Contains(numbers, 6) {
		os.RemoveAll(filepath.Join(w.project, "inbox", "deaths_ssa"))
	}
	return rows
}

func stateOf(record *pipeline.RunRecord, source string) pipeline.SourceRecord {
	i := slices.IndexFunc(record.Sources, func(s pipeline.SourceRecord) bool { return s.Source == source })
	if i < 0 {
		return pipeline.SourceRecord{}
	}
	return record.Sources[i]
}

func filesOf(snapshot *load.Snapshot, source string) []pipeline.Pin {
	if snapshot == nil {
		return nil
	}
	return pinsOf(snapshot).Sources[source]
}

// latest is what readers see now.
func (w *world) latest() *load.Snapshot {
	w.t.Helper()
	snapshot, err := load.ReadLatest(w.t.Context(), w.audit.store, "mx")
	if err != nil {
		w.t.Fatal(err)
	}
	return snapshot
}

// subjects are those of the letters since there were so many.
func (w *world) subjects(since int) []string {
	w.t.Helper()
	var subjects []string
	for _, letter := range w.mail.taken()[since:] {
		message, err := mail.ReadMessage(strings.NewReader(letter))
		if err != nil {
			w.t.Fatalf("%v in a letter:\n%s", err, letter)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
		if err != nil || subject == "" {
			w.t.Errorf("a letter's subject: %q, %v\n%s", subject, err, letter)
		}
		subjects = append(subjects, subject)
	}
	return subjects
}

package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tamiz/internal/s3server"
)

var (
	wholeYear = flag.Bool("year", false, "play both simulated years with every fault of FAULTS, and write docs/year.md")
	yearDelay = flag.Duration("year-delay", 10*time.Second, "how long each call takes where the store is slow")
	yearOnly  = flag.String("year-only", "", "with -year: only what happens in these fortnights, such as 12,14; writes nothing")
)

const yearPage = "../../docs/year.md"

// TestYear_EveryFaultGetsItsVerdict lives through simulated years: a real
// publisher, a real S3 server, a real mail server, and a clock of the test's
// own. The long form is make year.
func TestYear_EveryFaultGetsItsVerdict(t *testing.T) {
	if testing.Short() {
		t.Skip("about two minutes; without -short it runs")
	}
	faults := wantedVerdicts(t)
	server := s3server.Start(t)
	for _, line := range server.Environment() { // t.Setenv would forbid years beside each other
		name, value, _ := strings.Cut(line, "=")
		before, known := os.LookupEnv(name)
		os.Setenv(name, value)
		t.Cleanup(func() {
			if os.Unsetenv(name); known {
				os.Setenv(name, before)
			}
		})
	}
	if !*wholeYear {
		w := newWorld(t, server, "short")
		w.play(shortYear, 1, len(shortYear))
		w.audit.end(w.slots[:len(shortYear)])
		judgeRows(t, faults, w.rows)
		comparePage(t, faults)
		return
	}
	began := time.Now()
	var mu sync.Mutex
	var rows []faultRow
	var sums []yearSum
	t.Run("years", func(t *testing.T) {
		for name, script := range map[string]script{"sources": yearOfSources, "house": yearOfTheHouse} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, server, name)
				w.busy = name == "sources"
				script, first, last := only(t, script)
				w.play(script, first, last)
				reads := w.audit.end(w.slots[first-1 : last])
				mu.Lock()
				defer mu.Unlock()
				rows = append(rows, w.rows...)
				sums = append(sums, yearSum{name, len(w.audit.compared), w.audit.wrong, reads, w.audit.broken, w.acts, len(w.mail.taken())})
			})
		}
	})
	slices.SortFunc(sums, func(a, b yearSum) int { return strings.Compare(b.name, a.name) })
	judgeRows(t, faults, rows)
	if !t.Failed() && *yearOnly == "" {
		writePage(t, faults, rows, sums, time.Since(began))
	}
}

// only leaves the fortnights of a script that -year-only names, and two
// before them.
func only(t *testing.T, year script) (kept script, first, last int) {
	t.Helper()
	if *yearOnly == "" {
		return year, 1, 26
	}
	kept, first = script{}, 26
	for _, word := range strings.Split(*yearOnly, ",") {
		i, err := strconv.Atoi(word)
		if err != nil || i < 2 || i > 26 {
			t.Fatalf("-year-only %s: want fortnights from 2 to 26", *yearOnly)
		}
		kept[i], first, last = year[i], min(first, max(1, i-2)), max(last, i)
	}
	return kept, first, last
}

// judgeRows wants each fault that struck to have its verdict.
func judgeRows(t *testing.T, faults map[int]fault, rows []faultRow) {
	t.Helper()
	for _, row := range rows {
		want := faults[row.number]
		if row.given != want.want || row.wrong > 0 {
			t.Errorf("fault %d, %s, in %s: %s, want %s; %d wrong publications", row.number, want.name, row.period, row.given, want.want, row.wrong)
		}
		if (want.want == "hold" || want.want == "failed") && row.notices == 0 {
			t.Errorf("fault %d, %s, in %s: nobody was told", row.number, want.name, row.period)
		}
	}
}

// yearSum is what a year came to.
type yearSum struct {
	name                                               string
	editions, wrong, reads, broken, decisions, letters int
}

const yearHead = `# Two simulated years

Made by ` + "`make year`" + `: two projects live through the 26 fortnights that end on 29 August 2021, each against a real HTTP server, a real S3 server and
a real mail server, on a clock that the test moves (` + "`tamiz schedule --once --at`" + `; its runs are processes of their own). The data are synthetic. The
expected verdicts are read from the list of faults that the design came with. *Given* is what the run's record and the ledger say. *Decisions* are
those that a hold asked for and that a person then took. *Wrong* counts publications of which one table differs from what an undisturbed run, in a
warehouse of its own, makes of the same files, or that stand on another version of a struck source than the verdict says. *Letters* are
all that the operator got in that fortnight; a source that goes on failing is told of once. In these projects' method ` + "`stale_weeks`" + ` is 30: else the
profiles would move, and ask a person, where deaths are carried for long.

| # | fault | fortnight | expected | given | decisions | wrong | letters | remark |
|---|---|---|---|---|---|---|---|---|
`

func writePage(t *testing.T, faults map[int]fault, rows []faultRow, sums []yearSum, took time.Duration) {
	t.Helper()
	slices.SortFunc(rows, func(a, b faultRow) int { return cmp.Or(a.number-b.number, strings.Compare(a.period, b.period)) })
	var b strings.Builder
	b.WriteString(yearHead)
	for _, row := range rows {
		want := faults[row.number]
		fmt.Fprintf(&b, "| %d | %s | %s | %s | %s | %d | %d | %d | %s |\n", row.number, want.name, row.period, want.want, row.given, row.decisions, row.wrong, row.notices, row.remark)
	}
	b.WriteString("\n| year | fortnights | verdicts that are settled | editions | wrong | looks of a reader at all files of the latest edition | not whole | decisions | letters |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, sum := range sums {
		fmt.Fprintf(&b, "| %s | 26 | 26 | %d | %d | %d | %d | %d | %d |\n", sum.name, sum.editions, sum.wrong, sum.reads, sum.broken, sum.decisions, sum.letters)
	}
	fmt.Fprintf(&b, "\nIt took %d minutes on %d cores. The clocks' zone is %s.\n", int(took.Minutes()+0.5), runtime.NumCPU(), yearZone)
	if err := os.WriteFile(yearPage, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// comparePage wants docs/year.md to have every fault, with the verdict that
// FAULTS wants and nothing wrong.
func comparePage(t *testing.T, faults map[int]fault) {
	t.Helper()
	text, err := os.ReadFile(yearPage)
	if err != nil {
		t.Fatal(err)
	}
	told := map[int]bool{}
	for _, line := range strings.Split(string(text), "\n") {
		cells := strings.Split(line, " | ")
		number, err := strconv.Atoi(strings.TrimPrefix(cells[0], "| "))
		if err != nil || len(cells) != 9 {
			continue
		}
		told[number] = true
		if want := faults[number]; cells[1] != want.name || cells[3] != want.want || cells[4] != want.want || cells[6] != "0" {
			t.Errorf("docs/year.md is not as FAULTS wants it; run: make year\n%s", line)
		}
	}
	for number, fault := range faults {
		if !told[number] {
			t.Errorf("docs/year.md does not tell of fault %d, %s; run: make year", number, fault.name)
		}
	}
}

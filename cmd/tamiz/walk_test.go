package main

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"tamiz/internal/u01"
	"tamiz/pipeline"
)

func TestRun_SecondRunDoesNothing(t *testing.T) {
	dir := sampleProject(t, "mx", 300)
	first := runRecord(t, "--project", dir)
	if first.Verdict != "published" || len(stepsRun(first)) == 0 {
		t.Fatalf("first run: %s, %d steps", first.Verdict, len(stepsRun(first)))
	}
	second := runRecord(t, "--project", dir)
	if second.Verdict != "nothing new" || len(stepsRun(second)) != 0 || second.Snapshot != first.Snapshot {
		t.Errorf("second run: %s of %s, steps %v", second.Verdict, second.Snapshot, stepsRun(second))
	}
	t.Run("and what then changes goes to its cause", func(t *testing.T) {
		if testing.Short() {
			t.Skip("three more runs, and the worlds between")
		}
		diffOfSample(t, dir, first.Snapshot)
	})
}

func TestWorkers_GiveTheSameBytes(t *testing.T) {
	dir := sampleProject(t, "mx", 1000)
	var want map[string]pipeline.Digest
	for _, workers := range []string{"1", "2", "4"} {
		emptyProject(t, dir)
		record := runRecord(t, "--project", dir, "--workers", workers)
		if record.Platform["arch"] == "" || record.Platform["libc"] == "" || record.Platform["fma"] == "" || record.DuckDB == "" {
			t.Errorf("the run record does not tell the platform: %v, DuckDB %s", record.Platform, record.DuckDB)
		}
		got := digests(t, dir, "mx")
		if want == nil {
			want = got
		}
		for name := range want {
			if got[name] != want[name] {
				t.Errorf("%s workers: %s has digest %s, with 1 worker %s", workers, name, got[name].Short(), want[name].Short())
			}
		}
	}
}

// TestFMA_FiguresAgree runs without fused multiply-add in Go and compares
// every figure: equal to 1e-12, on whatever platform.
func TestFMA_FiguresAgree(t *testing.T) {
	for _, name := range []string{"mx", "np"} {
		dir := sampleProject(t, name, 500)
		runRecord(t, "--project", dir)
		marts := slices.Sorted(maps.Keys(digests(t, dir, name)))
		before := map[string][][]string{}
		for _, mart := range marts {
			before[mart] = query(t, dir, "from "+mart+" order by all")
		}
		emptyProject(t, dir)
		t.Setenv("GODEBUG", "cpu.fma=off")
		if fma := runRecord(t, "--project", dir).Platform["fma"]; fma != "off in Go" && fma != "no" {
			t.Errorf("the run record says fma %s", fma)
		}
		figures := 0
		for _, mart := range marts {
			figures += compareFigures(t, mart, before[mart], query(t, dir, "from "+mart+" order by all"))
		}
		t.Setenv("GODEBUG", "")
		if r, code, said := rebuilt(t, "latest", "--from", filepath.Join(dir, "store")); code != exitDone || !r.IsProved() || len(r.Notes) == 0 {
			t.Errorf("rebuilt with fused multiply-add: exit code %d: %s", code, said)
		}
		if figures < 1000 {
			t.Errorf("%s: only %d figures were compared", name, figures)
		}
	}
}

// compareFigures wants the same cells, numbers to 1e-12; it counts numbers.
func compareFigures(t *testing.T, mart string, before, after [][]string) int {
	t.Helper()
	if len(before) != len(after) {
		t.Fatalf("%s: %d rows, before %d", mart, len(after), len(before))
	}
	figures := 0
	for i := range before {
		for j := range before[i] {
			x, errX := strconv.ParseFloat(before[i][j], 64)
			y, errY := strconv.ParseFloat(after[i][j], 64)
			if errX == nil && errY == nil {
				figures++
				if math.Abs(x-y) > 1e-12*math.Max(1, math.Abs(x)) {
					t.Errorf("%s, row %d: %s, before %s", mart, i+1, after[i][j], before[i][j])
				}
			} else if before[i][j] != after[i][j] {
				t.Errorf("%s, row %d: %q, before %q", mart, i+1, after[i][j], before[i][j])
			}
		}
	}
	return figures
}

// emptyProject removes what runs have made.
func emptyProject(t *testing.T, dir string) {
	t.Helper()
	for _, sub := range []string{"warehouse", "store"} {
		if err := os.RemoveAll(filepath.Join(dir, sub)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestKill_TheNextRunFinishes kills runs at all times. Most kills strike a
// small pipeline, whose runs are short; the walk is the same.
func TestKill_TheNextRunFinishes(t *testing.T) {
	kills := map[string]int{"mx": 5, "np": 20}
	if testing.Short() {
		kills = map[string]int{"np": 3}
	}
	for name, count := range kills {
		t.Run(name, func(t *testing.T) { killRuns(t, name, count) })
	}
}

// killRuns kills that many runs of a pipeline, and finishes each with another.
func killRuns(t *testing.T, name string, kills int) {
	t.Helper()
	dir := sampleProject(t, name, 400)
	if name == "np" {
		if err := reduce(dir); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	runRecord(t, "--project", dir)
	undisturbed := time.Since(began)
	want := digests(t, dir, name)
	hits, late := 0, 0
	for i := 0; hits < kills; i++ {
		if late > kills {
			t.Fatalf("%d kills came too late: the runs are shorter than the undisturbed one", late)
		}
		emptyProject(t, dir)
		killed := command("run", "--project", dir)
		if err := killed.Start(); err != nil {
			t.Fatal(err)
		}
		at := time.Duration(u01.Of(fmt.Sprint("kill|", i)) * float64(undisturbed))
		timer := time.AfterFunc(at, func() { killed.Process.Kill() })
		err := killed.Wait()
		timer.Stop()
		if err == nil { // it was done before the kill, which does not count
			late++
			continue
		}
		hits++
		record := runRecord(t, "--project", dir)
		if record.Verdict != pipeline.Published && record.Verdict != pipeline.NothingNew {
			t.Fatalf("kill %d at %s: the next run ended %s", i, at, record.Verdict)
		}
		for mart, digest := range digests(t, dir, name) {
			if digest != want[mart] {
				t.Errorf("kill %d at %s: %s differs from the undisturbed run", i, at, mart)
			}
		}
		if scratch, _ := filepath.Glob(filepath.Join(dir, "warehouse", "tmp", "[^b]*")); len(scratch) > 0 {
			t.Errorf("kill %d: %d scratch folders are left (that of binding may stay for a day)", i, len(scratch))
		}
	}
	t.Logf("%d kills within %s; %d more came after the run was done", hits, undisturbed.Round(time.Millisecond), late)
}

func TestReplay_EveryModelIsProvedOnItsTracedRows(t *testing.T) {
	for _, c := range []struct {
		pipeline string
		schools  int
		rows     string
	}{{"mx", 1500, "100"}, {"np", 300, "50"}} {
		t.Run(c.pipeline, func(t *testing.T) {
			t.Parallel()
			if testing.Short() {
				c.rows = "10"
			}
			dir := sampleProject(t, c.pipeline, c.schools)
			runRecord(t, "--project", dir)
			out := tamiz(t, "test", "--project", dir, "--replay", c.rows)
			if !strings.Contains(out, "all identical: true") {
				t.Error(out)
			}
		})
	}
}

func TestRun_TwoRunsNeverOverlap(t *testing.T) {
	dir := smallProject(t, 100)
	runRecord(t, "--project", dir)
	lock := flock.New(filepath.Join(dir, "warehouse", "lock"))
	if ok, err := lock.TryLock(); !ok || err != nil {
		t.Fatalf("lock: %t, %v", ok, err)
	}
	out, err := command("run", "--project", dir).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitBusy || !strings.Contains(string(out), "another run works in this warehouse") {
		t.Errorf("%v, want exit code %d (busy): %s", err, exitBusy, out)
	}
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
	if record := runRecord(t, "--project", dir); record.Verdict != pipeline.NothingNew {
		t.Errorf("after the lock was free: %s", record.Verdict)
	}
}

func TestRun_InterruptedGoesOn(t *testing.T) {
	dir := sampleProject(t, "mx", 300)
	c := command("run", "--project", dir)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, filepath.Join(dir, "warehouse", "artifacts", "*", "*", "record.json"))
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	err := c.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted {
		t.Errorf("interrupted: %v, want exit code %d", err, exitInterrupted)
	}
	if record := runRecord(t, "--project", dir); record.Verdict != pipeline.Published {
		t.Errorf("after an interruption: %s", record.Verdict)
	}
}

// waitFor waits until a file is there.
func waitFor(t *testing.T, pattern string) {
	t.Helper()
	for range 3000 {
		if found, err := filepath.Glob(pattern); err == nil && len(found) > 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%s did not appear", pattern)
}

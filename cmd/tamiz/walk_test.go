package main

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tamiz/internal/u01"
)

// soak reports whether the long form of a test is wanted (make soak).
func soak() bool { return os.Getenv("TAMIZ_SOAK") != "" }

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
}

func TestWorkers_GiveTheSameBytes(t *testing.T) {
	dir := sampleProject(t, "mx", 1000)
	var want map[string]string
	for _, setting := range []struct{ workers, godebug string }{{"1", ""}, {"2", ""}, {"4", ""}, {"2", "cpu.fma=off"}} {
		for _, sub := range []string{"warehouse", "store"} {
			if err := os.RemoveAll(filepath.Join(dir, sub)); err != nil {
				t.Fatal(err)
			}
		}
		t.Setenv("GODEBUG", setting.godebug)
		record := runRecord(t, "--project", dir, "--workers", setting.workers)
		if fma := record.Platform["fma"]; (setting.godebug != "") != (fma == "off in Go") {
			t.Errorf("GODEBUG=%s: the run record says fma %s", setting.godebug, fma)
		}
		got := map[string]string{}
		for name, digest := range digests(t, dir, "mx") {
			got[name] = string(digest)
		}
		if want == nil {
			want = got
			sums := numericSums(t, dir)
			t.Cleanup(func() { _ = sums })
			continue
		}
		for name := range want {
			if got[name] != want[name] {
				t.Errorf("%s workers, GODEBUG=%s: %s has digest %.12s, want %.12s", setting.workers, setting.godebug, name, got[name], want[name])
			}
		}
	}
}

// numericSums adds up every floating-point column of profiles, as a second
// yardstick beside the digests.
func numericSums(t *testing.T, dir string) float64 {
	t.Helper()
	sum := number(t, dir, "select sum(urgency order by all) from profiles")
	if math.IsNaN(sum) || sum <= 0 {
		t.Errorf("urgencies add up to %v", sum)
	}
	return sum
}

func TestKill_TheNextRunFinishes(t *testing.T) {
	schools, kills := 400, 20
	if soak() {
		schools, kills = 5000, 100
	}
	dir := sampleProject(t, "mx", schools)
	began := time.Now()
	runRecord(t, "--project", dir)
	undisturbed := time.Since(began)
	want := digests(t, dir, "mx")
	survived := 0
	for i := range kills {
		for _, sub := range []string{"warehouse", "store"} {
			if err := os.RemoveAll(filepath.Join(dir, sub)); err != nil {
				t.Fatal(err)
			}
		}
		killed := command("run", "--project", dir)
		if err := killed.Start(); err != nil {
			t.Fatal(err)
		}
		at := time.Duration(u01.Of(fmt.Sprint("kill|", i)) * float64(undisturbed))
		timer := time.AfterFunc(at, func() { killed.Process.Kill() })
		err := killed.Wait()
		timer.Stop()
		var exit *exec.ExitError
		if err == nil || !asExit(err, &exit) {
			survived++ // it was done before the kill
		}
		record := runRecord(t, "--project", dir)
		if record.Verdict != "published" && err != nil && record.Verdict != "nothing new" {
			t.Fatalf("kill %d at %s: the next run ended %s", i, at, record.Verdict)
		}
		for name, digest := range digests(t, dir, "mx") {
			if digest != want[name] {
				t.Errorf("kill %d at %s: %s differs from the undisturbed run", i, at, name)
			}
		}
		if scratch, _ := filepath.Glob(filepath.Join(dir, "warehouse", "tmp", "*")); len(scratch) > 0 {
			t.Errorf("kill %d: %d scratch folders are left", i, len(scratch))
		}
	}
	if survived > kills/2 {
		t.Errorf("%d of %d kills came too late to matter", survived, kills)
	}
	t.Logf("%d kills within %s, %d of them after the run was done", kills, undisturbed.Round(time.Millisecond), survived)
}

func asExit(err error, target **exec.ExitError) bool {
	exit, ok := err.(*exec.ExitError)
	*target = exit
	return ok
}

func TestReplay_EveryModelIsProvedOnItsTracedRows(t *testing.T) {
	rows, schools := "300", 1500
	if soak() {
		rows, schools = "3000", 20000
	}
	for _, name := range []string{"mx", "np"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := sampleProject(t, name, schools)
			runRecord(t, "--project", dir)
			out := tamiz(t, "test", "--project", dir, "--replay", rows)
			if !strings.Contains(out, "all identical: true") {
				t.Error(out)
			}
		})
	}
}

func TestRun_CountsCannotBeUsedByTwoRunsAtOnce(t *testing.T) {
	dir := sampleProject(t, "np", 100)
	slow := command("run", "--project", dir)
	if err := slow.Start(); err != nil {
		t.Fatal(err)
	}
	defer slow.Wait()
	lock := filepath.Join(dir, "warehouse", "lock")
	for range 500 {
		if _, err := os.Stat(lock); err == nil {
			break
		}
		time.Sleep(2 * time.Millisecond)
	}
	err := command("run", "--project", dir).Run()
	var exit *exec.ExitError
	if asExit(err, &exit) && exit.ExitCode() != exitBusy {
		t.Errorf("exit code %d, want %d (busy)", exit.ExitCode(), exitBusy)
	}
}

package notice_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tamiz/load"
	"tamiz/load/dirstore"
	"tamiz/schedule/notice"
)

// file is a channel that adds a line for each letter that it takes.
type file string

func (f file) Name() string { return "file" }

func (f file) Send(_ context.Context, letter notice.Letter) error {
	out, err := os.OpenFile(string(f), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	_, err = fmt.Fprintln(out, letter.Event.ID)
	return err
}

const crashDir, crashEvents = "TAMIZ_TEST_NOTICE_DIR", 25

// tell raises and delivers events over one outbox in dir.
func tell(t *testing.T, dir string) {
	t.Helper()
	store, err := dirstore.Open(filepath.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	outbox := notice.OpenOutbox(filepath.Join(dir, "notices"), load.OpenLedger(store, "mx"), sayer(t), "es")
	for i := range crashEvents {
		if err := outbox.Raise(t.Context(), notice.Withdrawn(about, fmt.Sprintf("2026-11-29.%d", i+1), "")); err != nil {
			t.Fatal(err)
		}
		if _, _, err := outbox.Deliver(t.Context(), []notice.Channel{file(filepath.Join(dir, "taken"))}, about.At); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOutbox_Killed kills a process that tells events, again and again, at
// other moments: each event is told, and none twice but one that a kill caught
// in the act.
func TestOutbox_Killed(t *testing.T) {
	if dir := os.Getenv(crashDir); dir != "" {
		tell(t, dir)
		return
	}
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	kills := 0
	for i := range 20 {
		child := exec.CommandContext(t.Context(), binary, "-test.run=^TestOutbox_Killed$")
		child.Env = append(os.Environ(), crashDir+"="+dir)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Duration(15+7*i)*time.Millisecond, func() { child.Process.Kill() })
		if err := child.Wait(); err != nil {
			kills++
		}
		timer.Stop()
	}
	tell(t, dir)
	taken, err := os.ReadFile(filepath.Join(dir, "taken"))
	if err != nil {
		t.Fatal(err)
	}
	times := map[string]int{}
	for id := range strings.FieldsSeq(string(taken)) {
		times[id]++
	}
	if extra := len(strings.Fields(string(taken))) - len(times); len(times) != crashEvents || extra > kills {
		t.Errorf("%d of %d events were told, %d letters too many after %d kills: %v", len(times), crashEvents, extra, kills, times)
	}
	t.Logf("%d kills, %d events, %d letters", kills, len(times), len(strings.Fields(string(taken))))
}

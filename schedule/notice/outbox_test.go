package notice_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tamiz/load"
	"tamiz/load/dirstore"
	"tamiz/schedule/notice"
)

// told is what all machines know: a Once that can be out of reach, and that
// can die after it has noted something.
type told struct {
	mu    sync.Mutex
	known map[string]bool
	err   error  // out of reach
	after func() // called after a note
}

func (o *told) Once(_ context.Context, event string, _ time.Time) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return false, o.err
	}
	first := !o.known[event]
	if o.known == nil {
		o.known = map[string]bool{}
	}
	o.known[event] = true
	if first && o.after != nil {
		o.after()
	}
	return first, nil
}

// receiver is a channel that takes letters, or does not.
type receiver struct {
	name  string
	err   error
	taken []string // IDs
}

func (r *receiver) Name() string { return r.name }

func (r *receiver) Send(_ context.Context, letter notice.Letter) error {
	if r.err == nil {
		r.taken = append(r.taken, letter.Event.ID)
	}
	return r.err
}

func deliver(t *testing.T, outbox *notice.Outbox, now time.Time, wantSent, wantWaiting int, channels ...notice.Channel) {
	t.Helper()
	sent, waiting, err := outbox.Deliver(t.Context(), channels, now)
	if err != nil || sent != wantSent || waiting != wantWaiting {
		t.Fatalf("sent %d, waiting %d, %v; want %d, %d", sent, waiting, err, wantSent, wantWaiting)
	}
}

func raise(t *testing.T, outbox *notice.Outbox, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := outbox.Raise(t.Context(), examples()[name]); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOutbox_TellsAnEventOnce(t *testing.T) {
	dir, w := t.TempDir(), sayer(t)
	outbox := notice.OpenOutbox(filepath.Join(dir, "notices"), &told{}, w, "es")
	mailbox := &receiver{name: "mail"}
	raise(t, outbox, "failed_store", "failed_store", "recovered")
	deliver(t, outbox, about.At, 2, 0, mailbox)
	raise(t, outbox, "failed_store")
	deliver(t, outbox, about.At.Add(time.Hour), 0, 0, mailbox)
	if strings.Join(mailbox.taken, " ") != "failed/mx/2026-11-29/failed_store recovered/mx/2026-11-29" {
		t.Errorf("taken: %v", mailbox.taken)
	}
	err := filepath.WalkDir(filepath.Join(dir, "notices"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s may be read by others: %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestOutbox_TwoMachinesTellAnEventOnce(t *testing.T) {
	w := sayer(t)
	mailbox := &receiver{name: "mail"}
	dir := t.TempDir()
	var machines []*notice.Outbox
	for range 2 {
		store, err := dirstore.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		machines = append(machines, notice.OpenOutbox(t.TempDir(), load.OpenLedger(store, "mx"), w, "en"))
	}
	var group sync.WaitGroup
	for _, machine := range machines {
		for _, name := range []string{"failed_store", "recovered", "withdrawn"} {
			group.Go(func() {
				if err := machine.Raise(t.Context(), examples()[name]); err != nil {
					t.Error(err)
				}
			})
		}
	}
	group.Wait()
	for _, machine := range machines {
		if _, _, err := machine.Deliver(t.Context(), []notice.Channel{mailbox}, about.At); err != nil {
			t.Fatal(err)
		}
	}
	if len(mailbox.taken) != 3 {
		t.Errorf("taken: %v", mailbox.taken)
	}
}

func TestOutbox_KeepsWhatCannotBeSent(t *testing.T) {
	w := sayer(t)
	outbox := notice.OpenOutbox(t.TempDir(), &told{}, w, "en")
	server := (&mailServer{}).start(t)
	mailTo, other := server.mailTo("operator@example.org"), &receiver{name: "webhook at x"}
	server.stop()
	raise(t, outbox, "failed_disk")
	now := about.At
	deliver(t, outbox, now, 1, 1, mailTo, other) // each channel by itself
	for _, pause := range []time.Duration{5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour, 6 * time.Hour} {
		deliver(t, outbox, now.Add(pause-time.Second), 0, 1, mailTo, other)
		list, err := outbox.Waiting(now)
		if err != nil || len(list) != 1 || list[0].Channel != "mail to operator@example.org" || !list[0].Next.Equal(now.Add(pause)) || !strings.Contains(list[0].Problem, "refused") {
			t.Fatalf("waiting: %+v, %v", list, err)
		}
		now = now.Add(pause)
		deliver(t, outbox, now, 0, 1, mailTo, other)
	}
	server.start(t)
	deliver(t, outbox, now.Add(6*time.Hour), 1, 0, mailTo, other)
	deliver(t, outbox, now.Add(12*time.Hour), 0, 0, mailTo, other)
	if len(server.mails()) != 1 || len(other.taken) != 1 {
		t.Errorf("%d mails, %v", len(server.mails()), other.taken)
	}
	if list, err := outbox.Waiting(now); err != nil || len(list) != 0 {
		t.Errorf("waiting: %+v, %v", list, err)
	}
}

func TestOutbox_OneLetterThatIsRefusedDoesNotHoldUpTheNext(t *testing.T) {
	outbox := notice.OpenOutbox(t.TempDir(), &told{}, sayer(t), "en")
	mailbox := &receiver{name: "mail", err: errors.New("no")}
	raise(t, outbox, "failed_disk", "failed_store", "recovered")
	deliver(t, outbox, about.At, 0, 3, mailbox) // the first is refused; the others are not even tried now
	mailbox.err = nil
	deliver(t, outbox, about.At.Add(time.Minute), 2, 1, mailbox)
	deliver(t, outbox, about.At.Add(-24*time.Hour), 1, 0, mailbox) // a clock that was turned back
}

func TestOutbox_GivesUpAndForgets(t *testing.T) {
	dir := t.TempDir()
	outbox := notice.OpenOutbox(dir, &told{}, sayer(t), "en")
	down := &receiver{name: "mail", err: errors.New("down")}
	raise(t, outbox, "failed_disk")
	day := 24 * time.Hour
	if list, err := outbox.Waiting(about.At); err != nil || len(list) != 1 || list[0].Kind != "failed" || list[0].Tries != 0 {
		t.Errorf("nobody to send it to: %+v, %v", list, err)
	}
	deliver(t, outbox, about.At, 0, 0) // no channel yet
	deliver(t, outbox, about.At.Add(29*day), 0, 1, down)
	deliver(t, outbox, about.At.Add(31*day), 0, 0, down)
	for _, c := range []struct {
		after time.Duration
		said  int
	}{{31 * day, 1}, {61 * day, 0}} {
		list, err := outbox.Waiting(about.At.Add(c.after))
		if err != nil || len(list) != c.said || c.said > 0 && (!list[0].GivenUp || list[0].Problem != "down" || list[0].Tries != 2) {
			t.Errorf("after %v: %+v, %v", c.after, list, err)
		}
	}
	down.err = nil
	deliver(t, outbox, about.At.Add(32*day), 0, 0, down)
	files := func() int {
		list, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	if files() != 1 {
		t.Error("the record is gone")
	}
	deliver(t, outbox, about.At.Add(366*day), 0, 0, down)
	if files() != 0 {
		t.Error("the record is kept for longer than a year")
	}
}

func TestOutbox_AStoreOutOfReach(t *testing.T) {
	once := &told{err: errors.New("store: connection refused")}
	outbox := notice.OpenOutbox(t.TempDir(), once, sayer(t), "en")
	mailbox := &receiver{name: "mail"}
	raise(t, outbox, "failed_store", "recovered")
	if sent, _, err := outbox.Deliver(t.Context(), []notice.Channel{mailbox}, about.At.Add(time.Minute)); sent != 0 || err == nil {
		t.Errorf("sent %d, %v: it has not asked yet", sent, err)
	}
	deliver(t, outbox, about.At.Add(16*time.Minute), 2, 0, mailbox) // told all the same: it may be about the store
	once.err = nil
	raise(t, outbox, "failed_store")
	deliver(t, outbox, about.At.Add(time.Hour), 0, 0, mailbox)
	if len(mailbox.taken) != 2 {
		t.Errorf("taken: %v", mailbox.taken)
	}
}

// A crash between any two steps loses no event.
func TestOutbox_CrashInRaise(t *testing.T) {
	dir := t.TempDir()
	once := &told{}
	ctx, die := context.WithCancel(t.Context())
	once.after = func() { die(); panic("killed") }
	func() {
		defer func() {
			if recover() == nil {
				t.Error("it did not die")
			}
		}()
		_ = notice.OpenOutbox(dir, once, sayer(t), "en").Raise(ctx, examples()["failed_store"])
	}()
	once.after = nil
	mailbox := &receiver{name: "mail"}
	again := notice.OpenOutbox(dir, once, sayer(t), "en")
	raise(t, again, "failed_store")
	deliver(t, again, about.At, 1, 0, mailbox)
	deliver(t, again, about.At.Add(time.Hour), 0, 0, mailbox)
}

func TestOutbox_ADamagedFileIsSaidAndDoesNotStopTheOthers(t *testing.T) {
	dir := t.TempDir()
	outbox := notice.OpenOutbox(dir, &told{}, sayer(t), "en")
	raise(t, outbox, "failed_disk")
	if err := os.WriteFile(filepath.Join(dir, "aa.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	mailbox := &receiver{name: "mail"}
	sent, _, err := outbox.Deliver(t.Context(), []notice.Channel{mailbox}, about.At)
	if sent != 1 || err == nil || !strings.Contains(err.Error(), "aa.json") {
		t.Errorf("sent %d, %v", sent, err)
	}
}

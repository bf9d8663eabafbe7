package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tamiz/load"
	"tamiz/load/dirstore"
	"tamiz/pipeline"
	"tamiz/schedule"
)

// watchedProject is a project of one pipeline whose runs are a shell script;
// in it, $store and $dir are the project's folders.
func watchedProject(t *testing.T, script string) (o *options, f *scheduleFlags) {
	t.Helper()
	dir := t.TempDir()
	o = &options{project: dir, output: "json", vars: []string{"data=here"}}
	f = &scheduleFlags{beside: 1, executable: filepath.Join(dir, "run.sh")}
	text := fmt.Sprintf("#!/bin/sh\ndir=%s\nstore=%s/store\necho \"$@\" >> $dir/words\n%s\n", dir, dir, script)
	for name, content := range map[string]string{"tamiz.yml": "pipelines: [mx]\n", "run.sh": text} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return o, f
}

// publishesFirst writes the first record of the ledger, as a run does.
const publishesFirst = `mkdir -p $store/mx/ledger/verdicts
echo '{"sequence":1,"previous":"","recorded_at":"2026-11-17T12:02:00Z","values":{"period":"'$6'","run":"r1","snapshot":"s1","verdict":"published"}}' > $store/mx/ledger/verdicts/0000000001.json`

func verdictsOf(t *testing.T, o *options) []pipeline.PeriodVerdict {
	t.Helper()
	store, err := dirstore.Open(filepath.Join(o.project, "store"))
	if err != nil {
		t.Fatal(err)
	}
	records, err := load.OpenLedger(store, "mx").Verdicts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// once runs tamiz schedule --once.
func once(t *testing.T, o *options, f *scheduleFlags, names ...string) ([]scheduled, error) {
	t.Helper()
	f.once = true
	var out bytes.Buffer
	err := runSchedule(t.Context(), &out, io.Discard, o, f, names)
	var done []scheduled
	if out.Len() > 0 {
		if err := json.Unmarshal(out.Bytes(), &done); err != nil {
			t.Fatal(err)
		}
	}
	return done, err
}

func TestSchedule_OnceRunsWhatIsDueAtATime(t *testing.T) {
	o, f := watchedProject(t, publishesFirst)
	f.at = "2026-11-17T12:01:00Z" // a minute after the fortnight to 15 November fell due
	done, err := once(t, o, f)
	if err != nil || len(done) != 1 || done[0].Period != "2026-11-15" || done[0].Verdict != pipeline.Published || done[0].Snapshot != "s1" || done[0].Run != "r1" {
		t.Fatalf("got %+v, %v", done, err)
	}
	words, err := os.ReadFile(filepath.Join(o.project, "words"))
	want := "run mx --project " + o.project + " --as-of 2026-11-15 --due 2026-11-17T12:00:00Z --at 2026-11-17T12:01:0"
	if err != nil || !strings.HasPrefix(string(words), want) || !strings.HasSuffix(string(words), "Z --var data=here\n") {
		t.Errorf("the run was told\n%s, %v\nwant %s…", words, err, want)
	}
	if done, err = once(t, o, f, "mx", "mx"); err != nil || len(done) != 0 {
		t.Errorf("and again: %+v, %v", done, err)
	}
	for name, wrong := range map[string]func(){"time": func() { f.at = "soon" }, "pipeline": func() { f.at = ""; o.project = t.TempDir() }} {
		wrong()
		if _, err := once(t, o, f); pipeline.KindOf(err) != pipeline.Config {
			t.Errorf("a wrong %s: %v", name, err)
		}
	}
}

func TestSchedule_ARunThatDiesHasFailed(t *testing.T) {
	o, f := watchedProject(t, "kill -9 $$")
	f.at = "2026-11-17T12:01:00Z"
	done, err := once(t, o, f)
	if !errors.Is(err, errHeld) || len(done) != 1 || done[0].Verdict != pipeline.FailedRun || done[0].End != schedule.Killed {
		t.Fatalf("got %+v, %v", done, err)
	}
	record := verdictsOf(t, o)[0]
	if !record.Again || record.Run == "" || record.By != machine() || !strings.Contains(record.Reason["en"], "broke off suddenly and did not say why (SIGKILL)") || !record.DueAt.Equal(time.Date(2026, 11, 17, 12, 0, 0, 0, time.UTC)) {
		t.Errorf("recorded %+v", record)
	}
	o, f = watchedProject(t, "exit 75")
	if done, err = once(t, o, f); pipeline.KindOf(err) != pipeline.Busy || len(done) != 1 || len(verdictsOf(t, o)) != 0 {
		t.Errorf("where another run is at work: %+v, %v", done, err)
	}
}

func TestSchedule_WatchesIsCancelledAndStops(t *testing.T) {
	o, f := watchedProject(t, `trap 'exit 130' TERM
echo ready >> $dir/ready
while :; do sleep 0.05; done`)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.listen = free.Addr().String()
	free.Close()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var events syncBuffer
	ended := make(chan error, 1)
	go func() { ended <- runSchedule(ctx, io.Discard, &events, o, f, nil) }()
	awaitEvent(t, &events, func() bool {
		_, err := os.Stat(filepath.Join(o.project, "ready"))
		return err == nil
	})
	for path, want := range map[string]string{"/healthz": "all is well", "/metrics": `tamiz_running{pipeline="mx"} 1`} {
		answer, err := http.Get("http://" + f.listen + path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(text), want) {
			t.Errorf("%s: %d, %v\n%s", path, answer.StatusCode, err, text)
		}
	}
	second := *f
	second.listen = ""
	if _, err := once(t, o, &second); pipeline.KindOf(err) != pipeline.Busy {
		t.Errorf("a second daemon: %v", err)
	}
	cancel := func() string {
		var out bytes.Buffer
		command := newCancel(o)
		command.SetOut(&out)
		command.SetContext(t.Context())
		if err := command.RunE(command, nil); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if said := cancel(); !strings.Contains(said, "is stopped; the schedule does not start it again") {
		t.Error(said)
	}
	records := verdictsOf(t, o)
	if len(records) != 1 || records[0].Verdict != pipeline.FailedRun || records[0].Again || !strings.Contains(records[0].Reason["en"], who()+" cancelled the update") {
		t.Errorf("recorded %+v", records)
	}
	awaitEvent(t, &events, func() bool { return strings.Contains(events.String(), "has ended: failed") })
	if said := cancel(); !strings.Contains(said, "nothing to cancel") {
		t.Error(said)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("it stopped with %v", err)
	}
	file, err := os.ReadFile(filepath.Join(o.project, "warehouse", "schedule", "schedule.jsonl"))
	if err != nil || !bytes.Equal(file, []byte(events.String())) {
		t.Errorf("the file of events is another: %v\n%s", err, file)
	}
}

func awaitEvent(t *testing.T, events *syncBuffer, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain:\n%s", events)
		}
	}
}

// syncBuffer may be read while it is written.
type syncBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

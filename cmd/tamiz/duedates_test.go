package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tamiz/internal/s3server"
	"tamiz/load"
	"tamiz/pipeline"
)

var (
	kills       = flag.Int("kills", 20, "how often the daemon is killed")
	updateKills = flag.Bool("update-kills", false, "write docs/kills.md anew")
)

// dueProject is a pipeline whose mart is another in every period, and which has
// fallen due many times: what the schedule has to catch up.
var dueProject = map[string]string{
	"tamiz.yml":                 "pipelines: [toy]\nwarehouse: warehouse\n",
	"config/toy/pipeline.yml":   "title: {en: Toy}\ncalendar: {every: 1d, anchor: 2026-01-01}\nschedule: {due: +1d 06:00, timezone: UTC, catchup: all, retry: 1m}\n",
	"config/toy/method.yml":     "version: 1.0.0\ntables: {}\n",
	"config/toy/reference.yml":  "tables: {}\n",
	"config/toy/sources/x.yml":  "title: X\npublisher: P\nlicence: L\nfolder: in/*.csv\narchive: public\nformat: csv\ncolumns: {n: [n]}\n",
	"sql/macros/none.sql":       "",
	"sql/toy/staging/stg_x.sql": "-- One row per number.\nselect cast(n as bigint) as n, _file, _record,\nfrom raw.x\n",
	"sql/toy/staging/stg_x.yml": "description: D\nkey: [n]\nrows: one per raw.x\ntrace: {raw.x: key}\ncolumns:\n  n: {description: N.}\n  _file: {description: F.}\n  _record: {description: R.}\n",
	"sql/toy/marts/told.sql":    "-- One row per number.\nselect n, period_end from staging.stg_x cross join raw.run\n",
	"sql/toy/marts/told.yml":    "description: D\nkey: [n]\nrows: one per staging.stg_x\ntrace: {staging.stg_x: key, raw.run: broadcast}\ncolumns:\n  n: {description: N.}\n  period_end: {description: P.}\n",

	"sql/toy/staging/stg_x.txtar": "", "sql/toy/marts/told.txtar": "", "in/x.csv": "n\n1\n2\n3\n",
}

// newDueProject writes it, with its store at an address or in its folder.
func newDueProject(t *testing.T, store string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range dueProject {
		if name == "tamiz.yml" {
			content += store
		}
		writeInto(t, dir, name, content)
	}
	return dir
}

// onS3 is the store of a server, as tamiz.yml says it.
func onS3(server *s3server.Server) string {
	return fmt.Sprintf("store: s3://%s/edu\ns3: {endpoint: %q, path_style: true}\n", server.Bucket, server.Endpoint)
}

// dueAt is when the n-th period from the first of January 2026 is due, and a bit.
func dueAt(n int) string {
	return time.Date(2026, 1, n+1, 6, 30, 0, 0, time.UTC).Format(time.RFC3339)
}

// scheduleOnce does what is due, and gives its exit code.
func scheduleOnce(dir, at string) (int, string) {
	var output bytes.Buffer
	c := command("schedule", "--once", "--at", at, "--project", dir)
	c.Stdout, c.Stderr = &output, &output
	err := c.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), output.String()
	}
	return 0, output.String()
}

func openDue(t *testing.T, dir string) load.Store {
	t.Helper()
	project, err := (&options{project: dir}).openProject()
	if err != nil {
		t.Fatal(err)
	}
	store, err := openRemote(t.Context(), project)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// wantEachOnce wants every period from the first to the last of n to have one
// verdict that stands, published, as one snapshot, and the store to be whole.
func wantEachOnce(t *testing.T, store load.Store, first, last int) {
	t.Helper()
	records, err := load.OpenLedger(store, "toy").Verdicts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	settled := map[string]int{}
	for _, record := range records {
		if record.Settled() {
			settled[record.Period]++
		}
		if record.Verdict == pipeline.FailedRun {
			t.Logf("%s failed: %s", record.Period, record.Reason["en"])
		}
		if record.Settled() && record.Verdict != pipeline.Published {
			t.Errorf("%s: %s, want published", record.Period, record.Verdict)
		}
	}
	snapshots, err := load.List(t.Context(), store, "toy")
	if err != nil {
		t.Fatal(err)
	}
	published := map[string]int{}
	for _, snapshot := range snapshots {
		published[snapshot.PeriodEnd]++
	}
	for n := first; n <= last; n++ {
		period := time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC).Format(pipeline.DateLayout)
		if settled[period] != 1 || published[period] != 1 {
			t.Errorf("%s: %d verdicts that stand, %d snapshots, want one of each", period, settled[period], published[period])
		}
	}
	if len(settled) != last-first+1 || len(snapshots) != last-first+1 {
		t.Errorf("%d periods have a verdict, %d snapshots, want %d", len(settled), len(snapshots), last-first+1)
	}
	findings, err := load.Check(t.Context(), store, "toy", func(int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range findings {
		if !finding.Harmless {
			t.Errorf("store check: %+v", finding)
		}
	}
}

// TestSchedule_TwoMachinesPublishEachPeriodOnce lets two machines, each with
// its own warehouse, catch up twenty due dates on one real S3 server, both at
// once and as fast as they can.
func TestSchedule_TwoMachinesPublishEachPeriodOnce(t *testing.T) {
	server := s3server.Start(t)
	server.Use(t)
	machines := []string{newDueProject(t, onS3(server)), newDueProject(t, onS3(server))}
	if code, output := scheduleOnce(machines[0], dueAt(1)); code != exitDone {
		t.Fatalf("the first period: exit %d\n%s", code, output)
	}
	const last = 21
	var group sync.WaitGroup
	var mu sync.Mutex
	ran, told := map[string]int{}, map[string]string{} // by machine: periods, and what it said
	for _, dir := range machines {
		group.Go(func() {
			for range 10 * last {
				code, output := scheduleOnce(dir, dueAt(last))
				mu.Lock()
				ran[dir] += strings.Count(output, ": published")
				told[dir] += output
				mu.Unlock()
				if code == exitDone && !strings.Contains(output, ", due ") {
					return // nothing is due any more
				}
				if code != exitDone && code != exitBusy {
					t.Errorf("exit %d\n%s", code, output)
				}
			}
			t.Error("it does not come to an end")
		})
	}
	group.Wait()
	wantEachOnce(t, openDue(t, machines[0]), 1, last)
	t.Logf("periods that each machine ran, or found published: %v", ran)
	if t.Failed() {
		t.Log(told)
	}
}

// TestSchedule_SurvivesKills kills the daemon and its run at random moments,
// and wants every due period to get its one verdict; readers see whole
// snapshots all the time.
func TestSchedule_SurvivesKills(t *testing.T) {
	if testing.Short() {
		t.Skip("about a minute; without -short it runs")
	}
	server := s3server.Start(t)
	server.Use(t)
	dir := newDueProject(t, onS3(server))
	if code, output := scheduleOnce(dir, dueAt(1)); code != exitDone {
		t.Fatalf("the first period: exit %d\n%s", code, output)
	}
	store := openDue(t, dir)
	last := 1
	struck := map[string]int{} // where a kill struck, by what it left in the store
	chance := rand.New(rand.NewPCG(5, 2026))
	var alive time.Duration // how long three periods take that nobody disturbs
	for hit, began := 0, time.Now(); hit < *kills; {
		last += 2
		c := command("schedule", "--once", "--at", dueAt(last), "--project", dir)
		c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		var output bytes.Buffer
		c.Stdout, c.Stderr = &output, &output
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- c.Wait() }()
		if alive == 0 { // the first is left alone, as a measure
			<-ended
			alive = time.Since(began)
			continue
		}
		select {
		case <-ended: // it was too fast
		case <-time.After(time.Duration(chance.Int64N(int64(alive)))):
			if err := syscall.Kill(-c.Process.Pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			<-ended
			hit++
			struck[leftBehind(t, store)]++
		}
		wantWhole(t, store)
	}
	for range 5 { // what was begun may still be held by a run that is dying
		if code, _ := scheduleOnce(dir, dueAt(last)); code == exitDone {
			break
		}
	}
	wantEachOnce(t, store, 1, last)
	t.Logf("%d kills, %d periods: %v", *kills, last, struck)
	if !t.Failed() && *updateKills {
		writeKills(t, last, struck)
	}
}

// What a kill may leave in the store.
const (
	leftNothing  = "between two publications: nothing begun was left"
	leftFiles    = "files of a snapshot were there, its manifest was not"
	leftManifest = "the manifest was there, the pointer had not turned"
	leftPointer  = "the pointer had turned, the verdict was not written"
)

// leftBehind says how far a publication had come when it was killed.
func leftBehind(t *testing.T, store load.Store) string {
	t.Helper()
	latest, err := load.ReadLatest(t.Context(), store, "toy")
	if err != nil {
		t.Fatal(err)
	}
	records, err := load.OpenLedger(store, "toy").Verdicts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if verdict := pipeline.VerdictOf(records, latest.PeriodEnd); verdict == nil || !verdict.Settled() {
		return leftPointer
	}
	objects, err := store.List(t.Context(), "toy/snapshots/")
	if err != nil {
		t.Fatal(err)
	}
	left := leftNothing
	for _, object := range objects {
		if period := strings.Split(object.Key, "/")[2]; period > latest.Snapshot {
			if left = leftFiles; strings.HasSuffix(object.Key, "/manifest.json") {
				return leftManifest
			}
		}
	}
	return left
}

func writeKills(t *testing.T, periods int, struck map[string]int) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "# The daemon, killed %d times\n\n`make kills` makes this page: `tamiz schedule --once` over a real S3 server (versitygw) and a pipeline of three rows (synthetic), killed with its run by\n"+
		"SIGKILL at random moments, started again until all was done. Of %d due periods each got one verdict that stands, *published*, and one snapshot;\n"+
		"after every kill a reader saw one whole snapshot; in the end `tamiz store check` found nothing wrong.\n\n| where the kill struck | kills |\n|---|---|\n", *kills, periods)
	for _, where := range []string{leftNothing, leftFiles, leftManifest, leftPointer} {
		fmt.Fprintf(&b, "| %s | %d |\n", where, struck[where])
	}
	if err := os.WriteFile("../../docs/kills.md", []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestSchedule_TellsOfAStoreOutOfReach lets the store refuse everything: no run
// can be started, and the operator is told all the same, once.
func TestSchedule_TellsOfAStoreOutOfReach(t *testing.T) {
	server := s3server.Start(t)
	server.Use(t)
	proxy := server.Proxy(t)
	letters := make(chan string, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		letters <- string(body)
	}))
	defer receiver.Close()
	t.Setenv("TOLD_KEY", "a key")
	dir := newDueProject(t, fmt.Sprintf("store: s3://%s/edu\ns3: {endpoint: %q, path_style: true}\nnotices: {webhook: {url: %q, secret_env: TOLD_KEY}}\n", server.Bucket, proxy.Endpoint, receiver.URL))
	if code, output := scheduleOnce(dir, dueAt(1)); code != exitDone {
		t.Fatalf("the first period: exit %d\n%s", code, output)
	}
	proxy.Refuse()
	for _, at := range []string{"2026-01-03T06:30:00Z", "2026-01-03T06:50:00Z", "2026-01-03T07:10:00Z"} {
		if code, output := scheduleOnce(dir, at); code == exitDone {
			t.Errorf("exit 0 though the store refuses\n%s", output)
		}
	}
	if len(letters) != 1 {
		t.Fatalf("%d letters, want 1", len(letters))
	}
	letter := <-letters
	for _, want := range []string{`"kind":"failed"`, `"period":"2026-01-02"`, "The store, where editions are published, could not be read", "1 January 2026"} {
		if !strings.Contains(letter, want) {
			t.Errorf("the letter does not say %s:\n%s", want, letter)
		}
	}
	proxy.Pass()
	if code, output := scheduleOnce(dir, "2026-01-03T07:30:00Z"); code != exitDone {
		t.Errorf("exit %d after the store is back\n%s", code, output)
	}
	wantEachOnce(t, openDue(t, dir), 1, 2)
}

// wantWhole reads the latest snapshot as a reader does.
func wantWhole(t *testing.T, store load.Store) {
	t.Helper()
	snapshot, err := load.ReadLatest(t.Context(), store, "toy")
	if err != nil || snapshot == nil {
		t.Fatalf("a reader sees %v, %v", snapshot, err)
	}
	local := load.NewLocal(store, filepath.Join(t.TempDir(), "cache"))
	for _, table := range snapshot.Tables {
		if _, err := local.File(t.Context(), load.TableKey("toy", snapshot.Snapshot, table.File), table.Digest); err != nil {
			t.Errorf("%s: %v", snapshot.Snapshot, err)
		}
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"tamiz/load"
	"tamiz/pipeline"
)

// word gives FAULTS' word for what the daemon's run came to.
func (w *world) word(out outcome) string {
	w.t.Helper()
	if out.record == nil {
		w.t.Errorf("no run\n%s%s", out.stdout, out.stderr)
		return "no run"
	}
	return verdictOf(out.record)
}

// wants is an error if a verdict is not as it should be beside the fault's own.
func (w *world) wants(what, got, want string) {
	w.t.Helper()
	if got != want {
		w.t.Errorf("%s: %s, want %s", what, got, want)
	}
}

// quiet wants a tick to start nothing.
func (w *world) quiet(at time.Time) {
	w.t.Helper()
	if out := w.tick(at, nil, nil); len(out.runs) > 0 || out.record != nil || out.code != 0 {
		w.t.Errorf("at %s there was nothing to do: exit %d\n%s%s", at, out.code, out.stdout, out.stderr)
	}
}

// undisturbed ticks when a fortnight is due and wants it published.
func (w *world) undisturbed(s slot) {
	w.t.Helper()
	w.wants(s.period+", where nothing is wrong", w.word(w.tick(s.due.Add(time.Minute), nil, nil)), "publish")
}

// editions are the snapshots of a period.
func (w *world) editions(s slot) (names []string) {
	w.t.Helper()
	list, err := load.List(w.t.Context(), w.audit.store, "mx")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, snapshot := range list {
		if snapshot.PeriodEnd == s.period {
			names = append(names, snapshot.Snapshot)
		}
	}
	return names
}

// once says that a period was published once, or what else.
func (w *world) once(s slot) string {
	w.t.Helper()
	verdict := pipeline.VerdictOf(w.audit.verdicts(), s.period)
	if editions := w.editions(s); verdict == nil || verdict.Verdict != pipeline.Published || len(editions) != 1 || w.latest().Snapshot != editions[0] {
		return fmt.Sprintf("%+v, editions %v", verdict, editions)
	}
	return "publish"
}

// mended ticks again an hour after a failure whose cause has ended.
func (w *world) mended(s slot) {
	w.t.Helper()
	w.wants("then, once it is mended", w.word(w.tick(s.due.Add(70*time.Minute), nil, nil)), "publish")
}

// stands wants readers to see what they saw.
func (w *world) stands(before *load.Snapshot) {
	w.t.Helper()
	if after := w.latest(); after.Digest != before.Digest {
		w.t.Errorf("readers see %s, want %s", after.Snapshot, before.Snapshot)
	}
}

// withoutSeries begins a year before there is a current series of deaths, so
// that nothing in the world depends on the fortnight.
func (w *world) withoutSeries(s slot) (given, remark string) {
	w.silent = true
	w.configure("")
	w.undisturbed(s)
	return "", ""
}

func (w *world) nothingIsNew(s slot) (given, remark string) {
	return w.word(w.tick(s.due.Add(time.Minute), nil, nil)), ""
}

func (w *world) newTag(s slot) (given, remark string) {
	for path, content := range w.p.files {
		if path != "deaths_ssa.csv" {
			w.p.answer("/world/"+path, func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("ETag", `"of `+s.period+`"`)
				rw.Write(content)
			})
		}
	}
	return w.word(w.tick(s.due.Add(time.Minute), nil, nil)), ""
}

// dueTwice has the period fall due at a time that comes twice that night.
func (w *world) dueTwice(s slot) (given, remark string) {
	w.schedule = "schedule: {mx: {due: +7d 01:30}}\n"
	defer func() { w.schedule = "" }()
	w.configure("")
	w.replacedRegister()
	first := time.Date(2020, 10, 25, 6, 30, 0, 0, time.UTC) // 01:30 in Mexico City, an hour before it is 01:30 again
	w.quiet(first.Add(-time.Minute))
	w.wants("at 01:30", w.word(w.tick(first, nil, nil)), "publish")
	w.quiet(first.Add(time.Hour))
	return w.once(s), "25 October 2020, 01:30, comes twice: due the first time"
}

// replacedRegister has the publisher add a pupil to a school, for good.
func (w *world) replacedRegister() {
	const path = "registry_1.csv"
	w.p.mu.Lock()
	defer w.p.mu.Unlock()
	w.p.files[path] = edit(w.p.files[path], func(rows [][]string) [][]string {
		for _, title := range []string{"TOTAL 1°", "HOMBRES TOTAL", "MATRICULA TOTAL"} {
			column := columnOf(rows, title)
			var n int
			fmt.Sscan(rows[1][column], &n)
			rows[1][column] = fmt.Sprint(n + 1)
		}
		return rows
	})
}

// dueInGap has the period fall due at a time that the clock skips.
func (w *world) dueInGap(s slot) (given, remark string) {
	w.schedule = "schedule: {mx: {due: +7d 02:30}}\n"
	defer func() { w.schedule = "" }()
	w.configure("")
	three := time.Date(2021, 4, 4, 8, 0, 0, 0, time.UTC) // 02:00 in Mexico City becomes 03:00
	w.quiet(three.Add(-time.Minute))
	w.wants("at 03:00", w.word(w.tick(three, nil, nil)), "publish")
	w.quiet(three.Add(30 * time.Minute))
	return w.once(s), "4 April 2021, 02:30, is skipped: due at 03:00"
}

// seriesBegins publishes the current series of deaths for the first time: it
// moves the profiles of many schools, which asks a person.
func (w *world) seriesBegins(s slot) (given, remark string) {
	w.silent = false
	w.configure("")
	before := w.latest()
	out := w.tick(s.due.Add(time.Minute), nil, nil)
	if given = w.word(out); given != "hold" {
		return given, ""
	}
	w.stands(before)
	if text := details(out.record); !strings.Contains(text, `"state_code"`) || !strings.Contains(text, "deaths_ssa") {
		w.t.Errorf("the question does not say which states, and from what:\n%s", text)
	}
	w.quiet(s.due.Add(3 * 24 * time.Hour)) // it does not publish by itself
	w.wants("approved", w.word(w.decide("approve", out.record, "The ministry's series begins with this fortnight.", s.due.Add(4*24*time.Hour))), "publish")
	return given, "a new series moves the profiles; approved"
}

// falseWave is a file that passes every gate of its source, and is wrong.
func (w *world) falseWave(s slot) (given, remark string) {
	content := edit(w.until(s.period), each(func(_ int, row []string) {
		if row[1] == "30" && row[0] >= "2021-01-01" {
			var n int
			fmt.Sscan(row[2], &n)
			row[2] = fmt.Sprint(n * 6 / 10)
		}
	}))
	w.p.answer("/world/deaths_ssa.csv", func(rw http.ResponseWriter, r *http.Request) { serve(rw, r, content) })
	before := w.latest()
	out := w.tick(s.due.Add(time.Minute), nil, nil)
	if given = w.word(out); given != "hold" {
		return given, ""
	}
	w.stands(before)
	w.wants("rejected", w.word(w.decide("reject", out.record, "The state says that its file is incomplete.", s.due.Add(6*time.Hour))), "carry")
	if !pipeline.SameFiles(filesOf(before, "deaths_ssa"), filesOf(w.latest(), "deaths_ssa")) {
		w.t.Error("the rejected version was published")
	}
	return given, "a state's deaths too low; rejected: carried"
}

func (w *world) registerGoes(slot) (given, remark string) {
	w.gone = true
	goneFault(w.p).strike("/world/")
	return "", ""
}

// registerIsDead is the hold of a required source that has been gone for too
// long; a person declares it dead.
func (w *world) registerIsDead(s slot) (given, remark string) {
	out := w.tick(s.due.Add(time.Minute), nil, nil)
	if given = w.word(out); given != "hold" {
		return given, out.record.Reason
	}
	out = w.decide("approve", out.record, "The office was closed for good.", s.due.Add(6*time.Hour))
	w.wants("declared dead", w.word(out), "carry")
	return given, "404 from 11 April on; declared dead, then carried"
}

func (w *world) registerComes(slot) (given, remark string) {
	w.gone = false
	w.p.mu.Lock()
	w.p.handlers = map[string]http.HandlerFunc{}
	w.p.mu.Unlock()
	return "", ""
}

// failedTwo wants a run that ended with exit code 2 and the verdict failed.
func (w *world) failedTwo(s slot, out outcome) string {
	w.t.Helper()
	verdict := pipeline.VerdictOf(w.audit.verdicts(), s.period)
	if len(out.runs) != 1 || out.runs[0].Code != 2 || verdict == nil || verdict.Verdict != pipeline.FailedRun || !verdict.Again {
		return fmt.Sprintf("exit %d, %+v, %+v", out.code, out.runs, verdict)
	}
	return "failed"
}

func (w *world) methodWithoutVersion(s slot) (given, remark string) {
	before := w.latest()
	whole := w.replace("config/mx/method.yml", patience, "stale_weeks: 31}")
	given = w.failedTwo(s, w.tick(s.due.Add(time.Minute), nil, nil))
	w.stands(before)
	w.write("config/mx/method.yml", whole)
	w.mended(s)
	return given, "exit 2; published once the method is set back"
}

func (w *world) storeRefuses(s slot) (given, remark string) {
	before := w.latest()
	w.proxy.Refuse()
	if out := w.tick(s.due.Add(time.Minute), nil, nil); out.code == 0 || out.record != nil {
		w.t.Errorf("a store that refuses: exit %d\n%s%s", out.code, out.stdout, out.stderr)
	}
	w.proxy.Pass()
	w.gate.at(&hook{match: upload("/snapshots/"), before: w.proxy.Refuse})
	given = w.word(w.tick(s.due.Add(2*time.Minute), nil, nil))
	w.proxy.Pass()
	w.stands(before)
	w.mended(s)
	return given, "from the start, then from the first upload on; published once it takes them again"
}

func (w *world) uploadsCut(s slot) (given, remark string) {
	w.gate.at(&hook{match: upload("/snapshots/"), before: func() { w.proxy.CutUploads(3) }})
	w.wants("with three uploads cut", w.word(w.tick(s.due.Add(time.Minute), nil, nil)), "publish")
	return w.once(s), "three uploads cut in the middle"
}

// rival is a second machine: the same project with a warehouse of its own.
func (w *world) rival() *world {
	w.t.Helper()
	second := *w
	second.project = filepath.Join(w.t.TempDir(), "rival")
	for _, folder := range []string{"config", "sql", "sample"} {
		if err := os.CopyFS(filepath.Join(second.project, folder), os.DirFS(filepath.Join(w.project, folder))); err != nil {
			w.t.Fatal(err)
		}
	}
	second.configure("")
	return &second
}

func (w *world) rivalPublished(s slot) (given, remark string) {
	w.wants("the rival's run", w.word(w.rival().start(nil, nil, runArguments(s, s.due.Add(time.Minute))...)), "publish")
	given = w.word(w.start(nil, nil, runArguments(s, s.due.Add(2*time.Minute))...))
	w.audit.look()
	w.wants("the period", w.once(s), "publish")
	w.quiet(s.due.Add(3 * time.Minute))
	return given, "our run was started before we knew; the daemon then has nothing to do"
}

func (w *world) storeIsSlow(s slot) (given, remark string) {
	calls, began := w.proxy.Calls(), time.Now()
	w.proxy.Delay(*yearDelay)
	given = w.word(w.tick(s.due.Add(time.Minute), nil, nil))
	w.proxy.Pass()
	return given, fmt.Sprintf("%v for each of %d calls: %v", *yearDelay, w.proxy.Calls()-calls, time.Since(began).Round(time.Second))
}

func (w *world) diskIsFull(s slot) (given, remark string) {
	before := w.latest()
	given = w.word(w.tick(s.due.Add(time.Minute), []string{"/bin/sh", "-c", `ulimit -f 128; exec "$0" "$@"`}, nil))
	w.stands(before)
	w.mended(s)
	return given, "no file may grow beyond 64 KiB; then published"
}

// killed starts the daemon, waits for the moment that arm names, and kills it;
// the run dies with it.
func (w *world) killed(name string, at time.Time, arm func(kill func())) {
	w.t.Helper()
	c := w.prepare(nil, nil, tickArguments(at)...)
	var once sync.Once
	struck := false
	started := make(chan struct{})
	kill := func() {
		once.Do(func() {
			<-started
			struck = true
			c.Process.Kill()
		})
	}
	arm(kill)
	if err := c.Start(); err != nil {
		w.t.Fatal(err)
	}
	close(started)
	err := c.Wait()
	once.Do(func() {})
	var exit *exec.ExitError
	if !struck || !errors.As(err, &exit) {
		w.t.Errorf("it was not killed %s: %v", name, err)
	}
	w.released()
	w.t.Logf("  killed %s", name)
	w.audit.look()
}

// released waits until no process holds the warehouse.
func (w *world) released() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	lock := flock.New(filepath.Join(w.project, "warehouse", "lock"))
	if ok, err := lock.TryLockContext(ctx, 10*time.Millisecond); !ok {
		w.t.Fatalf("the run outlives its daemon: %v", err)
	}
	lock.Unlock()
}

// logged kills when the log of a new run has a line with all of these words.
func (w *world) logged(words ...string) func(kill func()) {
	runs := filepath.Join(w.project, "warehouse", "mx", "runs", "*", "log.jsonl")
	known, _ := filepath.Glob(runs)
	return func(kill func()) {
		go func() {
			for w.t.Context().Err() == nil {
				paths, _ := filepath.Glob(runs)
				for _, path := range paths {
					if slices.Contains(known, path) {
						continue
					}
					text, _ := os.ReadFile(path)
					for _, line := range strings.Split(string(text), "\n") {
						if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(line, word) }) {
							kill()
							return
						}
					}
				}
				time.Sleep(2 * time.Millisecond) // of another process there is nothing to wait for
			}
		}()
	}
}

func (w *world) killedAtPointer(s slot) (given, remark string) {
	w.killed("before the pointer", s.due.Add(time.Minute), func(kill func()) {
		w.gate.at(&hook{match: upload("/latest.json"), before: kill, drops: true})
	})
	w.killed("after the pointer", s.due.Add(2*time.Minute), func(kill func()) { w.gate.at(&hook{match: upload("/latest.json"), after: kill}) })
	w.tick(s.due.Add(3*time.Minute), nil, nil)
	return w.once(s), ""
}

func (w *world) killedEverywhere(s slot) (given, remark string) {
	at := s.due
	next := func() time.Time { at = at.Add(time.Minute); return at }
	w.killed("in fetch", next(), func(kill func()) {
		w.p.answer("/world/deaths_ssa.csv", func(_ http.ResponseWriter, r *http.Request) { kill(); <-r.Context().Done() })
	})
	w.begin(s)
	w.killed("in read", next(), w.logged(`"kind":"read"`))
	w.killed("in model", next(), w.logged(`"kind":"model"`))
	w.killed("in check", next(), w.logged(`"kind":"check"`, `marts.`))
	w.killed("in upload", next(), func(kill func()) { w.gate.at(&hook{match: upload("/snapshots/"), before: kill, drops: true}) })
	w.killedAtPointer(slot{s.period, at})
	return w.once(s), "seven kills, each followed by a restart"
}

func (w *world) daemonIsDown(slot) (given, remark string) {
	w.asleep = true
	return "", ""
}

func (w *world) daemonIsBack(s slot) (given, remark string) {
	w.asleep = false
	out := w.tick(s.due.Add(26*time.Hour), nil, nil)
	missed := w.slots[slices.Index(w.slots, s)-1]
	if verdict := pipeline.VerdictOf(w.audit.verdicts(), missed.period); verdict == nil || verdict.Verdict != pipeline.PassedOver || verdict.Reason["es"] == "" {
		w.t.Errorf("%s, that was missed: %+v", missed.period, verdict)
	}
	w.wants("the daemon's run", w.word(out), "publish")
	return w.once(s), missed.period + " is recorded as passed over"
}

func (w *world) clockBack(s slot) (given, remark string) {
	w.wants("at first", w.word(w.tick(s.due.Add(30*time.Minute), nil, nil)), "publish")
	w.quiet(s.due.Add(-30 * time.Minute))
	w.quiet(s.due.Add(time.Minute))
	return w.once(s), ""
}

// clockForward has the clock be a day fast when half of one is missing.
func (w *world) clockForward(s slot) (given, remark string) {
	w.quiet(s.due.Add(-13 * time.Hour))
	w.wants("a day fast", w.word(w.tick(s.due.Add(12*time.Hour), nil, nil)), "publish")
	w.quiet(s.due.Add(-11 * time.Hour))
	w.quiet(s.due.Add(time.Minute))
	return w.once(s), "published early by a clock that was fast, and not again"
}

func (w *world) twoDaemons(s slot) (given, remark string) {
	second := w.rival()
	for range 5 {
		var both sync.WaitGroup
		commands := []*exec.Cmd{w.prepare(nil, nil, tickArguments(s.due.Add(time.Minute))...), second.prepare(nil, nil, tickArguments(s.due.Add(time.Minute))...)}
		var codes [2]string
		for i, c := range commands {
			both.Go(func() {
				out, _ := c.Output()
				codes[i] = fmt.Sprintf("exit %d %s", c.ProcessState.ExitCode(), strings.Join(strings.Fields(string(out)), " "))
			})
		}
		both.Wait()
		w.audit.look()
		w.t.Logf("  %s\n  %s", codes[0], codes[1])
		if verdict := pipeline.VerdictOf(w.audit.verdicts(), s.period); verdict != nil && verdict.Settled() {
			break
		}
	}
	w.quiet(s.due.Add(2 * time.Minute))
	return w.once(s), ""
}

// flip turns one bit in the middle of a file.
func (w *world) flip(path string) {
	w.t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	content[len(content)/2] ^= 4
	os.Chmod(path, 0o644)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// artifactDamaged flips a bit in what the next run takes from the warehouse: a
// table that the steps of a new fortnight read, and a mart that it publishes.
func (w *world) artifactDamaged(s slot) (given, remark string) {
	record := lastRecord(w.t, w.project)
	warehouse, err := pipeline.OpenWarehouse(filepath.Join(w.project, "warehouse"))
	if err != nil {
		w.t.Fatal(err)
	}
	var struck []string
	for _, schema := range []string{"intermediate.", "marts."} {
		kept := slices.IndexFunc(record.Steps, func(step pipeline.StepRecord) bool { // that the last run took, and the next one will
			return !step.Ran && step.Kind == pipeline.StepModel && strings.HasPrefix(step.Step, schema) &&
				(schema == "marts." || slices.ContainsFunc(record.Steps, func(reader pipeline.StepRecord) bool {
					return reader.Ran && reader.Kind == pipeline.StepModel && reader.Parts[step.Step] != ""
				}))
		})
		if kept < 0 {
			w.t.Fatalf("no step of %s is taken from the warehouse", schema)
		}
		struck = append(struck, record.Steps[kept].Step)
		w.flip(filepath.Join(warehouse.ArtifactDir(record.Steps[kept].Fingerprint), pipeline.TableFile))
	}
	out := w.tick(s.due.Add(time.Minute), nil, nil)
	if again := stepsRun(out.record); !slices.Contains(again, struck[0]) || !slices.Contains(again, struck[1]) {
		w.t.Errorf("%v were damaged; computed again: %v", struck, again)
	}
	return w.word(out), "in a mart, and in a table that others stand on"
}

const damagedSource = "marginalization"

// damageRaw flips a bit of a source's raw bytes, here and in the store.
func (w *world) damageRaw() {
	w.t.Helper()
	for _, pin := range filesOf(w.latest(), damagedSource) {
		for _, digest := range pin.Digests() {
			name := filepath.Join("archive", "sha256", string(digest[:2]), string(digest))
			w.flip(filepath.Join(w.project, "warehouse", "mx", name))
			w.flip(filepath.Join(w.server.Folder, w.name, "mx", name))
		}
	}
}

func (w *world) rawDamaged(s slot) (given, remark string) {
	w.damageRaw()
	w.p.answer("/world/"+damagedSource+".csv", status(404))
	before := w.latest()
	out := w.tick(s.due.Add(time.Minute), nil, nil)
	if given = w.word(out); given != "hold" {
		return given, ""
	}
	w.stands(before)
	w.acts++ // the letter asks for the file, and then for a run
	w.write("inbox/"+damagedSource+"/recuperado.csv", w.p.files[damagedSource+".csv"])
	w.wants("with the file brought back", w.word(w.start(nil, nil, runArguments(s, s.due.Add(5*time.Hour))...)), "publish")
	w.audit.look()
	os.RemoveAll(filepath.Join(w.project, "inbox", damagedSource))
	return given, "a person brings the file back; the fortnight after, the same again where the publisher serves it: published"
}

func (w *world) rawDamagedAndServed(s slot) (given, remark string) {
	w.damageRaw()
	w.wants("raw bytes damaged that the publisher serves again", w.word(w.tick(s.due.Add(time.Minute), nil, nil)), "publish")
	return "", ""
}

// mailIsDown comes after a fortnight in which a source was carried: that it is
// good again is something to tell.
func (w *world) mailIsDown(s slot) (given, remark string) {
	letters := len(w.mail.taken())
	w.mail.down()
	given = w.word(w.tick(s.due.Add(time.Minute), nil, nil))
	w.mail.up(w.t)
	if came := len(w.mail.taken()); came != letters {
		w.t.Errorf("%d letters came over a server that is down", came-letters)
	}
	w.quiet(s.due.Add(24 * time.Hour))
	later := len(w.mail.taken())
	w.quiet(s.due.Add(48 * time.Hour))
	if last := len(w.mail.taken()); later-letters != 1 || last != later {
		w.t.Errorf("%d letters came when the server was back, and %d after that: %v", later-letters, last-later, w.subjects(letters))
	}
	return given, "the letter came a day later, once"
}

func (w *world) secretMissing(s slot) (given, remark string) {
	before := w.latest()
	out := w.tick(s.due.Add(time.Minute), nil, []string{passwordVariable + "="})
	given = w.failedTwo(s, out)
	if verdict := pipeline.VerdictOf(w.audit.verdicts(), s.period); verdict == nil || !strings.Contains(verdict.Reason["es"], passwordVariable) {
		w.t.Errorf("the ledger does not name the variable: %+v", verdict)
	}
	w.stands(before)
	w.mended(s)
	return given, "exit 2, the variable is named"
}

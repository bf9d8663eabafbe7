package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"tamiz/load"
	"tamiz/load/s3store"
	"tamiz/pipeline"
)

// audit looks at what must be true after every tick, past all proxies.
type audit struct {
	w         *world
	store     *s3store.Store
	ledger    *load.Ledger
	reference *session // over a warehouse of its own, which nothing strikes
	compared  map[string]bool
	wrong     int // publications that are not what an undisturbed run gives
	broken    int // times that a reader saw something else than a whole snapshot
	reader    *storeReader
	words     [][]byte // that nobody may read
}

func newAudit(w *world) *audit {
	w.t.Helper()
	store, err := s3store.Open(w.t.Context(), s3store.Options{Bucket: w.server.Bucket, Prefix: w.name, Endpoint: w.server.Endpoint, Region: "us-east-1", PathStyle: true})
	if err != nil {
		w.t.Fatal(err)
	}
	a := &audit{w: w, store: store, ledger: load.OpenLedger(store, "mx"), compared: map[string]bool{},
		words: [][]byte{[]byte(w.mail.password), []byte(w.server.SecretKey)}}
	a.reference = a.openReference()
	a.reader = startReader(w, store)
	return a
}

// openReference opens a second project over the same store, with the same
// config and SQL, and a warehouse that is empty.
func (a *audit) openReference() *session {
	t := a.w.t
	t.Helper()
	dir := filepath.Join(t.TempDir(), "undisturbed")
	text, err := os.ReadFile(filepath.Join(a.w.project, "tamiz.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"config", "sql"} {
		if err := os.CopyFS(filepath.Join(dir, folder), os.DirFS(filepath.Join(a.w.project, folder))); err != nil {
			t.Fatal(err)
		}
	}
	text = bytes.ReplaceAll(text, []byte(a.w.gate.Endpoint), []byte(a.w.server.Endpoint))
	if err := os.WriteFile(filepath.Join(dir, "tamiz.yml"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	project, err := (&options{project: dir}).openProject()
	if err != nil {
		t.Fatal(err)
	}
	s, err := openSession(t.Context(), project, "mx")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// look compares what was published since the last look, and counts verdicts.
func (a *audit) look() {
	t := a.w.t
	t.Helper()
	snapshots, err := load.List(t.Context(), a.store, "mx")
	if err != nil {
		t.Fatal(err)
	}
	for _, snapshot := range snapshots {
		if !a.compared[snapshot.Snapshot] {
			a.compared[snapshot.Snapshot] = true
			a.compare(snapshot)
		}
	}
	settled := map[string]int{}
	for _, verdict := range a.verdicts() {
		if verdict.Settled() {
			settled[verdict.Period]++
		}
	}
	for period, n := range settled {
		if n > 1 {
			t.Errorf("%s has %d settled verdicts", period, n)
		}
	}
	a.readers()
}

// readers wants the reader to have seen whole snapshots only.
func (a *audit) readers() {
	a.w.t.Helper()
	for _, problem := range a.reader.problems() {
		a.broken++
		a.w.t.Errorf("a reader saw: %s", problem)
	}
}

// verdicts reads the ledger.
func (a *audit) verdicts() []pipeline.PeriodVerdict {
	a.w.t.Helper()
	list, err := a.ledger.Verdicts(context.WithoutCancel(a.w.t.Context()))
	if err != nil {
		a.w.t.Fatal(err)
	}
	return list
}

// compare wants each mart of a snapshot to be what an undisturbed run makes of
// the same pins.
func (a *audit) compare(snapshot *load.Snapshot) {
	t := a.w.t
	t.Helper()
	pins := pinsOf(snapshot)
	for _, source := range snapshot.Sources {
		for _, version := range pins.Versions(source.Name) {
			for _, pin := range version {
				for _, digest := range pin.Digests() {
					if err := a.reference.archive.Verify(t.Context(), digest); err != nil {
						t.Fatalf("%s: the raw bytes of %s: %v", snapshot.Snapshot, source.Name, err)
					}
				}
			}
		}
	}
	began := time.Now()
	made, err := (&trial{session: a.reference, progress: io.Discard}).method(t.Context(), a.reference.today(pins), a.reference.p.MethodTables(), marts(a.reference.p))
	if err != nil {
		t.Fatalf("%s undisturbed: %v", snapshot.Snapshot, err)
	}
	isWrong := len(snapshot.Tables) != len(made.views)
	for _, table := range snapshot.Tables {
		digest, _, err := pipeline.HashFile(made.views[table.Name])
		if err != nil || digest != table.Digest {
			isWrong = true
			t.Errorf("%s: %s is not what an undisturbed run makes of the same files (%v)", snapshot.Snapshot, table.Name, err)
		}
	}
	if isWrong {
		a.wrong++
	}
	t.Logf("  undisturbed %s: %d marts equal, %.1f s", snapshot.Snapshot, len(made.views), time.Since(began).Seconds())
}

// said wants no secret in what a process printed.
func (a *audit) said(out outcome) {
	a.w.t.Helper()
	for _, word := range a.words {
		if strings.Contains(out.stdout+out.stderr, string(word)) {
			a.w.t.Errorf("a secret was printed:\n%s%s", out.stdout, out.stderr)
		}
	}
}

// end looks for secrets in everything that was written, and wants one settled
// verdict for each period that fell due.
func (a *audit) end(due []slot) (reads int) {
	t := a.w.t
	t.Helper()
	reads = a.reader.stop()
	a.readers()
	for _, dir := range []string{a.w.project, filepath.Join(a.w.server.Folder, a.w.name)} {
		err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			content, err := os.ReadFile(name)
			for _, word := range a.words {
				if bytes.Contains(content, word) {
					t.Errorf("%s holds a secret", name)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, letter := range a.w.mail.taken() {
		for _, word := range a.words {
			if strings.Contains(letter, string(word)) {
				t.Errorf("a letter holds a secret:\n%s", letter)
			}
		}
	}
	verdicts := a.verdicts()
	for _, s := range due {
		n := 0
		for _, verdict := range verdicts {
			if verdict.Period == s.period && verdict.Settled() {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s has %d settled verdicts, want 1", s.period, n)
		}
	}
	return reads
}

// storeReader follows latest.json all the time, as any reader may.
type storeReader struct {
	quit, done chan struct{}

	mu    sync.Mutex
	reads int
	saw   []string
}

func startReader(w *world, store load.Store) *storeReader {
	r := &storeReader{quit: make(chan struct{}), done: make(chan struct{})}
	ctx := w.t.Context()
	go func() {
		defer close(r.done)
		last := ""
		for {
			snapshot, err := readWhole(ctx, store)
			if ctx.Err() != nil {
				return
			}
			r.mu.Lock()
			switch {
			case err != nil:
				r.saw = append(r.saw, err.Error())
			case snapshot < last:
				r.saw = append(r.saw, fmt.Sprintf("%s after %s", snapshot, last))
			default:
				last = snapshot
			}
			r.reads++
			r.mu.Unlock()
			select {
			case <-r.quit:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	w.t.Cleanup(func() { r.stop() })
	return r
}

// readWhole reads the latest snapshot with all its files, "" if there is none.
func readWhole(ctx context.Context, store load.Store) (string, error) {
	latest, err := load.ReadLatest(ctx, store, "mx")
	if err != nil || latest == nil {
		return "", err
	}
	files := map[string]pipeline.Digest{"manifest.json": latest.Digest}
	for _, table := range latest.Tables {
		files[table.File] = table.Digest
	}
	for file, want := range files {
		content, _, err := store.Get(ctx, path.Join("mx", "snapshots", latest.Snapshot, file))
		if err != nil {
			return "", fmt.Errorf("%s of %s: %w", file, latest.Snapshot, err)
		}
		hash := sha256.New()
		_, err = io.Copy(hash, content)
		content.Close()
		if got := hex.EncodeToString(hash.Sum(nil)); err != nil || got != string(want) {
			return "", fmt.Errorf("%s of %s: sha256 %s, its manifest says %s (%v)", file, latest.Snapshot, got, want, err)
		}
	}
	return latest.Snapshot, nil
}

// stop ends the reader and says how often it read.
func (r *storeReader) stop() int {
	r.mu.Lock()
	select {
	case <-r.quit:
	default:
		close(r.quit)
	}
	r.mu.Unlock()
	<-r.done
	return r.reads
}

// problems gives what was seen since the last question.
func (r *storeReader) problems() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	saw := slices.Clone(r.saw)
	r.saw = nil
	return saw
}

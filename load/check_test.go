package load_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"tamiz/internal/s3server"
	"tamiz/load"
	"tamiz/load/dirstore"
	"tamiz/load/s3store"
	"tamiz/load/storetest"
	"tamiz/pipeline"
)

// furnish gives a store everything that stores hold: two snapshots that name
// raw bytes, a log, the ledger, records of a run, pointers, a lock.
func furnish(t *testing.T, store load.Store) {
	t.Helper()
	ctx := t.Context()
	put := func(key, text string) {
		t.Helper()
		if _, err := store.Put(ctx, key, strings.NewReader(text), load.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	key, err := load.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	for i, period := range []string{"2026-11-01", "2026-11-15"} {
		raw := fmt.Sprintf("raw bytes %d", i)
		digest := sha(raw)
		put("toy/archive/sha256/"+digest[:2]+"/"+digest, raw)
		p := publication(t, period, "schools of "+period, "same in all")
		p.Notes, p.Sign = map[string][]byte{"method.yml": []byte("method " + period)}, key
		p.Manifest.Sources = []load.ManifestSource{
			{Name: "open", Archive: "public", Files: []pipeline.Pin{{Digest: pipeline.Digest(digest)}}},
			{Name: "keyed", Archive: "private", Files: []pipeline.Pin{{Digest: pipeline.Digest(sha("private"))}}}}
		if _, _, err := load.Publish(ctx, store, p, noon); err != nil {
			t.Fatal(err)
		}
	}
	log := load.NewLog(store, "toy", "reports")
	for _, word := range []string{"one", "two", "three"} {
		if _, err := log.Append(ctx, recorded, said(word)); err != nil {
			t.Fatal(err)
		}
		if _, err := load.OpenLedger(store, "toy").Once(ctx, word, recorded); err != nil {
			t.Fatal(err)
		}
	}
	put("toy/runs/r1/inputs.json", "{}")
	put("toy/observations.jsonl", "{}\n")
	put("toy/status.json", "{}")
	put("toy/lock.json", "{}")
	if err := load.WriteCatalog(ctx, store, "toy", nil); err != nil {
		t.Fatal(err)
	}
}

func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestCheck_FindsWhatIsWrong(t *testing.T) {
	const first, second = "toy/snapshots/2026-11-01.1/", "toy/snapshots/2026-11-15.1/"
	raw := sha("raw bytes 0")
	archived := "toy/archive/sha256/" + raw[:2] + "/" + raw
	for _, c := range []struct {
		name, key, text string // "": removed
		finds           []string
		harmless        bool
	}{
		{"nothing", "toy/status.json", "x", nil, false},
		{"a table changed", first + "data/schools.parquet", "x", []string{first + "data/schools.parquet"}, false},
		{"a table gone", second + "data/schools.parquet", "", []string{second + "data/schools.parquet"}, false},
		{"a note changed", second + "method.yml", "x", []string{second + "method.yml"}, false},
		{"a note gone", second + "method.yml", "", []string{second + "method.yml"}, false},
		{"the sums gone", second + "SHA256SUMS", "", []string{second + "SHA256SUMS"}, false},
		{"the sums changed", second + "SHA256SUMS", "x", []string{second + "SHA256SUMS"}, false},
		{"a signature changed", second + "manifest.json.minisig", "x", []string{second + "manifest.json.minisig"}, false},
		{"a signature gone", second + "manifest.json.minisig", "", []string{second + "manifest.json.minisig"}, false},
		{"a file too many", second + "data/more.parquet", "x", []string{second + "data/more.parquet"}, false},
		{"raw bytes changed", archived, "x", []string{archived}, false},
		{"raw bytes gone", archived, "", []string{archived}, false},
		{"a parent gone", first + "manifest.json", "", []string{first, second + "manifest.json"}, false},
		{"the latest gone", second + "manifest.json", "", []string{"toy/latest.json", second}, false},
		{"a manifest is no JSON", first + "manifest.json", "x", []string{first + "manifest.json", first + "manifest.json", second + "manifest.json"}, false},
		{"the pointer gone", "toy/latest.json", "", []string{"toy/latest.json"}, false},
		{"the pointer is no JSON", "toy/latest.json", "x", []string{"toy/latest.json"}, false},
		{"a record changed", "toy/logs/reports/0000000002.json", "x", []string{"toy/logs/reports/"}, false},
		{"a record gone", "toy/ledger/notices/0000000001.json", "", []string{"toy/ledger/notices/"}, false},
		{"a publication broken off", "toy/snapshots/2026-11-29.1/data/x", "x", []string{"toy/snapshots/2026-11-29.1/"}, true},
		{"a stranger in the archive", "toy/archive/sha256/readme", "x", []string{"toy/archive/sha256/readme"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, store := t.Context(), open(t)
			furnish(t, store)
			wantSound(t, store, "before")
			var err error
			if c.text == "" {
				err = store.Remove(ctx, c.key)
			} else {
				_, err = store.Put(ctx, c.key, strings.NewReader(c.text), load.Condition{})
			}
			if err != nil {
				t.Fatal(err)
			}
			last, total := 0, 0
			findings, err := load.Check(ctx, store, "toy", func(done, of int) { last, total = done, of })
			if err != nil {
				t.Fatal(err)
			}
			var keys []string
			for _, finding := range findings {
				keys = append(keys, finding.Key)
				if isFolder := finding.Key == first || finding.Key == second; finding.Harmless != c.harmless && !isFolder {
					t.Errorf("harmless %t: %+v", finding.Harmless, finding)
				}
				if !finding.Harmless && finding.Hint == "" {
					t.Errorf("it does not say what to do: %+v", finding)
				}
			}
			if got, want := strings.Join(keys, "\n"), strings.Join(c.finds, "\n"); got != want {
				t.Errorf("it finds\n%s\nwant\n%s\n%+v", got, want, findings)
			}
			if last == 0 || last != total {
				t.Errorf("the progress ended at %d of %d", last, total)
			}
		})
	}
}

// TestCheck_OnS3 flips a byte where only the service's own digest tells.
func TestCheck_OnS3(t *testing.T) {
	server := s3server.Start(t)
	server.Use(t)
	store, err := s3store.Open(t.Context(), s3store.Options{Bucket: server.Bucket, Endpoint: server.Endpoint, PathStyle: true})
	if err != nil {
		t.Fatal(err)
	}
	furnish(t, store)
	wantSound(t, store, "before")
	server.Flip(t, "toy/snapshots/2026-11-15.1/data/schools.parquet")
	server.Flip(t, "toy/logs/reports/0000000002.json")
	findings, err := load.Check(t.Context(), store, "toy", nil)
	if err != nil || len(findings) != 2 {
		t.Errorf("%+v, %v", findings, err)
	}
}

func TestCheck_SaysWhenItCannotRead(t *testing.T) {
	store := open(t)
	furnish(t, store)
	for n := 1; ; n++ {
		broken := storetest.Break(store, n, storetest.Before)
		_, err := load.Check(t.Context(), broken, "toy", nil)
		if broken.Calls() < n {
			break
		}
		if !errors.Is(err, storetest.ErrBroken) {
			t.Errorf("call %d broke, and the check says %v", n, err)
		}
	}
}

// pair opens two stores of different kinds.
func pair(t *testing.T, server *s3server.Server, prefix string) (folder, bucket load.Store) {
	t.Helper()
	folder, err := dirstore.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	bucket, err = s3store.Open(t.Context(), s3store.Options{Bucket: server.Bucket, Endpoint: server.Endpoint, PathStyle: true, Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	return folder, bucket
}

// same wants two stores to hold the same, but for locks.
func same(t *testing.T, a, b load.Store) {
	t.Helper()
	hold := func(store load.Store) map[string]string {
		objects, err := store.List(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]string{}
		for _, object := range objects {
			if !strings.HasSuffix(object.Key, "lock.json") {
				all[object.Key] = content(t, store, object.Key)
			}
		}
		return all
	}
	want, got := hold(a), hold(b)
	for key := range want {
		if want[key] != got[key] {
			t.Errorf("%s was not copied", key)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d objects, want %d", len(got), len(want))
	}
}

func TestCopyAll_ThereAndBack(t *testing.T) {
	server := s3server.Start(t)
	server.Use(t)
	ctx := t.Context()
	folder, bucket := pair(t, server, "there")
	furnish(t, bucket)
	did, err := load.CopyAll(ctx, bucket, folder, nil)
	if err != nil || did.Same != 0 {
		t.Fatalf("%+v, %v", did, err)
	}
	same(t, bucket, folder)
	if content(t, folder, "toy/lock.json") != "nothing" {
		t.Error("the lock was copied")
	}
	wantSound(t, folder, "the copy")
	again, err := load.CopyAll(ctx, bucket, folder, nil)
	if err != nil || again.Objects != 0 || again.Same != did.Objects {
		t.Errorf("again: %+v after %+v, %v", again, did, err)
	}
	history(t, bucket, "2026-11-29")
	if more, err := load.CopyAll(ctx, bucket, folder, nil); err != nil || more.Objects != 5 {
		t.Errorf("one snapshot more: %+v, %v", more, err)
	}
	same(t, bucket, folder)

	_, restored := pair(t, server, "back")
	if _, err := load.CopyAll(ctx, folder, restored, nil); err != nil {
		t.Fatal(err)
	}
	same(t, bucket, restored)
	wantSound(t, restored, "what was restored")

	history(t, restored, "2026-12-13") // goes its own way
	if _, err := load.CopyAll(ctx, folder, restored, nil); pipeline.KindOf(err) != pipeline.Config || !strings.Contains(err.Error(), "of its own: 2026-12-13.1") {
		t.Errorf("over a target with a snapshot of its own: %v", err)
	}
}

func TestCopyAll_MendsAndNeverSpreadsDamage(t *testing.T) {
	server := s3server.Start(t)
	server.Use(t)
	ctx := t.Context()
	folder, bucket := pair(t, server, "mend")
	furnish(t, folder)
	if _, err := load.CopyAll(ctx, folder, bucket, nil); err != nil {
		t.Fatal(err)
	}
	const table, signature, record = "toy/snapshots/2026-11-15.1/data/schools.parquet", "toy/snapshots/2026-11-15.1/manifest.json.minisig", "toy/logs/reports/0000000002.json"
	server.Flip(t, "mend/"+table)
	server.Flip(t, "mend/"+signature)
	server.Flip(t, "mend/"+record)
	did, err := load.CopyAll(ctx, folder, bucket, nil)
	if err != nil || strings.Join(did.Mended, " ") != record+" "+table+" "+signature {
		t.Errorf("%+v, %v", did, err)
	}
	same(t, folder, bucket)

	server.Flip(t, "mend/"+table)
	other := open(t)
	did, err = load.CopyAll(ctx, bucket, other, nil)
	if pipeline.KindOf(err) != pipeline.Storage || strings.Join(did.Damaged, " ") != table {
		t.Errorf("%+v, %v", did, err)
	}
	if content(t, other, "toy/snapshots/2026-11-15.1/manifest.json") != "nothing" || content(t, other, "toy/latest.json") != "nothing" {
		t.Error("readers of the copy see a snapshot that is not whole")
	}
	if _, err := folder.Put(ctx, record, strings.NewReader("another"), load.Condition{}); err != nil {
		t.Fatal(err)
	}
	if _, err := load.CopyAll(ctx, folder, bucket, nil); pipeline.KindOf(err) != pipeline.Config {
		t.Errorf("a record that differs: %v", err)
	}
}

// TestCopyAll_SurvivesEveryBreak breaks the n-th call to the source, and to the
// target, wants no reader of the target to be hurt, and the copy to go on.
func TestCopyAll_SurvivesEveryBreak(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	t.Parallel()
	source := open(t)
	furnish(t, source)
	for _, how := range []storetest.How{storetest.Before, storetest.After, storetest.InDoubt(3)} {
		for _, side := range []string{"source", "target"} {
			for n := 1; ; n++ {
				target := open(t)
				broken := storetest.Break(source, n, how)
				from, to := load.Store(broken), load.Store(target)
				if side == "target" {
					broken = storetest.Break(target, n, how)
					from, to = source, broken
				}
				_, err := load.CopyAll(t.Context(), from, to, nil)
				if broken.Calls() < n {
					if err != nil || n < 20 {
						t.Fatalf("%d calls, %v", n-1, err)
					}
					break
				}
				if !errors.Is(err, storetest.ErrBroken) {
					t.Fatalf("call %d %s: %v", n, how, err)
				}
				if _, err := whole(t.Context(), target); err != nil {
					t.Fatalf("call %d %s: a reader of the copy: %v", n, how, err)
				}
				if _, err := load.CopyAll(t.Context(), from, to, nil); err != nil {
					t.Fatalf("call %d %s to the %s: going on: %v", n, how, side, err)
				}
				same(t, source, target)
			}
		}
	}
}

func TestPrune_SurvivesEveryBreak(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	t.Parallel()
	rule := load.Retention{Latest: 2}
	for _, how := range []storetest.How{storetest.Before, storetest.After, storetest.InDoubt(1), storetest.InDoubt(3)} {
		for n := 1; ; n++ {
			store := open(t)
			history(t, store, "2026-11-01", "2026-11-15", "2026-11-29", "2026-12-13")
			broken := storetest.Break(store, n, how)
			_, err := load.Prune(t.Context(), broken, "toy", rule, false)
			if broken.Calls() < n {
				if err != nil || n < 15 {
					t.Fatalf("%d calls, %v", n-1, err)
				}
				break
			}
			if !errors.Is(err, storetest.ErrBroken) {
				t.Fatalf("call %d %s: %v", n, how, err)
			}
			wantSound(t, store, fmt.Sprintf("call %d %s", n, how))
			if _, err := load.Prune(t.Context(), broken, "toy", rule, false); err != nil {
				t.Fatalf("call %d %s: going on: %v", n, how, err)
			}
			wantSound(t, store, fmt.Sprintf("call %d %s, in the end", n, how))
			if objects, err := store.List(t.Context(), "toy/snapshots/"); err != nil || len(objects) != 8 {
				t.Fatalf("call %d %s: %d files are left, %v", n, how, len(objects), err)
			}
		}
	}
}

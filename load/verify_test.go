package load_test

import (
	"errors"
	"fmt"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"tamiz/internal/s3server"
	"tamiz/load"
	"tamiz/load/dirstore"
	"tamiz/load/s3store"
	"tamiz/load/storetest"
	"tamiz/pipeline"
)

// newKey makes a key, and the trust in it.
func newKey(t *testing.T, from, until string) (*load.Key, load.Trusted) {
	t.Helper()
	key, err := load.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return key, load.Trusted{Key: key.Public(), From: from, Until: until}
}

// signedHistory publishes snapshots that stand on raw bytes, signed by key.
func signedHistory(t *testing.T, store load.Store, key *load.Key, trust []load.Trusted, periods ...string) {
	t.Helper()
	for _, period := range periods {
		raw := "raw bytes of " + period
		put(t, store, "toy/archive/sha256/"+sha(raw)[:2]+"/"+sha(raw), raw)
		p := publication(t, period, "schools of "+period, "profiles of "+period)
		p.Sign, p.Trust = key, trust
		p.Notes = map[string][]byte{"method.yml": []byte("method of " + period)}
		p.Manifest.Sources = []load.ManifestSource{{Name: "open", Archive: "public", Files: []pipeline.Pin{{Digest: pipeline.Digest(sha(raw)), Bytes: int64(len(raw))}}}}
		if _, isNew, err := load.Publish(t.Context(), store, p, noon); err != nil || !isNew {
			t.Fatalf("%s: new %t, %v", period, isNew, err)
		}
	}
}

func put(t *testing.T, store load.Store, key, text string) {
	t.Helper()
	if _, err := store.Put(t.Context(), key, strings.NewReader(text), load.Condition{}); err != nil {
		t.Fatal(err)
	}
}

// found verifies, and gives what is wrong, by key.
func found(t *testing.T, store load.Store, what load.Verification) map[string]load.Finding {
	t.Helper()
	verified, err := load.Verify(t.Context(), store, "toy", what, nil)
	if err != nil {
		t.Fatal(err)
	}
	wrong := map[string]load.Finding{}
	for _, finding := range verified.Findings {
		if !finding.Harmless {
			wrong[finding.Key] = finding
		}
	}
	return wrong
}

// byScript verifies with docs/audit/verify.sh, which knows nothing of Tamiz. It
// gives the exit code and what was said.
func byScript(t *testing.T, store *dirstore.Store, key *load.Key, arguments ...string) (int, string) {
	t.Helper()
	for _, tool := range []string{"sh", "sha256sum", "jq", "minisign"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Logf("SKIPPED: docs/audit/verify.sh cannot run: %s is not installed here (scripts/audit-tools)", tool)
			return -1, ""
		}
	}
	file, err := store.Path("toy/latest.json")
	if err != nil {
		t.Fatal(err)
	}
	words := []string{"../docs/audit/verify.sh", "-r", filepath.Dir(file)}
	if words = append(words, arguments...); key != nil {
		words = append(words, key.Public().String())
	}
	command := exec.Command("sh", words...)
	out, err := command.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return command.ProcessState.ExitCode(), string(out)
}

// wantByScript wants the script to name a file of the store, or, with "", to
// find nothing.
func wantByScript(t *testing.T, store *dirstore.Store, key *load.Key, id, file string) {
	t.Helper()
	code, said := byScript(t, store, key, id)
	file = strings.TrimPrefix(file, "toy/")
	switch {
	case code < 0:
	case file == "" && (code != 0 || !strings.Contains(said, "each is what it was")):
		t.Errorf("the script says %d:\n%s", code, said)
	case file != "" && (code != 3 || !strings.Contains(said, "damaged  "+file+":") && !strings.Contains(said, "  "+path.Base(file)+"\n")):
		t.Errorf("the script does not name %s, but says %d:\n%s", file, code, said)
	}
}

// TestVerify_NamesEveryFlippedBit flips a bit in every few bytes of every
// file of a snapshot, of its raw bytes, of what stands before it and of
// latest.json, signed and not.
func TestVerify_NamesEveryFlippedBit(t *testing.T) {
	for _, isSigned := range []bool{true, false} {
		t.Run(fmt.Sprintf("signed %t", isSigned), func(t *testing.T) {
			t.Parallel()
			store := open(t)
			var key *load.Key
			var trust []load.Trusted
			if isSigned {
				one, trusted := newKey(t, "", "")
				key, trust = one, []load.Trusted{trusted}
			}
			signedHistory(t, store, key, trust, "2026-11-01", "2026-11-15", "2026-11-29")
			const id = "2026-11-15.1"
			what := load.Verification{Snapshot: id, Raw: true, Trust: trust}
			if wrong := found(t, store, what); len(wrong) > 0 {
				t.Fatalf("before: %v", wrong)
			}
			objects, err := store.List(t.Context(), "toy/")
			if err != nil {
				t.Fatal(err)
			}
			wantByScript(t, store, key, id, "")
			flipped, raw := 0, sha("raw bytes of 2026-11-15")
			for _, object := range objects {
				text := content(t, store, object.Key)
				isOf := strings.Contains(object.Key, id) || strings.HasSuffix(object.Key, raw) || object.Key == "toy/latest.json" || object.Key == "toy/snapshots/2026-11-01.1/manifest.json"
				if !isOf {
					continue
				}
				for at := 0; at < len(text); at += 1 + len(text)/40 {
					damaged := []byte(text)
					damaged[at] ^= 1 << (at % 8)
					put(t, store, object.Key, string(damaged))
					if finding, named := found(t, store, what)[object.Key]; !named || finding.Problem == "" || finding.Expected == "" && finding.Hint == "" {
						t.Errorf("bit %d of byte %d of %s: %+v", at%8, at, object.Key, found(t, store, what))
					}
					if flipped++; at > len(text)/2 && at <= len(text)/2+1+len(text)/40 {
						wantByScript(t, store, key, id, object.Key)
					}
				}
				put(t, store, object.Key, text)
			}
			if wrong := found(t, store, what); len(wrong) > 0 || flipped < 200 {
				t.Errorf("%d bits; afterwards: %v", flipped, wrong)
			}
			t.Logf("%d bits were flipped, one at a time; each file was named", flipped)
		})
	}
}

func TestVerify_NamesWhatWasDoneToTheChain(t *testing.T) {
	key, trusted := newKey(t, "", "")
	other, _ := newKey(t, "", "")
	const first, second, third = "toy/snapshots/2026-11-01.1/", "toy/snapshots/2026-11-15.1/", "toy/snapshots/2026-11-29.1/"
	for _, c := range []struct {
		name string
		do   func(t *testing.T, store load.Store)

		byScript string // what the script names
		want     []string
	}{
		{"two manifests change places", func(t *testing.T, store load.Store) {
			a, b := content(t, store, first+"manifest.json"), content(t, store, second+"manifest.json")
			put(t, store, first+"manifest.json", b)
			put(t, store, second+"manifest.json", a)
		}, second + "manifest.json", []string{first + "manifest.json", second + "manifest.json"}},
		{"a manifest is dropped", func(t *testing.T, store load.Store) {
			if err := store.Remove(t.Context(), second+"manifest.json"); err != nil {
				t.Fatal(err)
			}
		}, "toy/removed/2026-11-15.1.json", []string{third + "manifest.json"}},
		{"a manifest is replaced with all that belongs to it, but for its signature", func(t *testing.T, store load.Store) {
			forge(t, store, nil)
		}, second + "manifest.json", []string{second + "manifest.json", second + "manifest.json.minisig"}},
		{"a manifest is replaced, and signed by a stranger", func(t *testing.T, store load.Store) {
			forge(t, store, other)
		}, second + "manifest.json", []string{second + "manifest.json", second + "manifest.json.minisig"}},
		{"a manifest is passed over", func(t *testing.T, store load.Store) {
			text := content(t, store, third+"manifest.json")
			parent := sha(content(t, store, first+"manifest.json"))
			text = strings.ReplaceAll(text, sha(content(t, store, second+"manifest.json")), parent)
			put(t, store, third+"manifest.json", strings.ReplaceAll(text, "2026-11-15.1", "2026-11-01.1"))
		}, third + "manifest.json.minisig", []string{"toy/latest.json", third + "manifest.json", third + "manifest.json.minisig"}},
		{"the pointer is turned back", func(t *testing.T, store load.Store) {
			text := strings.ReplaceAll(content(t, store, "toy/latest.json"), sha(content(t, store, third+"manifest.json")), sha(content(t, store, first+"manifest.json")))
			put(t, store, "toy/latest.json", strings.ReplaceAll(text, "2026-11-29.1", "2026-11-01.1"))
		}, "toy/latest.json", []string{"toy/latest.json"}},
		{"a signature is taken away", func(t *testing.T, store load.Store) {
			if err := store.Remove(t.Context(), third+"manifest.json.minisig"); err != nil {
				t.Fatal(err)
			}
		}, third + "manifest.json.minisig", []string{third + "manifest.json.minisig"}},
		{"the signature of another is put there", func(t *testing.T, store load.Store) {
			put(t, store, third+"manifest.json.minisig", content(t, store, second+"manifest.json.minisig"))
		}, third + "manifest.json.minisig", []string{third + "manifest.json.minisig"}},
		{"a file is laid into the folder", func(t *testing.T, store load.Store) {
			put(t, store, third+"data/more.parquet", "x")
		}, third + "data/more.parquet", []string{third + "data/more.parquet"}},
		{"a mart and its line of the sums are changed", func(t *testing.T, store load.Store) {
			put(t, store, third+"data/schools.parquet", "forged")
			put(t, store, third+"SHA256SUMS", strings.ReplaceAll(content(t, store, third+"SHA256SUMS"), sha("schools of 2026-11-29"), sha("forged")))
		}, third + "data/schools.parquet", []string{third + "SHA256SUMS", third + "data/schools.parquet"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			store := open(t)
			signedHistory(t, store, key, []load.Trusted{trusted}, "2026-11-01", "2026-11-15", "2026-11-29")
			c.do(t, store)
			wantByScript(t, store, key, "2026-11-29.1", c.byScript)
			wrong := found(t, store, load.Verification{Snapshot: "2026-11-29.1", Trust: []load.Trusted{trusted}})
			for _, key := range c.want {
				if wrong[key].Problem == "" {
					t.Errorf("%s is not named: %+v", key, wrong)
				}
			}
			all := found(t, store, load.Verification{Trust: []load.Trusted{trusted}})
			if len(all) < len(wrong) {
				t.Errorf("all of the store: %+v\nthe snapshot alone: %+v", all, wrong)
			}
		})
	}
}

// forge puts another history's second snapshot in place of the real one.
func forge(t *testing.T, store load.Store, key *load.Key) {
	t.Helper()
	const folder = "toy/snapshots/2026-11-15.1/"
	forged := open(t)
	signedHistory(t, forged, key, nil, "2026-11-08", "2026-11-15")
	for _, file := range []string{"data/schools.parquet", "data/profiles.parquet", "method.yml", "SHA256SUMS", "manifest.json"} {
		put(t, store, folder+file, content(t, forged, folder+file))
	}
	if key != nil {
		put(t, store, folder+"manifest.json.minisig", content(t, forged, folder+"manifest.json.minisig"))
	}
}

// TestVerify_KeysAreExchanged goes from no key to one, and to another.
func TestVerify_KeysAreExchanged(t *testing.T) {
	store := open(t)
	old, oldTrusted := newKey(t, "2026-11-15.1", "2026-11-29.1")
	young, youngTrusted := newKey(t, "2026-12-13.1", "")
	trust := []load.Trusted{oldTrusted, youngTrusted}
	signedHistory(t, store, nil, trust, "2026-11-01")
	signedHistory(t, store, old, trust, "2026-11-15", "2026-11-29")
	for name, key := range map[string]*load.Key{"the old key": old, "no key": nil} {
		p := publication(t, "2026-12-13", "later", "p")
		p.Sign, p.Trust = key, trust
		if _, _, err := load.Publish(t.Context(), store, p, noon); pipeline.KindOf(err) != pipeline.Config {
			t.Errorf("with %s: %v", name, err)
		}
	}
	signedHistory(t, store, young, trust, "2026-12-13")
	verified, err := load.Verify(t.Context(), store, "toy", load.Verification{Trust: trust}, nil)
	if err != nil || len(verified.Findings) > 0 || verified.Manifests != 4 || verified.Files != 19 {
		t.Errorf("%+v, %v", verified, err)
	}
	for id, want := range map[string]load.Signature{"2026-11-01.1": {}, "2026-11-29.1": {Key: old.Public().ID(), Trusted: true}, "2026-12-13.1": {Key: young.Public().ID(), Trusted: true}} {
		if got := verified.Signatures[id]; got != want {
			t.Errorf("%s: %+v, want %+v", id, got, want)
		}
	}
	if wrong := found(t, store, load.Verification{Trust: []load.Trusted{youngTrusted}}); len(wrong) != 0 {
		t.Errorf("with the young key alone, which begins later: %v", wrong)
	}
	oldTrusted.Until = "2026-11-15.1"
	if wrong := found(t, store, load.Verification{Trust: []load.Trusted{oldTrusted, youngTrusted}}); len(wrong) != 1 || wrong["toy/snapshots/2026-11-29.1/manifest.json.minisig"].Problem == "" {
		t.Errorf("a key that was stolen before: %v", wrong)
	}
	// Retention takes the files, and leaves manifests with their signatures.
	if _, err := load.Prune(t.Context(), store, "toy", load.Retention{Latest: 1}, false); err != nil {
		t.Fatal(err)
	}
	oldTrusted.Until = "2026-11-29.1"
	verified, err = load.Verify(t.Context(), store, "toy", load.Verification{Snapshot: "2026-11-15.1", Trust: trust}, nil)
	if err != nil || len(verified.Findings) > 0 || verified.Files != 0 || fmt.Sprint(verified.Removed) != "[2026-11-15.1]" || !verified.Signatures["2026-11-15.1"].Trusted {
		t.Errorf("one that was removed: %+v, %v", verified, err)
	}
	// A stolen old key cannot sign under an old date.
	forged := publication(t, "2026-11-29", "forged", "p")
	forged.Sign = old
	if snapshot, isNew, err := load.Publish(t.Context(), store, forged, noon); err != nil || !isNew || snapshot.Snapshot != "2026-11-29.2" {
		t.Fatalf("%v, %t, %v", snapshot, isNew, err)
	}
	if wrong := found(t, store, load.Verification{Snapshot: "2026-11-29.2", Trust: trust}); len(wrong) != 1 {
		t.Errorf("under an old date: %v", wrong)
	}
}

// TestPublish_NeverShowsAManifestWithoutItsSignature breaks every call.
func TestPublish_NeverShowsAManifestWithoutItsSignature(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	key, trusted := newKey(t, "", "")
	what := load.Verification{Trust: []load.Trusted{trusted}}
	for _, how := range []storetest.How{storetest.Before, storetest.After, storetest.InDoubt(2)} {
		for n := 1; ; n++ {
			store := open(t)
			signedHistory(t, store, key, what.Trust, "2026-11-01")
			p := publication(t, "2026-11-15", "new", "profiles of 2026-11-01")
			p.Sign, p.Trust, p.Notes = key, what.Trust, map[string][]byte{"method.yml": []byte("m")}
			broken := storetest.Break(store, n, how)
			_, _, err := load.Publish(t.Context(), broken, p, noon)
			if broken.Calls() < n {
				if err != nil || n < 12 {
					t.Fatalf("%d calls, %v", n-1, err)
				}
				break
			}
			if !errors.Is(err, storetest.ErrBroken) {
				t.Fatalf("call %d %s: %v", n, how, err)
			}
			if wrong := found(t, store, what); len(wrong) > 0 {
				t.Fatalf("call %d %s: %v", n, how, wrong)
			}
			if snapshot, _, err := load.Publish(t.Context(), broken, p, noon); err != nil || snapshot.Snapshot != "2026-11-15.1" {
				t.Fatalf("call %d %s: after restart %v, %v", n, how, snapshot, err)
			}
			if wrong := found(t, store, what); len(wrong) > 0 {
				t.Fatalf("call %d %s, in the end: %v", n, how, wrong)
			}
		}
	}
}

// TestPublish_DoesNotGoOnWithWhatIsNotSigned: a publication broke off before
// the pointer turned, then keys were set.
func TestPublish_DoesNotGoOnWithWhatIsNotSigned(t *testing.T) {
	store := open(t)
	history(t, store, "2026-11-01")
	p := publication(t, "2026-11-15", "new", "p")
	for n := 1; ; n++ { // the last call turns the pointer
		if _, _, err := load.Publish(t.Context(), storetest.Break(store, n, storetest.Before), p, noon); err == nil {
			t.Fatal("the pointer was turned")
		}
		if content(t, store, "toy/snapshots/2026-11-15.1/manifest.json") != "nothing" {
			break
		}
	}
	p.Sign, _ = newKey(t, "", "")
	snapshot, isNew, err := load.Publish(t.Context(), store, p, noon)
	if err != nil || !isNew || snapshot.Snapshot != "2026-11-15.2" || content(t, store, "toy/snapshots/2026-11-15.2/manifest.json.minisig") == "nothing" {
		t.Errorf("%v, %t, %v", snapshot, isNew, err)
	}
}

// TestPublish_KeepsStrangersOut: what another publication began under an id
// does not become part of this one.
func TestPublish_KeepsStrangersOut(t *testing.T) {
	store := open(t)
	put(t, store, "toy/snapshots/2026-11-15.1/data/begun.parquet", "x")
	snapshot, _, err := load.Publish(t.Context(), store, publication(t, "2026-11-15", "a", "p"), noon)
	if err != nil || snapshot.Snapshot != "2026-11-15.2" {
		t.Fatalf("%v, %v", snapshot, err)
	}
	if wrong := found(t, store, load.Verification{}); len(wrong) > 0 {
		t.Errorf("%v", wrong)
	}
}

func TestVerify_OnS3AndWhenItCannotRead(t *testing.T) {
	server := s3server.Start(t)
	server.Use(t)
	store, err := s3store.Open(t.Context(), s3store.Options{Bucket: server.Bucket, Endpoint: server.Endpoint, PathStyle: true})
	if err != nil {
		t.Fatal(err)
	}
	key, trusted := newKey(t, "", "")
	what := load.Verification{Snapshot: "2026-11-15.1", Raw: true, Trust: []load.Trusted{trusted}}
	signedHistory(t, store, key, what.Trust, "2026-11-01", "2026-11-15")
	if wrong := found(t, store, what); len(wrong) > 0 {
		t.Errorf("before: %v", wrong)
	}
	for n := 1; ; n++ {
		broken := storetest.Break(store, n, storetest.Before)
		_, err := load.Verify(t.Context(), broken, "toy", what, nil)
		if broken.Calls() < n {
			break
		}
		if !errors.Is(err, storetest.ErrBroken) {
			t.Errorf("call %d broke: %v", n, err)
		}
	}
	for _, file := range []string{"data/schools.parquet", "manifest.json.minisig", "SHA256SUMS", "manifest.json"} {
		server.Flip(t, "toy/snapshots/2026-11-15.1/"+file)
		if wrong := found(t, store, what); wrong["toy/snapshots/2026-11-15.1/"+file].Problem == "" {
			t.Errorf("%s is not named: %v", file, wrong)
		}
	}
	if _, err := load.Verify(t.Context(), store, "toy", load.Verification{Snapshot: "2030-01-01.1"}, nil); pipeline.KindOf(err) != pipeline.Config {
		t.Errorf("no such snapshot: %v", err)
	}
}

// TestVerify_OfAnOldManifest: those before `files` named their marts alone.
func TestVerify_OfAnOldManifest(t *testing.T) {
	store := open(t)
	const folder = "toy/snapshots/2026-11-01.1/"
	mart, note := "mart", "note"
	manifest := `{"format": "tamiz-manifest/1", "pipeline": "toy", "snapshot": "2026-11-01.1", "parent": null, "tables": [{"name": "mart", "file": "data/mart.parquet", "sha256": "` + sha(mart) + `", "bytes": 4}]}`
	for file, text := range map[string]string{"data/mart.parquet": mart, "method.yml": note, "manifest.json": manifest,
		"SHA256SUMS": sha(mart) + "  data/mart.parquet\n" + sha(manifest) + "  manifest.json\n" + sha(note) + "  method.yml\n"} {
		put(t, store, folder+file, text)
	}
	put(t, store, "toy/latest.json", "{\n  \"snapshot\": \"2026-11-01.1\",\n  \"manifest_sha256\": \""+sha(manifest)+"\",\n  \"published_at\": \"2026-11-22T12:00:00Z\"\n}\n")
	if wrong := found(t, store, load.Verification{}); len(wrong) > 0 {
		t.Errorf("%v", wrong)
	}
	for _, file := range []string{"data/mart.parquet", "method.yml", "SHA256SUMS", "manifest.json"} {
		text := content(t, store, folder+file)
		put(t, store, folder+file, "x"+text)
		if wrong := found(t, store, load.Verification{Snapshot: "2026-11-01.1"}); wrong[folder+file].Problem == "" {
			t.Errorf("%s is not named: %v", file, wrong)
		}
		put(t, store, folder+file, text)
	}
}

func TestKey_IsNeverShown(t *testing.T) {
	key, _ := newKey(t, "", "")
	text, err := key.Text(pipeline.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	again, err := load.ReadKey(text, pipeline.Secret{})
	if err != nil || again.Public().String() != key.Public().String() {
		t.Errorf("read again: %v", err)
	}
	if shown := fmt.Sprintf("%v %+v %#v %s", key, *key, load.Publication{Sign: key}, []*load.Key{key}); strings.Contains(shown, "PrivateKey") || strings.Count(shown, "***") != 3 {
		t.Errorf("it is shown: %s", shown)
	}
	for _, text := range []string{"", "x", key.Public().String(), string(text[:len(text)/2])} {
		if _, err := load.ReadKey([]byte(text), pipeline.Secret{}); pipeline.KindOf(err) != pipeline.Config {
			t.Errorf("%q: %v", text, err)
		}
	}
	line := key.Public().String()
	for _, text := range []string{line, line + "\n", string(key.Public().Text())} {
		if public, err := load.ParsePublicKey(text); err != nil || public.String() != line {
			t.Errorf("%q: %v", text, err)
		}
	}
	for at := range line {
		damaged := []byte(line)
		damaged[at] ^= 1
		if public, err := load.ParsePublicKey(string(damaged)); err == nil && public.String() == line {
			t.Errorf("byte %d of a public key does not count", at)
		}
	}
}

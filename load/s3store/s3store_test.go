package s3store_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tamiz/internal/s3server"
	"tamiz/load"
	"tamiz/load/s3store"
	"tamiz/load/storetest"
	"tamiz/pipeline"
)

const partBytes = 5 << 20

func open(t *testing.T, o s3store.Options) *s3store.Store {
	t.Helper()
	o.PathStyle, o.PartBytes = true, partBytes
	store, err := s3store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestStore_KeepsThePromise(t *testing.T) {
	server := s3server.Start(t)
	server.Use(t)
	var prefix atomic.Int32
	storetest.Run(t, func(t *testing.T) load.Store {
		t.Helper()
		return open(t, s3store.Options{Bucket: server.Bucket, Endpoint: server.Endpoint, Prefix: fmt.Sprintf("some/%d", prefix.Add(1))})
	})
}

func get(t *testing.T, store load.Store, key string) (string, error) {
	t.Helper()
	reader, _, err := store.Get(t.Context(), key)
	if err != nil {
		return "", err
	}
	defer reader.Close()
	content, err := io.ReadAll(reader)
	return string(content), err
}

// TestStore_OutlivesABadLine wants each call to succeed, once, whatever the
// line does to its first try.
func TestStore_OutlivesABadLine(t *testing.T) {
	server := s3server.Start(t)
	server.Use(t)
	proxy := server.Proxy(t)
	store := open(t, s3store.Options{Bucket: server.Bucket, Endpoint: proxy.Endpoint})
	first, err := store.Put(t.Context(), "pointer", strings.NewReader("first"), load.Condition{})
	if err != nil {
		t.Fatal(err)
	}
	large := bytes.Repeat([]byte("0123456789abcdef"), 11<<20/16)
	for _, fault := range []struct {
		name string
		set  func()
	}{
		{"an upload is cut", func() { proxy.CutUploads(1) }},
		{"an answer is lost", func() { proxy.LoseAnswers(1) }},
		{"two answers are lost", func() { proxy.LoseAnswers(2) }},
		{"downloads are cut", func() { proxy.CutDownloads(3) }},
		{"calls take long", func() { proxy.Delay(100 * time.Millisecond) }},
	} {
		t.Run(fault.name, func(t *testing.T) {
			try := func(what string, call func() (load.Version, error)) load.Version {
				t.Helper()
				fault.set()
				defer proxy.Pass()
				version, err := call()
				if err != nil {
					t.Errorf("%s: %v", what, err)
				}
				return version
			}
			key := fault.name
			try("put", func() (load.Version, error) {
				return store.Put(t.Context(), key, strings.NewReader("small"), load.Condition{Absent: true})
			})
			first = try("match", func() (load.Version, error) {
				return store.Put(t.Context(), "pointer", strings.NewReader(fault.name), load.Condition{Match: first})
			})
			try("put in parts", func() (load.Version, error) {
				return store.Put(t.Context(), key+" large", bytes.NewReader(large), load.Condition{Absent: true})
			})
			try("copy", func() (load.Version, error) {
				return store.Copy(t.Context(), key+" large", key+" copied", load.Condition{Absent: true})
			})
			fault.set()
			defer proxy.Pass()
			for name, want := range map[string]string{key: "small", "pointer": fault.name, key + " large": string(large), key + " copied": string(large)} {
				if got, err := get(t, store, name); err != nil || got != want {
					t.Errorf("%s: %d bytes, want %d, %v", name, len(got), len(want), err)
				}
			}
		})
	}
}

// TestStore_ALostRaceStaysLost: what a rival has written is not ours, even if
// it is the same.
func TestStore_ALostRaceStaysLost(t *testing.T) {
	server := s3server.Start(t)
	server.Use(t)
	proxy := server.Proxy(t)
	rival := open(t, s3store.Options{Bucket: server.Bucket, Endpoint: server.Endpoint})
	store := open(t, s3store.Options{Bucket: server.Bucket, Endpoint: proxy.Endpoint})
	if _, err := rival.Put(t.Context(), "key", strings.NewReader("same"), load.Condition{Absent: true}); err != nil {
		t.Fatal(err)
	}
	proxy.LoseAnswers(1)
	if _, err := store.Put(t.Context(), "key", strings.NewReader("same"), load.Condition{Absent: true}); !errors.Is(err, load.ErrConflict) {
		t.Errorf("a rival's object was taken for ours: %v", err)
	}
}

func TestStore_SaysWhatIsWrong(t *testing.T) {
	server := s3server.Start(t)
	server.Use(t)
	proxy := server.Proxy(t)
	good := s3store.Options{Bucket: server.Bucket, Endpoint: server.Endpoint, Tries: 2}
	for _, c := range []struct {
		name  string
		set   func(t *testing.T, o *s3store.Options)
		words []string
	}{
		{"refused", func(_ *testing.T, o *s3store.Options) { proxy.Refuse(); o.Endpoint = proxy.Endpoint }, []string{"the right is missing", "s3:PutObject", server.Bucket}},
		{"no bucket", func(_ *testing.T, o *s3store.Options) { o.Bucket = "absent" }, []string{"there is no bucket absent", "tamiz.yml"}},
		{"unreachable", func(_ *testing.T, o *s3store.Options) { o.Endpoint = "http://127.0.0.1:1" }, []string{"cannot be reached", "connection refused", "endpoint"}},
		{"wrong secret", func(t *testing.T, _ *s3store.Options) { t.Setenv("AWS_SECRET_ACCESS_KEY", "topsecret-and-wrong") }, []string{"refuses the credentials", "AWS_SECRET_ACCESS_KEY"}},
		{"unknown key", func(t *testing.T, _ *s3store.Options) { t.Setenv("AWS_ACCESS_KEY_ID", "UNKNOWNKEY") }, []string{"refuses the credentials"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := good
			c.set(t, &o)
			_, err := open(t, o).Put(t.Context(), "key", strings.NewReader("x"), load.Condition{Absent: true})
			if pipeline.KindOf(err) != pipeline.Storage {
				t.Fatalf("kind %q: %v", pipeline.KindOf(err), err)
			}
			for _, word := range c.words {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q is not said in:\n%v", word, err)
				}
			}
			for _, secret := range []string{server.SecretKey, "topsecret"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("a secret is shown in:\n%v", err)
				}
			}
		})
	}
}

func TestOpen_NamesTheMissingCredentials(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "nothing")
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "", "AWS_EC2_METADATA_DISABLED": "",
		"AWS_CONFIG_FILE": nowhere, "AWS_SHARED_CREDENTIALS_FILE": nowhere, "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1"} {
		t.Setenv(name, value)
	}
	began := time.Now()
	_, err := s3store.Open(t.Context(), s3store.Options{Bucket: "tamiz"})
	if pipeline.KindOf(err) != pipeline.Config || !strings.Contains(err.Error(), "AWS_ACCESS_KEY_ID") || !strings.Contains(err.Error(), "AWS_PROFILE") {
		t.Errorf("got %v", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestOpen_RefusesWhatIsNoStore(t *testing.T) {
	for name, o := range map[string]s3store.Options{
		"no bucket":  {},
		"a path":     {Bucket: "a/b"},
		"a way out":  {Bucket: "abc", Prefix: "a/../b"},
		"no URL":     {Bucket: "abc", Endpoint: "host:9000"},
		"a password": {Bucket: "abc", Endpoint: "http://me:hidden@host"},
		"crumbs":     {Bucket: "abc", PartBytes: 1000},
	} {
		_, err := s3store.Open(t.Context(), o)
		if pipeline.KindOf(err) != pipeline.Config || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestGet_FindsAFlippedBit changes a byte where the server keeps it.
func TestGet_FindsAFlippedBit(t *testing.T) {
	server := s3server.Start(t)
	server.Use(t)
	store := open(t, s3store.Options{Bucket: server.Bucket, Endpoint: server.Endpoint})
	for name, content := range map[string][]byte{"small": []byte("content"), "large": bytes.Repeat([]byte("content!"), 6<<20/8)} {
		if _, err := store.Put(t.Context(), name, bytes.NewReader(content), load.Condition{}); err != nil {
			t.Fatal(err)
		}
		if got, err := get(t, store, name); err != nil || got != string(content) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		server.Flip(t, name)
		if _, err := get(t, store, name); pipeline.KindOf(err) != pipeline.Storage {
			t.Errorf("%s: a flipped bit was not found: %v", name, err)
		}
	}
}

// TestStore_EndsACallThatHangs: a server that takes the call and says nothing.
func TestStore_EndsACallThatHangs(t *testing.T) {
	server := s3server.Start(t)
	server.Use(t)
	proxy := server.Proxy(t)
	store := open(t, s3store.Options{Bucket: server.Bucket, Endpoint: proxy.Endpoint, Idle: 200 * time.Millisecond, Tries: 2})
	proxy.Delay(time.Hour)
	if _, _, err := store.Get(t.Context(), "key"); pipeline.KindOf(err) != pipeline.Storage {
		t.Errorf("got %v", err)
	}
	proxy.Pass()
	if _, _, err := store.Get(t.Context(), "key"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// TestSweep_TakesBackWhatAKilledProgramLeft cuts an upload off so that not even
// its end arrives.
func TestSweep_TakesBackWhatAKilledProgramLeft(t *testing.T) {
	server := s3server.Start(t)
	server.Use(t)
	proxy := server.Proxy(t)
	store := open(t, s3store.Options{Bucket: server.Bucket, Endpoint: proxy.Endpoint, Prefix: "in", Tries: 1})
	proxy.LoseAnswerAfter(0) // of the call that begins the upload: nobody knows its name
	if _, err := store.Put(t.Context(), "large", bytes.NewReader(make([]byte, 6<<20)), load.Condition{}); err == nil {
		t.Fatal("the upload was not broken")
	}
	if swept, err := store.Sweep(t.Context(), time.Hour); err != nil || swept != 0 {
		t.Errorf("an upload that may still go on: %d, %v", swept, err)
	}
	if swept, err := store.Sweep(t.Context(), 0); err != nil || swept != 1 {
		t.Errorf("%d were swept, %v", swept, err)
	}
	if swept, err := store.Sweep(t.Context(), 0); err != nil || swept != 0 {
		t.Errorf("again: %d, %v", swept, err)
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

package web_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"tamiz/extract/web"
)

func TestMain(m *testing.M) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		os.Unsetenv(name)
	}
	os.Exit(m.Run())
}

// today is the client's clock in all tests.
var today = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)

// content is the file that servers here hold: 64 KiB that repeat nowhere.
var content = func() []byte {
	var text bytes.Buffer
	for i := 0; text.Len() < 64<<10; i++ {
		fmt.Fprintf(&text, "%d,%x\n", i, sha256.Sum256([]byte{byte(i), byte(i >> 8)}))
	}
	return text.Bytes()[:64<<10]
}()

// desk is a client, its folder, and the pauses that it made.
type desk struct {
	t       *testing.T
	options web.Options
	dial    func(*web.Client)
	dir     string
	pauses  []time.Duration
}

func newDesk(t *testing.T) *desk {
	d := &desk{t: t, dir: t.TempDir()}
	d.options = web.Options{
		UserAgent: "tamiz/0.1 (+https://example.org/)", Wait: time.Second, MaxWait: 10 * time.Second,
		IdleTimeout: 5 * time.Second,
		Now:         func() time.Time { return today },
		Sleep: func(_ context.Context, pause time.Duration) error {
			d.pauses = append(d.pauses, pause)
			return nil
		},
	}
	return d
}

func (d *desk) fetch(request web.Request) (web.Response, error) {
	d.t.Helper()
	if request.Dir == "" {
		request.Dir = d.dir
	}
	if request.MaxBytes == 0 {
		request.MaxBytes = 1 << 20
	}
	client := web.New(d.options)
	if d.dial != nil {
		d.dial(client)
	}
	response, err := client.Fetch(d.t.Context(), request)
	entries, problem := os.ReadDir(d.dir)
	if problem != nil {
		d.t.Fatal(problem)
	}
	wanted := 1
	if err != nil || response.NotModified {
		wanted = 0
	}
	if len(entries) != wanted {
		d.t.Errorf("the folder holds %d files, want %d (error %v)", len(entries), wanted, err)
	}
	return response, err
}

// whole fetches and wants exactly these bytes.
func (d *desk) whole(request web.Request, want []byte) web.Response {
	d.t.Helper()
	response, err := d.fetch(request)
	if err != nil {
		d.t.Fatal(err)
	}
	got, err := os.ReadFile(response.Path)
	if err != nil {
		d.t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		d.t.Errorf("the file holds %d bytes, want %d others", len(got), len(want))
	}
	sum := sha256.Sum256(want)
	if response.SHA256 != hex.EncodeToString(sum[:]) || response.Bytes != int64(len(want)) {
		d.t.Errorf("got %d bytes with digest %s, want %d with %x", response.Bytes, response.SHA256, len(want), sum)
	}
	if info, err := os.Stat(response.Path); err != nil || info.Mode().Perm() != 0o600 || filepath.Dir(response.Path) != d.dir {
		d.t.Errorf("%s: %v, %v; want mode 0600 in %s", response.Path, info.Mode(), err, d.dir)
	}
	return response
}

// fault fetches and wants a fault of that reason, after so many tries.
func (d *desk) fault(request web.Request, reason web.Reason, tries int) *web.Fault {
	d.t.Helper()
	response, err := d.fetch(request)
	var fault *web.Fault
	if !errors.As(err, &fault) {
		d.t.Fatalf("got %+v, %v; want a fault: %s", response, err, reason)
	}
	if fault.Reason != reason || fault.Tries != tries {
		d.t.Errorf("got %q after %d tries (%v), want %q after %d", fault.Reason, fault.Tries, err, reason, tries)
	}
	if fault.Problem == "" || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n") {
		d.t.Errorf("the words are not for people: %v", err)
	}
	return fault
}

// serve starts a plain server, and sees at the end that no goroutine is left.
func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := quiet(t, handler)
	server.Start()
	return server
}

// serveTLS is serve with a certificate for 127.0.0.1 and example.com.
func serveTLS(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := quiet(t, handler)
	server.StartTLS()
	return server
}

func quiet(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for range 200 {
			if runtime.NumGoroutine() <= before {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
		stacks := make([]byte, 1<<16)
		t.Errorf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
	})
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(server.Close)
	return server
}

func TestFetch_BringsTheBytesAndTheFacts(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for name, want := range map[string]string{"User-Agent": "tamiz/0.1 (+https://example.org/)", "Accept-Encoding": "identity",
			"Cookie": "", "Authorization": "", "Referer": "", "Range": "", "If-None-Match": ""} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if r.URL.RawQuery != "key=secret" {
			t.Errorf("the query is %q", r.URL.RawQuery)
		}
		w.Header().Set("ETag", `W/"7"`)
		w.Header().Set("Last-Modified", "Sun, 01 Nov 2026 00:00:00 GMT")
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Set-Cookie", "a=b")
		w.Write(content)
	})
	got := newDesk(t).whole(web.Request{URL: server.URL + "/a.csv?key=secret#part"}, content)
	got.Path, got.SHA256 = "", ""
	want := web.Response{Bytes: 64 << 10, URL: server.URL + "/a.csv", ETag: `W/"7"`, LastModified: "Sun, 01 Nov 2026 00:00:00 GMT",
		ContentType: "text/csv; charset=utf-8", Tries: 1, At: today}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestFetch_TakesAnEmptyFile(t *testing.T) {
	server := serve(t, func(http.ResponseWriter, *http.Request) {})
	newDesk(t).whole(web.Request{URL: server.URL}, nil)
}

func TestFetch_DropsHeadersThatCannotBeSentAgain(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") != "" {
			t.Error("an etag that is none was sent")
		}
		w.Header().Set("ETag", "\"caf\xe9\"")
		w.Header().Set("Content-Type", strings.Repeat("x", 2000))
	})
	got := newDesk(t).whole(web.Request{URL: server.URL, ETag: "\"a\r\nX: y\""}, nil)
	if got.ETag != "" || got.ContentType != "" {
		t.Errorf("got %q, %.20q", got.ETag, got.ContentType)
	}
}

func TestFetch_AsksOnlyForWhatIsNew(t *testing.T) {
	const etag, modified = `"v1"`, "Sun, 01 Nov 2026 00:00:00 GMT"
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") == etag || r.Header.Get("If-Modified-Since") == modified {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Write(content)
	})
	for _, request := range []web.Request{{ETag: etag}, {LastModified: modified}, {ETag: etag, LastModified: modified}} {
		request.URL = server.URL + "/a"
		got, err := newDesk(t).fetch(request)
		want := web.Response{URL: server.URL + "/a", ETag: request.ETag, LastModified: request.LastModified,
			NotModified: true, Tries: 1, At: today}
		if err != nil || got != want {
			t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
		}
	}
	newDesk(t).whole(web.Request{URL: server.URL, ETag: `"v0"`}, content)
}

func TestFetch_RefusesA304ThatItDidNotAskFor(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) })
	fault := newDesk(t).fault(web.Request{URL: server.URL}, web.Answer, 1)
	if fault.Status != 304 {
		t.Errorf("status %d", fault.Status)
	}
}

func TestFetch_SendsNothingForARequestThatIsWrong(t *testing.T) {
	server := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("something was sent") })
	host := strings.TrimPrefix(server.URL, "http://")
	for _, address := range []string{"", "a.csv", "file:///etc/passwd", "ftp://" + host, "http:///a", "http:a", "http://:80/",
		"http://me:secret@" + host, "http://me@" + host, "http://me:secret/7@" + host, "http://" + host + "/%zzsecret"} {
		newDesk(t).fault(web.Request{URL: address}, web.Invalid, 0)
	}
	d := newDesk(t)
	d.fault(web.Request{URL: server.URL, MaxBytes: -1}, web.Invalid, 0)
	d.options.UserAgent = ""
	d.fault(web.Request{URL: server.URL}, web.Invalid, 0)
	_, err := web.New(newDesk(t).options).Fetch(t.Context(), web.Request{URL: server.URL, MaxBytes: 1})
	var fault *web.Fault
	if !errors.As(err, &fault) || fault.Reason != web.Invalid {
		t.Errorf("without a folder: %v", err)
	}
}

func TestFetch_TellsAFolderThatCannotBeWritten(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(content) })
	d := newDesk(t)
	d.fault(web.Request{URL: server.URL, Dir: filepath.Join(d.dir, "gone")}, web.Disk, 1)
}

func TestFetch_KeepsTheLimitOfSize(t *testing.T) {
	const limit = 64 << 10
	for name, handler := range map[string]http.HandlerFunc{
		"declared": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(limit+1))
			w.(http.Flusher).Flush()
		},
		"real": func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush()
			w.Write(content)
			w.Write([]byte("x"))
		},
		"endless": func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write(content); err != nil {
					return
				}
			}
		},
		"gzip bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			bomb := gzip.NewWriter(w)
			bomb.Write(make([]byte, 16<<20)) // about 16 KiB on the way
			bomb.Close()
		},
		"gzip without content": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			empty := packed(nil)
			for {
				if _, err := w.Write(empty); err != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, handler)
			fault := newDesk(t).fault(web.Request{URL: server.URL, MaxBytes: limit}, web.TooLarge, 1)
			if !strings.Contains(fault.Problem, "65536") {
				t.Errorf("the limit is not named: %v", fault)
			}
		})
	}
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush()
		w.Write(content)
	})
	newDesk(t).whole(web.Request{URL: server.URL, MaxBytes: limit}, content)
}

func packed(text []byte) []byte {
	var buffer bytes.Buffer
	writer := gzip.NewWriter(&buffer)
	writer.Write(text)
	writer.Close()
	return buffer.Bytes()
}

func TestFetch_UnpacksWhatTheServerPacksUnasked(t *testing.T) {
	for _, name := range []string{"gzip", "x-gzip", " GZIP"} {
		server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", name)
			w.Write(packed(content))
		})
		newDesk(t).whole(web.Request{URL: server.URL}, content)
	}
	plain := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "identity")
		w.Write(packed(content))
	})
	newDesk(t).whole(web.Request{URL: plain.URL}, packed(content))
}

func TestFetch_RefusesPackingItCannotUndo(t *testing.T) {
	damaged := packed(content)
	damaged[len(damaged)-5] ^= 1
	for encoding, body := range map[string][]byte{"br": content, "gzip, gzip": packed(content), "gzip": damaged, "x-gzip": content} {
		server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", encoding)
			w.Write(body)
		})
		newDesk(t).fault(web.Request{URL: server.URL}, web.Answer, 1)
	}
}

func TestFetch_ManyAtOnce(t *testing.T) {
	server := serve(t, file)
	client, dir := web.New(newDesk(t).options), t.TempDir()
	errs := make(chan error)
	for range 8 {
		go func() {
			response, err := client.Fetch(t.Context(), web.Request{URL: server.URL, MaxBytes: 1 << 20, Dir: dir})
			if err == nil && response.Bytes != int64(len(content)) {
				err = fmt.Errorf("got %d bytes", response.Bytes)
			}
			errs <- err
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 8 {
		t.Errorf("%d files, %v", len(entries), err)
	}
}

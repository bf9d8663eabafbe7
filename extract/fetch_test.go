package extract_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"tamiz/extract"
	"tamiz/extract/web"
	"tamiz/pipeline"
)

// online turns a world's source into one with an address.
func online(t *testing.T, address string, handler http.HandlerFunc) *world {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	w := newWorld(t)
	w.source.URL = server.URL + address
	w.watch.Web = web.New(web.Options{UserAgent: "tamiz/test", Tries: 1, Wait: time.Millisecond})
	return w
}

func TestObserve_FetchesEveryFileOfAnAddress(t *testing.T) {
	asked := map[string]int{}
	w := online(t, "/planea_{08..10}.zip", func(w http.ResponseWriter, r *http.Request) {
		asked[r.URL.Path]++
		w.Header().Set("ETag", `"1"`)
		if r.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Write([]byte(r.URL.Path))
	})
	first, err := w.watch.Observe(t.Context(), w.source)
	if err != nil || len(first.Files) != 3 || first.How != extract.HowHTTP {
		t.Fatalf("got %+v, %v", first, err)
	}
	names := map[string]bool{}
	for _, file := range first.Files {
		names[file.Name] = true
		if _, err := w.archive.Path(file.Digest); err != nil {
			t.Error(err)
		}
	}
	if !names["planea_08.zip"] || !names["planea_10.zip"] || asked["/planea_09.zip"] != 1 {
		t.Errorf("got %v, asked %v", names, asked)
	}
	second, err := w.watch.Observe(t.Context(), w.source)
	if err != nil || !pipeline.SameFiles(first.Pins(), second.Pins()) || asked["/planea_09.zip"] != 2 {
		t.Errorf("not modified: got %+v, %v, asked %v", second, err, asked)
	}
	if left, err := os.ReadDir(w.watch.Scratch); err != nil || len(left) > 0 {
		t.Errorf("downloads left behind: %v, %v", left, err)
	}
}

func TestObserve_OneFileThatFailsMakesTheSourceFail(t *testing.T) {
	w := online(t, "/x_{1..2}.csv", func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "2.csv") {
			http.NotFound(w, r)
		}
	})
	observation, err := w.watch.Observe(t.Context(), w.source)
	if len(observation.Files) > 0 || pipeline.KindOf(err) != pipeline.SourceDown || !strings.Contains(err.Error(), "x_2.csv") {
		t.Errorf("got %+v, %v", observation, err)
	}
	w.source.Mirrors = []string{w.source.URL, "https://mirror.example/x.csv"}
	if _, err := w.watch.Observe(t.Context(), w.source); pipeline.KindOf(err) != pipeline.Config || !strings.Contains(err.Error(), "stands for 1 files, the address for 2") {
		t.Errorf("a mirror of other files: %v", err)
	}
}

// TestObserve_AFullDiskIsNotThePublishersFault: else the last good version
// would be carried forward for it.
func TestObserve_AFullDiskIsNotThePublishersFault(t *testing.T) {
	w := online(t, "/a.csv", func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 100_000)) })
	w.source.Parsing.MaxBytes = 1 << 20
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Skip(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 10_000, Max: before.Max}); err != nil {
		t.Skip(err)
	}
	defer syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before)
	if _, err := w.watch.Observe(t.Context(), w.source); pipeline.KindOf(err) != pipeline.Storage || !errors.Is(err, syscall.EFBIG) {
		t.Errorf("kind %s: %v", pipeline.KindOf(err), err)
	}
}

func TestInbox_GivesOnlyWhatIsNew(t *testing.T) {
	w := online(t, "/a.csv", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("second")) })
	w.put(t, "a.csv", "first")
	inbox := func() int {
		observation, err := w.watch.Inbox(t.Context(), w.source)
		if err != nil {
			t.Fatal(err)
		}
		if len(observation.Files) > 0 && (observation.By == "" || observation.How != extract.HowInbox) {
			t.Errorf("who put it there? %+v", observation)
		}
		return len(observation.Files)
	}
	if got := inbox(); got != 1 {
		t.Errorf("a file that nobody has seen: got %d files", got)
	}
	if _, err := w.watch.Observe(t.Context(), w.source); err != nil {
		t.Fatal(err)
	}
	if got := inbox(); got != 0 {
		t.Errorf("a file that a download has replaced: got %d files", got)
	}
	w.put(t, "a.csv", "third")
	if got := inbox(); got != 1 {
		t.Errorf("a newer file: got %d files", got)
	}
}

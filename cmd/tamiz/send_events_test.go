package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"tamiz/lineage/standards"
)

func TestSendEvents_NeverFailsTheRun(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(w http.ResponseWriter, n int)
		key    string
		want   string // that a person is told; "" for nothing
	}{
		{"taken", func(w http.ResponseWriter, _ int) { w.WriteHeader(http.StatusCreated) }, "sesame", ""},
		{"refused", func(w http.ResponseWriter, n int) {
			if n > 3 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}, "sesame", "answered 503 Service Unavailable after 3 events"},
		{"led elsewhere", func(w http.ResponseWriter, _ int) {
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, "sesame", "answered 307"},
		{"without its key", func(http.ResponseWriter, int) {}, "", "LINEAGE_KEY"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var taken atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				text, err := io.ReadAll(r.Body)
				if n := taken.Add(1); err != nil || !json.Valid(text) || r.Method != http.MethodPost || r.URL.Path != "/api/v1/lineage" || r.Header.Get("Authorization") != "Bearer sesame" {
					t.Errorf("event %d: %v %s %s, authorization %q, %.80s", n, err, r.Method, r.URL.Path, r.Header.Get("Authorization"), text)
				}
				c.answer(w, int(taken.Load()))
			}))
			defer server.Close()
			project := toyProject(t, "openlineage: {url: "+server.URL+"/api/v1/lineage, key_env: LINEAGE_KEY}\n")
			run := command("run", "--project", project)
			run.Env = append(run.Env, "LINEAGE_KEY="+c.key)
			said, err := run.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, said)
			}
			if got := strings.Contains(string(said), "were not taken"); got != (c.want != "") || !strings.Contains(string(said), c.want) || strings.Contains(string(said), "sesame") {
				t.Errorf("want %q in\n%s", c.want, said)
			}
			e := latestEdition(t, project, "toy")
			if events := strings.Count(string(e.read(t, standards.EventsFile)), "\n"); c.want == "" && int(taken.Load()) != events {
				t.Errorf("%d of %d events arrived", taken.Load(), events)
			}
		})
	}
}

// toyProject makes a small project of its own, with more in its tamiz.yml.
func toyProject(t *testing.T, more string) string {
	t.Helper()
	dir := t.TempDir()
	for file, text := range sealedProject {
		if file == "tamiz.yml" {
			text += more
		}
		writeText(t, filepath.Join(dir, file), text)
	}
	return dir
}

func writeText(t *testing.T, file, text string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(file), 0o755)
	if err == nil {
		err = os.WriteFile(file, []byte(text), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

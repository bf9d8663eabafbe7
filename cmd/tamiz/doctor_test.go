package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"tamiz/config"
	"tamiz/load"
	"tamiz/load/dirstore"
	"tamiz/pipeline"
)

// careless is a store like some S3-compatible services: it takes conditions
// and does not keep them.
type careless struct {
	load.Store
	absent, match bool // ignores these
}

func (s careless) Put(ctx context.Context, key string, content io.Reader, when load.Condition) (load.Version, error) {
	if s.absent {
		when.Absent = false
	}
	if s.match {
		when.Match = ""
	}
	return s.Store.Put(ctx, key, content, when)
}

// forgetful lists nothing.
type forgetful struct{ load.Store }

func (forgetful) List(context.Context, string) ([]load.Object, error) { return nil, nil }

func TestDoctor_FindsStoresThatDoNotKeepTheirPromise(t *testing.T) {
	folder, err := dirstore.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		store load.Store
		want  string
	}{
		{"sound", folder, ""},
		{"ignores If-None-Match", careless{folder, true, false}, "(If-None-Match)"},
		{"ignores If-Match", careless{folder, false, true}, "(If-Match)"},
		{"forgets what it holds", forgetful{folder}, "does not list"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := tryStore(t.Context(), test.store, "mx/doctor/key")
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if left, _ := folder.List(t.Context(), ""); len(left) > 0 {
				t.Errorf("it left %v behind", left)
			}
		})
	}
}

func TestDoctor_ComparesClocks(t *testing.T) {
	ahead := time.Duration(0)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(-ahead).UTC().Format(http.TimeFormat))
	}))
	defer server.Close()
	for _, ahead = range []time.Duration{0, time.Hour, -24 * time.Hour} {
		if got, ok := clockOffset(t.Context(), server.URL); !ok || (got-ahead).Abs() > 2*time.Second {
			t.Errorf("this clock is %v ahead, but %v was found (%v)", ahead, got, ok)
		}
	}
	server.Close()
	if _, ok := clockOffset(t.Context(), server.URL); ok {
		t.Error("a server that is gone told its time")
	}
}

func TestStorePrune_KeepsWhatTheMethodIsAnchoredIn(t *testing.T) {
	p := &pipeline.Pipeline{Tables: []pipeline.Table{
		{Name: "reference.states", Columns: []pipeline.TableColumn{{Name: "state_code"}}, Rows: [][]string{{"'01'"}}},
		{Name: "method.weights", Columns: []pipeline.TableColumn{{Name: "weight"}}, Rows: [][]string{{"0.5"}}},
		{Name: "method.cut_points", Columns: []pipeline.TableColumn{{Name: "index_name"}, {Name: "from_snapshot"}},
			Rows: [][]string{{"'urgency'", "'2026-11-29.1'"}, {"'feasibility'", "null"}}},
	}}
	if got := anchoredIn(p); len(got) != 1 || got[0] != "2026-11-29.1" {
		t.Errorf("got %v, want 2026-11-29.1 alone", got)
	}
}

func TestDoctor_TellsWhoHoldsALock(t *testing.T) {
	folder, err := dirstore.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	told := func() string {
		d := &doctor{ctx: t.Context()}
		d.lookAtLease(folder, "mx")
		if len(d.findings) == 0 {
			return ""
		}
		return d.findings[0].State + " " + d.findings[0].Finding
	}
	if got := told(); got != "" {
		t.Errorf("without a lock: %s", got)
	}
	lease, err := load.Acquire(t.Context(), folder, "mx", load.Holder{Name: "run 1", Host: "here", Process: 7}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if got := told(); !strings.Contains(got, "note mx: run 1 on here (process 7) is at work") {
		t.Errorf("while a run is at work: %s", got)
	}
	if err := lease.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := told(); got != "" {
		t.Errorf("after it has ended: %s", got)
	}
	left := `{"holder": {"name": "run 2", "host": "there", "pid": 8}, "expires_at": "2020-01-01T00:00:00Z"}`
	if _, err := folder.Put(t.Context(), "mx/lock.json", strings.NewReader(left), load.Condition{}); err != nil {
		t.Fatal(err)
	}
	if got := told(); !strings.Contains(got, "run 2 on there (process 8) died and left its lock") {
		t.Errorf("after a run that died: %s", got)
	}
}

func TestDoctor_AsksAddresses(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/good_01.zip" {
			http.Error(w, "no", http.StatusNotFound)
		}
	}))
	defer server.Close()
	for _, test := range []struct{ url, want string }{
		{server.URL + "/good_{01..32}.zip", ""},
		{server.URL + "/gone.zip", "answers 404 Not Found"},
		{"http://127.0.0.1:1/x", "does not answer"},
		{"ftp://example.org/x", "cannot be asked"},
	} {
		d := &doctor{ctx: t.Context(), flags: doctorFlags{fetch: true}, project: &config.Project{}}
		d.lookAtAddress(&pipeline.Source{Name: "deaths", URL: test.url, Folder: "/inbox/deaths/*"})
		got := ""
		if len(d.findings) > 0 {
			got = d.findings[0].Finding
		}
		if test.want == "" && got != "" || !strings.Contains(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.url, got, test.want)
		}
	}
}

// TestDoctor_NamesCredentialsThatAreMissing has a store in a bucket, and no
// credentials anywhere.
func TestDoctor_NamesCredentialsThatAreMissing(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("HOME", t.TempDir())
	d := &doctor{ctx: t.Context(), project: &config.Project{Store: "s3://bucket/prefix", S3: config.S3{Endpoint: "http://127.0.0.1:1"}}}
	d.lookAtStore([]string{"mx"})
	if len(d.findings) != 1 || d.findings[0].State != findingProblem || !strings.Contains(d.findings[0].Finding+d.findings[0].Remedy, "AWS_SECRET_ACCESS_KEY") {
		t.Errorf("got %+v, want the variables that are missing", d.findings)
	}
}

func TestDoctor_KnowsWhetherADaemonIsAtWork(t *testing.T) {
	for _, atWork := range []bool{false, true} {
		d := &doctor{project: &config.Project{Warehouse: t.TempDir()}}
		lock := flock.New(filepath.Join(d.project.Warehouse, scheduleLock))
		if _, err := lock.TryLock(); err != nil {
			t.Fatal(err)
		}
		if !atWork {
			lock.Unlock() // the file stays, as after a daemon that has ended
		}
		if d.lookAtDaemon(); d.isWatched != atWork {
			t.Errorf("a daemon is at work: %v, but %+v", atWork, d.findings)
		}
		lock.Unlock()
	}
}

// TestDeploy_UnitIsAcceptedBySystemd looks at deploy/tamiz.service with
// systemd's own eyes.
func TestDeploy_UnitIsAcceptedBySystemd(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not here: the unit is not verified")
	}
	text, err := os.ReadFile("../../deploy/tamiz.service")
	if err != nil {
		t.Fatal(err)
	}
	self, err := filepath.Abs(os.Args[0]) // the program that the unit names must be there
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), "tamiz.service")
	if err := os.WriteFile(unit, []byte(strings.Replace(string(text), "/usr/local/bin/tamiz", self, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", unit).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	// the threshold is in tenths: 2.5 of 10, where 0 is no exposure at all
	out, err := exec.CommandContext(t.Context(), analyze, "security", "--offline=true", "--threshold=25", "--no-pager", unit).CombinedOutput()
	if strings.Contains(string(out), "unrecognized option") {
		t.Skip("this systemd-analyze is too old for security --offline")
	}
	if err != nil {
		t.Errorf("systemd-analyze security: %v\n%s", err, out)
	}
	for _, line := range regexp.MustCompile(`(?m)^→.*$`).FindAllString(string(out), -1) {
		t.Log(line)
	}
}

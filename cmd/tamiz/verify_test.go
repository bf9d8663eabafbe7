package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tamiz/internal/s3server"
	"tamiz/load"
	"tamiz/load/dirstore"
	"tamiz/load/s3store"
)

// signedProject makes a project with two signed snapshots, of which readers
// see the second. It gives its folder, and that of its pipeline in the store.
func signedProject(t *testing.T) (project, store string) {
	t.Helper()
	project = smallProject(t, 60)
	key := filepath.Join(t.TempDir(), "key")
	var pair keyShown
	if err := json.Unmarshal([]byte(tamiz(t, "keys", "new", key, "-o", "json")), &pair); err != nil {
		t.Fatal(err)
	}
	write := func(file string, text []byte) {
		t.Helper()
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	config := filepath.Join(project, "tamiz.yml")
	write(config, append(mustRead(t, config), "sign: {key: "+pair.Secret+"}\ntrust: [{key: "+pair.Key+"}]\n"...))
	tamiz(t, "run", "--project", project)
	sources, err := filepath.Glob(filepath.Join(project, "sample", "enrolment", "*"))
	if err != nil || len(sources) != 1 {
		t.Fatal(sources, err)
	}
	lines := strings.SplitAfter(string(mustRead(t, sources[0])), "\n")
	write(sources[0], []byte(strings.Join(lines[:len(lines)/2], "")))
	tamiz(t, "run", "--project", project)
	return project, filepath.Join(project, "store", "np")
}

func mustRead(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// fails runs a command, and gives its exit code and what it says.
func fails(t *testing.T, c *exec.Cmd) (int, string) {
	t.Helper()
	out, err := c.CombinedOutput()
	if c.ProcessState == nil {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), string(out)
}

// TestVerify_NamesEachKindOfFile flips one bit in each kind of file of a real
// project's store, and asks the command and the script of the auditor.
func TestVerify_NamesEachKindOfFile(t *testing.T) {
	t.Parallel()
	project, store := signedProject(t)
	latest, err := filepath.Glob(filepath.Join(store, "snapshots", "*.2"))
	if err != nil || len(latest) != 1 {
		t.Fatal(latest, err)
	}
	id := filepath.Base(latest[0])
	var manifest struct {
		Sources []struct{ Files []struct{ Digest string } }
	}
	if err := json.Unmarshal(mustRead(t, filepath.Join(latest[0], "manifest.json")), &manifest); err != nil {
		t.Fatal(err)
	}
	raw := manifest.Sources[0].Files[0].Digest
	script := func() (int, string) {
		return fails(t, exec.Command("sh", "../../docs/audit/verify.sh", "-r", store, id, strings.Split(tamiz(t, "keys", "show", "--project", project), "\n")[0]))
	}
	isAudited := true
	for _, tool := range []string{"jq", "minisign", "sha256sum"} {
		if _, err := exec.LookPath(tool); err != nil {
			isAudited = false
			t.Logf("SKIPPED: docs/audit/verify.sh cannot run: %s is not installed here (scripts/audit-tools)", tool)
		}
	}
	if isAudited {
		if code, said := script(); code != 0 || !strings.Contains(said, "each is what it was") {
			t.Fatalf("before, the script says %d: %s", code, said)
		}
		theTableOfCommands(t, store, id)
	}
	tamiz(t, "verify", "--project", project, "--raw")
	tamiz(t, "store", "check", "--project", project)
	for _, file := range []string{"snapshots/" + id + "/data/survival.parquet", "snapshots/" + id + "/method.yml", "snapshots/" + id + "/manifest.json",
		"snapshots/" + id + "/manifest.json.minisig", "snapshots/" + id + "/SHA256SUMS", "snapshots/" + strings.TrimSuffix(id, "2") + "1/manifest.json",
		"latest.json", "archive/sha256/" + raw[:2] + "/" + raw} {
		path := filepath.Join(store, filepath.FromSlash(file))
		text := mustRead(t, path)
		damaged := append([]byte{}, text...)
		damaged[len(damaged)/2] ^= 4
		replace(t, path, damaged)
		if code, said := fails(t, command("verify", "--raw", "--project", project, id)); code != exitDiffers || !strings.Contains(said, "damaged  np/"+file+":") {
			t.Errorf("%s: verify says %d:\n%s", file, code, said)
		}
		if isAudited {
			if code, said := script(); code != 3 || !strings.Contains(said, filepath.Base(file)) {
				t.Errorf("%s: the script says %d:\n%s", file, code, said)
			}
		}
		replace(t, path, text)
	}
	tamiz(t, "verify", "--project", project, "--raw")
}

// replace writes another file under the name: what lies there may be shared
// with another snapshot.
func replace(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// theTableOfCommands runs what docs/audit/README.md says is to be done by hand.
func theTableOfCommands(t *testing.T, store, id string) {
	t.Helper()
	parent := strings.TrimSuffix(id, "2") + "1"
	key := strings.Split(tamiz(t, "keys", "show", "--project", filepath.Join(store, "..", "..")), "\n")[0]
	ran := 0
	for line := range strings.Lines(string(mustRead(t, "../../docs/audit/README.md"))) {
		if !strings.HasPrefix(line, "| ") || !strings.HasSuffix(strings.SplitN(line, "|", 3)[1], "? ") {
			continue
		}
		for _, match := range regexp.MustCompile("`([^`]*)`").FindAllStringSubmatch(line, -1) {
			text := strings.NewReplacer(`\|`, "|", "snapshots/PARENT", "snapshots/"+parent, "snapshots/ID", "snapshots/"+id, "KEY", key).Replace(match[1])
			if !strings.Contains(text, "snapshots/") {
				continue
			}
			c := exec.Command("sh", "-c", text)
			c.Dir = store
			if code, said := fails(t, c); code != 0 || len(said) < 20 {
				t.Errorf("%s: %d: %s", text, code, said)
			}
			ran++
		}
	}
	if ran != 6 {
		t.Errorf("%d commands were run", ran)
	}
}

// TestVerify_ABucketNeedsNoProject verifies what lies in a bucket, from a
// folder in which there is nothing.
func TestVerify_ABucketNeedsNoProject(t *testing.T) {
	server := s3server.Start(t)
	project := smallProject(t, 60)
	tamiz(t, "run", "--project", project)
	from, err := dirstore.Open(filepath.Join(project, "store"))
	if err != nil {
		t.Fatal(err)
	}
	server.Use(t)
	to, err := s3store.Open(t.Context(), s3store.Options{Bucket: server.Bucket, Prefix: "copy", Endpoint: server.Endpoint, PathStyle: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := load.CopyAll(t.Context(), from, to, nil); err != nil {
		t.Fatal(err)
	}
	c := command("verify", "--raw", "--from", "s3://"+server.Bucket+"/copy")
	c.Dir = t.TempDir()
	c.Env = append(append(c.Env, server.Environment()...), "AWS_ENDPOINT_URL="+server.Endpoint)
	if c.Path, err = filepath.Abs(c.Path); err != nil {
		t.Fatal(err)
	}
	if code, said := fails(t, c); code != 0 || !strings.Contains(said, "each is what it was when it was published") {
		t.Errorf("%d: %s", code, said)
	}
}

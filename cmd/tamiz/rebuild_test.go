package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tamiz/config"
	"tamiz/internal/s3server"
	"tamiz/lineage"
	"tamiz/load"
	"tamiz/pipeline"
)

var isAudit = flag.Bool("audit", false, "prove more, in more time: make audit")

// sealedProject is a pipeline with a public and a private source: one mart
// stands on the public one alone, the other on both.
var sealedProject = map[string]string{
	"tamiz.yml":                     "pipelines: [toy]\nas_of: 2026-01-20\n",
	"config/toy/pipeline.yml":       "title: {en: Toy}\ncalendar: iso-fortnight\n",
	"config/toy/method.yml":         "version: 1.0.0\ntables: {}\n",
	"config/toy/reference.yml":      "tables: {}\n",
	"config/toy/sources/public.yml": "title: X\npublisher: The office\nlicence: L\nurl: https://example.org/x.csv\nfolder: in/x.csv\narchive: public\nformat: csv\ncolumns: {id: [id], n: [n]}\n",
	"config/toy/sources/secret.yml": "title: Y\npublisher: P\nlicence: L\nfolder: in/y.csv\narchive: private\nformat: csv\ncolumns: {id: [id], n: [n]}\n",
	"sql/macros/none.sql":           "",
	"sql/toy/staging/stg_x.sql":     "-- One row per id.\nselect cast(id as bigint) as id, cast(n as double) / 3 as n, _file, _record,\nfrom raw.public\n",
	"sql/toy/staging/stg_x.yml":     "description: D\nkey: [id]\nrows: one per raw.public\ntrace: {raw.public: key}\ncolumns:\n  id: {description: I.}\n  n: {description: N.}\n  _file: {description: F.}\n  _record: {description: R.}\n",
	"sql/toy/staging/stg_y.sql":     "-- One row per id.\nselect cast(id as bigint) as id, cast(n as double) as n, _file, _record,\nfrom raw.secret\n",
	"sql/toy/staging/stg_y.yml":     "description: D\nkey: [id]\nrows: one per raw.secret\ntrace: {raw.secret: key}\ncolumns:\n  id: {description: I.}\n  n: {description: N.}\n  _file: {description: F.}\n  _record: {description: R.}\n",
	"sql/toy/marts/clear.sql":       "-- One row per id.\nselect id, n from staging.stg_x\n",
	"sql/toy/marts/clear.yml":       "description: D\nkey: [id]\nrows: one per staging.stg_x\ntrace: {staging.stg_x: key}\ncolumns:\n  id: {description: I.}\n  n: {description: N.}\n",
	"sql/toy/marts/mixed.sql":       "-- One row per id.\nselect id, stg_x.n + coalesce(stg_y.n, 0) as n\nfrom staging.stg_x\nleft join staging.stg_y using (id)\n",
	"sql/toy/marts/mixed.yml":       "description: D\nkey: [id]\nrows: joined onto staging.stg_x\ntrace: {staging.stg_x: key, staging.stg_y: key}\ncolumns:\n  id: {description: I.}\n  n: {description: N.}\n",
	"in/x.csv":                      "id,n\n1,1\n2,5\n3,7\n",
	"in/y.csv":                      "id,n\n1,10\n3,30\n",
}

// rebuilt rebuilds in an empty folder, and gives the report and the exit code.
func rebuilt(t *testing.T, arguments ...string) (r lineage.Rebuild, code int, said string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c := command(append([]string{"rebuild", "-o", "json"}, arguments...)...)
	c.Dir, c.Stdout, c.Stderr = t.TempDir(), &stdout, &stderr
	var exit *exec.ExitError
	if err := c.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	code, said = c.ProcessState.ExitCode(), stdout.String()+stderr.String()
	if stdout.Len() > 0 {
		if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
	}
	return r, code, said
}

// wantRebuilt wants a snapshot to come out again byte for byte, in an empty
// folder, with each of these numbers of workers.
func wantRebuilt(t *testing.T, id, store string, numbers ...string) {
	t.Helper()
	for _, workers := range numbers {
		r, code, said := rebuilt(t, id, "--from", store, "--workers", workers)
		if code != exitDone || r.Proof != lineage.ProofBytes || len(r.Files) < 2 {
			t.Errorf("with %s workers: exit code %d: %s", workers, code, said)
		}
		for _, file := range r.Files {
			if file.Rebuilt != file.Published {
				t.Errorf("with %s workers: %s is %s, published as %s", workers, file.File, file.Rebuilt, file.Published)
			}
		}
	}
}

const sealedID = "2026-01-11.1"

// inSnapshot is where a file of the snapshot lies in a store.
func inSnapshot(store, file string) string {
	return filepath.Join(store, "toy", "snapshots", sealedID, filepath.FromSlash(file))
}

// editManifest changes the manifest as somebody could who may write to the store.
func editManifest(t *testing.T, store string, edit func(m *load.Manifest)) {
	t.Helper()
	file := inSnapshot(store, "manifest.json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var m load.Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	edit(&m)
	if text, err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	overwrite(t, file, text)
}

func overwrite(t *testing.T, file string, text []byte) {
	t.Helper()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// editDefinition changes a file of the definition; the manifest, if asked, so
// that it vouches for it.
func editDefinition(t *testing.T, store, name, before, after string, withManifest bool) {
	t.Helper()
	text, err := os.ReadFile(inSnapshot(store, config.DefinitionFile))
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	p := &pipeline.Pipeline{Files: map[string][]byte{}}
	for _, file := range archive.File {
		if p.Files[file.Name], err = fs.ReadFile(archive, file.Name); err != nil {
			t.Fatal(err)
		}
	}
	changed := strings.Replace(string(p.Files[name]), before, after, 1)
	if changed == string(p.Files[name]) {
		t.Fatalf("%s does not hold %q", name, before)
	}
	p.Files[name] = []byte(changed)
	if text, err = config.Pack(p); err != nil {
		t.Fatal(err)
	}
	overwrite(t, inSnapshot(store, config.DefinitionFile), text)
	if withManifest {
		editManifest(t, store, func(m *load.Manifest) {
			for i := range m.Files {
				if m.Files[i].File == config.DefinitionFile {
					m.Files[i].Digest = digestOfBytes(text)
				}
			}
		})
	}
}

// rawFile is where the public source's bytes lie in a store.
func rawFile(store string) string {
	digest := string(digestOfBytes([]byte(sealedProject["in/x.csv"])))
	return filepath.Join(store, "toy", "archive", "sha256", digest[:2], digest)
}

func TestRebuild_ProvesOrSaysWhyNot(t *testing.T) {
	dir := t.TempDir()
	for name, text := range sealedProject {
		writeInto(t, dir, name, text)
	}
	for model := range maps.Keys(sealedProject) {
		if base, ok := strings.CutSuffix(model, ".sql"); ok && base != "sql/macros/none" {
			writeInto(t, dir, base+".txtar", "")
		}
	}
	if record := runRecord(t, "--project", dir); record.Snapshot != sealedID {
		t.Fatalf("%s %s: %s", record.Verdict, record.Snapshot, record.Reason)
	}
	original := filepath.Join(dir, "store")
	for _, c := range []struct {
		name     string
		change   func(t *testing.T, store string)
		flags    []string
		code     int
		proof    lineage.ProofKind
		findings string // kind and subject of each
		words    string
	}{
		{"the operator has it all", nil, []string{"--project", dir}, exitDone, lineage.ProofBytes, "", ""},
		{"an auditor has no private bytes", nil, nil, exitDiffers, lineage.ProofPart, "sealed secret", "with the operator"},
		{"raw bytes are missing", func(t *testing.T, store string) {
			if err := os.Remove(rawFile(store)); err != nil {
				t.Fatal(err)
			}
		}, []string{"--project", dir}, exitDiffers, lineage.ProofNone, "missing public", "https://example.org/x.csv (The office)"},
		{"raw bytes are damaged", func(t *testing.T, store string) { overwrite(t, rawFile(store), []byte("id,n\n1,2\n")) }, []string{"--project", dir},
			exitDiffers, lineage.ProofNone, "damaged public", "x.csv is damaged"},
		{"the SQL was changed, and the manifest with it", func(t *testing.T, store string) {
			editDefinition(t, store, "sql/toy/staging/stg_x.sql", "/ 3", "/ 3.1", true)
		}, []string{"--project", dir}, exitDiffers, lineage.ProofNone, "definition staging.stg_x, bytes staging.stg_x", `"rows": 3`},
		{"only a description was changed", func(t *testing.T, store string) {
			editDefinition(t, store, "sql/toy/marts/mixed.yml", "N.", "M.", true)
		}, []string{"--project", dir}, exitDiffers, lineage.ProofNone, "definition marts.mixed, bytes marts.mixed", "by its descriptions"},
		{"the definition was changed", func(t *testing.T, store string) {
			editDefinition(t, store, "sql/toy/staging/stg_x.sql", "/ 3", "/ 3.1", false)
		}, nil, exitDiffers, lineage.ProofNone, "damaged definition.zip", "it is not the file that was published"},
		{"the definition is of another version", func(t *testing.T, store string) {
			editDefinition(t, store, "config/toy/pipeline.yml", "calendar", "future: yes\ncalendar", true)
		}, nil, exitDiffers, lineage.ProofNone, "failed definition.zip", "rebuild with the version that published it"},
		{"the definition is lost", func(t *testing.T, store string) {
			if err := os.Remove(inSnapshot(store, config.DefinitionFile)); err != nil {
				t.Fatal(err)
			}
		}, nil, exitDiffers, lineage.ProofNone, "missing definition.zip", ""},
		{"the manifest names another mart", func(t *testing.T, store string) {
			editManifest(t, store, func(m *load.Manifest) { m.Tables[0].Digest, m.Tables[0].RowDigest = m.Tables[1].Digest, "" })
		}, []string{"--project", dir}, exitDiffers, lineage.ProofNone, "bytes data/clear.parquet", "every step gave the bytes that the run recorded"},
		{"another platform gave the same", func(t *testing.T, store string) {
			editManifest(t, store, func(m *load.Manifest) { m.Engine.Platform["arch"] = "arm64" })
		}, []string{"--project", dir}, exitDone, lineage.ProofBytes, "", "arch: published by arm64"},
		{"before definitions were recorded", func(t *testing.T, store string) {
			editManifest(t, store, func(m *load.Manifest) { m.Files = nil })
		}, nil, exitUsage, "", "", "carries no definition.zip"},
		{"a file outside", func(t *testing.T, store string) {
			editManifest(t, store, func(m *load.Manifest) { m.Tables[0].File = "../../outside" })
		}, nil, exitHeld, "", "", "a file outside of the snapshot"},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := filepath.Join(t.TempDir(), "store")
			if err := os.CopyFS(store, os.DirFS(original)); err != nil {
				t.Fatal(err)
			}
			if c.change != nil {
				c.change(t, store)
			}
			r, code, said := rebuilt(t, append([]string{sealedID, "--from", store}, c.flags...)...)
			var findings []string
			for _, one := range r.Findings {
				findings = append(findings, one.Kind+" "+one.Subject)
			}
			if got := strings.Join(findings, ", "); code != c.code || r.Proof != c.proof || got != c.findings || !strings.Contains(said, c.words) {
				t.Errorf("exit code %d, proof %s, findings %q, want %d, %s, %q and %q in\n%s", code, r.Proof, got, c.code, c.proof, c.findings, c.words, said)
			}
			if _, err := os.Stat(rawFile(store) + ".damaged"); err == nil {
				t.Error("the store was changed")
			}
		})
	}
}

// TestRebuild_OfASourceWithAHistory rebuilds a snapshot that stands on three
// versions of a file, from the store as the third run left it.
func TestRebuild_OfASourceWithAHistory(t *testing.T) {
	dir, fetch := t.TempDir(), runFlags{fetch: true}
	for name, text := range toldProject {
		writeInto(t, dir, name, text)
	}
	toldOn(t, dir, 1, "day,deaths\nmon,1\n", fetch)
	toldOn(t, dir, 2, "day,deaths\nmon,2\ntue,1\n", fetch)
	record := toldOn(t, dir, 3, "day,deaths\nmon,2\ntue,5\nwed,1\n", fetch)
	wantRebuilt(t, record.Snapshot, filepath.Join(dir, "store"), "1", "4")
	wantRebuilt(t, strings.TrimSuffix(record.Snapshot, "3")+"2", filepath.Join(dir, "store"), "4")

	into := filepath.Join(t.TempDir(), "again")
	if r, code, said := rebuilt(t, "toy", "latest", "--from", filepath.Join(dir, "store"), "--into", into); code != exitDone || r.Into != into {
		t.Error(said)
	}
	for _, file := range []string{"data/told.parquet", load.MethodFile} {
		published, _, err := pipeline.HashFile(filepath.Join(dir, "store", "toy", "snapshots", record.Snapshot, filepath.FromSlash(file)))
		again, _, againErr := pipeline.HashFile(filepath.Join(into, "snapshot", filepath.FromSlash(file)))
		if err != nil || againErr != nil || published != again {
			t.Errorf("%s: %v %v", file, err, againErr)
		}
	}
	if _, code, said := rebuilt(t, "latest", "--from", filepath.Join(dir, "store"), "--into", into); code != exitUsage || !strings.Contains(said, "not empty") {
		t.Errorf("exit code %d: %s", code, said)
	}
}

// TestRebuild_FromABucketWithoutAProject reaches a real S3 server as the
// environment says, where no tamiz.yml tells of it.
func TestRebuild_FromABucketWithoutAProject(t *testing.T) {
	if testing.Short() {
		t.Skip("starts an S3 server")
	}
	server := s3server.Start(t)
	server.Use(t)
	t.Setenv("AWS_ENDPOINT_URL", server.Endpoint)
	dir := t.TempDir()
	for name, text := range toldProject {
		writeInto(t, dir, name, text)
	}
	writeInto(t, dir, "tamiz.yml", strings.Replace(toldProject["tamiz.yml"], "store: store\n", onS3(server), 1))
	record := toldOn(t, dir, 1, "day,deaths\nmon,1\n", runFlags{fetch: true})
	wantRebuilt(t, record.Snapshot, "s3://"+server.Bucket+"/edu", "4")
	digest := string(digestOfBytes([]byte("day,deaths\nmon,1\n")))
	server.Flip(t, "edu/toy/archive/sha256/"+digest[:2]+"/"+digest)
	if r, code, said := rebuilt(t, record.Snapshot, "--from", "s3://"+server.Bucket+"/edu"); code != exitDiffers || len(r.Findings) != 1 || r.Findings[0].Kind != lineage.FindDamaged {
		t.Errorf("exit code %d: %s", code, said)
	}
}

func TestRebuild_TellsMistakes(t *testing.T) {
	store := filepath.Join(t.TempDir(), "store")
	writeInto(t, store, "toy/latest.json", "{}")
	for _, c := range []struct{ arguments, words string }{
		{"latest", "no Tamiz project"},
		{"2026-01-11.1 --from nowhere", "there is no store"},
		{"2026-01-11.1 --from " + store, "there is no snapshot 2026-01-11.1"},
		{"yesterday --from " + store, "want a SNAPSHOT such as"},
		{"other 2026-01-11.1 --from " + store, "there is no snapshot 2026-01-11.1"},
	} {
		if _, code, said := rebuilt(t, strings.Fields(c.arguments)...); code != exitUsage || !strings.Contains(said, c.words) {
			t.Errorf("%s: exit code %d: %s", c.arguments, code, said)
		}
	}
}

package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"tamiz/load"
	"tamiz/pipeline"
)

// asCommand makes this test binary behave as tamiz itself, so that tests can
// start it as a process, kill it, and look at its exit code.
const asCommand = "TAMIZ_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(run(os.Args[1:]))
	}
	testscript.Main(m, map[string]func(){"tamiz": func() { os.Exit(run(os.Args[1:])) }})
}

// command prepares tamiz as a process of its own.
func command(arguments ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], arguments...)
	c.Env = append(os.Environ(), asCommand+"=1")
	return c
}

// tamiz runs the command and wants it to succeed.
func tamiz(t *testing.T, arguments ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c := command(arguments...)
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil {
		t.Fatalf("tamiz %s: %v\n%s%s", strings.Join(arguments, " "), err, stdout.String(), stderr.String())
	}
	return stdout.String()
}

// runRecord runs a pipeline and gives its record.
func runRecord(t *testing.T, arguments ...string) *pipeline.RunRecord {
	t.Helper()
	return onlyRecord(t, []byte(tamiz(t, append([]string{"run", "-o", "json"}, arguments...)...)))
}

// onlyRecord reads the one record of a run that a command printed.
func onlyRecord(t *testing.T, text []byte) *pipeline.RunRecord {
	t.Helper()
	var records []*pipeline.RunRecord
	if err := json.Unmarshal(text, &records); err != nil || len(records) != 1 {
		t.Fatalf("want one run record: %v\n%s", err, text)
	}
	return records[0]
}

// stepsRun names the steps that a run carried out.
func stepsRun(record *pipeline.RunRecord) []string {
	var names []string
	for _, step := range record.Steps {
		if step.Ran {
			names = append(names, step.Step)
		}
	}
	return names
}

// digests gives the SHA-256 of each mart of the latest snapshot, by name.
func digests(t *testing.T, project, name string) map[string]pipeline.Digest {
	t.Helper()
	opened, err := (&options{project: project}).openProject()
	if err != nil {
		t.Fatal(err)
	}
	store, snapshot, err := openSnapshot(context.Background(), opened, name, "")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]pipeline.Digest{}
	for _, table := range snapshot.Tables {
		path, err := store.File(context.Background(), load.TableKey(name, snapshot.Snapshot, table.File), table.Digest)
		if err != nil {
			t.Fatal(err)
		}
		digest, _, err := pipeline.HashFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if digest != table.Digest {
			t.Errorf("%s is not what its manifest says", table.File)
		}
		found[table.Name] = digest
	}
	return found
}

// query asks the latest snapshot for rows of text.
func query(t *testing.T, project, sql string, more ...string) [][]string {
	t.Helper()
	out := strings.TrimSpace(tamiz(t, append([]string{"query", "--project", project, "-o", "csv", sql}, more...)...))
	records, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return records[1:]
}

// number asks for one number.
func number(t *testing.T, project, sql string) float64 {
	t.Helper()
	rows := query(t, project, sql)
	if len(rows) != 1 || len(rows[0]) != 1 {
		t.Fatalf("%s: got %v, want one number", sql, rows)
	}
	n, err := strconv.ParseFloat(rows[0][0], 64)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

// sampleProject makes a project with a synthetic sample.
func sampleProject(t *testing.T, name string, schools int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "project")
	tamiz(t, "init", name, dir, "--sample", "--schools", strconv.Itoa(schools))
	return dir
}

// realData is the folder of real published files. They are not in this
// repository: where they are absent, the test says so and is skipped.
func realData(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("TAMIZ_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	if _, err := os.Stat(filepath.Join(dir, "PROVENANCE.md")); err != nil {
		t.Skipf("the real files are not here (%s): set TAMIZ_DATA to test against them", dir)
	}
	absolute, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	return absolute
}

// realProject makes a project like examples/mx-real in a folder of its own.
func realProject(t *testing.T) (dir, data string) {
	t.Helper()
	data = realData(t)
	text, err := os.ReadFile("../../examples/mx-real/tamiz.yml")
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "tamiz.yml"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir, data
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", RequireExplicitExec: true, UpdateScripts: os.Getenv("UPDATE") != "",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"reduce": reduceCommand}})
}

// TestReadme runs every command of the README's sh blocks, in order, in a
// folder where make run has been.
func TestReadme_EveryCommandRuns(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	before, after, _ := strings.Cut(string(text), "\n## "+realSection+"\n")
	_, after, _ = strings.Cut(after, "\n## ")
	runCommandsOf(t, before+after, "bin/tamiz init mx demo --sample --schools 200", "bin/tamiz run --project demo")
}

// TestNepal runs every command of docs/nepal.md.
func TestNepal_EveryCommandRuns(t *testing.T) {
	text, err := os.ReadFile("../../docs/nepal.md")
	if err != nil {
		t.Fatal(err)
	}
	runCommandsOf(t, string(text))
}

// runCommandsOf runs some commands and then those of a document's sh blocks.
func runCommandsOf(t *testing.T, document string, commands ...string) {
	t.Helper()
	dir := t.TempDir()
	bin := filepath.Join(dir, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	self, err := filepath.Abs(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(bin, "tamiz")); err != nil {
		t.Fatal(err)
	}
	for i, block := range strings.Split(document, "```") {
		if body, ok := strings.CutPrefix(block, "sh\n"); ok && i%2 == 1 {
			commands = append(commands, strings.Split(strings.TrimSpace(body), "\n")...)
		}
	}
	if len(commands) < 8 {
		t.Fatalf("found only %d commands", len(commands))
	}
	for _, line := range commands {
		c := exec.Command("sh", "-c", line)
		c.Dir, c.Env = dir, append(os.Environ(), asCommand+"=1", "PATH="+bin+":"+os.Getenv("PATH"))
		if out, err := c.CombinedOutput(); err != nil || len(out) == 0 {
			t.Errorf("%s: %v\n%s", line, err, out)
		}
	}
}

// changing is what differs from run to run in what make run prints.
var changing = regexp.MustCompile(`\d+\.\d (s|kB|MB)\b|20\d\d-\d\d-\d\d\.\d`)

// TestReadme_ShowsTheRunAsItIs compares the README's first block with what a
// run prints today, but for times, sizes and the date of the snapshot.
func TestReadme_ShowsTheRunAsItIs(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	part := func(text string) string {
		_, text, _ = strings.Cut(text, "tamiz "+version+" · pipeline")
		text, _, _ = strings.Cut(text, "\nNext:")
		return strings.Join(strings.Fields(changing.ReplaceAllString(text, "#")), " ")
	}
	_, block, _ := strings.Cut(string(text), "$ make run\n")
	dir := t.TempDir()
	tamiz(t, "init", "mx", filepath.Join(dir, "demo"), "--sample", "--schools", "5000")
	c := command("run", "--project", "demo")
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got, want := part(string(out)), part(block); got != want || len(want) < 200 {
		t.Errorf("the README shows\n%s\nbut a run prints\n%s", want, got)
	}
}

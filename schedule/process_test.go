package schedule_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tamiz/schedule"
)

// asChild makes this test binary behave as a job, in the way that it says.
const asChild = "TAMIZ_SCHEDULE_CHILD"

func behave(what string) int {
	way, argument, _ := strings.Cut(what, " ")
	switch way {
	case "exit":
		fmt.Println("a word on stdout,", os.Args[1:])
		fmt.Fprintln(os.Stderr, "a word on stderr")
		code, _ := strconv.Atoi(argument)
		return code
	case "crash":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "obey", "refuse":
		asked := make(chan os.Signal, 1)
		signal.Notify(asked, syscall.SIGTERM)
		fmt.Println("ready")
		<-asked
		if way == "refuse" {
			time.Sleep(time.Hour)
		}
		return 130
	case "eat":
		eaten := make([]byte, 256<<20)
		for i := range eaten {
			eaten[i] = byte(i)
		}
		time.Sleep(time.Hour)
		return int(eaten[len(eaten)-1])
	case "daemon": // starts a child of its own and waits to be killed
		os.Setenv(asChild, "refuse")
		process(argument, os.Stdout).Launch(context.Background(), job("x", 0))
	case "run", "stubborn": // makes its folder, as a run does
		folder := filepath.Join(argument, "x", "runs", fmt.Sprintf("20000101T000000.000-%04x", os.Getpid()&0xffff))
		if os.MkdirAll(folder, 0o755) != nil {
			return 2
		}
		return behave(map[string]string{"run": "obey", "stubborn": "refuse"}[way])
	}
	return 0
}

func process(warehouse string, output io.Writer) *schedule.Process {
	return &schedule.Process{Executable: os.Args[0], Warehouse: warehouse, Grace: 300 * time.Millisecond,
		Arguments: func(job schedule.Job) []string { return []string{job.Pipeline} },
		Output:    func(string) io.WriteCloser { return keep{output} }}
}

type keep struct{ io.Writer }

func (keep) Close() error { return nil }

func job(name string, memory int64) schedule.Job {
	return schedule.Job{Pipeline: name, Slot: &schedule.Slot{Period: "2026-11-15", DueAt: moment("2026-11-17T06:00:00Z")}, Limit: time.Minute, Memory: memory}
}

// buffer may be read while it is written.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: waited in vain", what)
		}
	}
}

func TestProcess_TellsHowItsChildEnded(t *testing.T) {
	for _, c := range []struct {
		way    string
		job    schedule.Job
		stop   bool
		kind   schedule.EndKind
		code   int
		signal string
	}{
		{way: "exit 0", job: job("x", 0), kind: schedule.Exited},
		{way: "exit 75", job: job("x", 0), kind: schedule.Exited, code: 75},
		{way: "crash", job: job("x", 0), kind: schedule.Killed, code: -1, signal: "SIGKILL"},
		{way: "obey", job: job("x", 0), stop: true, kind: schedule.Stopped, code: 130},
		{way: "refuse", job: job("x", 0), stop: true, kind: schedule.Stopped, code: -1},
		{way: "obey", job: schedule.Job{Pipeline: "x", Limit: time.Second}, kind: schedule.OverTime, code: 130},
		{way: "eat", job: job("x", 100<<20), kind: schedule.OverMemory, code: -1},
	} {
		t.Run(fmt.Sprint(c.way, " ", c.kind), func(t *testing.T) {
			if c.kind == schedule.OverMemory && runtime.GOOS != "linux" {
				t.Skip("only Linux tells the memory of another process")
			}
			t.Setenv(asChild, c.way)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var output buffer
			warehouse := t.TempDir()
			if c.stop {
				go func() {
					for !strings.Contains(output.String(), "ready") && ctx.Err() == nil {
						time.Sleep(10 * time.Millisecond)
					}
					cancel()
				}()
			}
			end := process(warehouse, &output).Launch(ctx, c.job)
			if end.Kind != c.kind || end.Code != c.code || end.Signal != c.signal || end.Run == "" || end.Took <= 0 {
				t.Errorf("got %+v", end)
			}
			if strings.HasPrefix(c.way, "exit") && (!strings.Contains(output.String(), "a word on stdout, [x]") || !strings.Contains(output.String(), "a word on stderr")) {
				t.Errorf("its output is lost: %q", output.String())
			}
			if running, err := schedule.ReadRunning(warehouse, "x"); running != nil || err != nil {
				t.Errorf("it has ended, but: %+v, %v", running, err)
			}
		})
	}
}

func TestProcess_ThatCannotBeStarted(t *testing.T) {
	p := process(t.TempDir(), io.Discard)
	p.Executable = filepath.Join(t.TempDir(), "nothing")
	if end := p.Launch(t.Context(), job("x", 0)); end.Kind != schedule.NotStarted || !errors.Is(end.Err, os.ErrNotExist) {
		t.Errorf("got %+v", end)
	}
}

func TestRunning_IsFoundAndStopped(t *testing.T) {
	for _, c := range []struct {
		way  string
		want schedule.End
	}{{"run", schedule.End{Kind: schedule.Exited, Code: 130}}, {"stubborn", schedule.End{Kind: schedule.Killed, Code: -1, Signal: "SIGKILL"}}} {
		warehouse := t.TempDir()
		t.Setenv(asChild, c.way+" "+warehouse)
		var output buffer
		ended := make(chan schedule.End, 1)
		go func() { ended <- process(warehouse, &output).Launch(t.Context(), job("x", 0)) }()
		var running *schedule.Running
		await(t, "the run's id", func() bool {
			var err error
			if running, err = schedule.ReadRunning(warehouse, "x"); err != nil {
				t.Fatal(err)
			}
			return running != nil && running.Run != "" && strings.Contains(output.String(), "ready")
		})
		if running.Period != "2026-11-15" || !running.DueAt.Equal(moment("2026-11-17T06:00:00Z")) || !strings.HasPrefix(running.Run, "20000101T000000.000-") {
			t.Errorf("got %+v", running)
		}
		if err := running.Stop(t.Context(), 200*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if end := <-ended; end.Kind != c.want.Kind || end.Code != c.want.Code || end.Signal != c.want.Signal || end.Run != running.Run {
			t.Errorf("%s: got %+v", c.way, end)
		}
		if err := running.Stop(t.Context(), time.Hour); err != nil {
			t.Errorf("one that has ended: %v", err)
		}
	}
}

func TestProcess_DiesWithItsDaemon(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends a child with its parent")
	}
	warehouse := t.TempDir()
	daemon := exec.Command(os.Args[0])
	daemon.Env = append(os.Environ(), asChild+"=daemon "+warehouse)
	output, err := daemon.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(output).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	var running *schedule.Running
	await(t, "the child's number", func() bool {
		running, err = schedule.ReadRunning(warehouse, "x")
		return running != nil
	})
	if err := daemon.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	daemon.Wait()
	await(t, "the child's end", func() bool {
		running, err = schedule.ReadRunning(warehouse, "x")
		return running == nil && err == nil
	})
}

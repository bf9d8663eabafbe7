package schedule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"tamiz/pipeline"
)

// Process launches jobs as processes, each in a group of its own. On Linux
// they die with the process that started them.
type Process struct {
	Executable string
	Arguments  func(Job) []string
	Output     func(name string) io.WriteCloser // where a pipeline's jobs write what they print
	Warehouse  string                           // where <pipeline>/running.json and <pipeline>/runs/ lie
	Grace      time.Duration                    // between asking a job to stop and killing it
}

// Running is what is known of a run that is at work on this machine.
type Running struct {
	PID     int       `json:"pid"`
	Process string    `json:"process,omitempty"` // tells this process from a later one of the same number; "" where unknown
	Run     string    `json:"run,omitempty"`     // "" until the run has begun
	Period  string    `json:"period"`
	DueAt   time.Time `json:"due_at"`
	Began   time.Time `json:"began"` // on the machine's clock
}

func runningFile(warehouse, name string) string {
	return filepath.Join(warehouse, name, "running.json")
}

// ReadRunning gives the run of a pipeline that a daemon has started on this
// machine, nil if none is at work.
func ReadRunning(warehouse, name string) (*Running, error) {
	text, err := os.ReadFile(runningFile(warehouse, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var running Running
	if err == nil {
		err = json.Unmarshal(text, &running)
	}
	if err != nil {
		return nil, fmt.Errorf("read which run is at work: %w", err)
	}
	if !running.alive() {
		return nil, nil // it died with its daemon
	}
	return &running, nil
}

// alive reports whether the process is still that of the run.
func (r *Running) alive() bool {
	return syscall.Kill(r.PID, 0) == nil && processOf(r.PID) == r.Process
}

// Stop asks the run to stop, kills it if it has not after grace, and waits for
// its end.
func (r *Running) Stop(ctx context.Context, grace time.Duration) error {
	signal := syscall.SIGTERM
	look := time.NewTicker(50 * time.Millisecond) // it is no child of ours, so that nobody tells us of its end
	defer look.Stop()
	for began := time.Now(); r.alive(); {
		if signal != 0 {
			if err := syscall.Kill(-r.PID, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("stop process %d: %w", r.PID, err)
			}
			signal = 0
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
		}
		if time.Since(began) > grace {
			signal = syscall.SIGKILL
		}
	}
	return nil
}

// Launch starts a job, watches its time and memory, and waits for its end.
func (p *Process) Launch(ctx context.Context, job Job) End {
	runtime.LockOSThread() // a child dies with the thread that started it, not with the process
	defer runtime.UnlockOSThread()
	began := time.Now()
	output := p.Output(job.Pipeline)
	defer output.Close()
	command := exec.Command(p.Executable, p.Arguments(job)...)
	command.Stdout, command.Stderr = output, output
	command.SysProcAttr = ownGroup()
	command.WaitDelay = time.Second
	if err := command.Start(); err != nil {
		return End{Kind: NotStarted, Err: err, Run: runID(began, 0), Took: time.Since(began)}
	}
	c := &child{Process: p, job: job, command: command, began: began, exited: make(chan error, 1)}
	c.running = Running{PID: command.Process.Pid, Process: processOf(command.Process.Pid), Began: began}
	if job.Slot != nil {
		c.running.Period, c.running.DueAt = job.Slot.Period, job.Slot.DueAt
		defer os.Remove(runningFile(p.Warehouse, job.Pipeline))
	}
	c.note()
	go func() { c.exited <- command.Wait() }()
	return c.watch(ctx)
}

// child is a job at work.
type child struct {
	*Process
	job     Job
	command *exec.Cmd
	began   time.Time
	exited  chan error
	running Running
	noted   bool    // running.json is written
	why     EndKind // it was stopped by us; "" if not
}

// watch looks at the child once a second until it has ended.
func (c *child) watch(ctx context.Context) End {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	limit := time.NewTimer(c.job.Limit)
	defer limit.Stop()
	var kill <-chan time.Time
	stop := func(why EndKind) {
		if c.why == "" {
			c.why, kill = why, time.After(c.Grace)
			c.signal(syscall.SIGTERM)
		}
	}
	stopped := ctx.Done()
	for {
		select {
		case <-c.exited:
			c.note()
			return c.end()
		case <-stopped:
			stopped = nil
			stop(Stopped)
		case <-limit.C:
			stop(OverTime)
		case <-kill:
			c.signal(syscall.SIGKILL)
		case <-second.C:
			c.note()
			if c.job.Memory > 0 && residentBytes(c.running.PID) > c.job.Memory && c.why == "" {
				c.why = OverMemory
				c.signal(syscall.SIGKILL) // it might take all there is while it tidies up
			}
		}
	}
}

func (c *child) signal(signal syscall.Signal) {
	syscall.Kill(-c.running.PID, signal) // one that has ended meanwhile is what we want
}

// end tells how the child ended. One that was asked to stop and has ended its
// work nevertheless has exited by itself.
func (c *child) end() End {
	end := End{Kind: Exited, Code: c.command.ProcessState.ExitCode(), Run: c.running.Run, Took: time.Since(c.began)}
	if end.Run == "" {
		end.Run = runID(c.began, c.running.PID)
	}
	status, ok := c.command.ProcessState.Sys().(syscall.WaitStatus)
	signaled := ok && status.Signaled()
	switch {
	case c.why != "" && (signaled || end.Code == codeInterrupted):
		end.Kind = c.why
	case signaled:
		end.Kind, end.Signal = Killed, unix.SignalName(status.Signal())
	}
	return end
}

// runID is how a run is named that began at a time as a process of that number.
func runID(began time.Time, pid int) string {
	return fmt.Sprintf("%s-%04x", began.UTC().Format("20060102T150405.000"), pid&0xffff)
}

// note writes running.json, once at the start and once when the run's id is
// known: the run has made a folder of that name, which ends as its process
// does.
func (c *child) note() {
	if c.job.Slot == nil || c.running.Run != "" {
		return
	}
	entries, _ := os.ReadDir(filepath.Join(c.Warehouse, c.job.Pipeline, "runs")) // there is none before the first run
	for _, entry := range entries {
		info, err := entry.Info()
		if err == nil && strings.HasSuffix(entry.Name(), fmt.Sprintf("-%04x", c.running.PID&0xffff)) && !info.ModTime().Before(c.began.Add(-time.Second)) {
			c.running.Run = entry.Name()
		}
	}
	if c.noted && c.running.Run == "" {
		return
	}
	c.noted = true
	if text, err := json.Marshal(c.running); err == nil {
		// Without it the run goes on as well; only tamiz cancel does not find it.
		pipeline.WriteFile(runningFile(c.Warehouse, c.job.Pipeline), text)
	}
}

package schedule

import (
	"context"
	"fmt"
	"time"

	"tamiz/pipeline"
)

// Job is a process to be started: the run of a slot, or a look at the sources.
type Job struct {
	Pipeline string
	Slot     *Slot         // nil: only look at the sources
	Limit    time.Duration // a job that takes longer is stopped
	Memory   int64         // bytes; one that takes more is stopped; 0: no limit
}

// Launcher starts a job, waits until it has ended, and tells how. Where ctx is
// done it stops the job, gently at first.
type Launcher interface {
	Launch(ctx context.Context, job Job) End
}

// EndKind is how a job ended.
type EndKind string

// The kinds of end.
const (
	Exited     EndKind = "exited"      // by itself, with an exit code
	Killed     EndKind = "killed"      // by a signal that we did not send
	OverTime   EndKind = "over time"   // stopped by us at its limit
	OverMemory EndKind = "over memory" // stopped by us at its limit
	Stopped    EndKind = "stopped"     // by us, since ctx was done
	NotStarted EndKind = "not started"
)

// End tells how a job ended.
type End struct {
	Kind   EndKind
	Code   int           // Exited
	Signal string        // Killed: such as SIGKILL
	Run    string        // the run's id; for a run that died before it had one, what it would have been
	Took   time.Duration // on the machine's clock
	Err    error         // NotStarted
}

// The exit codes of tamiz run that the daemon tells apart.
const (
	codeUsage       = 2
	codeBusy        = 75
	codeInterrupted = 130
)

// Busy reports that another run was at work: it is tried again at the next tick.
func (e End) Busy() bool { return e.Kind == Exited && e.Code == codeBusy }

// dumb gives the reason of a run that died without a word, and false for one
// that could say for itself what came of it.
func (e End) dumb(job Job) (pipeline.Sentence, bool) {
	switch e.Kind {
	case OverTime:
		return pipeline.Sentence{Key: "failed_time_limit", Values: map[string]any{"limit": duration(job.Limit)}}, true
	case OverMemory:
		return pipeline.Sentence{Key: "failed_memory_limit", Values: map[string]any{"limit": fmt.Sprintf("%.3g GiB", float64(job.Memory)/(1<<30))}}, true
	case Killed:
		return pipeline.Sentence{Key: "failed_crashed", Values: map[string]any{"how": e.Signal}}, true
	case NotStarted:
		return pipeline.Sentence{Key: "failed_not_started", Values: map[string]any{"problem": e.Err.Error()}}, true
	case Exited:
		if e.Code > codeUsage && e.Code != codeBusy && e.Code != codeInterrupted {
			return pipeline.Sentence{Key: "failed_crashed", Values: map[string]any{"how": fmt.Sprintf("exit %d", e.Code)}}, true
		}
	}
	return pipeline.Sentence{}, false
}

// duration writes 6h or 90m, without parts that are zero.
func duration(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dm", d/time.Minute)
}

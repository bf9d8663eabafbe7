package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// Walk carries out plans: it runs the steps whose artifacts are not there,
// each alone, as many beside each other as there are workers.
type Walk struct {
	Warehouse *Warehouse
	Runners   map[StepKind]Runner
	RawPath   func(Digest) (string, error) // where the archive keeps raw bytes
	Workers   int                          // 0: one a core
	Memory    int64                        // bytes for one step
	Now       func() time.Time
	Progress  func(Event) // may be nil; called from one goroutine at a time
}

// Event tells how far a walk is.
type Event struct {
	Step        *Step
	Done, Total int
	Record      *Record // nil while the step begins
	Err         error
}

// Need is one step that would run, and why.
type Need struct {
	Step   *Step
	Reason string
}

// Needs finds the steps to run so that all targets have their artifacts,
// inputs first. Intermediate artifacts that nobody needs may be absent.
// Steps in fresh are run even if their artifacts are there.
func (w *Walk) Needs(plan *Plan, targets []*Step, fresh map[*Step]bool, last map[string]map[string]Digest) []Need {
	needed := map[*Step]bool{}
	var visit func(step *Step, by *Step)
	reasons := map[*Step]string{}
	visit = func(step *Step, by *Step) {
		if needed[step] || (w.Warehouse.Has(step.Fingerprint) && !fresh[step]) {
			return
		}
		needed[step] = true
		reasons[step] = reason(step, last[step.Label], fresh[step], by)
		for _, input := range step.Inputs {
			for _, parent := range input.Steps {
				visit(parent, step)
			}
		}
	}
	for _, step := range targets {
		visit(step, nil)
	}
	var needs []Need
	for _, step := range plan.Steps {
		if needed[step] {
			needs = append(needs, Need{Step: step, Reason: reasons[step]})
		}
	}
	return needs
}

// reason says which part of the fingerprint differs from the last run's.
func reason(step *Step, last map[string]Digest, fresh bool, by *Step) string {
	switch {
	case fresh:
		return "asked for by --full-refresh"
	case last == nil:
		return "never run before"
	}
	text := ""
	for _, name := range sortedNames(step.Parts, last) {
		if step.Parts[name] == last[name] {
			continue
		}
		if text != "" {
			text += ", "
		}
		switch name {
		case "file":
			text += "the file has a new version " + step.Raw.Short()
		case "program":
			text += "its program changed"
		case "card":
			text += "its source card changed"
		case "texts":
			text += "its descriptions changed"
		case "parameters":
			text += "its key, rule of rows or a macro changed"
		case "engine":
			text += "the engine is another version"
		default:
			text += "← " + name
		}
	}
	if text == "" {
		text = "its artifact is not in the warehouse"
		if by != nil {
			text += ", and " + by.Label + " needs it"
		}
	}
	return text
}

func sortedNames(maps ...map[string]Digest) []string {
	seen := map[string]bool{}
	for _, m := range maps {
		for name := range m {
			seen[name] = true
		}
	}
	return sortedKeys(seen)
}

// Run carries out needs, which must be in an order where inputs come first.
// A step that fails stops what depends on it; the others go on, so that all
// errors are seen at once, joined. Damaged inputs are found by their digests
// and computed again.
func (w *Walk) Run(ctx context.Context, plan *Plan, targets []*Step, fresh map[*Step]bool) ([]*Record, error) {
	if err := w.verifyInputs(plan, targets, fresh); err != nil {
		return nil, err
	}
	needs := w.Needs(plan, targets, fresh, nil)
	return newWalking(w, needs).run(ctx)
}

// verifyInputs checks the artifacts that this run will read, until none that
// it needs is damaged.
func (w *Walk) verifyInputs(plan *Plan, targets []*Step, fresh map[*Step]bool) error {
	sound := map[*Step]bool{}
	for {
		damaged := false
		for _, need := range w.Needs(plan, targets, fresh, nil) {
			for _, input := range need.Step.Inputs {
				for _, parent := range input.Steps {
					if sound[parent] || !w.Warehouse.Has(parent.Fingerprint) {
						continue
					}
					ok, err := w.Warehouse.Verify(parent.Fingerprint)
					if err != nil {
						return err
					}
					sound[parent], damaged = ok, damaged || !ok
				}
			}
		}
		if !damaged {
			return nil
		}
	}
}

// walking is one run's state.
type walking struct {
	*Walk
	needs   []Need
	waits   map[*Step]int     // parents that are not done
	feeds   map[*Step][]*Step // children in this run
	records []*Record
	errs    []error
	done    int
}

func newWalking(w *Walk, needs []Need) *walking {
	k := &walking{Walk: w, needs: needs, waits: map[*Step]int{}, feeds: map[*Step][]*Step{}}
	for _, need := range needs {
		k.waits[need.Step] = 0
	}
	for _, need := range needs {
		for _, input := range need.Step.Inputs {
			for _, parent := range input.Steps {
				if _, ok := k.waits[parent]; ok {
					k.waits[need.Step]++
					k.feeds[parent] = append(k.feeds[parent], need.Step)
				}
			}
		}
	}
	return k
}

type outcome struct {
	step   *Step
	record *Record
	err    error
}

func (k *walking) run(ctx context.Context) ([]*Record, error) {
	workers := k.Workers
	if workers <= 0 {
		workers = runtime.NumCPU()
	}
	todo := make(chan *Step, len(k.needs))
	finished := make(chan outcome)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for step := range todo {
				record, err := k.runStep(ctx, step)
				finished <- outcome{step, record, err}
			}
		})
	}
	running := 0
	start := func(step *Step) {
		running++
		todo <- step
	}
	for _, need := range k.needs {
		if k.waits[need.Step] == 0 {
			start(need.Step)
		}
	}
	for running > 0 {
		out := <-finished
		running--
		k.note(out)
		if out.err != nil || ctx.Err() != nil {
			continue
		}
		for _, child := range k.feeds[out.step] {
			if k.waits[child]--; k.waits[child] == 0 {
				start(child)
			}
		}
	}
	close(todo)
	group.Wait()
	if ctx.Err() != nil {
		return k.records, ctx.Err()
	}
	return k.records, errors.Join(k.errs...)
}

func (k *walking) note(out outcome) {
	if out.err != nil {
		k.errs = append(k.errs, out.err)
	} else {
		k.done++
		k.records = append(k.records, out.record)
	}
	if k.Progress != nil {
		k.Progress(Event{Step: out.step, Done: k.done, Total: len(k.needs), Record: out.record, Err: out.err})
	}
}

// runStep runs one step and keeps its artifact.
func (w *Walk) runStep(ctx context.Context, step *Step) (*Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	began := w.Now()
	task, err := w.task(step)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(task.Dir)
	runner, ok := w.Runners[step.Kind]
	if !ok {
		return nil, &Error{Kind: Internal, Subject: step.Label, Problem: fmt.Sprintf("nothing runs steps of kind %s", step.Kind)}
	}
	result, err := runner.Run(ctx, task)
	if err != nil {
		return nil, err
	}
	record := &Record{Kind: step.Kind, Table: step.Label, Fingerprint: step.Fingerprint, Parts: step.Parts,
		Result: result, FinishedAt: w.Now(), Seconds: w.Now().Sub(began).Seconds()}
	if err := w.Warehouse.Keep(task.Dir, record); err != nil {
		return nil, err
	}
	return record, nil
}

// Reproduce runs a step again in full, aside, and gives the digests of the
// table that the warehouse keeps and of the one that it made now: they are
// equal if the step is pure.
func (w *Walk) Reproduce(ctx context.Context, step *Step) (kept, made Digest, err error) {
	record, err := w.Warehouse.Record(step.Fingerprint)
	if err != nil {
		return "", "", err
	}
	task, err := w.task(step)
	if err != nil {
		return "", "", err
	}
	defer os.RemoveAll(task.Dir)
	if _, err := w.Runners[step.Kind].Run(ctx, task); err != nil {
		return "", "", err
	}
	made, _, err = HashFile(filepath.Join(task.Dir, TableFile))
	return record.Digests[TableFile], made, err
}

func (w *Walk) task(step *Step) (Task, error) {
	task := Task{Step: step, Memory: w.Memory}
	if step.Kind == StepRead {
		raw := TaskInput{Table: step.Table}
		for _, digest := range (Pin{Digest: step.Raw, Beside: step.Beside}).Digests() {
			path, err := w.RawPath(digest)
			if err != nil {
				return task, err
			}
			raw.Files = append(raw.Files, path)
		}
		task.Inputs = []TaskInput{raw}
	}
	task.Inputs = append(task.Inputs, w.InputFiles(step)...)
	var err error
	task.Dir, err = w.Warehouse.Scratch(step.Kind)
	return task, err
}

// InputFiles gives the Parquet files of a step's inputs.
func (w *Walk) InputFiles(step *Step) []TaskInput {
	var inputs []TaskInput
	for _, input := range step.Inputs {
		files := TaskInput{Table: input.Table}
		for _, parent := range input.Steps {
			files.Files = append(files.Files, w.TablePath(parent.Fingerprint))
		}
		if input.Outside != "" {
			files.Files = append(files.Files, input.Outside)
		}
		inputs = append(inputs, files)
	}
	return inputs
}

// TablePath is where the table of an artifact lies.
func (w *Walk) TablePath(fingerprint Digest) string {
	return filepath.Join(w.Warehouse.ArtifactDir(fingerprint), TableFile)
}

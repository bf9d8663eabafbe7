package lineage

import (
	"context"
	"slices"
	"sync"

	"tamiz/pipeline"
)

// Deep runs in full what a derivation takes on trust: the steps that need
// whole tables, those that make tables which are used whole, and all that they
// stand on. Who calls it holds the lock of the warehouse.
func (g *Derivations) Deep(ctx context.Context) error {
	steps := g.wholeSteps()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	todo := make(chan *pipeline.Step)
	var mutex sync.Mutex
	var failed error
	var group sync.WaitGroup
	for range max(1, g.Walk.Workers) {
		group.Go(func() {
			for step := range todo {
				kept, made, err := g.Walk.Reproduce(ctx, step)
				mutex.Lock()
				switch {
				case err != nil && failed == nil:
					failed = err
					stop()
				case err == nil && kept != made:
					g.unlike = append(g.unlike, Fault{Table: step.Table, RowFault: RowFault{Problem: "run again in full, the step made another table",
						Columns: []string{}, Want: "sha256 " + string(kept), Found: "sha256 " + string(made)}})
				}
				mutex.Unlock()
			}
		})
	}
	for _, step := range steps {
		if ctx.Err() == nil {
			todo <- step
		}
	}
	close(todo)
	group.Wait()
	if failed != nil {
		return failed
	}
	g.inFull = map[string]bool{}
	for _, step := range steps {
		if !slices.ContainsFunc(g.unlike, func(f Fault) bool { return f.Table == step.Table }) {
			g.inFull[step.Table] = true
		}
	}
	return ctx.Err()
}

// wholeSteps lists the steps to be run in full, inputs first.
func (g *Derivations) wholeSteps() []*pipeline.Step {
	wanted := map[*pipeline.Step]bool{}
	var visit func(step *pipeline.Step)
	visit = func(step *pipeline.Step) {
		if wanted[step] {
			return
		}
		wanted[step] = true
		for _, input := range step.Inputs {
			for _, parent := range input.Steps {
				visit(parent)
			}
		}
	}
	for _, rows := range g.rows {
		for _, n := range rows {
			if n.proof == NotProved {
				visit(g.Plan.Table(n.table)[0])
			}
			for _, e := range n.inputs {
				if e.kind == pipeline.TraceBroadcast || e.kind == pipeline.TraceWhole {
					for _, step := range g.Plan.Table(e.table) {
						visit(step)
					}
				}
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(g.Plan.Steps), func(step *pipeline.Step) bool { return !wanted[step] })
}

package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// ObservedOn stands in a gate's SQL for the day on which the version that it
// judges was observed.
const ObservedOn = "date '{observed_on}'"

// GoodTable is the name under which gates read the last good version of a
// source.
func GoodTable(source string) string { return "good." + source }

// Candidate is a new version of a source that wants to be used.
type Candidate struct {
	Source *Source
	Pins   []Pin // the new version
	Good   []Pin // the last good one; nil if there is none

	reads, goodReads []*Step
	checks           []*Step
}

// Admission is what came of judging candidates.
type Admission struct {
	Refused map[string]error // source → why; kind Drift
	Needs   []Need
	Records []*Record
}

// Admit reads new versions of sources and runs their gates, all beside each
// other. Reading and judging are steps like others: a plan that stands on an
// admitted version finds its tables in the warehouse. A version that does not
// fit its card, or fails a gate, is refused; any other error ends the walk.
// Gates that compare are passed over where the last good version cannot be
// read any more, because the card has changed.
func (w *Walk) Admit(ctx context.Context, p *Pipeline, binding *Binding, candidates []*Candidate, engines Engines) (*Admission, error) {
	plan := &Plan{Pipeline: p, byTable: map[string][]*Step{}}
	for _, candidate := range candidates {
		plan.addCandidate(candidate, binding, engines)
	}
	failed := map[*Step]error{}
	inner := *w
	inner.Progress = func(event Event) {
		if event.Err != nil {
			failed[event.Step] = event.Err
		} else if w.Progress != nil {
			w.Progress(event)
		}
	}
	last := map[string]map[string]Digest{}
	admission := &Admission{Refused: map[string]error{}, Needs: w.Needs(plan, plan.Steps, nil, last)}
	if err := inner.verifyInputs(plan, plan.Steps, nil); err != nil {
		return nil, err
	}
	var err error
	admission.Records, err = newWalking(&inner, inner.Needs(plan, plan.Steps, nil, last)).run(ctx)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil && len(failed) == 0 {
		return nil, err
	}
	for _, candidate := range candidates {
		if err := candidate.judge(w.Warehouse, failed); KindOf(err) == Drift {
			admission.Refused[candidate.Source.Name] = err
		} else if err != nil {
			return nil, err
		}
	}
	return admission, nil
}

// addCandidate adds the reads of both versions and the gates.
func (plan *Plan) addCandidate(c *Candidate, binding *Binding, engines Engines) {
	table := c.Source.Table()
	c.reads = plan.readsOf(c.Source, c.Pins, engines)
	if len(c.Good) > 0 {
		c.goodReads = plan.readsOf(c.Source, c.Good, engines)
	}
	for _, previous := range []bool{false, true} {
		var checks []Check
		for _, check := range c.Source.Gates {
			if check.Previous == previous {
				check.SQL = strings.ReplaceAll(check.SQL, ObservedOn, c.observedOn())
				check.Where = strings.ReplaceAll(check.Where, ObservedOn, c.observedOn())
				checks = append(checks, check)
			}
		}
		if len(checks) == 0 || previous && len(c.Good) == 0 {
			continue
		}
		step := &Step{Kind: StepCheck, Table: table, Label: "gates of " + c.Source.Name, Checks: checks, Macros: binding.CheckMacros[table],
			Inputs: []StepInput{{Table: table, Steps: c.reads}},
			Parts:  map[string]Digest{"program": DigestOf(canonical(checks), canonical(binding.CheckMacros[table])), "engine": DigestOf(engines[StepCheck])}}
		if previous {
			step.Label += " against the last good version"
			step.Inputs = append(step.Inputs, StepInput{Table: GoodTable(c.Source.Name), Steps: c.goodReads})
		}
		plan.add(step)
		c.checks = append(c.checks, step)
	}
}

// readsOf adds the steps that read a version, each file once.
func (plan *Plan) readsOf(source *Source, pins []Pin, engines Engines) []*Step {
	steps := readSteps(source, pins, engines)
	for i := range steps {
		steps[i] = plan.once(steps[i])
	}
	return steps
}

func (c *Candidate) observedOn() string {
	return "date '" + c.Pins[0].ObservedAt.Format(DateLayout) + "'"
}

// judge looks at what came of a candidate's steps.
func (c *Candidate) judge(warehouse *Warehouse, failed map[*Step]error) error {
	var errs []error
	for _, step := range append(append([]*Step{}, c.reads...), c.checks...) {
		errs = append(errs, failed[step])
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, step := range c.checks {
		if !warehouse.Has(step.Fingerprint) { // the last good version cannot be read any more
			continue
		}
		record, err := warehouse.Record(step.Fingerprint)
		if err != nil {
			return err
		}
		for i, result := range record.Checks {
			if !result.Passed {
				errs = append(errs, c.refusal(step.Checks[i], result))
			}
		}
	}
	return errors.Join(errs...)
}

// refusal says which gate a new version fails, and what to do.
func (c *Candidate) refusal(check Check, result CheckResult) error {
	var names []string
	for _, pin := range c.Pins {
		names = append(names, pin.Name)
	}
	if len(names) > 3 {
		names = append(names[:3], fmt.Sprintf("and %d more", len(c.Pins)-3))
	}
	e := &Error{Kind: Drift, Subject: c.Source.Name, Problem: "the new version fails a gate: " + check.Problem,
		Where: strings.Join(names, ", ") + "; gate " + check.Name + " of " + check.Path, Found: strings.Join(result.Sample, "\n"), Hint: check.Hint}
	if check.Where != "" {
		e.Expected = fmt.Sprintf("at most %g %% of its records", 100*result.MaxShare)
		e.Found = fmt.Sprintf("%d of %d records, such as\n%s", result.Failing, result.Rows, e.Found)
	}
	return e
}

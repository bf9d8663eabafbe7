package pipeline

import (
	"fmt"
	"path"
	"strings"
)

// Select finds the steps that a selector means, as dbt users write them: a
// table's name with or without its schema, * as a wildcard, a + before it for
// everything that it stands on, a + after it for everything that stands on
// it. It fails if nothing has that name.
func (plan *Plan) Select(selector string) (map[*Step]bool, error) {
	name := strings.Trim(selector, "+")
	chosen := map[*Step]bool{}
	for _, step := range plan.Steps {
		if matches(name, step) {
			chosen[step] = true
		}
	}
	for _, table := range []string{name, "raw." + name} { // a history is made of steps of another name
		for _, step := range plan.byTable[table] {
			chosen[step] = true
		}
	}
	if len(chosen) == 0 {
		return nil, &Error{Kind: Config, Problem: fmt.Sprintf("nothing is named %q", name),
			Hint: "tamiz plan lists all steps; a selector is a table's name such as schools, +schools or schools+"}
	}
	if strings.HasPrefix(selector, "+") {
		for i := len(plan.Steps) - 1; i >= 0; i-- {
			if chosen[plan.Steps[i]] {
				for _, input := range plan.Steps[i].Inputs {
					for _, parent := range input.Steps {
						chosen[parent] = true
					}
				}
			}
		}
	}
	if strings.HasSuffix(selector, "+") {
		for _, step := range plan.Steps {
			for _, input := range step.Inputs {
				for _, parent := range input.Steps {
					if chosen[parent] {
						chosen[step] = true
					}
				}
			}
		}
	}
	return chosen, nil
}

func matches(pattern string, step *Step) bool {
	for _, name := range []string{step.Table, BaseName(step.Table)} {
		if ok, err := path.Match(pattern, name); err == nil && ok {
			return true
		}
	}
	return false
}

// Targets lists what a run is for: all marts and all checks, or the chosen
// steps without the excluded ones.
func (plan *Plan) Targets(selectors, excluded []string) ([]*Step, error) {
	chosen, dropped := map[*Step]bool{}, map[*Step]bool{}
	for _, list := range []struct {
		selectors []string
		set       map[*Step]bool
	}{{selectors, chosen}, {excluded, dropped}} {
		for _, selector := range list.selectors {
			steps, err := plan.Select(selector)
			if err != nil {
				return nil, err
			}
			for step := range steps {
				list.set[step] = true
			}
		}
	}
	var targets []*Step
	for _, step := range plan.Steps {
		wanted := chosen[step]
		if len(selectors) == 0 {
			wanted = step.Kind == StepCheck || step.Kind == StepModel || step.Kind == StepGo
		}
		if wanted && !dropped[step] {
			targets = append(targets, step)
		}
	}
	return targets, nil
}

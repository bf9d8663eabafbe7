package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tamiz/config"
	"tamiz/load"
)

// How grave a finding is.
const (
	findingOK      = "ok"
	findingNote    = "note"    // worth knowing; nothing is broken
	findingProblem = "problem" // a run, or its operator, would suffer
)

// finding is one thing that the doctor has looked at.
type finding struct {
	State   string `json:"state"`
	About   string `json:"about"`
	Finding string `json:"finding"`
	Remedy  string `json:"to_mend,omitempty"`
}

// diagnosis is what the doctor says of a project.
type diagnosis struct {
	Findings []finding `json:"findings"`
	Next     string    `json:"next"`
}

// doctorFlags are the flags of doctor.
type doctorFlags struct{ fetch, sendTest bool }

// doctor looks at a project; each look adds findings.
type doctor struct {
	ctx       context.Context
	flags     doctorFlags
	project   *config.Project
	store     load.Local // nil: it cannot be opened
	now       func() time.Time
	findings  []finding
	decision  string // what a held run waits for
	isWatched bool   // a daemon is at work
	isFirst   string // a pipeline that has never run
}

func newDoctor(o *options) *cobra.Command {
	f := doctorFlags{}
	command := &cobra.Command{
		Use: "doctor [PIPELINE]", Short: "look at everything that may be wrong, and say what mends it",
		Long: `Look at the configuration, the store, the disk, the clock, the schedule, mail and the
sources, and say of each whether it is well and, if not, what mends it. Small objects are
written below <pipeline>/doctor/ in the store and removed again; nothing else is changed,
and no letter is sent unless you ask for it. The last line is the one next step.
Exit codes: 0 no problem; 1 there are problems.`,
		Example: `  tamiz doctor
  tamiz doctor --send-test            also send a letter to the operator, and to the webhook
  tamiz doctor mx --fetch -o json     also ask the address of each source`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(command *cobra.Command, arguments []string) error {
			asJSON, err := o.json()
			if err != nil {
				return err
			}
			d := &doctor{ctx: command.Context(), flags: f, now: time.Now}
			if err := d.examine(o, arguments); err != nil {
				return err
			}
			result := diagnosis{Findings: d.findings, Next: d.next(o.flagText())}
			if asJSON {
				err = printJSON(command.OutOrStdout(), result)
			} else {
				result.tell(command.OutOrStdout())
			}
			if err == nil && result.problem() != nil {
				err = errHeld
			}
			return err
		},
	}
	command.Flags().BoolVar(&f.fetch, "fetch", false, "also ask the address of each source; nothing is kept")
	command.Flags().BoolVar(&f.sendTest, "send-test", false, "send a test letter to the operator, and to the webhook")
	return command
}

// examine looks at everything, in the order in which things are mended.
func (d *doctor) examine(o *options, arguments []string) error {
	var err error
	if d.project, err = o.openProject(); err != nil {
		d.failed("configuration", err)
		return nil
	}
	names, err := pipelines(d.project, arguments)
	if err != nil {
		return err
	}
	d.lookAtDisk()
	d.lookAtWarehouse()
	d.lookAtSecrets()
	d.lookAtKeys()
	d.lookAtStore(names)
	d.lookAtClock()
	for _, name := range names {
		p, ok := d.lookAtPipeline(name)
		if !ok {
			continue
		}
		d.lookAtSources(p)
		d.lookAtSchedule(p)
		if d.store != nil {
			d.lookAtRuns(p)
		}
	}
	d.lookAtNotices(names)
	d.lookAtDaemon()
	return d.ctx.Err()
}

func (d *doctor) add(state, about, remedy, format string, arguments ...any) {
	d.findings = append(d.findings, finding{State: state, About: about, Finding: fmt.Sprintf(format, arguments...), Remedy: remedy})
}

func (d *doctor) ok(about, format string, arguments ...any) {
	d.add(findingOK, about, "", format, arguments...)
}

func (d *doctor) note(about, remedy, format string, arguments ...any) {
	d.add(findingNote, about, remedy, format, arguments...)
}

func (d *doctor) problem(about, remedy, format string, arguments ...any) {
	d.add(findingProblem, about, remedy, format, arguments...)
}

// failed adds each of the joined errors as a problem: its first line, and all
// that its other lines say to mend it.
func (d *doctor) failed(about string, err error) {
	if list, ok := err.(joined); ok {
		for _, one := range list.Unwrap() {
			d.failed(about, one)
		}
		return
	}
	line, rest, _ := strings.Cut(err.Error(), "\n")
	d.problem(about, strings.ReplaceAll(strings.TrimPrefix(rest, "  "), "\n  ", "\n"), "%s", line)
}

func (d *diagnosis) problem() *finding {
	for i := range d.Findings {
		if d.Findings[i].State == findingProblem {
			return &d.Findings[i]
		}
	}
	return nil
}

// tell prints a line a finding, then the remedies, then the next step.
func (d *diagnosis) tell(w io.Writer) {
	fmt.Fprintf(w, "tamiz %s\n\n", version)
	colours := map[string]colour{findingOK: green, findingNote: yellow, findingProblem: red}
	for _, one := range d.Findings {
		fmt.Fprintf(w, "  %s%s %-14s %s\n", paint(w, colours[one.State], one.State), strings.Repeat(" ", len(findingProblem)-len(one.State)), one.About,
			wrap(one.Finding, 90, strings.Repeat(" ", 25)))
	}
	for _, state := range []string{findingProblem, findingNote} {
		heading := map[string]string{findingProblem: "To mend", findingNote: "You may want to"}[state]
		for _, one := range d.Findings {
			if one.State != state || one.Remedy == "" {
				continue
			}
			if heading != "" {
				fmt.Fprintf(w, "\n%s\n", heading)
				heading = ""
			}
			if strings.Contains(one.Remedy, "\n") {
				fmt.Fprintf(w, "  %s: %s\n    %s\n", one.About, wrap(one.Finding, 90, "    "), strings.ReplaceAll(one.Remedy, "\n", "\n    "))
			} else {
				fmt.Fprintf(w, "  %s: %s\n", one.About, one.Remedy)
			}
		}
	}
	fmt.Fprintf(w, "\nnext: %s\n", d.Next)
}

// next is the one next step of someone who sets up a project, or looks after
// it.
func (d *doctor) next(flags string) string {
	result := diagnosis{Findings: d.findings}
	again := "; then: " + self() + " doctor" + flags
	if first := result.problem(); first != nil {
		remedy := first.Remedy
		if strings.Contains(remedy, "\n") || remedy == "" { // an error, with where it was found and what was expected
			_, hint, _ := strings.Cut(remedy, "to mend ")
			hint, _, _ = strings.Cut(strings.TrimSpace(hint), "\n")
			remedy = "mend the " + first.About + " (" + first.Finding + "): " + hint
		}
		return strings.Join(strings.Fields(remedy), " ") + again
	}
	switch {
	case d.isFirst != "":
		return self() + " run " + d.isFirst + flags
	case d.decision != "":
		return d.decision + flags
	case !d.isWatched:
		return self() + " schedule" + flags + "   (or its service: deploy/tamiz.service)"
	}
	return "nothing to do: Tamiz runs itself"
}

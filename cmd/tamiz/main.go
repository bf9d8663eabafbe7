// Command tamiz runs observatories for school equity: it fetches public
// sources, cleans them in steps that can be traced and repeated, and publishes
// snapshots. This package opens the doors: it reads flags, introduces the
// rooms to each other, and tells people what happened.
//
// It never computes a figure; package main is the only one that knows all
// others.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"tamiz/pipeline"
)

func main() { os.Exit(run(os.Args[1:])) }

// exit codes, as `tamiz help exit-codes` lists them.
const (
	exitDone        = 0
	exitHeld        = 1
	exitUsage       = 2
	exitDiffers     = 3
	exitBusy        = 75
	exitInterrupted = 130
)

// errHeld ends a run that finished but published nothing, because a check or
// a step failed; what there is to say has been said.
var errHeld = errors.New("held")

// errDiffers ends a comparison that found differences and has told them.
var errDiffers = errors.New("differences found")

func run(arguments []string) int {
	signal.Ignore(syscall.SIGXFSZ) // a file that may not grow is an error of the disk, not the end
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	command := newRoot()
	command.SetArgs(arguments)
	err := command.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitDone
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "interrupted: nothing public moved; the next run goes on from here")
		return exitInterrupted
	case errors.Is(err, errHeld):
		return exitHeld
	case errors.Is(err, errDiffers):
		return exitDiffers
	}
	printError(os.Stderr, err)
	switch pipeline.KindOf(err) {
	case pipeline.Busy:
		return exitBusy
	case pipeline.Config:
		return exitUsage
	case pipeline.SourceDown, pipeline.Drift, pipeline.Failed, pipeline.Storage:
		return exitHeld
	}
	var usage *usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitHeld
}

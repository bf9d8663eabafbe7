package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// tenfold is how many times more schools the second run of a soak has.
const tenfold = 10

// soak times a cold run of some schools and one of ten times as many, and
// writes what it saw as a page.
func soak(ctx context.Context, s settings) error {
	small, large, err := measureTenfold(ctx, s)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# Soak\n\nMade by `go run ./bench -soak %s -schools %d` on %d cores, %d workers. Synthetic schools, plain files, empty warehouse.\n\n",
		s.soak, s.schools, runtime.NumCPU(), s.workers)
	b.WriteString("| schools and shifts | wall | processor | peak memory |\n|---|---|---|---|\n")
	for i, seen := range []usageOf{small, large} {
		schools := s.schools * []int{1, tenfold}[i]
		fmt.Fprintf(&b, "| %d | %.1f s | %.1f s | %.0f MiB |\n", schools, wall(seen), processor(seen), memory(seen))
	}
	fmt.Fprintf(&b, "| ratio | %.2f | %.2f | %.2f |\n", wall(large)/wall(small), processor(large)/processor(small), memory(large)/memory(small))
	if err := os.WriteFile(s.soak, []byte(b.String()), 0o644); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	fmt.Print(b.String())
	return nil
}

// measureTenfold makes both samples first, so that nothing else is timed.
func measureTenfold(ctx context.Context, s settings) (small, large usageOf, err error) {
	tamiz, err := build(ctx, s)
	if err != nil {
		return small, large, err
	}
	var seen [2]usageOf
	for i, times := range []int{1, tenfold} {
		sized := s
		sized.schools *= times
		project, err := sample(ctx, sized, tamiz, "plain", "--plain")
		if err != nil {
			return small, large, err
		}
		if err := forget(project); err != nil {
			return small, large, err
		}
		fmt.Fprintf(os.Stderr, "%d schools\n", sized.schools)
		if seen[i], err = measure(ctx, tamiz, "run", s.pipeline, "--project", project, "--workers", fmt.Sprint(s.workers)); err != nil {
			return small, large, err
		}
	}
	return seen[0], seen[1], nil
}

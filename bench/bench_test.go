package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	for i, argument := range os.Args { // the yardstick is this program as a child
		if argument == "-yardstick" && i == 1 {
			main()
			return
		}
	}
	os.Exit(m.Run())
}

// inRepository runs a test from the root, with a work folder of its own.
func inRepository(t *testing.T) settings {
	t.Helper()
	if testing.Short() {
		t.Skip("builds the program; without -short it runs")
	}
	t.Chdir("..")
	s, err := parse([]string{"-work", t.TempDir(), "-repeat", "1", "-workers", "2"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The yardstick is an independent computation of the same profiles.
func TestBench_TheYardstickGivesTheSameProfiles(t *testing.T) {
	s := inRepository(t)
	s.schools = 3000
	var out bytes.Buffer
	if err := bench(t.Context(), s, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "| ratio |") || !strings.Contains(out.String(), "are equal, bit for bit") {
		t.Errorf("got\n%s", out.String())
	}
}

// So is that of the pipeline np, of every district's Equity Index; and its
// drivers, its progress and the allocation add up.
func TestBench_TheYardstickGivesTheSameIndex(t *testing.T) {
	s := inRepository(t)
	s.pipeline, s.schools = "np", 600
	var out bytes.Buffer
	if err := bench(t.Context(), s, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{"| ratio |", "are equal, within 1e-12, in all 5 columns", "| largest |sum of amounts + unallocated - budget|, of 4 | 0 | true |"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

// The small version of make soak: ten times the schools in at most eleven
// times the time.
func TestSoak_TimeGrowsNoFasterThanTheSchools(t *testing.T) {
	s := inRepository(t)
	s.schools, s.soak = 1000, filepath.Join(s.work, "soak.md")
	small, large, err := measureTenfold(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if ratio := wall(large) / wall(small); ratio > 11 {
		t.Errorf("%d schools took %.1f s, ten times as many %.1f times that", s.schools, wall(small), ratio)
	}
}

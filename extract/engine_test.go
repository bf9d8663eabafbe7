package extract_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tamiz/extract"
)

func TestEngine_HoldsAllOfOurSource(t *testing.T) {
	text, err := os.ReadFile("engine.go")
	if err != nil {
		t.Fatal(err)
	}
	embedded := map[string]bool{}
	for _, line := range strings.Split(string(text), "\n") {
		if names, ok := strings.CutPrefix(line, "//go:embed "); ok {
			for _, name := range strings.Fields(names) {
				embedded[name] = true
			}
		}
	}
	for _, pattern := range []string{"*.go", "*/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") && !embedded[filepath.ToSlash(file)] {
				t.Errorf("engine.go does not embed %s, so a change of it would recompute nothing", file)
			}
		}
	}
	first, err := extract.Engine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second, err := extract.Engine(t.Context())
	if err != nil || first != second || len(first) != len("read ")+64 {
		t.Errorf("got %q and %q, %v", first, second, err)
	}
}

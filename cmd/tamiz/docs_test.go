package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"tamiz/config"
	"tamiz/transform"
)

var updateDocs = flag.Bool("update-docs", false, "write docs/dictionary-*.md")

// TestDocs_AreWhatTheModelsSay compares the committed dictionaries with what
// the models say today.
func TestDocs_AreWhatTheModelsSay(t *testing.T) {
	for _, name := range config.Names(embedded()) {
		p, err := config.Load(embedded(), name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := transform.Bind(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		var made bytes.Buffer
		dictionary(&made, p)
		file := filepath.Join("..", "..", "docs", "dictionary-"+name+".md")
		if *updateDocs {
			if err := os.WriteFile(file, made.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		written, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(written, made.Bytes()) {
			t.Errorf("docs/dictionary-%s.md is not what the models say: run make docs", name)
		}
	}
}

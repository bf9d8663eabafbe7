package config_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"path"
	"testing"

	"tamiz/config"
	"tamiz/pipeline"
)

// TestPack_GivesTheSamePipelineAgain packs every embedded pipeline and loads
// it from the archive.
func TestPack_GivesTheSamePipelineAgain(t *testing.T) {
	for _, name := range config.Names(embedded()) {
		t.Run(name, func(t *testing.T) {
			p, text := packed(t, name)
			if _, again := packed(t, name); !bytes.Equal(text, again) {
				t.Error("packed twice, it is not the same")
			}
			files, err := config.Unpack(text)
			if err != nil {
				t.Fatal(err)
			}
			loaded, err := config.Load(files, name)
			if err != nil {
				t.Fatal(err)
			}
			if loaded.SourceText() != p.SourceText() || string(loaded.MethodText) != string(p.MethodText) || len(loaded.Models) != len(p.Models) {
				t.Error("it loads as another pipeline")
			}
			if repacked, err := config.Pack(loaded); err != nil || !bytes.Equal(repacked, text) {
				t.Errorf("packed from the archive, it is not the same: %v", err)
			}
			for file := range p.Files {
				if extension := path.Ext(file); extension != ".yml" && extension != ".sql" {
					t.Errorf("%s is no part of a definition", file)
				}
			}
		})
	}
}

func packed(t *testing.T, name string) (*pipeline.Pipeline, []byte) {
	t.Helper()
	p, err := config.Load(embedded(), name)
	if err != nil {
		t.Fatal(err)
	}
	text, err := config.Pack(p)
	if err != nil {
		t.Fatal(err)
	}
	return p, text
}

func TestUnpack_RefusesWhatIsNoDefinition(t *testing.T) {
	archive := func(write func(w *zip.Writer)) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		write(w)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	create := func(w *zip.Writer, name string) {
		if _, err := w.Create(name); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string][]byte{
		"no archive": []byte("config"),
		"outside":    archive(func(w *zip.Writer) { create(w, "../config/mx/pipeline.yml") }),
		"absolute":   archive(func(w *zip.Writer) { create(w, "/config/mx/pipeline.yml") }),
		"many files": archive(func(w *zip.Writer) {
			for i := range 10_001 {
				create(w, fmt.Sprintf("sql/mx/marts/m%d.sql", i))
			}
		}),
		"large": archive(func(w *zip.Writer) {
			if _, err := w.CreateRaw(&zip.FileHeader{Name: "config/mx/pipeline.yml", UncompressedSize64: 1 << 40}); err != nil {
				t.Fatal(err)
			}
		}),
	} {
		if _, err := config.Unpack(text); pipeline.KindOf(err) != pipeline.Config {
			t.Errorf("%s: %v", name, err)
		}
	}
}

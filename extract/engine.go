package extract

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"runtime"
	"runtime/debug"

	"tamiz/internal/duck"
	"tamiz/pipeline"
)

// program is the source text of this room; a test sees that none is left out.
//
//go:embed archive.go contract.go engine.go extract.go folder.go heading.go log.go reader.go table.go
//go:embed csvtext/cardline.go csvtext/choice.go csvtext/csvtext.go csvtext/encoding.go csvtext/header.go
//go:embed csvtext/magic.go csvtext/match.go csvtext/records.go csvtext/survey.go
var program embed.FS

// textModule is the module that knows the encodings, and the version that
// counts where the binary does not tell (in tests).
const (
	textModule  = "golang.org/x/text"
	textVersion = "v0.43.0"
)

// Engine identifies the program that does read steps, for their fingerprints:
// our source text, the versions of Go, of the module that knows encodings, and
// of DuckDB.
func Engine(ctx context.Context) (string, error) {
	duckVersion, err := duck.Version(ctx)
	if err != nil {
		return "", fmt.Errorf("identify the reader: %w", err)
	}
	parts := []string{runtime.Version(), moduleVersion(), duckVersion}
	err = fs.WalkDir(program, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := program.ReadFile(path)
		parts = append(parts, path, string(text))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("identify the reader: %w", err)
	}
	return "read " + string(pipeline.DigestOf(parts...)), nil
}

func moduleVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == textModule {
				return module.Version
			}
		}
	}
	return textVersion
}

package extract

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"tamiz/internal/duck"
	"tamiz/pipeline"
)

// program is the source text of this room.
//
//go:embed *.go */*.go
var program embed.FS

// world is the part of it that looks at the world, or again at single records,
// and makes no table.
var world = []string{"archive.go", "fetch.go", "folder.go", "log.go", "records.go", "web/"}

// modules are those that reading stands on.
var modules = []string{"golang.org/x/text", "github.com/xuri/excelize/v2", "github.com/richardlehane/mscfb"}

// Engine identifies the program that does read steps, for their fingerprints:
// our source text, the versions of Go, of the modules that know encodings and
// workbooks, and of DuckDB.
func Engine(ctx context.Context) (string, error) {
	duckVersion, err := duck.Version(ctx)
	if err != nil {
		return "", fmt.Errorf("identify the reader: %w", err)
	}
	parts := append([]string{runtime.Version(), duckVersion}, moduleVersions()...)
	err = fs.WalkDir(program, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !reads(path) {
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

// reads reports whether a file of ours takes part in reading tables.
func reads(file string) bool {
	return !strings.HasSuffix(file, "_test.go") && !slices.ContainsFunc(world, func(part string) bool {
		return file == part || strings.HasSuffix(part, "/") && strings.HasPrefix(file, part)
	})
}

func moduleVersions() []string {
	var versions []string
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if slices.Contains(modules, module.Path) {
				versions = append(versions, module.Path, module.Version, module.Sum)
			}
		}
	}
	return versions
}

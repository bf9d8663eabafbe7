package extract

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tamiz/pipeline"
)

// find takes each file that the source's pattern matches. All files that are
// in the way are told at once.
func find(source pipeline.Source, take func(path string) (pipeline.Digest, int64, error)) ([]ObservedFile, error) {
	paths, err := filepath.Glob(source.Folder)
	if err != nil {
		return nil, &pipeline.Error{Kind: pipeline.Config, Subject: source.Name, Problem: "its folder is no pattern",
			Where: source.Path, Found: source.Folder, Err: err}
	}
	slices.Sort(paths)
	var files []ObservedFile
	var problems []error
	for _, path := range paths {
		if hidden(source.Folder, path) {
			continue
		}
		info, err := os.Stat(path) // follows links
		if err != nil {
			problems = append(problems, unreadable(source, path, err))
			continue
		}
		if !info.Mode().IsRegular() {
			continue
		}
		file := ObservedFile{Name: filepath.Base(path)}
		if file.Digest, file.Bytes, err = take(path); err == nil {
			file.Beside, err = takeBeside(source, path, take)
		}
		if err != nil {
			problems = append(problems, takeError(source, path, info.Size(), err))
			continue
		}
		files = append(files, file)
	}
	slices.SortStableFunc(files, func(a, b ObservedFile) int { return cmp.Compare(a.Digest, b.Digest) })
	files = slices.CompactFunc(files, func(a, b ObservedFile) bool { return a.Digest == b.Digest })
	return files, errors.Join(problems...)
}

// takeBeside takes the files that belong to another, in any case of letters.
func takeBeside(source pipeline.Source, path string, take func(path string) (pipeline.Digest, int64, error)) ([]pipeline.Beside, error) {
	var found []pipeline.Beside
	stem := strings.TrimSuffix(path, filepath.Ext(path))
	for _, ending := range source.Companions() {
		for _, written := range []string{ending, strings.ToUpper(ending)} {
			if _, err := os.Stat(stem + written); err != nil {
				continue
			}
			digest, size, err := take(stem + written)
			if err != nil {
				return nil, err
			}
			found = append(found, pipeline.Beside{Ending: ending, Digest: digest, Bytes: size})
			break
		}
	}
	return found, nil
}

// hidden reports whether a wildcard of the pattern took a name that begins
// with a dot.
func hidden(pattern, path string) bool {
	wanted := strings.Split(filepath.Clean(pattern), string(filepath.Separator))
	given := strings.Split(filepath.Clean(path), string(filepath.Separator))
	for i := range min(len(wanted), len(given)) {
		if strings.HasPrefix(given[i], ".") && !strings.HasPrefix(wanted[i], ".") {
			return true
		}
	}
	return false
}

// takeError says what to do about a file that could not be taken. Errors of
// our own storage and cancellations pass as they are.
func takeError(source pipeline.Source, path string, size int64, err error) error {
	switch {
	case errors.Is(err, errTooLarge):
		return &pipeline.Error{Kind: pipeline.Drift, Subject: source.Name,
			Problem: "the file " + filepath.Base(path) + " is larger than its card allows", Where: path,
			Expected: "at most " + sizeText(source.Parsing.MaxBytes), Found: sizeText(size),
			Hint: fmt.Sprintf("if the file is the right one, raise the limit in %s, under limits:\n  bytes: %s",
				source.Path, wholeSize(2*max(size, source.Parsing.MaxBytes)))}
	case errors.Is(err, errChanged):
		return &pipeline.Error{Kind: pipeline.SourceDown, Subject: source.Name,
			Problem: "the file " + filepath.Base(path) + " is still being written", Where: path,
			Hint: "wait until it is whole, then: tamiz run --fetch"}
	case pipeline.KindOf(err) == pipeline.Storage, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return unreadable(source, path, err)
}

func unreadable(source pipeline.Source, path string, err error) error {
	return &pipeline.Error{Kind: pipeline.SourceDown, Subject: source.Name,
		Problem: "the file " + filepath.Base(path) + " cannot be read", Where: path, Err: err,
		Hint: "see that it is there, and that this user may read it, then: tamiz run --fetch"}
}

// absent says that a folder holds no file of a source.
func absent(source pipeline.Source) *pipeline.Error {
	e := &pipeline.Error{Kind: pipeline.SourceDown, Subject: source.Name, Problem: "no file matches " + shortPattern(source.Folder) + " now",
		Where: source.Path, Expected: "a file that matches " + source.Folder, Hint: "put the file there, then: tamiz run --fetch"}
	if source.Online() {
		e.Hint = "get it from " + source.URL + ", put it there, then: tamiz run --fetch"
	}
	return e
}

// shortPattern is the end of a pattern: what is wrong with a source is
// published, and the folders of this machine are nobody's business.
func shortPattern(pattern string) string {
	const shown = 3
	parts := strings.Split(filepath.ToSlash(pattern), "/")
	return strings.Join(parts[max(0, len(parts)-shown):], "/")
}

// sizeText writes a number of bytes for people.
func sizeText(bytes int64) string {
	for _, unit := range []struct {
		size int64
		name string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if bytes >= unit.size {
			return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(bytes)/float64(unit.size)), ".0") + unit.name
		}
	}
	return fmt.Sprintf("%d bytes", bytes)
}

// wholeSize rounds a number of bytes up to what a card accepts.
func wholeSize(bytes int64) string {
	if bytes < 1<<20 {
		return fmt.Sprintf("%dKiB", (bytes+1<<10-1)>>10)
	}
	return fmt.Sprintf("%dMiB", (bytes+1<<20-1)>>20)
}

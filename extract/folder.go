package extract

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tamiz/pipeline"
)

// Observe looks into a source's folder, keeps the bytes that it finds there in
// the archive, notes them in the log if they are new, and gives the pins for
// a run, sorted by digest.
//
// source.Folder is a pattern as in [filepath.Glob], with its whole path. Hidden
// files and folders are passed over; equal files count once. If nothing is
// found, the version seen last is carried forward, and its pins say so; if
// there was never one, the list is empty, or an error of kind SourceDown if the
// source is required. A file over the card's limit is an error of kind Drift.
func Observe(ctx context.Context, source pipeline.Source, archive *Archive, log *Log) ([]pipeline.Pin, error) {
	files, err := find(source, func(path string) (pipeline.Digest, int64, error) {
		return archive.Add(ctx, path, source.Private, source.Parsing.MaxBytes)
	})
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return carry(source, archive, log)
	}
	observation, err := log.Append(source.Name, HowFolder, files)
	if err != nil {
		return nil, err
	}
	return observation.pins(), nil
}

// Look tells what [Observe] would give, without writing anything.
func Look(ctx context.Context, source pipeline.Source, archive *Archive, log *Log) ([]pipeline.Pin, error) {
	files, err := find(source, func(path string) (pipeline.Digest, int64, error) {
		return hashInto(ctx, io.Discard, path, source.Parsing.MaxBytes)
	})
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return carry(source, archive, log)
	}
	observation, _ := log.weigh(source.Name, HowFolder, files)
	return observation.pins(), nil
}

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
		digest, size, err := take(path)
		if err != nil {
			problems = append(problems, takeError(source, path, info.Size(), err))
			continue
		}
		files = append(files, ObservedFile{Name: filepath.Base(path), Digest: digest, Bytes: size})
	}
	slices.SortStableFunc(files, func(a, b ObservedFile) int { return cmp.Compare(a.Digest, b.Digest) })
	files = slices.CompactFunc(files, func(a, b ObservedFile) bool { return a.Digest == b.Digest })
	return files, errors.Join(problems...)
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

// carry gives the latest version of a source whose bytes are all archived.
func carry(source pipeline.Source, archive *Archive, log *Log) ([]pipeline.Pin, error) {
	last, ok := log.latest(source.Name, func(observation Observation) bool {
		for _, file := range observation.Files {
			if _, err := archive.Path(file.Digest); err != nil {
				return false
			}
		}
		return len(observation.Files) > 0
	})
	if ok {
		pins := last.pins()
		for i := range pins {
			pins[i].Carried = fmt.Sprintf("no file matches %s now; the version of %s stays in use",
				shortPattern(source.Folder), last.ObservedAt.Format(pipeline.DateLayout))
		}
		return pins, nil
	}
	if !source.Required {
		return nil, nil
	}
	e := &pipeline.Error{Kind: pipeline.SourceDown, Subject: source.Name,
		Problem: "there is no file of this source, and there can be no run without it",
		Where:   source.Path, Expected: "a file that matches " + source.Folder,
		Hint: "put the file there, then: tamiz run --fetch"}
	if source.URL != "" && source.URL != "unverified" {
		e.Hint = "get it from " + source.URL + ", put it there, then: tamiz run --fetch"
	}
	return nil, e
}

// shortPattern is the end of a pattern: carried notes are published, and the
// folders of this machine are nobody's business.
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

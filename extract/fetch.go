package extract

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/user"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"tamiz/extract/web"
	"tamiz/pipeline"
)

// Watch looks at sources: it asks their publishers, or looks into their
// folders, keeps the bytes that it finds in the archive, and notes what it saw.
type Watch struct {
	Archive *Archive
	Log     *Log
	Web     *web.Client
	Scratch string // folder for downloads that are not whole yet
}

// Observe gives what a source holds now, and how it came in. Addresses are asked in order, the card's own and its mirrors; a
// source without an address is its folder. A source that cannot be seen gives
// an error of kind SourceDown; a file over the card's limit one of kind Drift;
// a folder without any file of an optional source that was never seen gives an
// observation without files.
func (w *Watch) Observe(ctx context.Context, source pipeline.Source) (Observation, error) {
	if !source.Online() {
		return w.folder(ctx, source, HowFolder)
	}
	files, how, err := w.download(ctx, source)
	if err != nil {
		return Observation{}, err
	}
	return w.Log.Append(Observation{Source: source.Name, How: how, Files: files})
}

// Inbox gives what a person has put into the folder of a source that has an
// address, if it is something that was not in use before.
func (w *Watch) Inbox(ctx context.Context, source pipeline.Source) (Observation, error) {
	if !source.Online() || source.Folder == "" {
		return Observation{}, nil
	}
	return w.folder(ctx, source, HowInbox)
}

func (w *Watch) folder(ctx context.Context, source pipeline.Source, how string) (Observation, error) {
	owner := ""
	files, err := find(source, func(path string) (pipeline.Digest, int64, error) {
		owner = ownerOf(path)
		return w.Archive.Add(ctx, path, source.Private, source.Parsing.MaxBytes)
	})
	if err != nil {
		return Observation{}, err
	}
	_, known := w.Log.Last(source.Name)
	switch {
	case len(files) == 0 && how == HowInbox, len(files) == 0 && !known && !source.Required:
		return Observation{}, nil
	case len(files) == 0:
		return Observation{}, absent(source)
	case how == HowInbox && w.Log.superseded(source.Name, files):
		return Observation{}, nil
	}
	observation := Observation{Source: source.Name, How: how, Files: files}
	if how == HowInbox {
		observation.By = owner
	}
	return w.Log.Append(observation)
}

// Look tells what Observe would find in a folder, without writing anything.
func Look(ctx context.Context, source pipeline.Source, log *Log) ([]pipeline.Pin, error) {
	files, err := find(source, func(path string) (pipeline.Digest, int64, error) {
		return hashInto(ctx, io.Discard, path, source.Parsing.MaxBytes)
	})
	if err != nil {
		return nil, err
	}
	observation, _ := log.weigh(Observation{Source: source.Name, How: HowFolder, Files: files})
	return observation.Pins(), nil
}

// ownerOf names who owns a file, as far as this machine tells.
func ownerOf(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	id := strconv.FormatUint(uint64(stat.Uid), 10)
	if account, err := user.LookupId(id); err == nil {
		return account.Username
	}
	return "user " + id
}

// download fetches all files of a source. If one of them cannot be had from
// any of its addresses, the source counts as down.
func (w *Watch) download(ctx context.Context, source pipeline.Source) ([]ObservedFile, string, error) {
	how := HowHTTP
	addresses, err := expand(source.URL)
	if err != nil {
		return nil, "", cardError(source, err)
	}
	var mirrors [][]string
	for _, mirror := range source.Mirrors {
		list, err := expand(mirror)
		if err == nil && len(list) != len(addresses) {
			err = fmt.Errorf("mirror %s stands for %d files, the address for %d", mirror, len(list), len(addresses))
		}
		if err != nil {
			return nil, "", cardError(source, err)
		}
		mirrors = append(mirrors, list)
	}
	last, _ := w.Log.Last(source.Name)
	var files []ObservedFile
	for i, address := range addresses {
		ask := []string{address}
		for _, mirror := range mirrors {
			ask = append(ask, mirror[i])
		}
		file, err := w.fetch(ctx, source, ask, last)
		if err != nil {
			return nil, "", err
		}
		if file.From != "" {
			how = HowMirror
		}
		files = append(files, file)
	}
	slices.SortStableFunc(files, func(a, b ObservedFile) int { return cmp.Compare(a.Digest, b.Digest) })
	return slices.CompactFunc(files, func(a, b ObservedFile) bool { return a.Digest == b.Digest }), how, nil
}

func cardError(source pipeline.Source, err error) error {
	return &pipeline.Error{Kind: pipeline.Config, Subject: source.Name, Where: source.Path, Err: err}
}

// fetch asks the addresses of one file in turn.
func (w *Watch) fetch(ctx context.Context, source pipeline.Source, ask []string, last Observation) (ObservedFile, error) {
	var first error
	for i, address := range ask {
		file, err := w.fetchFrom(ctx, source, address, last)
		if err == nil {
			file.URL = ask[0]
			if i > 0 {
				file.From = hostOf(address)
			}
			return file, nil
		}
		var fault *web.Fault
		if !errors.As(err, &fault) || fault.Reason == web.Disk { // not the publisher's
			return ObservedFile{}, err
		}
		if first == nil {
			first = err
		}
	}
	var fault *web.Fault
	errors.As(first, &fault)
	e := &pipeline.Error{Kind: pipeline.SourceDown, Subject: source.Name, Problem: fault.Problem, Where: fault.URL, Hint: fault.Hint, Err: nil}
	if len(ask) > 1 {
		e.Found = fmt.Sprintf("%d mirrors were asked as well, in vain", len(ask)-1)
	}
	return ObservedFile{}, e
}

// fetchFrom asks one address, on condition that it holds something new.
func (w *Watch) fetchFrom(ctx context.Context, source pipeline.Source, address string, last Observation) (ObservedFile, error) {
	request := web.Request{URL: address, Hosts: source.Hosts, MaxBytes: source.Parsing.MaxBytes, Dir: w.Scratch}
	known := ObservedFile{}
	for _, file := range last.Files {
		if _, err := w.Archive.Path(file.Digest); err == nil && (file.From == "" && file.URL == address || file.From != "" && file.From == hostOf(address)) {
			known = file
			request.ETag, request.LastModified = file.ETag, file.LastModified
		}
	}
	if err := os.MkdirAll(w.Scratch, 0o700); err != nil {
		return known, storageError("make a folder for downloads", err)
	}
	response, err := w.Web.Fetch(ctx, request)
	var fault *web.Fault
	if errors.As(err, &fault) && fault.Reason == web.Disk {
		return known, storageError("keep a download", err)
	}
	if err != nil {
		return known, err
	}
	if response.NotModified {
		return known, nil
	}
	defer os.Remove(response.Path)
	file := ObservedFile{Name: nameOf(address), ETag: response.ETag, LastModified: response.LastModified}
	file.Digest, file.Bytes, err = w.Archive.Add(ctx, response.Path, source.Private, 0)
	return file, err
}

func hostOf(address string) string {
	if parsed, err := url.Parse(address); err == nil {
		return parsed.Host
	}
	return ""
}

// nameOf is the last part of an address' path, as the name of a file.
func nameOf(address string) string {
	if parsed, err := url.Parse(address); err == nil {
		if name := path.Base(parsed.Path); name != "/" && name != "." {
			return filepath.Base(name)
		}
	}
	return "download"
}

var rangePattern = regexp.MustCompile(`\{([0-9]{1,4})\.\.([0-9]{1,4})\}`)

// expand writes out an address such as https://…/planea_{01..32}.zip; numbers
// keep the width of the first.
func expand(address string) ([]string, error) {
	match := rangePattern.FindStringSubmatchIndex(address)
	if match == nil {
		return []string{address}, nil
	}
	from, to := address[match[2]:match[3]], address[match[4]:match[5]]
	low, _ := strconv.Atoi(from) // digits only
	high, _ := strconv.Atoi(to)
	if high < low || high-low >= 1000 {
		return nil, fmt.Errorf("address %s: want a range such as {01..32} of at most 1,000", address)
	}
	var list []string
	for number := low; number <= high; number++ {
		rest, err := expand(address[match[1]:])
		if err != nil {
			return nil, err
		}
		for _, tail := range rest {
			list = append(list, address[:match[0]]+fmt.Sprintf("%0*d", len(from), number)+tail)
		}
	}
	if len(list) > 1000 {
		return nil, fmt.Errorf("address %s stands for more than 1,000 files", strings.TrimSpace(address))
	}
	return list, nil
}

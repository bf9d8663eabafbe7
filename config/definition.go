package config

import (
	"archive/zip"
	"bytes"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"slices"

	"tamiz/pipeline"
)

// DefinitionFile is the name of a pipeline's definition in a snapshot.
const DefinitionFile = "definition.zip"

// Bounds of a definition that is read: mx has 0.7 MB in 300 files.
const (
	maxDefinitionFiles = 10_000
	maxDefinitionBytes = 64 << 20
)

// Pack puts the files that a pipeline was loaded from into a ZIP archive, from
// which [Load] gives the same pipeline. Equal files give equal bytes: names are
// sorted, there are no times, and nothing is compressed, since a compressor may
// give other bytes in its next version.
func Pack(p *pipeline.Pipeline) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(p.Files)) {
		text := p.Files[name]
		size := uint64(len(text))
		file, err := w.CreateRaw(&zip.FileHeader{Name: name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(text), CompressedSize64: size, UncompressedSize64: size})
		if err == nil {
			_, err = file.Write(text)
		}
		if err != nil {
			return nil, fmt.Errorf("pack the definition of %s: %w", p.Name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("pack the definition of %s: %w", p.Name, err)
	}
	return b.Bytes(), nil
}

// Unpack opens a definition for [Load]. An archive that is damaged, names
// files outside of itself, or is larger than any pipeline is an error of kind
// Config.
func Unpack(text []byte) (fs.FS, error) {
	problem := func(found string, err error) error {
		return &pipeline.Error{Kind: pipeline.Config, Subject: DefinitionFile, Problem: "it is no definition of a pipeline", Found: found, Err: err}
	}
	archive, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		return nil, problem("", err)
	}
	if len(archive.File) > maxDefinitionFiles {
		return nil, problem(fmt.Sprintf("%d files", len(archive.File)), nil)
	}
	total := uint64(0)
	for _, file := range archive.File {
		if !fs.ValidPath(file.Name) {
			return nil, problem(fmt.Sprintf("a file named %q", file.Name), nil)
		}
		if total += min(file.UncompressedSize64, maxDefinitionBytes+1); total > maxDefinitionBytes { // reading ends at what is declared
			return nil, problem(fmt.Sprintf("more than %d bytes", maxDefinitionBytes), nil)
		}
	}
	return archive, nil
}

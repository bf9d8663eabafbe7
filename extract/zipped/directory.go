package zipped

import (
	"archive/zip"
	"errors"
	"io"
)

// ErrMembers says that an archive has more entries than are allowed.
var ErrMembers = errors.New("the archive has too many members")

// Directory reads the list of an archive's entries, folders too, of which there
// may be so many. Their names are as they stand in the archive, and must be
// looked at before anything is done with them.
func Directory(r io.ReaderAt, size int64, members int) ([]*zip.File, error) {
	source := &metered{ReaderAt: r, left: 1<<20 + int64(members)*1024}
	archive, err := zip.NewReader(source, size)
	source.free = true
	switch {
	case errors.Is(err, ErrMembers), archive != nil && len(archive.File) > members:
		return nil, ErrMembers
	case err != nil && !errors.Is(err, zip.ErrInsecurePath):
		return nil, err //nolint:wrapcheck // callers say what is damaged
	}
	return archive.File, nil
}

// metered bounds what is read as long as the directory is read: its entries
// cost memory before their number is known.
type metered struct {
	io.ReaderAt
	left int64
	free bool
}

// ReadAt reads, or gives ErrMembers where the bound is passed.
func (m *metered) ReadAt(p []byte, offset int64) (int, error) {
	if !m.free {
		if m.left -= int64(len(p)); m.left < 0 {
			return 0, ErrMembers
		}
	}
	return m.ReaderAt.ReadAt(p, offset)
}

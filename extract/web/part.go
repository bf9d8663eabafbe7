package web

import (
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// part is what has arrived of a file so far.
type part struct {
	file      *os.File
	hash      hash.Hash
	bytes     int64
	total     int64       // -1 if the server did not say
	url       string      // where it comes from, without query
	header    http.Header // of the answer that it began with
	validator string      // for If-Range; "" if the rest cannot be asked for
	resumed   bool
	anew      bool // this server's parts do not fit: ask for the whole only
}

// reset makes room for a whole body.
func (p *part) reset(dir string) error {
	if p.file == nil {
		file, err := os.CreateTemp(dir, ".fetching-") // mode 0600
		if err != nil {
			return err
		}
		p.file = file
	} else if p.bytes > 0 {
		if err := p.file.Truncate(0); err != nil {
			return err
		}
		if _, err := p.file.Seek(0, io.SeekStart); err != nil {
			return err
		}
	}
	*p = part{file: p.file, hash: sha256.New(), total: -1, anew: p.anew}
	return nil
}

// add copies a body to the end of the file. An error of the file is an
// *os.PathError, any other is the body's.
func (p *part) add(body io.Reader) error {
	buffer := make([]byte, 128<<10)
	for {
		n, err := body.Read(buffer)
		written, fault := p.file.Write(buffer[:n])
		p.hash.Write(buffer[:written]) // never fails
		p.bytes += int64(written)
		switch {
		case fault != nil:
			return fault
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// discard closes and removes the file.
func (p *part) discard() {
	if p.file != nil {
		p.file.Close()           // may be closed already
		os.Remove(p.file.Name()) // nothing is left that could be done about an error
		p.file = nil
	}
}

// continues tells whether a 206 holds exactly the bytes that are missing, of
// the same version from the same place.
func (p *part) continues(answer *http.Response) bool {
	first, last, total, ok := contentRange(answer.Header.Get("Content-Range"))
	if total < 0 {
		total = p.total
	}
	if !ok || first != p.bytes || total < 0 || last != total-1 || p.total >= 0 && p.total != total {
		return false
	}
	if answer.ContentLength >= 0 && answer.ContentLength != last-first+1 {
		return false
	}
	if etag := printable(answer.Header.Get("ETag")); etag != "" && etag != printable(p.header.Get("ETag")) {
		return false
	}
	if !plain(answer) || bare(answer.Request.URL) != p.url {
		return false
	}
	p.total = total
	return true
}

// contentRange reads "bytes first-last/total"; total is -1 for "*".
func contentRange(value string) (first, last, total int64, ok bool) {
	unit, rest, _ := strings.Cut(strings.TrimSpace(value), " ")
	span, size, sized := strings.Cut(rest, "/")
	from, to, spanned := strings.Cut(span, "-")
	if !strings.EqualFold(unit, "bytes") || !sized || !spanned {
		return 0, 0, 0, false
	}
	total = -1
	if size != "*" {
		if total, ok = digits(size); !ok {
			return 0, 0, 0, false
		}
	}
	first, okFirst := digits(from)
	last, okLast := digits(to)
	return first, last, total, okFirst && okLast && first <= last
}

// digits reads a number without sign.
func digits(text string) (int64, bool) {
	number, err := strconv.ParseUint(text, 10, 63)
	return int64(number), err == nil
}

// strongValidator is what proves that a rest belongs to the part that is here:
// a strong ETag, or, where there is no ETag, a date so long past when the
// answer was made that no second version can bear it.
func strongValidator(header http.Header) string {
	if strings.EqualFold(strings.TrimSpace(header.Get("Accept-Ranges")), "none") {
		return ""
	}
	if etag := header.Get("ETag"); etag != "" {
		if etag = printable(etag); len(etag) > 2 && etag[0] == '"' && etag[len(etag)-1] == '"' {
			return etag
		}
		return ""
	}
	modified, err := http.ParseTime(header.Get("Last-Modified"))
	if err != nil {
		return ""
	}
	answered, err := http.ParseTime(header.Get("Date"))
	if err != nil || answered.Sub(modified) < time.Minute {
		return ""
	}
	return printable(header.Get("Last-Modified"))
}

package web

import (
	"compress/gzip"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// download is one file on its way, over all its tries.
type download struct {
	*Client
	request Request
	start   *url.URL
	tries   int
	part    part
}

// errIdle is the cause by which a silent server ends a request.
var errIdle = errors.New("the server sends nothing any more")

// errTooLarge ends a body over its limit.
var errTooLarge = errors.New("over the limit")

// try asks once, and takes what comes.
func (d *download) try(ctx context.Context) (Response, *Fault) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	header := d.header()
	answer, fault := d.ask(ctx, header)
	if fault != nil {
		return Response{}, fault
	}
	defer answer.Body.Close()
	resuming := header.Get("Range") != ""
	conditional := header.Get("If-None-Match") != "" || header.Get("If-Modified-Since") != ""
	switch status := answer.StatusCode; {
	case status == http.StatusNotModified && conditional:
		return d.unchanged(answer), nil
	case status == http.StatusPartialContent && resuming && d.part.continues(answer):
		d.part.resumed = true
	case resuming && (status == http.StatusPartialContent || status == http.StatusRequestedRangeNotSatisfiable):
		d.part.anew = true
		return Response{}, restFault(answer)
	case status == http.StatusOK:
		if fault := d.begin(answer); fault != nil {
			return Response{}, fault
		}
	default:
		return Response{}, statusFault(answer, d.options.Now())
	}
	if fault := d.receive(ctx, cancel, answer); fault != nil {
		return Response{}, fault
	}
	return d.whole(answer)
}

// header asks for the rest, if a part is here that can be continued, else for
// the whole file, unless it is unchanged.
func (d *download) header() http.Header {
	header := http.Header{}
	header.Set("User-Agent", d.options.UserAgent)
	header.Set("Accept", "*/*")
	header.Set("Accept-Encoding", "identity")
	if d.part.bytes > 0 && d.part.validator != "" && !d.part.anew {
		header.Set("Range", fmt.Sprintf("bytes=%d-", d.part.bytes))
		header.Set("If-Range", d.part.validator)
		return header
	}
	if etag := printable(d.request.ETag); etag != "" {
		header.Set("If-None-Match", etag)
	}
	if modified := printable(d.request.LastModified); modified != "" {
		header.Set("If-Modified-Since", modified)
	}
	return header
}

// ask follows redirects to the answer. Each hop goes through the transport
// itself: a standard client would send the last address along as Referer, and
// show a redirect's query in its errors.
func (d *download) ask(ctx context.Context, header http.Header) (*http.Response, *Fault) {
	hop := d.start
	for hops := 0; ; hops++ {
		request := &http.Request{Method: http.MethodGet, URL: hop, Host: hop.Host, Header: header}
		answer, err := d.transport.RoundTrip(request.WithContext(ctx))
		if err != nil {
			return nil, connectFault(ctx, hop, err)
		}
		location := answer.Header.Get("Location")
		if !redirects(answer.StatusCode) || location == "" {
			return answer, nil
		}
		answer.Body.Close()
		next, fault := d.follow(hop, location)
		if fault == nil && hops >= d.options.MaxRedirects {
			fault = &Fault{Reason: RedirectLoop, URL: bare(hop), Hint: hintMoved,
				Problem: fmt.Sprintf("the publisher's server sends us on and on (more than %d redirects)", max(0, d.options.MaxRedirects))}
		}
		if fault != nil {
			fault.Status = answer.StatusCode
			return nil, fault
		}
		hop = next
	}
}

// begin readies the file for a whole body.
func (d *download) begin(answer *http.Response) *Fault {
	if fault := encodingFault(answer); fault != nil {
		return fault
	}
	if err := d.part.reset(d.request.Dir); err != nil {
		return diskFault(answer, err)
	}
	d.part.url, d.part.header = bare(answer.Request.URL), answer.Header
	if plain(answer) {
		d.part.total = answer.ContentLength
		d.part.validator = strongValidator(answer.Header)
	}
	return nil
}

// receive adds the answer's body to the file.
func (d *download) receive(ctx context.Context, cancel context.CancelCauseFunc, answer *http.Response) *Fault {
	left := d.request.MaxBytes - d.part.bytes
	if answer.ContentLength > left {
		return d.sizeFault(answer)
	}
	timer := time.AfterFunc(d.options.IdleTimeout, func() { cancel(errIdle) })
	defer timer.Stop()
	var body io.Reader = &bounded{left: left, from: &watched{from: answer.Body, timer: timer, limit: d.options.IdleTimeout}}
	err := error(nil)
	if !plain(answer) {
		body, err = unpacked(body, left)
	}
	if err == nil {
		err = d.part.add(body)
	}
	var disk *os.PathError
	switch {
	case err == nil && (d.part.total < 0 || d.part.bytes == d.part.total):
		return nil
	case errors.Is(err, errTooLarge):
		return d.sizeFault(answer)
	case errors.As(err, &disk):
		return diskFault(answer, err)
	case damagedGzip(err):
		return &Fault{Reason: Answer, Status: answer.StatusCode, URL: bare(answer.Request.URL), Hint: hintInbox, Err: err,
			Problem: "the server packs the file with gzip on the way, and what comes is damaged"}
	}
	if d.part.total >= 0 && d.part.bytes > d.part.total {
		d.part.anew = true
	}
	return bodyFault(ctx, answer, d.part, err)
}

// whole closes the file that has arrived.
func (d *download) whole(answer *http.Response) (Response, *Fault) {
	path := d.part.file.Name()
	if err := d.part.file.Close(); err != nil {
		return Response{}, diskFault(answer, err)
	}
	response := d.response(answer, d.part.header)
	response.Path, response.Bytes, response.Resumed = path, d.part.bytes, d.part.resumed
	response.SHA256 = hex.EncodeToString(d.part.hash.Sum(nil))
	return response, nil
}

// unchanged keeps the validators that a 304 does not repeat.
func (d *download) unchanged(answer *http.Response) Response {
	d.part.discard() // a part can be here from a try that the last one started anew
	response := d.response(answer, answer.Header)
	response.NotModified = true
	if response.ETag == "" {
		response.ETag = printable(d.request.ETag)
	}
	if response.LastModified == "" {
		response.LastModified = printable(d.request.LastModified)
	}
	return response
}

// response takes the facts from the header of the last answer that had them
// all: a 206 need not repeat them.
func (d *download) response(answer *http.Response, header http.Header) Response {
	return Response{
		URL: bare(answer.Request.URL), Tries: d.tries, At: d.options.Now().UTC(),
		ETag:         printable(header.Get("ETag")),
		LastModified: printable(header.Get("Last-Modified")),
		ContentType:  printable(header.Get("Content-Type")),
	}
}

// encoding is how the body is packed on the way; "" if it is not.
func encoding(answer *http.Response) string {
	value := strings.ToLower(strings.TrimSpace(strings.Join(answer.Header.Values("Content-Encoding"), ", ")))
	switch value {
	case "identity":
		return ""
	case "x-gzip":
		return "gzip"
	}
	return value
}

func plain(answer *http.Response) bool { return encoding(answer) == "" }

func unpacked(packed io.Reader, limit int64) (io.Reader, error) {
	reader, err := gzip.NewReader(packed)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	return &bounded{left: limit, from: reader}, nil
}

// watched runs a timer while it waits for bytes.
type watched struct {
	from  io.Reader
	timer *time.Timer
	limit time.Duration
}

// Read reads, and stops the timer again.
func (w *watched) Read(buffer []byte) (int, error) {
	w.timer.Reset(w.limit)
	n, err := w.from.Read(buffer)
	w.timer.Stop()
	return n, err
}

// bounded gives at most so many bytes; one more is errTooLarge.
type bounded struct {
	from io.Reader
	left int64
}

// Read reads one byte beyond the limit at most.
func (b *bounded) Read(buffer []byte) (int, error) {
	if int64(len(buffer)) > b.left {
		buffer = buffer[:b.left+1]
	}
	n, err := b.from.Read(buffer)
	if int64(n) > b.left {
		return int(b.left), errTooLarge
	}
	b.left -= int64(n)
	return n, err
}

// printable gives a header's value if it can be kept in a log and sent again;
// otherwise nothing.
func printable(value string) string {
	const longest = 1024
	value = strings.TrimSpace(value)
	if len(value) > longest || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
		return ""
	}
	return value
}

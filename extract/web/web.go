// Package web brings one file from a publisher's web server into a temporary
// file: politely (an honest name, few tries, growing pauses, Retry-After,
// nothing sent twice that is already here) and safely (limits of size and
// time, certificates always checked, redirects only to hosts that are allowed).
//
// In comes a [Request]: an address, its limits, and what is known of the last
// version. Out goes a [Response]: a file with the publisher's very bytes and
// their SHA-256, or the word that nothing has changed; or a [Fault], which says
// in plain words what happened and what to do.
//
// This package never looks into a file: a web page with status 200, or an
// empty file, is for the reader to judge. It keeps no cookies, sends no
// passwords, logs nothing, and keeps nothing between two calls.
//
// The loop over tries is our own. A client that tries requests again, such as
// hashicorp's go-retryablehttp, ends its care at the header of the answer, but
// large files break within the body, and the next try has to ask for the rest.
//
// Specifications: RFC 9110 (HTTP), in it 13 (conditions), 14 (ranges),
// 10.2.3 (Retry-After) and 15.4 (redirects).
package web

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Options are the habits of a [Client]. A value of zero means the default.
type Options struct {
	UserAgent    string         // who we are, honestly; required: tamiz/0.1 (+https://…)
	Tries        int            // for one file in all; 4
	Wait         time.Duration  // the first pause between tries; it doubles each time; 2 s
	MaxWait      time.Duration  // the longest pause, also if the server asks for a longer one; 1 min
	IdleTimeout  time.Duration  // to connect, to agree on TLS, for the answer to begin, and for bytes to come; 1 min each
	TotalTimeout time.Duration  // for one file with all its tries and pauses; 30 min
	MaxRedirects int            // for one try; 5; below 0: none
	RootCAs      *x509.CertPool // who may sign certificates; nil: whom this machine trusts

	Now   func() time.Time                                 // nil: the clock
	Sleep func(ctx context.Context, d time.Duration) error // nil: waits, and ends early with ctx
}

// Request asks for one file.
//
// A redirect may lead to the address's own host, at the same port or at the
// scheme's usual one (443 for https, 80 for http), and to Hosts: a bare name
// stands for the usual ports, "name:8443" for just that port. A name does not
// stand for the names below it.
type Request struct {
	URL          string   // http or https, without user and password
	Hosts        []string // further hosts that a redirect may lead to
	MaxBytes     int64    // the largest size, as sent and as unpacked; required
	ETag         string   // of the version that is here; "" if there is none
	LastModified string   // of the version that is here; "" if there is none
	Dir          string   // the folder for the temporary file; required
}

// Response is a file that has arrived whole, or the word that the version
// which the request named is still the latest.
//
// The bytes are those of the publisher; only if the server packs them with
// gzip on the way, although it is asked not to, they are unpacked. A body that
// breaks off without its length having been given cannot be told from a whole
// one: the reader has to count.
type Response struct {
	Path         string // the temporary file, mode 0600, now the caller's; "" if NotModified
	Bytes        int64
	SHA256       string // of the file, in lower-case hexadecimal
	URL          string // where it came from in the end, without query
	ETag         string // to be sent with the next request; "" if there is none
	LastModified string // to be sent with the next request; "" if there is none
	ContentType  string // as the server says; "" if it says nothing printable
	NotModified  bool
	Tries        int
	Resumed      bool      // put together from more than one try
	At           time.Time // when the answer was complete, UTC
}

// Client fetches files. It may be used from many goroutines.
type Client struct {
	options   Options
	transport *http.Transport
}

// New makes a client. A user agent that is missing is told by the first fetch.
func New(options Options) *Client {
	o := &options
	setDefault(&o.Tries, 4)
	setDefault(&o.Wait, 2*time.Second)
	setDefault(&o.MaxWait, time.Minute)
	setDefault(&o.IdleTimeout, time.Minute)
	setDefault(&o.TotalTimeout, 30*time.Minute)
	setDefault(&o.MaxRedirects, 5)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	return &Client{options: options, transport: &http.Transport{
		Proxy:                  proxy,
		DialContext:            (&net.Dialer{Timeout: o.IdleTimeout}).DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    o.IdleTimeout,
		ResponseHeaderTimeout:  o.IdleTimeout,
		MaxResponseHeaderBytes: 1 << 20,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // digests are of the publisher's bytes
		DisableKeepAlives:      true, // a call leaves no connection behind
	}}
}

func setDefault[T int | time.Duration](value *T, standard T) {
	if *value == 0 {
		*value = standard
	}
}

// proxy is the environment's. Its own error could show the proxy's password.
func proxy(request *http.Request) (*url.URL, error) {
	address, err := http.ProxyFromEnvironment(request)
	if err != nil {
		return nil, errors.New("the proxy that the environment names is not a valid address")
	}
	return address, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Fetch brings one file. Its error is a [*Fault]; only if ctx ends, it is
// ctx's own. With an error, nothing stays behind in the request's folder.
//
// Tried again are faults that may pass: the statuses 408, 425, 429, 500, 502,
// 503 and 504, timeouts, connections that fail or break, and names that cannot
// be looked up for now. If a body breaks after some bytes, and the server gave
// a strong ETag or date, the next try asks for the rest only.
func (c *Client) Fetch(ctx context.Context, request Request) (Response, error) {
	start, fault := c.check(request)
	if fault != nil {
		return Response{}, fault
	}
	d := &download{Client: c, request: request, start: start}
	response, err := d.run(ctx)
	if err != nil {
		d.part.discard()
		return Response{}, err
	}
	return response, nil
}

// check refuses what no server should ever see.
func (c *Client) check(request Request) (*url.URL, *Fault) {
	start, err := url.Parse(request.URL)
	if err != nil { // the cause could show a password
		return nil, &Fault{Reason: Invalid, Problem: "the address is not a valid URL", Hint: hintCard}
	}
	problem, hint := "", hintCard
	switch {
	case start.Scheme != "http" && start.Scheme != "https":
		problem = "the address must begin with http:// or https://"
	case start.Hostname() == "":
		problem = "the address names no server"
	case start.User != nil:
		problem = "the address holds a user or a password, which are never sent"
	case request.MaxBytes <= 0:
		problem, hint = "the request sets no limit of size", ""
	case request.Dir == "":
		problem, hint = "the request names no folder for the file", ""
	case printable(c.options.UserAgent) == "":
		problem, hint = "the client does not say who it is (its user agent)", ""
	default:
		return start, nil
	}
	return nil, &Fault{Reason: Invalid, URL: bare(start), Problem: problem, Hint: hint}
}

// errTotal is the cause by which the time for all tries ends a request.
var errTotal = errors.New("the time for all tries is over")

// run tries until the file is here, or no further try makes sense.
func (d *download) run(ctx context.Context) (Response, error) {
	limit := d.options.TotalTimeout
	total, cancel := context.WithTimeoutCause(ctx, limit, errTotal)
	defer cancel()
	for {
		d.tries++
		response, fault := d.try(total)
		if fault == nil {
			return response, nil
		}
		if total.Err() == nil && d.again(total, fault) {
			continue
		}
		fault.Tries = d.tries
		switch {
		case ctx.Err() != nil:
			return Response{}, fmt.Errorf("fetch %s: %w", bare(d.start), ctx.Err())
		case total.Err() != nil:
			fault = &Fault{Reason: Timeout, Status: fault.Status, URL: fault.URL, Tries: d.tries, Hint: hintLater,
				Problem: fmt.Sprintf("the file did not arrive within %s", limit), Err: fault.Err}
		}
		return Response{}, fault
	}
}

// again waits before the next try, if there is to be one. A pause that would
// outlast the time for all tries is not begun.
func (d *download) again(ctx context.Context, fault *Fault) bool {
	if !fault.transient || d.tries >= d.options.Tries {
		return false
	}
	pause := d.pause(fault.after)
	if end, ok := ctx.Deadline(); ok && time.Until(end) < pause {
		return false
	}
	return d.options.Sleep(ctx, pause) == nil
}

// pause doubles from try to try, without chance, and is never shorter than
// what the server asks for, up to the longest pause.
func (d *download) pause(asked time.Duration) time.Duration {
	pause := d.options.Wait
	for i := 1; i < d.tries && pause < d.options.MaxWait; i++ {
		pause *= 2
	}
	return min(max(pause, asked), d.options.MaxWait)
}

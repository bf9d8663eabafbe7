package web

import (
	"compress/flate"
	"compress/gzip"
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

// Reason says what kind of thing went wrong, for callers that act on it.
type Reason string

// The reasons of a [Fault].
const (
	Invalid      Reason = "invalid request"  // nothing was sent: the request or the client's options are wrong
	Refused      Reason = "refused"          // 401, 403, 451
	Missing      Reason = "missing"          // 404, 410
	Unavailable  Reason = "unavailable"      // 408, 425, 429 and 5xx
	Timeout      Reason = "timeout"          // silence, or all the time used up
	CutShort     Reason = "cut short"        // the body broke off
	TooLarge     Reason = "too large"        // over the request's limit
	RedirectLoop Reason = "redirect loop"    // too many redirects
	RedirectHost Reason = "redirect refused" // to a host that is not allowed, or to no web address
	Downgrade    Reason = "downgrade"        // a redirect from https to http
	Certificate  Reason = "certificate"      // the server cannot prove who it is
	NoHost       Reason = "no such host"     // no server bears that name, or none can be looked up now
	Connection   Reason = "connection"       // no connection, or it broke before the answer
	Answer       Reason = "unexpected answer"
	Disk         Reason = "disk" // our own: the file cannot be written here
)

// Fault is why a file did not come. Its words are for operators who know their
// data, not HTTP, and hold no query, user or password.
type Fault struct {
	Reason  Reason
	Status  int    // of the answer; 0 if there was none
	URL     string // the address that it happened at, without user and query
	Problem string // what happened, one sentence
	Hint    string // what to do
	Tries   int    // 0 if nothing was sent
	Err     error  // the cause; nil if the status says it all

	transient bool
	after     time.Duration // the pause that the server asks for
}

// Error tells where, what, after how many tries, and the cause.
func (f *Fault) Error() string {
	text := "fetch " + f.URL + ": " + f.Problem
	if f.URL == "" {
		text = "fetch: " + f.Problem
	}
	if f.Tries > 1 {
		text += fmt.Sprintf(", in %d tries", f.Tries)
	}
	if f.Err != nil {
		text += ": " + f.Err.Error()
	}
	return text
}

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.Err }

const (
	hintInbox = "open the address in a browser, save the file, and put it into the inbox"
	hintLater = "it is tried again at the next run; if it lasts, " + hintInbox
	hintMoved = "look for the file on the publisher's site, and write its present address into the source's card; or " + hintInbox
	hintName  = "see that this machine is connected, and that the address in the source's card is right; or " + hintInbox
	hintCard  = "correct the address in the source's card"
)

// statusFault is for an answer without a file.
func statusFault(answer *http.Response, now time.Time) *Fault {
	fault := &Fault{Status: answer.StatusCode, URL: bare(answer.Request.URL), Hint: hintLater}
	switch status := answer.StatusCode; {
	case status == http.StatusUnauthorized:
		fault.Reason, fault.Hint = Refused, hintInbox
		fault.Problem = "the publisher asks for a login"
	case status == http.StatusForbidden, status == http.StatusUnavailableForLegalReasons:
		fault.Reason, fault.Hint = Refused, hintInbox
		fault.Problem = "the publisher refuses automatic downloads"
	case status == http.StatusNotFound, status == http.StatusGone:
		fault.Reason, fault.Hint = Missing, hintMoved
		fault.Problem = "the publisher has no file at this address any more"
	case status == http.StatusTooManyRequests:
		fault.Reason, fault.Problem = Unavailable, "the publisher's server asks us to come less often"
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status >= 500:
		fault.Reason, fault.Problem = Unavailable, "the publisher's server cannot answer at present"
	case status == http.StatusNotModified:
		fault.Reason, fault.Problem = Answer, "the publisher's server says that nothing has changed, which it was not asked"
	default:
		fault.Reason, fault.Hint = Answer, hintInbox
		fault.Problem = "the publisher's server gives an answer that holds no file"
	}
	fault.Problem += fmt.Sprintf(" (%d)", answer.StatusCode)
	switch answer.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		fault.transient, fault.after = true, retryAfter(answer.Header.Get("Retry-After"), now)
	}
	return fault
}

// retryAfter reads seconds or a date. What is neither asks for nothing.
func retryAfter(value string, now time.Time) time.Duration {
	const longest = 365 * 24 * time.Hour
	if seconds, ok := digits(value); ok {
		return time.Duration(min(seconds, int64(longest/time.Second))) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return date.Sub(now)
	}
	return 0
}

// connectFault is for a try that got no answer.
func connectFault(ctx context.Context, hop *url.URL, err error) *Fault {
	fault := &Fault{URL: bare(hop), Hint: hintLater, Err: err, transient: true}
	var name *net.DNSError
	switch problem := certificateProblem(err); {
	case problem != "":
		fault.Reason, fault.Problem, fault.transient = Certificate, problem, false
		fault.Hint = "this check is never switched off; if the clock of this machine is right, tell the publisher; until then, " + hintInbox
	case timedOut(ctx, err):
		fault.Reason, fault.Problem = Timeout, "the publisher's server does not answer in time"
	case errors.As(err, &name) && name.IsNotFound:
		fault.Reason, fault.transient, fault.Hint = NoHost, false, hintName
		fault.Problem = fmt.Sprintf("there is no server with the name %.200q", name.Name)
	case errors.As(err, &name):
		fault.Reason = NoHost
		fault.Problem = fmt.Sprintf("the name of the server, %.200q, cannot be looked up at present", name.Name)
	case noTLS(err):
		fault.Reason, fault.transient, fault.Hint = Connection, false, hintMoved
		fault.Problem = "no secure connection to the publisher's server can be agreed on"
	default:
		fault.Reason, fault.Problem = Connection, "there is no connection to the publisher's server"
	}
	return fault
}

// certificateProblem says what is wrong with a certificate; "" if the error is
// another one.
func certificateProblem(err error) string {
	var failed *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &authority):
		return "the certificate of the publisher's server is signed by nobody whom this machine trusts"
	case errors.As(err, &host):
		return "the certificate of the publisher's server is for another name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate of the publisher's server has run out, or is not valid yet"
	case errors.As(err, &invalid), errors.As(err, &failed):
		return "the certificate of the publisher's server is not valid"
	}
	return ""
}

// noTLS reports whether the two sides cannot agree, which no try will mend.
func noTLS(err error) bool {
	var alert *net.OpError
	var record tls.RecordHeaderError
	return errors.As(err, &record) || errors.As(err, &alert) && (alert.Op == "remote error" || alert.Op == "local error")
}

func timedOut(ctx context.Context, err error) bool {
	var slow net.Error
	return errors.As(err, &slow) && slow.Timeout() || errors.Is(context.Cause(ctx), errIdle) || errors.Is(context.Cause(ctx), errTotal)
}

// bodyFault is for a body that does not reach its end.
func bodyFault(ctx context.Context, answer *http.Response, so part, err error) *Fault {
	fault := &Fault{Status: answer.StatusCode, URL: bare(answer.Request.URL), Hint: hintLater, Err: err, transient: true}
	sofar := fmt.Sprintf("%d bytes", so.bytes)
	if so.total >= 0 {
		sofar = fmt.Sprintf("%d of %d bytes", so.bytes, so.total)
	}
	fault.Reason, fault.Problem = CutShort, "the connection broke off after "+sofar
	if timedOut(ctx, err) {
		fault.Reason, fault.Problem = Timeout, "the publisher's server fell silent after "+sofar
	}
	return fault
}

// restFault is for a rest that does not fit; the next try asks for the whole.
func restFault(answer *http.Response) *Fault {
	return &Fault{Reason: CutShort, Status: answer.StatusCode, URL: bare(answer.Request.URL), Hint: hintLater, transient: true,
		Problem: "the connection broke off, and the publisher's server cannot send the rest of that version"}
}

func encodingFault(answer *http.Response) *Fault {
	packed := encoding(answer)
	if packed == "" || packed == "gzip" {
		return nil
	}
	return &Fault{Reason: Answer, Status: answer.StatusCode, URL: bare(answer.Request.URL), Hint: hintInbox,
		Problem: fmt.Sprintf("the publisher's server packs the file in a way that we did not ask for (%.40q)", packed)}
}

func damagedGzip(err error) bool {
	var corrupt flate.CorruptInputError
	return errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.As(err, &corrupt)
}

func (d *download) sizeFault(answer *http.Response) *Fault {
	return &Fault{Reason: TooLarge, Status: answer.StatusCode, URL: bare(answer.Request.URL),
		Problem: fmt.Sprintf("the file is larger than its limit of %d bytes", d.request.MaxBytes),
		Hint:    "if the file is the right one, raise the limit in the source's card"}
}

func diskFault(answer *http.Response, err error) *Fault {
	return &Fault{Reason: Disk, Status: answer.StatusCode, URL: bare(answer.Request.URL), Err: err,
		Problem: "the file cannot be written on this machine",
		Hint:    "see that the disk has room, and that this user may write to it; then run again"}
}

package s3server

import (
	"context"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
	"time"
)

// Proxy stands between a program and the server. It passes everything on until
// it is told otherwise; tests may switch it while it works.
type Proxy struct {
	Endpoint string

	mutex        sync.Mutex
	forward      http.Handler
	refuses      bool
	cutUploads   int
	cutDownloads int
	lostAnswers  int
	passes       int // changing calls before the first answer that is lost
	delay        time.Duration
	calls        int
	uploads      int
}

// Proxy starts a proxy before the server, for one test.
func (s *Server) Proxy(t testing.TB) *Proxy {
	t.Helper()
	target, err := url.Parse(s.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{forward: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // it is signed
	}, ErrorLog: log.New(io.Discard, "", 0), ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }}}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.Endpoint = server.URL
	return p
}

// Pass ends all faults.
func (p *Proxy) Pass() {
	p.set(func() {
		p.refuses, p.cutUploads, p.cutDownloads, p.lostAnswers, p.passes, p.delay = false, 0, 0, 0, 0, 0
	})
}

// Refuse has every call answered by 403.
func (p *Proxy) Refuse() { p.set(func() { p.refuses = true }) }

// CutUploads breaks the connection in the middle of the next n uploads.
func (p *Proxy) CutUploads(n int) { p.set(func() { p.cutUploads = n }) }

// LoseAnswers has the server do what the next n changing calls ask, and breaks
// the connection before its answer.
func (p *Proxy) LoseAnswers(n int) { p.set(func() { p.lostAnswers = n }) }

// LoseAnswerAfter loses one answer, after as many changing calls have passed.
func (p *Proxy) LoseAnswerAfter(calls int) { p.set(func() { p.lostAnswers, p.passes = 1, calls }) }

// CutDownloads breaks the connection in the middle of the next n contents.
func (p *Proxy) CutDownloads(n int) { p.set(func() { p.cutDownloads = n }) }

// Delay has every call wait before it is passed on.
func (p *Proxy) Delay(d time.Duration) { p.set(func() { p.delay = d }) }

// Calls is the number of calls so far.
func (p *Proxy) Calls() int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.calls
}

// Uploads is the number of calls with a body so far.
func (p *Proxy) Uploads() int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.uploads
}

// Faults is the number of uploads, downloads and answers that are still to be
// spoilt.
func (p *Proxy) Faults() int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.cutUploads + p.cutDownloads + p.lostAnswers
}

func (p *Proxy) set(change func()) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	change()
}

// ServeHTTP passes a call on, or spoils it.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	isUpload := r.Method == http.MethodPut && r.ContentLength > 0
	p.mutex.Lock()
	p.calls++
	refuses, delay, cut, lose, cutDown := p.refuses, p.delay, false, false, false
	if isUpload {
		p.uploads++
	}
	if isUpload && p.cutUploads > 0 {
		cut, p.cutUploads = true, p.cutUploads-1
	} else if r.Method != http.MethodGet && r.Method != http.MethodHead && p.lostAnswers > 0 {
		if p.passes--; p.passes < 0 {
			lose, p.lostAnswers = true, p.lostAnswers-1
		}
	} else if r.Method == http.MethodGet && !r.URL.Query().Has("list-type") && p.cutDownloads > 0 {
		cutDown, p.cutDownloads = true, p.cutDownloads-1
	}
	p.mutex.Unlock()
	wait(r.Context(), delay)
	switch {
	case refuses:
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>`)
	case cut:
		_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/2)
		panic(http.ErrAbortHandler)
	case lose:
		p.forward.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	case cutDown:
		answer := httptest.NewRecorder()
		p.forward.ServeHTTP(answer, r)
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes()[:answer.Body.Len()/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	default:
		p.forward.ServeHTTP(w, r)
	}
}

func wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

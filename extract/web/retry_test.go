package web_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tamiz/extract/web"
)

// first gives one handler for the first n requests, another for all others.
func first(n int64, early, late http.HandlerFunc) http.HandlerFunc {
	var count atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) {
		if count.Add(1) <= n {
			early(w, r)
			return
		}
		late(w, r)
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", code) }
}

func file(w http.ResponseWriter, _ *http.Request) { w.Write(content) }

// reset breaks the connection before any answer.
func reset(w http.ResponseWriter, _ *http.Request) {
	connection, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		connection.(*net.TCPConn).SetLinger(0)
		connection.Close()
	}
}

func TestFetch_TriesAgainWhatMayPass(t *testing.T) {
	for name, early := range map[string]http.HandlerFunc{
		"408": status(408), "425": status(425), "429": status(429), "500": status(500),
		"502": status(502), "503": status(503), "504": status(504), "reset": reset,
		"no answer": func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, first(2, early, file))
			d := newDesk(t)
			got := d.whole(web.Request{URL: server.URL}, content)
			if want := []time.Duration{time.Second, 2 * time.Second}; got.Tries != 3 || got.Resumed || !slices.Equal(d.pauses, want) {
				t.Errorf("%d tries, pauses %v, want 3 tries, %v", got.Tries, d.pauses, want)
			}
		})
	}
}

func TestFetch_GivesUpAfterItsTries(t *testing.T) {
	server := serve(t, status(503))
	d := newDesk(t)
	d.options.Tries, d.options.MaxWait = 6, 5*time.Second
	fault := d.fault(web.Request{URL: server.URL + "/a?key=secret"}, web.Unavailable, 6)
	if fault.Status != 503 || fault.URL != server.URL+"/a" || !strings.Contains(fault.Error(), "in 6 tries") {
		t.Errorf("got %+v: %v", fault, fault)
	}
	want := []time.Duration{1e9, 2e9, 4e9, 5e9, 5e9}
	if !slices.Equal(d.pauses, want) {
		t.Errorf("pauses %v, want %v", d.pauses, want)
	}
}

func TestFetch_SaysWhatAStatusMeans(t *testing.T) {
	for _, want := range []struct {
		code          int
		reason        web.Reason
		problem, hint string
	}{
		{401, web.Refused, "the publisher asks for a login (401)", "inbox"},
		{403, web.Refused, "the publisher refuses automatic downloads (403)", "open the address in a browser, save the file, and put it into the inbox"},
		{451, web.Refused, "the publisher refuses automatic downloads (451)", "inbox"},
		{404, web.Missing, "the publisher has no file at this address any more (404)", "card"},
		{410, web.Missing, "the publisher has no file at this address any more (410)", "card"},
		{501, web.Unavailable, "the publisher's server cannot answer at present (501)", "next run"},
		{400, web.Answer, "the publisher's server gives an answer that holds no file (400)", "inbox"},
		{204, web.Answer, "the publisher's server gives an answer that holds no file (204)", "inbox"},
		{206, web.Answer, "the publisher's server gives an answer that holds no file (206)", "inbox"},
		{302, web.Answer, "the publisher's server gives an answer that holds no file (302)", "inbox"}, // without Location
		{416, web.Answer, "the publisher's server gives an answer that holds no file (416)", "inbox"},
	} {
		t.Run(fmt.Sprint(want.code), func(t *testing.T) {
			server := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(want.code) })
			fault := newDesk(t).fault(web.Request{URL: server.URL}, want.reason, 1)
			if fault.Status != want.code || fault.Problem != want.problem || !strings.Contains(fault.Hint, want.hint) {
				t.Errorf("got %+v", fault)
			}
		})
	}
}

func TestFetch_WaitsAsLongAsTheServerAsks(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"":                                      time.Second,
		"0":                                     time.Second,
		"7":                                     7 * time.Second,
		"3600":                                  10 * time.Second,
		"99999999999999999999999":               time.Second, // no number that anybody means
		"9000000000000000000":                   10 * time.Second,
		"-5":                                    time.Second,
		"soon":                                  time.Second,
		today.Add(4e9).Format(http.TimeFormat):  4 * time.Second,
		today.Add(-4e9).Format(http.TimeFormat): time.Second,
		"Thu, 01 Jan 2099 00:00:00 GMT":         10 * time.Second,
	} {
		server := serve(t, first(1, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", value)
			w.WriteHeader(429)
		}, file))
		d := newDesk(t)
		d.whole(web.Request{URL: server.URL}, content)
		if !slices.Equal(d.pauses, []time.Duration{want}) {
			t.Errorf("Retry-After %q: pauses %v, want %v", value, d.pauses, want)
		}
	}
}

func TestFetch_DoesNotBeginAPauseThatIsTooLong(t *testing.T) {
	server := serve(t, status(503))
	d := newDesk(t)
	d.options.TotalTimeout, d.options.Wait = 5*time.Second, 8*time.Second
	d.fault(web.Request{URL: server.URL}, web.Unavailable, 1)
}

func TestFetch_TellsASilentServer(t *testing.T) {
	stall := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for name, handler := range map[string]http.HandlerFunc{
		"before the answer": stall,
		"within the body": func(w http.ResponseWriter, r *http.Request) {
			w.Write(content[:1000])
			w.(http.Flusher).Flush()
			stall(w, r)
		},
		"within a packed body": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(packed(content)[:5])
			w.(http.Flusher).Flush()
			stall(w, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, handler)
			d := newDesk(t)
			d.options.IdleTimeout, d.options.Tries = 100*time.Millisecond, 2
			d.fault(web.Request{URL: server.URL}, web.Timeout, 2)
		})
		t.Run(name+", once", func(t *testing.T) {
			server := serve(t, first(1, handler, file))
			d := newDesk(t)
			d.options.IdleTimeout = 100 * time.Millisecond
			d.whole(web.Request{URL: server.URL}, content)
		})
	}
}

func TestFetch_EndsATrickle(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			w.Write([]byte("x"))
			w.(http.Flusher).Flush()
			time.Sleep(50 * time.Millisecond)
		}
	})
	d := newDesk(t)
	d.options.TotalTimeout = 300 * time.Millisecond
	begun := time.Now()
	fault := d.fault(web.Request{URL: server.URL}, web.Timeout, 1)
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("it took %s", took)
	}
	if fault.Problem != "the file did not arrive within 300ms" {
		t.Error(fault)
	}
}

func TestFetch_EndsAPauseWithTheTimeForAll(t *testing.T) {
	server := serve(t, status(503))
	d := newDesk(t)
	d.options.TotalTimeout, d.options.Wait = 100*time.Millisecond, time.Millisecond
	d.options.Sleep = func(ctx context.Context, _ time.Duration) error {
		<-ctx.Done()
		return ctx.Err()
	}
	if fault := d.fault(web.Request{URL: server.URL}, web.Timeout, 1); fault.Status != 503 {
		t.Errorf("the last status is lost: %+v", fault)
	}
}

func TestFetch_StopsWithItsContext(t *testing.T) {
	begun := make(chan bool, 1)
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Write(content)
		w.(http.Flusher).Flush()
		begun <- true
		<-r.Context().Done()
	})
	for name, want := range map[string]error{"cancelled": context.Canceled, "too late": context.DeadlineExceeded} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if want == context.DeadlineExceeded {
				ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
			}
			go func() {
				<-begun
				if want == context.Canceled {
					cancel()
				}
			}()
			d := newDesk(t)
			request := web.Request{URL: server.URL + "/?key=secret", MaxBytes: 1 << 20, Dir: d.dir}
			_, err := web.New(d.options).Fetch(ctx, request)
			var fault *web.Fault
			if !errors.Is(err, want) || errors.As(err, &fault) || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %v, want %v", err, want)
			}
		})
	}
}

func TestFetch_WaitsByTheClockIfNothingElseIsSaid(t *testing.T) {
	server := serve(t, first(1, status(503), file))
	d := newDesk(t)
	d.options.Sleep, d.options.Now, d.options.Wait = nil, nil, 20*time.Millisecond
	begun := time.Now()
	got := d.whole(web.Request{URL: server.URL}, content)
	if took := time.Since(begun); took < 20*time.Millisecond || got.At.Before(begun.UTC().Add(-time.Minute)) || got.At.Location() != time.UTC {
		t.Errorf("took %s, at %s", took, got.At)
	}
}

func TestFetch_StopsInAPause(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(503)
		time.AfterFunc(50*time.Millisecond, cancel)
	})
	d := newDesk(t)
	d.options.Sleep, d.options.Wait, d.options.MaxWait = nil, time.Minute, time.Minute
	begun := time.Now()
	_, err := web.New(d.options).Fetch(ctx, web.Request{URL: server.URL, MaxBytes: 1, Dir: d.dir})
	if took := time.Since(begun); !errors.Is(err, context.Canceled) || took > 30*time.Second {
		t.Errorf("after %s: %v", took, err)
	}
}

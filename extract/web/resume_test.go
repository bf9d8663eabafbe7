package web_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tamiz/extract/web"
)

const old = "Sun, 01 Nov 2026 00:00:00 GMT"

// cutter lets so many bytes of the body through, then breaks the connection.
type cutter struct {
	http.ResponseWriter
	left int
}

func (c *cutter) Write(text []byte) (int, error) {
	if len(text) <= c.left {
		c.left -= len(text)
		return c.ResponseWriter.Write(text)
	}
	c.ResponseWriter.Write(text[:c.left])
	c.ResponseWriter.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

// ranges serves the content as a real server does, with these headers.
func ranges(header map[string]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for name, value := range header {
			w.Header().Set(name, value)
		}
		modified, _ := http.ParseTime(header["Last-Modified"])
		http.ServeContent(w, r, "a.csv", modified, bytes.NewReader(content))
	}
}

func cutAt(n int, handler http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { handler(&cutter{w, n}, r) }
}

func TestFetch_GoesOnWhereTheConnectionBroke(t *testing.T) {
	for name, test := range map[string]struct {
		header           map[string]string
		range2, ifRange2 string
		resumed          bool
	}{
		"strong etag":         {map[string]string{"ETag": `"v1"`, "Last-Modified": old}, "bytes=45875-", `"v1"`, true},
		"date":                {map[string]string{"Last-Modified": old}, "bytes=45875-", old, true},
		"weak etag":           {map[string]string{"ETag": `W/"v1"`, "Last-Modified": old}, "", "", false},
		"no validator":        {nil, "", "", false},
		"says it cannot":      {map[string]string{"ETag": `"v1"`, "Accept-Ranges": "none"}, "", "", false},
		"date of this moment": {map[string]string{"Last-Modified": time.Now().UTC().Format(http.TimeFormat)}, "", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			serves := ranges(test.header)
			if test.header["Accept-Ranges"] == "none" {
				serves = func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("ETag", test.header["ETag"])
					w.Header().Set("Accept-Ranges", "none")
					w.Write(content)
				}
			}
			server := serve(t, first(1, cutAt(45875, serves), func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Range") != test.range2 || r.Header.Get("If-Range") != test.ifRange2 {
					t.Errorf("Range %q, If-Range %q", r.Header.Get("Range"), r.Header.Get("If-Range"))
				}
				serves(w, r)
			}))
			got := newDesk(t).whole(web.Request{URL: server.URL, ETag: `"v0"`}, content)
			if got.Resumed != test.resumed || got.Tries != 2 {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestFetch_GoesOnTwice(t *testing.T) {
	serves := ranges(map[string]string{"ETag": `"v1"`})
	server := serve(t, first(2, cutAt(20000, serves), serves))
	if got := newDesk(t).whole(web.Request{URL: server.URL}, content); !got.Resumed || got.Tries != 3 {
		t.Errorf("got %+v", got)
	}
}

func TestFetch_KeepsTheFactsOfTheFirstAnswer(t *testing.T) {
	server := serve(t, first(1, cutAt(100, ranges(map[string]string{"ETag": `"v1"`, "Last-Modified": old})),
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes 100-%d/*", len(content)-1))
			w.Header()["Content-Type"] = nil
			w.WriteHeader(206)
			w.Write(content[100:])
		}))
	got := newDesk(t).whole(web.Request{URL: server.URL}, content)
	if got.ETag != `"v1"` || got.LastModified != old || !strings.HasPrefix(got.ContentType, "text/csv") || !got.Resumed {
		t.Errorf("got %+v", got)
	}
}

func TestFetch_BeginsAnewWithAnotherVersion(t *testing.T) {
	server := serve(t, first(1, cutAt(45875, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"v0"`)
		http.ServeContent(w, r, "a.csv", time.Time{}, strings.NewReader(strings.Repeat("old\n", 20000)))
	}), ranges(map[string]string{"ETag": `"v1"`})))
	if got := newDesk(t).whole(web.Request{URL: server.URL}, content); got.Resumed || got.Tries != 2 || got.ETag != `"v1"` {
		t.Errorf("got %+v", got)
	}
}

func TestFetch_BeginsAnewWhenTheRestDoesNotFit(t *testing.T) {
	rest := content[45875:]
	for name, lie := range map[string]http.HandlerFunc{
		"no range":          func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(206); w.Write(rest) },
		"416":               status(416),
		"another beginning": part("bytes 45874-65535/65536", nil, content[45874:]),
		"not to the end":    part("bytes 45875-65534/65536", nil, rest[:len(rest)-1]),
		"another size":      part("bytes 45875-65536/65537", nil, append(rest[:len(rest):len(rest)], 'x')),
		"another unit":      part("lines 45875-65535/65536", nil, rest),
		"a sign":            part("bytes +45875-65535/65536", nil, rest),
		"no size":           part("bytes 45875-65535", nil, rest),
		"nonsense size":     part("bytes 45875-65535/x", nil, rest),
		"backwards":         part("bytes 45875-3/65536", nil, rest),
		"another etag":      part("bytes 45875-65535/65536", map[string]string{"ETag": `"v2"`}, rest),
		"packed":            part("bytes 45875-65535/65536", map[string]string{"Content-Encoding": "gzip"}, rest),
		"shorter by length": part("bytes 45875-65535/65536", nil, rest[1:]),
		"longer": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", "bytes 45875-65535/65536")
			w.WriteHeader(206)
			w.(http.Flusher).Flush()
			w.Write(content)
		},
	} {
		t.Run(name, func(t *testing.T) {
			serves := ranges(map[string]string{"ETag": `"v1"`})
			whole := func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Range") != "" {
					t.Error("asked for a part again")
				}
				serves(w, r)
			}
			server := serve(t, first(1, cutAt(45875, serves), first(1, lie, first(1, cutAt(99, whole), whole))))
			if got := newDesk(t).whole(web.Request{URL: server.URL}, content); got.Resumed || got.Tries != 4 {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// part is an answer 206 that says what it likes.
func part(contentRange string, header map[string]string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for name, value := range header {
			w.Header().Set(name, value)
		}
		w.Header().Set("Content-Range", contentRange)
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.WriteHeader(206)
		w.Write(body)
	}
}

func TestFetch_DoesNotJoinPartsOfTwoPlaces(t *testing.T) {
	serves := ranges(map[string]string{"ETag": `"v1"`})
	paths := first(1, http.RedirectHandler("/one", http.StatusFound).ServeHTTP, http.RedirectHandler("/two", http.StatusFound).ServeHTTP)
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			paths(w, r)
		case "/one":
			cutAt(5000, serves)(w, r)
		default:
			serves(w, r)
		}
	})
	if got := newDesk(t).whole(web.Request{URL: server.URL + "/"}, content); got.Resumed || got.URL != server.URL+"/two" {
		t.Errorf("got %+v", got)
	}
}

func TestFetch_KeepsTheLimitOverAllParts(t *testing.T) {
	server := serve(t, first(1, cutAt(5000, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `"v1"`)
		w.Write(content) // no length
	}), ranges(map[string]string{"ETag": `"v1"`})))
	newDesk(t).fault(web.Request{URL: server.URL, MaxBytes: 60000}, web.TooLarge, 2)
}

func TestFetch_TellsABodyThatIsCutEachTime(t *testing.T) {
	server := serve(t, cutAt(45875, ranges(nil)))
	fault := newDesk(t).fault(web.Request{URL: server.URL}, web.CutShort, 4)
	if fault.Problem != "the connection broke off after 45875 of 65536 bytes" {
		t.Error(fault)
	}
	chunked := serve(t, cutAt(45875, func(w http.ResponseWriter, _ *http.Request) {
		w.(*cutter).ResponseWriter.(http.Flusher).Flush()
		w.Write(content)
	}))
	fault = newDesk(t).fault(web.Request{URL: chunked.URL}, web.CutShort, 4)
	if fault.Problem != "the connection broke off after 45875 bytes" {
		t.Error(fault)
	}
}

func TestFetch_TellsAPackedBodyThatIsCut(t *testing.T) {
	for _, length := range []int{0, 5, 20000} {
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") != "" {
				t.Error("a packed body was to be continued")
			}
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("ETag", `"v1"`)
			w.Write(packed(content)[:length])
		})
		newDesk(t).fault(web.Request{URL: server.URL}, web.CutShort, 4)
	}
}

func TestFetch_TakesA304AfterAPart(t *testing.T) {
	server := serve(t, first(1, cutAt(5000, ranges(nil)), status(304)))
	got, err := newDesk(t).fetch(web.Request{URL: server.URL, ETag: `"v0"`})
	if err != nil || !got.NotModified || got.Path != "" || got.Bytes != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
	// Who asks for the rest does not ask whether anything has changed.
	server = serve(t, first(1, cutAt(5000, ranges(map[string]string{"ETag": `"v1"`})), status(304)))
	newDesk(t).fault(web.Request{URL: server.URL, ETag: `"v0"`}, web.Answer, 2)
}

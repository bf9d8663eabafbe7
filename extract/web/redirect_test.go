package web_test

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"tamiz/extract/web"
)

func TestFetch_FollowsRedirects(t *testing.T) {
	for _, code := range []int{301, 302, 303, 307, 308} {
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/a/file" {
				if r.Header.Get("Referer") != "" || r.Header.Get("If-None-Match") != `"v0"` || r.Header.Get("User-Agent") == "" {
					t.Errorf("the second hop's header: %v", r.Header)
				}
				file(w, r)
				return
			}
			w.Header().Set("Location", "file?signature=secret")
			w.WriteHeader(code)
		})
		got := newDesk(t).whole(web.Request{URL: server.URL + "/a/b?key=secret", ETag: `"v0"`}, content)
		if got.URL != server.URL+"/a/file" || got.Tries != 1 {
			t.Errorf("got %+v", got)
		}
	}
}

func TestFetch_EndsALoop(t *testing.T) {
	var hops int
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		hops++
		http.Redirect(w, r, "/", http.StatusFound)
	})
	fault := newDesk(t).fault(web.Request{URL: server.URL}, web.RedirectLoop, 1)
	if hops != 6 || fault.Status != 302 {
		t.Errorf("%d requests, want the first and 5 more; %+v", hops, fault)
	}
	d := newDesk(t)
	d.options.MaxRedirects = -1
	if d.fault(web.Request{URL: server.URL}, web.RedirectLoop, 1); hops != 7 {
		t.Errorf("%d requests, want one more", hops)
	}
}

func TestFetch_GoesOnlyToHostsThatAreAllowed(t *testing.T) {
	other := serve(t, file)
	elsewhere := strings.Replace(other.URL, "127.0.0.1", "localhost", 1)
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", r.URL.Query().Get("to"))
		w.WriteHeader(302)
	})
	port := other.Listener.Addr().(*net.TCPAddr).String()
	port = port[strings.LastIndex(port, ":"):]
	for _, test := range []struct {
		to    string
		hosts []string
		want  web.Reason // "" for the file
	}{
		{elsewhere + "/?signature=secret", nil, web.RedirectHost},
		{elsewhere, []string{"localhost"}, web.RedirectHost}, // the usual ports only
		{elsewhere, []string{"localhost:1"}, web.RedirectHost},
		{elsewhere, []string{"host"}, web.RedirectHost},
		{elsewhere, []string{"", "LOCALHOST." + port}, ""},
		{other.URL, nil, web.RedirectHost}, // the same host at a third port
		{other.URL, []string{"127.0.0.1" + port}, ""},
		{"http://me:secret@" + strings.TrimPrefix(server.URL, "http://"), nil, web.RedirectHost},
		{"file:///etc/passwd", nil, web.RedirectHost},
		{"http:", nil, web.RedirectHost},
		{"http:///a", nil, web.RedirectHost},
		{"http://[secret", nil, web.RedirectHost},
	} {
		request := web.Request{URL: server.URL + "/?to=" + url.QueryEscape(test.to), Hosts: test.hosts}
		if test.want == "" {
			newDesk(t).whole(request, content)
			continue
		}
		fault := newDesk(t).fault(request, test.want, 1)
		if fault.Status != 302 || fault.URL != server.URL+"/" || strings.Contains(fault.Hint, "secret") {
			t.Errorf("to %s: %+v", test.to, fault)
		}
	}
}

// names gives names to servers: every connection to a name and port goes to
// the server that bears it.
func names(servers map[string]*httptest.Server) func(*web.Client) {
	return func(client *web.Client) {
		client.Dial(func(ctx context.Context, network, address string) (net.Conn, error) {
			server, ok := servers[strings.ToLower(address)]
			if !ok {
				name, _, _ := net.SplitHostPort(address)
				return nil, &net.OpError{Op: "dial", Net: network, Err: &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}}
			}
			return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
		})
	}
}

func trust(server *httptest.Server) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	return pool
}

func TestFetch_MovesToHTTPSButNeverBack(t *testing.T) {
	redirect := func(w http.ResponseWriter, r *http.Request) {
		if to := r.URL.Query().Get("to"); to != "" {
			w.Header().Set("Location", to)
			w.WriteHeader(301)
			return
		}
		file(w, r)
	}
	plain, secure := serve(t, redirect), serveTLS(t, redirect)
	d := newDesk(t)
	d.options.RootCAs = trust(secure)
	d.dial = names(map[string]*httptest.Server{"example.com:80": plain, "example.com:8080": plain,
		"example.com:443": secure, "example.com:8443": secure, "data.example.com:443": secure})
	for _, test := range []struct {
		from, to string
		hosts    []string
		want     web.Reason
	}{
		{"http://example.com/", "https://example.com/a", nil, ""},
		{"http://example.com:8080/", "https://EXAMPLE.com:443/a", nil, ""},
		{"http://example.com:8080/", "http://example.com/a", nil, ""},
		{"http://example.com/", "http://example.com:8080/a", nil, web.RedirectHost},
		{"https://example.com/", "https://example.com:8443/a", nil, web.RedirectHost},
		{"https://example.com:8443/", "https://example.com:8443/a", nil, ""},
		{"https://example.com/", "https://data.example.com/a", nil, web.RedirectHost},
		{"https://example.com/", "https://data.example.com/a", []string{"data.example.com"}, ""},
		{"https://example.com/", "//example.com/a", nil, ""},
		{"https://example.com/", "http://example.com/a?signature=secret", nil, web.Downgrade},
		{"http://example.com/", "https://example.com/?to=http://example.com/a", nil, web.Downgrade},
		{"https://example.com/", "https://gone.example.com/a", []string{"gone.example.com"}, web.NoHost},
	} {
		d.dir, d.pauses = t.TempDir(), nil
		request := web.Request{URL: test.from + "?to=" + url.QueryEscape(test.to), Hosts: test.hosts}
		if test.want == "" {
			d.whole(request, content)
			continue
		}
		if fault := d.fault(request, test.want, 1); t.Failed() {
			t.Fatalf("from %s to %s: %v", test.from, test.to, fault)
		}
	}
}

package web_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"tamiz/extract/web"
)

func TestFetch_ChecksCertificates(t *testing.T) {
	server := serveTLS(t, file)
	d := newDesk(t)
	fault := d.fault(web.Request{URL: server.URL}, web.Certificate, 1)
	if !strings.Contains(fault.Problem, "nobody whom this machine trusts") || !strings.Contains(fault.Hint, "never switched off") {
		t.Errorf("got %+v", fault)
	}
	d.options.RootCAs = trust(server)
	d.whole(web.Request{URL: server.URL}, content)

	d = newDesk(t)
	d.options.RootCAs = trust(server)
	d.dial = names(map[string]*httptest.Server{"example.org:443": server})
	if fault := d.fault(web.Request{URL: "https://example.org/"}, web.Certificate, 1); !strings.Contains(fault.Problem, "another name") {
		t.Error(fault)
	}
}

func TestFetch_TellsACertificateThatHasRunOut(t *testing.T) {
	server := quiet(t, file)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: today.AddDate(-2, 0, 0), NotAfter: today.AddDate(-1, 0, 0),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}}
	server.StartTLS()
	d := newDesk(t)
	d.options.RootCAs = trust(server)
	if fault := d.fault(web.Request{URL: server.URL}, web.Certificate, 1); !strings.Contains(fault.Problem, "has run out") {
		t.Error(fault)
	}
}

func TestFetch_DoesNotTryAgainWithoutACommonTLS(t *testing.T) {
	plain := serve(t, file)
	newDesk(t).fault(web.Request{URL: strings.Replace(plain.URL, "http:", "https:", 1)}, web.Connection, 1)
	aged := quiet(t, file)
	aged.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	aged.StartTLS()
	d := newDesk(t)
	d.options.RootCAs = trust(aged)
	d.fault(web.Request{URL: aged.URL}, web.Connection, 1)
}

func TestFetch_SpeaksHTTP2AndGoesOnThereToo(t *testing.T) {
	serves := ranges(map[string]string{"ETag": `"v1"`})
	cut := first(1, cutAt(45875, serves), serves)
	server := quiet(t, func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("it speaks %s", r.Proto)
		}
		cut(w, r)
	})
	server.EnableHTTP2 = true
	server.StartTLS()
	d := newDesk(t)
	d.options.RootCAs = trust(server)
	if got := d.whole(web.Request{URL: server.URL}, content); !got.Resumed || got.Tries != 2 {
		t.Errorf("got %+v", got)
	}
}

func TestFetch_TellsASilentHTTP2Server(t *testing.T) {
	server := quiet(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			w.Write(content[:100])
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
	})
	server.EnableHTTP2 = true
	server.StartTLS()
	for _, path := range []string{"/", "/body"} {
		d := newDesk(t)
		d.options.RootCAs, d.options.IdleTimeout, d.options.Tries = trust(server), 100*time.Millisecond, 2
		d.fault(web.Request{URL: server.URL + path}, web.Timeout, 2)
	}
}

func TestFetch_TellsAServerThatIsNotThere(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	fault := newDesk(t).fault(web.Request{URL: server.URL + "/?key=secret"}, web.Connection, 4)
	if !errors.Is(fault, syscall.ECONNREFUSED) || fault.Status != 0 {
		t.Errorf("got %+v", fault)
	}
}

func TestFetch_TellsASilentTLSHandshake(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	d := newDesk(t)
	d.options.IdleTimeout, d.options.Tries = 100*time.Millisecond, 2
	d.fault(web.Request{URL: "https://" + listener.Addr().String()}, web.Timeout, 2)
}

func TestFetch_TellsANameThatCannotBeLookedUp(t *testing.T) {
	for _, test := range []struct {
		err    net.DNSError
		reason web.Reason
		tries  int
	}{
		{net.DNSError{IsNotFound: true}, web.NoHost, 1},
		{net.DNSError{IsTemporary: true}, web.NoHost, 4},
		{net.DNSError{IsTimeout: true}, web.Timeout, 4},
	} {
		d := newDesk(t)
		d.dial = func(client *web.Client) {
			client.Dial(func(_ context.Context, network, _ string) (net.Conn, error) {
				test.err.Name = "files.example.org"
				return nil, &net.OpError{Op: "dial", Net: network, Err: &test.err}
			})
		}
		fault := d.fault(web.Request{URL: "https://files.example.org/a"}, test.reason, test.tries)
		if test.reason == web.NoHost && !strings.Contains(fault.Problem, `"files.example.org"`) {
			t.Error(fault)
		}
	}
}

func TestFetch_TellsAnAnswerThatIsNotHTTP(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		connection, buffer, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		buffer.WriteString("SSH-2.0-OpenSSH\r\n\r\n")
		buffer.Flush()
		connection.Close()
	})
	d := newDesk(t)
	d.options.Tries = 2
	d.fault(web.Request{URL: server.URL}, web.Connection, 2)
}

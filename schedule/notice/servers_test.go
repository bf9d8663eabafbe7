package notice_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"tamiz/pipeline"
	"tamiz/schedule/notice"
)

// authority makes a CA of its own and a certificate for this machine.
func authority(t *testing.T) (*x509.CertPool, *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "mail"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	issue := func(certificate *x509.Certificate) []byte {
		der, err := x509.CreateCertificate(rand.Reader, certificate, ca, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	root, err := x509.ParseCertificate(issue(ca))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(root)
	return pool, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{issue(leaf)}, PrivateKey: key}}}
}

// mailServer is a real SMTP server, which keeps what it takes.
type mailServer struct {
	mu       sync.Mutex
	taken    []taken
	refuse   map[string]error // receiver → why
	greeting []string         // names that clients gave themselves
	port     int
	server   *smtp.Server
	listener net.Listener
	secure   *tls.Config
	implicit bool // TLS from the first byte
	password string
}

type taken struct{ from, to, text, user string }

func (s *mailServer) start(t *testing.T) *mailServer {
	t.Helper()
	address := "127.0.0.1:" + strconv.Itoa(s.port)
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s.port = listener.Addr().(*net.TCPAddr).Port
	s.server = smtp.NewServer(s)
	s.server.Domain, s.server.AllowInsecureAuth = "mail.example.org", true
	s.server.ReadTimeout, s.server.WriteTimeout = 10*time.Second, 10*time.Second
	s.server.TLSConfig = s.secure
	if s.implicit {
		s.server.TLSConfig, listener = nil, tls.NewListener(listener, s.secure)
	}
	s.listener = listener
	server := s.server
	go server.Serve(listener)
	t.Cleanup(s.stop)
	return s
}

func (s *mailServer) stop() {
	s.listener.Close() // the server knows it only once it serves
	s.server.Close()
}

func (s *mailServer) mails() []taken {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]taken(nil), s.taken...)
}

// NewSession begins a talk.
func (s *mailServer) NewSession(c *smtp.Conn) (smtp.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.greeting = append(s.greeting, c.Hostname())
	return &session{server: s}, nil
}

type session struct {
	server *mailServer
	mail   taken
	user   string
}

func (s *session) AuthMechanisms() []string {
	if s.server.password == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if password != s.server.password {
			return errors.New("535 no such password: " + password) // a server that blabs
		}
		s.user = user
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.server.password != "" && s.user == "" {
		return smtp.ErrAuthRequired
	}
	s.mail = taken{from: from, user: s.user}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mail.to = to
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	return s.server.refuse[to]
}

func (s *session) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.mail.text = string(text)
	s.server.taken = append(s.server.taken, s.mail)
	return nil
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

// mailTo is a channel to a server.
func (s *mailServer) mailTo(to string) *notice.Mail {
	return &notice.Mail{Host: "127.0.0.1", Port: s.port, TLS: "none", From: "Tamiz <tamiz@example.org>", To: to, Timeout: 5 * time.Second,
		Password: pipeline.NewSecret(s.password)}
}

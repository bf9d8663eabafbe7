package main

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// mailbox is a real mail server that keeps the texts which it takes. It wants
// the account tamiz with the-password.
type mailbox struct {
	port  int
	mu    sync.Mutex
	taken []string
}

func startMailbox(t *testing.T) *mailbox {
	t.Helper()
	l := &mailbox{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.port = listener.Addr().(*net.TCPAddr).Port
	server := smtp.NewServer(l)
	server.Domain, server.AllowInsecureAuth = "mail.example.org", true
	go server.Serve(listener)
	t.Cleanup(func() { listener.Close(); server.Close() })
	return l
}

func (l *mailbox) texts() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.taken...)
}

// NewSession begins a talk.
func (l *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &letterTalk{letters: l}, nil }

type letterTalk struct {
	letters *mailbox
	known   bool
}

func (*letterTalk) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *letterTalk) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if s.known = user == "tamiz" && password == "the-password"; !s.known {
			return smtp.ErrAuthFailed
		}
		return nil
	}), nil
}

func (s *letterTalk) Mail(string, *smtp.MailOptions) error {
	if !s.known {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (*letterTalk) Rcpt(string, *smtp.RcptOptions) error { return nil }

func (s *letterTalk) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	s.letters.mu.Lock()
	defer s.letters.mu.Unlock()
	s.letters.taken = append(s.letters.taken, string(text))
	return err
}

func (*letterTalk) Reset()        {}
func (*letterTalk) Logout() error { return nil }

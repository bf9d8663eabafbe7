package notice

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"tamiz/pipeline"
)

// Mail writes letters to one address, so that an address that is refused does
// not keep the others from theirs.
type Mail struct {
	Host     string
	Port     int
	TLS      string // starttls, tls, or none, for a server on this machine
	User     string // "": without
	Password pipeline.Secret
	From, To string
	Roots    *x509.CertPool // who may vouch for the server; nil: whom the system trusts
	Timeout  time.Duration  // for each step of the talk; 0: 30 s
}

// Name says the address.
func (m *Mail) Name() string { return "mail to " + m.To }

// Send gives a letter to the server. The Message-ID follows from the event, so
// that a mailbox can drop what comes twice.
func (m *Mail) Send(ctx context.Context, letter Letter) error {
	message, err := m.message(letter)
	if err != nil {
		return err
	}
	client, err := m.client()
	if err != nil {
		return fmt.Errorf("prepare the mail: %w", err)
	}
	if err := client.DialAndSendWithContext(ctx, message); err != nil {
		if message.IsDelivered() {
			return nil // what went wrong was the farewell
		}
		return m.plain(err)
	}
	return nil
}

// Probe talks to the server as Send does, up to signing in, and sends nothing.
func (m *Mail) Probe(ctx context.Context) error {
	client, err := m.client()
	if err != nil {
		return fmt.Errorf("prepare the mail: %w", err)
	}
	if err := client.DialWithContext(ctx); err != nil {
		return m.plain(err)
	}
	client.Close() // what goes wrong in the farewell says nothing of the letters to come
	return nil
}

// plain puts an error into one line, without the password.
func (m *Mail) plain(err error) error {
	text := strings.Join(strings.Fields(err.Error()), " ")
	if password := m.Password.Reveal(); password != "" {
		text = strings.ReplaceAll(text, password, m.Password.String())
	}
	return errors.New(text)
}

func (m *Mail) client() (*mail.Client, error) {
	timeout := m.Timeout
	if timeout == 0 {
		timeout = 30 * time.Second
	}
	options := []mail.Option{
		mail.WithPort(m.Port), mail.WithTimeout(timeout), mail.WithHELO(m.domain()), // not the name of this machine
		mail.WithTLSConfig(&tls.Config{ServerName: m.Host, MinVersion: tls.VersionTLS12, RootCAs: m.Roots}),
	}
	plain, login := mail.SMTPAuthPlain, mail.SMTPAuthLogin
	switch m.TLS {
	case "tls":
		options = append(options, mail.WithSSL())
	case "none":
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
		plain, login = mail.SMTPAuthPlainNoEnc, mail.SMTPAuthLoginNoEnc
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if m.User != "" {
		options = append(options, mail.WithUsername(m.User), mail.WithPassword(m.Password.Reveal()), mail.WithOpportunisticSMTPAuth(plain, login))
	}
	return mail.NewClient(m.Host, options...)
}

func (m *Mail) message(letter Letter) (*mail.Msg, error) {
	message := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := message.From(m.From); err != nil {
		return nil, fmt.Errorf("the sender: %w", err)
	}
	if err := message.To(m.To); err != nil {
		return nil, fmt.Errorf("the receiver: %w", err)
	}
	id := sha256.Sum256([]byte(letter.Event.ID))
	message.SetMessageIDWithValue(hex.EncodeToString(id[:16]) + "@" + m.domain())
	message.SetDateWithValue(letter.Event.At)
	message.SetGenHeader("Auto-Submitted", "auto-generated") // no answers from those on holiday
	message.SetGenHeader("Content-Language", letter.Language)
	message.Subject(letter.Subject)
	message.SetBodyString(mail.TypeTextPlain, strings.ReplaceAll(letter.Text, "\n", "\r\n"))
	return message, nil
}

// domain is that of the sender's address.
func (m *Mail) domain() string {
	address := strings.TrimRight(m.From, "> ")
	return address[strings.LastIndex(address, "@")+1:]
}

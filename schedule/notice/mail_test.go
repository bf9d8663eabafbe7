package notice_test

import (
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"tamiz/pipeline"
	"tamiz/schedule/notice"
)

// received parses a mail as a mailbox does.
func received(t *testing.T, raw string) (subject, text string, header mail.Header) {
	t.Helper()
	message, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	body := io.Reader(message.Body)
	if message.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
		body = quotedprintable.NewReader(body)
	}
	content, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	if subject, err = new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject")); err != nil {
		t.Fatal(err)
	}
	return subject, strings.ReplaceAll(string(content), "\r\n", "\n"), message.Header
}

func TestMail_ArrivesAsItWasWritten(t *testing.T) {
	w := sayer(t)
	server := (&mailServer{}).start(t)
	long := notice.Failed(about, says("failed_other", "problem", "a\r\nBcc: thief@example.org\r\n\r\n.\r\nQUIT"), true,
		strings.Repeat("ñandú 😀 مدرسة שלום ", 550)+"\n.\n..\nFrom here on\n"+strings.Repeat("x", 3000))
	long.Title = map[string]string{"es": "Título\r\nBcc: thief@example.org\r\n\r\nx"}
	for _, event := range []notice.Event{examples()["held_question"], long} {
		letter := notice.Compose(w, "es", event)
		if err := server.mailTo("operator@example.org").Send(t.Context(), letter); err != nil {
			t.Fatal(err)
		}
		got := server.mails()[len(server.mails())-1]
		subject, text, header := received(t, got.text)
		if subject != letter.Subject {
			t.Errorf("subject\n got %s\nwant %s", subject, letter.Subject)
		}
		if strings.TrimRight(text, "\n") != strings.TrimRight(letter.Text, "\n") {
			t.Errorf("text\n got %s\nwant %s", text, letter.Text)
		}
		if got.from != "tamiz@example.org" || got.to != "operator@example.org" || header.Get("Bcc") != "" || len(header["To"]) != 1 {
			t.Errorf("from %s to %s, %v", got.from, got.to, header)
		}
		if date, err := header.Date(); err != nil || !date.Equal(about.At) {
			t.Errorf("date %v, %v", date, err)
		}
		if header.Get("Content-Type") != "text/plain; charset=UTF-8" || header.Get("Auto-Submitted") != "auto-generated" {
			t.Errorf("header %v", header)
		}
		for line := range strings.SplitSeq(got.text, "\n") {
			if len(line) > 998 {
				t.Errorf("a line of %d bytes", len(line))
			}
		}
	}
}

func TestMail_TellsNeitherMachineNorLibrary(t *testing.T) {
	w := sayer(t)
	server := (&mailServer{password: "s3cret-pa55"}).start(t)
	channel := server.mailTo("operator@example.org")
	channel.User = "tamiz"
	for range 2 {
		if err := channel.Send(t.Context(), notice.Compose(w, "en", examples()["failed_store"])); err != nil {
			t.Fatal(err)
		}
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, got := range server.mails() {
		for _, word := range []string{host, "go-mail", "wneessen", "X-Mailer", "User-Agent", "s3cret-pa55"} {
			if strings.Contains(strings.ToLower(got.text), strings.ToLower(word)) {
				t.Errorf("it says %s:\n%s", word, got.text)
			}
		}
		_, _, header := received(t, got.text)
		ids[header.Get("Message-Id")] = true
		if got.user != "tamiz" || !strings.HasSuffix(header.Get("Message-Id"), "@example.org>") {
			t.Errorf("user %s, header %v", got.user, header)
		}
	}
	if len(ids) != 1 {
		t.Errorf("an event has more than one Message-ID: %v", ids)
	}
	if len(server.greeting) == 0 {
		t.Error("nobody greeted")
	}
	for _, name := range server.greeting {
		if name != "example.org" {
			t.Errorf("it greeted as %s", name)
		}
	}
}

func TestMail_OverTLS(t *testing.T) {
	w := sayer(t)
	letter := notice.Compose(w, "en", examples()["recovered"])
	roots, secure := authority(t)
	for _, c := range []struct {
		name, tls, want   string
		implicit, without bool
		trusted           bool
	}{
		{name: "starttls", tls: "starttls", trusted: true},
		{name: "tls", tls: "tls", implicit: true, trusted: true},
		{name: "a stranger vouches", tls: "starttls", want: "certificate"},
		{name: "no TLS is offered", tls: "starttls", without: true, trusted: true, want: "STARTTLS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := &mailServer{secure: secure, implicit: c.implicit, password: "pa55"}
			if c.without {
				server.secure = nil
			}
			server.start(t)
			channel := server.mailTo("operator@example.org")
			channel.TLS, channel.User = c.tls, "tamiz"
			if c.trusted {
				channel.Roots = roots
			}
			err := channel.Send(t.Context(), letter)
			if c.want == "" && (err != nil || len(server.mails()) != 1) {
				t.Errorf("%v, %d mails", err, len(server.mails()))
			}
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || len(server.mails()) != 0) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestMail_SaysWhyItWasRefused(t *testing.T) {
	w := sayer(t)
	letter := notice.Compose(w, "en", examples()["recovered"])
	server := (&mailServer{password: "pa55", refuse: map[string]error{
		"full@example.org": &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 2, 2}, Message: "mailbox full"}}}).start(t)
	channel := server.mailTo("full@example.org")
	channel.User = "tamiz"
	if err := channel.Send(t.Context(), letter); err == nil || !strings.Contains(err.Error(), "mailbox full") {
		t.Errorf("full: %v", err)
	}
	channel.Password = pipeline.NewSecret("wr0ng")
	if err := channel.Send(t.Context(), letter); err == nil || strings.Contains(err.Error(), "wr0ng") || !strings.Contains(err.Error(), "AUTH") {
		t.Errorf("wrong password: %v", err)
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	patient := server.mailTo("operator@example.org")
	patient.Port, patient.Timeout = silent.Addr().(*net.TCPAddr).Port, 200*time.Millisecond
	if err := patient.Send(t.Context(), letter); err == nil || !strings.Contains(err.Error(), "timeout") {
		t.Errorf("a server that says nothing: %v", err)
	}
	server.stop()
	if err := channel.Send(t.Context(), letter); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("down: %v", err)
	}
	if channel.Name() != "mail to full@example.org" {
		t.Errorf("name %s", channel.Name())
	}
}

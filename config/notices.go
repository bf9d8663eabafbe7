package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/mail"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"tamiz/pipeline"
)

// Notices is how the operator is told what happened.
type Notices struct {
	Language string // of the texts, such as es
	Mail     *Mail  // nil: no mail
	Webhook  *Webhook
	Remind   int // days after which a held run is told of again, and again
}

// How a connection to the mail server is made safe.
const (
	StartTLS = "starttls" // from plain to TLS, never without
	TLS      = "tls"      // from the first byte
	NoTLS    = "none"     // only to this machine
)

// Mail is a mail server and who writes to whom.
type Mail struct {
	Host        string   `yaml:"host"`
	Port        int      `yaml:"port"` // 587, 465 and 25 for the three kinds of TLS
	TLS         string   `yaml:"tls"`  // starttls, tls or none
	User        string   `yaml:"user"` // "": the server asks for none
	PasswordEnv string   `yaml:"password_env"`
	From        string   `yaml:"from"`
	To          []string `yaml:"to"`
}

// Webhook is an address to which events are posted.
type Webhook struct {
	URL       string `yaml:"url"`
	SecretEnv string `yaml:"secret_env"` // the variable that holds the key of the signature
}

// NoticeSecrets are the values of the variables that Notices names.
type NoticeSecrets struct{ MailPassword, WebhookKey pipeline.Secret }

type noticesEntry struct {
	Language string   `yaml:"language"`
	Mail     *Mail    `yaml:"mail"`
	Webhook  *Webhook `yaml:"webhook"`
	Remind   days     `yaml:"remind"`
}

var defaultPort = map[string]int{StartTLS: 587, TLS: 465, NoTLS: 25}

// notices fills in the defaults and finds mistakes.
func (e noticesEntry) notices() (Notices, []error) {
	n := Notices{Language: e.Language, Mail: e.Mail, Webhook: e.Webhook, Remind: int(e.Remind)}
	var problems []error
	problem := func(format string, arguments ...any) {
		problems = append(problems, fmt.Errorf("notices: "+format, arguments...))
	}
	if known := languages(); !slices.Contains(known, n.Language) {
		problem("language: %q is unknown: want %s", n.Language, strings.Join(known, " or "))
	}
	if n.Mail != nil {
		n.Mail.check(func(format string, arguments ...any) { problem("mail: "+format, arguments...) })
	}
	if n.Webhook != nil {
		n.Webhook.check(func(format string, arguments ...any) { problem("webhook: "+format, arguments...) })
	}
	return n, problems
}

// languages are those that there are texts in.
func languages() []string {
	names, _ := fs.Glob(Files, "texts/*.yml") // fails for a wrong pattern alone
	for i, name := range names {
		names[i] = strings.TrimSuffix(path.Base(name), ".yml")
	}
	return names
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (m *Mail) check(problem func(format string, arguments ...any)) {
	if m.TLS == "" {
		m.TLS = StartTLS
	}
	if m.Port == 0 {
		m.Port = defaultPort[m.TLS]
	}
	if m.Host == "" || strings.ContainsAny(m.Host, ":/ ") && net.ParseIP(m.Host) == nil {
		problem("host: %q is not a name such as smtp.example.org", m.Host)
	}
	if defaultPort[m.TLS] == 0 {
		problem("tls: %q is unknown: want starttls, tls or none", m.TLS)
	}
	if m.TLS == NoTLS && !isLoopback(m.Host) {
		problem("tls: none would send passwords and notices in the clear to %s; it is for a server on this machine: want starttls or tls", m.Host)
	}
	if m.Port < 0 || m.Port > 65535 {
		problem("port: %d is not a port such as 587", m.Port)
	}
	if (m.User == "") != (m.PasswordEnv == "") {
		problem("user and password_env go together: give both, or neither")
	}
	if m.PasswordEnv != "" && !variableName.MatchString(m.PasswordEnv) {
		problem("password_env: want the name of an environment variable such as TAMIZ_SMTP_PASSWORD, never the password itself")
	}
	if _, err := mail.ParseAddress(m.From); err != nil {
		problem("from: %q is not an address such as tamiz@example.org", m.From)
	}
	if len(m.To) == 0 {
		problem("to is missing: want a list such as [operator@example.org]")
	}
	for i, to := range m.To {
		if _, err := mail.ParseAddress(to); err != nil || slices.Contains(m.To[:i], to) {
			problem("to: %q is not an address such as operator@example.org, or is there twice", to)
		}
	}
}

func (w *Webhook) check(problem func(format string, arguments ...any)) {
	address, err := url.Parse(w.URL)
	switch {
	case err != nil || address.Host == "" || address.User != nil || address.Fragment != "":
		problem("url: want an address such as https://example.org/hook, without a password in it")
	case address.Scheme != "https" && (address.Scheme != "http" || !isLoopback(address.Hostname())):
		problem("url: want https (http only to this machine)")
	}
	if !variableName.MatchString(w.SecretEnv) {
		problem("secret_env: want the name of an environment variable such as TAMIZ_WEBHOOK_SECRET, never the key itself")
	}
}

// isLoopback reports whether a host is this machine.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Secrets reads passwords and keys from the environment. One that is missing
// is an error of kind Config that names its variable; the name alone comes from
// [MissingSecret].
func (n Notices) Secrets(getenv func(string) string) (NoticeSecrets, error) {
	var secrets NoticeSecrets
	var problems []error
	read := func(variable, purpose string) pipeline.Secret {
		value := getenv(variable)
		if value == "" {
			problems = append(problems, &pipeline.Error{Kind: pipeline.Config, Subject: variable, Where: ProjectFile + ", notices",
				Expected: purpose, Effect: "nobody could be told of what happens",
				Hint: "set it where tamiz is started, such as in the environment file of its service", Err: MissingSecret(variable)})
		}
		return pipeline.NewSecret(value)
	}
	if n.Mail != nil && n.Mail.PasswordEnv != "" {
		secrets.MailPassword = read(n.Mail.PasswordEnv, "the password of "+n.Mail.User+" at "+n.Mail.Host)
	}
	if n.Webhook != nil {
		secrets.WebhookKey = read(n.Webhook.SecretEnv, "the key with which the webhook's receiver checks signatures")
	}
	if len(problems) == 1 {
		return secrets, problems[0]
	}
	return secrets, errors.Join(problems...)
}

// MissingSecret is the name of an environment variable that has no value.
type MissingSecret string

// Error says so; the name stands beside it.
func (m MissingSecret) Error() string { return "this environment variable has no value" }

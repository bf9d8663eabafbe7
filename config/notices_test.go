package config_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tamiz/config"
	"tamiz/pipeline"
)

func notices(t *testing.T, text string) (config.Notices, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, config.ProjectFile), []byte("pipelines: [toy]\n"+text), 0o644); err != nil {
		t.Fatal(err)
	}
	project, err := config.LoadProject(dir, dir, nil, embedded())
	if err != nil {
		return config.Notices{}, err
	}
	return project.Notices, nil
}

const fullNotices = `notices:
  language: es
  mail: {host: smtp.example.org, port: 2525, tls: starttls, user: tamiz, password_env: TAMIZ_SMTP_PASSWORD, from: Tamiz <tamiz@example.org>, to: [operator@example.org, b@example.org]}
  webhook: {url: "https://example.org/hook?x=1", secret_env: TAMIZ_WEBHOOK_SECRET}
  remind: 5d
`

func TestNotices(t *testing.T) {
	n, err := notices(t, fullNotices)
	if err != nil {
		t.Fatal(err)
	}
	if n.Language != "es" || n.Remind != 5 || n.Mail.Port != 2525 || len(n.Mail.To) != 2 || n.Webhook.SecretEnv != "TAMIZ_WEBHOOK_SECRET" {
		t.Errorf("%+v", n)
	}
	n, err = notices(t, "notices: {mail: {host: localhost, tls: none, from: a@b.org, to: [c@b.org]}}")
	if err != nil || n.Language != "en" || n.Remind != 3 || n.Mail.Port != 25 || n.Webhook != nil {
		t.Errorf("defaults: %+v, %v", n, err)
	}
	if n, err = notices(t, ""); err != nil || n.Mail != nil || n.Remind != 3 {
		t.Errorf("none: %+v, %v", n, err)
	}
}

func TestNotices_Mistakes(t *testing.T) {
	mail := func(rest string) string {
		return "notices: {mail: {host: smtp.example.org, from: a@b.org, to: [c@b.org], " + rest + "}}"
	}
	for _, c := range []struct{ text, want string }{
		{"notices: {langauge: es}", "unknown field"},
		{"notices: {language: fr}", `language: "fr" is unknown: want en or es`},
		{"notices: {remind: often}", "is not a number of days"},
		{mail("password: x"), "unknown field"},
		{mail("tls: maybe"), `tls: "maybe" is unknown`},
		{mail("tls: none"), "none would send passwords and notices in the clear to smtp.example.org"},
		{mail("user: u"), "user and password_env go together"},
		{mail("user: u, password_env: 's3cret!'"), "never the password itself"},
		{mail("port: 70000"), "70000 is not a port"},
		{"notices: {mail: {host: 'smtp.example.org:25', from: x, to: []}}", `from: "x" is not an address`},
		{"notices: {mail: {host: h, from: a@b.org, to: [c@b.org, c@b.org]}}", "or is there twice"},
		{"notices: {mail: {host: h, from: a@b.org, to: [\"c@b.org\\r\\nBcc: d@b.org\"]}}", "is not an address"},
		{"notices: {webhook: {url: 'http://example.org/', secret_env: X}}", "want https (http only to this machine)"},
		{"notices: {webhook: {url: 'https://u:p@example.org/', secret_env: X}}", "without a password in it"},
		{"notices: {webhook: {url: 'http://127.0.0.1:1/'}}", "secret_env"},
	} {
		_, err := notices(t, c.text)
		if pipeline.KindOf(err) != pipeline.Config || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%s\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}

func TestNotices_SecretsComeFromTheEnvironmentAndAreNotShown(t *testing.T) {
	n, err := notices(t, fullNotices)
	if err != nil {
		t.Fatal(err)
	}
	secrets, err := n.Secrets(func(name string) string { return "value of " + name })
	if err != nil || secrets.MailPassword.Reveal() != "value of TAMIZ_SMTP_PASSWORD" || secrets.WebhookKey.Reveal() != "value of TAMIZ_WEBHOOK_SECRET" {
		t.Errorf("%v, %v", secrets, err)
	}
	_, err = n.Secrets(func(name string) string { return map[string]string{"TAMIZ_WEBHOOK_SECRET": "k3y"}[name] })
	var missing config.MissingSecret
	if pipeline.KindOf(err) != pipeline.Config || !errors.As(err, &missing) || missing != "TAMIZ_SMTP_PASSWORD" {
		t.Errorf("one missing: %v", err)
	}
	if text := fmt.Sprint(err); strings.Contains(text, "k3y") || !strings.Contains(text, "TAMIZ_SMTP_PASSWORD") {
		t.Error(text)
	}
	if _, err = n.Secrets(func(string) string { return "" }); pipeline.KindOf(err) != pipeline.Config || !strings.Contains(err.Error(), "TAMIZ_WEBHOOK_SECRET") {
		t.Errorf("both missing: %v", err)
	}
}

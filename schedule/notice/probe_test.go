package notice_test

import (
	"strings"
	"testing"

	"tamiz/pipeline"
)

// TestMail_ProbeSendsNothing tries the server and the account alone.
func TestMail_ProbeSendsNothing(t *testing.T) {
	server := (&mailServer{password: "right-one"}).start(t)
	m := server.mailTo("operator@example.org")
	m.User, m.Password = "tamiz", pipeline.NewSecret("right-one")
	if err := m.Probe(t.Context()); err != nil {
		t.Error(err)
	}
	m.Password = pipeline.NewSecret("wrong-one")
	if err := m.Probe(t.Context()); err == nil || strings.Contains(err.Error(), "wrong-one") {
		t.Errorf("with a wrong password: got %v, want an error that does not show it", err)
	}
	server.stop()
	if err := m.Probe(t.Context()); err == nil {
		t.Error("no error though the server is gone")
	}
	if mails := server.mails(); len(mails) > 0 {
		t.Errorf("the server got %v", mails)
	}
}

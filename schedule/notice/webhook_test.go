package notice_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"tamiz/pipeline"
	"tamiz/schedule/notice"
)

func TestWebhook_IsSigned(t *testing.T) {
	w := sayer(t)
	roots, secure := authority(t)
	type posted struct {
		header http.Header
		body   []byte
	}
	received := make(chan posted, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		received <- posted{r.Header, body}
	}))
	server.TLS = secure
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()

	letter := notice.Compose(w, "es", examples()["held_synthetic"])
	channel := &notice.Webhook{URL: server.URL + "/hook?token=t0ken", Key: pipeline.NewSecret("k3y"), Roots: roots}
	if err := channel.Send(t.Context(), letter); err != nil {
		t.Fatal(err)
	}
	got := <-received
	timestamp := got.header.Get("Tamiz-Timestamp")
	signature := hmac.New(sha256.New, []byte("k3y"))
	signature.Write([]byte(timestamp + "." + string(got.body)))
	if got.header.Get("Tamiz-Signature") != "sha256="+hex.EncodeToString(signature.Sum(nil)) {
		t.Errorf("signature %s", got.header.Get("Tamiz-Signature"))
	}
	if seconds, err := strconv.ParseInt(timestamp, 10, 64); err != nil || time.Since(time.Unix(seconds, 0)).Abs() > time.Minute {
		t.Errorf("timestamp %s", timestamp)
	}
	var body map[string]any
	if err := json.Unmarshal(got.body, &body); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{"event": letter.Event.ID, "kind": "held", "pipeline": "mx", "period": "2026-11-29", "run": about.Run,
		"synthetic": true, "language": "es", "subject": letter.Subject, "text": letter.Text, "at": "2026-12-01T12:05:00Z"} {
		if body[name] != want {
			t.Errorf("%s is %v, want %v", name, body[name], want)
		}
	}
	if len(body) != 10 {
		t.Errorf("it tells more: %v", body)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	all, err := json.Marshal(got.header)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"k3y", host, "Go-http"} {
		if strings.Contains(string(all)+string(got.body), word) {
			t.Errorf("it says %s: %s", word, all)
		}
	}
	channel.Roots = nil
	if err := channel.Send(t.Context(), letter); err == nil || !strings.Contains(err.Error(), "certificate") || strings.Contains(err.Error(), "t0ken") {
		t.Errorf("a stranger vouches: %v", err)
	}
}

func TestWebhook_OnlyATakenLetterIsSent(t *testing.T) {
	letter := notice.Compose(sayer(t), "en", examples()["recovered"])
	followed := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/204":
			w.WriteHeader(204)
		case "/500":
			w.WriteHeader(500)
		case "/moved":
			http.Redirect(w, r, "/else", http.StatusTemporaryRedirect)
		case "/cut":
			panic(http.ErrAbortHandler)
		default:
			followed = true
		}
	}))
	defer server.Close()
	for path, want := range map[string]string{"/204": "", "/500": "500", "/moved": "307", "/cut": "EOF"} {
		err := (&notice.Webhook{URL: server.URL + path + "?token=t0ken", Key: pipeline.NewSecret("k")}).Send(t.Context(), letter)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "t0ken")) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
	if followed {
		t.Error("it followed a redirect")
	}
	if name := (&notice.Webhook{URL: "https://hooks.example.org/services/t0ken"}).Name(); name != "webhook at hooks.example.org" {
		t.Errorf("name %s", name)
	}
}

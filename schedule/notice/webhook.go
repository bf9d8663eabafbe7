package notice

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"tamiz/pipeline"
)

// Webhook posts letters as JSON to an address. The header Tamiz-Signature is
// sha256= and the HMAC-SHA256, in hexadecimal digits, of the header
// Tamiz-Timestamp (seconds since 1970, the time of sending), a full stop, and
// the body.
type Webhook struct {
	URL   string
	Key   pipeline.Secret
	Roots *x509.CertPool // who may vouch for the receiver; nil: whom the system trusts
}

// webhookBody is what is posted.
type webhookBody struct {
	Event     string    `json:"event"` // ID; equal if it comes twice
	Kind      string    `json:"kind"`
	Pipeline  string    `json:"pipeline"`
	Period    string    `json:"period,omitempty"`
	Run       string    `json:"run,omitempty"`
	Synthetic bool      `json:"synthetic,omitempty"`
	Language  string    `json:"language"`
	Subject   string    `json:"subject"`
	Text      string    `json:"text"`
	At        time.Time `json:"at"`
}

// Name says the receiver's host, because an address may hold a secret.
func (w *Webhook) Name() string {
	address, err := url.Parse(w.URL)
	if err != nil {
		return "webhook"
	}
	return "webhook at " + address.Host
}

// Send posts a letter. An answer other than 2xx is a failure, a redirect, too.
func (w *Webhook) Send(ctx context.Context, letter Letter) error {
	e := letter.Event
	body, err := json.Marshal(webhookBody{Event: e.ID, Kind: e.Kind, Pipeline: e.Pipeline, Period: e.Period, Run: e.Run, Synthetic: e.Synthetic,
		Language: letter.Language, Subject: letter.Subject, Text: letter.Text, At: e.At})
	if err != nil {
		return fmt.Errorf("write the webhook's message: %w", err)
	}
	timestamp := strconv.FormatInt(time.Now().Unix(), 10)
	signature := hmac.New(sha256.New, []byte(w.Key.Reveal()))
	signature.Write([]byte(timestamp + "."))
	signature.Write(body)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(body))
	if err != nil {
		return withoutAddress(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Tamiz")
	request.Header.Set("Tamiz-Timestamp", timestamp)
	request.Header.Set("Tamiz-Signature", "sha256="+hex.EncodeToString(signature.Sum(nil)))
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: w.Roots}, DisableKeepAlives: true}
	client := &http.Client{Transport: transport, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return withoutAddress(err)
	}
	response.Body.Close()
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("the receiver answered %s", response.Status)
	}
	return nil
}

// withoutAddress takes the address out of an error.
func withoutAddress(err error) error {
	var detailed *url.Error
	if errors.As(err, &detailed) {
		return detailed.Err
	}
	return err
}

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"go.uber.org/zap"

	"tamiz/config"
	"tamiz/lineage/standards"
	"tamiz/load"
)

// eventsTime is how long all events of a snapshot may take to be sent.
const eventsTime = 30 * time.Second

// sendEvents posts the OpenLineage events of a new snapshot to where tamiz.yml
// says. That they are not taken is no fault of the run: they stand in the
// snapshot. It gives what to tell a person, "" if there is nothing.
func (r *runState) sendEvents() string {
	to := r.project.OpenLineage
	if to.URL == "" || r.published == nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(r.ctx, eventsTime)
	defer cancel()
	text, err := load.ReadNote(ctx, r.store, r.p.Name, r.published.Snapshot, standards.EventsFile)
	if err == nil {
		err = postEvents(ctx, to, text)
	}
	if err != nil {
		r.events.Warn("the lineage events were not taken", zap.Error(err))
		return fmt.Sprintf("noted  the lineage events were not taken: %s; they stand in the snapshot, in %s", firstLine(err), standards.EventsFile)
	}
	r.events.Info("the lineage events were sent", zap.Int("events", bytes.Count(text, []byte("\n"))))
	return ""
}

// postEvents posts events, one a line, in their order. It stops at the first
// that is not taken.
func postEvents(ctx context.Context, to config.OpenLineage, events []byte) error {
	key, err := to.Key(os.Getenv)
	if err != nil {
		return err
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }} // the key goes nowhere else
	defer client.CloseIdleConnections()
	sent := 0
	for event := range bytes.Lines(events) {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader(event))
		if err != nil {
			return fmt.Errorf("post events: %w", err)
		}
		request.Header.Set("Content-Type", "application/json")
		if secret := key.Reveal(); secret != "" {
			request.Header.Set("Authorization", "Bearer "+secret)
		}
		answer, err := client.Do(request)
		if errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("%s took %d of %d events in %v", request.URL.Host, sent, bytes.Count(events, []byte("\n")), eventsTime)
		}
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<20)) // so that the connection is used again
		answer.Body.Close()
		if answer.StatusCode/100 != 2 {
			return fmt.Errorf("%s answered %s after %d events", request.URL.Host, answer.Status, sent)
		}
		if err != nil {
			return fmt.Errorf("post events: %w", err)
		}
		sent++
	}
	return nil
}

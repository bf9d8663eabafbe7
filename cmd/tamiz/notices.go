package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.uber.org/zap"

	"tamiz/config"
	"tamiz/internal/words"
	"tamiz/lineage"
	"tamiz/load"
	"tamiz/pipeline"
	"tamiz/schedule/notice"
)

// teller tells the operator of a pipeline what happened.
type teller struct {
	outbox   *notice.Outbox
	channels []notice.Channel
}

// openTeller opens the outbox of a pipeline and the channels of the project.
// A password that is missing is an error of kind Config.
func openTeller(project *config.Project, name string, once notice.Once, sayer *words.Words) (*teller, error) {
	n := project.Notices
	secrets, err := n.Secrets(os.Getenv)
	if err != nil {
		return nil, err
	}
	t := &teller{outbox: notice.OpenOutbox(outboxDir(project, name), once, sayer, n.Language)}
	if n.Mail != nil {
		for _, to := range n.Mail.To {
			t.channels = append(t.channels, &notice.Mail{Host: n.Mail.Host, Port: n.Mail.Port, TLS: n.Mail.TLS, User: n.Mail.User, Password: secrets.MailPassword, From: n.Mail.From, To: to})
		}
	}
	if n.Webhook != nil {
		t.channels = append(t.channels, &notice.Webhook{URL: n.Webhook.URL, Key: secrets.WebhookKey})
	}
	return t, nil
}

// outboxDir is where notices wait.
func outboxDir(project *config.Project, name string) string {
	return filepath.Join(project.Warehouse, name, "outbox")
}

// raise keeps events to be told; without anybody to tell there is none.
func (t *teller) raise(ctx context.Context, events ...notice.Event) error {
	if t == nil || len(t.channels) == 0 {
		return nil
	}
	var errs []error
	for _, event := range events {
		errs = append(errs, t.outbox.Raise(ctx, event))
	}
	return errors.Join(errs...)
}

// deliver sends what waits; what cannot be sent is tried again later.
func (t *teller) deliver(ctx context.Context, now time.Time) error {
	if t == nil || len(t.channels) == 0 {
		return nil
	}
	_, _, err := t.outbox.Deliver(ctx, t.channels, now)
	return err
}

// about is what the notices of a run have in common.
func (s *session) about(period, run, latest string, synthetic bool) notice.About {
	return notice.About{Pipeline: s.p.Name, Title: s.p.Title, Period: period, Run: run, Latest: latest, Synthetic: synthetic, At: s.now().UTC().Truncate(time.Second)}
}

// tellOperator raises what the operator should know of the run, and sends it.
// A mail server that is down is no fault of the run.
func (r *runState) tellOperator(failure error) error {
	latest := ""
	if r.isMute { // the store is not asked again
		if r.latest != nil {
			latest = r.latest.Snapshot
		}
	} else if snapshot, _, err := r.session.latest(r.ctx); err == nil && snapshot != nil {
		latest = snapshot.Snapshot
	}
	about := r.about(r.record.Period, r.record.ID, latest, r.project.Synthetic)
	events := r.sourceEvents(about)
	switch {
	case r.isMute && r.record.Verdict == pipeline.FailedRun && r.record.Period != "": // the store is what failed: the letter waits for no ledger
		events = append(events, notice.Failed(about, r.record.Because, true, failure.Error()))
	case !r.isRecorded:
	case r.record.Verdict == pipeline.Held:
		events = append(events, notice.Held(about, reasons(r.record), details(r.record)))
	case r.record.Verdict == pipeline.FailedRun:
		events = append(events, notice.Failed(about, r.record.Because, true, failure.Error()))
	case r.before != nil && r.before.Verdict == pipeline.FailedRun && r.before.Period == r.record.Period:
		events = append(events, notice.Recovered(about))
	}
	if err := r.teller.raise(r.ctx, events...); err != nil {
		return err
	}
	if err := r.teller.deliver(r.ctx, r.now()); err != nil {
		r.events.Warn("notices wait", zap.Error(err))
	}
	return nil
}

// sourceEvents tells which sources are in trouble, and which out of it.
func (r *runState) sourceEvents(about notice.About) []notice.Event {
	var events []notice.Event
	for _, state := range r.record.Sources {
		source := r.noticeSource(state)
		switch {
		case state.State == sourceGood && !state.Since.IsZero():
			events = append(events, notice.SourceGood(about, source))
		case state.State == sourceGood, state.State == sourceNever, state.State == sourceDead: // a dead one is a hold
		case r.flags.fetchOnly:
			events = append(events, notice.FetchProblem(about, source))
		case state.State == sourceLeftOut:
			events = append(events, notice.LeftOut(about, source))
		default:
			events = append(events, notice.Carried(about, source, state.Cause))
		}
	}
	return events
}

func (r *runState) noticeSource(state pipeline.SourceRecord) notice.Source {
	told := notice.Source{Name: state.Source, Since: state.Since.Format(pipeline.DateLayout), Details: state.Message}
	if len(state.Pins) > 0 {
		told.Used = state.Pins[0].ObservedAt.Format(pipeline.DateLayout)
	}
	for _, source := range r.p.Sources {
		if source.Name != state.Source {
			continue
		}
		told.Title, told.Required = source.Title, source.Required
		if source.DeadAfter > 0 && source.Dead == "" {
			told.DaysLeft = max(0, source.DeadAfter-state.Days)
		}
		if source.Folder != "" && !source.Log {
			told.Inbox = relative(filepath.Dir(source.Folder))
		}
	}
	return told
}

// reasons lists why a run was held.
func reasons(record *pipeline.RunRecord) []pipeline.Sentence {
	var list []pipeline.Sentence
	for _, hold := range record.Holds {
		list = append(list, hold.Because)
	}
	for _, cause := range record.Causes {
		switch {
		case cause.Source != "":
			list = append(list, pipeline.Sentence{Key: "held_cause", Values: map[string]any{"source": cause.Source, "count": cause.Changed}})
		case cause.Group == lineage.CauseMethod:
			list = append(list, pipeline.Sentence{Key: "held_method", Values: map[string]any{"count": cause.Changed}})
		default:
			list = append(list, pipeline.Sentence{Key: "held_models", Values: map[string]any{"count": cause.Changed}})
		}
	}
	return list
}

// details are the first offending rows of each hold.
func details(record *pipeline.RunRecord) string {
	var list []string
	for _, hold := range record.Holds {
		list = append(list, strings.TrimPrefix(hold.Gate+"\n"+hold.Details, "\n"))
	}
	return strings.Join(list, "\n\n")
}

// remind tells again of a run that has been waiting for a decision, every so
// many days.
func (s *session) remind(ctx context.Context) error {
	every := s.project.Notices.Remind
	if every <= 0 {
		return nil
	}
	list, err := waiting(ctx, s.store, s.p.Name)
	if err != nil || len(list) == 0 {
		return err
	}
	t, err := openTeller(s.project, s.p.Name, load.OpenLedger(s.store, s.p.Name), s.words)
	if err != nil {
		return err
	}
	for _, verdict := range list {
		days := int(s.now().Sub(verdict.At).Hours() / 24)
		if days = days / every * every; days == 0 {
			continue
		}
		held, err := s.heldRun(ctx, verdict.Run)
		if err != nil {
			return err
		}
		latest, _, err := s.latest(ctx)
		if err != nil {
			return err
		}
		about := s.about(verdict.Period, verdict.Run, "", s.project.Synthetic)
		if latest != nil {
			about.Latest = latest.Snapshot
		}
		if err := t.raise(ctx, notice.Reminder(about, reasons(&held.record), days, details(&held.record))); err != nil {
			return err
		}
	}
	return nil
}

package load

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"tamiz/pipeline"
)

// Ledger is what is known for ever about a pipeline's periods: three logs in
// the store, <pipeline>/ledger/{verdicts,decisions,notices}. Machines that
// share a store share it, so that a period gets one verdict, and an event one
// notice, whoever is first.
type Ledger struct{ verdicts, decisions, notices *Log }

// OpenLedger names a pipeline's ledger.
func OpenLedger(store Store, pipelineName string) *Ledger {
	open := func(name string) *Log { return newLog(store, pipelineName, "ledger", name) }
	return &Ledger{verdicts: open("verdicts"), decisions: open("decisions"), notices: open("notices")}
}

// Verdicts gives all records of verdicts, the oldest first.
func (l *Ledger) Verdicts(ctx context.Context) ([]pipeline.PeriodVerdict, error) {
	entries, err := l.verdicts.Read(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]pipeline.PeriodVerdict, len(entries))
	for i, entry := range entries {
		v := entry.Values
		list[i] = pipeline.PeriodVerdict{Period: v["period"], Verdict: pipeline.Verdict(v["verdict"]), Run: v["run"], Snapshot: v["snapshot"],
			Reason: map[string]string{}, Carried: words(v["carried"]), Again: v["again"] == "yes", At: entry.RecordedAt, By: v["by"]}
		for name, text := range v {
			if language, ok := strings.CutPrefix(name, "reason_"); ok {
				list[i].Reason[language] = text
			}
		}
		if v["due_at"] != "" {
			if list[i].DueAt, err = time.Parse(time.RFC3339, v["due_at"]); err != nil {
				return nil, fmt.Errorf("read the ledger of verdicts, record %d: %w", entry.Sequence, err)
			}
		}
	}
	return list, nil
}

// Record adds a verdict, unless the period is settled already or the same was
// said of the same run. It reports whether it was added. That a run is held is
// recorded even where the period is settled: it may be a revision, and it waits
// for a decision as any other.
func (l *Ledger) Record(ctx context.Context, verdict pipeline.PeriodVerdict) (bool, error) {
	var known []pipeline.PeriodVerdict
	var readErr error
	entry, err := l.verdicts.Append(ctx, verdict.At, func(int64) map[string]string {
		if known, readErr = l.Verdicts(ctx); readErr != nil {
			return nil
		}
		last := pipeline.VerdictOf(known, verdict.Period)
		if last != nil && last.Settled() && verdict.Verdict != pipeline.Held {
			return nil
		}
		if slices.ContainsFunc(known, func(v pipeline.PeriodVerdict) bool {
			return v.Period == verdict.Period && v.Verdict == verdict.Verdict && v.Run == verdict.Run
		}) {
			return nil
		}
		values := filled(map[string]string{"period": verdict.Period, "verdict": string(verdict.Verdict), "run": verdict.Run, "snapshot": verdict.Snapshot,
			"carried": strings.Join(verdict.Carried, " "), "by": verdict.By})
		for language, text := range verdict.Reason {
			values["reason_"+language] = text
		}
		if !verdict.DueAt.IsZero() {
			values["due_at"] = verdict.DueAt.Format(time.RFC3339)
		}
		if verdict.Again {
			values["again"] = "yes"
		}
		return values
	})
	if err == nil {
		err = readErr
	}
	return entry.Sequence > 0, err
}

// Decisions gives all decisions, the oldest first.
func (l *Ledger) Decisions(ctx context.Context) ([]pipeline.Decision, error) {
	entries, err := l.decisions.Read(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]pipeline.Decision, len(entries))
	for i, entry := range entries {
		v := entry.Values
		list[i] = pipeline.Decision{Decision: v["decision"], Run: v["run"], Snapshot: v["snapshot"], Reason: v["reason"], Who: v["who"],
			Gates: words(v["gates"]), Dead: words(v["dead"]), At: entry.RecordedAt}
		if v["refused"] != "" {
			if err := json.Unmarshal([]byte(v["refused"]), &list[i].Refused); err != nil {
				return nil, fmt.Errorf("read the ledger of decisions, record %d: %w", entry.Sequence, err)
			}
		}
	}
	return list, nil
}

// Decide adds a decision; a run is decided about once.
func (l *Ledger) Decide(ctx context.Context, decision pipeline.Decision) error {
	refused := ""
	if len(decision.Refused) > 0 {
		text, err := json.Marshal(decision.Refused)
		if err != nil {
			return fmt.Errorf("write a decision: %w", err)
		}
		refused = string(text)
	}
	var before *pipeline.Decision
	var readErr error
	_, err := l.decisions.Append(ctx, decision.At, func(int64) map[string]string {
		var known []pipeline.Decision
		if known, readErr = l.Decisions(ctx); readErr != nil {
			return nil
		}
		if before = pipeline.DecisionOn(known, decision.Run); before != nil {
			return nil
		}
		return filled(map[string]string{"decision": decision.Decision, "run": decision.Run, "snapshot": decision.Snapshot, "reason": decision.Reason,
			"who": decision.Who, "gates": strings.Join(decision.Gates, " "), "dead": strings.Join(decision.Dead, " "), "refused": refused})
	})
	if err == nil {
		err = readErr
	}
	if err == nil && before != nil {
		return &pipeline.Error{Kind: pipeline.Config, Subject: decision.Run, Problem: "it was decided already: " + before.Decision,
			Where: before.Who + ", " + before.At.Format(time.RFC3339), Found: before.Reason, Hint: "a decision stands for ever; the next run asks anew if need be"}
	}
	return err
}

// Once notes that an event was told of, and reports whether it is the first to
// do so; who is not must stay silent.
func (l *Ledger) Once(ctx context.Context, event string, at time.Time) (bool, error) {
	var readErr error
	entry, err := l.notices.Append(ctx, at, func(int64) map[string]string {
		var entries []Entry
		if entries, readErr = l.notices.Read(ctx); readErr != nil {
			return nil
		}
		if slices.ContainsFunc(entries, func(e Entry) bool { return e.Values["event"] == event }) {
			return nil
		}
		return map[string]string{"event": event}
	})
	if err == nil {
		err = readErr
	}
	return entry.Sequence > 0, err
}

// filled drops what is empty.
func filled(values map[string]string) map[string]string {
	for name, value := range values {
		if value == "" {
			delete(values, name)
		}
	}
	return values
}

func words(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Fields(text)
}

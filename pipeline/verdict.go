package pipeline

import (
	"slices"
	"time"
)

// PassedOver is the verdict of a period that nobody was there to compute, and
// that the catch-up rule does not ask for any more.
const PassedOver Verdict = "passed over"

// Sentence is something to say in any of the languages: the key of a text in
// config/texts, and what is filled into it (text, whole numbers, or dates as
// text).
type Sentence struct {
	Key    string         `json:"key"`
	Values map[string]any `json:"values,omitempty"`
}

// PeriodVerdict is what came of a period: one record of the ledger of
// verdicts. A period has exactly one that is settled; those before it are of
// runs that failed, or that were held until a person decided.
type PeriodVerdict struct {
	Period   string            // its last date
	DueAt    time.Time         // zero: the run was not one of the schedule
	Verdict  Verdict           // published, nothing new, held, failed, passed over
	Run      string            // "" if passed over
	Snapshot string            // that is the latest afterwards
	Reason   map[string]string // a sentence, by language
	Carried  []string          // sources carried forward, by name
	Again    bool              // failed: the next tick tries again; false after a person has cancelled it
	At       time.Time
	By       string // the machine
}

// Settled reports whether nothing more is to come for the period.
func (v *PeriodVerdict) Settled() bool {
	return v.Verdict == Published || v.Verdict == NothingNew || v.Verdict == PassedOver
}

// VerdictOf gives the verdict of a period from the ledger's records, the
// oldest first: the settled one, else the last; nil if there is none.
func VerdictOf(records []PeriodVerdict, period string) *PeriodVerdict {
	var last *PeriodVerdict
	for i := range records {
		if records[i].Period != period {
			continue
		}
		if last = &records[i]; last.Settled() {
			break
		}
	}
	return last
}

// What a person may decide.
const (
	Approve  = "approve"  // publish what was held
	Reject   = "reject"   // go on with the versions before those that were held
	Withdraw = "withdraw" // turn the pointer back from a published snapshot
)

// Decision is what a person decided: one record of the ledger of decisions.
type Decision struct {
	Decision string              // approve, reject or withdraw
	Run      string              // that was held; "" for withdraw
	Snapshot string              // that is withdrawn; "" else
	Reason   string              // in the person's words; it is public
	Who      string              // account and machine
	Gates    []string            // approve: the gates of the result that it lets pass, as table.name
	Dead     []string            // approve: sources that are declared dead
	Refused  map[string][]Digest // reject: source → identities of the files that may not be used
	At       time.Time
}

// DecisionOn gives the last decision about a run, nil if there is none.
func DecisionOn(decisions []Decision, run string) *Decision {
	for i := len(decisions) - 1; i >= 0; i-- {
		if decisions[i].Run == run && run != "" {
			return &decisions[i]
		}
	}
	return nil
}

// Refuses reports whether a person has rejected exactly these files of a source.
func Refuses(decisions []Decision, source string, pins []Pin) *Decision {
	var identities []Digest
	for _, pin := range pins {
		identities = append(identities, pin.Identity())
	}
	for i := len(decisions) - 1; i >= 0; i-- {
		if refused := decisions[i].Refused[source]; len(refused) > 0 && slices.Equal(refused, identities) {
			return &decisions[i]
		}
	}
	return nil
}

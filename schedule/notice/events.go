package notice

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"tamiz/pipeline"
)

// values are what is filled into a sentence.
type values = map[string]any

// newEvent names an event by its kind, its pipeline and what makes it another
// than the last of its kind.
func newEvent(about About, kind string, which ...string) Event {
	return Event{About: about, Kind: kind, ID: strings.Join(append([]string{kind, about.Pipeline}, which...), "/")}
}

// Held tells that a run waits for a decision, and for what reasons (held_… or
// verbatim).
func Held(about About, reasons []pipeline.Sentence, details string) Event {
	e := newEvent(about, "held", about.Period, about.Run)
	e.Matter = pipeline.Sentence{Key: "subject_held", Values: values{"period": about.Period}}
	e.What, e.Details = reasons, details
	e.Means = []pipeline.Sentence{{Key: "held_means"}}
	e.Means, e.Do = decision(e.Means, about.Run, reasons)
	return e
}

// Reminder tells that a run has been waiting for a number of days.
func Reminder(about About, reasons []pipeline.Sentence, days int, details string) Event {
	e := newEvent(about, "reminder", about.Period, about.Run, strconv.Itoa(days))
	e.Matter = pipeline.Sentence{Key: "subject_reminder", Values: values{"period": about.Period, "days": days}}
	e.What, e.Details = reasons, details
	e.Means = []pipeline.Sentence{{Key: "reminder_means", Values: values{"days": days}}}
	e.Means, e.Do = decision(e.Means, about.Run, reasons)
	return e
}

// decision says what a person can decide. Where several reasons hold a run,
// the gravest says.
func decision(means []pipeline.Sentence, run string, reasons []pipeline.Sentence) ([]pipeline.Sentence, []Act) {
	approve, reject := `tamiz approve `+run+` --reason ""`, `tamiz reject `+run+` --reason ""`
	find := func(key string) *pipeline.Sentence {
		if i := slices.IndexFunc(reasons, func(s pipeline.Sentence) bool { return s.Key == key }); i >= 0 {
			return &reasons[i]
		}
		return nil
	}
	if find("held_broken") != nil {
		return append(means, pipeline.Sentence{Key: "broken_means"}), []Act{
			{pipeline.Sentence{Key: "do_reject_broken"}, reject}, {pipeline.Sentence{Key: "do_broken_help"}, ""}}
	}
	if reason := find("held_damaged"); reason != nil {
		return means, []Act{
			{pipeline.Sentence{Key: "do_damaged_restore", Values: only(reason.Values, "file")}, ""}, {pipeline.Sentence{Key: "do_damaged_reject"}, reject}}
	}
	if find("held_withdrawn") != nil {
		return means, []Act{
			{pipeline.Sentence{Key: "do_withdrawn_reject"}, reject}, {pipeline.Sentence{Key: "do_withdrawn_approve"}, approve}}
	}
	if reason := find("held_dead"); reason != nil {
		return means, []Act{
			{pipeline.Sentence{Key: "do_dead_bring", Values: only(reason.Values, "source")}, ""}, {pipeline.Sentence{Key: "do_dead_declare"}, approve}}
	}
	return means, []Act{{pipeline.Sentence{Key: "do_approve"}, approve}, {pipeline.Sentence{Key: "do_reject"}, reject}}
}

// only takes some of a sentence's values.
func only(given values, names ...string) values {
	kept := maps.Clone(given)
	maps.DeleteFunc(kept, func(name string, _ any) bool { return !slices.Contains(names, name) })
	return kept
}

// Source is a source that something is told of.
type Source struct {
	Name, Title string
	Required    bool   // there can be no run without it
	Since       string // the date since which it cannot be used; it tells one trouble from the next
	Used        string // the date of the version in use
	DaysLeft    int    // for which that version may still be used; 0: without end
	Inbox       string // the folder where a person puts its files; "" if it has none
	Details     string
}

func (s Source) values() values { return values{"source": s.Name, "title": s.title()} }

func (s Source) title() string {
	if s.Title == "" {
		return s.Name
	}
	return s.Title
}

// bring asks for the file, where there is a folder for it.
func (s Source) bring() []Act {
	if s.Inbox == "" {
		return nil
	}
	return []Act{{pipeline.Sentence{Key: "do_inbox"}, s.Inbox}}
}

// Why a source is carried forward.
const (
	Down     = "down"     // it could not be had
	Refused  = "refused"  // its new version does not fit its card, or failed a gate
	Rejected = "rejected" // a person has rejected its new version
)

// Carried tells that a source goes on with an earlier version, because of
// [Down], [Refused] or [Rejected].
func Carried(about About, source Source, cause string) Event {
	e := newEvent(about, "carried", source.Name, source.Since, cause)
	e.Matter = pipeline.Sentence{Key: "subject_carried", Values: values{"source": source.Name}}
	e.Details = source.Details
	e.Means = []pipeline.Sentence{{Key: "carried_means", Values: values{"used": source.Used}}}
	switch {
	case source.DaysLeft > 0 && source.Required:
		e.Means = append(e.Means, pipeline.Sentence{Key: "carried_until", Values: values{"days": source.DaysLeft}})
	case source.DaysLeft > 0:
		e.Means = append(e.Means, pipeline.Sentence{Key: "carried_until_out", Values: values{"days": source.DaysLeft}})
	}
	switch cause {
	case Refused:
		e.What = []pipeline.Sentence{{Key: "carried_refused", Values: source.values()}}
		e.Do = append([]Act{{pipeline.Sentence{Key: "do_refused_wrong"}, ""}, {pipeline.Sentence{Key: "do_refused_changed"}, ""}}, source.bring()...)
	case Rejected:
		e.What = []pipeline.Sentence{{Key: "carried_rejected", Values: source.values()}}
		e.Do = []Act{{pipeline.Sentence{Key: "do_rejected"}, ""}}
	default:
		e.What = []pipeline.Sentence{{Key: "carried_down", Values: source.values()}}
		e.Do = append([]Act{{pipeline.Sentence{Key: "do_down"}, ""}}, source.bring()...)
	}
	return e
}

// LeftOut tells that an edition does without a source.
func LeftOut(about About, source Source) Event {
	e := newEvent(about, "left out", source.Name, source.Since)
	e.Matter = pipeline.Sentence{Key: "subject_left_out", Values: values{"source": source.Name}}
	e.What = []pipeline.Sentence{{Key: "left_out", Values: source.values()}}
	e.Means = []pipeline.Sentence{{Key: "left_out_means"}}
	e.Do = append([]Act{{pipeline.Sentence{Key: "do_down"}, ""}}, source.bring()...)
	e.Details = source.Details
	return e
}

// FetchProblem tells that a source could not be fetched between two periods.
func FetchProblem(about About, source Source) Event {
	e := newEvent(about, "fetch problem", source.Name, source.Since)
	e.Matter = pipeline.Sentence{Key: "subject_fetch", Values: values{"source": source.Name}}
	e.What = []pipeline.Sentence{{Key: "fetch_problem", Values: source.values()}}
	e.Means = []pipeline.Sentence{{Key: "fetch_means"}}
	e.Do = append([]Act{{pipeline.Sentence{Key: "do_down"}, ""}}, source.bring()...)
	e.Details = source.Details
	return e
}

// SourceGood tells that a source, of whose trouble since a date was told, can
// be used again.
func SourceGood(about About, source Source) Event {
	e := newEvent(about, "source good", source.Name, source.Since)
	e.Matter = pipeline.Sentence{Key: "subject_source_good", Values: values{"source": source.Name}}
	e.What = []pipeline.Sentence{{Key: "source_good", Values: source.values()}}
	e.Means = []pipeline.Sentence{{Key: "source_good_means"}}
	e.Do = []Act{{pipeline.Sentence{Key: "do_nothing"}, ""}}
	return e
}

// Failed tells that a run could not be made, and why (failed_…). It is told
// once for each period and cause, however often it is tried. again says
// whether the next tick tries it again.
func Failed(about About, reason pipeline.Sentence, again bool, details string) Event {
	e := newEvent(about, "failed", about.Period, reason.Key)
	e.Matter = pipeline.Sentence{Key: "subject_failed", Values: values{"period": about.Period}}
	e.What, e.Details = []pipeline.Sentence{reason}, details
	e.Means = []pipeline.Sentence{{Key: "failed_means"}}
	if !again {
		e.Means = []pipeline.Sentence{{Key: "failed_means_stopped"}}
	}
	const diagnosis = "tamiz doctor"
	switch reason.Key {
	case "failed_store":
		e.Do = []Act{{pipeline.Sentence{Key: "do_store"}, diagnosis}}
	case "failed_disk":
		e.Do = []Act{{pipeline.Sentence{Key: "do_disk"}, diagnosis}}
	case "failed_config":
		e.Do = []Act{{pipeline.Sentence{Key: "do_config"}, diagnosis}}
	case "failed_secret":
		e.Do = []Act{{pipeline.Sentence{Key: "do_secret", Values: only(reason.Values, "name")}, diagnosis}}
	case "failed_source":
		e.Do = []Act{{pipeline.Sentence{Key: "do_source", Values: only(reason.Values, "source")}, diagnosis}}
	case "failed_time_limit", "failed_memory_limit":
		e.Do = []Act{{pipeline.Sentence{Key: "do_limit"}, ""}}
	case "failed_cancelled":
		e.Do = []Act{{pipeline.Sentence{Key: "do_run_again"}, "tamiz run " + about.Pipeline + " --as-of " + about.Period}}
	default:
		e.Do = []Act{{pipeline.Sentence{Key: "do_wait"}, diagnosis}}
	}
	return e
}

// Recovered tells that a period that had failed was done after all.
func Recovered(about About) Event {
	e := newEvent(about, "recovered", about.Period)
	e.Matter = pipeline.Sentence{Key: "subject_recovered", Values: values{"period": about.Period}}
	e.What = []pipeline.Sentence{{Key: "recovered", Values: values{"period": about.Period}}}
	e.Means = []pipeline.Sentence{{Key: "recovered_means"}}
	e.Do = []Act{{pipeline.Sentence{Key: "do_nothing"}, ""}}
	return e
}

// Withdrawn tells that a person withdrew a snapshot, and why.
func Withdrawn(about About, snapshot, reason string) Event {
	e := newEvent(about, "withdrawn", snapshot)
	e.Matter = pipeline.Sentence{Key: "subject_withdrawn", Values: values{"snapshot": snapshot}}
	e.What = []pipeline.Sentence{{Key: "withdrawn", Values: values{"snapshot": snapshot, "reason": reason}}}
	e.Means = []pipeline.Sentence{{Key: "withdrawn_means"}}
	e.Do = []Act{{pipeline.Sentence{Key: "do_nothing"}, ""}}
	return e
}

// Test is a letter that somebody has asked for, to see whether it arrives.
func Test(about About) Event {
	e := newEvent(about, "test", about.At.Format(time.RFC3339Nano))
	e.Matter = pipeline.Sentence{Key: "subject_test"}
	e.What = []pipeline.Sentence{{Key: "test"}}
	e.Means = []pipeline.Sentence{{Key: "test_means"}}
	e.Do = []Act{{pipeline.Sentence{Key: "do_nothing"}, ""}}
	return e
}

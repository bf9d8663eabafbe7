package pipeline

import "time"

// Schedule says when a pipeline's periods fall due, and what a run may take.
// It is the operator's and enters no fingerprint.
type Schedule struct {
	DueDays  int            // days from a period's last date to the date on which it is due
	DueClock time.Duration  // since midnight, on the clock of TimeZone
	Cron     string         // in place of both: a period is due when this line fires first after it has ended
	TimeZone *time.Location // nil: the project's
	Catchup  Catchup        // what becomes of periods that nobody was there to compute
	Fetch    string         // cron line: look at the sources between periods; "": do not
	Retry    time.Duration  // after a failure
	Limit    time.Duration  // of one run
	Memory   int64          // bytes of one run; 0: no limit
}

// Catchup says which of the periods that were missed are still computed.
type Catchup string

// The rules of catching up.
const (
	CatchupLatest Catchup = "latest" // the latest; those before it are passed over
	CatchupAll    Catchup = "all"    // each, the oldest first
	CatchupNone   Catchup = "none"   // none: what fell due while nobody was there is passed over
)

package pipeline

import (
	"fmt"
	"slices"
	"sort"
	"time"
)

// DateLayout is how dates are written everywhere.
const DateLayout = "2006-01-02"

// Calendar tells the periods of a pipeline. A period is named by its last
// date. It is one of three: the ISO fortnights (weeks 2i−1 and 2i, where a
// week 53 joins fortnight 26; METHODS 3.2), periods of equal length before and
// after an anchor, or a list of last dates.
type Calendar struct {
	ISOFortnight bool
	Every        int         // days of each period; 0: it is not of this form
	Anchor       time.Time   // the last date of one of those periods
	Dates        []time.Time // ascending
}

// exhausted is how long after the last of its dates a list is still taken to
// be whole.
const exhausted = 400 * day

const day = 24 * time.Hour

// PeriodEnd gives the last date of the latest period that has ended on or
// before date. It fails where a list of dates does not reach back that far,
// or is exhausted: then date lies more than 400 days after its last entry.
func (c Calendar) PeriodEnd(date time.Time) (time.Time, error) {
	date = dateOf(date)
	switch {
	case c.ISOFortnight:
		return fortnightEnd(date), nil
	case c.Every > 0:
		days := int(date.Sub(dateOf(c.Anchor)) / day)
		beyond := ((days % c.Every) + c.Every) % c.Every // days since a period ended, before the anchor too
		return date.AddDate(0, 0, -beyond), nil
	}
	i := sort.Search(len(c.Dates), func(i int) bool { return c.Dates[i].After(date) })
	if i == 0 {
		return time.Time{}, fmt.Errorf("the calendar has no period that ended by %s", date.Format(DateLayout))
	}
	if i == len(c.Dates) && date.Sub(c.Dates[i-1]) > exhausted {
		return time.Time{}, fmt.Errorf("the calendar ends with %s; add later period ends to it", c.Dates[i-1].Format(DateLayout))
	}
	return c.Dates[i-1], nil
}

// Ends gives the last dates of all periods that ended after one date and on or
// before another, ascending; the times of day do not count. It fails where a
// list of dates is exhausted: until lies more than 400 days after its last
// entry.
func (c Calendar) Ends(after, until time.Time) ([]time.Time, error) {
	after, until = dateOf(after), dateOf(until)
	if !c.ISOFortnight && c.Every == 0 && (len(c.Dates) == 0 || until.Before(c.Dates[0])) {
		return nil, nil
	}
	var ends []time.Time
	for {
		end, err := c.PeriodEnd(until)
		if err != nil && len(ends) == 0 {
			return nil, err
		}
		if err != nil || !end.After(after) { // or the list has none before
			slices.Reverse(ends)
			return ends, nil
		}
		ends = append(ends, end)
		until = end.AddDate(0, 0, -1)
	}
}

// dateOf drops the time of day and the zone.
func dateOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// fortnightEnd walks back to a Sunday that ends an even ISO week which no
// week 53 follows, or a week 53.
func fortnightEnd(date time.Time) time.Time {
	sunday := date.AddDate(0, 0, -int(date.Weekday()))
	for {
		_, week := sunday.ISOWeek()
		_, next := sunday.AddDate(0, 0, 7).ISOWeek()
		if (week%2 == 0 && next != 53) || week == 53 {
			return sunday
		}
		sunday = sunday.AddDate(0, 0, -7)
	}
}

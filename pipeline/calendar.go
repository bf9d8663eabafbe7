package pipeline

import (
	"fmt"
	"sort"
	"time"
)

// DateLayout is how dates are written everywhere.
const DateLayout = "2006-01-02"

// Calendar tells the periods of a pipeline. A period is named by its last
// date. It is either the ISO fortnights (weeks 2i−1 and 2i, where a week 53
// joins fortnight 26; METHODS 3.2) or a list of last dates.
type Calendar struct {
	ISOFortnight bool
	Ends         []time.Time // ascending
}

// PeriodEnd gives the last date of the latest period that has ended on or
// before date. It fails where a list of dates does not reach back that far,
// or is exhausted: then date lies more than 400 days after its last entry.
func (c Calendar) PeriodEnd(date time.Time) (time.Time, error) {
	date = time.Date(date.Year(), date.Month(), date.Day(), 0, 0, 0, 0, time.UTC)
	if c.ISOFortnight {
		return fortnightEnd(date), nil
	}
	i := sort.Search(len(c.Ends), func(i int) bool { return c.Ends[i].After(date) })
	if i == 0 {
		return time.Time{}, fmt.Errorf("the calendar has no period that ended by %s", date.Format(DateLayout))
	}
	if i == len(c.Ends) && date.Sub(c.Ends[i-1]) > 400*24*time.Hour {
		return time.Time{}, fmt.Errorf("the calendar ends with %s; add later period ends to it", c.Ends[i-1].Format(DateLayout))
	}
	return c.Ends[i-1], nil
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

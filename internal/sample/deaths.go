package sample

import (
	"math"
	"time"
)

var (
	deathsINEGIHeader = []string{"fecha", "CVE_ENT", "def_registradas", "def_residentes", "def_ocurridas"}
	deathsSSAHeader   = []string{"fecha", "CVE_ENT", "def_registradas"}
)

// waves of the epidemic: the day of the peak, its width in days, its height as a share of the expected deaths.
var waves = []struct {
	peak   time.Time
	width  float64
	height float64
}{
	{day(2020, time.July, 12), 45, 0.55},
	{day(2021, time.January, 20), 26, 0.95},
	{day(2021, time.August, 18), 27, 0.55},
}

// writeDeathsINEGI writes INEGI's final series, for 2015-2018; the ministry's current one is for 2020-2021. There is
// nothing for 2019, as in the files that people find.
func (w *world) writeDeathsINEGI(p *press) error {
	first, last := day(2015, time.January, 1), day(2018, time.December, 31)
	file := layout{lineEnd: "\n", separator: '\t'}
	name := "deaths_inegi/synthetic_deaths_2015_2018.tsv"
	return p.file(name, file, deathsINEGIHeader, func(sheet *sheet) error {
		for state := range states {
			for at := first; !at.After(last); at = at.AddDate(0, 0, 1) {
				occurred := w.deaths(state, at)
				// Some die away from home.
				elsewhere := 0.08 * math.Sqrt(float64(occurred)) * w.chance.of("residents", dayID(state, at)).Normal()
				residents := max(0, occurred+int(math.Round(elsewhere)))
				sheet.text(at.Format(time.DateOnly))
				sheet.code(state+1, 2)
				sheet.counts(occurred, residents, occurred)
				sheet.end()
			}
			if err := p.ctx.Err(); err != nil {
				return err
			}
		}
		w.writeDeathsElsewhere(sheet, first)
		return nil
	})
}

// writeDeathsElsewhere writes rows that belong to no state: 33 lives abroad, 99 is not known.
func (w *world) writeDeathsElsewhere(sheet *sheet, first time.Time) {
	for _, code := range []int{33, 99} {
		for i := range 30 {
			at := first.AddDate(0, 0, 7*i)
			sheet.text(at.Format(time.DateOnly))
			sheet.code(code, 2)
			id := dayID(code, at)
			sheet.counts(0, poisson(w.chance.of("lived", id), 20), poisson(w.chance.of("died", id), 12))
			sheet.end()
		}
	}
}

func (w *world) writeDeathsSSA(p *press) error {
	first, last := day(2019, time.December, 29), day(2021, time.December, 31)
	file := layout{lineEnd: "\n", separator: ','}
	name := "deaths_ssa/synthetic_deaths_2020_2021.csv"
	return p.file(name, file, deathsSSAHeader, func(sheet *sheet) error {
		for at := first; !at.After(last); at = at.AddDate(0, 0, 1) {
			// Deaths of the last weeks have not all been reported yet.
			age := last.Sub(at).Hours() / 24
			known := 1 - math.Exp(-(age+2)/9)
			for state := range states {
				sheet.text(at.Format(time.DateOnly))
				sheet.code(state+1, 2)
				sheet.count(share(w.deaths(state, at), known))
				sheet.end()
			}
		}
		return p.ctx.Err()
	})
}

// deaths draws the deaths of a state on a day: about 5.3 a thousand persons in 2015, growing 2.6 % a year, more in
// winter (INEGI, deaths registered 2015-2018, nationally), and what the epidemic adds.
func (w *world) deaths(state int, at time.Time) int {
	years := at.Sub(day(2015, time.January, 1)).Hours() / 24 / 365.25
	mean := states[state].population * 5.3 / 365.25 * math.Pow(1.026, years)
	mean *= math.Exp(0.08 * w.chance.of("death rate", state).Normal())
	mean *= 1 + 0.11*math.Cos(2*math.Pi*(float64(at.YearDay())-15)/365.25)
	return poisson(w.chance.of("deaths", dayID(state, at)), mean*(1+w.excess(state, at)))
}

// excess is what the epidemic adds on a day, as a share of the expected deaths; every state has waves of its own
// height, and months of its own above or below them.
func (w *world) excess(state int, at time.Time) float64 {
	if at.Before(day(2020, time.April, 1)) {
		return 0
	}
	force := math.Exp(0.22 * w.chance.of("force", state).Normal())
	excess := 0.05
	for i, wave := range waves {
		distance := at.Sub(wave.peak).Hours()/24 - 8*w.chance.part("wave", state, i).Normal()
		excess += force * wave.height * math.Exp(-distance*distance/(2*wave.width*wave.width))
	}
	month := at.Year()*12 + int(at.Month())
	return max(-0.2, excess+0.07*w.chance.part("month", state, month).Normal())
}

func day(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// dayID numbers a state's days.
func dayID(state int, at time.Time) int { return state*100_000 + int(at.Unix()/86400) }

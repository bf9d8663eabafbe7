package sample

import (
	"math"
	"strconv"
)

// fill draws what belongs to one shift: pupils by grade and sex, groups, teachers.
func (w *world) fill(id int, s *school, rural bool) {
	kind := &kinds[s.kind]
	median := kind.urbanSize
	if rural {
		median = kind.ruralSize
	}
	if s.shift == "VESPERTINO" {
		median *= 0.7
	}
	if id%127 == 11 {
		// A few schools stand in the registry without a single pupil.
		s.boys, s.girls, s.groups, s.teachers = [6]int{}, [6]int{}, 0, 1
		return
	}
	size := lognormal(w.chance.of("size", id), median, kind.spread)
	grades := kind.grades()
	for g := range grades {
		mean := float64(size) / float64(grades)
		pupils := max(0, int(math.Round(mean+math.Sqrt(mean)*w.chance.part("grade", id, g).Normal())))
		s.boys[g] = binomial(w.chance.part("boys", id, g).Uniform(), pupils, 0.508)
		s.girls[g] = pupils - s.boys[g]
	}
	if s.pupils() == 0 {
		s.boys[0] = 1
	}
	s.groups = groupsOf(s, grades)
	s.teachers = w.teachersOf(id, s)
}

// groupsOf counts classes: small schools teach several grades in one.
func groupsOf(s *school, grades int) int {
	if pupils := s.pupils(); pupils < 18*grades {
		return max(1, (pupils+24)/25)
	}
	groups := 0
	for g := range grades {
		groups += max(1, (s.boys[g]+s.girls[g]+34)/35)
	}
	return groups
}

func (w *world) teachersOf(id int, s *school) int {
	if id%211 == 13 {
		return 0 // as some rows of the registry say
	}
	teachers := s.groups
	if name := kinds[s.kind].name; kinds[s.kind].level == secondary && name != "telesecundaria" && name != "community" {
		// One teacher a subject, not one a class.
		teachers = int(math.Round(1.6 * float64(s.groups)))
	}
	if u := w.chance.of("teachers", id).Uniform(); u < 0.1 {
		teachers--
	} else if u > 0.9 {
		teachers++
	}
	return max(1, teachers)
}

// tell draws the truth of METHODS 12. The means and spreads of U2 and U3 go over the schools, each counting once.
func (w *world) tell() {
	var u2, u3, etas moments
	for i := range w.schools {
		place := &w.places[w.schools[i].place]
		u2.add(place.u2)
		u3.add(place.u3)
	}
	for i := range w.schools {
		s := &w.schools[i]
		place := &w.places[s.place]
		town := &w.towns[place.town]
		s.eta = 0.1 + 0.9*u2.standard(place.u2) + 0.5*u3.standard(place.u3) +
			town.effect + 0.25*w.chance.of("w", town.state).Normal() + 0.55*w.chance.of("e", i).Normal()
		if place.ageb == "" {
			s.eta += 0.35
		}
		if kinds[s.kind].outlying() {
			s.eta += 0.6
		}
		if kinds[s.kind].name == "private" {
			s.eta -= 0.7
		}
		s.maths = s.eta + 0.3 + 0.3*w.chance.of("maths", i).Normal()
		last := kinds[s.kind].grades() - 1
		enrolled := float64(s.boys[last] + s.girls[last])
		s.tested = max(3, int(math.Round(enrolled*beta91(w.chance.of("tested", i).Uniform()))))
		etas.add(s.eta)
	}
	for i := range w.schools {
		s := &w.schools[i]
		logit := -1.9 + 0.25*(s.eta-etas.mean)
		if w.places[s.place].ageb == "" {
			logit += 0.7
		}
		if kinds[s.kind].outlying() {
			logit += 0.8
		}
		s.missing = w.chance.of("missing", i).Uniform() < logistic(logit)
	}
}

// moments are a running mean and spread (Welford).
type moments struct{ n, mean, squares float64 }

func (m *moments) add(x float64) {
	m.n++
	step := x - m.mean
	m.mean += step / m.n
	m.squares += step * (x - m.mean)
}

// standard gives x in standard deviations from the mean; 0 where nothing varies.
func (m *moments) standard(x float64) float64 {
	if m.squares == 0 {
		return 0
	}
	return (x - m.mean) / math.Sqrt(m.squares/m.n)
}

// writeTruth writes what no publisher could know. Only tests may read it.
func (w *world) writeTruth(p *press) error {
	header := []string{"cct", "shift", "eta", "language_level1_share", "maths_level1_share", "missing"}
	file := layout{lineEnd: "\n", separator: ','}
	return p.file("truth/synthetic_truth.csv", file, header, func(sheet *sheet) error {
		for i := range w.schools {
			s := &w.schools[i]
			sheet.text(s.cct)
			sheet.text(s.shift)
			sheet.decimal(s.eta, -1)
			sheet.decimal(logistic(s.eta), -1)
			sheet.decimal(logistic(s.maths), -1)
			sheet.text(strconv.FormatBool(s.missing))
			sheet.end()
			if err := p.step(); err != nil {
				return err
			}
		}
		return nil
	})
}

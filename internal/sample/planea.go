package sample

var planeaHeader = []string{
	"CLAVE DE LA ESCUELA", "TURNO", "NOMBRE DE LA ESCUELA", "ENTIDAD", "NIVEL", "AÑO", "ALUMNOS PROGRAMADOS",
	"ALUMNOS EVALUADOS LENGUAJE Y COMUNICACIÓN", "ALUMNOS EVALUADOS MATEMÁTICAS",
	"PORCENTAJE LENGUAJE NIVEL I", "PORCENTAJE LENGUAJE NIVEL II",
	"PORCENTAJE LENGUAJE NIVEL III", "PORCENTAJE LENGUAJE NIVEL IV",
	"PORCENTAJE MATEMÁTICAS NIVEL I", "PORCENTAJE MATEMÁTICAS NIVEL II",
	"PORCENTAJE MATEMÁTICAS NIVEL III", "PORCENTAJE MATEMÁTICAS NIVEL IV",
}

// score is what PLANEA saw of a school-shift: pupils on each of the levels I to IV.
type score struct {
	planned  int
	language [4]int
	maths    [4]int
}

func (s score) plus(other score) score {
	s.planned += other.planned
	for i := range s.language {
		s.language[i] += other.language[i]
		s.maths[i] += other.maths[i]
	}
	return s
}

// score draws the observed result: the share on level I is binomial about the truth (METHODS 12), and the others
// spread over the three higher levels, higher where fewer stay on the first.
func (w *world) score(id int) score {
	s := &w.schools[id]
	last := kinds[s.kind].grades() - 1
	return score{
		// A school may have tested more pupils, in the year of the test, than today's registry has in that grade.
		planned:  max(s.boys[last]+s.girls[last], s.tested),
		language: w.levels("language", id, s.tested, s.eta),
		maths:    w.levels("mathematics", id, s.tested, s.maths),
	}
}

func (w *world) levels(subject string, id, tested int, eta float64) [4]int {
	var counts [4]int
	counts[0] = binomial(w.chance.part(subject, id, 1).Uniform(), tested, logistic(eta))
	left := tested - counts[0]
	counts[1] = binomial(w.chance.part(subject, id, 2).Uniform(), left, logistic(0.3+0.5*eta))
	left -= counts[1]
	counts[2] = binomial(w.chance.part(subject, id, 3).Uniform(), left, logistic(0.9+0.4*eta))
	counts[3] = left - counts[2]
	return counts
}

// writePlanea writes the test results. Of the missing schools every other one is not there at all, the rest stand
// there with empty cells; one school in fifty has one subject only; and some CCTs with two shifts have one row
// without a shift, for both of them together.
func (w *world) writePlanea(p *press) error {
	file := layout{lineEnd: "\n", separator: ','}
	return p.file("planea/synthetic_planea_basica.csv", file, planeaHeader, func(sheet *sheet) error {
		for id := range w.schools {
			if err := p.step(); err != nil {
				return err
			}
			s := &w.schools[id]
			switch {
			case w.sharesResults(s):
				if s.site == id {
					w.writeResult(sheet, id, "", w.score(id).plus(w.score(id+1)))
				}
			case !s.missing:
				w.writeResult(sheet, id, s.shift, w.score(id))
			case w.chance.of("absent", id).Uniform() < 0.5:
				w.writeResultHead(sheet, id, s.shift, w.score(id).planned)
				sheet.empty(10)
				sheet.end()
			}
		}
		return nil
	})
}

// sharesResults says whether the shifts of a CCT stand in one row without a shift. Only where both have results:
// about 3 % of the CCTs with two shifts.
func (w *world) sharesResults(s *school) bool {
	return s.shifts == 2 && !w.schools[s.site].missing && !w.schools[s.site+1].missing &&
		w.chance.of("shared", s.site).Uniform() < 0.045
}

func (w *world) writeResultHead(sheet *sheet, id int, shift string, planned int) {
	s := &w.schools[id]
	sheet.text(s.cct)
	sheet.text(shift)
	sheet.numbered("ESCUELA SINTÉTICA ", s.site+1, 6, " (DATOS SINTÉTICOS)")
	sheet.text(states[w.stateOf(id)-1].upper)
	sheet.text(kinds[s.kind].level)
	if kinds[s.kind].level == primary {
		sheet.count(2018) // PLANEA tested the sixth grade in 2018,
	} else {
		sheet.count(2019) // and the ninth in 2019
	}
	sheet.count(planned)
}

func (w *world) writeResult(sheet *sheet, id int, shift string, score score) {
	w.writeResultHead(sheet, id, shift, score.planned)
	u := w.chance.of("subject", id).Uniform()
	language, maths := u >= 0.01, u < 0.99
	for _, subject := range []struct {
		counts [4]int
		tested bool
	}{{score.language, language}, {score.maths, maths}} {
		if subject.tested {
			sheet.count(sum4(subject.counts))
		} else {
			sheet.empty(1)
		}
	}
	writeLevels(sheet, score.language, language)
	writeLevels(sheet, score.maths, maths)
	sheet.end()
}

func writeLevels(sheet *sheet, counts [4]int, tested bool) {
	if !tested {
		sheet.empty(len(counts))
		return
	}
	for _, count := range counts {
		sheet.percent(count, sum4(counts))
	}
}

func sum4(counts [4]int) int { return counts[0] + counts[1] + counts[2] + counts[3] }

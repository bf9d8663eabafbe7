package sample

import (
	"archive/zip"
	"fmt"
	"os"
)

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

// planeaSheet and planeaFooter are the name of the sheet and the last row of every workbook.
const (
	planeaSheet  = "ESCUELAS"
	planeaFooter = "Fuente: datos sintéticos, hechos por un programa; ninguna cifra es real."
)

// planeaLevels are the two workbooks of a state, by the grade that sits the test.
var planeaLevels = []struct{ grade, level string }{{"06", primary}, {"09", secondary}}

// writePlanea writes the test results of one state, whose schools these are: an archive with a workbook for each
// level, or, when plain, a text file for each.
func (w *world) writePlanea(p *press, schools span) error {
	state := w.stateOf(schools.from)
	if p.plain {
		for _, at := range planeaLevels {
			name := fmt.Sprintf("planea/planea%s_%02d.csv", at.grade, state)
			err := p.file(name, layout{lineEnd: "\n", separator: ','}, planeaHeader, func(sheet *sheet) error {
				return w.writeResults(p, sheet, schools, at.level)
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
	return p.create(fmt.Sprintf("planea/planea_%02d.zip", state), func(file *os.File) error {
		archive := newArchive(file)
		for _, at := range planeaLevels {
			name := fmt.Sprintf("planea%s_%02d.xlsx", at.grade, state)
			if err := w.writePlaneaBook(p, archive, name, schools, at.level); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return archive.Close()
	})
}

func (w *world) writePlaneaBook(p *press, archive *zip.Writer, name string, schools span, level string) error {
	entry, err := archive.CreateHeader(archiveHeader(name))
	if err != nil {
		return err
	}
	book, err := newWorkbook(entry, planeaSheet)
	if err != nil {
		return err
	}
	for _, title := range planeaHeader {
		book.text(title)
	}
	book.end()
	if err := w.writeResults(p, book, schools, level); err != nil {
		return err
	}
	book.text(planeaFooter)
	book.end()
	return book.close()
}

// writeResults writes the rows of the schools of one level. Of the missing schools every other one is not there at
// all, the rest stand there with empty cells; one school in fifty has one subject only; and some CCTs with two shifts
// have one row without a shift, for both of them together.
func (w *world) writeResults(p *press, table table, schools span, level string) error {
	for id := schools.from; id < schools.to; id++ {
		s := &w.schools[id]
		if kinds[s.kind].level != level {
			continue
		}
		if err := p.step(); err != nil {
			return err
		}
		switch {
		case w.sharesResults(s):
			if s.site == id {
				w.writeResult(table, id, "", w.score(id).plus(w.score(id+1)))
			}
		case !s.missing:
			w.writeResult(table, id, s.shift, w.score(id))
		case w.chance.of("absent", id).Uniform() < 0.5:
			w.writeResultHead(table, id, s.shift, w.score(id).planned)
			table.empty(10)
			table.end()
		}
	}
	return nil
}

// sharesResults says whether the shifts of a CCT stand in one row without a shift. Only where both have results:
// about 3 % of the CCTs with two shifts.
func (w *world) sharesResults(s *school) bool {
	return s.shifts == 2 && !w.schools[s.site].missing && !w.schools[s.site+1].missing &&
		w.chance.of("shared", s.site).Uniform() < 0.045
}

func (w *world) writeResultHead(table table, id int, shift string, planned int) {
	s := &w.schools[id]
	table.text(s.cct)
	table.text(shift)
	table.numbered("ESCUELA SINTÉTICA ", s.site+1, 6, " (DATOS SINTÉTICOS)")
	table.text(states[w.stateOf(id)-1].upper)
	table.text(kinds[s.kind].level)
	if kinds[s.kind].level == primary {
		table.count(2018) // PLANEA tested the sixth grade in 2018,
	} else {
		table.count(2019) // and the ninth in 2019
	}
	table.count(planned)
}

func (w *world) writeResult(table table, id int, shift string, score score) {
	w.writeResultHead(table, id, shift, score.planned)
	u := w.chance.of("subject", id).Uniform()
	language, maths := u >= 0.01, u < 0.99
	for _, subject := range []struct {
		counts [4]int
		tested bool
	}{{score.language, language}, {score.maths, maths}} {
		if subject.tested {
			table.count(sum4(subject.counts))
		} else {
			table.empty(1)
		}
	}
	writeLevels(table, score.language, language)
	writeLevels(table, score.maths, maths)
	table.end()
}

func writeLevels(table table, counts [4]int, tested bool) {
	if !tested {
		table.empty(len(counts))
		return
	}
	for _, count := range counts {
		table.percent(count, sum4(counts))
	}
}

func sum4(counts [4]int) int { return counts[0] + counts[1] + counts[2] + counts[3] }

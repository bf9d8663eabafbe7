package sample

import (
	"math"

	"tamiz/internal/u01"
)

var (
	schoolsHeader = []string{
		"year_bs", "school_code", "name", "district", "vdc", "location", "belt", "type", "teachers", "teachers_trained",
		"classrooms", "textbooks", "book_corner", "latrines", "desks", "chairs", "computers", "electricity", "internet",
		"playground", "science_lab", "funding_per_pupil", "scholarships", "language_support", "earthquake_affected",
	}
	examsHeader = []string{"year_bs", "district", "school_code", "exam", "sex", "appeared", "passed"}
)

// nepalFiles are the files that have rows of every school, written side by side.
type nepalFiles struct{ enrolment, schools, exams *sheet }

// writeNepalSchools opens them, and closes them once body has written the schools.
func writeNepalSchools(p *press, body func(*nepalFiles) error) error {
	file := layout{lineEnd: "\n", separator: ','}
	return p.file("enrolment/synthetic_enrolment.csv", file, enrolmentHeader, func(enrolment *sheet) error {
		return p.file("schools/synthetic_schools.csv", file, schoolsHeader, func(schools *sheet) error {
			return p.file("exams/synthetic_exams.csv", file, examsHeader, func(exams *sheet) error {
				return body(&nepalFiles{enrolment, schools, exams})
			})
		})
	})
}

// districtName is the name that the school's clerk writes: some districts have two.
func (s *nepalSchool) districtName() string {
	district := nepalDistricts[s.district]
	if district.other != "" && s.id%3 == 1 {
		return district.other
	}
	return district.name
}

// pupils are those of a school in a year, of the grades from first (0 is the first) to before last, of one sex or,
// if that is -1, of both.
func (r *rolls) pupils(year, first, last, sex int) int {
	n := 0
	for at := range cells {
		if sex < 0 || at/(cells/len(sexes)) == sex {
			for grade := first; grade < last; grade++ {
				n += r.enrolled[year][at][grade]
			}
		}
	}
	return n
}

// kind is a school's type: community, institutional (private, more of them in towns) or religious.
func (s *nepalSchool) kind(c chance) string {
	private := 0.1
	if s.urban {
		private = 0.3
	}
	return [...]string{"community", "institutional", "religious"}[pick(c.of("kind", s.id).Uniform(), 0.98-private, private, 0.02)]
}

// writeSchool writes a school's row of every year.
func (s *nepalSchool) writeSchool(sheet *sheet, c chance, r *rolls) {
	kind, district := s.kind(c), nepalDistricts[s.district]
	// What a school has, it has because of its district, its place and its luck.
	means := 0.8*c.of("means", s.district).Normal() + 0.7*c.of("school means", s.id).Normal() + 0.5*float64(b2i(s.urban))
	for year := range years {
		enrolled := r.pupils(year, 0, 12, -1)
		teachers := max(b2i(s.id%61 != 7), int(math.Round(float64(enrolled)/38*math.Exp(0.2*means+0.25*c.of("staff", s.id).Normal()))))
		sheet.count(firstYear + year)
		sheet.text(s.code)
		sheet.numbered("Synthetic School ", s.id+1, 5, "")
		sheet.text(s.districtName())
		sheet.text(s.vdcName)
		sheet.text(s.place())
		sheet.text(district.belt)
		sheet.text(kind)
		sheet.count(teachers)
		trained := binomial(c.part("trained", s.id, year).Uniform(), teachers, clamp(0.75+0.08*means, 0.1, 0.98))
		if s.id == 20 && year == 1 {
			trained = teachers + 4 // the columns of another form
		}
		sheet.count(trained)
		s.writeConditions(sheet, c, year, kind, means)
		sheet.count(8000 + 100*int(math.Round(20*c.part("funds", s.id, year).Uniform()+10*means+30/math.Sqrt(float64(enrolled+1)))))
		sheet.count(binomial(c.part("scholarships", s.id, year).Uniform(), enrolled, 0.2))
		sheet.count(b2i(c.of("language", s.id).Uniform() < 0.15))
		sheet.count(b2i(district.shaken))
		sheet.endTimes(1 + b2i(s.id == 3 && year == 0)) // one row of the file stands there twice
	}
}

// conditions are the chances of what a school may have, in the order of the columns, before its means; what it lacks
// one year it may get the next.
var conditions = [...]float64{0.9, 1.1, 0.2, 0.9, 0.8, 0.8, -0.8, 0.2, -1.6, 0.4, -1.4}

// writeConditions writes them. The minimum enabling conditions, the first four, are asked of public schools only.
func (s *nepalSchool) writeConditions(sheet *sheet, c chance, year int, kind string, means float64) {
	for i, usual := range conditions {
		chance := logistic(usual + means + 0.3*float64(year))
		has := c.part("has", s.id, i).Uniform() < chance
		smudge := ((s.id*years+year)*len(conditions) + i) % 1999
		switch {
		case i < 4 && kind == "institutional":
			sheet.empty(1)
		case smudge == 71:
			sheet.text("N/D")
		case smudge == 142:
			sheet.empty(1)
		default:
			sheet.count(b2i(has))
		}
	}
}

// writeExams writes the results of grade 8, and of grade 10 where it is taught, for girls and boys.
func (s *nepalSchool) writeExams(sheet *sheet, c chance, r *rolls) {
	skill := 0.5*c.of("skill", s.district).Normal() + 0.5*c.of("school skill", s.id).Normal() + 0.4*float64(b2i(s.urban))
	for year := range years {
		for i, exam := range [...]string{"GRADE8", "SLC"} {
			grade := 7 + 2*i
			if grade >= s.grades {
				continue
			}
			for sex := range sexes {
				draw := func(name string) u01.Key { return c.part(name, s.id, (year*2+i)*len(sexes)+sex) }
				appeared := binomial(draw("appeared").Uniform(), r.pupils(year, grade, grade+1, sex), 0.92)
				passed := binomial(draw("passed").Uniform(), appeared, logistic(1.3-1.2*float64(i)+skill-0.15*float64(1-sex)))
				sheet.count(firstYear + year)
				sheet.text(s.districtName())
				sheet.text(s.code)
				sheet.text(exam)
				sheet.text(sexes[sex])
				s.writeResult(sheet, year, i, sex, appeared, passed)
				sheet.end()
			}
		}
	}
}

// writeResult writes a result, and a few that cannot be read or cannot be.
func (s *nepalSchool) writeResult(sheet *sheet, year, exam, sex, appeared, passed int) {
	switch {
	case s.id == 11 && year == 0 && exam == 0 && sex == 0:
		sheet.counts(appeared, appeared+9)
	case (s.id*years+year)%997 == 11:
		sheet.count(appeared)
		sheet.text("*")
	default:
		sheet.counts(appeared, passed)
	}
}

func (s *nepalSchool) place() string {
	if s.urban {
		return "urban"
	}
	return "rural"
}

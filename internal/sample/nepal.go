package sample

import (
	"fmt"
	"math"
)

var enrolmentHeader = []string{
	"year_bs", "district", "vdc", "school_code", "grade", "sex", "caste", "disability", "location", "enrolled",
	"repeaters_next",
}

// The vocabulary of METHODS 11.
var (
	sexes        = [2]string{"F", "M"}
	castes       = [4]string{"Dalit", "Janajati", "Brahmin-Chhetri", "Other"}
	disabilities = [2]string{"no", "yes"}
)

const (
	firstYear = 2070 // Bikram Sambat
	years     = 3
	cells     = len(sexes) * len(castes) * len(disabilities)
)

// The country has fewer schools, and the codes have room for these.
const mostNepalSchools = 40_000

// nepalSchools is the number of schools of the Nepali sample: at least one for every district.
func nepalSchools(options Options) (int, error) {
	if options.Schools > mostNepalSchools {
		return 0, fmt.Errorf("%d schools: ask for fewer schools, at most %d", options.Schools, mostNepalSchools)
	}
	return max(len(nepalDistricts), options.Schools), nil
}

// nepalSchool is one school with the chances of its pupils.
type nepalSchool struct {
	id       int
	district int
	vdc      int
	vdcName  string
	code     string
	urban    bool
	grades   int
	entrants float64
	castes   [len(castes)]float64 // shares among its pupils
}

// writeNepal writes the sources of the pipeline np.
func writeNepal(p *press, options Options) error {
	schools, err := nepalSchools(options)
	if err != nil {
		return err
	}
	p.total = schools
	chance := newChance(options.Seed)
	weights := make([]float64, len(nepalDistricts))
	for d := range weights {
		weights[d] = float64(nepalDistricts[d].population)
	}
	// Every district gets a few schools beforehand, so that none is empty in the smallest sample.
	first := min(4, schools/len(nepalDistricts))
	inDistrict := apportion(schools-first*len(nepalDistricts), weights)
	sums := &nepalSums{}
	err = writeNepalSchools(p, func(files *nepalFiles) error {
		id := 0
		for d, more := range inDistrict {
			for k := range more + first {
				school := newNepalSchool(chance, id, d, k, more+first)
				rolls := school.enrol(chance)
				school.write(files.enrolment, rolls)
				school.writeSchool(files.schools, chance, rolls)
				school.writeExams(files.exams, chance, rolls)
				sums.add(school, rolls)
				id++
				if err := p.step(); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return writeNepalDistricts(p, chance, sums)
}

// newNepalSchool draws the k-th of a district's schools. Its VDC, and with it the location, is shared by about six.
func newNepalSchool(c chance, id, district, k, inDistrict int) *nepalSchool {
	vdcs := max(2, inDistrict/6)
	s := &nepalSchool{id: id, district: district, vdc: k % vdcs, grades: 8}
	s.urban = s.vdc == 0 || c.part("urban", district, s.vdc).Uniform() < 0.2
	median := 22.0
	if s.urban {
		median = 38
	}
	s.entrants = median * math.Exp(0.5*c.of("entrants", id).Normal())
	if c.of("grades", id).Uniform() < 0.2 {
		s.grades = 12
	}
	total := 0.0
	for i, usual := range [len(castes)]float64{0.15, 0.35, 0.32, 0.18} {
		s.castes[i] = usual * math.Exp(0.35*c.part("caste", district, i).Normal()+0.25*c.part("mix", id, i).Normal())
		total += s.castes[i]
	}
	for i := range s.castes {
		s.castes[i] /= total
	}
	name := append(appendPadded([]byte("Synthetic VDC "), district+1, 2), '-')
	s.vdcName = string(appendPadded(name, s.vdc+1, 2))
	code := appendPadded(nil, district+1, 2)
	code = appendPadded(code, s.vdc+1, 3)
	s.code = string(appendPadded(code, k+1, 4))
	return s
}

// cell is a group of pupils: the position of its sex, caste and disability.
type cell struct{ sex, caste, disabled int }

func (c cell) index() int { return (c.sex*len(castes)+c.caste)*len(disabilities) + c.disabled }

// rolls are a school's pupils by year, cell and grade: how many there are, and how many of them repeat next year.
type rolls struct {
	enrolled  [years][cells][12]int
	repeaters [years][cells][12]int
}

// enrol walks each group through the years: of grade g some repeat it, of the others a part goes on to g+1
// (METHODS 1.1), and the first grade gets its entrants. So E of year t+1 is promoted plus repeating, exactly.
func (s *nepalSchool) enrol(c chance) *rolls {
	r := &rolls{}
	for sex := range sexes {
		for caste := range castes {
			for disabled := range disabilities {
				s.enrolCell(c, cell{sex, caste, disabled}, r)
			}
		}
	}
	return r
}

func (s *nepalSchool) enrolCell(c chance, cell cell, r *rolls) {
	at := cell.index()
	draw := func(name string, year, grade int) float64 {
		return c.part(name, s.id, (year*cells+at)*12+grade).Uniform()
	}
	entrants := s.entrants * 0.5 * s.castes[cell.caste]
	if cell.disabled == 1 {
		entrants *= 0.015
	} else {
		entrants *= 0.985
	}
	stay := make([]float64, s.grades)
	mean := entrants
	for g := range s.grades {
		stay[g] = s.goesOn(c, cell, g)
		// The first year is one of many alike: a cohort's size is what years of these chances leave of it.
		size := c.part("cohort", s.id, at*12+g)
		r.enrolled[0][at][g] = poisson(size, mean/(1-s.repeats(cell, g)))
		mean *= stay[g]
	}
	for year := range years - 1 {
		next := &r.enrolled[year+1][at]
		next[0] = poisson(c.part("new", s.id, year*cells+at), entrants)
		for g := range s.grades {
			enrolled := r.enrolled[year][at][g]
			repeating := binomial(draw("repeat", year, g), enrolled, s.repeats(cell, g))
			r.repeaters[year][at][g] = repeating
			next[g] += repeating
			if g+1 < s.grades {
				next[g+1] += binomial(draw("promote", year, g), enrolled-repeating, stay[g])
			}
		}
	}
}

// repeats is the chance to repeat a grade (0 is the first).
func (s *nepalSchool) repeats(cell cell, grade int) float64 {
	chance := 0.06
	if grade == 0 {
		chance = 0.16
	}
	if cell.caste == 0 {
		chance *= 1.3
	}
	if !s.urban {
		chance *= 1.15
	}
	return chance
}

// goesOn is the chance that a pupil who does not repeat a grade goes on to the next: lower for Dalit pupils, in
// villages, with a disability, and in some districts for girls.
func (s *nepalSchool) goesOn(c chance, cell cell, grade int) float64 {
	logit := 3.6 + 0.3*c.of("district", s.district).Normal()
	switch {
	case grade == 0:
		logit -= 0.7
	case grade >= 7:
		logit -= 1.2
	}
	switch cell.caste {
	case 0:
		logit -= 0.5
	case 3:
		logit -= 0.2
	}
	if !s.urban {
		logit -= 0.3
	}
	if cell.disabled == 1 {
		logit -= 0.6
	}
	if cell.sex == 0 {
		logit += 0.25 * c.of("girls", s.district).Normal()
	}
	return logistic(logit)
}

// write writes a school's rows: those of nobody are left out, as long as the grade has any.
func (s *nepalSchool) write(sheet *sheet, r *rolls) {
	for year := range years {
		for grade := range s.grades {
			for sex := range sexes {
				for caste := range castes {
					s.writeCell(sheet, r, year, grade, cell{sex: sex, caste: caste})
				}
			}
		}
	}
}

// writeCell writes the rows of a sex and caste, without and with a disability. The registers know repeaters by sex
// and caste only: all of them, disabled or not, stand in the row without a disability, and the other row is empty
// there. In the last year nobody knows them yet.
func (s *nepalSchool) writeCell(sheet *sheet, r *rolls, year, grade int, able cell) {
	disabled := able
	disabled.disabled = 1
	others, few := r.enrolled[year][able.index()][grade], r.enrolled[year][disabled.index()][grade]
	if others+few == 0 {
		return
	}
	id := ((s.id*years+year)*12+grade)*cells + able.index()
	s.writeHead(sheet, year, grade, able)
	if id%4999 == 17 {
		sheet.text("N/D") // a smudge on the form
	} else {
		sheet.count(others)
	}
	switch {
	case year == years-1:
		sheet.empty(1)
	case id%4999 == 34:
		sheet.text("N/D")
	default:
		sheet.count(r.repeaters[year][able.index()][grade] + r.repeaters[year][disabled.index()][grade])
	}
	first := s.id == 3 && year == 0 && grade == 0 && able.index() == 0
	sheet.endTimes(1 + b2i(first)) // one row of the file stands there twice
	if few > 0 {
		s.writeHead(sheet, year, grade, disabled)
		sheet.count(few)
		sheet.empty(1)
		sheet.end()
	}
}

func (s *nepalSchool) writeHead(sheet *sheet, year, grade int, cell cell) {
	after := ""
	switch s.id {
	case 5:
		after = " " // somebody's slip of the finger
	case 7:
		after = " (a new spelling)"
	}
	sheet.count(firstYear + year)
	sheet.text(s.districtName() + after)
	sheet.text(s.vdcName)
	sheet.text(s.code)
	sheet.count(grade + 1)
	sheet.text(sexes[cell.sex])
	sheet.text(castes[cell.caste])
	sheet.text(disabilities[cell.disabled])
	sheet.text(s.place())
}

package sample

import (
	"math"
	"strconv"
	"strings"
)

// nepalSums are the pupils of each district, from which the files by district follow.
type nepalSums struct {
	basic    [len(nepalDistricts)][years]int // grades 1 to 8
	entrants [len(nepalDistricts)][len(sexes)]int
}

func (n *nepalSums) add(s *nepalSchool, r *rolls) {
	for year := range years {
		n.basic[s.district][year] += r.pupils(year, 0, 8, -1)
	}
	for sex := range sexes {
		n.entrants[s.district][sex] += r.pupils(0, 0, 8, sex)
	}
}

// writeNepalDistricts writes the files that have rows of districts.
func writeNepalDistricts(p *press, c chance, sums *nepalSums) error {
	file := layout{lineEnd: "\n", separator: ','}
	for _, one := range []struct {
		name   string
		header []string
		write  func(*sheet, chance, *nepalSums, int)
	}{
		{"population", []string{"year_bs", "district", "age", "sex", "population"}, writePopulation},
		{"allocations", []string{"year_bs", "district", "amount"}, writeAllocations},
		{"census", []string{"year_bs", "district", "wealth", "mother_education", "sex", "in_school", "out_of_school"}, writeCensusGroups},
	} {
		err := p.file(one.name+"/synthetic_"+one.name+".csv", file, one.header, func(sheet *sheet) error {
			for d := range nepalDistricts {
				one.write(sheet, c, sums, d)
			}
			return p.ctx.Err()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// devanagari writes a number in the digits of the country, as some offices do.
func devanagari(n int) string {
	return strings.Map(func(digit rune) rune { return '०' + digit - '0' }, strconv.Itoa(n))
}

// outOfSchool is the share of a district's girls or boys who go to no school; below 0 where more come from next door.
func outOfSchool(c chance, district, sex int) float64 {
	return clamp(0.08+0.05*c.of("out of school", district).Normal()+0.02*c.part("out of school", district, sex).Normal(), -0.05, 0.3)
}

// writePopulation writes a district's children of 5 to 16 in every year, such that its pupils of the basic level and
// its share out of school agree.
func writePopulation(sheet *sheet, c chance, sums *nepalSums, district int) {
	for year := range years {
		for age := 5; age <= 16; age++ {
			for sex := range sexes {
				children := float64(sums.entrants[district][sex]) / 8 / (1 - outOfSchool(c, district, sex))
				children *= math.Pow(0.99, float64(year)) * (1 + 0.01*(8.5-float64(age)))
				sheet.count(firstYear + year)
				sheet.text(nepalDistricts[district].name)
				sheet.count(age)
				sheet.text(sexes[sex])
				if district == 12 {
					sheet.text(devanagari(int(math.Round(children))))
				} else {
					sheet.count(int(math.Round(children)))
				}
				sheet.end()
			}
		}
	}
}

// writeAllocations writes what a district gets in every year: about as much a pupil everywhere.
func writeAllocations(sheet *sheet, c chance, sums *nepalSums, district int) {
	for year := range years {
		perPupil := 9000 * math.Exp(0.1*c.of("per pupil", district).Normal()) * math.Pow(1.05, float64(year))
		sheet.count(firstYear + year)
		sheet.text(nepalDistricts[district].name)
		sheet.count(int(math.Round(perPupil * float64(sums.basic[district][year]))))
		sheet.end()
	}
}

// writeCensusGroups writes a district's children by wealth, mother's education and sex, in and out of school: the
// once-a-decade circumstances that no register of schools has.
func writeCensusGroups(sheet *sheet, c chance, sums *nepalSums, district int) {
	educations := [...]string{"none", "primary", "secondary"}
	for quintile := range 5 {
		for education, name := range educations {
			for sex := range sexes {
				children := float64(sums.basic[district][0]) / 30 * math.Exp(0.3*float64((quintile-2)*(education-1)))
				logit := 1.2 + 0.35*float64(quintile) + 0.5*float64(education) + 0.4*c.part("census", district, sex).Normal()
				n := max(1, int(math.Round(children)))
				in := binomial(c.part("in school", district, (quintile*len(educations)+education)*len(sexes)+sex).Uniform(), n, logistic(logit))
				sheet.count(2068)
				sheet.text(nepalDistricts[district].name)
				sheet.count(quintile + 1)
				sheet.text(name)
				sheet.text(sexes[sex])
				sheet.counts(in, n-in)
				sheet.end()
			}
		}
	}
}

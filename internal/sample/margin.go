package sample

import (
	"cmp"
	"math"
	"slices"
)

// Grades of marginalisation, from the least deprived fifth to the most.
var grades = [5]string{"Muy bajo", "Bajo", "Medio", "Alto", "Muy alto"}

var municipalMarginHeader = []string{
	"CVE_ENT", "NOM_ENT", "CVE_MUN", "NOM_MUN", "POB_TOT", "ANALF", "SBASC", "OVSDE", "OVSEE", "OVSAE", "OVPT", "VHAC",
	"PL.5000", "PO2SM", "IM_2020", "GM_2020", "IMN_2020",
}

var urbanMarginHeader = []string{
	"CVE_AGEB", "ENT", "NOM_ENT", "MUN", "NOM_MUN", "LOC", "NOM_LOC", "AGEB", "POB_TOTAL", "P6A14NAE", "SBASC", "PSDSS",
	"OVSDE", "OVSEE", "OVSAE", "OVPT", "OVHAC", "OVSREF", "OVSINT", "OVSCEL", "IM_2020", "GM_2020", "IMN_2020",
}

// fifths gives for each value which fifth of all values it is in, 0 to 4; ties go by position.
func fifths(values []float64) []int {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(values[a], values[b]), cmp.Compare(a, b)) })
	fifth := make([]int, len(values))
	for rank, i := range order {
		fifth[i] = rank * len(grades) / len(order)
	}
	return fifth
}

// lacking turns a latent deprivation into a per cent of persons or dwellings without something.
func lacking(hardship, atZero float64) float64 { return 100 * logistic(atZero+hardship) }

// writeMunicipalMargin writes the index by municipality in CONAPO's layout IMM.
func (w *world) writeMunicipalMargin(p *press) error {
	people := make([]int, len(w.towns))
	villagers := make([]int, len(w.towns))
	hardship := make([]float64, len(w.towns))
	for i, town := range w.towns {
		for id := town.urban.from; id < town.rural.to; id++ {
			place := &w.places[id]
			people[i] += place.people
			hardship[i] += place.hardship * float64(place.people)
			if place.ageb == "" {
				villagers[i] += place.people
			}
		}
		hardship[i] /= float64(max(1, people[i]))
	}
	fifth := fifths(hardship)
	file := layout{mark: true, lineEnd: "\r\n", separator: ',', openEnd: true}
	return p.file("marginalization/synthetic_IMM.csv", file, municipalMarginHeader, func(sheet *sheet) error {
		for i, town := range w.towns {
			x := hardship[i]
			sheet.code(town.state+1, 2)
			sheet.text(states[town.state].name)
			sheet.code((town.state+1)*1000+town.code, 5)
			sheet.numbered("Municipio Sintético ", town.code, 3, "")
			sheet.count(people[i])
			for _, atZero := range []float64{-2.8, -0.8, -4, -4.5, -3.4, -3.2, -1.3} {
				sheet.decimal(lacking(x, atZero), 9)
			}
			sheet.decimal(100*float64(villagers[i])/float64(max(1, people[i])), 9)
			sheet.decimal(lacking(x, 0.9), 9)
			sheet.decimal(60-4*math.Exp(0.5*x), 9)
			sheet.text(grades[fifth[i]])
			sheet.decimal((60-4*math.Exp(0.5*x))/64, 9)
			sheet.end()
		}
		return p.ctx.Err()
	})
}

// writeUrbanMargin writes the index by AGEB in CONAPO's layout IMU. As in the published one, AGEBs with hardly any
// people have no row.
func (w *world) writeUrbanMargin(p *press) error {
	var ids []int
	var hardship []float64
	for id := range w.places {
		if place := &w.places[id]; place.ageb != "" && place.people >= 80 {
			ids = append(ids, id)
			hardship = append(hardship, place.hardship)
		}
	}
	fifth := fifths(hardship)
	file := layout{lineEnd: "\n", separator: ',', quoteTexts: true}
	return p.file("marginalization_ageb/synthetic_IMU.csv", file, urbanMarginHeader, func(sheet *sheet) error {
		for i, id := range ids {
			w.writeUrbanMarginRow(sheet, id, grades[fifth[i]])
		}
		return p.ctx.Err()
	})
}

func (w *world) writeUrbanMarginRow(sheet *sheet, id int, grade string) {
	place := &w.places[id]
	town := &w.towns[place.town]
	x := place.hardship
	key := appendPadded(nil, town.state+1, 2)
	key = appendPadded(key, town.code, 3)
	key = appendPadded(key, place.locality, 4)
	sheet.text(string(key) + place.ageb)
	sheet.code(town.state+1, 2)
	sheet.text(states[town.state].name)
	sheet.code(town.code, 3)
	sheet.numbered("Municipio Sintético ", town.code, 3, "")
	sheet.code(place.locality, 4)
	sheet.numbered("Localidad Sintética ", place.locality, 4, "")
	sheet.text(place.ageb)
	sheet.count(place.people)
	sheet.decimal(w.notAttending(id), 12)
	for _, atZero := range []float64{-1.2, -1.4, -5, -5.5, -4.3, -4, -1.9, -3, lackingAtZero[0], lackingAtZero[3]} {
		sheet.decimal(lacking(x, atZero), 12)
	}
	sheet.decimal(128-6*math.Exp(0.4*x), 12)
	sheet.text(grade)
	sheet.decimal((128-6*math.Exp(0.4*x))/128, 12)
	sheet.end()
}

// notAttending is the per cent of those of 6 to 14 who do not go to school, of the census's own figures.
func (w *world) notAttending(id int) float64 {
	var t tally
	w.tally(id, &t)
	absent := t.cells[column("P6A11_NOA")] + t.cells[column("P12A14NOA")]
	return 100 * float64(absent) / float64(max(1, t.cells[column("P_6A11")]+t.cells[column("P_12A14")]))
}

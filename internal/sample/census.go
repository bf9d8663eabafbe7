package sample

import (
	"math"
	"strings"

	"golang.org/x/text/encoding/charmap"
)

// censusHeader is a part of INEGI's layout RESAGEBURB of the 2020 census, in INEGI's order.
var censusHeader = []string{
	"ENTIDAD", "NOM_ENT", "MUN", "NOM_MUN", "LOC", "NOM_LOC", "AGEB", "MZA", "POBTOT", "POBFEM", "POBMAS",
	"P_15A17", "P15A17A", "GRAPROES", "TVIVHAB", "VIVPARH_CV", "VPH_TV", "VPH_PC", "VPH_CEL", "VPH_INTER", "VPH_SINTIC",
}

// figures are the census counts of a place, or of several together.
type figures struct {
	people, women, teens, pupils     int
	adults                           int
	schoolYears                      float64 // of all adults together
	inhabited, dwellings             int     // TVIVHAB, VIVPARH_CV
	tv, computer, mobile, net, noICT int
}

func (f *figures) add(other figures) {
	f.people += other.people
	f.women += other.women
	f.teens += other.teens
	f.pupils += other.pupils
	f.adults += other.adults
	f.schoolYears += other.schoolYears
	f.inhabited += other.inhabited
	f.dwellings += other.dwellings
	f.tv += other.tv
	f.computer += other.computer
	f.mobile += other.mobile
	f.net += other.net
	f.noICT += other.noICT
}

// figures gives the counts of a place.
func (w *world) figures(id int) figures {
	p := &w.places[id]
	f := figures{people: p.people, inhabited: p.dwellings}
	among := 0.512 + 0.5*w.chance.of("women", id).Normal()/math.Sqrt(float64(max(1, p.people)))
	f.women = share(p.people, clamp(among, 0, 1))
	f.teens = share(p.people, 0.052)
	f.pupils = share(f.teens, clamp(0.95-0.6*p.u3, 0.2, 0.98))
	f.adults = share(p.people, 0.74)
	f.schoolYears = p.schooling * float64(f.adults)
	// The census lacks the characteristics of one dwelling in fifty; a hamlet is known whole.
	f.dwellings = p.dwellings - p.dwellings/50
	f.net = share(f.dwellings, 1-p.lacks[0])
	f.computer = share(f.dwellings, 1-p.lacks[1])
	f.tv = share(f.dwellings, 1-p.lacks[2])
	f.mobile = share(f.dwellings, 1-p.lacks[3])
	f.noICT = share(f.dwellings, p.lacks[2]*p.lacks[3]*2)
	return f
}

func share(of int, x float64) int { return int(math.Round(float64(of) * x)) }

// writeCensus writes the census by AGEB, with the rows of totals that INEGI puts between them.
func (w *world) writeCensus(p *press) error {
	file := layout{page: charmap.Windows1252, lineEnd: "\r\n", separator: ','}
	return p.file("census_ageb/synthetic_RESAGEBURB.csv", file, censusHeader, func(sheet *sheet) error {
		for from := 0; from < len(w.towns); {
			to := from
			for to < len(w.towns) && w.towns[to].state == w.towns[from].state {
				to++
			}
			w.writeStateCensus(sheet, from, to)
			from = to
		}
		return p.ctx.Err()
	})
}

func (w *world) writeStateCensus(sheet *sheet, from, to int) {
	var total figures
	for town := from; town < to; town++ {
		total.add(w.townFigures(town))
	}
	row := censusRow{state: w.towns[from].state, level: "Total de la entidad"}
	row.write(sheet, total, nil)
	for town := from; town < to; town++ {
		w.writeTownCensus(sheet, town)
	}
}

// townFigures sums a municipality: its AGEBs and its villages, which have no row of their own.
func (w *world) townFigures(town int) figures {
	var total figures
	t := &w.towns[town]
	for id := t.urban.from; id < t.rural.to; id++ {
		total.add(w.figures(id))
	}
	return total
}

func (w *world) writeTownCensus(sheet *sheet, town int) {
	t := &w.towns[town]
	// Part of the municipalities went through a spreadsheet, which took the leading zeros.
	row := censusRow{state: t.state, town: t.code, level: "Total del municipio"}
	row.bare = w.chance.of("zeros lost", town).Uniform() < 0.25
	row.write(sheet, w.townFigures(town), nil)
	for from := t.urban.from; from < t.urban.to; {
		to, locality := from, w.places[from].locality
		var total figures
		for to < t.urban.to && w.places[to].locality == locality {
			total.add(w.figures(to))
			to++
		}
		row.locality, row.ageb, row.level = locality, "", "Total de la localidad urbana"
		row.write(sheet, total, nil)
		row.level = "Total AGEB urbana"
		for id := from; id < to; id++ {
			row.ageb = w.places[id].ageb
			row.write(sheet, w.figures(id), w.maskOf(id))
		}
		from = to
	}
}

// censusRow is the key of a row; what it does not say is zero in the file, which marks a row of totals.
type censusRow struct {
	state, town, locality int
	ageb                  string
	level                 string
	bare                  bool // leading zeros lost, but for the state's
}

func (r censusRow) write(sheet *sheet, f figures, mask func(column string) string) {
	width := func(n int) int {
		if r.bare {
			return 1
		}
		return n
	}
	ageb := r.ageb
	if ageb == "" {
		ageb = "0000"
	}
	if r.bare && !strings.HasSuffix(ageb, "A") {
		// A code that ends in A was no number to the spreadsheet, and kept its zeros.
		ageb = strings.TrimLeft(ageb[:3], "0") + ageb[3:]
	}
	sheet.code(r.state+1, 2)
	sheet.text(states[r.state].name)
	sheet.code(r.town, width(3))
	if r.town == 0 {
		sheet.text("Total de la entidad " + states[r.state].name)
	} else {
		sheet.numbered("Municipio Sintético ", r.town, 3, "")
	}
	sheet.code(r.locality, width(4))
	sheet.text(r.level)
	sheet.text(ageb)
	sheet.code(0, width(3))
	f.write(sheet, mask)
	sheet.end()
}

// write writes the figures; mask may give another text for a column.
func (f figures) write(sheet *sheet, mask func(column string) string) {
	masked := func(column string) bool {
		if mask == nil {
			return false
		}
		text := mask(column)
		if text != "" {
			sheet.text(text)
		}
		return text != ""
	}
	count := func(column string, n int) {
		if !masked(column) {
			sheet.count(n)
		}
	}
	sheet.count(f.people)
	count("POBFEM", f.women)
	count("POBMAS", f.people-f.women)
	count("P_15A17", f.teens)
	count("P15A17A", f.pupils)
	if !masked("GRAPROES") {
		sheet.decimal(f.schoolYears/float64(max(1, f.adults)), 2)
	}
	sheet.count(f.inhabited)
	count("VIVPARH_CV", f.dwellings)
	count("VPH_TV", f.tv)
	count("VPH_PC", f.computer)
	count("VPH_CEL", f.mobile)
	count("VPH_INTER", f.net)
	count("VPH_SINTIC", f.noICT)
}

// maskOf gives the mask of an AGEB: all of it where one or two dwellings stand, single cells elsewhere, about as
// often as in the published files.
func (w *world) maskOf(id int) func(column string) string {
	dwellings := w.places[id].dwellings
	return func(column string) string {
		u := w.chance.of("mask", id).Text(".").Text(column).Uniform()
		switch {
		case dwellings == 0 && column == "GRAPROES":
			return "N/D"
		case dwellings == 1 || dwellings == 2:
			return "*"
		case dwellings == 0:
			return ""
		case column == "P15A17A" && u < 0.05, column == "VPH_INTER" && u < 0.02, column == "GRAPROES" && u < 0.006,
			column == "VPH_SINTIC" && u < 0.08, column == "VPH_PC" && u < 0.01:
			return "*"
		case u > 0.998 && strings.HasPrefix(column, "VPH_"), column == "GRAPROES" && u > 0.996:
			return "N/D"
		}
		return ""
	}
}

package sample

import (
	"math"
	"slices"
	"strings"

	"golang.org/x/text/encoding/charmap"
)

// censusHeader is INEGI's layout RESAGEBURB of the 2020 census.
var censusHeader = append([]string{"ENTIDAD", "NOM_ENT", "MUN", "NOM_MUN", "LOC", "NOM_LOC", "AGEB", "MZA"}, censusIndicators...)

// figures are the census counts of a place that the rest of the world hangs together with.
type figures struct {
	people, women, teens, pupils     int
	adults                           int
	schoolYears                      float64 // of all adults together
	inhabited, dwellings             int     // TVIVHAB, VIVPARH_CV
	tv, computer, mobile, net, noICT int
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
			if err := w.writeStateCensus(p, sheet, from, to); err != nil {
				return err
			}
			from = to
		}
		return nil
	})
}

// writeStateCensus counts a state twice, as its total stands first: that takes less than to keep it all.
func (w *world) writeStateCensus(p *press, sheet *sheet, from, to int) error {
	var total, one tally
	var places []tally
	for town := from; town < to; town++ {
		one, places = w.townTally(town, places)
		total.add(&one)
	}
	row := censusRow{state: w.towns[from].state, level: "Total de la entidad"}
	row.write(sheet, &total, nil)
	for town := from; town < to; town++ {
		if err := p.ctx.Err(); err != nil {
			return err
		}
		one, places = w.townTally(town, places)
		w.writeTownCensus(sheet, town, &one, places)
	}
	return nil
}

// townTally counts a municipality: its AGEBs and its villages, which have no row of their own. It gives the total, and
// each place, in a slice that it may take from the last call.
func (w *world) townTally(town int, places []tally) (total tally, each []tally) {
	t := &w.towns[town]
	each = slices.Grow(places[:0], t.rural.to-t.urban.from)[:t.rural.to-t.urban.from]
	for i := range each {
		w.tally(t.urban.from+i, &each[i])
		total.add(&each[i])
	}
	return total, each
}

func (w *world) writeTownCensus(sheet *sheet, town int, total *tally, places []tally) {
	t := &w.towns[town]
	// Part of the municipalities went through a spreadsheet, which took the leading zeros.
	row := censusRow{state: t.state, town: t.code, level: "Total del municipio"}
	row.bare = w.chance.of("zeros lost", town).Uniform() < 0.25
	row.write(sheet, total, nil)
	for from := t.urban.from; from < t.urban.to; {
		to, locality := from, w.places[from].locality
		var total tally
		for to < t.urban.to && w.places[to].locality == locality {
			total.add(&places[to-t.urban.from])
			to++
		}
		row.locality, row.ageb, row.level = locality, "", "Total de la localidad urbana"
		row.write(sheet, &total, nil)
		row.level = "Total AGEB urbana"
		for id := from; id < to; id++ {
			row.ageb = w.places[id].ageb
			row.write(sheet, &places[id-t.urban.from], w.maskOf(id))
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

func (r censusRow) write(sheet *sheet, t *tally, mask func(column int) string) {
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
	t.write(sheet, mask)
	sheet.end()
}

// write writes the figures; mask, if any, may give another text for a column.
func (t *tally) write(sheet *sheet, mask func(column int) string) {
	hidden := ""
	for i := range censusIndicators {
		text := ""
		if mask != nil {
			text = mask(i)
		}
		switch {
		case i == colPupils || i == colSchooling:
			hidden = text
		case text == "" && (partOf(i, colPupils) || partOf(i, colSchooling)):
			text = hidden // who knew the women and the men would know the whole
		}
		number, isRatio := censusRatios[i], censusRatios[i].times != 0
		switch {
		case text != "":
			sheet.text(text)
		case partOf(i, colSchooling) || i == colSchooling:
			years := t.schoolYears / float64(max(1, t.cells[colAdults]))
			sheet.decimal(years*[3]float64{1, 0.985, 1.016}[i-colSchooling], 2)
		case isRatio && t.cells[number.below] == 0:
			sheet.text("N/D")
		case isRatio:
			sheet.decimal(number.times*float64(t.cells[number.above])/float64(t.cells[number.below]), 2)
		case mask != nil && secret[i] && (t.cells[i] == 1 || t.cells[i] == 2):
			sheet.text("*")
		default:
			sheet.count(t.cells[i])
		}
	}
}

// partOf says whether a column is the women or the men of a whole.
func partOf(column, whole int) bool { return column == whole+1 || column == whole+2 }

// maskOf gives the mask of an AGEB: all of it but the numbers of people and dwellings where one or two dwellings stand,
// single cells elsewhere, about as often as in the published files.
func (w *world) maskOf(id int) func(column int) string {
	dwellings := w.places[id].dwellings
	draws := w.chance.of("mask", id).Text(".")
	return func(column int) string {
		switch {
		case column == colPeople || column == colInhabited || column == colAllDwellings:
			return ""
		case dwellings == 0 && column == colSchooling:
			return "N/D"
		case dwellings == 1 || dwellings == 2:
			return "*"
		case dwellings == 0 || secret[column]:
			return ""
		}
		u := draws.Text(censusIndicators[column]).Uniform()
		switch {
		case column == colPupils && u < 0.05, column == colNet && u < 0.02, column == colSchooling && u < 0.006,
			column == colNoICT && u < 0.08, column == colPC && u < 0.01:
			return "*"
		case u > 0.998 && strings.HasPrefix(censusIndicators[column], "VPH_"), column == colSchooling && u > 0.996:
			return "N/D"
		}
		return ""
	}
}

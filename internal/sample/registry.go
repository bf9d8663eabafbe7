package sample

import (
	"fmt"

	"golang.org/x/text/encoding/charmap"
)

// registryHeader is the layout of the Jalisco file of the 911 statistics, its blank and its spelling included.
var registryHeader = []string{
	"CLAVE CT", "NOM TURNO", "NOMBRE CT", "DOMICILIO", "LOCALIDAD INEGI", " NOMBRE LOCALIDAD", "NOMBRE COLONIA",
	"MUNICIPIO", "NOMBRE MUNICIPIO", "SOSTENIMIENTO", "NIVEL", "PROGRAMA",
	"HOMBRES 1°", "MUJERES 1°", "TOTAL 1°", "HOMBRES 2°", "MUJERES 2°", "TOTAL 2°",
	"HOMBRES 3°", "MUJERES 3°", "TOTAL 3°", "HOMBRES 4°", "MUJERES 4°", "TOTAL 4°",
	"HOMBRES 5°", "MUJERES 5°", "TOTAL 5°", "HOMBRES 6°", "MUJERES 6°", "TOTAL 6°",
	"HOMBRES TOTAL", "MUJERES TOTAL", "MATRICULA TOTAL", "DOCENTES", "GRUPOS",
	"DOCENETE EDUCACION FISICA", "DOCENTE ACTIVIDADES ARTISTICAS", "DOCENTE ACTIVIDADES TECNONOLOGICAS",
	"DOCENTE DE IDIOMAS", "PERSONAL DE ADMINISTRATIVO Y SERVICIOS", "DIRECTOR CON GRUPO", "DIRECTOR SIN GRUPO",
	"TOTAL DE PERSONAL",
}

// registryFiles are three offices with three ways to write a file; each has the states from the last one's on.
var registryFiles = []struct {
	name      string
	lastState int
	layout    layout
}{
	{"synthetic_registry_1.csv", 11, layout{page: charmap.Macintosh, lineEnd: "\r", separator: ','}},
	{"synthetic_registry_2.csv", 22, layout{mark: true, lineEnd: "\r\n", separator: ','}},
	{"synthetic_registry_3.csv", 32, layout{page: charmap.Windows1252, lineEnd: "\n", separator: ','}},
}

// writeRegistry writes the three files of the registry.
func (w *world) writeRegistry(p *press) error {
	keys := newKeyring()
	at := 0
	for _, file := range registryFiles {
		err := p.file("registry/"+file.name, file.layout, registryHeader, func(sheet *sheet) error {
			for ; at < len(w.schools) && w.stateOf(at) <= file.lastState; at++ {
				w.writeSchool(sheet, at)
				if err := w.writeOutOfScope(sheet, at, keys); err != nil {
					return err
				}
				if err := p.step(); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// stateOf gives the code of a school's state.
func (w *world) stateOf(id int) int { return w.towns[w.places[w.schools[id].place].town].state + 1 }

func (w *world) writeSchool(sheet *sheet, id int) {
	s := &w.schools[id]
	kind := &kinds[s.kind]
	support := kind.support[0]
	if w.letters(s.site, s.kind) != kind.letters[0] {
		support = kind.support[1]
	}
	sheet.text(s.cct)
	sheet.text(s.shift)
	sheet.numbered("ESCUELA SINTÉTICA ", s.site+1, 6, " (DATOS SINTÉTICOS)")
	w.writeAddress(sheet, s.site, &w.places[s.place])
	sheet.text(support)
	sheet.text(kind.level)
	sheet.text(kind.programme)
	writeGrades(sheet, &s.boys, &s.girls)
	w.writeStaff(sheet, id, s)
	// One row in 499 stands twice, as rows of a hand-made list do.
	sheet.endTimes(1 + b2i(id%499 == 7))
}

// writeAddress writes DOMICILIO to NOMBRE MUNICIPIO. Codes have lost their leading zeros, as in the real file.
func (w *world) writeAddress(sheet *sheet, site int, place *place) {
	number := 1 + int(w.chance.of("street", site).Uniform()*400)
	if number%40 == 0 {
		sheet.text(fmt.Sprintf("AVENIDA SINTÉTICA NÚM. %d, ESQUINA CON CALLE PEÑA", number))
	} else {
		sheet.numbered("CALLE SINTÉTICA DE LOS NIÑOS NÚM. ", number, 1, "")
	}
	sheet.count(place.locality)
	sheet.numbered("LOCALIDAD SINTÉTICA ", place.locality, 4, "")
	if number%5 < 3 {
		sheet.count(0) // the publisher's way to say that it does not know the quarter
	} else {
		sheet.numbered("COLONIA SINTÉTICA ", number, 1, "")
	}
	town := &w.towns[place.town]
	sheet.count(town.code)
	sheet.numbered("MUNICIPIO SINTÉTICO ", town.code, 3, "")
}

func writeGrades(sheet *sheet, boys, girls *[6]int) {
	allBoys, allGirls := 0, 0
	for g := range boys {
		sheet.counts(boys[g], girls[g], boys[g]+girls[g])
		allBoys += boys[g]
		allGirls += girls[g]
	}
	sheet.counts(allBoys, allGirls, allBoys+allGirls)
}

func (w *world) writeStaff(sheet *sheet, id int, s *school) {
	var sport, arts, technics, languages, service, headTeaching, head int
	switch {
	case s.groups >= 6:
		sport, head = 1, 1
		arts = int(w.chance.of("arts", id).Uniform() * 2)
		service = 1 + s.groups/4
		if kinds[s.kind].level == secondary {
			technics = s.groups / 6
		}
	default:
		headTeaching = b2i(s.teachers > 1)
	}
	if kinds[s.kind].name == "private" {
		languages = 1
	}
	sheet.counts(s.teachers, s.groups, sport, arts, technics, languages, service, headTeaching, head)
	sheet.count(s.teachers + sport + arts + technics + languages + service + head)
}

// writeOutOfScope writes a preschool beside every ninth school, and an upper secondary school beside every 29th; of
// the latter every tenth has one key and shift for two programmes, and some have no teachers, as in the real file.
func (w *world) writeOutOfScope(sheet *sheet, id int, keys *keyring) error {
	if id%9 == 4 {
		cct, err := keys.next(w.stateOf(id), "DJN")
		if err != nil {
			return err
		}
		other := school{cct: cct, groups: 3, teachers: 3}
		w.writeOther(sheet, id, &other, [4]string{"JARDÍN DE NIÑOS", "FEDERALIZADO", "PREESCOLAR", "GENERAL"})
	}
	if id%29 == 5 {
		cct, err := keys.next(w.stateOf(id), "EBH")
		if err != nil {
			return err
		}
		other := school{cct: cct, groups: 6, teachers: 12}
		w.writeOther(sheet, id, &other, [4]string{"BACHILLERATO", "ESTATAL", "BACHILLERATO", "GENERAL"})
		if id%290 == 5 {
			other.teachers = 0
			w.writeOther(sheet, id, &other, [4]string{"BACHILLERATO", "ESTATAL", "BACHILLERATO", "TECNOLOGICO"})
		}
	}
	return nil
}

// writeOther writes a school of another level, next door to a school of ours. Words are its name, SOSTENIMIENTO,
// NIVEL and PROGRAMA.
func (w *world) writeOther(sheet *sheet, id int, s *school, words [4]string) {
	for g := range 3 {
		pupils := lognormal(w.chance.part(words[2]+words[3], id, g), float64(6*s.groups), 0.4)
		s.boys[g] = pupils / 2
		s.girls[g] = pupils - pupils/2
	}
	sheet.text(s.cct)
	sheet.text("MATUTINO")
	sheet.numbered(words[0]+" SINTÉTICO ", id+1, 6, " (DATOS SINTÉTICOS)")
	w.writeAddress(sheet, id, &w.places[w.schools[id].place])
	for _, word := range words[1:] {
		sheet.text(word)
	}
	writeGrades(sheet, &s.boys, &s.girls)
	sheet.counts(s.teachers, s.groups, 0, 0, 0, 0, 2, 0, 1, s.teachers+3)
	sheet.end()
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

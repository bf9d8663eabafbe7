package sample

// buildingsHeader is invented, in the spirit of the school census of 2013 (CEMABE).
var buildingsHeader = []string{
	"CLAVE_CT", "TURNO", "CVE_ENT", "CVE_MUN", "CVE_LOC", "CVE_AGEB",
	"AGUA", "DRENAJE", "SANITARIOS", "LAVAMANOS", "AULAS",
}

// services are the four of METHODS 2.2 with the logit of having them in a middling town, and what a rural school and
// deprivation take away.
var services = []struct {
	name                   string
	atZero, rural, poverty float64
}{
	{"AGUA", 2.2, 1.1, 0.5},
	{"DRENAJE", 2.0, 1.5, 0.6},
	{"SANITARIOS", 3.2, 0.7, 0.4},
	{"LAVAMANOS", 1.0, 0.8, 0.5},
}

// writeBuildings writes one row for each shift: a building is described again for everyone who uses it.
func (w *world) writeBuildings(p *press) error {
	file := layout{lineEnd: "\n", separator: ','}
	return p.file("buildings/synthetic_buildings.csv", file, buildingsHeader, func(sheet *sheet) error {
		for id := range w.schools {
			if err := p.step(); err != nil {
				return err
			}
			// Whoever took the census did not get to 8 % of the sites.
			if s := &w.schools[id]; w.chance.of("not visited", s.site).Uniform() >= 0.08 {
				w.writeBuilding(sheet, id)
			}
		}
		return nil
	})
}

func (w *world) writeBuilding(sheet *sheet, id int) {
	s := &w.schools[id]
	place := &w.places[s.place]
	sheet.text(s.cct)
	sheet.text(s.shift)
	sheet.code(w.stateOf(id), 2)
	sheet.code(w.towns[place.town].code, 3)
	sheet.code(place.locality, 4)
	if place.ageb != "" && s.site%173 == 3 {
		sheet.text(place.ageb[:3] + "-" + place.ageb[3:]) // as maps print it
	} else {
		sheet.text(place.ageb)
	}
	for i := range services {
		w.writeAnswer(sheet, w.hasService(s.site, i), s.site, i)
	}
	w.writeRooms(sheet, s)
	sheet.end()
}

// hasService is drawn for the site, so that the shifts of one building agree.
func (w *world) hasService(site, service int) bool {
	place := &w.places[w.schools[site].place]
	at := services[service]
	logit := at.atZero - at.poverty*w.towns[place.town].hardship
	if place.ageb == "" {
		logit -= at.rural
	}
	return w.chance.of(at.name, site).Uniform() < logistic(logit)
}

// writeAnswer writes 1 or 0, or, in three of a hundred, that nobody knows.
func (w *world) writeAnswer(sheet *sheet, yes bool, site, service int) {
	switch u := w.chance.part("answer", site, service).Uniform(); {
	case u < 0.02:
		sheet.empty(1)
	case u < 0.03:
		sheet.text("N/D")
	default:
		sheet.count(b2i(yes))
	}
}

// writeRooms writes the classrooms: about one a class of the larger shift, sometimes too few, seldom none.
func (w *world) writeRooms(sheet *sheet, s *school) {
	first := &w.schools[s.site]
	rooms := first.groups
	if first.shifts == 2 {
		rooms = max(rooms, w.schools[s.site+1].groups)
	}
	switch u := w.chance.of("rooms", s.site).Uniform(); {
	case u < 0.005:
		rooms = 0
	case u < 0.015:
		sheet.empty(1)
		return
	case u < 0.15:
		rooms = max(1, rooms*3/4)
	case u > 0.7:
		rooms += 1 + rooms/6
	}
	sheet.count(rooms)
}

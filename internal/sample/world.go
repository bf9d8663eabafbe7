package sample

import "math"

// world is everything that the files of mx tell about, before a publisher has spoilt any of it.
type world struct {
	chance  chance
	towns   []town
	places  []place
	schools []school
}

// town is a municipality.
type town struct {
	state    int // position in states
	code     int
	hardship float64 // latent deprivation of its middle neighbourhood
	effect   float64 // v of METHODS 12
	weight   float64 // share of the state's schools
	urban    span    // its AGEBs in world.places
	rural    span    // its rural localities in world.places
}

// span is a stretch of a slice.
type span struct{ from, to int }

func (s span) len() int { return s.to - s.from }

// place is an urban AGEB or a rural locality: where a school's families live.
type place struct {
	town      int
	locality  int
	ageb      string // four characters; empty for a rural locality
	hardship  float64
	lacks     [4]float64 // share of dwellings without internet, computer, television, mobile telephone
	u2, u3    float64    // as in METHODS 2.1
	schooling float64    // GRAPROES: mean years of adults
	dwellings int
	people    int
}

// Spreads of the latent deprivation, chosen so that the shares of dwellings lacking each good have the national
// means of the 2020 census (about .48 internet, .62 computer, .09 television, .12 mobile telephone).
const (
	spreadTowns  = 0.5
	spreadPlaces = 0.55
	ruralStep    = 1.0 // a rural locality's latent deprivation above its municipality's towns
	likeness     = 0.6 // correlation of U2 and U3 within a municipality (METHODS 12)
)

var lackingAtZero = [4]float64{-0.25, 0.35, -2.6, -2.25} // logits: internet, computer, television, mobile telephone

// newWorld draws the municipalities, their places and their schools.
func newWorld(p *press, options Options) (*world, error) {
	// Exactly as large as it gets: what grows by doubling would need twice the memory.
	w := &world{chance: newChance(options.Seed), schools: make([]school, 0, options.Schools)}
	keys := newKeyring()
	for i, schools := range schoolsByState(options.Schools) {
		if schools == 0 {
			continue
		}
		first := len(w.towns)
		w.settle(i, schools)
		if err := w.enrol(p, i, first, schools, keys); err != nil {
			return nil, err
		}
	}
	w.tell()
	return w, nil
}

// settle draws the municipalities and places of a state: about one municipality for 50 schools, and 0.46 AGEBs for a
// school, since the country has some 64,000 urban AGEBs and 140,000 such schools.
func (w *world) settle(state, schools int) {
	// The codes of municipalities, and of AGEBs within one, have three digits.
	towns := min(max(1, min(schools/8, max(2, schools/50))), 999)
	agebs := max(towns, int(math.Round(0.46*float64(schools))))
	first := len(w.towns)
	weights := make([]float64, towns)
	for i := range towns {
		id := first + i
		weights[i] = math.Exp(0.7 * w.chance.of("town size", id).Normal())
		w.towns = append(w.towns, town{
			state:    state,
			code:     i + 1,
			hardship: 0.6*states[state].hardship + spreadTowns*w.chance.of("town hardship", id).Normal(),
			effect:   0.35 * w.chance.of("v", id).Normal(),
			weight:   weights[i],
		})
	}
	// One AGEB for each town beforehand, or an urban school might find none.
	for i, share := range apportion(agebs-towns, weights) {
		town := &w.towns[first+i]
		town.urban.from = len(w.places)
		for k := range min(share+1, 999) {
			w.places = append(w.places, w.neighbourhood(first+i, k))
		}
		town.urban.to, town.rural.from = len(w.places), len(w.places)
		for k := range max(1, share*3/4) {
			w.places = append(w.places, w.village(first+i, k))
		}
		town.rural.to = len(w.places)
	}
}

// neighbourhood draws an urban AGEB: the k-th of its municipality.
func (w *world) neighbourhood(town, k int) place {
	id := len(w.places)
	p := w.place(town, id, 0)
	p.locality = 1 + k/12
	p.ageb = agebCode(k + 1)
	p.dwellings = lognormal(w.chance.of("dwellings", id), 330, 0.6)
	switch u := w.chance.of("ageb kind", id).Uniform(); {
	case u < 0.003: // a park, a factory: an AGEB where nobody lives
		p.dwellings = 0
	case u < 0.008: // so few that INEGI masks them
		p.dwellings = 1 + int(u*1e6)%2
	}
	p.people = int(math.Round(float64(p.dwellings) * (3.6 + 0.2*w.chance.of("household", id).Normal())))
	return p
}

// village draws a rural locality: the k-th of its municipality. Rural codes begin at 0101, above any urban one.
func (w *world) village(town, k int) place {
	id := len(w.places)
	p := w.place(town, id, ruralStep)
	p.locality = 101 + k
	p.dwellings = 3 + lognormal(w.chance.of("dwellings", id), 60, 0.9)
	p.people = int(math.Round(float64(p.dwellings) * 3.9))
	return p
}

func (w *world) place(town, id int, step float64) place {
	z2 := w.chance.of("u2", id).Normal()
	z3 := likeness*z2 + math.Sqrt(1-likeness*likeness)*w.chance.of("u3", id).Normal()
	p := place{town: town, hardship: w.towns[town].hardship + step + spreadPlaces*z2}
	for i, atZero := range lackingAtZero {
		p.lacks[i] = logistic(atZero + p.hardship)
		p.u2 += p.lacks[i] / float64(len(p.lacks))
	}
	// The rural step of U3 is small: a larger one would lift the correlation above 0.6 where villages and towns mix.
	short := 0.2 + 0.07*w.towns[town].hardship + 0.03*step + 0.055*z3
	// U3 is cut at twelve years of school; what the census reports is not.
	p.schooling = 12 * (1 - min(short, 0.95))
	p.u3 = clamp(short, 0, 0.95)
	return p
}

// agebCode writes the n-th AGEB of a municipality: three digits and a check digit or A.
func agebCode(n int) string {
	code := appendPadded(nil, n, 3)
	if check := n * 7 % 11; check < 10 {
		return string(append(code, byte('0'+check)))
	}
	return string(append(code, 'A'))
}

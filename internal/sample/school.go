package sample

import (
	"fmt"
	"math"
)

// kind is what a school is, in the words of METHODS 4 (strata).
type kind struct {
	name       string
	level      string
	programme  string    // PROGRAMA of the registry
	letters    [2]string // the third to fifth character of the CCT
	support    [2]string // SOSTENIMIENTO, for each of letters
	ruralLogit float64   // of being in a rural locality
	urbanSize  float64   // median pupils in a town
	ruralSize  float64   // and in a village
	spread     float64   // of the logarithm of the pupils
}

const (
	primary   = "PRIMARIA"
	secondary = "SECUNDARIA"
)

// Who runs a school: the word of the registry for each of the two class letters that a kind may have.
var (
	byEither   = [2]string{"FEDERALIZADO", "ESTATAL"}
	byNation   = [2]string{"FEDERALIZADO", "FEDERALIZADO"}
	byCONAFE   = [2]string{"FEDERAL", "FEDERAL"}
	byPrivates = [2]string{"PARTICULAR", "PARTICULAR"}
)

// kinds of primary and secondary schools. The letters follow METHODS 7; sizes and shares are rough national ones,
// after the SEP report named in states.go.
var kinds = []kind{
	{"general", primary, "GENERAL", [2]string{"DPR", "EPR"}, byEither, -0.3, 240, 75, 0.6},
	{"indigenous", primary, "INDIGENA", [2]string{"DPB", "DPB"}, byNation, 2, 130, 60, 0.7},
	{"community", primary, "CONAFE", [2]string{"KPR", "KPR"}, byCONAFE, 99, 10, 10, 0.5},
	{"private", primary, "GENERAL", [2]string{"PPR", "PPR"}, byPrivates, -3, 130, 80, 0.7},
	{"general", secondary, "GENERAL", [2]string{"DES", "EES"}, byEither, -1.5, 360, 150, 0.6},
	{"technical", secondary, "TECNICA", [2]string{"DST", "EST"}, byEither, -1, 380, 170, 0.6},
	{"telesecundaria", secondary, "TELESECUNDARIA", [2]string{"DTV", "DTV"}, byNation, 1.8, 110, 50, 0.6},
	{"community", secondary, "CONAFE", [2]string{"KTV", "KTV"}, byCONAFE, 99, 9, 9, 0.5},
	{"private", secondary, "GENERAL", [2]string{"PES", "PES"}, byPrivates, -3, 90, 60, 0.7},
}

// grades is how many grades the kind's level has.
func (k kind) grades() int {
	if k.level == primary {
		return 6
	}
	return 3
}

// outlying says whether METHODS 12 gives the kind its "indigenous or community" term.
func (k kind) outlying() bool { return k.name == "indigenous" || k.name == "community" }

// school is one school-shift, the unit of the Mexican sample.
type school struct {
	cct      string
	shift    string
	kind     int // position in kinds
	place    int
	site     int // the school-shift that came first under the same CCT; itself if there is one shift only
	shifts   int // of the CCT
	boys     [6]int
	girls    [6]int
	teachers int
	groups   int
	tested   int
	eta      float64
	maths    float64
	missing  bool
}

func (s *school) pupils() int {
	total := 0
	for g := range s.boys {
		total += s.boys[g] + s.girls[g]
	}
	return total
}

// enrol draws the schools of a state until there are exactly so many school-shifts.
func (w *world) enrol(p *press, state, firstTown, schools int, keys *keyring) error {
	towns := w.towns[firstTown:]
	sizes := make([]float64, len(towns))
	for i, town := range towns {
		sizes[i] = town.weight
	}
	for end := len(w.schools) + schools; len(w.schools) < end; {
		if err := p.step(); err != nil {
			return err
		}
		id := len(w.schools)
		s := school{site: id, shifts: 1, kind: w.drawKind(id, state)}
		town := &towns[pick(w.chance.of("town", id).Uniform(), sizes...)]
		rural := w.isRural(id, town, kinds[s.kind])
		s.place = w.drawPlace(id, town, rural)
		cct, err := keys.next(state+1, w.letters(id, s.kind))
		if err != nil {
			return err
		}
		s.cct = cct
		s.shift = w.drawShift(id, s.kind, rural)
		double := s.shift == "MATUTINO" && w.hasSecondShift(id, s.kind, rural)
		if double && id+1 < end {
			s.shifts = 2
			w.fill(id, &s, rural)
			second := s
			second.shift = "VESPERTINO"
			w.fill(id+1, &second, rural)
			w.schools = append(w.schools, s, second)
			continue
		}
		w.fill(id, &s, rural)
		w.schools = append(w.schools, s)
	}
	return nil
}

// drawKind follows the national shares: 72 % primary; of the primaries a tenth community and a tenth private, of the
// secondaries 44 % telesecundaria. Poor states have more indigenous and community schools, rich ones more private.
func (w *world) drawKind(id, state int) int {
	at := &states[state]
	private := math.Exp(-0.6 * at.hardship)
	community := math.Exp(0.5 * at.hardship)
	u := w.chance.of("kind", id).Uniform()
	if w.chance.of("level", id).Uniform() < 0.72 {
		public := 0.8
		return pick(u, public*(1-at.indigenous), public*at.indigenous, 0.08*community, 0.095*private)
	}
	return 4 + pick(u, 0.28, 0.12, 0.44*math.Exp(0.2*at.hardship), 0.05*community, 0.11*private)
}

func (w *world) letters(id, kind int) string {
	if w.chance.of("support", id).Uniform() < 0.75 {
		return kinds[kind].letters[0]
	}
	return kinds[kind].letters[1]
}

func (w *world) isRural(id int, town *town, kind kind) bool {
	return w.chance.of("rural", id).Uniform() < logistic(kind.ruralLogit+0.6*town.hardship)
}

func (w *world) drawPlace(id int, town *town, rural bool) int {
	within := town.urban
	if rural {
		within = town.rural
	}
	return within.from + int(w.chance.of("place", id).Uniform()*float64(within.len()))
}

// drawShift gives the shift of a school with one; a morning school may get an afternoon shift beside it.
func (w *world) drawShift(id, kind int, rural bool) string {
	u := w.chance.of("shift", id).Uniform()
	switch {
	case kinds[kind].name == "community":
		return "MATUTINO"
	case u < 0.06:
		return "CONTINUO (JORNADA AMPLIADA)"
	case u < 0.08:
		return "CONTINUO (TIEMPO COMPLETO)"
	case u < 0.082:
		return "DISCONTINUO"
	case u < 0.20 && !rural && kinds[kind].name != "private":
		return "VESPERTINO"
	case u > 0.995 && kinds[kind].level == secondary:
		return "NOCTURNO"
	}
	return "MATUTINO"
}

// hasSecondShift makes about 9 % of all CCTs have two: only public schools of towns do.
func (w *world) hasSecondShift(id, kind int, rural bool) bool {
	name := kinds[kind].name
	return !rural && (name == "general" || name == "technical") && w.chance.of("second", id).Uniform() < 0.30
}

// keyring hands out CCTs that nobody has had yet.
type keyring struct{ used map[string]int }

func newKeyring() *keyring { return &keyring{used: map[string]int{}} }

// keysOfSeries is how many keys have the same state and letters.
const keysOfSeries = 9999

// spareLetters stand for the fourth and fifth letter of a key when all numbers under these letters are given away,
// which only happens in a world of more schools than the country has. Followed by A, B, C and so on, they mean nothing
// to any ministry.
var spareLetters = map[string]string{
	"PR": "W", "PB": "X", "ES": "Y", "ST": "Z", "TV": "Q", "JN": "U", "BH": "V",
}

// next makes the next key of a state and kind. Numbers go down from 9999, where hardly a real school is found, so
// that an invented key is not easily taken for that of a school one knows.
func (k *keyring) next(state int, letters string) (string, error) {
	prefix := string(appendPadded(nil, state, 2)) + letters
	used := k.used[prefix]
	k.used[prefix]++
	key := []byte(prefix)
	if series := used / keysOfSeries; series > 0 {
		spare, known := spareLetters[letters[1:]]
		if !known || series > 26 {
			return "", fmt.Errorf("more keys that begin with %s than there are letters for: ask for fewer schools", prefix)
		}
		key[3], key[4] = spare[0], byte('A'+series-1)
	}
	key = appendPadded(key, keysOfSeries-used%keysOfSeries, 4)
	return string(append(key, checkLetter(key))), nil
}

// checkLetter is the tenth character of a CCT (METHODS 7): the letters as two digits each, A = 01, weights 7 and 26.
func checkLetter(key []byte) byte {
	sum, position := 0, 0
	add := func(digit int) {
		weight := 7
		if position%2 == 1 {
			weight = 26
		}
		sum += weight * digit
		position++
	}
	for _, c := range key {
		if c >= 'A' {
			n := int(c-'A') + 1
			add(n / 10)
			add(n % 10)
			continue
		}
		add(int(c - '0'))
	}
	return "ABCDEFGHIJKLMNOPQRSTUVWXYZZ"[sum%27]
}

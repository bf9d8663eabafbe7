package sample

import "strings"

// censusWidth is how many figures a tally has: 222 columns and two hidden ones.
const censusWidth = 224

// tally is all that the census counts in a place, or in several together.
type tally struct {
	cells       [censusWidth]int
	schoolYears float64 // of all adults together
}

func (t *tally) add(other *tally) {
	for i, n := range other.cells {
		t.cells[i] += n
	}
	t.schoolYears += other.schoolYears
}

// Numbers of the columns that figures knows.
var (
	colPeople, colWomen, colMen = column("POBTOT"), column("POBFEM"), column("POBMAS")
	colTeens, colPupils         = column("P_15A17"), column("P15A17A")
	colAdults, colSchooling     = column("P_15YMAS"), column("GRAPROES")
	colInhabited, colDwellings  = column("TVIVHAB"), column("VIVPARH_CV")
	colTV, colPC, colMobile     = column("VPH_TV"), column("VPH_PC"), column("VPH_CEL")
	colNet, colNoICT            = column("VPH_INTER"), column("VPH_SINTIC")
	colFertile, colAllDwellings = column("P_15A49_F"), column("VIVTOT")
)

// ages are groups that all ages of the census are made of: which share of the children (before the 15th birthday), or
// of those above 18, is in or below the group, and the columns that hold it: those with women and men behind them, and
// the one without.
var ages = []struct {
	upTo   float64
	wholes []int
	single int
}{
	{0.19, columns("P_0A2"), column("POB0_14")},
	{0.39, columns("P_3A5 P_3YMAS"), column("POB0_14")},
	{0.525, columns("P_6A11 P_3YMAS P_5YMAS"), column("POB0_14")},
	{0.795, columns("P_6A11 P_8A14 P_3YMAS P_5YMAS"), column("POB0_14")},
	{1, columns("P_12A14 P_8A14 P_3YMAS P_5YMAS P_12YMAS"), column("POB0_14")},
	{0, columns("P_15A17 P_3YMAS P_5YMAS P_12YMAS P_15YMAS"), column("POB15_64")},
	{0.17, columns("P_18A24 P_3YMAS P_5YMAS P_12YMAS P_15YMAS P_18YMAS"), column("POB15_64")},
	{0.68, columns("P_3YMAS P_5YMAS P_12YMAS P_15YMAS P_18YMAS"), column("POB15_64")},
	{0.82, columns("P_3YMAS P_5YMAS P_12YMAS P_15YMAS P_18YMAS"), column("POB15_64")},
	{0.875, columns("P_60YMAS P_3YMAS P_5YMAS P_12YMAS P_15YMAS P_18YMAS"), column("POB15_64")},
	{1, columns("P_60YMAS P_3YMAS P_5YMAS P_12YMAS P_15YMAS P_18YMAS"), column("POB65_MAS")},
}

// The group of 15 to 17, and the last one before the age of 50.
const (
	teenGroup = 5
	fertileTo = 7
)

func columns(names string) []int {
	var all []int
	for _, name := range strings.Fields(names) {
		all = append(all, column(name))
	}
	return all
}

// tally counts a place: what figures knows, and all else by the rules.
func (w *world) tally(id int, t *tally) {
	f := w.figures(id)
	*t = tally{schoolYears: f.schoolYears}
	c := &t.cells
	c[colPeople], c[colWomen], c[colMen] = f.people, f.women, f.people-f.women
	t.countAges(&f)
	c[colPupils] = f.pupils
	c[colPupils+1] = portion(f.pupils, c[colTeens+1], f.teens)
	c[colPupils+2] = f.pupils - c[colPupils+1]
	c[colInhabited], c[colDwellings] = f.inhabited, f.dwellings
	c[colTV], c[colPC], c[colMobile], c[colNet], c[colNoICT] = f.tv, f.computer, f.mobile, f.net, f.noICT
	hardship := clamp(w.places[id].hardship, -1.3, 1.6)
	key := w.chance.of("census", id)
	for i := range censusRules {
		censusRules[i].apply(c, hardship, key)
	}
}

// countAges divides the people by age, and each age into as many women as there are among all.
func (t *tally) countAges(f *figures) {
	before, womenBefore := 0, 0
	for i := range ages {
		age := &ages[i]
		var upTo int
		switch children := f.people - f.adults; {
		case i < teenGroup:
			upTo = share(children, age.upTo)
		case i == teenGroup:
			upTo = children + f.teens
		default:
			upTo = children + f.teens + share(f.adults-f.teens, age.upTo)
		}
		womenUpTo := portion(f.women, upTo, f.people)
		people, women := upTo-before, womenUpTo-womenBefore
		for _, whole := range age.wholes {
			t.cells[whole] += people
			t.cells[whole+1] += women
			t.cells[whole+2] += people - women
		}
		t.cells[age.single] += people
		if i >= teenGroup && i <= fertileTo {
			t.cells[colFertile] += women
		}
		before, womenBefore = upTo, womenUpTo
	}
}

// portion gives n times part of whole, rounded down; 0 of nothing.
func portion(n, part, whole int) int {
	if whole == 0 {
		return 0
	}
	return n * part / whole
}

// ratio is a column that is one figure over another.
type ratio struct {
	above, below int
	times        float64
}

// censusRatios has a ratio at its column, if the column is one; GRAPROES is written apart.
var censusRatios = func() (ratios [censusWidth]ratio) {
	ratios[column("REL_H_M")] = ratio{column("POBMAS"), column("POBFEM"), 100}
	ratios[column("PROM_HNV")] = ratio{column("births"), column("P_12YMAS_F"), 1}
	ratios[column("PROM_OCUP")] = ratio{column("OCUPVIVPAR"), column("TVIVPARHAB"), 1}
	ratios[column("PRO_OCUP_C")] = ratio{column("OCUPVIVPAR"), column("rooms"), 1}
	return ratios
}()

// secret are the columns whose ones and twos are hidden. The others, which the rest of the world hangs together with,
// have masks of their own.
var secret = func() (secret [censusWidth]bool) {
	for i := range secret {
		secret[i] = true
	}
	for _, i := range columns("POBTOT POBFEM POBMAS P_15A17 P15A17A GRAPROES TVIVHAB VIVPARH_CV VIVTOT VPH_TV VPH_PC " +
		"VPH_CEL VPH_INTER VPH_SINTIC") {
		secret[i] = false
	}
	return secret
}()

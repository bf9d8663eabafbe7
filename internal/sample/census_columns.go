package sample

import (
	"fmt"
	"strings"

	"tamiz/internal/u01"
)

// censusIndicators are the mnemonics of INEGI's layout RESAGEBURB of the 2020 census, as of July 2021, in its order;
// what follows a whole with _F and _M, or F and M, is its women and men.
var censusIndicators = strings.Fields(`
	POBTOT POBFEM POBMAS P_0A2 P_0A2_F P_0A2_M P_3YMAS P_3YMAS_F P_3YMAS_M P_5YMAS P_5YMAS_F P_5YMAS_M P_12YMAS
	P_12YMAS_F P_12YMAS_M P_15YMAS P_15YMAS_F P_15YMAS_M P_18YMAS P_18YMAS_F P_18YMAS_M P_3A5 P_3A5_F P_3A5_M P_6A11
	P_6A11_F P_6A11_M P_8A14 P_8A14_F P_8A14_M P_12A14 P_12A14_F P_12A14_M P_15A17 P_15A17_F P_15A17_M P_18A24
	P_18A24_F P_18A24_M P_15A49_F P_60YMAS P_60YMAS_F P_60YMAS_M REL_H_M POB0_14 POB15_64 POB65_MAS PROM_HNV PNACENT
	PNACENT_F PNACENT_M PNACOE PNACOE_F PNACOE_M PRES2015 PRES2015_F PRES2015_M PRESOE15 PRESOE15_F PRESOE15_M
	P3YM_HLI P3YM_HLI_F P3YM_HLI_M P3HLINHE P3HLINHE_F P3HLINHE_M P3HLI_HE P3HLI_HE_F P3HLI_HE_M P5_HLI P5_HLI_NHE
	P5_HLI_HE PHOG_IND POB_AFRO POB_AFRO_F POB_AFRO_M PCON_DISC PCDISC_MOT PCDISC_VIS PCDISC_LENG PCDISC_AUD
	PCDISC_MOT2 PCDISC_MEN PCON_LIMI PCLIM_CSB PCLIM_VIS PCLIM_HACO PCLIM_OAUD PCLIM_MOT2 PCLIM_RE_CO PCLIM_PMEN
	PSIND_LIM P3A5_NOA P3A5_NOA_F P3A5_NOA_M P6A11_NOA P6A11_NOAF P6A11_NOAM P12A14NOA P12A14NOAF P12A14NOAM P15A17A
	P15A17A_F P15A17A_M P18A24A P18A24A_F P18A24A_M P8A14AN P8A14AN_F P8A14AN_M P15YM_AN P15YM_AN_F P15YM_AN_M
	P15YM_SE P15YM_SE_F P15YM_SE_M P15PRI_IN P15PRI_INF P15PRI_INM P15PRI_CO P15PRI_COF P15PRI_COM P15SEC_IN
	P15SEC_INF P15SEC_INM P15SEC_CO P15SEC_COF P15SEC_COM P18YM_PB P18YM_PB_F P18YM_PB_M GRAPROES GRAPROES_F
	GRAPROES_M PEA PEA_F PEA_M PE_INAC PE_INAC_F PE_INAC_M POCUPADA POCUPADA_F POCUPADA_M PDESOCUP PDESOCUP_F
	PDESOCUP_M PSINDER PDER_SS PDER_IMSS PDER_ISTE PDER_ISTEE PAFIL_PDOM PDER_SEGP PDER_IMSSB PAFIL_IPRIV PAFIL_OTRAI
	P12YM_SOLT P12YM_CASA P12YM_SEPA PCATOLICA PRO_CRIEVA POTRAS_REL PSIN_RELIG TOTHOG HOGJEF_F HOGJEF_M POBHOG
	PHOGJEF_F PHOGJEF_M VIVTOT TVIVHAB TVIVPAR VIVPAR_HAB VIVPARH_CV TVIVPARHAB VIVPAR_DES VIVPAR_UT OCUPVIVPAR
	PROM_OCUP PRO_OCUP_C VPH_PISODT VPH_PISOTI VPH_1DOR VPH_2YMASD VPH_1CUART VPH_2CUART VPH_3YMASC VPH_C_ELEC
	VPH_S_ELEC VPH_AGUADV VPH_AEASP VPH_AGUAFV VPH_TINACO VPH_CISTER VPH_EXCSA VPH_LETR VPH_DRENAJ VPH_NODREN
	VPH_C_SERV VPH_NDEAED VPH_DSADMA VPH_NDACMM VPH_SNBIEN VPH_REFRI VPH_LAVAD VPH_HMICRO VPH_AUTOM VPH_MOTO VPH_BICI
	VPH_RADIO VPH_TV VPH_PC VPH_TELEF VPH_CEL VPH_INTER VPH_STVP VPH_SPMVPI VPH_CVJ VPH_SINRTV VPH_SINLTC VPH_SINCINT
	VPH_SINTIC
`)

// Figures that are in no column, but that ratios are made of.
var hiddenFigures = []string{"births", "rooms"}

// Numbers of columns, where code asks for them by name.
var censusNumbers = func() map[string]int {
	numbers := map[string]int{}
	for _, names := range [][]string{censusIndicators, hiddenFigures} {
		for _, name := range names {
			numbers[name] = len(numbers)
		}
	}
	return numbers
}()

// column gives the number of a column or a hidden figure. It is called for the tables of the census only, when the
// program starts: a name that is not there is a mistake in them.
func column(name string) int {
	number, known := censusNumbers[name]
	if !known {
		panic(fmt.Sprintf("the census has no column %q", name))
	}
	return number
}

// rule draws a figure of a place as a share of others: of Plus, and of Share times what Of is without Less. With Men
// above 0 it is a figure with its women and men, each by a share of its own, and of what women and men are of the
// others. Lean is what a latent deprivation of 1 does to the share. A share of 1 is the rest, exactly.
type rule struct {
	name, of         string
	less             string // one or more names
	share, men, lean float64
	plus             string
}

// censusRules draw what figures does not know, each from what stands before it. The shares are rough national ones, from
// general knowledge of what INEGI published of the 2020 census, and no figure of a real AGEB; nobody should quote them.
var censusRules = compile([]rule{
	{name: "births", of: "P_12YMAS_F", share: 0.15, lean: 0.5, plus: "P_12YMAS_F P_12YMAS_F"},
	{name: "PNACENT", of: "POBTOT", share: 0.80, men: 0.80, lean: 0.1},
	{name: "PNACOE", of: "POBTOT", less: "PNACENT", share: 0.96, men: 0.95},
	{name: "PRES2015", of: "P_5YMAS", share: 0.93, men: 0.93},
	{name: "PRESOE15", of: "P_5YMAS", less: "PRES2015", share: 0.85, men: 0.84},
	{name: "P3YM_HLI", of: "P_3YMAS", share: 0.055, men: 0.055, lean: 0.6},
	{name: "P3HLINHE", of: "P3YM_HLI", share: 0.08, men: 0.06, lean: 0.5},
	{name: "P3HLI_HE", of: "P3YM_HLI", less: "P3HLINHE", share: 1, men: 1},
	{name: "P5_HLI_NHE", of: "P3HLINHE", share: 0.95},
	{name: "P5_HLI_HE", of: "P3HLI_HE", share: 0.97},
	{name: "P5_HLI", of: "P5_HLI_HE", share: 1, plus: "P5_HLI_NHE"},
	{name: "PHOG_IND", of: "POBTOT", less: "P3YM_HLI", share: 0.045, lean: 0.5, plus: "P3YM_HLI"},
	{name: "POB_AFRO", of: "POBTOT", share: 0.02, men: 0.02},
	{name: "PCON_DISC", of: "POBTOT", share: 0.05},
	{name: "PCDISC_MOT", of: "PCON_DISC", share: 0.48},
	{name: "PCDISC_VIS", of: "PCON_DISC", share: 0.43},
	{name: "PCDISC_LENG", of: "PCON_DISC", share: 0.15},
	{name: "PCDISC_AUD", of: "PCON_DISC", share: 0.22},
	{name: "PCDISC_MOT2", of: "PCON_DISC", share: 0.19},
	{name: "PCDISC_MEN", of: "PCON_DISC", share: 0.20},
	{name: "PCON_LIMI", of: "POBTOT", less: "PCON_DISC", share: 0.115},
	{name: "PCLIM_CSB", of: "PCON_LIMI", share: 0.31},
	{name: "PCLIM_VIS", of: "PCON_LIMI", share: 0.60},
	{name: "PCLIM_HACO", of: "PCON_LIMI", share: 0.06},
	{name: "PCLIM_OAUD", of: "PCON_LIMI", share: 0.18},
	{name: "PCLIM_MOT2", of: "PCON_LIMI", share: 0.045},
	{name: "PCLIM_RE_CO", of: "PCON_LIMI", share: 0.20},
	{name: "PCLIM_PMEN", of: "POBTOT", share: 0.0125},
	{name: "PSIND_LIM", of: "POBTOT", less: "PCON_DISC PCON_LIMI PCLIM_PMEN", share: 1},
	{name: "P3A5_NOA", of: "P_3A5", share: 0.36, men: 0.37},
	{name: "P6A11_NOA", of: "P_6A11", share: 0.035, men: 0.038, lean: 0.3},
	{name: "P12A14NOA", of: "P_12A14", share: 0.09, men: 0.10, lean: 0.3},
	{name: "P18A24A", of: "P_18A24", share: 0.34, men: 0.33, lean: -0.3},
	{name: "P8A14AN", of: "P_8A14", share: 0.024, men: 0.03, lean: 0.5},
	{name: "P15YM_AN", of: "P_15YMAS", share: 0.055, men: 0.042, lean: 0.6},
	{name: "P15YM_SE", of: "P_15YMAS", share: 0.052, men: 0.046, lean: 0.6},
	{name: "P15PRI_IN", of: "P_15YMAS", share: 0.10, men: 0.095, lean: 0.4},
	{name: "P15PRI_CO", of: "P_15YMAS", share: 0.14, men: 0.13, lean: 0.2},
	{name: "P15SEC_IN", of: "P_15YMAS", share: 0.035, men: 0.045, lean: 0.1},
	{name: "P15SEC_CO", of: "P_15YMAS", share: 0.23, men: 0.24},
	{name: "P18YM_PB", of: "P_18YMAS", share: 0.45, men: 0.46, lean: -0.3},
	{name: "PEA", of: "P_12YMAS", share: 0.49, men: 0.75, lean: -0.05},
	{name: "PE_INAC", of: "P_12YMAS", less: "PEA", share: 1, men: 1},
	{name: "PDESOCUP", of: "PEA", share: 0.012, men: 0.022},
	{name: "POCUPADA", of: "PEA", less: "PDESOCUP", share: 1, men: 1},
	{name: "PSINDER", of: "POBTOT", share: 0.26, lean: 0.15},
	{name: "PDER_SS", of: "POBTOT", less: "PSINDER", share: 1},
	{name: "PDER_IMSS", of: "PDER_SS", share: 0.51, lean: -0.3},
	{name: "PDER_ISTE", of: "PDER_SS", share: 0.09, lean: -0.2},
	{name: "PDER_ISTEE", of: "PDER_SS", share: 0.02},
	{name: "PAFIL_PDOM", of: "PDER_SS", share: 0.014},
	{name: "PDER_SEGP", of: "PDER_SS", less: "PDER_IMSS PDER_ISTE PDER_ISTEE PAFIL_PDOM", share: 0.88},
	{name: "PDER_IMSSB", of: "PDER_SS", share: 0.012, lean: 0.5},
	{name: "PAFIL_IPRIV", of: "PDER_SS", share: 0.028, lean: -0.5},
	{name: "PAFIL_OTRAI", of: "PDER_SS", share: 0.011},
	{name: "P12YM_SOLT", of: "P_12YMAS", share: 0.35},
	{name: "P12YM_CASA", of: "P_12YMAS", less: "P12YM_SOLT", share: 0.82},
	{name: "P12YM_SEPA", of: "P_12YMAS", less: "P12YM_SOLT P12YM_CASA", share: 1},
	{name: "PCATOLICA", of: "POBTOT", share: 0.77},
	{name: "PRO_CRIEVA", of: "POBTOT", less: "PCATOLICA", share: 0.5},
	{name: "POTRAS_REL", of: "POBTOT", less: "PCATOLICA PRO_CRIEVA", share: 0.02},
	{name: "PSIN_RELIG", of: "POBTOT", less: "PCATOLICA PRO_CRIEVA POTRAS_REL", share: 1},
	// Dwellings and households.
	{name: "TVIVPARHAB", of: "TVIVHAB", less: "VIVPARH_CV", share: 0.95, plus: "VIVPARH_CV"},
	{name: "VIVPAR_HAB", of: "VIVPARH_CV", share: 0.99},
	{name: "VIVPAR_DES", of: "TVIVHAB", share: 0.165},
	{name: "VIVPAR_UT", of: "TVIVHAB", share: 0.07, lean: -0.1},
	{name: "TVIVPAR", of: "VIVPAR_DES", share: 1, plus: "VIVPAR_HAB VIVPAR_UT"},
	{name: "VIVTOT", of: "VIVPAR_DES", share: 1, plus: "TVIVHAB VIVPAR_UT"},
	{name: "TOTHOG", of: "TVIVPARHAB", share: 1},
	{name: "HOGJEF_F", of: "TOTHOG", share: 0.33},
	{name: "HOGJEF_M", of: "TOTHOG", less: "HOGJEF_F", share: 1},
	{name: "POBHOG", of: "POBTOT", share: 1},
	{name: "PHOGJEF_F", of: "POBHOG", share: 0.305},
	{name: "PHOGJEF_M", of: "POBHOG", less: "PHOGJEF_F", share: 1},
	{name: "OCUPVIVPAR", of: "POBHOG", share: 1},
	{name: "rooms", of: "TVIVPARHAB", share: 0.7, lean: -0.2, plus: "TVIVPARHAB TVIVPARHAB TVIVPARHAB"},
	{name: "VPH_PISOTI", of: "VIVPARH_CV", share: 0.02, lean: 0.7},
	{name: "VPH_PISODT", of: "VIVPARH_CV", less: "VPH_PISOTI", share: 1},
	{name: "VPH_1DOR", of: "VIVPARH_CV", share: 0.31, lean: 0.3},
	{name: "VPH_2YMASD", of: "VIVPARH_CV", less: "VPH_1DOR", share: 1},
	{name: "VPH_1CUART", of: "VIVPARH_CV", share: 0.05, lean: 0.5},
	{name: "VPH_2CUART", of: "VIVPARH_CV", share: 0.16, lean: 0.4},
	{name: "VPH_3YMASC", of: "VIVPARH_CV", less: "VPH_1CUART VPH_2CUART", share: 1},
	{name: "VPH_S_ELEC", of: "VIVPARH_CV", share: 0.006, lean: 0.6},
	{name: "VPH_C_ELEC", of: "VIVPARH_CV", less: "VPH_S_ELEC", share: 1},
	{name: "VPH_AGUAFV", of: "VIVPARH_CV", share: 0.03, lean: 0.6},
	{name: "VPH_AGUADV", of: "VIVPARH_CV", less: "VPH_AGUAFV", share: 1},
	{name: "VPH_AEASP", of: "VPH_AGUADV", share: 0.94},
	{name: "VPH_TINACO", of: "VIVPARH_CV", share: 0.62},
	{name: "VPH_CISTER", of: "VIVPARH_CV", share: 0.25, lean: -0.3},
	{name: "VPH_NODREN", of: "VIVPARH_CV", share: 0.035, lean: 0.6},
	{name: "VPH_DRENAJ", of: "VIVPARH_CV", less: "VPH_NODREN", share: 1},
	{name: "VPH_LETR", of: "VPH_NODREN", share: 0.35},
	{name: "VPH_EXCSA", of: "VPH_DRENAJ", share: 0.995},
	{name: "VPH_C_SERV", of: "VPH_DRENAJ", less: "VPH_S_ELEC VPH_AGUAFV", share: 0.99},
	{name: "VPH_NDEAED", of: "VPH_S_ELEC", share: 0.05},
	{name: "VPH_DSADMA", of: "VPH_EXCSA", share: 0.96},
	{name: "VPH_SNBIEN", of: "VPH_SINTIC", share: 0.5},
	{name: "VPH_NDACMM", of: "VIVPARH_CV", less: "VPH_SNBIEN", share: 0.41, lean: 0.3, plus: "VPH_SNBIEN"},
	{name: "VPH_AUTOM", of: "VIVPARH_CV", less: "VPH_NDACMM", share: 0.85},
	{name: "VPH_MOTO", of: "VIVPARH_CV", less: "VPH_NDACMM", share: 0.24},
	{name: "VPH_BICI", of: "VIVPARH_CV", less: "VPH_SNBIEN", share: 0.22},
	{name: "VPH_REFRI", of: "VIVPARH_CV", less: "VPH_SNBIEN", share: 0.88, lean: -0.08},
	{name: "VPH_LAVAD", of: "VIVPARH_CV", less: "VPH_SNBIEN", share: 0.74, lean: -0.15},
	{name: "VPH_HMICRO", of: "VIVPARH_CV", less: "VPH_SNBIEN", share: 0.48, lean: -0.35},
	{name: "VPH_SINRTV", of: "VIVPARH_CV", less: "VPH_TV VPH_SINTIC", share: 0.4, plus: "VPH_SINTIC"},
	{name: "VPH_RADIO", of: "VIVPARH_CV", less: "VPH_SINRTV", share: 0.72},
	{name: "VPH_SINLTC", of: "VIVPARH_CV", less: "VPH_CEL VPH_SINTIC", share: 0.7, plus: "VPH_SINTIC"},
	{name: "VPH_TELEF", of: "VIVPARH_CV", less: "VPH_SINLTC", share: 0.4, lean: -0.4},
	{name: "VPH_SINCINT", of: "VIVPARH_CV", less: "VPH_INTER VPH_SINTIC", share: 0.75, plus: "VPH_SINTIC"},
	{name: "VPH_STVP", of: "VPH_TV", share: 0.46, lean: -0.2},
	{name: "VPH_SPMVPI", of: "VPH_INTER", share: 0.34, lean: -0.2},
	{name: "VPH_CVJ", of: "VPH_TV", share: 0.12, lean: -0.4},
})

// draw is a rule, or what it says of the women or the men, with numbers for names.
type draw struct {
	at, of      int
	less, plus  []int
	share, lean float64
}

// sumOf is a whole that is its women and its men, in the two columns after it.
const sumOf = -1

// compile turns the names of the rules into numbers.
func compile(rules []rule) []draw {
	numbers := func(names string, shift int) []int {
		var all []int
		for _, name := range strings.Fields(names) {
			all = append(all, column(name)+shift)
		}
		return all
	}
	var draws []draw
	for _, r := range rules {
		shares, first := []float64{r.share}, 0
		if r.men > 0 {
			shares, first = []float64{r.share, r.men}, 1
		}
		for i, share := range shares {
			shift := first + i
			draws = append(draws, draw{
				at: column(r.name) + shift, of: column(r.of) + shift,
				less: numbers(r.less, shift), plus: numbers(r.plus, shift), share: share, lean: r.lean,
			})
		}
		if r.men > 0 {
			draws = append(draws, draw{at: column(r.name), of: sumOf})
		}
	}
	return draws
}

// apply draws the figure from those before it. It never exceeds what it is a share of.
func (d *draw) apply(cells *[censusWidth]int, hardship float64, key u01.Key) {
	if d.of == sumOf {
		cells[d.at] = cells[d.at+1] + cells[d.at+2]
		return
	}
	base := cells[d.of]
	for _, less := range d.less {
		base -= cells[less]
	}
	value := max(0, base)
	if d.share < 1 && value > 0 {
		// One number for both: how far from the usual share the place is, and which way to round.
		u := (key + u01.Key(d.at+1)*0x9E3779B97F4A7C15).Uniform()
		share := d.share * (1 + d.lean*hardship)
		if d.share < 0.9 {
			share *= 0.85 + 0.3*u
		}
		u *= 4096
		value = min(value, int(float64(value)*share+u-float64(int(u))))
	}
	for _, plus := range d.plus {
		value += cells[plus]
	}
	cells[d.at] = value
}

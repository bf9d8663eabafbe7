package sample

// state is one of the 32 federal entities with the marginals that the sample follows.
type state struct {
	name       string
	upper      string  // as the ministry writes it
	schools    float64 // primary and secondary schools, for proportions only
	population float64 // thousands
	hardship   float64 // 0 is the middle, about ±1.5
	indigenous float64 // share of indigenous schools among the public primaries
}

// states in the order of their codes, 01 to 32.
//
// Approximate on purpose; nobody should quote a figure from here. Schools: in the proportions of SEP, "Principales
// cifras del Sistema Educativo Nacional 2020-2021" (nationally about 95,700 primary and 40,600 secondary schools),
// written from general knowledge of that report and rounded; it was not opened for this, so a person should verify it
// before relying on it. Population: INEGI, Censo 2020, in thousands. Hardship: the rough order of CONAPO's Índice de
// marginación por entidad 2020. Indigenous: the rough share of indigenous primaries, as for the schools.
var states = [32]state{
	{"Aguascalientes", "AGUASCALIENTES", 1100, 1426, -0.6, 0},
	{"Baja California", "BAJA CALIFORNIA", 2400, 3769, -0.5, 0.03},
	{"Baja California Sur", "BAJA CALIFORNIA SUR", 620, 798, -0.3, 0},
	{"Campeche", "CAMPECHE", 1110, 928, 0.4, 0.07},
	{"Coahuila de Zaragoza", "COAHUILA", 2440, 3147, -0.6, 0},
	{"Colima", "COLIMA", 660, 731, -0.4, 0},
	{"Chiapas", "CHIAPAS", 10800, 5544, 1.5, 0.31},
	{"Chihuahua", "CHIHUAHUA", 3650, 3742, -0.2, 0.13},
	{"Ciudad de México", "CIUDAD DE MÉXICO", 4650, 9210, -0.9, 0},
	{"Durango", "DURANGO", 3420, 1833, 0.2, 0.08},
	{"Guanajuato", "GUANAJUATO", 6400, 6167, 0.1, 0.01},
	{"Guerrero", "GUERRERO", 6500, 3541, 1.5, 0.20},
	{"Hidalgo", "HIDALGO", 4570, 3083, 0.5, 0.19},
	{"Jalisco", "JALISCO", 7900, 8348, -0.4, 0.02},
	{"México", "MÉXICO", 11600, 16992, -0.3, 0.02},
	{"Michoacán de Ocampo", "MICHOACÁN", 6900, 4749, 0.5, 0.04},
	{"Morelos", "MORELOS", 1580, 1972, 0, 0.01},
	{"Nayarit", "NAYARIT", 1900, 1235, 0.3, 0.18},
	{"Nuevo León", "NUEVO LEÓN", 3850, 5784, -0.8, 0.01},
	{"Oaxaca", "OAXACA", 7900, 4132, 1.4, 0.31},
	{"Puebla", "PUEBLA", 6800, 6583, 0.6, 0.16},
	{"Querétaro", "QUERÉTARO", 2050, 2368, -0.3, 0.05},
	{"Quintana Roo", "QUINTANA ROO", 1240, 1858, 0, 0.10},
	{"San Luis Potosí", "SAN LUIS POTOSÍ", 4960, 2822, 0.5, 0.13},
	{"Sinaloa", "SINALOA", 3560, 3027, -0.1, 0.02},
	{"Sonora", "SONORA", 2580, 2945, -0.4, 0.09},
	{"Tabasco", "TABASCO", 2890, 2403, 0.4, 0.04},
	{"Tamaulipas", "TAMAULIPAS", 3260, 3528, -0.3, 0},
	{"Tlaxcala", "TLAXCALA", 1190, 1343, 0.1, 0.02},
	{"Veracruz de Ignacio de la Llave", "VERACRUZ", 12850, 8063, 0.8, 0.12},
	{"Yucatán", "YUCATÁN", 2000, 2321, 0.4, 0.13},
	{"Zacatecas", "ZACATECAS", 3030, 1622, 0.2, 0},
}

// schoolsByState splits the wanted number of school-shifts over the states.
func schoolsByState(schools int) []int {
	weights := make([]float64, len(states))
	for i, state := range states {
		weights[i] = state.schools
	}
	return apportion(schools, weights)
}

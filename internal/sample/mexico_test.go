package sample_test

import (
	"bytes"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
)

func decimal(t *testing.T, text string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatalf("no number: %v", err)
	}
	return x
}

func TestTruth_AboutAFifthIsMissingAndItIsNotAtRandom(t *testing.T) {
	var missing, all, etaMissing, etaAll float64
	for _, r := range mexico(t, "truth/synthetic_truth.csv", nil, ',') {
		eta := decimal(t, r["eta"])
		if got, want := decimal(t, r["language_level1_share"]), 1/(1+math.Exp(-eta)); math.Abs(got-want) > 1e-9 {
			t.Fatalf("%s: share %v at eta %v, want %v", r["cct"], got, eta, want)
		}
		all++
		etaAll += eta
		if r["missing"] == "true" {
			missing++
			etaMissing += eta
		}
	}
	if share := missing / all; all != 5000 || share < 0.17 || share > 0.25 {
		t.Errorf("%v of %v schools are missing", share, all)
	}
	if etaMissing/missing <= etaAll/all {
		t.Errorf("the missing have mean eta %v, all %v: METHODS 12 has them worse", etaMissing/missing, etaAll/all)
	}
}

func TestPlanea_ObservesTheTruth(t *testing.T) {
	type truth struct {
		language, maths float64
		missing         bool
	}
	truths := map[[2]string]truth{}
	for _, r := range mexico(t, "truth/synthetic_truth.csv", nil, ',') {
		truths[[2]string{r["cct"], r["shift"]}] = truth{
			decimal(t, r["language_level1_share"]), decimal(t, r["maths_level1_share"]), r["missing"] == "true",
		}
	}
	var n, sum, squares, withoutShift, oneSubject, empty float64
	observe := func(text, tested string, want float64) {
		pupils, p := decimal(t, tested), decimal(t, strings.TrimSuffix(text, "%"))/100
		// Schools of few pupils and extreme shares are far from normal, and their percentages are rounded.
		if pupils*want*(1-want) < 3 {
			return
		}
		z := (p - want) / math.Sqrt(want*(1-want)/pupils)
		n, sum, squares = n+1, sum+z, squares+z*z
	}
	for _, r := range planea(t) {
		language, maths := r["PORCENTAJE LENGUAJE NIVEL I"], r["PORCENTAJE MATEMÁTICAS NIVEL I"]
		if r["TURNO"] == "" {
			withoutShift++
			continue
		}
		of, found := truths[[2]string{r["CLAVE DE LA ESCUELA"], r["TURNO"]}]
		if !found || of.missing != (language == "" && maths == "") {
			t.Fatalf("%v does not fit the truth %v", r, of)
		}
		switch {
		case of.missing:
			empty++
			continue
		case language == "" || maths == "":
			oneSubject++
		}
		if language != "" {
			observe(language, r["ALUMNOS EVALUADOS LENGUAJE Y COMUNICACIÓN"], of.language)
		}
		if maths != "" {
			observe(maths, r["ALUMNOS EVALUADOS MATEMÁTICAS"], of.maths)
		}
	}
	if mean, variance := sum/n, squares/n; math.Abs(mean) > 0.05 || math.Abs(variance-1) > 0.08 {
		t.Errorf("%v shares deviate from the truth by mean %v, variance %v; want 0 and 1", n, mean, variance)
	}
	if withoutShift < 5 || oneSubject < 30 || empty < 400 || empty > 650 {
		t.Errorf("%v rows without a shift, %v with one subject, %v empty", withoutShift, oneSubject, empty)
	}
}

func TestPlanea_LevelsSumToAHundredWithinRounding(t *testing.T) {
	for _, r := range planea(t) {
		for _, subject := range []string{"LENGUAJE", "MATEMÁTICAS"} {
			if r["PORCENTAJE "+subject+" NIVEL I"] == "" {
				continue
			}
			sum := 0.0
			for _, level := range []string{"I", "II", "III", "IV"} {
				text, found := strings.CutSuffix(r["PORCENTAJE "+subject+" NIVEL "+level], "%")
				if !found {
					t.Fatalf("%s: a share without %%: %q", r["CLAVE DE LA ESCUELA"], text)
				}
				sum += decimal(t, text)
			}
			if math.Abs(sum-100) > 0.2001 {
				t.Fatalf("%s: the levels of %s sum to %v", r["CLAVE DE LA ESCUELA"], subject, sum)
			}
		}
	}
}

// u2u3 gives U2 and U3 of an AGEB row (METHODS 2.1), if nothing is masked.
func u2u3(r row) (u2, u3 float64, known bool) {
	value := func(column string) float64 {
		x, err := strconv.ParseFloat(r[column], 64)
		if err != nil {
			return math.NaN()
		}
		return x
	}
	for _, good := range []string{"VPH_INTER", "VPH_PC", "VPH_TV", "VPH_CEL"} {
		u2 += (1 - value(good)/value("VIVPARH_CV")) / 4
	}
	u3 = (12 - value("GRAPROES")) / 12
	return u2, u3, !math.IsNaN(u2 + u3)
}

func TestCensus_U2AndU3CorrelateWithinMunicipalities(t *testing.T) {
	type point struct{ u2, u3 float64 }
	towns := map[string][]point{}
	for _, r := range mexico(t, "census_ageb/synthetic_RESAGEBURB.csv", charmap.Windows1252, ',') {
		if r["NOM_LOC"] != "Total AGEB urbana" {
			continue
		}
		if u2, u3, known := u2u3(r); known {
			town := r["ENTIDAD"] + "/" + r["NOM_MUN"]
			towns[town] = append(towns[town], point{u2, u3})
		}
	}
	var xx, yy, xy float64
	for _, points := range towns {
		var mean point
		for _, p := range points {
			mean.u2 += p.u2 / float64(len(points))
			mean.u3 += p.u3 / float64(len(points))
		}
		for _, p := range points {
			x, y := p.u2-mean.u2, p.u3-mean.u3
			xx, yy, xy = xx+x*x, yy+y*y, xy+x*y
		}
	}
	if r := xy / math.Sqrt(xx*yy); math.Abs(r-0.6) > 0.05 {
		t.Errorf("correlation %v within %d municipalities, want 0.6", r, len(towns))
	}
}

func TestCensus_HasTotalsMasksAndLostZeros(t *testing.T) {
	const name = "census_ageb/synthetic_RESAGEBURB.csv"
	raw := contents(t, folder(t, "mx"), name)
	if bytes.Count(raw, []byte("\r\n")) != bytes.Count(raw, []byte("\n")) || !bytes.Contains(raw, []byte("M\xE9xico")) {
		t.Error("not Windows-1252 with CRLF")
	}
	counts := map[string]int{}
	agebs, towns := map[string]int{}, map[string]int{}
	for _, r := range mexico(t, name, charmap.Windows1252, ',') {
		town := r["ENTIDAD"] + r["NOM_MUN"]
		switch r["NOM_LOC"] {
		case "Total AGEB urbana":
			agebs[town] += number(t, r["POBTOT"])
		case "Total del municipio":
			towns[town] = number(t, r["POBTOT"])
		}
		for _, text := range r {
			counts[text]++
		}
		if len(r["ENTIDAD"]) != 2 {
			t.Fatalf("state %q", r["ENTIDAD"])
		}
		if r["MZA"] == "0" {
			counts["zeros lost"]++
		}
		if r["TVIVHAB"] == "0" {
			counts["nobody lives"]++
		}
	}
	for _, what := range []string{"*", "N/D", "zeros lost", "nobody lives", "Total de la localidad urbana"} {
		if counts[what] == 0 {
			t.Errorf("no row with %s", what)
		}
	}
	if n := counts["Total AGEB urbana"]; n < 2200 || n > 2400 || counts["Total de la entidad"] != 32 {
		t.Errorf("%d AGEBs and %d states for 5,000 schools", n, counts["Total de la entidad"])
	}
	for town, people := range towns {
		if agebs[town] > people {
			t.Errorf("%s: %d people, but %d in its AGEBs", town, people, agebs[town])
		}
	}
}

func TestMargins_KnowTheCensusAndTheRegistry(t *testing.T) {
	raw := contents(t, folder(t, "mx"), "marginalization/synthetic_IMM.csv")
	if !bytes.HasPrefix(raw, []byte("\xEF\xBB\xBF")) || raw[len(raw)-1] == '\n' {
		t.Error("IMM: want a byte order mark, and no line end after the last row")
	}
	towns, grades := map[string]bool{}, map[string]int{}
	for _, r := range mexico(t, "marginalization/synthetic_IMM.csv", nil, ',') {
		towns[r["CVE_MUN"]] = true
		grades[r["GM_2020"]]++
	}
	if len(grades) != 5 || grades["Muy alto"] != len(towns)/5 {
		t.Errorf("IMM: grades %v of %d municipalities", grades, len(towns))
	}
	for _, r := range registry(t, folder(t, "mx")) {
		town := strings.Repeat("0", 3-len(r["MUNICIPIO"])) + r["MUNICIPIO"]
		if !towns[r["CLAVE CT"][:2]+town] {
			t.Fatalf("IMM has no %s of %s", town, r["CLAVE CT"])
		}
	}
	known, matched, urban := map[string]bool{}, 0, 0
	for _, r := range mexico(t, "marginalization_ageb/synthetic_IMU.csv", nil, ',') {
		if r["CVE_AGEB"] != r["ENT"]+r["MUN"]+r["LOC"]+r["AGEB"] || len(r["CVE_AGEB"]) != 13 {
			t.Fatalf("IMU: %v", r)
		}
		known[r["CVE_AGEB"]] = true
	}
	hyphens := 0
	buildings := mexico(t, "buildings/synthetic_buildings.csv", nil, ',')
	for _, r := range buildings {
		ageb := strings.ReplaceAll(r["CVE_AGEB"], "-", "")
		if ageb == "" {
			continue
		}
		urban++
		hyphens += len(r["CVE_AGEB"]) - len(ageb)
		if known[r["CVE_ENT"]+r["CVE_MUN"]+r["CVE_LOC"]+ageb] {
			matched++
		}
	}
	if share := float64(matched) / float64(urban); share < 0.98 || share == 1 {
		t.Errorf("IMU knows %v of the schools' AGEBs; want nearly all", share)
	}
	if n := len(buildings); n < 4500 || n > 4700 || hyphens == 0 {
		t.Errorf("%d buildings for 5,000 schools, %d AGEBs with a hyphen", n, hyphens)
	}
}

func TestDeaths_RiseInTheEpidemic(t *testing.T) {
	before, during := map[string]float64{}, map[string]float64{}
	codes := map[string]bool{}
	for _, r := range mexico(t, "deaths_inegi/synthetic_deaths_2015_2018.tsv", nil, '\t') {
		codes[r["CVE_ENT"]] = true
		if strings.HasPrefix(r["fecha"], "2018") {
			before[r["CVE_ENT"]] += decimal(t, r["def_ocurridas"])
		}
	}
	days := mexico(t, "deaths_ssa/synthetic_deaths_2020_2021.csv", nil, ',')
	for _, r := range days {
		if strings.HasPrefix(r["fecha"], "2020") {
			during[r["CVE_ENT"]] += decimal(t, r["def_registradas"])
		}
	}
	if len(codes) != 34 || !codes["33"] || !codes["99"] {
		t.Errorf("%d codes in INEGI's file, want 32 states, 33 and 99", len(codes))
	}
	if first, last := days[0]["fecha"], days[len(days)-1]["fecha"]; first != "2019-12-29" || last != "2021-12-31" {
		t.Errorf("the ministry's file goes from %s to %s", first, last)
	}
	for code, deaths := range during {
		if rise := deaths / before[code]; rise < 1.05 || rise > 2.2 {
			t.Errorf("state %s: 2020 has %v times the deaths of 2018", code, rise)
		}
	}
}

func TestSources_SayThatTheyAreSynthetic(t *testing.T) {
	for _, pipeline := range []string{"mx", "np"} {
		paths, err := filepath.Glob(filepath.Join(folder(t, pipeline), "*", "*"))
		if err != nil || len(paths) == 0 {
			t.Fatal(err, paths)
		}
		for _, path := range paths {
			// An archive keeps the publisher's name; its workbooks say so in their rows and below them.
			if filepath.Ext(path) != ".zip" && !strings.HasPrefix(filepath.Base(path), "synthetic_") {
				t.Errorf("%s does not say so", path)
			}
		}
	}
	for _, r := range planea(t) {
		if !strings.Contains(r["NOMBRE DE LA ESCUELA"], "(DATOS SINTÉTICOS)") {
			t.Fatalf("%v does not say so", r)
		}
	}
}

package sample_test

import (
	"bytes"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"

	"tamiz/internal/sample"
)

var registryFiles = []struct {
	name     string
	page     *charmap.Charmap
	lineEnd  string
	from, to int
}{
	{"registry/synthetic_registry_1.csv", charmap.Macintosh, "\r", 1, 11},
	{"registry/synthetic_registry_2.csv", nil, "\r\n", 12, 22},
	{"registry/synthetic_registry_3.csv", charmap.Windows1252, "\n", 23, 32},
}

// registry reads the three files of a sample together.
func registry(t *testing.T, dir string) []row {
	t.Helper()
	var all []row
	for _, file := range registryFiles {
		all = append(all, rows(t, decoded(t, filepath.Join(dir, file.name), file.page), ',')...)
	}
	return all
}

func inScope(r row) bool { return r["NIVEL"] == "PRIMARIA" || r["NIVEL"] == "SECUNDARIA" }

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("no number: %v", err)
	}
	return n
}

func TestRegistry_HasExactlyTheSchoolsAskedFor(t *testing.T) {
	for _, schools := range []int{1, 7, 32, 333, 5000} {
		dir := folder(t, "mx")
		if schools != 5000 {
			dir = t.TempDir()
			write(t, "mx", dir, sample.Options{Schools: schools})
		}
		keys := map[[2]string]bool{}
		for _, r := range registry(t, dir) {
			if inScope(r) {
				keys[[2]string{r["CLAVE CT"], r["NOM TURNO"]}] = true
			}
		}
		if len(keys) != schools {
			t.Errorf("%d school-shifts, want %d", len(keys), schools)
		}
	}
}

func TestRegistry_IsWrittenInThreeManners(t *testing.T) {
	for _, file := range registryFiles {
		raw := contents(t, folder(t, "mx"), file.name)
		returns, feeds := bytes.Count(raw, []byte("\r")), bytes.Count(raw, []byte("\n"))
		if (returns > 0) != strings.Contains(file.lineEnd, "\r") || (feeds > 0) != strings.Contains(file.lineEnd, "\n") {
			t.Errorf("%s: %d carriage returns and %d line feeds, want line ends %q", file.name, returns, feeds, file.lineEnd)
		}
		if got, want := bytes.HasPrefix(raw, []byte("\xEF\xBB\xBF")), file.page == nil; got != want {
			t.Errorf("%s: byte order mark: %v, want %v", file.name, got, want)
		}
		text := strings.TrimPrefix(decoded(t, filepath.Join(folder(t, "mx"), file.name), file.page), "\uFEFF")
		header, _, _ := strings.Cut(text, file.lineEnd)
		titles := strings.Split(header, ",")
		if len(titles) != 43 || titles[5] != " NOMBRE LOCALIDAD" || titles[12] != "HOMBRES 1°" {
			t.Errorf("%s: unlike the real layout: %d columns, %q, %q", file.name, len(titles), titles[5], titles[12])
		}
		for _, r := range rows(t, text, ',') {
			if !strings.Contains(r["NOMBRE CT"], "SINTÉTIC") {
				t.Fatalf("%s: %q does not say that it is synthetic", file.name, r["NOMBRE CT"])
			}
			if state := number(t, r["CLAVE CT"][:2]); state < file.from || state > file.to {
				t.Fatalf("%s holds state %d", file.name, state)
			}
		}
	}
}

// checkLetter is METHODS 7, told once more so that the sample's own code is not its own judge.
func checkLetter(cct string) byte {
	digits := ""
	for _, c := range cct[:9] {
		if c >= 'A' {
			two := strconv.Itoa(int(c-'A') + 1)
			digits += strings.Repeat("0", 2-len(two)) + two
		} else {
			digits += string(c)
		}
	}
	sum := 0
	for i, c := range digits {
		sum += int(c-'0') * [2]int{7, 26}[i%2]
	}
	return "ABCDEFGHIJKLMNOPQRSTUVWXYZZ"[sum%27]
}

func TestRegistry_KeysAreValid(t *testing.T) {
	for _, known := range []string{"21DPR0003G", "25DPR1821R", "30EPR2581Z", "30EPR2582Z", "21DTV0005D"} {
		if got := checkLetter(known); got != known[9] {
			t.Fatalf("the test itself: %s has letter %c", known, got)
		}
	}
	shape := regexp.MustCompile(`^(0[1-9]|[12][0-9]|3[0-2])[A-Z]{3}[0-9]{4}[A-Z]$`)
	for _, r := range registry(t, folder(t, "mx")) {
		cct := r["CLAVE CT"]
		if !shape.MatchString(cct) || checkLetter(cct) != cct[9] {
			t.Fatalf("%s is no valid CCT", cct)
		}
	}
}

func TestRegistry_GradeTotalsAddUp(t *testing.T) {
	for _, r := range registry(t, folder(t, "mx")) {
		sums := map[string]int{}
		for _, who := range []string{"HOMBRES", "MUJERES", "TOTAL"} {
			for _, grade := range []string{"1°", "2°", "3°", "4°", "5°", "6°"} {
				sums[who] += number(t, r[who+" "+grade])
			}
		}
		boys, girls, all := number(t, r["HOMBRES TOTAL"]), number(t, r["MUJERES TOTAL"]), number(t, r["MATRICULA TOTAL"])
		if boys != sums["HOMBRES"] || girls != sums["MUJERES"] || all != sums["TOTAL"] || all != boys+girls {
			t.Fatalf("%s: grades %v, totals %d + %d = %d", r["CLAVE CT"], sums, boys, girls, all)
		}
	}
}

// tally counts a registry's rows by what the marginals and faults are about.
func tally(t *testing.T, all []row) map[string]float64 {
	t.Helper()
	counts := map[string]float64{}
	seen := map[[2]string]bool{}
	shifts := map[string]int{}
	count := func(what string, is bool) {
		if is {
			counts[what]++
		}
	}
	for _, r := range all {
		key := [2]string{r["CLAVE CT"], r["NOM TURNO"]}
		count("zeros kept", strings.HasPrefix(r["MUNICIPIO"], "0") || strings.HasPrefix(r["LOCALIDAD INEGI"], "0"))
		if !inScope(r) || seen[key] {
			count("duplicate", seen[key])
			count(r["NIVEL"], !inScope(r))
			continue
		}
		seen[key] = true
		shifts[key[0]]++
		for _, column := range []string{"NIVEL", "PROGRAMA", "SOSTENIMIENTO"} {
			count(r[column], true)
		}
		count("school", true)
		count("no pupils", r["MATRICULA TOTAL"] == "0")
		count("no teachers", r["DOCENTES"] == "0")
		count("two shifts", shifts[key[0]] == 2 && r["NOM TURNO"] == "VESPERTINO" && seen[[2]string{key[0], "MATUTINO"}])
		if shifts[key[0]] > 2 {
			t.Fatalf("%s has %d shifts", key[0], shifts[key[0]])
		}
	}
	counts["CCT"] = float64(len(shifts))
	return counts
}

func TestRegistry_HasTheMarginalsAndFaultsOfARealOne(t *testing.T) {
	counts := tally(t, registry(t, folder(t, "mx")))
	if counts["school"] != counts["CCT"]+counts["two shifts"] {
		t.Errorf("%v schools of %v CCTs, %v of them with two shifts", counts["school"], counts["CCT"], counts["two shifts"])
	}
	for _, c := range []struct {
		what, of  string
		low, high float64
	}{
		{"PRIMARIA", "school", 0.70, 0.74},
		{"two shifts", "CCT", 0.08, 0.10},
		{"PARTICULAR", "school", 0.06, 0.12},
		{"CONAFE", "school", 0.06, 0.11},
		{"INDIGENA", "school", 0.04, 0.08},
		{"TELESECUNDARIA", "school", 0.09, 0.14},
		{"TECNICA", "school", 0.02, 0.05},
		{"no pupils", "school", 0.004, 0.012},
		{"no teachers", "school", 0.002, 0.008},
		{"duplicate", "school", 0.001, 0.004},
		{"PREESCOLAR", "school", 0.05, 0.15},
		{"BACHILLERATO", "school", 0.02, 0.06},
		{"zeros kept", "school", 0, 0},
	} {
		if share := counts[c.what] / counts[c.of]; share < c.low || share > c.high {
			t.Errorf("%s: %.4f of every %s, want %.3f to %.3f", c.what, share, c.of, c.low, c.high)
		}
	}
}

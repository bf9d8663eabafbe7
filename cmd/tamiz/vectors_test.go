package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"tamiz/config"
	"tamiz/internal/u01"
	"tamiz/pipeline"
	"tamiz/transform"
)

// vectorTests says, by the name of a method, how its reference vectors are
// tried: through the code that the pipelines run.
var vectorTests = map[string]func(*testing.T, []byte){
	"hash_u01": vectorsU01, "cct": vectorsKeys, "cvegeo": vectorsAreas, "inegi_masks": vectorsMasks,
	"nepal_flows": vectorsFlows, "nepal_flows_edge": vectorsFlowsEdge, "nepal_hoi": vectorsDissimilarity,
	"nepal_backoff": vectorsBackoff, "nepal_backoff_village": vectorsBackoff, "nepal_disability": vectorsDisability,
	"nepal_shapley_hand": vectorsShapley, "nepal_hoi_change": vectorsChange, "nepal_oos": vectorsOutOfSchool,
	"wilson": vectorsWilson, "spearman": vectorsSpearman, "weighted_quantile": vectorsWeightedQuantile, "rubin": vectorsRubin,
	"shrinkage": vectorsShrinkage, "aggregators": vectorsAggregators, "asem_treatment": vectorsTreatment, "asem_aggregate": vectorsAggregate,
	"rank_intervals": vectorsRankIntervals, "sobol_ishigami": vectorsSensitivity, "impute_pmm": vectorsMatching,
	"impute_knn": vectorsNeighbours, "impute_validation": vectorsValidation, "mx_adoption_sinaloa": vectorsAdoption,
	"excess_hand": vectorsExcessHand, "excess_mexico_weekly": vectorsExcessMexico, "excess_moldova_monthly": vectorsExcessMoldova,
	"excess_delay": vectorsExcessDelay, "mx_relative_absolute": vectorsRelativeAbsolute, "mx_profiles": vectorsProfiles,
	"nepal_ri": vectorsResources, "nepal_teacher": vectorsTeachers,
	"nepal_quadrants": vectorsQuadrants, "nepal_composite": vectorsComposite,
	"nepal_context": vectorsContext, "nepal_allocation": vectorsAllocation,
}

// TestVectors reads the folder of reference vectors, a subtest a file. The
// method is the file's name up to its first dot. Methods that are not built
// yet stand in vectors_pending.txt, from which names are only taken away.
func TestVectors(t *testing.T) {
	dir := vectorsDir()
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Skipf("there are no reference vectors in %s: set TAMIZ_VECTORS to test against them", dir)
	}
	pending := pendingVectors(t)
	waiting := 0
	for _, file := range files {
		method, _, _ := strings.Cut(filepath.Base(file), ".")
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		try, built := vectorTests[method]
		switch {
		case built && pending[method] != "":
			t.Errorf("%s is built, but stands in vectors_pending.txt", method)
		case built:
			t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) { try(t, content) })
		case pending[method] != "":
			waiting++
		default:
			t.Errorf("%s: no test knows the method %s, and it does not stand in vectors_pending.txt", file, method)
		}
	}
	t.Logf("%d files, %d of them wait for methods of later issues (vectors_pending.txt)", len(files), waiting)
}

// vectorsDir is the folder of the reference vectors.
func vectorsDir() string {
	if dir := os.Getenv("TAMIZ_VECTORS"); dir != "" {
		return dir
	}
	return "../../../shared/vectors"
}

// pendingVectors reads method → issue.
func pendingVectors(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("vectors_pending.txt")
	if err != nil {
		t.Fatal(err)
	}
	pending := map[string]string{}
	for _, line := range strings.Split(string(text), "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if len(fields) != 3 || fields[1] != "issue" {
			t.Fatalf("vectors_pending.txt: %q: want METHOD issue N", line)
		}
		pending[fields[0]] = fields[2]
	}
	return pending
}

// parse decodes a vector file.
func parse[T any](t *testing.T, content []byte) T {
	t.Helper()
	var value T
	if err := json.Unmarshal(content, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// near compares with the relative tolerance of METHODS 0; the vectors carry
// twelve digits.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > 1e-9*math.Max(1, math.Abs(want)) {
		t.Errorf("%s: got %.12g, want %.12g", what, got, want)
	}
}

func vectorsU01(t *testing.T, content []byte) {
	for _, c := range parse[[]struct {
		Key string
		U   float64
	}](t, content) {
		near(t, "u01("+strconv.Quote(c.Key)+")", u01.Of(c.Key), c.U)
	}
}

// bound binds each embedded pipeline once.
var bound = map[string]*struct {
	p       *pipeline.Pipeline
	binding *pipeline.Binding
}{}

// bench opens the embedded pipeline for given rows.
func bench(t *testing.T, name string) *transform.Bench {
	t.Helper()
	one := bound[name]
	if one == nil {
		p, err := config.Load(embedded(), name)
		if err != nil {
			t.Fatal(err)
		}
		binding, err := transform.Bind(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		one = &struct {
			p       *pipeline.Pipeline
			binding *pipeline.Binding
		}{p, binding}
		bound[name] = one
	}
	b, err := transform.OpenBench(t.Context(), one.p, one.binding)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// evaluate computes one SQL expression; NULL is "NULL".
func evaluate(t *testing.T, b *transform.Bench, expression string) string {
	t.Helper()
	_, rows, err := b.Select(t.Context(), nil, nil, "select "+expression+" as value")
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return cells(rows[0], "NULL")[0]
}

func vectorsKeys(t *testing.T, content []byte) {
	v := parse[struct {
		Hand     []struct{ CCT, Letter string }
		Valid    []string
		Mismatch []struct {
			CCT    string
			Letter string `json:"expected_letter"`
		}
		Malformed []string
	}](t, content)
	b := bench(t, "mx")
	want := func(expression, cct, result string) {
		t.Helper()
		if got := evaluate(t, b, expression+"("+pipeline.QuoteText(cct)+")"); got != result {
			t.Errorf("%s(%s) = %s, want %s", expression, cct, got, result)
		}
	}
	for _, c := range v.Hand {
		want("cct_check_letter", c.CCT, c.Letter)
	}
	for _, cct := range v.Valid {
		want("cct_clean", cct, cct)
		want("cct_check_flag", cct, "NULL")
	}
	for _, c := range v.Mismatch { // a warning, never a rejection
		want("cct_clean", c.CCT, c.CCT)
		want("cct_check_letter", c.CCT, c.Letter)
		want("cct_check_flag", c.CCT, "CCT_CHECK")
	}
	for _, cct := range v.Malformed {
		clean := strings.ToUpper(strings.TrimSpace(cct))
		if clean == "21DPR0003G" { // only blanks and small letters were wrong with it
			want("cct_clean", cct, clean)
		} else {
			want("cct_clean", cct, "NULL")
		}
	}
}

func vectorsAreas(t *testing.T, content []byte) {
	b := bench(t, "mx")
	for _, c := range parse[[]map[string]string](t, content) {
		arguments := make([]string, 0, 5)
		for _, part := range []string{"ent", "mun", "loc", "ageb"} {
			arguments = append(arguments, pipeline.QuoteText(c[part]))
		}
		ageb := "cvegeo_ageb(" + strings.Join(arguments, ", ") + ")"
		if want, ok := c["cvegeo_ageb"]; ok {
			if got := evaluate(t, b, ageb); got != want {
				t.Errorf("%s = %s, want %s", ageb, got, want)
			}
		}
		if want, ok := c["cvegeo_mza"]; ok {
			block := "cvegeo_block(" + strings.Join(arguments, ", ") + ", " + pipeline.QuoteText(c["mza"]) + ")"
			if got := evaluate(t, b, block); got != want {
				t.Errorf("%s = %s, want %s", block, got, want)
			}
		}
		if want, ok := c["level"]; ok {
			level := "cvegeo_level(" + strings.Join(arguments, ", ") + ", '000')"
			if got := evaluate(t, b, level); got != want {
				t.Errorf("%s = %s, want %s", level, got, want)
			}
		}
	}
}

func vectorsMasks(t *testing.T, content []byte) {
	b := bench(t, "mx")
	for _, c := range parse[[]struct {
		Raw    string
		Value  *float64
		Reason *string
	}](t, content) {
		raw := pipeline.QuoteText(c.Raw)
		value, reason := evaluate(t, b, "inegi_number("+raw+")"), evaluate(t, b, "inegi_reason("+raw+")")
		if c.Value == nil && value != "NULL" || c.Reason == nil && reason != "NULL" || c.Reason != nil && reason != *c.Reason {
			t.Errorf("%q: value %s, reason %s", c.Raw, value, reason)
		}
		if c.Value != nil {
			got, err := strconv.ParseFloat(value, 64)
			if err != nil {
				t.Errorf("%q: value %s", c.Raw, value)
			}
			near(t, fmt.Sprintf("%q", c.Raw), got, *c.Value)
		}
	}
}

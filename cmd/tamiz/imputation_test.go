package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"tamiz/internal/duck"
	"tamiz/pipeline"
)

// imputationSQL joins imputed results to the truth of the sample (METHODS 12),
// the mean over the two subjects of the true share on the lowest level, and
// gives each school with a missing or unreliable result the two means that
// imputation must beat, made of published results alone.
const imputationSQL = `
create temp table compared as
with
learning as (
    select *, cct || '|' || shift as unit_id, flags as learning_flags from read_parquet(getvariable('learning'))
),
units as (from read_parquet(getvariable('units'))),
truth as (
    select shifts.shift, truth.* exclude (shift), (language_level1_share + maths_level1_share) / 2 as true_share,
    from read_csv(getvariable('truth'), header = true, all_varchar = false) as truth
    inner join (values ('MATUTINO', 'MATUTINO'), ('VESPERTINO', 'VESPERTINO'), ('NOCTURNO', 'NOCTURNO'),
        ('DISCONTINUO', 'DISCONTINUO'), ('MIXTO', 'MIXTO'), ('CONTINUO', 'CONTINUO'),
        ('CONTINUO (JORNADA AMPLIADA)', 'CONTINUO'), ('CONTINUO (TIEMPO COMPLETO)', 'CONTINUO')
    ) as shifts (word, shift) on shifts.word = truth.shift
),
memberships as (select unnest(strata) as stratum, score from units where can_give),
strata as (select stratum, avg(score) as stratum_mean from memberships group by all),
areas as (select pool, area, avg(score) as area_mean from units where can_give group by all)
select
    learning.*, true_share, truth.missing, stratum_mean, coalesce(area_mean, stratum_mean) as area_mean,
from learning
inner join truth on truth.cct = learning.cct and truth.shift = learning.shift
inner join units on units.unit_id = learning.unit_id
left join strata on strata.stratum = learning.learning_stratum
left join areas on areas.pool = units.pool and areas.area = units.area`

// What is imputed is nearer to the truth than the means of the stratum and of
// the municipality, however results are hidden, and the 90 % intervals hold
// what they say. The maskings are judged against published results, which
// carry the chance of who sat the test; the schools whose results are missing
// in the sample, against the true share. TAMIZ_IMPUTE_SCHOOLS asks for more
// schools.
func TestImputation_BeatsTheMeansOnTheSamplesTruth(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the whole pipeline; without -short it runs")
	}
	schools := 5000
	if text := os.Getenv("TAMIZ_IMPUTE_SCHOOLS"); text != "" {
		var err error
		if schools, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	dir := sampleProject(t, "mx", schools)
	record := runRecord(t, "--project", dir)
	tables := map[string]string{"truth": filepath.Join(dir, "sample", "truth", "synthetic_truth.csv")}
	warehouse, err := pipeline.OpenWarehouse(filepath.Join(dir, "warehouse"))
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range record.Steps {
		if name, ok := strings.CutPrefix(step.Step, "intermediate.int_"); ok && step.Kind != pipeline.StepCheck {
			tables[name] = filepath.Join(warehouse.ArtifactDir(step.Fingerprint), "table.parquet")
		}
		if strings.HasPrefix(step.Step, "intermediate.int_imputation") || strings.HasPrefix(step.Step, "intermediate.int_learning") {
			t.Logf("%-50s %6.2f s %9d rows", step.Step, step.Seconds, step.Rows)
		}
	}
	db, err := duck.Open(t.Context(), duck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for variable, table := range map[string]string{
		"learning": "urgency_learning", "units": "imputation_units", "validation": "imputation_validation", "truth": "truth",
	} {
		if tables[table] == "" {
			t.Fatalf("the run has no table %s", table)
		}
		if err := db.Exec(t.Context(), "set variable "+variable+" = "+pipeline.QuoteText(tables[table])); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Exec(t.Context(), imputationSQL); err != nil {
		t.Fatal(err)
	}
	beatsWhenHidden(t, db)
	beatsWhereMissing(t, db)
}

// beatsWhenHidden looks at the three maskings, over all schools.
func beatsWhenHidden(t *testing.T, db *duck.DB) {
	t.Helper()
	_, rows, err := db.Rows(t.Context(), `
		select
			mask, max(judged_count) filter (where method = 'PMM'), max(rmse) filter (where method = 'PMM'),
			max(rmse) filter (where method = 'KNN'), max(rmse) filter (where method = 'EB'),
			max(baseline_rmse) filter (where method = 'PMM'), max(rmse) filter (where method = 'AREA_MEAN'),
			max(coverage) filter (where method = 'PMM'), max(coverage) filter (where method = 'KNN'),
			max(bias) filter (where method = 'PMM'), max(kappa) filter (where method = 'PMM')
		from read_parquet(getvariable('validation')) where stratum = 'ALL' group by mask order by mask`)
	if err != nil {
		t.Fatal(err)
	}
	t.Log("against published results, hidden    n    PMM    KNN     EB  stratum  municipality  coverage PMM  KNN    bias  kappa")
	for _, row := range rows {
		n := numbersOf(t, row[1:])
		t.Logf("%-31s %7.0f  %.4f %.4f %.4f   %.4f        %.4f         %.3f %.3f %7.4f  %.3f",
			*row[0], n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9])
		if n[1] >= n[4] || n[1] >= n[5] {
			t.Errorf("%s: PMM's error of %.4f is not below those of the stratum's mean, %.4f, and the municipality's, %.4f", *row[0], n[1], n[4], n[5])
		}
		chance := 2 * math.Sqrt(0.9*0.1/n[0]) // of so few schools
		if n[6] < 0.87-chance || n[6] > 0.93+chance {
			t.Errorf("%s: %.3f of the published results lie in their 90 %% intervals", *row[0], n[6])
		}
	}
	if len(rows) != 3 {
		t.Errorf("%d maskings, want 3", len(rows))
	}
}

// beatsWhereMissing looks at the schools whose results the sample withholds.
func beatsWhereMissing(t *testing.T, db *duck.DB) {
	t.Helper()
	_, rows, err := db.Rows(t.Context(), `
		select
			case when missing then 'missing ' else 'unreliable ' end || learning_method as what, count(*),
			sqrt(avg((urgency_learning - true_share) ** 2)), sqrt(avg((coalesce(stratum_mean, urgency_learning) - true_share) ** 2)),
			sqrt(avg((coalesce(area_mean, urgency_learning) - true_share) ** 2)),
			avg(urgency_learning - true_share), avg(cast(true_share between learning_low and learning_high as int)),
			coalesce(sqrt(avg((observed_urgency_learning - true_share) ** 2)), -1)
		from compared where learning_is_imputed group by what order by what`)
	if err != nil {
		t.Fatal(err)
	}
	t.Log("against the true share              n   used  stratum  municipality    bias  coverage  own result")
	for _, row := range rows {
		n := numbersOf(t, row[1:])
		t.Logf("%-25s %11.0f  %.4f   %.4f        %.4f %7.4f     %.3f      %7.4f", *row[0], n[0], n[1], n[2], n[3], n[4], n[5], n[6])
		if strings.HasPrefix(*row[0], "missing PMM") {
			if n[1] >= n[2] || n[1] >= n[3] {
				t.Errorf("missing results: the error of %.4f is not below those of the means, %.4f and %.4f", n[1], n[2], n[3])
			}
			if n[5] < 0.87 {
				t.Errorf("missing results: only %.3f of the true shares lie in their 90 %% intervals", n[5])
			}
		}
	}
}

func numbersOf(t *testing.T, cells []*string) []float64 {
	t.Helper()
	numbers := make([]float64, len(cells))
	for i, cell := range cells {
		if cell == nil {
			continue
		}
		var err error
		if numbers[i], err = strconv.ParseFloat(*cell, 64); err != nil {
			t.Fatal(fmt.Errorf("a figure of the comparison: %w", err))
		}
	}
	return numbers
}

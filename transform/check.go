package transform

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"tamiz/internal/duck"
	"tamiz/pipeline"
)

// keptRows is how many offending rows of one check are kept.
const keptRows = 1000

// shownRows is how many of them stand in the run record.
const shownRows = 5

// runChecks runs each check and keeps the rows that offend, as JSON.
func runChecks(ctx context.Context, db *duck.DB, task pipeline.Task) (pipeline.Result, error) {
	step := task.Step
	var result pipeline.Result
	rows, err := db.Number(ctx, "select count(*) from "+step.Table)
	if err != nil {
		return result, fmt.Errorf("%s: count rows: %w", step.Label, err)
	}
	parts := []string{"select cast(null as varchar) as \"check\", cast(null as varchar) as \"row\" where false"}
	for i, check := range step.Checks {
		found, err := runCheck(ctx, db, check, i, rows)
		if err != nil {
			return result, err
		}
		found.Table = step.Table
		result.Checks = append(result.Checks, found)
		if found.Failing > 0 {
			parts = append(parts, fmt.Sprintf("select %s, offending from offending_%d", pipeline.QuoteText(check.Name), i))
		}
	}
	result.Rows, err = copyTo(ctx, db, strings.Join(parts, "\nunion all ")+"\norder by all", filepath.Join(task.Dir, pipeline.TableFile), nil)
	if err != nil {
		return result, fmt.Errorf("%s: keep the offending rows: %w", step.Label, err)
	}
	return result, nil
}

func runCheck(ctx context.Context, db *duck.DB, check pipeline.Check, i int, rows int64) (pipeline.CheckResult, error) {
	result := pipeline.CheckResult{Name: check.Name, Severity: check.Severity, MaxShare: check.MaxShare, Rows: rows}
	wrong := func(err error) error {
		return &pipeline.Error{Kind: pipeline.Config, Where: check.Path, Subject: "check " + check.Name, Err: err}
	}
	var err error
	if result.Failing, err = db.Number(ctx, "select count(*) from (\n"+check.SQL+"\n)"); err != nil {
		return result, wrong(err)
	}
	result.Passed = result.Failing == 0 || float64(result.Failing) <= check.MaxShare*float64(rows)
	if result.Failing == 0 {
		return result, nil
	}
	err = db.Exec(ctx, fmt.Sprintf("create temp table offending_%d as select cast(to_json(found) as varchar) as offending from (\n%s\n) as found order by 1 limit %d",
		i, check.SQL, keptRows))
	if err != nil {
		return result, wrong(err)
	}
	_, sample, err := db.Rows(ctx, fmt.Sprintf("select offending from offending_%d order by 1 limit %d", i, shownRows))
	if err != nil {
		return result, wrong(err)
	}
	for _, row := range sample {
		result.Sample = append(result.Sample, *row[0])
	}
	return result, nil
}

var _ pipeline.Runner = SQL{}

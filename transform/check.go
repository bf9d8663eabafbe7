package transform

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"tamiz/internal/duck"
	"tamiz/pipeline"
)

// keptRows is how many offending rows of one check are kept.
const keptRows = 1000

// shownRows is how many of them stand in the run record.
const shownRows = 5

// runChecks counts what offends and keeps those rows, as JSON.
func runChecks(ctx context.Context, db *duck.DB, task pipeline.Task) (pipeline.Result, error) {
	step := task.Step
	var result pipeline.Result
	counts, err := countOffending(ctx, db, step)
	if err != nil {
		return result, err
	}
	parts := []string{"select cast(null as varchar) as \"check\", cast(null as varchar) as \"row\" where false"}
	for i, check := range step.Checks {
		found, err := judge(ctx, db, check, i, counts[i+1], counts[0])
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

// countOffending counts the table's rows, then the offending rows of each
// check; conditions on single rows are counted in one scan.
func countOffending(ctx context.Context, db *duck.DB, step *pipeline.Step) ([]int64, error) {
	scans := []string{"count(*)"}
	var singles []int
	counts := make([]int64, 1+len(step.Checks))
	for i, check := range step.Checks {
		if check.Where != "" {
			singles = append(singles, i)
			scans = append(scans, "count(*) filter (where "+check.Where+")")
			continue
		}
		n, err := db.Number(ctx, "select count(*) from (\n"+check.SQL+"\n)")
		if err != nil {
			return nil, checkError(check, err)
		}
		counts[i+1] = n
	}
	_, rows, err := db.Rows(ctx, "select unnest(["+strings.Join(scans, ", ")+"]) from "+step.Table)
	if err != nil {
		return nil, checkError(step.Checks[0], err)
	}
	for j, row := range rows {
		n, err := strconv.ParseInt(*row[0], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: count: %w", step.Label, err)
		}
		if j == 0 {
			counts[0] = n
		} else {
			counts[singles[j-1]+1] = n
		}
	}
	return counts, nil
}

func checkError(check pipeline.Check, err error) error {
	if pipeline.KindOf(err) == pipeline.Storage {
		return err
	}
	return &pipeline.Error{Kind: pipeline.Config, Where: check.Path, Subject: "check " + check.Name, Err: err}
}

// judge compares a count with the threshold, and keeps the offending rows.
func judge(ctx context.Context, db *duck.DB, check pipeline.Check, i int, failing, rows int64) (pipeline.CheckResult, error) {
	result := pipeline.CheckResult{Name: check.Name, Severity: check.Severity, MaxShare: check.MaxShare, Rows: rows, Failing: failing}
	result.Passed = failing == 0 || float64(failing) <= check.MaxShare*float64(rows)
	if result.Failing == 0 {
		return result, nil
	}
	err := db.Exec(ctx, fmt.Sprintf("create temp table offending_%d as select cast(to_json(found) as varchar) as offending from (\n%s\n) as found order by 1 limit %d",
		i, check.SQL, keptRows))
	if err != nil {
		return result, checkError(check, err)
	}
	_, sample, err := db.Rows(ctx, fmt.Sprintf("select offending from offending_%d order by 1 limit %d", i, shownRows))
	if err != nil {
		return result, checkError(check, err)
	}
	for _, row := range sample {
		result.Sample = append(result.Sample, *row[0])
	}
	return result, nil
}

var _ pipeline.Runner = SQL{}

package load_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tamiz/load"
	"tamiz/load/dirstore"
	"tamiz/pipeline"
)

func TestLedger_APeriodIsSettledOnce(t *testing.T) {
	ledger := load.OpenLedger(open(t), "toy")
	failed := pipeline.PeriodVerdict{Period: "2026-11-15", DueAt: recorded.Add(time.Hour), Verdict: pipeline.FailedRun, Run: "r1", Again: true,
		Reason: map[string]string{"en": "The store refused.", "es": "El almacén se negó."}, Carried: []string{"a", "b"}, At: recorded, By: "here"}
	for _, step := range []struct {
		verdict pipeline.PeriodVerdict
		added   bool
	}{
		{failed, true}, {failed, false},
		{pipeline.PeriodVerdict{Period: "2026-11-15", Verdict: pipeline.Held, Run: "r2", At: recorded}, true},
		{pipeline.PeriodVerdict{Period: "2026-11-15", Verdict: pipeline.Published, Run: "r3", Snapshot: "2026-11-15.1", At: recorded}, true},
		{pipeline.PeriodVerdict{Period: "2026-11-15", Verdict: pipeline.NothingNew, Run: "r4", At: recorded}, false},
		{pipeline.PeriodVerdict{Period: "2026-11-29", Verdict: pipeline.PassedOver, At: recorded}, true},
	} {
		if added, err := ledger.Record(t.Context(), step.verdict); err != nil || added != step.added {
			t.Errorf("%s of %s: added %t, %v", step.verdict.Verdict, step.verdict.Run, added, err)
		}
	}
	records, err := ledger.Verdicts(t.Context())
	if err != nil || len(records) != 4 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	if diff := cmp.Diff(failed, records[0]); diff != "" {
		t.Errorf("the record did not come back as it went in (-want +got):\n%s", diff)
	}
	if got := pipeline.VerdictOf(records, "2026-11-15"); got.Verdict != pipeline.Published {
		t.Errorf("the verdict is %s", got.Verdict)
	}
}

func TestLedger_RivalsSettleOnce(t *testing.T) {
	dir := t.TempDir()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			store, err := dirstore.Open(dir)
			if err != nil {
				t.Error(err)
				return
			}
			ledger := load.OpenLedger(store, "toy")
			for _, period := range []string{"2026-11-01", "2026-11-15", "2026-11-29"} {
				if _, err := ledger.Record(t.Context(), pipeline.PeriodVerdict{Period: period, Verdict: pipeline.PassedOver, At: recorded}); err != nil {
					t.Error(err)
				}
				if _, err := ledger.Once(t.Context(), "event "+period, recorded); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	store, err := dirstore.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	ledger := load.OpenLedger(store, "toy")
	if records, err := ledger.Verdicts(t.Context()); err != nil || len(records) != 3 {
		t.Errorf("%d records, %v", len(records), err)
	}
	if first, err := ledger.Once(t.Context(), "event 2026-11-01", recorded); err != nil || first {
		t.Errorf("an event was told of twice: %t, %v", first, err)
	}
}

func TestLedger_ARunIsDecidedAboutOnce(t *testing.T) {
	ledger := load.OpenLedger(open(t), "toy")
	reject := pipeline.Decision{Decision: pipeline.Reject, Run: "r2", Reason: "incomplete", Who: "ana on laptop", At: recorded,
		Refused: map[string][]pipeline.Digest{"deaths": {"ab", "cd"}}}
	if err := ledger.Decide(t.Context(), reject); err != nil {
		t.Fatal(err)
	}
	again := reject
	again.Decision = pipeline.Approve
	if err := ledger.Decide(t.Context(), again); pipeline.KindOf(err) != pipeline.Config {
		t.Errorf("decided twice: %v", err)
	}
	list, err := ledger.Decisions(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatalf("%d decisions, %v", len(list), err)
	}
	if diff := cmp.Diff(reject, list[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	pins := []pipeline.Pin{{Digest: "ab"}, {Digest: "cd"}}
	if pipeline.Refuses(list, "deaths", pins) == nil || pipeline.Refuses(list, "deaths", pins[:1]) != nil || pipeline.Refuses(list, "other", pins) != nil {
		t.Error("the wrong files are refused")
	}
}

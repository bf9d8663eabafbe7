package load_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tamiz/load"
	"tamiz/pipeline"
)

// history publishes a snapshot for each period, each with other schools.
func history(t *testing.T, store load.Store, periods ...string) {
	t.Helper()
	for _, period := range periods {
		if _, isNew, err := load.Publish(t.Context(), store, publication(t, period, "schools of "+period, "same in all"), noon); err != nil || !isNew {
			t.Fatalf("%s: new %t, %v", period, isNew, err)
		}
	}
}

func content(t *testing.T, store load.Store, key string) string {
	t.Helper()
	reader, _, err := store.Get(t.Context(), key)
	if errors.Is(err, fs.ErrNotExist) {
		return "nothing"
	}
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	text, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestWithdraw_TurnsBackToWhatStands(t *testing.T) {
	bothStores(t, func(t *testing.T, open func(t *testing.T) load.Store) {
		ctx, store := t.Context(), open(t)
		history(t, store, "2026-11-01", "2026-11-15", "2026-11-29")
		if latest, err := load.Withdraw(ctx, store, "toy", "2026-11-15.1", nil, noon); err != nil || latest.Snapshot != "2026-11-29.1" {
			t.Fatalf("one that is not the latest: %v, %v", latest, err)
		}
		barred := []string{"2026-11-15.1"}
		latest, err := load.Withdraw(ctx, store, "toy", "2026-11-29.1", barred, noon)
		if err != nil || latest.Snapshot != "2026-11-01.1" || verify(t, store).Snapshot != "2026-11-01.1" {
			t.Fatalf("the latest, whose parent is withdrawn: %v, %v", latest, err)
		}
		if again, err := load.Withdraw(ctx, store, "toy", "2026-11-29.1", barred, noon); err != nil || again.Snapshot != "2026-11-01.1" {
			t.Fatalf("the same again: %v, %v", again, err)
		}
		barred = append(barred, "2026-11-29.1")
		if _, err := load.Withdraw(ctx, store, "toy", "2026-11-01.1", barred, noon); pipeline.KindOf(err) != pipeline.Config || !strings.Contains(err.Error(), "go back to") {
			t.Errorf("the last that stands: %v", err)
		}
		if _, err := load.Withdraw(ctx, store, "toy", "2020-01-01.1", barred, noon); pipeline.KindOf(err) != pipeline.Config {
			t.Errorf("one that is not there: %v", err)
		}

		// what was withdrawn is neither finished nor found to be the same
		same := publication(t, "2026-11-15", "schools of 2026-11-15", "same in all")
		same.Barred = barred
		snapshot, isNew, err := load.Publish(ctx, store, same, noon)
		if err != nil || !isNew || snapshot.Snapshot != "2026-11-15.2" || snapshot.Parent.Snapshot != "2026-11-01.1" {
			t.Fatalf("the same as a withdrawn one: %+v, new %t, %v", snapshot, isNew, err)
		}

		withdrawn := []load.Withdrawal{{Snapshot: "2026-11-29.1", At: noon, Reason: "wrong file"}, {Snapshot: "2026-11-15.1", At: noon, Reason: "wrong too"}}
		if err := load.WriteCatalog(ctx, store, "toy", withdrawn); err != nil {
			t.Fatal(err)
		}
		var catalog load.Catalog
		if err := json.Unmarshal([]byte(content(t, store, "toy/catalog.json")), &catalog); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, entry := range catalog.Snapshots {
			line := entry.Snapshot + " after " + entry.Parent
			if entry.Withdrawn != nil {
				line += " withdrawn: " + entry.Withdrawn.Reason
			}
			got = append(got, line)
		}
		want := []string{"2026-11-01.1 after ", "2026-11-15.1 after 2026-11-01.1 withdrawn: wrong too", "2026-11-15.2 after 2026-11-01.1", "2026-11-29.1 after 2026-11-15.1 withdrawn: wrong file"}
		if diff := cmp.Diff(want, got); diff != "" || catalog.Latest != "2026-11-15.2" || catalog.Snapshots[0].Bytes == 0 {
			t.Errorf("the catalog, latest %s (-want +got):\n%s", catalog.Latest, diff)
		}
	})
}

func TestWithdraw_NeverTurnsToDamage(t *testing.T) {
	ctx, store := t.Context(), open(t)
	history(t, store, "2026-11-01", "2026-11-15")
	if _, err := store.Put(ctx, "toy/snapshots/2026-11-01.1/data/schools.parquet", strings.NewReader("other"), load.Condition{}); err != nil {
		t.Fatal(err)
	}
	if _, err := load.Withdraw(ctx, store, "toy", "2026-11-15.1", nil, noon); pipeline.KindOf(err) != pipeline.Storage {
		t.Errorf("got %v", err)
	}
	if latest := verify(t, store); latest.Snapshot != "2026-11-15.1" {
		t.Errorf("the pointer turned to %s", latest.Snapshot)
	}
}

// TestPublish_SendsWhatCannotBeCopied: the parent's file is gone, or damaged.
func TestPublish_SendsWhatCannotBeCopied(t *testing.T) {
	bothStores(t, func(t *testing.T, open func(t *testing.T) load.Store) {
		for _, damage := range []string{"gone", "damaged"} {
			ctx, store := t.Context(), open(t)
			history(t, store, "2026-11-01")
			key := "toy/snapshots/2026-11-01.1/data/profiles.parquet"
			if err := store.Remove(ctx, key); err != nil {
				t.Fatal(err)
			}
			if damage == "damaged" {
				if _, err := store.Put(ctx, key, strings.NewReader("other"), load.Condition{}); err != nil {
					t.Fatal(err)
				}
			}
			history(t, store, "2026-11-15")
			if latest := verify(t, store); latest.Snapshot != "2026-11-15.1" {
				t.Errorf("%s: the latest is %s", damage, latest.Snapshot)
			}
		}
	})
}

func TestPrune_RemovesWholeOldSnapshots(t *testing.T) {
	bothStores(t, func(t *testing.T, open func(t *testing.T) load.Store) {
		periods := []string{"2024-12-01", "2024-12-15", "2025-06-01", "2025-12-15", "2026-01-01", "2026-01-15", "2026-02-01"}
		for i, c := range []struct {
			rule load.Retention
			kept string
		}{
			{load.Retention{}, "2024-12-01.1 2024-12-15.1 2025-06-01.1 2025-12-15.1 2026-01-01.1 2026-01-15.1 2026-02-01.1"},
			{load.Retention{Latest: 3}, "2026-01-01.1 2026-01-15.1 2026-02-01.1"},
			{load.Retention{Latest: 1}, "2026-01-15.1 2026-02-01.1"}, // what a withdrawal goes back to
			{load.Retention{Latest: 1, Barred: []string{"2026-01-15.1"}}, "2026-01-01.1 2026-02-01.1"},
			{load.Retention{Latest: 2, Yearly: true, Named: []string{"2025-06-01.1"}}, "2024-12-15.1 2025-06-01.1 2025-12-15.1 2026-01-15.1 2026-02-01.1"},
		} {
			ctx, store := t.Context(), open(t)
			history(t, store, periods...)
			would, err := load.Prune(ctx, store, "toy", c.rule, true)
			if err != nil {
				t.Fatal(err)
			}
			if list, err := load.List(ctx, store, "toy"); err != nil || len(list) != len(periods) {
				t.Fatalf("rule %d: a dry run removed something: %d, %v", i, len(list), err)
			}
			did, err := load.Prune(ctx, store, "toy", c.rule, false)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(would, did); diff != "" {
				t.Errorf("rule %d: a dry run tells something else (-would +did):\n%s", i, diff)
			}
			if got := strings.Join(did.Kept, " "); got != c.kept {
				t.Errorf("rule %d: kept %s, want %s", i, got, c.kept)
			}
			objects, err := store.List(ctx, "toy/snapshots/")
			if err != nil || len(objects) != 4*len(did.Kept) {
				t.Errorf("rule %d: %d files of %d snapshots are left, %v", i, len(objects), len(did.Kept), err)
			}
			if latest := verify(t, store); latest.Snapshot != "2026-02-01.1" {
				t.Errorf("rule %d: the latest is %s", i, latest.Snapshot)
			}
			wantSound(t, store, fmt.Sprintf("rule %d", i))

			// an id is never given again
			if did.Kept[0] == "2026-01-01.1" {
				snapshot, _, err := load.Publish(ctx, store, publication(t, "2025-12-15", "late", "same in all"), noon)
				if err != nil || snapshot.Snapshot != "2025-12-15.2" {
					t.Errorf("after removal: %v, %v", snapshot, err)
				}
			}
		}
	})
}

// wantSound wants a check to find nothing but what is harmless.
func wantSound(t *testing.T, store load.Store, when string) {
	t.Helper()
	findings, err := load.Check(t.Context(), store, "toy", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range findings {
		if !finding.Harmless {
			t.Errorf("%s: the check finds %+v", when, finding)
		}
	}
}

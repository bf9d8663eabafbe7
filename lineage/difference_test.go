package lineage_test

import (
	"fmt"
	"testing"

	"tamiz/lineage"
)

func units(pairs ...string) lineage.Units {
	u := lineage.Units{}
	for i := 0; i < len(pairs); i += 2 {
		if u[pairs[i]] = &pairs[i+1]; pairs[i+1] == "?" {
			u[pairs[i]] = nil
		}
	}
	return u
}

func TestCompare_NamesEveryKindOfChange(t *testing.T) {
	before := units("a", "1", "b", "1", "c", "?", "d", "2", "e", "?", "gone", "4")
	after := units("a", "1", "b", "2", "c", "3", "d", "?", "e", "?", "new", "?", "f", "2")
	d := lineage.Compare(before, after)
	if d.Units != 8 || len(d.Changed) != 6 || d.Gained != 1 || d.Lost != 1 || d.Appeared != 2 || d.Gone != 1 {
		t.Errorf("got %+v", d)
	}
	if d.Changed["a"] || d.Changed["e"] || !d.Changed["new"] {
		t.Errorf("changed: %v", d.Changed)
	}
	total := 0
	for _, move := range d.Moves {
		total += move.Count
	}
	if total != len(d.Changed) {
		t.Errorf("the moves are %d, the changed units %d", total, len(d.Changed))
	}
	if same := lineage.Compare(before, before); len(same.Changed) != 0 || same.Units != len(before) {
		t.Errorf("nothing differs from itself, but: %+v", same)
	}
	if d := lineage.Compare(units("a", ""), units("a", "?")); d.Lost != 1 {
		t.Errorf("an empty text is not an unknown value: %+v", d)
	}
}

func TestByGroup_SortsByShareThenName(t *testing.T) {
	groups := units("a", "X", "b", "X", "c", "Y", "d", "Z", "e", "?")
	got := ""
	for _, share := range lineage.ByGroup(map[string]bool{"a": true, "c": true}, groups) {
		name := "unknown"
		if share.Group != nil {
			name = *share.Group
		}
		got += fmt.Sprintf("%s %d/%d %.1f ", name, share.Changed, share.Units, share.Share)
	}
	if want := "Y 1/1 1.0 X 1/2 0.5 unknown 0/1 0.0 Z 0/1 0.0 "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestExplain_TellsAloneFromTogether(t *testing.T) {
	set := func(keys ...string) map[string]bool {
		m := map[string]bool{}
		for _, key := range keys {
			m[key] = true
		}
		return m
	}
	got := lineage.Explain(set("a", "b", "both"), []map[string]bool{set("a", "undone"), set("a", "b", "undone")})
	if fmt.Sprint(got) != "{[2 3] 1 1}" {
		t.Errorf("got %v", got)
	}
}

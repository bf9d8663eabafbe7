package lineage_test

import (
	"bytes"
	"strings"
	"testing"

	"tamiz/lineage"
	"tamiz/pipeline"
)

// small is a source with a nasty name for all that is shown, a model of it, and
// two marts.
func small() *lineage.Graph {
	const nasty = `"></title><script>alert(1)</script>`
	p := &pipeline.Pipeline{Name: "toy",
		Sources: []pipeline.Source{{Name: "cards", Title: nasty, Publisher: nasty}},
		Tables:  []pipeline.Table{{Name: "method.limits", Description: nasty}},
		Models: []pipeline.Model{
			{Name: "staging.stg_cards", Key: []string{"id"}, Description: nasty, Columns: []pipeline.Column{{Name: "id", Description: nasty}}},
			{Name: "marts.first", Key: []string{"id"}}, {Name: "marts.second", Key: []string{"id"}},
		}}
	column := func(table, name string) pipeline.ColumnRef { return pipeline.ColumnRef{Table: table, Column: name} }
	is := func(ref pipeline.ColumnRef) pipeline.ColumnInput {
		return pipeline.ColumnInput{ColumnRef: ref, Kind: pipeline.Identical}
	}
	by := func(ref pipeline.ColumnRef, how string) pipeline.ColumnInput {
		return pipeline.ColumnInput{ColumnRef: ref, Kind: pipeline.Condition, By: how}
	}
	binding := &pipeline.Binding{
		Order: []string{"staging.stg_cards", "marts.first", "marts.second"},
		Inputs: map[string][]string{"staging.stg_cards": {"raw.cards"}, "marts.first": {"method.limits", "staging.stg_cards"},
			"marts.second": {"marts.first", "staging.stg_cards"}},
		Columns: map[string][]pipeline.Column{"raw.cards": {{Name: "id"}, {Name: "x"}}, "method.limits": {{Name: "most"}},
			"staging.stg_cards": {{Name: "id"}, {Name: "x"}}, "marts.first": {{Name: "id"}, {Name: "y"}}, "marts.second": {{Name: "id"}, {Name: "z"}}},
		Lineage: pipeline.ColumnLineage{
			"raw.cards":         {Columns: map[string][]pipeline.ColumnInput{"id": {is(column("cards", "ID"))}, "x": {is(column("cards", nasty))}}},
			"staging.stg_cards": {Columns: map[string][]pipeline.ColumnInput{"id": {is(column("raw.cards", "id"))}, "x": {is(column("raw.cards", "x"))}}},
			"marts.first": {Columns: map[string][]pipeline.ColumnInput{"id": {is(column("staging.stg_cards", "id"))},
				"y": {is(column("staging.stg_cards", "x")), by(column("staging.stg_cards", "id"), "join"), by(column("method.limits", "most"), "case")}},
				Rows: []pipeline.ColumnInput{by(column("staging.stg_cards", "x"), "filter")}},
			"marts.second": {Columns: map[string][]pipeline.ColumnInput{"id": {is(column("marts.first", "id"))},
				"z": {is(column("marts.first", "y")), by(column("staging.stg_cards", "x"), "case")}}},
		}}
	return lineage.NewGraph(p, binding, binding.Lineage)
}

func TestGraph_Trees(t *testing.T) {
	g := small()
	for _, c := range []struct {
		name  string
		write func(*bytes.Buffer)
		want  string
	}{
		{"short", func(b *bytes.Buffer) { g.WriteTree(b, "marts.second", false, 1) },
			"marts.second\n├─ marts.first … 2 more\n└─ staging.stg_cards … 1 more\n"},
		{"downstream", func(b *bytes.Buffer) { g.WriteTree(b, "staging.stg_cards", true, 0) },
			"staging.stg_cards\n├─ marts.first\n│  └─ marts.second\n└─ marts.second\n"},
		{"column, keys aside", func(b *bytes.Buffer) {
			g.WriteColumnTree(b, pipeline.ColumnRef{Table: "marts.first", Column: "y"}, false, 1)
		},
			"marts.first.y\n├─ staging.stg_cards.x   identity … 1 more\n└─ method.limits.most   by case\nWhich rows there are: staging.stg_cards.x\n"},
		{"column downstream", func(b *bytes.Buffer) {
			g.WriteColumnTree(b, pipeline.ColumnRef{Table: "method.limits", Column: "most"}, true, 0)
		},
			"method.limits.most\n└─ marts.first.y   by case\n   └─ marts.second.z   identity\n"},
	} {
		var b bytes.Buffer
		if c.write(&b); b.String() != c.want {
			t.Errorf("%s:\n%s\nwant:\n%s", c.name, b.String(), c.want)
		}
	}
	if sources, models := g.Foundations("marts.second"); sources != 1 || models != 2 {
		t.Errorf("marts.second stands on %d sources and %d models", sources, models)
	}
}

func TestGraph_ThePageEscapesWhatItIsGiven(t *testing.T) {
	for _, g := range []*lineage.Graph{small(), small().Only(map[string]bool{"marts.first": true}), small().Only(nil)} {
		var page bytes.Buffer
		if err := g.WriteHTML(&page); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(page.String(), "<script>alert") || strings.Contains(page.String(), "ZgotmplZ") {
			t.Error("the page holds a name as it was given")
		}
		if strings.Count(page.String(), "<script") != 1 || !strings.Contains(page.String(), "default-src &#39;none&#39;") {
			t.Error("the page holds another script than its own, or no policy")
		}
		if strings.Contains(page.String(), "http://") || strings.Contains(page.String(), "https://") {
			t.Error("the page names another place")
		}
	}
}

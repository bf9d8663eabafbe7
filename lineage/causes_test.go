package lineage_test

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tamiz/lineage"
)

func TestShapley_SplitsGamesThatAreKnown(t *testing.T) {
	for name, c := range map[string]struct {
		figures []int64
		parts   string
	}{
		"no cause":              {[]int64{3}, ""},
		"one":                   {[]int64{3, 5}, "2"},
		"each its own":          {[]int64{0, 2, 5, 7}, "2 5"},
		"either suffices":       {[]int64{0, 1, 1, 1}, "1/2 1/2"},
		"only both":             {[]int64{0, 0, 0, 1}, "1/2 1/2"},
		"one undoes the other":  {[]int64{0, 1, 0, 0}, "1/2 -1/2"},
		"a left and two rights": {[]int64{0, 0, 0, 1, 0, 1, 0, 1}, "2/3 1/6 1/6"}, // the glove game
	} {
		var figures []*big.Rat
		for _, figure := range c.figures {
			figures = append(figures, big.NewRat(figure, 1))
		}
		var parts []string
		for _, part := range lineage.Shapley(figures) {
			parts = append(parts, part.RatString())
		}
		if got := strings.Join(parts, " "); got != c.parts {
			t.Errorf("%s: %s, want %s", name, got, c.parts)
		}
	}
}

func TestAttribute_ThePartsAddUpWhateverTheWorldsAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.IntRange(0, 6).Draw(t, "k")
		drawn := func(label string) lineage.World {
			mean := big.NewRat(rapid.Int64Range(-1000, 1000).Draw(t, label), rapid.Int64Range(1, 1000).Draw(t, label))
			return lineage.World{Changed: rapid.IntRange(0, 1000).Draw(t, label), Means: []*big.Rat{mean}}
		}
		causes := make([]lineage.Cause, k)
		worlds := make([]lineage.World, 1<<k)
		for i := range worlds {
			worlds[i] = drawn("world")
		}
		before, after := drawn("before"), drawn("after")
		units, mean := new(big.Rat), new(big.Rat)
		for _, cause := range lineage.Attribute(causes, []string{"index"}, before, after, worlds) {
			for sum, part := range map[*big.Rat]lineage.Part{units: cause.Units, mean: *cause.Indices[0].Part} {
				exact, ok := new(big.Rat).SetString(part.Exact)
				if !ok {
					t.Fatal(part)
				}
				sum.Add(sum, exact)
			}
		}
		if units.Cmp(big.NewRat(int64(after.Changed-before.Changed), 1)) != 0 {
			t.Errorf("units: %s, want %d", units, after.Changed-before.Changed)
		}
		if whole := new(big.Rat).Sub(after.Means[0], before.Means[0]); mean.Cmp(whole) != 0 {
			t.Errorf("mean: %s, want %s", mean, whole)
		}
	})
}

func TestAttribute_AnUnknownMeanHasNoParts(t *testing.T) {
	known, unknown := lineage.World{Means: []*big.Rat{big.NewRat(1, 2)}}, lineage.World{Means: []*big.Rat{nil}}
	causes := lineage.Attribute(make([]lineage.Cause, 1), []string{"index"}, known, known, []lineage.World{known, unknown})
	if len(causes) != 2 || causes[0].Indices[0].Part != nil || causes[1].Name != lineage.CauseEngine {
		t.Errorf("%+v", causes)
	}
}

func TestNumber_ReadsFiguresAlone(t *testing.T) {
	for text, want := range map[string]string{"5": "5", "0.25": "1/4", "-1.5": "-3/2", "1e300": "big", "1e-7": "small", "1e999999999": "", "0e999999999": "0", "1/3": "", "0x10": "", "nan": "", "inf": "", "": "", "H": "", "1_000": ""} {
		got := lineage.Number(&text)
		switch {
		case (got == nil) != (want == ""):
			t.Errorf("%q: %v", text, got)
		case want == "" || want == "big" || want == "small":
		case got.RatString() != want:
			t.Errorf("%q: %s, want %s", text, got.RatString(), want)
		}
	}
	if lineage.Number(nil) != nil {
		t.Error("NULL is no figure")
	}
}

func TestUnitChange_TellsHowFactsMoved(t *testing.T) {
	world := func(values ...string) lineage.World {
		w := lineage.World{}
		for _, value := range values {
			if value == "" {
				w.Facts = append(w.Facts, nil)
			} else {
				w.Facts = append(w.Facts, &value)
			}
		}
		return w
	}
	facts := []lineage.Fact{{Column: "profile"}, {Title: "the excess", Unit: "%"}, {Column: "grade"}, {Column: "score"}}
	causes := []lineage.Cause{{Name: "deaths", Groups: []string{lineage.CauseSources}, Differs: []string{"deaths a → b"}}, {Name: lineage.CauseMethod, Groups: []string{lineage.CauseMethod}, Differs: []string{"cut 1 → 2"}},
		{Name: lineage.CauseEngine, Groups: []string{lineage.CauseEngine}, Differs: []string{"tamiz 1 → 2"}}}
	for name, c := range map[string]struct {
		before, after lineage.World
		worlds        []lineage.World
		want          string
	}{
		"a source": {world("5", "18", "a", "0.1"), world("3", "6", "b", "0.2"), []lineage.World{world("5", "18", "a", "0.1"), world("3", "6", "b", "0.2"), world("5", "18", "a", "0.1"), world("3", "6", "b", "0.2")},
			"profile 5 → 3, because the excess fell from 18 % to 6 % (deaths)"},
		"the method, which moves no fact": {world("5", "18", "a", "0.1"), world("3", "6", "a", "0.1"), []lineage.World{world("5", "18", "a", "0.1"), world("5", "6", "a", "0.1"), world("3", "18", "a", "0.1"), world("3", "6", "a", "0.1")},
			"profile 5 → 3, because of the method (cut 1 → 2)"},
		"a source that moves nothing that is told": {world("5", "18", "a", "0.1"), world("3", "18", "a", "0.1"), []lineage.World{world("5", "18", "a", "0.1"), world("3", "18", "a", "0.1"), world("5", "18", "a", "0.1"), world("3", "18", "a", "0.1")},
			"profile 5 → 3, because of deaths (deaths a → b)"},
		"the engine": {world("4", "18", "a", "0.1"), world("3", "18", "a", "0.12345"), []lineage.World{world("3", "18", "a", "0.12345"), world("3", "18", "a", "0.12345"), world("3", "18", "a", "0.12345"), world("3", "18", "a", "0.12345")},
			"profile 4 → 3, because of the engine (tamiz 1 → 2): score rose from 0.1 to 0.123"},
		"no worlds":           {world("5", "18", "a", "0.1"), world("", "18.01", "a", ""), nil, "profile 5 → unknown; also the excess rose from 18 % to 18.01 %"},
		"it is new":           {lineage.World{}, world("5", "18", "a", "0.1"), nil, "it is new, with profile 5"},
		"it is gone":          {world("5", "18", "a", "0.1"), lineage.World{}, nil, "it is gone; it had profile 5"},
		"nothing changed":     {world("5", "18", "a", "0.1"), world("5", "18", "a", "0.1"), nil, "profile 5, as before"},
		"known, then unknown": {world("5", "", "a", "0.1"), world("5", "1234.56", "a", "0.1"), nil, "profile 5, as before; also the excess became known (1235 %)"},
	} {
		t.Run(name, func(t *testing.T) {
			unit := lineage.NewUnitChange([]string{"x"}, facts, causes, c.before, c.after, c.worlds)
			unit.Tell("profile", causes)
			if unit.Sentence != c.want {
				t.Errorf("%s\nwant %s", unit.Sentence, c.want)
			}
			if len(c.worlds) > 0 {
				sum := 0.0
				for _, cause := range unit.Value.Causes {
					sum += cause.Part.Value
				}
				if sum != 1 {
					t.Errorf("%+v", unit.Value.Causes)
				}
			}
		})
	}
}

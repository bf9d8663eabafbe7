package config_test

import (
	"errors"
	"strings"
	"testing"

	"tamiz/pipeline"
)

// logCards are two logs, one of which speaks of the records of the other.
func logCards() map[string]string {
	return map[string]string{
		"config/toy/sources/said.yml": "kind: log\ntitle: Said\npublisher: P\nlicence: L\narchive: public\ncolumns:\n" +
			"  id: {assigned: true, description: Number.}\n" +
			"  item: {required: true, one_of: [water, rooms], description: What.}\n" +
			"  value: {required: true, like: \"yes|no\", like_by: {item: {rooms: 0..20}}, description: How.}\n" +
			"  place: {like: \"[A-Z]{3}\", example: ABC, description: Where.}\n" +
			"  seen_on: {date: true, description: When.}\n",
		"config/toy/sources/decided.yml": "kind: log\ntitle: Decided\npublisher: P\nlicence: L\narchive: public\ncolumns:\n" +
			"  id: {required: true, refers_to: said.id, description: Number.}\n",
	}
}

func source(t *testing.T, p *pipeline.Pipeline, name string) *pipeline.Source {
	t.Helper()
	for i := range p.Sources {
		if p.Sources[i].Name == name {
			return &p.Sources[i]
		}
	}
	t.Fatalf("no source %s", name)
	return nil
}

func TestLoad_ALogIsASourceOfRecords(t *testing.T) {
	p, err := load(logCards())
	if err != nil {
		t.Fatal(err)
	}
	said := source(t, p, "said")
	var names []string
	for _, column := range pipeline.RawColumns(said) {
		names = append(names, column.Name)
	}
	if got := strings.Join(names, " "); !said.Log || got != "id item value place seen_on recorded_at _file _part _record _line" {
		t.Errorf("columns: %s", got)
	}
	if source(t, p, "s").Log {
		t.Error("a card of files is a log")
	}
	if got := said.EntryColumns(); got != "item, value, [place], [seen_on]" {
		t.Errorf("people give %s", got)
	}
}

func TestEntry_KeepsTheRulesOfTheCard(t *testing.T) {
	p, err := load(logCards())
	if err != nil {
		t.Fatal(err)
	}
	said, decided := source(t, p, "said"), source(t, p, "decided")
	refers := func(log, column, value string) (bool, error) {
		if value == "9" {
			return false, errors.New("the store broke")
		}
		return log == "said" && column == "id" && value == "3", nil
	}
	for _, test := range []struct {
		log    *pipeline.Source
		values map[string]string
		want   string // in the error; "": none
	}{
		{said, map[string]string{"item": "water", "value": " yes ", "place": "", "seen_on": "2026-11-02"}, ""},
		{said, map[string]string{"item": "rooms", "value": "20"}, ""},
		{said, map[string]string{"item": "rooms", "value": "yes"}, `value is "yes": want a whole number from 0 to 20 where item is rooms`},
		{said, map[string]string{"item": "rooms", "value": "21"}, `value is "21"`},
		{said, map[string]string{"item": "water", "value": "yes and no"}, "want yes or no"},
		{said, map[string]string{"item": "roof", "value": "no"}, `item is "roof": want one of water, rooms`},
		{said, map[string]string{"item": "water"}, "value is missing: want yes or no"},
		{said, map[string]string{"item": "water", "value": "no", "place": "ABCD"}, `place is "ABCD": want a text such as ABC`},
		{said, map[string]string{"item": "water", "value": "no", "seen_on": "2026-02-30"}, "want a date such as"},
		{said, map[string]string{"item": "water", "value": "no", "id": "7"}, "id is no column that can be given"},
		{said, map[string]string{"item": "water", "value": "no", "recorded_at": "now"}, "recorded_at is no column that can be given"},
		{decided, map[string]string{"id": "3"}, ""},
		{decided, map[string]string{"id": "4"}, "no record of said has that id"},
		{decided, map[string]string{"id": "9"}, "the store broke"},
	} {
		entry, err := test.log.Entry(test.values, refers)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v, want %q", test.values, err, test.want)
		}
		for name, value := range entry {
			if value == "" || value != strings.TrimSpace(value) {
				t.Errorf("%v: %s is kept as %q", test.values, name, value)
			}
		}
	}
	if entry := said.Assign(map[string]string{"item": "water"}, 12); entry["id"] != "12" {
		t.Errorf("record 12 is %v", entry)
	}
}

func TestLoad_TellsMistakesInLogs(t *testing.T) {
	said, decided := logCards()["config/toy/sources/said.yml"], logCards()["config/toy/sources/decided.yml"]
	files := "title: S\npublisher: P\nlicence: L\nfolder: inbox/s/*.csv\narchive: public\nformat: csv\ncolumns:\n  x: [X]\n"
	for _, test := range []struct{ said, decided, files, want string }{
		{strings.Replace(said, "kind: log", "kind: diary", 1), decided, files, `kind "diary" is unknown`},
		{said + "folder: inbox/*.csv\n", decided, files, "a log lies in the store, and needs no folder"},
		{strings.Replace(said, "archive: public", "archive: private", 1), decided, files, "so that it is public"},
		{strings.Replace(said, "[A-Z]{3}", "[A-Z", 1), decided, files, "missing closing ]"},
		{strings.Replace(said, "like_by: {item:", "like_by: {thing:", 1), decided, files, "like_by names column thing"},
		{strings.Replace(said, ", description: Where.", "", 1), decided, files, "column place has no description"},
		{said, strings.Replace(decided, "said.id", "said.number", 1), files, "refers to said.number, which is no column of a log"},
		{said, decided, strings.Replace(files, "x: [X]", "x: {titles: [X], required: true}", 1), "are for cards of kind: log"},
		{said, decided, files + "history: 500\n", "history is 500"},
	} {
		_, err := load(map[string]string{"config/toy/sources/said.yml": test.said, "config/toy/sources/decided.yml": test.decided, "config/toy/sources/s.yml": test.files})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("want %q, got %v", test.want, err)
		}
	}
}

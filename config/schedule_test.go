package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tamiz/config"
	"tamiz/pipeline"
)

const toyHead = "title: {en: Toy}\ncalendar: iso-fortnight\n"

func TestLoad_ReadsWhenRunsFallDue(t *testing.T) {
	p, err := load(map[string]string{"config/toy/pipeline.yml": toyHead + "schedule:\n  due: +2d 06:30\n  timezone: Asia/Kathmandu\n  fetch: \"0 5 * * *\"\n  memory: 4GiB\n"})
	if err != nil {
		t.Fatal(err)
	}
	zone := p.Schedule.TimeZone
	want := pipeline.Schedule{DueDays: 2, DueClock: 6*time.Hour + 30*time.Minute, TimeZone: zone, Catchup: pipeline.CatchupLatest,
		Fetch: "0 5 * * *", Retry: time.Hour, Limit: 6 * time.Hour, Memory: 4 << 30}
	if *p.Schedule != want || zone.String() != "Asia/Kathmandu" {
		t.Errorf("got %+v", p.Schedule)
	}
	p, err = load(map[string]string{"config/toy/pipeline.yml": "title: {en: Toy}\ncalendar: {every: 2w, anchor: 2026-01-04}\n"})
	if err != nil || p.Schedule != nil || p.Calendar.Every != 14 || p.Calendar.Anchor.Format(pipeline.DateLayout) != "2026-01-04" {
		t.Errorf("without a schedule: %+v, %+v, %v", p.Schedule, p.Calendar, err)
	}
}

func TestLoad_NamesTheLineOfAMistakeInASchedule(t *testing.T) {
	for _, c := range []struct{ entry, where, problem string }{
		{"{catchup: latest}", "pipeline.yml:3", "due is missing"},
		{"\n  due: +2d 06:00\n  cron: \"0 6 * * 1\"", "pipeline.yml:5", "due or cron, not both"},
		{"\n  due: two days", "pipeline.yml:4", `due "two days" is no delay`},
		{"\n  due: +2d 25:00", "pipeline.yml:4", `due "+2d 25:00" is no delay`},
		{"\n  due: +0d 06:00", "pipeline.yml:4", "not over before the day after"},
		{"\n  due: +2d 06:00\n  fetch: daily", "pipeline.yml:5", `fetch "daily" is no cron line`},
		{"\n  cron: TZ=UTC", "pipeline.yml:4", `cron "TZ=UTC" is no cron line`},
		{"\n  due: +2d 06:00\n  timezone: Mars/Olympus", "pipeline.yml:5", `timezone "Mars/Olympus" is unknown`},
		{"\n  due: +2d 06:00\n\n  # often\n  retry: 1s", "pipeline.yml:7", `retry "1s" is no length of time`},
		{"\n  due: +2d 06:00\n  limit: long", "pipeline.yml:5", `limit "long" is no length of time`},
		{"\n  due: +2d 06:00\n  memory: much", "pipeline.yml:5", "is not a size such as"},
		{"\n  due: +2d 06:00\n  catchup: some", "pipeline.yml:5", `catchup "some" is unknown`},
		{"\n  due: +2d 06:00\n  ketchup: all", "[5:", `unknown field "ketchup"`},
	} {
		_, err := load(map[string]string{"config/toy/pipeline.yml": toyHead + "schedule: " + c.entry + "\n"})
		if err == nil || !strings.Contains(err.Error(), c.where) || !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%s: want %s and %s, got\n%v", c.entry, c.where, c.problem, err)
		}
	}
	for _, calendar := range []string{"{every: 2m, anchor: 2026-01-04}", "{every: 0d, anchor: 2026-01-04}", "{every: 53w, anchor: 2026-01-04}", "{every: 2w}", "{every: 2w, from: 2026-01-04}"} {
		if _, err := load(map[string]string{"config/toy/pipeline.yml": "title: {en: Toy}\ncalendar: " + calendar + "\n"}); err == nil {
			t.Errorf("%s was accepted", calendar)
		}
	}
}

func TestProject_SaysKeyByKeyWhenRunsFallDue(t *testing.T) {
	dir := t.TempDir()
	read := func(text string) (*pipeline.Schedule, error) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, config.ProjectFile), []byte("timezone: Europe/Madrid\npipelines: [mx]\n"+text), 0o644); err != nil {
			t.Fatal(err)
		}
		project, err := config.LoadProject(dir, dir, nil, embedded())
		if err != nil {
			t.Fatal(err)
		}
		p, err := project.Pipeline("mx")
		if err != nil {
			return nil, err
		}
		return p.Schedule, nil
	}
	own, err := read("")
	if err != nil || own.DueDays != 2 || own.DueClock != 6*time.Hour || own.Fetch == "" || own.TimeZone.String() != "America/Mexico_City" {
		t.Fatalf("the pipeline's own: %+v, %v", own, err)
	}
	s, err := read("schedule: {mx: {due: +3d 04:15, limit: 2h}}\n")
	if err != nil || s.DueDays != 3 || s.DueClock != 4*time.Hour+15*time.Minute || s.Limit != 2*time.Hour || s.Fetch != own.Fetch || s.TimeZone.String() != own.TimeZone.String() {
		t.Errorf("two keys: %+v, %v", s, err)
	}
	s, err = read("schedule: {mx: {cron: 0 6 * * 1}}\n")
	if err != nil || s.Cron != "0 6 * * 1" || s.DueDays != 0 || s.DueClock != 0 || s.Retry != own.Retry {
		t.Errorf("a cron line in place of due: %+v, %v", s, err)
	}
	for text, want := range map[string]string{
		"schedule:\n  mx:\n    retry: often\n":           "tamiz.yml:5",
		"schedule:\n  mx:\n    timezone: Mars/Olympus\n": "tamiz.yml:5",
		"schedule:\n  mia: {retry: 1h}\n":                "tamiz.yml:4",
	} {
		if _, err := read(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: want %s, got\n%v", text, want, err)
		}
	}
}

// TestProject_AScheduleEntersNoFingerprint plans the same work under two
// schedules.
func TestProject_AScheduleEntersNoFingerprint(t *testing.T) {
	p, err := config.Load(embedded(), "mx")
	if err != nil {
		t.Fatal(err)
	}
	binding := &pipeline.Binding{}
	for _, model := range p.Models {
		binding.Order = append(binding.Order, model.Name)
	}
	fingerprints := func() []pipeline.Digest {
		var list []pipeline.Digest
		for _, step := range pipeline.NewPlan(p, binding, pipeline.Pins{PeriodEnd: "2026-11-15", AsOf: "2026-11-15"}, pipeline.Engines{}).Steps {
			list = append(list, step.Fingerprint)
		}
		return list
	}
	before := fingerprints()
	p.Schedule = &pipeline.Schedule{Cron: "0 6 * * 1", Limit: time.Hour}
	after := fingerprints()
	if len(before) < len(p.Models) || strings.Join(texts(before), " ") != strings.Join(texts(after), " ") {
		t.Error("the schedule changes what is computed")
	}
}

func texts(digests []pipeline.Digest) []string {
	var list []string
	for _, digest := range digests {
		list = append(list, string(digest))
	}
	return list
}

package notice_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"tamiz/config"
	"tamiz/internal/words"
	"tamiz/pipeline"
	"tamiz/schedule/notice"
)

var update = flag.Bool("update", false, "write testdata/*.txt anew")

func sayer(t *testing.T) *words.Words {
	t.Helper()
	texts, err := config.Texts(config.Files)
	if err != nil {
		t.Fatal(err)
	}
	w, err := words.Load(texts)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func says(key string, pairs ...any) pipeline.Sentence {
	values := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		values[pairs[i].(string)] = pairs[i+1]
	}
	return pipeline.Sentence{Key: key, Values: values}
}

var about = notice.About{
	Pipeline: "mx", Title: map[string]string{"en": "Mexico — Back to School Index", "es": "México — Índice de Regreso a Clases"},
	Period: "2026-11-29", Run: "20261201T120000Z-7f3a", Latest: "2026-11-15.1", At: time.Date(2026, 12, 1, 12, 5, 0, 0, time.UTC),
}

// examples are events of every kind, by the name of their golden files.
func examples() map[string]notice.Event {
	synthetic, first, after := about, about, about
	synthetic.Synthetic, first.Latest, after.Latest = true, "", "2026-11-29.1"
	deaths := notice.Source{Name: "deaths_by_state", Title: "Defunciones por entidad y semana", Since: "2026-11-28", Used: "2026-11-14", DaysLeft: 83,
		Inbox: "/srv/tamiz/inbox/deaths_by_state",
		Details: "deaths_by_state: the file no longer fits its card\n  where     deaths.csv, record 1\n  expected  a column deaths_total\n" +
			"  found     12 columns, none of that name; nearest: total_deaths\n  to mend   add to config/mx/sources/deaths_by_state.yml, under columns:\n" +
			"              deaths_total: [deaths_total, total_deaths]"}
	needed := deaths
	needed.Required, needed.DaysLeft, needed.Inbox = true, 1, ""
	question := says("verbatim",
		"es", "En Sinaloa, 31 % de las escuelas cambiaría de perfil; lo normal es menos de 5 %. La causa: las defunciones de Sinaloa bajaron 40 % de una quincena a otra en el archivo nuevo, y en ningún otro estado.",
		"en", "In Sinaloa, 31 % of the schools would change profile; usual is less than 5 %. The cause: the deaths of Sinaloa fell by 40 % from one fortnight to the next in the new file, and in no other state.")
	cause := says("held_cause", "source", "deaths_by_state", "count", 1204)
	return map[string]notice.Event{
		"held_question":       notice.Held(about, []pipeline.Sentence{question, cause}, "profiles.profiles_move_little: 1,204 rows\n  Sinaloa  0.312\n  Sonora   0.011"),
		"held_synthetic":      notice.Held(synthetic, []pipeline.Sentence{question}, ""),
		"held_broken":         notice.Held(about, []pipeline.Sentence{says("held_broken", "count", 12345, "table", "schools", "check", "pupils_is_in_range"), question}, "schools.pupils_is_in_range: 12,345 rows"),
		"held_dead":           notice.Held(about, []pipeline.Sentence{says("held_dead", "source", "schools", "days", 401)}, "schools: HTTP 404 since 26 October 2025"),
		"held_damaged":        notice.Held(about, []pipeline.Sentence{says("held_damaged", "source", "schools", "file", "ESCUELAS.csv")}, "expected sha256 4f1c…, found 9ab0…"),
		"held_withdrawn":      notice.Held(about, []pipeline.Sentence{says("held_withdrawn", "snapshot", "2026-11-15.2")}, ""),
		"reminder":            notice.Reminder(about, []pipeline.Sentence{question}, 3, ""),
		"carried_down":        notice.Carried(after, deaths, notice.Down),
		"carried_refused":     notice.Carried(after, deaths, notice.Refused),
		"carried_rejected":    notice.Carried(after, deaths, notice.Rejected),
		"carried_required":    notice.Carried(after, needed, "down"),
		"left_out":            notice.LeftOut(after, deaths),
		"fetch_problem":       notice.FetchProblem(about, deaths),
		"source_good":         notice.SourceGood(after, deaths),
		"failed_store":        notice.Failed(about, says("failed_store", "problem", "HTTP 403 (AccessDenied)"), true, "store: put mx/snapshots/2026-11-29.1/manifest.json: 403 AccessDenied"),
		"failed_disk":         notice.Failed(about, says("failed_disk"), true, "write warehouse/artifacts/ab: no space left on device"),
		"failed_config":       notice.Failed(about, says("failed_config", "problem", "config/mx/method.yml changed, but its version is still 1.2.0"), true, "config/mx/method.yml:3"),
		"failed_secret":       notice.Failed(about, says("failed_secret", "name", "TAMIZ_SMTP_PASSWORD"), true, ""),
		"failed_source":       notice.Failed(first, says("failed_source", "source", "schools", "problem", "HTTP 404"), true, ""),
		"failed_other":        notice.Failed(about, says("failed_other", "problem", "the tables of two runs differ"), true, "panic: …\ngoroutine 1 [running]:"),
		"failed_crashed":      notice.Failed(about, says("failed_crashed", "how", "SIGKILL"), true, "signal: killed"),
		"failed_time_limit":   notice.Failed(about, says("failed_time_limit", "limit", "2 h"), true, ""),
		"failed_memory_limit": notice.Failed(about, says("failed_memory_limit", "limit", "4 GiB"), true, ""),
		"failed_cancelled":    notice.Failed(about, says("failed_cancelled", "who", "ana"), false, ""),
		"recovered":           notice.Recovered(after),
		"withdrawn":           notice.Withdrawn(about, "2026-11-29.1", "Las defunciones de Sinaloa venían incompletas."),
		"test":                notice.Test(about),
	}
}

func TestLetters(t *testing.T) {
	w := sayer(t)
	ids := map[string]string{}
	for name, event := range examples() {
		if other := ids[event.ID]; other != "" && event.Kind != "held" && event.Kind != "carried" {
			t.Errorf("%s and %s have one ID: %s", name, other, event.ID)
		}
		ids[event.ID] = name
		for _, language := range w.Languages() {
			letter := notice.Compose(w, language, event)
			got := "Subject: " + letter.Subject + "\n\n" + letter.Text
			path := filepath.Join("testdata", name+"."+language+".txt")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil || string(want) != got {
				t.Errorf("%s differs (go test -update writes it anew): %v\n%s", path, err, got)
			}
			if strings.Contains(got, "no value") || regexp.MustCompile(`\b(held|do|failed|carried|heading)_[a-z]`).MatchString(strings.Split(got, "sha256")[0]) {
				t.Errorf("%s: something was left unsaid:\n%s", path, got)
			}
			for line := range strings.SplitSeq(letter.Text, "\n") {
				if !strings.HasPrefix(line, "    ") && !strings.Contains(letter.Event.Details, strings.TrimSpace(line)) && utf8.RuneCountInString(line) > 72 {
					t.Errorf("%s: a long line: %s", path, line)
				}
			}
		}
	}
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) != len(examples())*len(w.Languages()) {
		t.Errorf("testdata holds %d letters for %d events: %v", len(files), len(examples()), err)
	}
}

func TestLettersBearAnyText(t *testing.T) {
	w := sayer(t)
	e := notice.Failed(about, says("failed_other", "problem", "a\r\nBcc: thief@example.org\r\n\r\nx\x1b[2J\x00\xff"), true,
		strings.Repeat("ñandú 😀 مدرسة ", 2000)+"\n"+strings.Repeat("x", 10_000))
	e.Title = map[string]string{"es": "Título\r\nBcc: thief@example.org"}
	letter := notice.Compose(w, "es", e)
	if strings.ContainsAny(letter.Subject, "\r\n") || utf8.RuneCountInString(letter.Subject) > 200 {
		t.Errorf("subject %q", letter.Subject)
	}
	if strings.ContainsAny(letter.Text, "\x00\x1b\r") || !utf8.ValidString(letter.Text) {
		t.Errorf("text %q", letter.Text[:300])
	}
	if n := utf8.RuneCountInString(letter.Text); n < 20_000 || n > 22_000 {
		t.Errorf("%d characters: details want to be cut at 20,000", n)
	}
}

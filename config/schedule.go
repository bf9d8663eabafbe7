package config

import (
	"errors"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"tamiz/pipeline"
)

// scheduleEntry is what pipeline.yml says of when runs fall due, and what
// tamiz.yml says in place of it, key by key.
type scheduleEntry struct {
	Due      string `yaml:"due"`
	Cron     string `yaml:"cron"`
	TimeZone string `yaml:"timezone"`
	Catchup  string `yaml:"catchup"`
	Fetch    string `yaml:"fetch"`
	Retry    string `yaml:"retry"`
	Limit    string `yaml:"limit"`
	Memory   string `yaml:"memory"`
}

// What a schedule is that does not say otherwise.
const (
	defaultRetry = time.Hour
	defaultLimit = 6 * time.Hour
)

// scheduleProblem tells of a mistake in a key of a schedule.
type scheduleProblem func(key, format string, arguments ...any)

func (l *loader) scheduleProblem(file string, text []byte, path ...string) scheduleProblem {
	return func(key, format string, arguments ...any) {
		l.problem(at(file, lineWithin(text, append(path[:len(path):len(path)], key)...)), "schedule: "+format, arguments...)
	}
}

// over puts the entry's keys over a schedule: those that are not given stay.
// Nil over nil is nil: there is no schedule.
func (e *scheduleEntry) over(base *pipeline.Schedule, problem scheduleProblem) *pipeline.Schedule {
	if e == nil {
		return base
	}
	s := pipeline.Schedule{Catchup: pipeline.CatchupLatest, Retry: defaultRetry, Limit: defaultLimit}
	if base != nil {
		s = *base
	}
	e.when(&s, problem)
	e.limits(&s, problem)
	if s.Cron == "" && s.DueDays == 0 && e.Due == "" {
		problem("due", "due is missing: write due: +2d 06:00, or a cron line")
	}
	return &s
}

var dueForm = regexp.MustCompile(`^\+([0-9]{1,3})d ([0-9]{2}:[0-9]{2})$`)

// when reads the keys that say when.
func (e *scheduleEntry) when(s *pipeline.Schedule, problem scheduleProblem) {
	if e.Due != "" && e.Cron != "" {
		problem("cron", "give due or cron, not both")
	}
	if e.Due != "" {
		match := dueForm.FindStringSubmatch(e.Due)
		clock, err := time.Parse("15:04", strings.Join(match[min(2, len(match)):], ""))
		if err != nil {
			problem("due", "due %q is no delay after a period's last date such as +2d 06:00", e.Due)
		} else if s.DueDays, _ = strconv.Atoi(match[1]); s.DueDays == 0 {
			problem("due", "due %q: a period is not over before the day after its last date; want +1d or more", e.Due)
		}
		s.DueClock, s.Cron = time.Duration(clock.Hour())*time.Hour+time.Duration(clock.Minute())*time.Minute, ""
	}
	if e.Cron != "" {
		s.Cron, s.DueDays, s.DueClock = cronLine("cron", e.Cron, problem), 0, 0
	}
	if e.Fetch != "" {
		s.Fetch = cronLine("fetch", e.Fetch, problem)
	}
	if e.TimeZone != "" {
		zone, err := time.LoadLocation(e.TimeZone)
		if err != nil || e.TimeZone == "Local" {
			problem("timezone", "timezone %q is unknown: want a name such as America/Mexico_City", e.TimeZone)
		}
		s.TimeZone = zone
	}
	switch catchup := pipeline.Catchup(e.Catchup); catchup {
	case "":
	case pipeline.CatchupLatest, pipeline.CatchupAll, pipeline.CatchupNone:
		s.Catchup = catchup
	default:
		problem("catchup", "catchup %q is unknown: want latest, all or none", e.Catchup)
	}
}

// cronLine checks a line of five fields. Its clock is the schedule's timezone,
// so that a line cannot name another.
func cronLine(key, line string, problem scheduleProblem) string {
	wrong := strings.Contains(line, "=")
	if !wrong {
		_, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow).Parse(line)
		wrong = err != nil
	}
	if wrong {
		problem(key, `%s %q is no cron line such as "0 5 * * *": minute, hour, day of the month, month, day of the week`, key, line)
	}
	return line
}

// limits reads the keys that say how much.
func (e *scheduleEntry) limits(s *pipeline.Schedule, problem scheduleProblem) {
	for _, length := range []struct {
		key, text string
		target    *time.Duration
	}{{"retry", e.Retry, &s.Retry}, {"limit", e.Limit, &s.Limit}} {
		if length.text == "" {
			continue
		}
		value, err := time.ParseDuration(length.text)
		if err != nil || value < time.Minute {
			problem(length.key, "%s %q is no length of time of a minute or more, such as 1h or 90m", length.key, length.text)
		}
		*length.target = value
	}
	if e.Memory != "" {
		size, err := ParseSize(e.Memory)
		if err != nil {
			problem("memory", "memory %v", err)
		}
		s.Memory = int64(size)
	}
}

// schedule puts what tamiz.yml says of when over what the pipeline says, and
// the project's time zone where neither names one.
func (p *Project) schedule(definition *pipeline.Pipeline) error {
	l := &loader{}
	file, name := filepath.Join(p.Dir, ProjectFile), definition.Name
	definition.Schedule = p.schedules[name].over(definition.Schedule, l.scheduleProblem(file, p.text, "schedule", name))
	if definition.Schedule != nil && definition.Schedule.TimeZone == nil {
		definition.Schedule.TimeZone = p.TimeZone
	}
	for other := range p.schedules {
		if !slices.Contains(p.Pipelines, other) {
			l.problem(at(file, lineWithin(p.text, "schedule", other)), "schedule: this project has no pipeline %q", other)
		}
	}
	return errors.Join(l.problems...)
}

// lineWithin finds the line of the last of keys, each looked for from the one
// before it on; that of the last one found where one is missing.
func lineWithin(text []byte, keys ...string) int {
	lines := strings.Split(string(text), "\n")
	found, from := 0, 0
	for depth, key := range keys {
		for i := from; i < len(lines); i++ {
			line := lines[i]
			if depth > 0 {
				line = strings.TrimSpace(line)
			}
			if depth > 0 && i > from && lines[i] != "" && !strings.ContainsAny(lines[i][:1], " #") {
				break // the block is over
			}
			if strings.HasPrefix(line, key+":") {
				found, from = i+1, i
				break
			}
		}
	}
	return found
}

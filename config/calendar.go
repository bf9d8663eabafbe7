package config

import (
	"errors"
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"time"

	"tamiz/pipeline"
)

// calendarValue is iso-fortnight, a length with an anchor, or a list of dates.
type calendarValue pipeline.Calendar

// UnmarshalYAML accepts the word, the mapping or the list.
func (c *calendarValue) UnmarshalYAML(unmarshal func(any) error) error {
	var word string
	if unmarshal(&word) == nil {
		if word != "iso-fortnight" {
			return fmt.Errorf("calendar %q is unknown: write iso-fortnight, {every: 2w, anchor: 2026-01-04} or a list of dates", word)
		}
		c.ISOFortnight = true
		return nil
	}
	var every map[string]string
	if unmarshal(&every) == nil {
		return c.repeat(every)
	}
	var dates []string
	if err := unmarshal(&dates); err != nil {
		return fmt.Errorf("calendar: want iso-fortnight, {every: 2w, anchor: 2026-01-04} or a list of dates: %w", err)
	}
	for _, text := range dates {
		date, err := calendarDate(text)
		if err != nil {
			return err
		}
		c.Dates = append(c.Dates, date)
	}
	if !sort.SliceIsSorted(c.Dates, func(i, j int) bool { return c.Dates[i].Before(c.Dates[j]) }) {
		return errors.New("calendar: the dates must ascend")
	}
	return nil
}

var everyForm = regexp.MustCompile(`^([1-9][0-9]{0,3})([dw])$`)

// repeat reads {every: 2w, anchor: 2026-01-04}.
func (c *calendarValue) repeat(entry map[string]string) error {
	for key := range entry {
		if key != "every" && key != "anchor" {
			return fmt.Errorf("calendar: unknown key %q: want every and anchor", key)
		}
	}
	match := everyForm.FindStringSubmatch(entry["every"])
	if match == nil {
		return fmt.Errorf("calendar: every %q is no length of days or weeks such as 10d or 2w", entry["every"])
	}
	c.Every, _ = strconv.Atoi(match[1]) // the form lets only digits through
	if match[2] == "w" {
		c.Every *= 7
	}
	if c.Every > 366 {
		return fmt.Errorf("calendar: every %q is longer than a year", entry["every"])
	}
	var err error
	c.Anchor, err = calendarDate(entry["anchor"])
	return err
}

func calendarDate(text string) (time.Time, error) {
	date, err := time.Parse(pipeline.DateLayout, text)
	if err != nil {
		return date, fmt.Errorf("calendar: %q is not a date such as 2026-04-13", text)
	}
	return date, nil
}

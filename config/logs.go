package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"tamiz/pipeline"
)

// kindLog is the kind of card that declares an append-only log of the store.
const kindLog = "log"

// entryRule is what the card of a log says of a column, beside what every
// card may say.
type entryRule struct {
	Required bool                         `yaml:"required"`
	Assigned bool                         `yaml:"assigned"`
	Date     bool                         `yaml:"date"`
	OneOf    []string                     `yaml:"one_of"`
	Like     string                       `yaml:"like"` // a pattern, or 0..200 for whole numbers
	Example  string                       `yaml:"example"`
	LikeBy   map[string]map[string]string `yaml:"like_by"`
	RefersTo string                       `yaml:"refers_to"`
}

// asLog fills in what all cards of logs have in common: the table of a log
// has the card's columns and the time of each record.
func (card *sourceFile) asLog() {
	card.Format, card.URL = wordOrWords{"json"}, ""
	for i := range card.Columns {
		card.Columns[i].Value.Titles = []string{"values." + card.Columns[i].Name}
		card.Columns[i].Value.Optional = true
	}
	card.Columns = append(card.Columns, pair[sourceColumn]{Name: pipeline.RecordedAt, Value: sourceColumn{
		Titles: []string{pipeline.RecordedAt}, Description: "When the record was added, UTC, by the clock of who added it."}})
}

// checkLog finds the mistakes in a card that only a log, or no log, can make.
func (l *loader) checkLog(file string, text []byte, card *sourceFile) {
	if card.Kind != "" && card.Kind != kindLog {
		l.problem(at(file, lineOf(text, "kind:")), "kind %q is unknown: want log, or none for files", card.Kind)
	}
	for key, given := range map[string]bool{
		"format": len(card.Format) > 0, "folder": card.Folder != "", "url": card.URL != "", "mirrors": len(card.Mirrors) > 0,
		"json_path": card.JSONPath != "", "members": card.Members != "", "history": card.History > 0, "required": card.Required,
	} {
		if card.Kind == kindLog && given {
			l.problem(at(file, lineOf(text, key+":")), "%s: a log lies in the store, and needs no %s", key, key)
		}
	}
	if card.Kind == kindLog && card.Archive != "public" {
		l.problem(at(file, lineOf(text, "archive:")), "archive is %q: a log lies in the store, so that it is public", card.Archive)
	}
	for _, column := range card.Columns {
		where := at(file, lineOf(text, column.Name+":"))
		rule := column.Value.Entry
		if _, err := rule.compile(); err != nil {
			l.problem(where, "column %s: %v", column.Name, err)
		}
		if given := len(column.Value.Titles) > 0 || column.Value.Position > 0 || column.Value.Optional || len(column.Value.Range) > 0; card.Kind == kindLog && given {
			l.problem(where, "column %s: a log has no titles and no range: write like: 0..200", column.Name)
		}
		if card.Kind != kindLog && rule.isSet() {
			l.problem(where, "column %s: required, assigned, date, one_of, like, example, like_by and refers_to are for cards of kind: log", column.Name)
		}
		if card.Kind == kindLog && strings.TrimSpace(column.Value.Description) == "" {
			l.problem(where, "column %s has no description", column.Name)
		}
		for by := range rule.LikeBy {
			if !slices.ContainsFunc(card.Columns, func(c pair[sourceColumn]) bool { return c.Name == by }) {
				l.problem(where, "column %s: like_by names column %s, which the log does not have", column.Name, by)
			}
		}
	}
}

func (r entryRule) isSet() bool {
	return r.Required || r.Assigned || r.Date || len(r.OneOf) > 0 || r.Like != "" || r.Example != "" || len(r.LikeBy) > 0 || r.RefersTo != ""
}

// compile turns a rule into what the door goes by.
func (r entryRule) compile() (*pipeline.EntryRule, error) {
	rule := &pipeline.EntryRule{Required: r.Required, Assigned: r.Assigned, Date: r.Date, OneOf: r.OneOf, Likes: map[string]*pipeline.Form{}}
	var err error
	if r.Like != "" {
		if rule.Like, err = parseForm(r.Like); err != nil {
			return nil, err
		}
		rule.Like.Example = r.Example
	}
	if len(r.LikeBy) > 1 {
		return nil, fmt.Errorf("like_by names %d columns: want one", len(r.LikeBy))
	}
	for by, patterns := range r.LikeBy {
		rule.By = by
		for word, pattern := range patterns {
			if rule.Likes[word], err = parseForm(pattern); err != nil {
				return nil, err
			}
		}
	}
	if r.RefersTo != "" {
		ok := false
		if rule.Log, rule.Column, ok = strings.Cut(r.RefersTo, "."); !ok {
			return nil, fmt.Errorf("refers_to is %q: want log.column", r.RefersTo)
		}
	}
	return rule, nil
}

var numbersPattern = regexp.MustCompile(`^([0-9]{1,15})\.\.([0-9]{1,15})$`)

// parseForm reads 0..200 or a pattern.
func parseForm(text string) (*pipeline.Form, error) {
	if match := numbersPattern.FindStringSubmatch(text); match != nil {
		low, _ := strconv.ParseInt(match[1], 10, 64) // digits only
		high, _ := strconv.ParseInt(match[2], 10, 64)
		return &pipeline.Form{Low: low, High: high}, nil
	}
	pattern, err := regexp.Compile("^(?:" + text + ")$")
	return &pipeline.Form{Pattern: pattern}, err
}

// checkReferences wants every log and column that a log refers to to be there.
func (l *loader) checkReferences(p *pipeline.Pipeline) {
	for _, source := range p.Sources {
		for _, column := range source.Parsing.Columns {
			if column.Entry == nil || column.Entry.Log == "" {
				continue
			}
			found := slices.ContainsFunc(p.Sources, func(s pipeline.Source) bool {
				return s.Name == column.Entry.Log && s.Log &&
					slices.ContainsFunc(s.Parsing.Columns, func(c pipeline.SourceColumn) bool { return c.Name == column.Entry.Column })
			})
			if !found {
				l.problem(source.Path, "column %s refers to %s.%s, which is no column of a log", column.Name, column.Entry.Log, column.Entry.Column)
			}
		}
	}
}

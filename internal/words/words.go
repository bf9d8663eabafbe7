// Package words says sentences in any of the languages.
//
// In come the texts by language and key (config/texts, read by package config)
// and a [pipeline.Sentence]; out comes plain text. Whole numbers get commas,
// dates and the names of editions become dates in words, lists get their "and".
//
// It never says nothing: what is missing in a language is said in English, and
// what is missing there, too, by its key.
package words

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"

	"tamiz/pipeline"
)

// fallback is the language of what another one lacks.
const fallback = "en"

// Words holds all texts.
type Words struct {
	bundle    *i18n.Bundle
	languages []string
}

// Load takes the texts as language → key → a text, or a mapping of plural
// forms (one, many, other, …) to texts. A text is a Go template over the values of its
// sentence; a mistake in one is an error of kind Config.
func Load(texts map[string]map[string]any) (*Words, error) {
	w := &Words{bundle: i18n.NewBundle(language.English), languages: slices.Sorted(maps.Keys(texts))}
	for _, name := range w.languages {
		where := "texts/" + name + ".yml"
		tag, err := language.Parse(name)
		if err != nil {
			return nil, &pipeline.Error{Kind: pipeline.Config, Where: where, Problem: fmt.Sprintf("%q is not a language such as es", name)}
		}
		for _, key := range slices.Sorted(maps.Keys(texts[name])) {
			message, err := i18n.NewMessage(texts[name][key])
			if err != nil {
				return nil, &pipeline.Error{Kind: pipeline.Config, Where: where, Subject: key, Err: err}
			}
			if message.Other == "" {
				return nil, &pipeline.Error{Kind: pipeline.Config, Where: where, Subject: key, Problem: "the text is empty"}
			}
			message.ID = key
			if err := w.bundle.AddMessages(tag, message); err != nil {
				return nil, &pipeline.Error{Kind: pipeline.Config, Where: where, Subject: key, Err: err}
			}
			for _, text := range []string{message.One, message.Many, message.Other} {
				if _, err := template.New(key).Parse(text); err != nil {
					return nil, &pipeline.Error{Kind: pipeline.Config, Where: where, Subject: key, Err: err}
				}
			}
		}
	}
	return w, nil
}

// Languages gives the languages by name, sorted.
func (w *Words) Languages() []string { return slices.Clone(w.languages) }

// All says sentences, one after the other, in every language.
func (w *Words) All(sentences ...pipeline.Sentence) map[string]string {
	all := map[string]string{}
	for _, name := range w.languages {
		said := make([]string, len(sentences))
		for i := range sentences {
			said[i] = w.Say(name, sentences[i])
		}
		all[name] = strings.Join(said, " ")
	}
	return all
}

// Say says a sentence in a language. The value count, or else days, chooses
// the plural form. A value that is a mapping by language is said in the
// language; the key verbatim says its own values so.
func (w *Words) Say(languageName string, sentence pipeline.Sentence) string {
	given := sentence.Values
	if sentence.Key == "verbatim" {
		given = map[string]any{"text": sentence.Values}
	}
	values := map[string]any{}
	for name, value := range given {
		values[name] = w.value(languageName, value)
	}
	request := &i18n.LocalizeConfig{MessageID: sentence.Key, TemplateData: values}
	for _, name := range []string{"days", "count"} {
		if n, ok := whole(given[name]); ok {
			request.PluralCount = n
		}
	}
	text, err := i18n.NewLocalizer(w.bundle, languageName).Localize(request)
	if text == "" && err != nil {
		return sentence.Key
	}
	return text
}

// datePattern is a date, or an edition: a date and its revision.
var datePattern = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})(?:\.(\d+))?$`)

// value says one value.
func (w *Words) value(languageName string, value any) string {
	if n, ok := whole(value); ok {
		return commas(n)
	}
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return w.text(languageName, v)
	case []string:
		return w.list(languageName, v)
	case []any:
		list := make([]string, len(v))
		for i := range v {
			list[i] = w.value(languageName, v[i])
		}
		return w.list(languageName, list)
	case map[string]string:
		return ofLanguage(v, languageName)
	case map[string]any:
		texts := map[string]string{}
		for name, text := range v {
			texts[name] = fmt.Sprint(text)
		}
		return ofLanguage(texts, languageName)
	}
	return fmt.Sprint(value)
}

// text says dates in words, and any other text as it is.
func (w *Words) text(languageName, text string) string {
	match := datePattern.FindStringSubmatch(text)
	if match == nil {
		return text
	}
	date, err := time.Parse(pipeline.DateLayout, match[1])
	if err != nil {
		return text
	}
	months := strings.Fields(w.Say(languageName, pipeline.Sentence{Key: "months"}))
	if len(months) != 12 {
		return text
	}
	revision := match[2]
	if revision == "1" {
		revision = ""
	}
	return w.Say(languageName, pipeline.Sentence{Key: "date", Values: map[string]any{"day": strconv.Itoa(date.Day()),
		"month": months[date.Month()-1], "year": strconv.Itoa(date.Year()), "revision": revision}})
}

// list says one, two or more things.
func (w *Words) list(languageName string, list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return w.Say(languageName, pipeline.Sentence{Key: "list", Values: map[string]any{
		"first": strings.Join(list[:len(list)-1], ", "), "last": list[len(list)-1]}})
}

// ofLanguage chooses a text: of the language, else the English, else any.
func ofLanguage(texts map[string]string, languageName string) string {
	base, _, _ := strings.Cut(languageName, "-")
	for _, name := range append([]string{languageName, base, fallback}, slices.Sorted(maps.Keys(texts))...) {
		if text := texts[name]; text != "" {
			return text
		}
	}
	return ""
}

// whole reads a whole number, which JSON may have made a float64.
func whole(value any) (int64, bool) {
	switch n := value.(type) {
	case int:
		return int64(n), true
	case int64:
		return n, true
	case float64:
		return int64(n), n == float64(int64(n))
	}
	return 0, false
}

// commas writes 12,345.
func commas(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

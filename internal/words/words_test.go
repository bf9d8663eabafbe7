package words_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tamiz/config"
	"tamiz/internal/words"
	"tamiz/pipeline"
)

func load(t *testing.T) (*words.Words, map[string]map[string]any) {
	t.Helper()
	texts, err := config.Texts(config.Files)
	if err != nil {
		t.Fatal(err)
	}
	w, err := words.Load(texts)
	if err != nil {
		t.Fatal(err)
	}
	return w, texts
}

func sentence(key string, pairs ...any) pipeline.Sentence {
	values := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		values[pairs[i].(string)] = pairs[i+1]
	}
	return pipeline.Sentence{Key: key, Values: values}
}

func TestSay(t *testing.T) {
	w, _ := load(t)
	for _, c := range []struct {
		name, language string
		sentence       pipeline.Sentence
		want           string
	}{
		{"an edition becomes a date", "es", sentence("published", "snapshot", "2026-11-29.1"), "Se publicó la edición del 29 de noviembre de 2026."},
		{"a revision is said", "en", sentence("published", "snapshot", "2026-11-01.3"), "The edition of 1 November 2026 (revision 3) was published."},
		{"a region speaks its language", "es-419", sentence("published", "snapshot", "2026-01-05.1"), "Se publicó la edición del 5 de enero de 2026."},
		{"an unknown language speaks English", "ne", sentence("failed_disk"), "The disk of the computer is full."},
		{"an unknown key says itself", "es", sentence("no_such_key"), "no_such_key"},
		{"one", "es", sentence("held_broken", "count", 1, "table", "t", "check", "c"), "Hay datos que no pueden ser ciertos: 1 fila de la tabla t no cumple la regla «c»."},
		{"many get commas", "en", sentence("held_broken", "count", 12345, "table", "t", "check", "c"), "Some data cannot be true: 12,345 rows of the table t break the rule “c”."},
		{"a million", "es", sentence("held_broken", "count", 1_000_000, "table", "t", "check", "c"), "Hay datos que no pueden ser ciertos: 1,000,000 filas de la tabla t no cumplen la regla «c»."},
		{"a list", "es", sentence("published_carried", "snapshot", "2026-11-29.1", "sources", []string{"a", "b", "c"}, "count", 3),
			"Se publicó la edición del 29 de noviembre de 2026. 3 fuentes siguen con su versión anterior: a, b y c."},
		{"a value that may be absent", "en", sentence("nothing_new"), "No new data came."},
		{"and is there", "en", sentence("nothing_new", "snapshot", "2026-11-29.1"), "No new data came. The edition of 29 November 2026 still stands."},
		{"as it is", "es", sentence("verbatim", "en", "Is {{.it}} so?", "es", "¿Es así?"), "¿Es así?"},
		{"as it is, in English if need be", "es", sentence("verbatim", "en", "Is {{.it}} so?"), "Is {{.it}} so?"},
		{"a value by language", "es", sentence("source_good", "source", "x", "title", map[string]string{"en": "Deaths", "es": "Defunciones"}), "Defunciones (fuente x) ya se puede usar otra vez."},
		{"a value is no template", "en", sentence("failed_other", "problem", "{{.snapshot}} <b>"), "Something went wrong: {{.snapshot}} <b>"},
		{"what looks like a date and is none", "en", sentence("failed_other", "problem", "2026-13-45"), "Something went wrong: 2026-13-45"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := w.Say(c.language, c.sentence); got != c.want {
				t.Errorf("\n got %q\nwant %q", got, c.want)
			}
			text, err := json.Marshal(c.sentence)
			if err != nil {
				t.Fatal(err)
			}
			var again pipeline.Sentence
			if err := json.Unmarshal(text, &again); err != nil {
				t.Fatal(err)
			}
			if got := w.Say(c.language, again); got != c.want {
				t.Errorf("after a stay in a file:\n got %q\nwant %q", got, c.want)
			}
		})
	}
	if got := w.All(sentence("failed_disk"), sentence("failed_crashed", "how", "SIGKILL")); len(got) != 2 ||
		got["es"] != "El disco de la computadora está lleno. La actualización se interrumpió de golpe, sin decir por qué (SIGKILL)." {
		t.Errorf("in all languages: %v", got)
	}
	if got := w.Languages(); !slices.Equal(got, []string{"en", "es"}) {
		t.Errorf("languages: %v", got)
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		texts map[string]map[string]any
		want  string
	}{
		{"no language", map[string]map[string]any{"!": {"a": "b"}}, `"!" is not a language`},
		{"empty", map[string]map[string]any{"en": {"a": ""}}, "the text is empty"},
		{"no text", map[string]map[string]any{"en": {"a": 7}}, "unsupported type 7"},
		{"braces left open", map[string]map[string]any{"en": {"a": map[string]any{"one": "{{.x", "other": "x"}}}, "unclosed action"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := words.Load(c.texts)
			var e *pipeline.Error
			if !errors.As(err, &e) || e.Kind != pipeline.Config || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// forms gives the texts of a key.
func forms(text any) []string {
	if one, ok := text.(string); ok {
		return []string{one}
	}
	var list []string
	for _, form := range text.(map[string]any) {
		list = append(list, form.(string))
	}
	return list
}

var (
	placeholder = regexp.MustCompile(`\.(\w+)`)
	action      = regexp.MustCompile(`\{\{[^}]*\}\}`)
)

// placeholders gives the values that a key fills in → whether it can do
// without. A plural form may say its count in a word.
func placeholders(text any) map[string]bool {
	found := map[string]bool{}
	for _, form := range forms(text) {
		for _, braces := range action.FindAllString(form, -1) {
			for _, match := range placeholder.FindAllStringSubmatch(braces, -1) {
				found[match[1]] = found[match[1]] || strings.HasPrefix(braces, "{{if ")
			}
		}
	}
	return found
}

func TestLanguagesSayTheSameThings(t *testing.T) {
	_, texts := load(t)
	for language, keys := range texts {
		if english, here := slices.Sorted(maps.Keys(texts["en"])), slices.Sorted(maps.Keys(keys)); !slices.Equal(english, here) {
			t.Errorf("%s.yml has other keys than en.yml:\n%v\n%v", language, here, english)
		}
		for key, text := range keys {
			if want := placeholders(texts["en"][key]); !maps.Equal(placeholders(text), want) {
				t.Errorf("%s.yml: %s fills in %v, and in English %v", language, key, placeholders(text), want)
			}
			_, plural := text.(map[string]any)
			if _, inEnglish := texts["en"][key].(map[string]any); plural != inEnglish {
				t.Errorf("%s.yml: %s has plural forms in one language only", language, key)
			}
			for _, form := range forms(text) {
				if len([]rune(form)) > 230 {
					t.Errorf("%s.yml: %s is too long for a sentence or two: %s", language, key, form)
				}
			}
		}
	}
}

func TestEveryKeyIsSaidAndEverySentenceHasAText(t *testing.T) {
	_, texts := load(t)
	used := map[string]bool{}
	err := filepath.WalkDir("../..", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".") && len(entry.Name()) > 2) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(node ast.Node) bool {
			if literal, ok := node.(*ast.CompositeLit); ok {
				if key, values := sentenceOf(literal); key != "" {
					used[key] = true
					for _, problem := range misfits(texts["en"][key], values) {
						t.Errorf("%s: %s: %s", name, key, problem)
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for key := range texts["en"] {
		if !used[key] && key != "verbatim" {
			t.Errorf("no Go says %s: take it out of texts/*.yml", key)
		}
	}
}

// sentenceOf reads Sentence{Key: "…", Values: map[string]any{…}}; the values
// are nil where they are no such literal.
func sentenceOf(literal *ast.CompositeLit) (key string, values []string) {
	for _, element := range literal.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		switch fmt.Sprint(pair.Key) {
		case "Key":
			if text, ok := pair.Value.(*ast.BasicLit); ok && text.Kind == token.STRING {
				key, _ = strconv.Unquote(text.Value)
			}
		case "Values":
			if mapping, ok := pair.Value.(*ast.CompositeLit); ok {
				values = []string{}
				for _, element := range mapping.Elts {
					if text, ok := element.(*ast.KeyValueExpr).Key.(*ast.BasicLit); ok {
						name, _ := strconv.Unquote(text.Value)
						values = append(values, name)
					}
				}
			}
		}
	}
	if !regexp.MustCompile(`^[a-z][a-z_]*$`).MatchString(key) {
		return "", nil
	}
	return key, values
}

func misfits(text any, values []string) (problems []string) {
	if text == nil {
		return []string{"it has no text in texts/*.yml"}
	}
	known := placeholders(text)
	if _, asItIs := known["text"]; values == nil || asItIs {
		return nil
	}
	for _, name := range values {
		if _, ok := known[name]; !ok && name != "count" && name != "days" {
			problems = append(problems, "the text does not say "+name)
		}
	}
	for name, canDoWithout := range known {
		if !slices.Contains(values, name) && !canDoWithout {
			problems = append(problems, "the text wants "+name)
		}
	}
	return problems
}

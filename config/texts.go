package config

import (
	"io/fs"
	"path"
	"strings"

	"github.com/goccy/go-yaml"

	"tamiz/pipeline"
)

// Texts reads what is said to people, texts/<language>.yml in files (such as
// [Files]): language → key → a text, or its plural forms.
func Texts(files fs.FS) (map[string]map[string]any, error) {
	names, err := fs.Glob(files, "texts/*.yml")
	if err != nil {
		return nil, &pipeline.Error{Kind: pipeline.Config, Where: "texts", Err: err}
	}
	texts := map[string]map[string]any{}
	for _, name := range names {
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, &pipeline.Error{Kind: pipeline.Config, Where: name, Err: err}
		}
		var keys map[string]any
		if err := yaml.Unmarshal(content, &keys); err != nil {
			return nil, &pipeline.Error{Kind: pipeline.Config, Where: name, Problem: strings.TrimSpace(yaml.FormatError(err, false, true))}
		}
		texts[strings.TrimSuffix(path.Base(name), ".yml")] = keys
	}
	return texts, nil
}

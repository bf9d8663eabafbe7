package standards

import (
	"encoding/json"
	"fmt"
	"strings"
)

// citation writes how to cite an edition, in the Citation File Format 1.2. Each
// text is a JSON string, which YAML reads as it is.
func citation(e *Edition) []byte {
	var b strings.Builder
	line := func(indent, key, value string) {
		fmt.Fprintf(&b, "%s%s: %s\n", indent, key, quoted(value))
	}
	line("", "cff-version", "1.2.0")
	line("", "message", "Cite this edition by its version: an edition never changes. Cite the publishers of its sources too.")
	line("", "type", "dataset")
	line("", "title", e.title())
	line("", "version", e.Snapshot)
	line("", "date-released", e.AsOf)
	b.WriteString("authors:\n")
	line("  - ", "name", "Tamiz, pipeline "+e.Pipeline.Name)
	line("", "abstract", e.description())
	b.WriteString("keywords:\n")
	for _, word := range []string{e.Pipeline.Name, "method " + e.Pipeline.MethodVersion} {
		fmt.Fprintf(&b, "  - %s\n", quoted(word))
	}
	if len(e.used()) > 0 {
		b.WriteString("references:\n")
	}
	for _, source := range e.used() {
		line("  - ", "type", "data")
		line("    ", "title", source.Title)
		fmt.Fprintf(&b, "    authors:\n")
		line("      - ", "name", source.Publisher)
		if url := source.address(); url != "" {
			line("    ", "url", url)
		}
		notes := "Licence: " + source.Licence + "."
		if source.Citation != "" {
			notes = source.Citation + ". " + notes
		}
		line("    ", "notes", notes)
	}
	return []byte(b.String())
}

// quoted gives a YAML scalar in double quotes, on one line.
func quoted(text string) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(strings.Join(strings.Fields(text), " ")); err != nil {
		panic("standards: a text that cannot be JSON: " + err.Error())
	}
	return strings.TrimSpace(b.String())
}

package csvtext

import (
	"regexp"
	"strconv"
	"strings"

	"tamiz/pipeline"
)

// bareText is what YAML reads as text without quotes, also within a list.
var bareText = regexp.MustCompile(`^\pL[\pL\pN_./()%° -]*$`)

// CardLine writes a column as one line of a source card, with all that the
// card says about it.
func CardLine(column pipeline.SourceColumn) string {
	titles := make([]string, len(column.Titles))
	for i, title := range column.Titles {
		titles[i] = scalar(title)
	}
	list := "[" + strings.Join(titles, ", ") + "]"
	var parts []string
	if len(titles) > 0 {
		parts = append(parts, "titles: "+list)
	}
	if column.Position > 0 {
		parts = append(parts, "position: "+strconv.Itoa(column.Position))
	}
	if column.Optional {
		parts = append(parts, "optional: true")
	}
	if column.Min != nil && column.Max != nil {
		parts = append(parts, "range: ["+number(*column.Min)+", "+number(*column.Max)+"]")
	}
	if column.Description != "" {
		parts = append(parts, "description: "+scalar(foldSpace(column.Description)))
	}
	if len(parts) == 1 && len(titles) > 0 {
		return column.Name + ": " + list
	}
	return column.Name + ": {" + strings.Join(parts, ", ") + "}"
}

func number(value float64) string { return strconv.FormatFloat(value, 'f', -1, 64) }

// scalar quotes text where YAML would read something else.
func scalar(text string) string {
	switch strings.ToLower(text) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
		return strconv.Quote(text)
	}
	if bareText.MatchString(text) && strings.TrimSpace(text) == text {
		return text
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(text) + `"`
}

// Package csvtext reads tables in text files as publishers really write them.
//
// In come raw bytes, in any of four encodings, with any line ends, quoting,
// separator and stack of header rows. A [Survey] of the whole file tells which
// encoding it is in; [Records] splits the bytes into records and fields; a
// [Header] gives each column its title, and [Header.Match] finds the columns
// that a source card declares.
//
// Out come fields as they stand in the file, and errors that say on which line
// what is wrong and which line of the card would mend it.
//
// This package never changes a value, never guesses a missing one, and knows
// neither DuckDB nor where files are kept.
package csvtext

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Cut shortens text for a message: line ends become blanks, and what is longer
// than 200 characters ends in an ellipsis.
func Cut(text string) string {
	const limit = 200
	text = strings.NewReplacer("\r\n", " ", "\r", " ", "\n", " ").Replace(strings.ToValidUTF8(text, "�"))
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	return string([]rune(text)[:limit]) + "…"
}

// Count writes a number with commas between the thousands.
func Count(n int64) string {
	text := strconv.FormatInt(n, 10)
	for at := len(text) - 3; at > 0 && text[at-1] != '-'; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// quoteAll writes words for a message: "a", "b".
func quoteAll(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = strconv.Quote(word)
	}
	return strings.Join(quoted, ", ")
}

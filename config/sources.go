package config

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"tamiz/pipeline"
)

type sourceFile struct {
	Kind       string                `yaml:"kind"`
	Title      string                `yaml:"title"`
	Publisher  string                `yaml:"publisher"`
	Licence    string                `yaml:"licence"`
	Citation   string                `yaml:"citation"`
	URL        string                `yaml:"url"`
	Mirrors    []string              `yaml:"mirrors"`
	Hosts      []string              `yaml:"hosts"`
	Folder     string                `yaml:"folder"`
	Archive    string                `yaml:"archive"`
	PupilLevel bool                  `yaml:"pupil_level"`
	Required   bool                  `yaml:"required"`
	DeadAfter  days                  `yaml:"dead_after"`
	History    int                   `yaml:"history"`
	Format     wordOrWords           `yaml:"format"`
	Members    string                `yaml:"members"`
	Sheet      wordOrWords           `yaml:"sheet"`
	JSONPath   string                `yaml:"json_path"`
	Footer     wordOrWords           `yaml:"footer"`
	Encoding   encodingEntry         `yaml:"encoding"`
	Separator  string                `yaml:"separator"`
	HeaderRows *int                  `yaml:"header_rows"`
	SkipRows   int                   `yaml:"skip_rows"`
	Limits     limitsEntry           `yaml:"limits"`
	Columns    ordered[sourceColumn] `yaml:"columns"`
	Gates      gatesEntry            `yaml:"gates"`
}

// wordOrWords is one word, or a list of them.
type wordOrWords []string

// UnmarshalYAML accepts both forms.
func (w *wordOrWords) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if unmarshal(&one) == nil {
		*w = wordOrWords{one}
		return nil
	}
	return unmarshal((*[]string)(w))
}

// days is a number of days, written such as 400d.
type days int

// UnmarshalYAML accepts 400d.
func (d *days) UnmarshalYAML(unmarshal func(any) error) error {
	var text string
	if err := unmarshal(&text); err != nil {
		return err
	}
	number, ok := strings.CutSuffix(strings.TrimSpace(text), "d")
	n, err := strconv.Atoi(number)
	if err != nil || !ok || n < 1 {
		return fmt.Errorf("%q is not a number of days such as 400d", text)
	}
	*d = days(n)
	return nil
}

type encodingEntry struct {
	AnyOf  []string `yaml:"any_of"`
	Expect []string `yaml:"expect"`
}

type limitsEntry struct {
	Bytes      Size  `yaml:"bytes"`
	Records    int64 `yaml:"records"`
	MinRecords int64 `yaml:"min_records"`
}

// sourceColumn is a list of titles, or titles with a contract.
type sourceColumn struct {
	Titles      []string  `yaml:"titles"`
	Position    int       `yaml:"position"`
	Optional    bool      `yaml:"optional"`
	Range       []float64 `yaml:"range"`
	Description string    `yaml:"description"`
	Entry       entryRule `yaml:",inline"`
}

// UnmarshalYAML accepts both forms.
func (c *sourceColumn) UnmarshalYAML(unmarshal func(any) error) error {
	if unmarshal(&c.Titles) == nil {
		return nil
	}
	type plain sourceColumn
	return unmarshal((*plain)(c))
}

var (
	knownFormats   = []string{"csv", "xlsx", "xls", "dbf", "shapefile", "dta", "json"}
	knownEncodings = []string{"utf-8", "latin-1", "windows-1252", "mac-roman"}
	namePattern    = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
)

func (l *loader) loadSources(p *pipeline.Pipeline) {
	files, _ := fs.Glob(l.files, path.Join("config", l.name, "sources", "*.yml"))
	sort.Strings(files)
	for _, file := range files {
		var card sourceFile
		text, ok := l.decode(file, &card)
		if !ok {
			continue
		}
		l.checkLog(file, text, &card)
		if card.Kind == kindLog {
			card.asLog()
		}
		l.checkCard(file, text, &card)
		source := newSource(file, card)
		l.addGates(&source, text, &card)
		p.Sources = append(p.Sources, source)
	}
	l.checkReferences(p)
	if len(files) == 0 {
		l.problem(path.Join("config", l.name, "sources"), "there is no source card (*.yml)")
	}
}

// newSource fills the defaults: all of them stand here.
func newSource(file string, card sourceFile) pipeline.Source {
	source := pipeline.Source{
		Name: strings.TrimSuffix(path.Base(file), ".yml"), Path: file,
		Title: card.Title, Publisher: card.Publisher, Licence: card.Licence, Citation: card.Citation,
		Log: card.Kind == kindLog, URL: card.URL, Mirrors: card.Mirrors, Hosts: card.Hosts, Folder: card.Folder, Private: card.Archive == "private",
		PupilLevel: card.PupilLevel, Required: card.Required, DeadAfter: int(card.DeadAfter), History: card.History,
		Parsing: pipeline.Parsing{
			Formats: card.Format, Members: card.Members, Sheets: card.Sheet, JSONPath: card.JSONPath, Footer: card.Footer,
			Encodings: card.Encoding.AnyOf, Expect: card.Encoding.Expect,
			Separator: card.Separator, HeaderRows: 1, SkipRows: card.SkipRows,
			MaxBytes: int64(card.Limits.Bytes), MaxRecords: card.Limits.Records, MinRecords: card.Limits.MinRecords,
		},
	}
	parsing := &source.Parsing
	if card.HeaderRows != nil {
		parsing.HeaderRows = *card.HeaderRows
	}
	if len(parsing.Encodings) == 0 {
		parsing.Encodings = []string{"utf-8"}
	}
	if parsing.Separator == "" {
		parsing.Separator = ","
	}
	if parsing.MaxBytes == 0 {
		parsing.MaxBytes = 1 << 30
	}
	if parsing.MaxRecords == 0 {
		parsing.MaxRecords = 20_000_000
	}
	if source.URL == "" {
		source.URL = "unverified"
	}
	for _, column := range card.Columns {
		c := pipeline.SourceColumn{
			Name: column.Name, Titles: column.Value.Titles, Position: column.Value.Position,
			Optional: column.Value.Optional, Description: column.Value.Description,
		}
		if len(column.Value.Range) == 2 {
			c.Min, c.Max = &column.Value.Range[0], &column.Value.Range[1]
		}
		if source.Log && column.Name != pipeline.RecordedAt {
			c.Entry, _ = column.Value.Entry.compile() // checkLog has told what is wrong with it
		}
		parsing.Columns = append(parsing.Columns, c)
	}
	return source
}

func (l *loader) checkCard(file string, text []byte, card *sourceFile) {
	for name, value := range map[string]string{
		"title": card.Title, "publisher": card.Publisher, "licence": card.Licence, "folder": card.Folder,
	} {
		if value == "" && (name != "folder" || card.Kind != kindLog) {
			l.problem(file, "%s is missing", name)
		}
	}
	for _, format := range card.Format {
		if !contains(knownFormats, format) {
			l.problem(at(file, lineOf(text, "format:")), "format %q is unknown: want one or more of %s", format, strings.Join(knownFormats, ", "))
		}
	}
	if len(card.Format) == 0 {
		l.problem(file, "format is missing: want one or more of %s", strings.Join(knownFormats, ", "))
	}
	if _, err := path.Match(card.Members, ""); err != nil {
		l.problem(at(file, lineOf(text, "members:")), "members %q is no pattern such as *.csv", card.Members)
	}
	if card.Archive != "public" && card.Archive != "private" {
		l.problem(at(file, lineOf(text, "archive:")), "archive is %q: want public or private", card.Archive)
	}
	if card.History < 0 || card.History > 120 {
		l.problem(at(file, lineOf(text, "history:")), "history is %d: want how many of the last versions a run stands on, 1 to 120", card.History)
	}
	if len(card.Separator) > 1 {
		l.problem(at(file, lineOf(text, "separator:")), "separator %q is not one character", card.Separator)
	}
	for _, encoding := range card.Encoding.AnyOf {
		if !contains(knownEncodings, encoding) {
			l.problem(at(file, lineOf(text, "encoding:")), "encoding %q is unknown: want one of %s", encoding, strings.Join(knownEncodings, ", "))
		}
	}
	if len(card.Columns) == 0 {
		l.problem(file, "columns is missing: which columns of the file are wanted")
	}
	for _, column := range card.Columns {
		where := at(file, lineOf(text, column.Name+":"))
		if !namePattern.MatchString(strings.ToLower(column.Name)) {
			l.problem(where, "column name %q: want letters, digits and _", column.Name)
		}
		if len(column.Value.Titles) == 0 && column.Value.Position == 0 {
			l.problem(where, "column %s names no title of the file", column.Name)
		}
		if n := len(column.Value.Range); n != 0 && n != 2 {
			l.problem(where, "column %s: range wants two numbers, [lowest, highest]", column.Name)
		}
	}
}

func contains(list []string, wanted string) bool {
	for _, item := range list {
		if item == wanted {
			return true
		}
	}
	return false
}

// Size is a number of bytes, written such as 512MiB.
type Size int64

// UnmarshalYAML accepts a plain number of bytes or one with a unit.
func (s *Size) UnmarshalYAML(unmarshal func(any) error) error {
	var text string
	if err := unmarshal(&text); err != nil {
		return err
	}
	size, err := ParseSize(text)
	*s = size
	return err
}

// ParseSize reads 1024, 64KiB, 512MiB or 2GiB.
func ParseSize(text string) (Size, error) {
	number, unit := strings.TrimSpace(text), int64(1)
	for suffix, factor := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if strings.HasSuffix(number, suffix) {
			number, unit = strings.TrimSpace(strings.TrimSuffix(number, suffix)), factor
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > (1<<62)/unit {
		return 0, fmt.Errorf("%q is not a size such as 512MiB", text)
	}
	return Size(n * unit), nil
}

package config

import (
	"fmt"
	"path"
	"sort"
	"strconv"

	"github.com/goccy/go-yaml"

	"tamiz/pipeline"
)

type tablesFile struct {
	Version string              `yaml:"version"`
	Tables  ordered[tableEntry] `yaml:"tables"`
}

type tableEntry struct {
	Description string            `yaml:"description"`
	Columns     map[string]string `yaml:"columns"`
	Rows        []yaml.MapSlice   `yaml:"rows"`
}

// loadTables reads method.yml and reference.yml.
func (l *loader) loadTables(p *pipeline.Pipeline) {
	for _, schema := range []string{"method", "reference"} {
		file := path.Join("config", l.name, schema+".yml")
		var content tablesFile
		text, ok := l.decode(file, &content)
		if !ok {
			continue
		}
		if schema == "method" {
			p.MethodVersion, p.MethodText = content.Version, text
			if content.Version == "" {
				l.problem(file, noVersion)
			}
		}
		p.Tables = append(p.Tables, l.newTables(schema, file, text, content)...)
	}
	sort.Slice(p.Tables, func(i, j int) bool { return p.Tables[i].Name < p.Tables[j].Name })
}

func (l *loader) newTables(schema, file string, text []byte, content tablesFile) []pipeline.Table {
	var tables []pipeline.Table
	for _, entry := range content.Tables {
		where := at(file, lineOf(text, entry.Name+":"))
		table, err := newTable(schema+"."+entry.Name, entry.Value)
		if err == nil {
			err = checkAnchored(table)
		}
		if err != nil {
			l.problem(where, "%v", err)
			continue
		}
		table.Path = where
		tables = append(tables, table)
	}
	return tables
}

// newTable finds each column's type: BIGINT, DOUBLE, BOOLEAN or VARCHAR,
// whichever holds all its values.
func newTable(name string, entry tableEntry) (pipeline.Table, error) {
	table := pipeline.Table{Name: name, Description: entry.Description}
	if len(entry.Rows) == 0 {
		return table, fmt.Errorf("%s has no rows", name)
	}
	index := map[string]int{}
	for _, row := range entry.Rows {
		for _, item := range row {
			column := fmt.Sprint(item.Key)
			if _, ok := index[column]; !ok {
				index[column] = len(table.Columns)
				table.Columns = append(table.Columns, pipeline.TableColumn{Name: column, Description: entry.Columns[column]})
			}
		}
	}
	for described := range entry.Columns {
		if _, ok := index[described]; !ok {
			return table, fmt.Errorf("%s describes a column %q that no row has", name, described)
		}
	}
	for number, row := range entry.Rows {
		literals := make([]string, len(table.Columns))
		for i := range literals {
			literals[i] = "null"
		}
		for _, item := range row {
			i := index[fmt.Sprint(item.Key)]
			literal, kind, err := literalOf(item.Value)
			if err != nil {
				return table, fmt.Errorf("%s, row %d, %s: %w", name, number+1, table.Columns[i].Name, err)
			}
			merged, ok := mergeTypes(table.Columns[i].Type, kind)
			if !ok {
				return table, fmt.Errorf("%s, row %d: column %s holds %s and %s; quote codes such as \"01\"",
					name, number+1, table.Columns[i].Name, table.Columns[i].Type, kind)
			}
			table.Columns[i].Type, literals[i] = merged, literal
		}
		table.Rows = append(table.Rows, literals)
	}
	for i := range table.Columns {
		if table.Columns[i].Type == "" {
			table.Columns[i].Type = "VARCHAR"
		}
	}
	return table, nil
}

// literalOf turns a YAML scalar into an SQL literal and its type ("" for null).
func literalOf(value any) (literal, kind string, err error) {
	switch v := value.(type) {
	case nil:
		return "null", "", nil
	case bool:
		return strconv.FormatBool(v), "BOOLEAN", nil
	case uint64:
		return strconv.FormatUint(v, 10), "BIGINT", nil
	case int64:
		return strconv.FormatInt(v, 10), "BIGINT", nil
	case float64:
		return pipeline.QuoteText(strconv.FormatFloat(v, 'g', -1, 64)), "DOUBLE", nil
	case string:
		return pipeline.QuoteText(v), "VARCHAR", nil
	}
	return "", "", fmt.Errorf("want a number, a text, true or false, not %T", value)
}

func mergeTypes(a, b string) (string, bool) {
	switch {
	case a == b || b == "":
		return a, true
	case a == "":
		return b, true
	case (a == "BIGINT" && b == "DOUBLE") || (a == "DOUBLE" && b == "BIGINT"):
		return "DOUBLE", true
	}
	return "", false
}

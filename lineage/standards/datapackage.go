package standards

import (
	"strings"

	"tamiz/pipeline"
)

// The data package, version 2 of the standard. What the standard has no word
// for stands beside its own properties: synthetic, rows, unit, reasons.
type packageJSON struct {
	Schema      string              `json:"$schema"`
	Name        string              `json:"name"`
	ID          string              `json:"id"`
	Title       string              `json:"title"`
	Description string              `json:"description"`
	Version     string              `json:"version"`
	Synthetic   bool                `json:"synthetic"`
	PeriodEnd   string              `json:"period_end"`
	AsOf        string              `json:"as_of"`
	Method      string              `json:"method_version"`
	Licences    []packageLicence    `json:"licenses,omitempty"`
	Sources     []packageSource     `json:"sources,omitempty"`
	Reasons     []map[string]string `json:"missing_reasons,omitempty"` // words of the columns named …_reason
	Flags       []map[string]string `json:"flags,omitempty"`           // words of the columns named flags
	Resources   []packageResource   `json:"resources"`
}

type packageLicence struct {
	Name  string `json:"name"`
	Title string `json:"title"`
}

type packageSource struct {
	Title     string `json:"title"`
	Path      string `json:"path,omitempty"`
	Publisher string `json:"publisher"`
	Licence   string `json:"licence"`
	Citation  string `json:"citation,omitempty"`
	Private   bool   `json:"private,omitempty"` // its raw files are not in the archive
}

type packageResource struct {
	Name        string        `json:"name"`
	Type        string        `json:"type"`
	Path        string        `json:"path"`
	Description string        `json:"description"`
	Format      string        `json:"format"`
	MediaType   string        `json:"mediatype"`
	Encoding    string        `json:"encoding,omitempty"`
	Bytes       int64         `json:"bytes"`
	Hash        string        `json:"hash"`
	Rows        int64         `json:"rows"`
	Schema      packageSchema `json:"schema"`
}

type packageSchema struct {
	Schema     string         `json:"$schema"`
	Fields     []packageField `json:"fields"`
	PrimaryKey []string       `json:"primaryKey,omitempty"`
	Missing    []string       `json:"missingValues"`
}

type packageField struct {
	Name        string                `json:"name"`
	Type        string                `json:"type"`
	Description string                `json:"description,omitempty"`
	Unit        string                `json:"unit,omitempty"`
	Source      string                `json:"source,omitempty"` // where its formula stands
	Stored      string                `json:"stored_as,omitempty"`
	Constraints *packageConstraints   `json:"constraints,omitempty"`
	Deprecated  *pipeline.Deprecation `json:"deprecated,omitempty"`
}

type packageConstraints struct {
	Required bool     `json:"required,omitempty"`
	Enum     []string `json:"enum,omitempty"`
	Minimum  *float64 `json:"minimum,omitempty"`
	Maximum  *float64 `json:"maximum,omitempty"`
}

const (
	packageProfile  = "https://datapackage.org/profiles/2.0/datapackage.json"
	schemaProfile   = "https://datapackage.org/profiles/2.0/tableschema.json"
	parquetType     = "application/vnd.apache.parquet"
	parquetFormat   = "parquet"
	codebookName    = "codebook"
	codebookMeaning = "What every column of every table means."
)

func dataPackage(e *Edition, codebook []byte) packageJSON {
	content := packageJSON{
		Schema: packageProfile, Name: e.Pipeline.Name, ID: e.Pipeline.Name + "/" + e.Snapshot, Title: e.title(), Description: e.description(),
		Version: e.Snapshot, Synthetic: e.Synthetic, PeriodEnd: e.PeriodEnd, AsOf: e.AsOf, Method: e.Pipeline.MethodVersion,
		Reasons: objects(e.Pipeline, "reference.reasons"), Flags: objects(e.Pipeline, "reference.flags"),
	}
	for _, licence := range e.licences() {
		content.Licences = append(content.Licences, packageLicence{Name: "other", Title: licence})
	}
	for _, source := range e.used() {
		content.Sources = append(content.Sources, packageSource{Title: source.Title, Path: source.address(), Publisher: source.Publisher,
			Licence: source.Licence, Citation: source.Citation, Private: source.Private})
	}
	for _, table := range e.Tables {
		mart := e.mart(table)
		resource := packageResource{Name: table.Name, Type: "table", Path: table.File, Description: mart.Description, Format: parquetFormat, MediaType: parquetType,
			Bytes: table.Bytes, Hash: "sha256:" + string(table.Digest), Rows: table.Rows, Schema: packageSchema{Schema: schemaProfile, PrimaryKey: mart.Key, Missing: []string{}}}
		for _, column := range mart.Columns {
			resource.Schema.Fields = append(resource.Schema.Fields, field(mart, column))
		}
		content.Resources = append(content.Resources, resource)
	}
	columns := packageSchema{Schema: schemaProfile, PrimaryKey: []string{"table", "column"}, Missing: []string{""}}
	for _, title := range codebookTitles {
		columns.Fields = append(columns.Fields, packageField{Name: title, Type: "string"})
	}
	content.Resources = append(content.Resources, packageResource{Name: codebookName, Type: "table", Path: CodebookFile, Description: codebookMeaning, Format: "csv", MediaType: "text/csv", Encoding: "utf-8",
		Bytes: int64(len(codebook)), Hash: "sha256:" + digestHex(codebook), Rows: int64(columnCount(e.Pipeline)), Schema: columns})
	return content
}

func field(mart *pipeline.Model, column pipeline.Column) packageField {
	f := packageField{Name: column.Name, Type: fieldType(column.Type), Description: column.Description, Unit: column.Unit, Source: column.Source, Stored: column.Type, Deprecated: column.Deprecated}
	constraints := packageConstraints{Required: column.NotNull}
	if f.Type == "string" {
		constraints.Enum = column.OneOf
	}
	if len(column.Range) == 2 && (f.Type == "number" || f.Type == "integer") {
		constraints.Minimum, constraints.Maximum = &column.Range[0], &column.Range[1]
	}
	for _, key := range mart.Key {
		constraints.Required = constraints.Required || key == column.Name
	}
	if constraints.Required || len(constraints.Enum) > 0 || constraints.Minimum != nil {
		f.Constraints = &constraints
	}
	return f
}

// fieldType gives the standard's word for a DuckDB type.
func fieldType(stored string) string {
	name, _, _ := strings.Cut(stored, "(")
	switch {
	case strings.HasSuffix(stored, "[]"):
		return "array"
	case strings.HasPrefix(stored, "STRUCT") || strings.HasPrefix(stored, "MAP"):
		return "object"
	case strings.HasSuffix(name, "INT") || name == "INTEGER":
		return "integer"
	}
	switch name {
	case "VARCHAR":
		return "string"
	case "BOOLEAN":
		return "boolean"
	case "DOUBLE", "FLOAT", "DECIMAL":
		return "number"
	case "DATE":
		return "date"
	case "TIMESTAMP", "TIMESTAMP WITH TIME ZONE":
		return "datetime"
	}
	return "any"
}

// objects gives the rows of a constant table by column.
func objects(p *pipeline.Pipeline, table string) []map[string]string {
	columns, rows := rowsOf(p, table)
	var list []map[string]string
	for _, row := range rows {
		object := map[string]string{}
		for i, column := range columns {
			object[column] = row[i]
		}
		list = append(list, object)
	}
	return list
}

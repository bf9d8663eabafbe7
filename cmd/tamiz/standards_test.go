package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dlclark/regexp2"
	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"tamiz/lineage/standards"
	"tamiz/load"
	"tamiz/pipeline"
)

// publishedSchema compiles a JSON Schema as its publisher gives it. They are
// not in this repository: where they are absent, the test says so and is skipped.
func publishedSchema(t *testing.T, file string) *jsonschema.Schema {
	t.Helper()
	dir := os.Getenv("TAMIZ_SCHEMAS")
	if dir == "" {
		dir = "../../../shared/schemas"
	}
	if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
		t.Skipf("the published JSON Schemas are not here (%s): set TAMIZ_SCHEMAS to validate against them", dir)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	compiler.UseRegexpEngine(func(text string) (jsonschema.Regexp, error) { // they look ahead
		expression, err := regexp2.Compile(text, regexp2.ECMAScript)
		return ecmaScript{expression}, err
	})
	schema, err := compiler.Compile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

type ecmaScript struct{ *regexp2.Regexp }

func (r ecmaScript) MatchString(text string) bool {
	matched, err := r.Regexp.MatchString(text)
	return err == nil && matched
}

// validate wants a JSON text to be what a schema asks for.
func validate(t *testing.T, schema *jsonschema.Schema, text []byte) {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err == nil {
		err = schema.Validate(value)
	}
	if err != nil {
		t.Errorf("%.300s\n%v", text, err)
	}
}

// edition is a published snapshot on disk.
type edition struct {
	dir      string
	manifest load.Manifest
}

func latestEdition(t *testing.T, project, name string) edition {
	t.Helper()
	store := filepath.Join(project, "store", name)
	var latest load.Latest
	readJSON(t, filepath.Join(store, "latest.json"), &latest)
	e := edition{dir: filepath.Join(store, "snapshots", latest.Snapshot)}
	readJSON(t, filepath.Join(e.dir, "manifest.json"), &e.manifest)
	return e
}

func (e edition) read(t *testing.T, file string) []byte {
	t.Helper()
	if !slices.ContainsFunc(e.manifest.Files, func(f load.ManifestFile) bool { return f.File == file }) {
		t.Errorf("the manifest does not vouch for %s", file)
	}
	text, err := os.ReadFile(filepath.Join(e.dir, file))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func readJSON(t *testing.T, file string, target any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, target)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestStandards_EachSnapshotIsDescribed(t *testing.T) {
	if testing.Short() {
		t.Skip("a run of a sample")
	}
	for _, name := range []string{"mx", "np"} {
		t.Run(name, func(t *testing.T) {
			project := sampleProject(t, name, 60)
			tamiz(t, "run", "--project", project)
			e := latestEdition(t, project, name)
			t.Run("events", func(t *testing.T) { testEvents(t, e) })
			t.Run("package", func(t *testing.T) { testPackage(t, e) })
			t.Run("dataset", func(t *testing.T) { testDataset(t, e) })
			t.Run("codebook", func(t *testing.T) { testCodebook(t, e, project) })
			t.Run("citation", func(t *testing.T) { testCitation(t, e) })
			if name == "mx" {
				t.Run("one school", func(t *testing.T) { testOneSchool(t, e) })
			}
		})
	}
}

// event is what the test looks at in an OpenLineage event.
type event struct {
	Type     string `json:"eventType"`
	Time     string `json:"eventTime"`
	Producer string `json:"producer"`
	Run      struct {
		ID string `json:"runId"`
	} `json:"run"`
	Job struct {
		Namespace, Name string
		Facets          map[string]map[string]any
	} `json:"job"`
	Inputs, Outputs []struct {
		Name                              string
		Facets, InputFacets, OutputFacets map[string]map[string]any
	}
}

func testEvents(t *testing.T, e edition) {
	text := e.read(t, standards.EventsFile)
	var events []event
	for line := range bytes.Lines(text) {
		var one event
		if err := json.Unmarshal(line, &one); err != nil {
			t.Fatal(err)
		}
		events = append(events, one)
	}
	open, known, checked := map[string]bool{}, map[string]bool{}, map[string]int{}
	for _, one := range events {
		if one.Time != e.manifest.AsOf+"T00:00:00Z" || !strings.HasPrefix(one.Producer, "urn:tamiz:") {
			t.Errorf("%s: its time %s or producer %s is not of the data", one.Job.Name, one.Time, one.Producer)
		}
		if one.Type == "START" {
			if open[one.Run.ID] {
				t.Errorf("%s: run %s begins twice", one.Job.Name, one.Run.ID)
			}
			open[one.Run.ID] = true
			continue
		}
		if !open[one.Run.ID] || one.Type != "COMPLETE" {
			t.Errorf("%s: run %s ends without having begun", one.Job.Name, one.Run.ID)
		}
		delete(open, one.Run.ID)
		for _, input := range one.Inputs {
			if assertions := input.InputFacets["dataQualityAssertions"]; assertions != nil {
				checked[input.Name] = len(assertions["assertions"].([]any))
			}
		}
		for _, output := range one.Outputs {
			known[output.Name] = true
			lineage, _ := output.Facets["columnLineage"]["fields"].(map[string]any)
			if strings.Contains(output.Name, ".marts.") {
				if fields := output.Facets["schema"]["fields"].([]any); len(fields) != len(lineage) || len(lineage) == 0 {
					t.Errorf("%s: %d columns, and the lineage of %d", output.Name, len(fields), len(lineage))
				}
				if one.Job.Facets["sql"] == nil && one.Job.Facets["jobType"]["jobType"] != "TRANSFORM" || one.Job.Facets["documentation"] == nil || output.OutputFacets["outputStatistics"] == nil {
					t.Errorf("%s: a facet is missing", output.Name)
				}
			}
			inputs := map[string]bool{}
			for _, input := range one.Inputs {
				inputs[input.Name] = true
			}
			for column, made := range lineage {
				for _, field := range made.(map[string]any)["inputFields"].([]any) {
					if name := field.(map[string]any)["name"].(string); !inputs[name] {
						t.Errorf("%s.%s is made from %s, which is none of the run's inputs", output.Name, column, name)
					}
				}
			}
		}
	}
	if len(open) > 0 {
		t.Errorf("%d runs do not end", len(open))
	}
	for _, table := range e.manifest.Tables {
		name := e.manifest.Pipeline + ".marts." + table.Name
		if !known[name] || checked[name] == 0 {
			t.Errorf("%s: made %v, %d checks told", name, known[name], checked[name])
		}
	}
	schema := publishedSchema(t, "OpenLineage.json")
	for line := range bytes.Lines(text) {
		validate(t, schema, line)
	}
}

func testPackage(t *testing.T, e edition) {
	text := e.read(t, standards.PackageFile)
	var content struct {
		Version   string
		Synthetic bool
		Licenses  []any
		Sources   []any
		Resources []struct {
			Name, Path, Hash string
			Bytes            int64
			Schema           struct {
				Fields     []struct{ Name, Type, Description string }
				PrimaryKey []string
			}
		}
	}
	if err := json.Unmarshal(text, &content); err != nil {
		t.Fatal(err)
	}
	if content.Version != e.manifest.Snapshot || !content.Synthetic || len(content.Licenses) == 0 || len(content.Sources) == 0 || len(content.Resources) != len(e.manifest.Tables)+1 {
		t.Errorf("version %s, synthetic %v, %d licences, %d sources, %d resources", content.Version, content.Synthetic, len(content.Licenses), len(content.Sources), len(content.Resources))
	}
	for _, resource := range content.Resources {
		digest, bytes, err := pipeline.HashFile(filepath.Join(e.dir, resource.Path))
		if err != nil || "sha256:"+string(digest) != resource.Hash || bytes != resource.Bytes {
			t.Errorf("%s: %d bytes, %s, not %d, %s: %v", resource.Path, bytes, digest, resource.Bytes, resource.Hash, err)
		}
		for _, field := range resource.Schema.Fields {
			if field.Type == "any" {
				t.Errorf("%s.%s: its type has no word in the standard", resource.Name, field.Name)
			}
		}
	}
	validate(t, publishedSchema(t, "datapackage-2.0.json"), text)
	resource := publishedSchema(t, "dataresource-2.0.json")
	var parts struct{ Resources []json.RawMessage }
	if err := json.Unmarshal(text, &parts); err != nil {
		t.Fatal(err)
	}
	table := publishedSchema(t, "tableschema-2.0.json")
	for _, part := range parts.Resources {
		validate(t, resource, part)
		var inner struct{ Schema json.RawMessage }
		if err := json.Unmarshal(part, &inner); err != nil {
			t.Fatal(err)
		}
		validate(t, table, inner.Schema)
	}
}

func testDataset(t *testing.T, e edition) {
	var content map[string]any
	if err := json.Unmarshal(e.read(t, standards.DatasetFile), &content); err != nil {
		t.Fatal(err)
	}
	for _, term := range []string{"@context", "@type", "name", "description", "version", "identifier", "license", "temporalCoverage", "isBasedOn", "distribution", "variableMeasured"} {
		if content[term] == nil || content[term] == "" {
			t.Errorf("the term %s is missing", term)
		}
	}
	if description := content["description"].(string); len(description) < 50 || len(description) > 5000 { // what search engines take
		t.Errorf("a description of %d characters", len(description))
	}
	if files := content["distribution"].([]any); len(files) != len(e.manifest.Tables) {
		t.Errorf("%d distributions", len(files))
	}
	if context := content["@context"].([]any); context[0] != "https://schema.org/" || content["creativeWorkStatus"] != "synthetic" {
		t.Errorf("context %v, status %v", context, content["creativeWorkStatus"])
	}
}

func testCodebook(t *testing.T, e edition, project string) {
	text := e.read(t, standards.CodebookFile)
	records, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	page := html.UnescapeString(string(e.read(t, standards.CodebookHTMLFile)))
	told := map[string]bool{}
	for _, record := range records[1:] {
		told[record[0]+"."+record[1]] = true
		if record[3] == "" || record[5] == "" || !strings.Contains(page, "<code>"+record[1]+"</code>") {
			t.Errorf("column %v: no type, no description, or not on the page", record)
		}
	}
	var asked []string
	for _, table := range e.manifest.Tables {
		asked = append(asked, "select '"+table.Name+"', column_name from (describe "+table.Name+")")
	}
	columns := query(t, project, strings.Join(asked, " union all "))
	for _, column := range columns {
		if !told[column[0]+"."+column[1]] {
			t.Errorf("the codebook lacks %s.%s", column[0], column[1])
		}
	}
	if len(columns) != len(told) {
		t.Errorf("%d columns are told, %d published", len(told), len(columns))
	}
	if out := tamiz(t, "docs", e.manifest.Pipeline, "-o", "csv", "--project", project); out != string(text) {
		t.Error("tamiz docs -o csv says something else than the snapshot's codebook")
	}
	if strings.Contains(page, "<script") || regexp.MustCompile(`(?:src|href)="?http`).MatchString(page) || !strings.Contains(page, "default-src 'none'") {
		t.Error("the page asks for something from elsewhere, or may")
	}
}

func testCitation(t *testing.T, e edition) {
	var content struct {
		Version  string `yaml:"cff-version"`
		Message  string
		Type     string
		Title    string
		Snapshot string `yaml:"version"`
		Released string `yaml:"date-released"`
		Abstract string
		Keywords []string
		Authors  []struct{ Name string }
		Sources  []struct {
			Type, Title, Notes, URL string
			Authors                 []struct{ Name string }
		} `yaml:"references"`
	}
	if err := yaml.UnmarshalWithOptions(e.read(t, standards.CitationFile), &content, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	if content.Version != "1.2.0" || content.Type != "dataset" || content.Message == "" || content.Title == "" || len(content.Authors) == 0 || content.Authors[0].Name == "" || content.Snapshot != e.manifest.Snapshot {
		t.Errorf("a term that the format requires is missing: %+v", content)
	}
	if _, err := time.Parse(time.DateOnly, content.Released); err != nil {
		t.Error(err)
	}
	for _, source := range content.Sources {
		if source.Type != "data" || source.Title == "" || len(source.Authors) != 1 || source.Authors[0].Name == "" {
			t.Errorf("a reference lacks what the format requires: %+v", source)
		}
	}
}

package standards

import (
	"encoding/hex"
	"net/url"
	"slices"
	"strings"

	"tamiz/pipeline"
)

// Namespace holds all our jobs and datasets: it names no host, so that an
// edition tells the same wherever it is published.
const Namespace = "tamiz"

// Schemas of the events and facets, as their publisher names them.
const (
	specification = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
	facets        = "https://openlineage.io/spec/facets/"

	schemaFacet        = facets + "1-1-1/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet"
	lineageFacet       = facets + "1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet"
	datasetTextFacet   = facets + "1-0-1/DocumentationDatasetFacet.json#/$defs/DocumentationDatasetFacet"
	versionFacet       = facets + "1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet"
	datasourceFacet    = facets + "1-0-1/DatasourceDatasetFacet.json#/$defs/DatasourceDatasetFacet"
	statisticsFacet    = facets + "1-0-2/OutputStatisticsOutputDatasetFacet.json#/$defs/OutputStatisticsOutputDatasetFacet"
	metricsFacet       = facets + "1-0-2/DataQualityMetricsInputDatasetFacet.json#/$defs/DataQualityMetricsInputDatasetFacet"
	assertionsFacet    = facets + "1-0-1/DataQualityAssertionsDatasetFacet.json#/$defs/DataQualityAssertionsDatasetFacet"
	sqlFacet           = facets + "1-0-1/SQLJobFacet.json#/$defs/SQLJobFacet"
	jobTextFacet       = facets + "1-0-1/DocumentationJobFacet.json#/$defs/DocumentationJobFacet"
	jobTypeFacet       = facets + "2-0-3/JobTypeJobFacet.json#/$defs/JobTypeJobFacet"
	jobType            = "jobType"
	eventStart         = "START"
	eventComplete      = "COMPLETE"
	documentationField = "documentation"
)

type facet map[string]any

type runEvent struct {
	Type     string         `json:"eventType"`
	Time     string         `json:"eventTime"`
	Run      eventRun       `json:"run"`
	Job      eventJob       `json:"job"`
	Inputs   []eventDataset `json:"inputs,omitempty"`
	Outputs  []eventDataset `json:"outputs,omitempty"`
	Producer string         `json:"producer"`
	Schema   string         `json:"schemaURL"`
}

type eventRun struct {
	ID string `json:"runId"`
}

type eventJob struct {
	Namespace string           `json:"namespace"`
	Name      string           `json:"name"`
	Facets    map[string]facet `json:"facets,omitempty"`
}

type eventDataset struct {
	Namespace string           `json:"namespace"`
	Name      string           `json:"name"`
	Facets    map[string]facet `json:"facets,omitempty"`
	OfInput   map[string]facet `json:"inputFacets,omitempty"`
	OfOutput  map[string]facet `json:"outputFacets,omitempty"`
}

// teller writes the events of one edition.
type teller struct {
	*Edition
	producer string
	made     map[string][]pipeline.MadeStep // table → the steps that made it
	order    []string                       // tables, inputs first
	lines    []byte
	err      error
}

// events tells of an edition as OpenLineage run events, one a line: for each
// table that sources or models made, START and COMPLETE; for each mart what its
// checks found; and last the edition itself. A run's id is made from the
// fingerprints of its steps: the same computation has the same id in every
// edition. Its time is that of the data, the as-of date.
func events(e *Edition) ([]byte, error) {
	t := &teller{Edition: e, producer: "urn:tamiz:" + url.PathEscape(e.Engine), made: map[string][]pipeline.MadeStep{}}
	for _, step := range e.Made.Steps {
		table, _, _ := strings.Cut(step.Step, " (")
		if t.made[table] == nil {
			t.order = append(t.order, table)
		}
		t.made[table] = append(t.made[table], step)
	}
	for _, table := range t.order {
		if t.made[table][0].Kind != pipeline.StepTable { // constants are inputs, and no runs
			t.table(table)
		}
	}
	for _, table := range e.Tables {
		t.checks(table)
	}
	t.edition()
	return t.lines, t.err
}

// tell writes the two events of a run.
func (t *teller) tell(id string, job eventJob, inputs, outputs []eventDataset) {
	event := runEvent{Type: eventStart, Time: t.AsOf + "T00:00:00Z", Run: eventRun{id}, Job: eventJob{Namespace: job.Namespace, Name: job.Name}, Producer: t.producer, Schema: specification}
	for range 2 {
		line, err := encoded(event, "")
		if err != nil && t.err == nil {
			t.err = err
		}
		t.lines = append(t.lines, line...)
		event.Type, event.Job, event.Inputs, event.Outputs = eventComplete, job, inputs, outputs
	}
}

func (t *teller) facet(schema string, content facet) facet {
	content["_producer"], content["_schemaURL"] = t.producer, schema
	return content
}

func (t *teller) job(name, kind, description string) eventJob {
	return eventJob{Namespace: Namespace, Name: t.name(name), Facets: map[string]facet{
		documentationField: t.facet(jobTextFacet, facet{"description": description}),
		jobType:            t.facet(jobTypeFacet, facet{"processingType": "BATCH", "integration": "TAMIZ", "jobType": kind})}}
}

// name puts the pipeline before the name of a table, source or job.
func (t *teller) name(table string) string { return t.Pipeline.Name + "." + table }

// sourceName is the dataset of a publisher's files.
func (t *teller) sourceName(source string) string { return t.name("source." + source) }

// table tells how one table was made.
func (t *teller) table(table string) {
	steps := t.made[table]
	fingerprints := []string{"run", t.name(table)}
	var versions []string
	rows := int64(0)
	for _, step := range steps {
		fingerprints = append(fingerprints, string(step.Fingerprint))
		versions = append(versions, string(step.Digests[pipeline.TableFile]))
		rows += step.Rows
	}
	out := eventDataset{Namespace: Namespace, Name: t.name(table), OfOutput: map[string]facet{"outputStatistics": t.facet(statisticsFacet, facet{"rowCount": rows})},
		Facets: map[string]facet{"schema": t.schema(table), "version": t.version(versions), "columnLineage": t.columns(table)}}
	var job eventJob
	var inputs []eventDataset
	if model := t.Pipeline.Model(table); model != nil {
		job = t.job(table, strings.ToUpper(string(steps[0].Kind)), model.Description)
		if model.Transform == nil {
			job.Facets["sql"] = t.facet(sqlFacet, facet{"query": model.SQL})
		}
		out.Facets[documentationField] = t.facet(datasetTextFacet, facet{"description": model.Description})
		for _, input := range t.Binding.Inputs[table] {
			inputs = append(inputs, eventDataset{Namespace: Namespace, Name: t.name(input)})
		}
	} else {
		source := t.source(table)
		job = t.job(table, "READ", "Read the files of "+source.Title+".")
		inputs = append(inputs, t.files(source, steps))
	}
	t.tell(runID(fingerprints...), job, inputs, []eventDataset{out})
}

// source gives that of a raw table: of its present files, or its history.
func (t *teller) source(table string) *Source {
	name, _, _ := strings.Cut(pipeline.BaseName(table), "__")
	for i := range t.Sources {
		if t.Sources[i].Name == name {
			return &t.Sources[i]
		}
	}
	return &Source{Name: name, Title: table}
}

// files is the dataset of a publisher's files. The digests of what was read
// are its version.
func (t *teller) files(source *Source, steps []pipeline.MadeStep) eventDataset {
	var versions []string
	for _, step := range steps {
		versions = append(versions, string(step.Parts["file"]))
	}
	about := map[string]facet{documentationField: t.facet(datasetTextFacet, facet{"description": source.Title + ". " + source.Publisher + ". " + source.Licence + "."}), "version": t.version(versions)}
	if uri := source.address(); uri != "" {
		about["dataSource"] = t.facet(datasourceFacet, facet{"name": source.Publisher, "uri": uri})
	}
	return eventDataset{Namespace: Namespace, Name: t.sourceName(source.Name), Facets: about}
}

// version names the bytes of a dataset: the digest of one file, or one over
// the digests of several.
func (t *teller) version(digests []string) facet {
	version := strings.Join(digests, "")
	if len(digests) != 1 {
		version = string(pipeline.DigestOf(digests...))
	}
	return t.facet(versionFacet, facet{"datasetVersion": "sha256:" + version})
}

func (t *teller) schema(table string) facet {
	type schemaField struct {
		Name        string `json:"name"`
		Type        string `json:"type,omitempty"`
		Description string `json:"description,omitempty"`
	}
	columns, meaning := t.Binding.Columns[table], map[string]string{}
	if model := t.Pipeline.Model(table); model != nil {
		for _, column := range model.Columns {
			meaning[column.Name] = column.Description
		}
		if !model.IsMart() { // their texts are in the definition
			clear(meaning)
		}
	}
	fields := []schemaField{}
	for _, column := range columns {
		if _, shown := t.Binding.Lineage[table].Columns[column.Name]; shown || t.Pipeline.Model(table) == nil {
			fields = append(fields, schemaField{column.Name, column.Type, meaning[column.Name]})
		}
	}
	return t.facet(schemaFacet, facet{"fields": fields})
}

type inputField struct {
	Namespace       string           `json:"namespace"`
	Name            string           `json:"name"`
	Field           string           `json:"field"`
	Transformations []transformation `json:"transformations,omitempty"`
}

type transformation struct {
	Type    string `json:"type"`
	Subtype string `json:"subtype"`
}

// subtypes are the standard's words for what a condition is.
var subtypes = map[string]string{"join": "JOIN", "filter": "FILTER", "group": "GROUP_BY", "sort": "SORT", "window": "WINDOW", "case": "CONDITIONAL", "unnest": "UNNEST"}

// columns tells which columns each column of a table is made from: those that
// bring its value, and those of a case that choose it. Conditions that decide
// about rows stand for the whole table.
func (t *teller) columns(table string) facet {
	lineage := t.Binding.Lineage[table]
	fields := map[string]any{}
	for column, inputs := range lineage.Columns {
		fields[column] = map[string]any{"inputFields": t.inputFields(inputs, func(input pipeline.ColumnInput) bool {
			return input.Kind != pipeline.Condition || input.By == "case"
		})}
	}
	content := facet{"fields": fields}
	if rows := t.inputFields(lineage.Rows, func(pipeline.ColumnInput) bool { return true }); len(rows) > 0 {
		content["dataset"] = rows
	}
	return t.facet(lineageFacet, content)
}

func (t *teller) inputFields(inputs []pipeline.ColumnInput, wanted func(pipeline.ColumnInput) bool) []inputField {
	fields := []inputField{}
	var last pipeline.ColumnRef
	for _, input := range inputs { // sorted by column
		if !wanted(input) {
			continue
		}
		how := transformation{"DIRECT", strings.ToUpper(string(input.Kind))}
		if input.Kind == pipeline.Condition {
			how = transformation{"INDIRECT", subtypes[input.By]}
		}
		if len(fields) == 0 || input.ColumnRef != last {
			name := t.name(input.Table)
			if !strings.Contains(input.Table, ".") {
				name = t.sourceName(input.Table)
			}
			fields = append(fields, inputField{Namespace: Namespace, Name: name, Field: input.Column})
			last = input.ColumnRef
		}
		field := &fields[len(fields)-1]
		field.Transformations = append(field.Transformations, how)
	}
	return fields
}

// checks tells what the checks of a mart found.
func (t *teller) checks(table Table) {
	type assertion struct {
		Assertion string `json:"assertion"`
		Success   bool   `json:"success"`
		Column    string `json:"column,omitempty"`
	}
	mart := t.mart(table)
	assertions := []assertion{}
	for _, check := range mart.Checks {
		if check.Previous && !t.Compared {
			continue
		}
		failed := slices.ContainsFunc(t.Failed, func(result pipeline.CheckResult) bool { return result.Table == mart.Name && result.Name == check.Name })
		assertions = append(assertions, assertion{Assertion: check.Name, Success: !failed, Column: check.Column})
	}
	seen := eventDataset{Namespace: Namespace, Name: t.name(mart.Name), OfInput: map[string]facet{
		"dataQualityAssertions": t.facet(assertionsFacet, facet{"assertions": assertions}),
		"dataQualityMetrics":    t.facet(metricsFacet, facet{"rowCount": table.Rows, "bytes": table.Bytes, "columnMetrics": facet{}})}}
	job := "check." + mart.Name
	t.tell(runID("check", t.name(t.Snapshot), string(table.Digest), mart.Name), t.job(job, "CHECK", "Check "+table.Name+" before it is published."), []eventDataset{seen}, nil)
}

// edition tells of the publication: all marts became one snapshot.
func (t *teller) edition() {
	parts := []string{"publish", t.name(t.Snapshot)}
	var marts []eventDataset
	for _, table := range t.Tables {
		parts = append(parts, string(table.Digest))
		marts = append(marts, eventDataset{Namespace: Namespace, Name: t.name("marts." + table.Name)})
	}
	edition := eventDataset{Namespace: Namespace, Name: t.name("snapshots"), Facets: map[string]facet{
		"version":          t.facet(versionFacet, facet{"datasetVersion": t.Snapshot}),
		documentationField: t.facet(datasetTextFacet, facet{"description": t.title() + ". " + t.description()})}}
	t.tell(runID(parts...), t.job("publish", "PUBLISH", "Publish the checked marts as one snapshot."), marts, []eventDataset{edition})
}

// runID makes a UUID from parts: of version 8, whose bits are one's own, here
// those of SHA-256.
func runID(parts ...string) string {
	digest, err := hex.DecodeString(string(pipeline.DigestOf(parts...)))
	if err != nil {
		panic("standards: a digest that is not hexadecimal: " + err.Error())
	}
	digest[6], digest[8] = digest[6]&0x0f|0x80, digest[8]&0x3f|0x80
	text := hex.EncodeToString(digest[:16])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

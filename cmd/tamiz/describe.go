package main

import (
	"slices"

	"tamiz/lineage/standards"
	"tamiz/load"
	"tamiz/pipeline"
)

// describe makes the files that tell of a snapshot in the formats of others.
// They follow from what the manifest vouches for alone.
func describe(p *pipeline.Pipeline, binding *pipeline.Binding, made pipeline.MadeSteps) load.Describe {
	return func(m *load.Manifest) (map[string][]byte, error) {
		edition := &standards.Edition{Pipeline: p, Binding: binding, Made: made, Snapshot: m.Snapshot, PeriodEnd: m.PeriodEnd, AsOf: m.AsOf, Synthetic: m.Synthetic,
			Engine: m.Engine.Tamiz, Failed: slices.Concat(m.Checks.Warnings, m.Checks.Approved), Compared: m.Parent != nil}
		for _, source := range m.Sources {
			edition.Sources = append(edition.Sources, standards.Source{Name: source.Name, Title: source.Title, Publisher: source.Publisher,
				Licence: source.Licence, Citation: source.Citation, URL: source.URL, Private: source.Archive == "private", Files: source.Files})
		}
		for _, table := range m.Tables {
			edition.Tables = append(edition.Tables, standards.Table{Name: table.Name, File: table.File, Digest: table.Digest, Bytes: table.Bytes, Rows: table.Rows})
		}
		return standards.Files(edition)
	}
}

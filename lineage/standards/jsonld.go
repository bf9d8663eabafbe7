package standards

// dataset describes an edition in the words of schema.org and DCAT, for search
// engines and catalogues. Addresses in it are relative to itself: it does not
// know where the snapshot is published.
func dataset(e *Edition) map[string]any {
	about := map[string]any{
		"@context": []any{"https://schema.org/", map[string]string{
			"dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/", "spdx": "http://spdx.org/rdf/terms#"}},
		"@type": []string{"Dataset", "dcat:Dataset"}, "name": e.title(), "description": e.description(),
		"identifier": e.Pipeline.Name + "/" + e.Snapshot, "version": e.Snapshot, "dcat:version": e.Snapshot,
		"dateModified": e.AsOf, "dct:modified": e.AsOf, "temporalCoverage": "../" + e.PeriodEnd, "inLanguage": "en",
		"isAccessibleForFree": true,
	}
	if e.Synthetic {
		about["creativeWorkStatus"] = "synthetic"
	}
	var names []string
	for language, title := range e.Pipeline.Title {
		if language != "en" {
			names = append(names, title)
		}
	}
	if len(names) == 1 {
		about["alternateName"] = names[0]
	}
	if licences := e.licences(); len(licences) > 0 {
		var list []any
		for _, licence := range licences {
			list = append(list, map[string]string{"@type": "CreativeWork", "name": licence})
		}
		about["license"] = list
	}
	var sources []any
	for _, source := range e.used() {
		work := map[string]any{"@type": "CreativeWork", "name": source.Title, "license": source.Licence,
			"publisher": map[string]string{"@type": "Organization", "name": source.Publisher}}
		if source.Citation != "" {
			work["citation"] = source.Citation
		}
		if url := source.address(); url != "" {
			work["url"] = url
		}
		sources = append(sources, work)
	}
	about["isBasedOn"] = sources
	var files, measured []any
	for _, table := range e.Tables {
		mart := e.mart(table)
		files = append(files, map[string]any{"@type": []string{"DataDownload", "dcat:Distribution"}, "name": table.Name, "description": mart.Description,
			"contentUrl": table.File, "dcat:downloadURL": map[string]string{"@id": table.File}, "encodingFormat": parquetType, "dcat:mediaType": parquetType,
			"contentSize": table.Bytes, "dcat:byteSize": table.Bytes, "sha256": string(table.Digest),
			"spdx:checksum": map[string]any{"@type": "spdx:Checksum", "spdx:algorithm": map[string]string{"@id": "spdx:checksumAlgorithm_sha256"}, "spdx:checksumValue": string(table.Digest)}})
		for _, column := range mart.Columns {
			if column.Unit == "" { // keys, words, reasons: the codebook has them
				continue
			}
			measured = append(measured, map[string]string{"@type": "PropertyValue", "name": table.Name + "." + column.Name, "description": column.Description, "unitText": column.Unit})
		}
	}
	about["distribution"], about["variableMeasured"] = files, measured
	return about
}

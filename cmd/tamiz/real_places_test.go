package main

import (
	"testing"

	"tamiz/pipeline"
)

// realPlaces: what PROVENANCE measured with other tools, asked of the
// published tables.
func realPlaces(t *testing.T, dir string, record *pipeline.RunRecord) {
	t.Helper()
	for sql, want := range map[string]float64{
		// points in polygons, after the projection was undone
		"select count(*) from schools where state_code = '31' and is_in_coordinates":                           1604,
		"select count(*) from schools where state_code = '31' and ageb_route = 'GEO_EXACT'":                    1212,
		"select count(*) from urgency where state_code = '31' and household_route = 'GEO_EXACT'":               531,
		"select rows_count from linkage where link = 'enlace_primary_to_locality' and state_code = '01'":       734,
		"select rows_count from linkage where link = 'enlace_secondary_to_locality' and state_code = '01'":     343,
		"select matched_count from linkage where link = 'registry_to_municipality' and state_code = '14'":      7980,
		"select matched_count from linkage where link = 'census_ageb_to_marginalization_ageb'":                 592,
		"select count(*) from urgency where state_code = '31' and household_route not like 'GEO_%'":            0,
		"select count(*) from schools where state_code = '31' and ageb_code not like '31%'":                    0,
		"select count(*) from linkage where matched_count + unmatched_count <> rows_count or is_below is null": 0,
	} {
		if got := number(t, dir, sql); got != want {
			t.Errorf("%s: %v, want %v", sql, got, want)
		}
	}
	for sql, least := range map[string]float64{
		"select matched_count from linkage where link = 'enlace_primary_to_locality' and state_code = '01'":   704,
		"select matched_count from linkage where link = 'enlace_secondary_to_locality' and state_code = '01'": 328,
	} {
		if got := number(t, dir, sql); got < least {
			t.Errorf("%s: %v, want at least %v", sql, got, least)
		}
	}
	const controls = "from intermediate.int_census_controls where census_not_attending_pct is not null and conapo_not_attending_pct is not null"
	if got := rawCount(t, dir, record, "select count(*) "+controls); got != 332 {
		t.Errorf("%d AGEBs of Mérida have both figures of school attendance, want 332", got)
	}
	got := rawCount(t, dir, record, "select count(*) "+controls+" and abs(difference_points) < 1e-6")
	if got < 285 {
		t.Errorf("CONAPO's figure is the census's own in %d AGEBs, want at least 285", got)
	}
	t.Logf("P6A14NAE recomputed: %d of 332 equal to 1e-6", got)
}

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
		"select matched_count from linkage where link = 'registry_to_municipality' and state_code = '14'":      14008,
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

// realLevels: upper secondary is judged on its own test and enters, because
// the rule of coverage says so; the other levels have no result that counts.
func realLevels(t *testing.T, dir string) {
	t.Helper()
	const both = " from profiles inner join urgency using (cct, shift) where profiles.state_code = '14'" +
		" and observed_urgency_learning is not null and feasibility_crowding is not null"
	for sql, want := range map[string]float64{
		"select count(*) from level_coverage where is_in_index":                                                       1,
		"select judged_count from level_coverage where is_in_index and level = 'UPPER_SECONDARY'":                     663,
		"select learning_count from level_coverage where level = 'UPPER_SECONDARY'":                                   379,
		"select count(*) from level_coverage where left_out_reason = 'NO_RESULTS'":                                    3,
		"select count(*) from profiles where no_profile_reason = 'LEVEL_DATA_POOR'":                                   19534,
		"select count(*) from learning where scale = 'PLANEA_MS'":                                                     9204,
		"select count(*) from (select distinct cct, shift from upper_secondary) anti join schools using (cct, shift)": 0,
		"select count(*) from schools where list_contains(flags, 'EXTENSIONS_POOLED')":                                165,
		"select count(*) from urgency where learning_scale is not null and learning_scale <> 'PLANEA_MS'":             0,
		"select count(distinct cct)" + both:                                                                           314, // of the 332 that are in PLANEA and in the register
		"select count(*)" + both:                                                                                      379,
		"select sum(schools_count)::bigint - (select count(*) from schools) from municipalities":                      0,
		"select count(*) from supervision_zones":                                                                      0,
	} {
		if got := number(t, dir, sql); got != want {
			t.Errorf("%s: %v, want %v", sql, got, want)
		}
	}
}

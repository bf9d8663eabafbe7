-- One row per school and shift: the marginalization of the place where it stands.

with

areas_matched as (

    select
        schools.cct, schools.shift, schools.state_code,
        schools.municipality_code, schools.locality_code, schools.ageb_code,
        schools.match_level, schools.marginalization_grade,
        schools.is_high_marginalization,
        municipalities.marginalization_grade as municipality_grade,
        municipalities.marginalization_index as municipality_index,
        [
            agebs.marginalization_index, agebs.marginalization_normalized_index,
            agebs.no_basic_education_pct, agebs.no_drainage_pct,
            agebs.no_electricity_pct, agebs.no_piped_water_pct, agebs.dirt_floor_pct,
            agebs.overcrowded_pct, agebs.no_internet_pct, agebs.no_cellphone_pct,
        ] as ageb_values,
        [
            localities.marginalization_index,
            localities.marginalization_normalized_index,
            localities.no_basic_education_pct, localities.no_drainage_pct,
            localities.no_electricity_pct, localities.no_piped_water_pct,
            localities.dirt_floor_pct, localities.overcrowded_pct,
            localities.no_internet_pct, localities.no_cellphone_pct,
        ] as locality_values,
        [
            municipalities.marginalization_index,
            municipalities.marginalization_normalized_index,
            municipalities.no_basic_education_pct, municipalities.no_drainage_pct,
            municipalities.no_electricity_pct, municipalities.no_piped_water_pct,
            municipalities.dirt_floor_pct, municipalities.overcrowded_pct, null, null,
        ] as municipality_values,
        at_level(
            schools.match_level, ageb_values, locality_values, municipality_values
        ) as area,
    from intermediate.int_marginalization_schools as schools
    left join staging.stg_marginalization_ageb__agebs as agebs using (ageb_code)
    left join intermediate.int_marginalization_localities as localities
        on localities.locality_code = schools.locality_code
    left join staging.stg_marginalization__municipalities as municipalities
        on municipalities.municipality_code = schools.municipality_code

),

schools_placed as (

    select
        cct, shift, state_code, municipality_code, locality_code, ageb_code,
        match_level,
        marginalization_grade,
        known_or(marginalization_grade) as marginalization_reason,
        municipality_grade as municipality_marginalization_grade,
        known_or(municipality_grade) as municipality_marginalization_reason,
        area[1] as marginalization_index,
        area[2] as marginalization_normalized_index,
        municipality_index as municipality_marginalization_index,
        area[9] as no_internet_pct,
        known_or(no_internet_pct) as no_internet_reason,
        area[10] as no_cellphone_pct,
        known_or(no_cellphone_pct) as no_cellphone_reason,
        area[3] as no_basic_education_pct,
        area[4] as no_drainage_pct,
        area[5] as no_electricity_pct,
        area[6] as no_piped_water_pct,
        area[7] as dirt_floor_pct,
        area[8] as overcrowded_pct,
        is_high_marginalization,
        flag_if_any(match_flag(match_level)) as flags,
    from areas_matched

)

select * from schools_placed

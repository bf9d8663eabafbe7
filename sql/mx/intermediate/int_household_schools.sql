-- One row per school and shift: homes and adults of the smallest area known.

with

levels_matched as (

    select
        schools.cct, schools.shift,
        schools.ageb_code, schools.locality_code, schools.municipality_code,
        match_level_of(
            agebs.urgency_household, localities.urgency_household,
            municipalities.urgency_household
        ) as household_match_level,
        [
            agebs.urgency_household, agebs.no_internet_share, agebs.no_computer_share,
            agebs.no_television_share, agebs.no_cellphone_share,
        ] as ageb_household,
        [
            localities.urgency_household, localities.no_internet_share,
            localities.no_computer_share, localities.no_television_share,
            localities.no_cellphone_share,
        ] as locality_household,
        [
            municipalities.urgency_household, municipalities.no_internet_share,
            municipalities.no_computer_share, municipalities.no_television_share,
            municipalities.no_cellphone_share,
        ] as municipality_household,
        at_level(
            household_match_level, ageb_household, locality_household,
            municipality_household
        ) as household,
        match_level_of(
            agebs.urgency_adults, localities.urgency_adults,
            municipalities.urgency_adults
        ) as adults_match_level,
        [agebs.urgency_adults, agebs.mean_schooling_years] as ageb_adults,
        [localities.urgency_adults, localities.mean_schooling_years] as locality_adults,
        [
            municipalities.urgency_adults, municipalities.mean_schooling_years
        ] as municipality_adults,
        at_level(
            adults_match_level, ageb_adults, locality_adults, municipality_adults
        ) as adults,
        coalesce(agebs.household_reason, 'NOT_AVAILABLE') as household_reason_found,
        coalesce(agebs.adults_reason, 'NOT_AVAILABLE') as adults_reason_found,
        at_level(
            household_match_level, agebs.flags, localities.flags, municipalities.flags
        ) as area_flags,
    from intermediate.int_schools_described as schools
    left join intermediate.int_household_agebs as agebs using (ageb_code)
    left join intermediate.int_household_localities as localities
        on localities.locality_code = schools.locality_code
    left join intermediate.int_household_municipalities as municipalities
        on municipalities.municipality_code = schools.municipality_code

),

schools_scored as (

    select
        cct, shift, ageb_code, locality_code, municipality_code,
        household[1] as urgency_household,
        if(household is null, household_reason_found, null) as household_reason,
        household_match_level,
        household[2] as no_internet_share,
        household[3] as no_computer_share,
        household[4] as no_television_share,
        household[5] as no_cellphone_share,
        adults[1] as urgency_adults,
        if(adults is null, adults_reason_found, null) as adults_reason,
        adults_match_level,
        adults[2] as mean_schooling_years,
        flags(list_append(area_flags, match_flag(household_match_level))) as flags,
    from levels_matched

)

select * from schools_scored

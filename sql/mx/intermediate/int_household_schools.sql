-- One row per school and shift: homes and adults of the smallest area known, and the way to it.

with

levels_matched as (

    select
        schools.cct, schools.shift, schools.ageb_code, schools.ageb_route,
        schools.locality_code, schools.municipality_code,
        agebs.ageb_code is not null and rest_urgency_household is not null
            as has_rest,
        match_level_of(
            agebs.urgency_household, localities.urgency_household,
            municipalities.urgency_household
        ) as home_level,
        case
            when home_level = 'AGEB' then [
                agebs.urgency_household, agebs.no_internet_share,
                agebs.no_computer_share, agebs.no_television_share,
                agebs.no_cellphone_share,
            ]
            when home_level = 'LOCALITY' then [
                localities.urgency_household, localities.no_internet_share,
                localities.no_computer_share, localities.no_television_share,
                localities.no_cellphone_share,
            ]
            when has_rest then [
                rest_urgency_household, rest_no_internet_share, rest_no_computer_share,
                rest_no_television_share, rest_no_cellphone_share,
            ]
            else [
                municipalities.urgency_household, municipalities.no_internet_share,
                municipalities.no_computer_share, municipalities.no_television_share,
                municipalities.no_cellphone_share,
            ]
        end as home,
        match_level_of(
            agebs.urgency_adults, localities.urgency_adults,
            municipalities.urgency_adults
        ) as adults_match_level,
        at_level(
            adults_match_level, [agebs.urgency_adults, agebs.mean_schooling_years],
            [localities.urgency_adults, localities.mean_schooling_years],
            [municipalities.urgency_adults, municipalities.mean_schooling_years]
        ) as adults,
        first_reason([
            agebs.household_reason, localities.household_reason, 'NOT_AVAILABLE'
        ]) as home_reason,
        first_reason([agebs.adults_reason, localities.adults_reason, 'NOT_AVAILABLE'])
            as school_reason,
        municipalities.urgency_household_spread as spread,
        at_level(home_level, agebs.flags, localities.flags, municipalities.flags)
            as area_flags,
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
        home[1] as urgency_household,
        if(home_level is null, home_reason, null) as household_reason,
        home_level as household_match_level,
        at_level(home_level, ageb_route, 'GEO_LOC', 'GEO_MUN') as household_route,
        if(home_level = 'MUNICIPALITY', spread, null) as urgency_household_spread,
        home[2] as no_internet_share, home[3] as no_computer_share,
        home[4] as no_television_share, home[5] as no_cellphone_share,
        adults[1] as urgency_adults,
        if(adults is null, school_reason, null) as adults_reason,
        adults_match_level,
        at_level(adults_match_level, ageb_route, 'GEO_LOC', 'GEO_MUN') as adults_route,
        adults[2] as mean_schooling_years,
        flags(list_concat(area_flags, [
            match_flag(home_level),
            if(home_level = 'MUNICIPALITY' and has_rest, 'GEO_REMAINDER', null),
        ])) as flags,
    from levels_matched

)

select * from schools_scored

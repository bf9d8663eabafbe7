-- One row per state and level: how many schools have what, and why others have none.
-- Counts the published profiles, so that it cannot differ from them.

with

schools_counted as (

    select
        profiles.state_code,
        coalesce(profiles.level, 'UNKNOWN') as level,
        states.state_name,
        count(*) as schools_count,
        cast(sum(pupils_count) as bigint) as pupils_count,
        if(count(pupils_count) = 0, 'NOT_AVAILABLE', null) as pupils_reason,
        count(*) filter (where pupils_count is null) as pupils_unknown_count,
        count(profiles.urgency_learning) as learning_count,
        count(profiles.urgency_household) as household_count,
        count(*) filter (where household_route = 'GEO_EXACT') as household_exact_count,
        count(*) filter (where household_route = 'GEO_AGEB') as household_ageb_count,
        count(*) filter (where household_route = 'GEO_NEAR') as household_near_count,
        count(*) filter (where household_route = 'GEO_LOC') as household_locality_count,
        count(*) filter (where household_route = 'GEO_MUN')
            as household_municipality_count,
        count(profiles.urgency_adults) as adults_count,
        count(feasibility_wash) as wash_count,
        count(feasibility_crowding) as crowding_count,
        count(feasibility_epidemiology) as epidemiology_count,
        count(profile) as profile_count,
        count(*) filter (where no_profile_reason = 'LEVEL_DATA_POOR')
            as level_data_poor_count,
        count(*) filter (where no_profile_reason = 'UNKNOWN_LEVEL')
            as unknown_level_count,
        count(*) filter (where no_profile_reason = 'NO_STUDENTS')
            as no_students_count,
        count(*) filter (where no_profile_reason = 'NO_URGENCY')
            as no_urgency_count,
        count(*) filter (where no_profile_reason = 'NO_FEASIBILITY')
            as no_feasibility_count,
    from marts.profiles
    left join marts.urgency on
        urgency.cct = profiles.cct and urgency.shift = profiles.shift
    left join reference.states on states.state_code = profiles.state_code
    group by all

)

select * from schools_counted

-- One row per area (state, municipality, supervision zone): its schools and their profiles.

with

areas_counted as (

    select
        areas.area_kind, areas.state_code, areas.area_code,
        min(areas.area_name) as area_name,
        count(*) as schools_count,
        cast(sum(areas.own_count) as bigint) as counted_schools_count,
        cast(sum(pupils_count) as bigint) as pupils_count,
        count(*) filter (where pupils_count is null) as pupils_unknown_count,
        count(profile) as profile_count,
        count(*) filter (where profile = 1) as profile_1_count,
        count(*) filter (where profile = 2) as profile_2_count,
        count(*) filter (where profile = 3) as profile_3_count,
        count(*) filter (where profile = 4) as profile_4_count,
        count(*) filter (where profile = 5) as profile_5_count,
        count(*) filter (where profile = 6) as profile_6_count,
        count(*) filter (where profile = 7) as profile_7_count,
        count(*) filter (where profile = 8) as profile_8_count,
        count(*) filter (where profile = 9) as profile_9_count,
        count(*) filter (where no_profile_reason = 'LEVEL_DATA_POOR')
            as level_data_poor_count,
        count(*) filter (where no_profile_reason = 'UNKNOWN_LEVEL')
            as unknown_level_count,
        count(*) filter (where no_profile_reason = 'NO_STUDENTS') as no_students_count,
        count(*) filter (where no_profile_reason = 'NO_URGENCY') as no_urgency_count,
        count(*) filter (where no_profile_reason = 'NO_FEASIBILITY')
            as no_feasibility_count,
        count(urgency_learning) as learning_count,
        count(*) filter (where learning_is_imputed) as learning_imputed_count,
        count(urgency_household) as household_count,
        count(urgency_adults) as adults_count,
        count(feasibility_wash) as wash_count,
        count(feasibility_crowding) as crowding_count,
        count(feasibility_epidemiology) as epidemiology_count,
        weighted_mean_of_shares(urgency, pupils_count) as urgency_mean,
        weighted_mean_of_shares(feasibility, pupils_count) as feasibility_mean,
    from intermediate.int_areas_schools as areas
    inner join marts.profiles as profiles using (cct, shift)
    group by all

),

components_counted as (

    select
        areas.area_kind, areas.state_code, areas.area_code, weakest_component,
        count(*) as named_count,
    from intermediate.int_areas_schools as areas
    inner join marts.profiles as profiles using (cct, shift)
    where profile is not null
    group by all

),

components_ranked as (

    select
        area_kind, state_code, area_code,
        list(weakest_component order by named_count desc, position) as components,
        list(named_count order by named_count desc, position) as named_counts,
    from components_counted
    inner join method.components on components.component = weakest_component
    group by all

),

areas_shared as (

    select
        counted.*,
        if(pupils_count is null, 'NOT_AVAILABLE', null) as pupils_reason,
        share_of(profile_count, schools_count) as profile_share,
        share_of(columns('^(profile_[1-9])_count$'), profile_count) as '\1_share',
        if(profile_count = 0, 'UNDEFINED', null) as profile_shares_reason,
        share_of(
            columns('^(level_data_poor|unknown_level|no_.*)_count$'), schools_count
        ) as '\1_share',
        share_of(
            columns('^(learning|household|adults|wash|crowding|epidemiology)_count$'),
            schools_count
        ) as '\1_share',
        share_of(learning_imputed_count, learning_count) as learning_imputed_share,
        if(learning_count = 0, 'UNDEFINED', null) as learning_imputed_reason,
        known_or(urgency_mean) as urgency_mean_reason,
        known_or(feasibility_mean) as feasibility_mean_reason,
        ranked.components[1] as first_component,
        ranked.named_counts[1] as first_component_count,
        ranked.components[2] as second_component,
        ranked.named_counts[2] as second_component_count,
        cast(1 as bigint) as areas_count,
        ['NO_UNCERTAINTY'] as flags,
    from areas_counted as counted
    left join components_ranked as ranked using (area_kind, state_code, area_code)

)

select * from areas_shared

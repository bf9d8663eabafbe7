-- One row per school and shift: the parts of its two indices and its profile.

with

schools_joined as (

    select
        ---------- ids
        urgency.cct, urgency.shift, described.state_code,

        ---------- measures
        feasibility.pupils_count,
        urgency.urgency_learning,
        urgency.learning_is_imputed, urgency.learning_draws,
        urgency.urgency_household, urgency.urgency_adults,
        urgency.equity_factor, urgency.urgency, urgency.urgency_level,
        feasibility.feasibility_wash, feasibility.feasibility_crowding,
        feasibility.feasibility_epidemiology,
        list_contains(feasibility.flags, 'EPI_VETO') as is_vetoed,
        feasibility.feasibility, feasibility.feasibility_level,
        coalesce(coverage.is_in_index, false)
        and feasibility.pupils_count is distinct from 0 as is_in_scope,
        if(is_in_scope, profiles.profile, null) as profile,
    from intermediate.int_urgency_schools as urgency
    inner join intermediate.int_feasibility_schools as feasibility using (cct, shift)
    inner join intermediate.int_schools_described as described using (cct, shift)
    left join intermediate.int_level_coverage as coverage
        on coverage.level = described.level
    left join method.profiles
        on profiles.urgency_level = urgency.urgency_level
            and profiles.feasibility_level = feasibility.feasibility_level

)

select * from schools_joined

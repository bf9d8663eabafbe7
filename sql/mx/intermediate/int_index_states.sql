-- One row per state: the means of the parts over its pupils.

with

states_averaged as (

    select
        state_code,
        count(*) as schools_count,
        count(*) filter (where is_in_scope) as in_scope_count,
        cast(sum(pupils_count) filter (where is_in_scope) as bigint) as pupils_count,
        weighted_mean(if(is_in_scope, urgency_learning, null), pupils_count)
            as learning,
        weighted_mean(if(is_in_scope, urgency_household, null), pupils_count)
            as household,
        weighted_mean(if(is_in_scope, urgency_adults, null), pupils_count) as adults,
        weighted_mean(if(is_in_scope, feasibility_wash, null), pupils_count) as wash,
        weighted_mean(if(is_in_scope, feasibility_crowding, null), pupils_count)
            as crowding,
        weighted_mean(if(is_in_scope, feasibility_epidemiology, null), pupils_count)
            as epidemiology,
    from intermediate.int_profile_schools
    group by state_code

),

states_listed as (

    select
        state_code as unit_id,
        schools_count, in_scope_count, pupils_count,
        [learning, household, adults, wash, crowding, epidemiology] as parts,
        cast(null as double[]) as first_draws,
    from states_averaged

)

select * from states_listed

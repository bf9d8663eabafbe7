-- One row per state: the means of the parts over its pupils.

with

schools_in_scope as (

    select
        state_code, pupils_count, is_in_scope,
        if(is_in_scope, urgency_learning, null) as learning,
        if(is_in_scope, learning_draws, null) as draws,
        if(is_in_scope, urgency_household, null) as household,
        if(is_in_scope, urgency_adults, null) as adults,
        if(is_in_scope, feasibility_wash, null) as wash,
        if(is_in_scope, feasibility_crowding, null) as crowding,
        if(is_in_scope, feasibility_epidemiology, null) as epidemiology,
    from intermediate.int_profile_schools

),

states_averaged as (

    select
        state_code,
        count(*) as schools_count,
        count(*) filter (where is_in_scope) as in_scope_count,
        cast(sum(pupils_count) filter (where is_in_scope) as bigint) as pupils_count,
        weighted_mean(learning, pupils_count) as learning,
        weighted_mean(household, pupils_count) as household,
        weighted_mean(adults, pupils_count) as adults,
        weighted_mean(wash, pupils_count) as wash,
        weighted_mean(crowding, pupils_count) as crowding,
        weighted_mean(epidemiology, pupils_count) as epidemiology,
        sum(pupils_count) filter (where learning is not null) as learning_pupils,
        coalesce(
            sum(cast(learning as decimal(12, 4)) * pupils_count)
                filter (where draws is null),
            0
        ) as observed_sum,
    from schools_in_scope
    group by state_code

),

-- Of each draw the sum over the imputed schools; what is observed stays the same in all.
draws_summed as (

    select
        state_code, draw,
        sum(cast(value as decimal(12, 4)) * pupils_count) as imputed_sum,
    from (
        select
            state_code, pupils_count,
            unnest(draws) as value,
            generate_subscripts(draws, 1) as draw,
        from schools_in_scope
        where pupils_count > 0 and draws is not null
    ) as unnested
    group by state_code, draw

),

draws_averaged as (

    select
        state_code,
        list(
            cast(observed_sum + imputed_sum as double) / learning_pupils
            order by draw
        ) as first_draws,
    from draws_summed
    inner join states_averaged using (state_code)
    group by state_code

),

states_listed as (

    select
        state_code as unit_id,
        schools_count, in_scope_count, pupils_count,
        [learning, household, adults, wash, crowding, epidemiology] as parts,
        first_draws,
    from states_averaged
    left join draws_averaged using (state_code)

)

select * from states_listed

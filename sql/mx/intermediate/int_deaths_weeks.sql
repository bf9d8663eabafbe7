-- One row per state (00: the nation) and ISO week of deaths.

with

nation_summed as (

    select
        iso_year, iso_week, week_end_date,
        count(deaths_count) as known_count,
        cast(sum(deaths_count) as bigint) as deaths_sum,
        bool_and(deaths_reason = 'NOT_AVAILABLE') as is_to_come,
        max(source) as source,
        max(deaths_basis) as deaths_basis,
        flags(flatten(list(flags order by state_code))) as flags,
    from intermediate.int_deaths_states
    group by iso_year, iso_week, week_end_date

),

nation_judged as (

    select
        '00' as state_code, iso_year, iso_week, 0 as state_count,
        known_count = states_due as is_whole,
        if(is_whole, deaths_sum, null) as deaths_count,
        case
            when is_whole then null when is_to_come then 'NOT_AVAILABLE' else 'MISSING'
        end as deaths_reason,
        if(is_whole, source, null) as source,
        if(is_whole, deaths_basis, null) as deaths_basis,
        flags, week_end_date,
    from nation_summed
    cross join (select count(*) as states_due from reference.states)

),

weeks_stacked as (

    select
        state_code, iso_year, iso_week, 1 as state_count,
        deaths_count, deaths_reason, source, deaths_basis, flags, week_end_date,
    from intermediate.int_deaths_states

    union all

    select * exclude (is_whole) from nation_judged

)

select * from weeks_stacked

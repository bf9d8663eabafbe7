-- One row per state, ISO week and source of deaths.

with

days_stacked as (

    select
        state_code, death_date, 'INEGI' as source,
        deaths_registered_count, deaths_resident_count, deaths_occurred_count,
    from staging.stg_deaths_inegi__days

    union all

    select
        state_code, death_date, 'SSA',
        deaths_registered_count, null, null,
    from staging.stg_deaths_ssa__days

),

weeks_summed as (

    select
        ---------- ids
        days.state_code,
        isoyear(days.death_date) as iso_year,
        weekofyear(days.death_date) as iso_week,
        days.source,

        ---------- words
        states.state_name,

        ---------- measures
        count(*) as day_count,
        cast(sum(deaths_registered_count) as bigint) as deaths_registered_count,
        sum_if_all_known(deaths_resident_count) as deaths_resident_count,
        unknown_sum_reason(deaths_resident_count) as deaths_resident_reason,
        sum_if_all_known(deaths_occurred_count) as deaths_occurred_count,
        unknown_sum_reason(deaths_occurred_count) as deaths_occurred_reason,

        ---------- booleans
        flags([if(count(*) < 7, 'PARTIAL_WEEK', null)]) as flags,

        ---------- dates
        cast(date_trunc('week', min(days.death_date)) as date) as week_start_date,
        week_start_date + 6 as week_end_date,
    from days_stacked as days
    inner join reference.states using (state_code)
    group by days.state_code, iso_year, iso_week, days.source, states.state_name

)

select * from weeks_summed

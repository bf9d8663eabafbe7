-- One row per state and ISO week: one count of deaths, as the method prefers.

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

sources_summed as (

    select
        state_code, source,
        isoyear(death_date) as iso_year,
        weekofyear(death_date) as iso_week,
        cast(date_trunc('week', min(death_date)) as date) + 6 as week_end_date,
        count(*) as day_count,
        cast(sum(deaths_registered_count) as bigint) as registered_count,
        sum_if_all_known(deaths_resident_count) as resident_count,
        sum_if_all_known(deaths_occurred_count) as occurred_count,
    from days_stacked
    group by state_code, source, iso_year, iso_week

),

bases_chosen as (

    select
        source, position,
        case basis
            when 'RESIDENCE' then count(resident_count) > 0
            when 'OCCURRENCE' then count(occurred_count) > 0
            else true
        end as gives_basis,
        if(is_same_basis, bool_and(gives_basis) over (), gives_basis) as has_basis,
        if(has_basis, basis, 'REGISTRATION') as deaths_basis,
        if(has_basis, null, 'REGISTERED_BASIS') as basis_flag,
    from sources_summed
    inner join method.deaths_sources using (source)
    cross join method.excess
    group by source, position, basis, is_same_basis

),

counts_judged as (

    select
        state_code, iso_year, iso_week, week_end_date, day_count, source, position,
        deaths_basis, basis_flag, as_of_date,
        case
            when week_end_date > as_of_date or day_count < 7 then null
            when deaths_basis = 'RESIDENCE' then resident_count
            when deaths_basis = 'OCCURRENCE' then occurred_count
            else registered_count
        end as deaths_count,
    from sources_summed
    inner join bases_chosen using (source)
    cross join raw.run

),

states_chosen as (

    select
        state_code, iso_year, iso_week,
        cast(sum(day_count) as bigint) as day_count,
        first_known(deaths_count, position) as chosen_count,
        case
            when chosen_count is not null then null
            when week_end_date > as_of_date then 'NOT_AVAILABLE'
            else 'MISSING'
        end as deaths_reason,
        first_known(if(deaths_count is null, null, source), position) as source,
        first_known(if(deaths_count is null, null, deaths_basis), position)
            as deaths_basis,
        flags([
            max(basis_flag) filter (where deaths_count is not null),
            if(week_end_date > as_of_date, 'AFTER_AS_OF', null),
            if(deaths_reason = 'MISSING', 'PARTIAL_WEEK', null),
        ]) as flags,
        week_end_date,
    from counts_judged
    group by state_code, iso_year, iso_week, week_end_date, as_of_date

)

select * rename (chosen_count as deaths_count) from states_chosen

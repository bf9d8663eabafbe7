-- One row per state and ISO year: the baseline of the whole year, and the people.

with

years_listed as (

    select
        state_code, iso_year,
        count(*) as week_count,
        if(is_extrapolated, iso_year, least(iso_year, hold_year)) - baseline_from as year,
        weekofyear(make_date(iso_year, 12, 28)) = 53 as is_long,
    from intermediate.int_deaths_weeks
    cross join method.excess
    group by state_code, iso_year, is_extrapolated, hold_year, baseline_from

),

-- A week 53 has the baseline of week 52.
years_expected as (

    select
        state_code, iso_year,
        sum(
            (deaths_mean + slope * (year - year_mean)) * if(
                is_long and period * period_weeks = 52, 1 + 1.0::double / period_weeks, 1
            ) order by period
        ) as annual_baseline_count,
    from years_listed
    inner join intermediate.int_excess_fits using (state_code)
    inner join intermediate.int_excess_means using (state_code, period_weeks)
    group by state_code, iso_year

),

people_summed as (

    select
        year as iso_year,
        count(population_count) as known_count,
        cast(sum(population_count) as bigint) as population_count,
    from intermediate.int_population_states
    group by year

),

years_joined as (

    select
        years.state_code, years.iso_year, years.week_count,
        annual_baseline_count,
        if(
            years.state_code = '00',
            if(known_count = states_due, nation.population_count, null),
            people.population_count
        ) as population_count,
    from years_listed as years
    cross join (select count(*) as states_due from reference.states)
    left join years_expected using (state_code, iso_year)
    left join people_summed as nation using (iso_year)
    left join intermediate.int_population_states as people
        on people.state_code = years.state_code and people.year = years.iso_year

)

select * from years_joined

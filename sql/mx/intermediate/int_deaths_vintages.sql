-- One row per growing source, vintage and ISO week: the deaths that it told of in the nation.

with

weeks_counted as (

    select
        'SSA' as source,
        as_of_date as vintage_date,
        isoyear(death_date) as iso_year,
        weekofyear(death_date) as iso_week,
        cast(date_trunc('week', min(death_date)) as date) + 6 as week_end_date,
        cast(floor((as_of_date - week_end_date) / 7) as bigint) as lag_weeks,
        count(*) as day_count,
        if(lag_weeks >= 0, cast(sum(deaths_registered_count) as bigint), null)
            as deaths_count,
    from staging.stg_deaths_ssa__days
    cross join raw.run
    group by as_of_date, iso_year, iso_week

)

select * from weeks_counted

-- One row per growing source, version and ISO week: the deaths that it told of in the nation.

with

-- A version seen after the as-of date stands at that date; of several the last is what is known.
versions_dated as (

    select
        _file,
        vintages.as_of_date as observed_on,
        min(vintages.as_of_date) over (partition by _file) = observed_on
            as is_first_with_file,
        least(vintages.as_of_date, run.as_of_date) as capped_date,
        observed_on = max(vintages.as_of_date) over (partition by capped_date)
            as is_last_of_date,
    from raw.deaths_ssa__vintages as vintages
    cross join raw.run as run

),

weeks_counted as (

    select
        'SSA' as source,
        observed_on,
        if(is_last_of_date, capped_date, null) as vintage_date,
        isoyear(death_date) as iso_year,
        weekofyear(death_date) as iso_week,
        cast(date_trunc('week', min(death_date)) as date) + 6 as week_end_date,
        cast(floor((vintage_date - week_end_date) / 7) as bigint) as lag_weeks,
        count(*) filter (where is_first_with_file) as new_day_count,
        if(lag_weeks >= 0, cast(sum(deaths_registered_count) as bigint), null)
            as deaths_count,
    from staging.stg_deaths_ssa__history
    inner join versions_dated using (_file)
    group by observed_on, is_last_of_date, capped_date, iso_year, iso_week

)

select * from weeks_counted

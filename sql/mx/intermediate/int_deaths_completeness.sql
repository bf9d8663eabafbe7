-- One row per growing source and lag in weeks: the share of deaths that is known by then.

with

-- Of two vintages in one week the later one.
lags_seen as (

    select
        source, iso_year, iso_week, lag_weeks,
        count(*) as vintage_week_count,
        last(deaths_count order by vintage_date) as deaths_count,
    from intermediate.int_deaths_vintages
    group by source, iso_year, iso_week, lag_weeks

),

factors_estimated as (

    select
        seen.source, seen.lag_weeks,
        cast(sum(seen.vintage_week_count) as bigint) as vintage_week_count,
        count(after.deaths_count) as pair_count,
        share_of(
            sum(after.deaths_count),
            sum(seen.deaths_count) filter (where after.deaths_count is not null)
        ) as factor,
    from lags_seen as seen
    left join lags_seen as after
        on
            after.source = seen.source
            and after.iso_year = seen.iso_year
            and after.iso_week = seen.iso_week
            and after.lag_weeks = seen.lag_weeks + 1
    group by seen.source, seen.lag_weeks

),

vintages_counted as (

    select
        source,
        count(distinct vintage_date) as vintage_count,
        least(max(lag_weeks), max(max_lag_weeks)) as last_lag,
    from intermediate.int_deaths_vintages
    cross join method.excess
    group by source

),

lags_chained as (

    select
        factors.source, factors.lag_weeks,
        factors.lag_weeks = max(factors.lag_weeks) over (partition by factors.source)
            as is_last,
        vintage_week_count, pair_count, vintage_count,
        if(factors.lag_weeks between 0 and last_lag - 1, factor, null) as factor,
        case
            when vintage_count < 2 or factors.lag_weeks < 0 then null
            when factors.lag_weeks >= last_lag then cast(1 as double)
            -- From the last lag backwards; a factor that is unknown or 0 ends the chain.
            else list_reduce(
                list_transform(
                    range(last_lag - 1, factors.lag_weeks - 1, -1),
                    lambda lag: nullif(by_lag[lag], 0)
                ),
                lambda share, later: share / later,
                cast(1 as double)
            )
        end as completeness,
    from factors_estimated as factors
    inner join vintages_counted using (source)
    inner join (
        select source, map_from_entries(list((lag_weeks, factor) order by lag_weeks)) as by_lag
        from factors_estimated
        group by source
    ) using (source)

)

select * from lags_chained

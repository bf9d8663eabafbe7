-- One row per growing source and lag in weeks: the share of deaths that is known by then.

with

-- Of two vintages in one week the later one.
lags_seen as (

    select
        source, iso_year, iso_week, lag_weeks,
        count(*) as vintage_week_count,
        last(deaths_count order by vintage_date) as deaths_count,
    from intermediate.int_deaths_vintages
    where vintage_date is not null
    group by source, iso_year, iso_week, lag_weeks

),

vintages_spaced as (

    select
        source, vintage_date,
        max(lag_weeks) as longest_lag,
        (vintage_date - lag(vintage_date) over (partition by source order by vintage_date))
        // 7 as gap_weeks,
    from intermediate.int_deaths_vintages
    where vintage_date is not null
    group by source, vintage_date

),

-- A source that appears every fortnight shows no week at lags one week apart: so go the steps.
sources_spaced as (

    select
        source,
        count(*) as vintage_count,
        least(max(longest_lag), max(max_lag_weeks)) as last_lag,
        coalesce(min(gap_weeks) filter (where gap_weeks >= 1), 1) as step_weeks,
    from vintages_spaced
    cross join method.excess
    group by source

),

factors_estimated as (

    select
        seen.source, seen.lag_weeks, vintage_count, last_lag, step_weeks,
        cast(sum(seen.vintage_week_count) as bigint) as vintage_week_count,
        count(after.deaths_count) as pair_count,
        share_of(
            sum(after.deaths_count),
            sum(seen.deaths_count) filter (where after.deaths_count is not null)
        ) as factor,
    from lags_seen as seen
    inner join sources_spaced using (source)
    left join lags_seen as after
        on
            after.source = seen.source
            and after.iso_year = seen.iso_year
            and after.iso_week = seen.iso_week
            and after.lag_weeks = seen.lag_weeks + step_weeks
    group by seen.source, seen.lag_weeks, vintage_count, last_lag, step_weeks

),

factors_listed as (

    select
        source,
        map_from_entries(list((lag_weeks, factor) order by lag_weeks)) as by_lag,
        max(lag_weeks) as longest_lag,
    from factors_estimated
    group by source

),

lags_chained as (

    select
        source, lag_weeks, lag_weeks = longest_lag as is_last,
        vintage_week_count, pair_count, vintage_count, step_weeks,
        if(lag_weeks between 0 and last_lag - step_weeks, factor, null) as factor,
        case
            when vintage_count < 2 or lag_weeks < 0 then null
            -- From the last lag backwards; a factor that is unknown or 0 ends the chain.
            else list_reduce(
                list_transform(
                    list_reverse(range(lag_weeks, last_lag - step_weeks + 1, step_weeks)),
                    lambda lag: nullif(by_lag[lag], 0)
                ),
                lambda share, later: share / later,
                cast(1 as double)
            )
        end as completeness,
    from factors_estimated
    inner join factors_listed using (source)

)

select * from lags_chained

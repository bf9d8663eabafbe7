-- One row per state and period of the year: means over the years of the baseline.

with

periods_averaged as (

    select
        state_code, period, period_weeks,
        cast(sum(period_count) as bigint) as period_count,
        count(*) filter (where is_in_fit) as year_count,
        share_of(sum(iso_year - baseline_from) filter (where is_in_fit), year_count)
            as year_mean,
        share_of(sum(deaths_count) filter (where is_in_fit), year_count) as deaths_mean,
    from intermediate.int_excess_periods
    cross join method.excess
    group by state_code, period, period_weeks

)

select * from periods_averaged

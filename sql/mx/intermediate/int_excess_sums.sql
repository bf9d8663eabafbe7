-- One row per state and window, a fortnight or a span named by the method: sums of its weeks.

with

weeks_placed as (

    select
        weeks.*,
        'FORTNIGHT' as window_kind,
        (least(iso_week, 52) - 1) // 2 + 1 as fortnight,
        format('{}-F{:02d}', iso_year, fortnight) as window_name,
        fortnight * 2 - 1 as first_week,
        if(fortnight = 26, 53, fortnight * 2) as until_week,
        1 as fortnight_week,
    from intermediate.int_excess_weeks as weeks

    union all

    select
        weeks.*, 'SPAN', null, window_name, first_week, last_week, 0,
    from intermediate.int_excess_weeks as weeks
    inner join method.excess_windows as windows
        on
            windows.iso_year = weeks.iso_year
            and weeks.iso_week between first_week and last_week

),

periods_summed as (

    select
        state_code, window_kind, window_name, iso_year, fortnight, first_week, until_week,
        period, year_count,
        cast(sum(fortnight_week) as bigint) as fortnight_week_count,
        count(deaths_count) as week_count,
        sum(deaths_reported_count) filter (where deaths_count is not null)
            as deaths_reported_count,
        sum(deaths_count order by iso_week) as deaths_count,
        sum(baseline_count order by iso_week) filter (where deaths_count is not null)
            as baseline_count,
        coalesce(
            sum(period_share order by iso_week) filter (where deaths_count is not null), 0
        ) as own_periods,
        sum(period_share * year_gap order by iso_week)
            filter (where deaths_count is not null) as year_gaps,
        sum(delay_variance order by iso_week) filter (where deaths_count is not null)
            as delay_variance,
        worst_status(delay_status) as delay_status,
        bool_or(deaths_reason = 'SUPPRESSED_OUT') as is_suppressed,
        max(week_end_date) as window_end_date,
        flags(flatten(list(flags order by iso_week))) as flags,
    from weeks_placed
    group by all

),

windows_summed as (

    select
        ---------- ids
        state_code, window_kind, window_name,

        ---------- measures
        iso_year, fortnight, first_week,
        least(
            until_week, weekofyear(make_date(iso_year, 12, 28))
        ) as last_week,
        cast(sum(fortnight_week_count) as bigint) as fortnight_week_count,
        cast(sum(week_count) as bigint) as week_count,
        last_week - first_week + 1 as week_due_count,
        cast(sum(deaths_reported_count) as bigint) as deaths_reported_count,
        sum(deaths_count order by period) as deaths_count,
        sum(baseline_count order by period) as baseline_count,
        sum(own_periods order by period) as own_periods,
        sum(own_periods * own_periods / nullif(year_count, 0) order by period)
            as square_spread,
        sum(year_gaps order by period) as year_gaps,
        sum(delay_variance order by period) as delay_variance,

        ---------- booleans
        worst_status(delay_status) as delay_status,
        coalesce(bool_or(is_suppressed), false) as is_suppressed,
        flags(flatten(list(flags order by period))) as flags,

        ---------- dates
        max(window_end_date) as window_end_date,
    from periods_summed
    group by state_code, window_kind, window_name, iso_year, fortnight, first_week, until_week

)

select * from windows_summed

-- One row per state, ISO year and period of the fit: a week, a fortnight or four weeks.

with

weeks_sized as (

    select
        weeks.*,
        iso_week <= 52 as is_fitted_week,
        iso_year between baseline_from and baseline_to as is_baseline_year,
        share_of(
            sum(deaths_count) filter (where is_baseline_year and is_fitted_week)
                over of_state,
            count(deaths_count) filter (where is_baseline_year and is_fitted_week)
                over of_state
        ) as weekly_deaths_mean,
        case
            when weekly_deaths_mean * 2 < min_fortnight_deaths then 4
            when weekly_deaths_mean < min_weekly_deaths then 2
            else 1
        end as period_weeks,
    from intermediate.int_deaths_weeks as weeks
    cross join method.excess
    window of_state as (partition by state_code)

),

periods_summed as (

    select
        state_code, iso_year,
        (least(iso_week, 52) - 1) // period_weeks + 1 as period,
        period_weeks, is_baseline_year,
        count(*) as week_count,
        count(deaths_count) filter (where is_fitted_week) as known_week_count,
        cast(sum(deaths_count) filter (where is_fitted_week) as bigint) as deaths_sum,
    from weeks_sized
    group by state_code, iso_year, period, period_weeks, is_baseline_year

),

periods_judged as (

    select
        state_code, iso_year, period, period_weeks, week_count,
        if(known_week_count = period_weeks, deaths_sum, null) as deaths_count,
        is_baseline_year and deaths_count is not null as is_in_fit,
        1 as period_count,
    from periods_summed

)

select * from periods_judged

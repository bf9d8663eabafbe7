-- One row per state: the slope of its deaths in the baseline's years, and what the fit leaves.

with

periods_centred as (

    select
        state_code, iso_year, period,
        -- Neighbours in time have neighbouring places; a period that is missing leaves a gap.
        iso_year * (52 // period_weeks) + period as place,
        iso_year - baseline_from - year_mean as year_gap,
        periods.deaths_count - deaths_mean as deaths_gap,
    from intermediate.int_excess_periods as periods
    inner join intermediate.int_excess_means as means
        using (state_code, period, period_weeks)
    cross join method.excess
    where is_in_fit

),

slopes_fitted as (

    select
        state_code,
        count(*) as fitted_count,
        count(*) - count(distinct period) - 1 as freedom,
        array_to_string(
            list_sort(list_distinct(list(iso_year order by place))), ' '
        ) as baseline_years,
        count(distinct iso_year) as baseline_year_count,
        sum(year_gap * year_gap order by place) as year_gap_squares,
        sum(year_gap * deaths_gap order by place) / nullif(year_gap_squares, 0) as slope,
    from periods_centred
    group by state_code

),

residuals_paired as (

    select
        state_code, place,
        deaths_gap - slope * year_gap as residual,
        if(place - lag(place) over by_time = 1, lag(residual) over by_time, 0)
            as residual_before,
    from periods_centred
    inner join slopes_fitted using (state_code)
    window by_time as (partition by state_code order by place)

),

residuals_summed as (

    select
        state_code,
        sum(residual * residual order by place) as residual_squares,
        sum(residual * residual_before order by place) as residual_products,
    from residuals_paired
    group by state_code

),

states_counted as (

    select
        state_code, period_weeks,
        cast(sum(period_count) as bigint) as period_count,
    from intermediate.int_excess_periods
    group by state_code, period_weeks

),

fits_judged as (

    select
        state_code, period_weeks, period_count,
        coalesce(baseline_year_count >= min_years and freedom > 0, false)
            as has_baseline,
        baseline_years,
        coalesce(baseline_year_count, 0) as baseline_year_count,
        coalesce(fitted_count, 0) as fitted_count,
        if(has_baseline, freedom, null) as degrees_of_freedom,
        if(has_baseline, slope, null) as slope,
        if(has_baseline, year_gap_squares, null) as year_gap_squares,
        if(has_baseline, residual_squares / freedom, null) as variance,
        if(has_baseline, residual_products / nullif(residual_squares, 0), null)
            as autocorrelation,
        if(has_baseline, quantile, null) as t_quantile,
        flags([
            if(has_baseline, null, 'SHORT_HISTORY'),
            if(baseline_year_count <= baseline_to - baseline_from, 'BASELINE_GAP', null),
            case period_weeks when 2 then 'FORTNIGHT_FIT' when 4 then 'FOUR_WEEK_FIT' end,
        ]) as flags,
    from states_counted
    cross join method.excess
    left join slopes_fitted using (state_code)
    left join residuals_summed using (state_code)
    left join intermediate.int_student_quantiles as quantiles
        on
            quantiles.degrees_of_freedom = least(freedom, 2000)
            and probability = 0.975

)

select * from fits_judged

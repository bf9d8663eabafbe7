-- One row per state and window: excess deaths, with intervals.

with

windows_varied as (

    select
        sums.*,
        t_quantile, annual_baseline_count, population_count,
        case
            when is_suppressed and window_kind = 'FORTNIGHT' then 'SUPPRESSED_OUT'
            when week_count = 0 or (week_count < week_due_count and window_kind = 'FORTNIGHT')
                then 'MISSING'
            when iso_year <= baseline_to then 'NOT_APPLICABLE'
            when baseline_count is null then 'NOT_AVAILABLE'
        end as excess_reason,
        if(excess_reason is null, deaths_count - baseline_count, null) as excess_count,
        square_spread + year_gaps * year_gaps / year_gap_squares as spread,
        greatest(variance, baseline_count / own_periods) as floor_variance,
        excess_sd_of(variance, own_periods, spread, delay_variance) as sd,
        excess_sd_of(floor_variance, own_periods, spread, delay_variance) as floor_sd,
        excess_sd_of(
            variance,
            own_periods * if(
                autocorrelation > 0, (1 + autocorrelation) / (1 - autocorrelation), 1
            ),
            spread, delay_variance
        ) as autocorrelated_sd,
        floor_variance > variance as is_floored,
    from intermediate.int_excess_sums as sums
    cross join method.excess
    left join intermediate.int_excess_fits as fits using (state_code)
    left join (select * exclude (week_count) from intermediate.int_excess_years)
        using (state_code, iso_year)

),

windows_measured as (

    select
        state_code, window_kind, window_name, iso_year, fortnight, first_week, last_week,
        1 as window_count,
        week_count, week_due_count,
        if(excess_reason in ('MISSING', 'SUPPRESSED_OUT'), null, deaths_count)
            as deaths_count,
        deaths_reported_count,
        baseline_count, excess_count, excess_reason,
        coalesce(excess_reason, if(baseline_count <= 0, 'UNDEFINED', null))
            as p_score_reason,
        if(p_score_reason is null, baseline_count, null) as divisor,
        if(excess_count is null, null, sd) as excess_sd,
        if(excess_count is null, null, floor_sd) as excess_sd_floor,
        if(excess_count is null, null, autocorrelated_sd) as excess_sd_ar1,
        excess_count - t_quantile * excess_sd as excess_low,
        excess_count + t_quantile * excess_sd as excess_high,
        100 * excess_count / divisor as p_score,
        100 * excess_low / divisor as p_score_low,
        100 * excess_high / divisor as p_score_high,
        100 * (excess_count - t_quantile * excess_sd_floor) / divisor
            as p_score_low_floor,
        excess_count / nullif(excess_sd, 0) as z_score,
        100000 * excess_count / nullif(population_count, 0) as excess_per_100k,
        excess_count / if(annual_baseline_count > 0, annual_baseline_count, null)
            as annual_baseline_share,
        delay_status, window_end_date,
        flags(list_concat(flags, [
            if(window_kind = 'FORTNIGHT' and week_due_count > 2, 'LONG_FORTNIGHT', null),
            if(week_count < week_due_count, 'INCOMPLETE_WINDOW', null),
            if(p_score_reason = 'UNDEFINED', 'BASELINE_NONPOS', null),
            if(excess_count is not null and is_floored, 'POISSON_FLOOR', null),
        ])) as flags,
    from windows_varied

)

select * exclude (divisor) from windows_measured

-- One row per state and ISO week: deaths, those still to be reported, and the baseline.

with

weeks_dated as (

    select
        weeks.*,
        cast(floor((as_of_date - week_end_date) / 7) as bigint) as lag_now,
    from intermediate.int_deaths_weeks as weeks
    cross join raw.run

),

weeks_expected as (

    select
        weeks.state_code, weeks.iso_year, weeks.iso_week,
        weeks.week_end_date, weeks.source, weeks.deaths_count, weeks.deaths_reason,
        means.period,
        means.year_count,
        cast(1 as double) / fits.period_weeks as period_share,
        if(is_extrapolated, weeks.iso_year, least(weeks.iso_year, hold_year))
        - baseline_from - year_mean as year_gap,
        if(
            weeks.iso_year >= baseline_from,
            (deaths_mean + slope * year_gap) * period_share, null
        ) as baseline_count,
        lag_now,
        if(is_final, 1, completeness) as share_known,
        delay_status_of(
            share_known, vintage_count, lag_now,
            final_from, provisional_from, unknown_weeks
        ) as status_known,
        flags_of_both(fits.flags, weeks.flags) as flags,
    from weeks_dated as weeks
    cross join method.excess
    left join method.deaths_sources as sources using (source)
    left join intermediate.int_excess_fits as fits using (state_code)
    left join intermediate.int_excess_means as means
        on
            means.state_code = weeks.state_code
            and means.period = (least(weeks.iso_week, 52) - 1) // fits.period_weeks + 1
    left join intermediate.int_deaths_completeness as lags
        on
            lags.source = weeks.source
            and (
                lags.lag_weeks = weeks.lag_now
                or (lags.is_last and lags.lag_weeks < weeks.lag_now)
            )

),

weeks_corrected as (

    select
        state_code, iso_year, iso_week, source,
        period, year_count, period_share, year_gap, baseline_count,
        lag_now as lag_weeks,
        if(deaths_count is null, null, share_known) as completeness,
        if(deaths_count is null, null, status_known) as delay_status,
        deaths_count as deaths_reported_count,
        if(
            delay_status = 'SUPPRESSED', null,
            deaths_count / coalesce(share_known, cast(1 as double))
        ) as deaths_count,
        coalesce(
            deaths_reason, if(delay_status = 'SUPPRESSED', 'SUPPRESSED_OUT', null)
        ) as deaths_reason,
        deaths_reported_count * coalesce((1 - share_known) / (share_known * share_known), 0)
            as delay_variance,
        week_end_date, flags,
    from weeks_expected

)

select * from weeks_corrected

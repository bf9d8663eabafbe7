-- One row per state (00: the nation) and named span of weeks: excess deaths, with intervals.

with

spans_named as (

    select
        windows.state_code, windows.window_name,
        coalesce(states.state_name, 'Nacional') as state_name,
        windows.iso_year, windows.first_week, windows.last_week,
        windows.window_count as span_count,
        windows.week_count, windows.week_due_count,
        windows.deaths_count, windows.deaths_reported_count,
        windows.baseline_count,
        windows.excess_count, windows.excess_reason, windows.p_score_reason,
        windows.excess_low, windows.excess_high,
        windows.excess_sd, windows.excess_sd_floor, windows.excess_sd_ar1,
        windows.p_score, windows.p_score_low, windows.p_score_high,
        windows.p_score_low_floor,
        windows.z_score, windows.excess_per_100k, windows.annual_baseline_share,
        windows.delay_status, windows.window_end_date,
        windows.flags,
    from intermediate.int_excess_windows as windows
    left join reference.states using (state_code)
    where windows.window_kind = 'SPAN'

)

select * from spans_named

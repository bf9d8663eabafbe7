-- One row per state: its epidemiology in the last final fortnight, and in the one before it.

with

fortnights_ranked as (

    select
        state_code, window_name, window_end_date, p_score, p_score_low_floor,
        row_number() over (
            partition by state_code order by window_end_date desc
        ) as place,
        max(window_end_date) over (partition by state_code) as last_end_date,
    from intermediate.int_excess_windows
    where
        window_kind = 'FORTNIGHT' and state_code <> '00'
        and delay_status = 'FINAL' and p_score is not null

),

-- A fortnight is 14 days, with a week 53 21: further back it is not the one before.
fortnights_cut as (

    select
        *,
        quantile_cont(p_score, 1.0 / 3) over (partition by place) as first_cut,
        quantile_cont(p_score, 2.0 / 3) over (partition by place) as second_cut,
    from fortnights_ranked
    where place = 1 or (place = 2 and last_end_date - window_end_date <= 21)

),

fortnights_classed as (

    select
        state_code, place, window_name, window_end_date, p_score, p_score_low_floor,
        first_cut, second_cut,
        tercile_of(p_score, first_cut, second_cut) as tercile,
        period_end - last_end_date > stale_weeks * 7 as is_stale,
        if(
            is_stale, 'UNKNOWN',
            epidemiology_class_of(p_score, p_score_low_floor, green_below, red_from)
        ) as class,
        epidemiology_score_of(
            class, p_score, tercile, green_below, red_from, tercile_bonus
        ) as score,
    from fortnights_cut
    cross join method.epidemiology
    cross join raw.run

),

states_joined as (

    select
        ---------- ids
        states.state_code,

        ---------- measures
        latest.window_name, latest.window_end_date,
        latest.p_score, latest.p_score_low_floor,
        latest.first_cut, latest.second_cut, latest.tercile,
        coalesce(latest.class, 'UNKNOWN') as epidemiology_class,
        latest.score as feasibility_epidemiology,
        if(latest.score is null, 'NOT_AVAILABLE', null) as epidemiology_reason,
        flags_of_both(
            epidemiology_flags_of(epidemiology_class, latest.p_score_low_floor),
            if(latest.is_stale, ['EPI_STALE'], [])
        ) as flags,
        before.window_name as window_name_before,
        before.p_score as p_score_before,
        before.p_score_low_floor as p_score_low_floor_before,
        before.tercile as tercile_before,
        coalesce(before.class, 'UNKNOWN') as epidemiology_class_before,
        before.score as feasibility_epidemiology_before,
        if(before.score is null, 'NOT_AVAILABLE', null) as epidemiology_reason_before,
        flags_of_both(
            epidemiology_flags_of(
                epidemiology_class_before, before.p_score_low_floor
            ),
            if(before.is_stale, ['EPI_STALE'], [])
        ) as flags_before,
    from reference.states
    left join fortnights_classed as latest
        on latest.state_code = states.state_code and latest.place = 1
    left join fortnights_classed as before
        on before.state_code = states.state_code and before.place = 2

)

select * from states_joined

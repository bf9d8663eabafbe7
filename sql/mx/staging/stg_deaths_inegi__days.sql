-- One row per state and day of INEGI, 2012–2018.

with

records_read as (

    select
        coalesce(
            pad_code(deaths.state_code, 2), fold_text(deaths.state_code)
        ) as state_key,
        clean_date(death_date) as death_day,
        clean_count(registered) as deaths_registered_count,
        clean_count(resident) as deaths_resident_count,
        clean_count(occurred) as deaths_occurred_count,
        concat_ws('|', registered, resident, occurred) as record_text,
        _file, _record,
        case
            when clean_date(death_date) is null then 'INVALID_DATE'
            when states.state_code is null then 'NOT_A_STATE'
            when clean_count(registered) is null then 'INVALID_COUNT'
        end as unfit_reason,
    from raw.deaths_inegi as deaths
    left join reference.states on states.state_code = pad_code(deaths.state_code, 2)

),

records_judged as (

    select
        state_key as state_code,
        death_day as death_date,
        deaths_registered_count, deaths_resident_count, deaths_occurred_count,
        _file, _record,
        duplicate_or(
            unfit_reason,
            min(record_text) over same_key, max(record_text) over same_key,
            row_number() over (same_key order by _file, _record)
        ) as _set_aside,
    from records_read
    window same_key as (partition by unfit_reason is null, state_key, death_day)

)

select * from records_judged

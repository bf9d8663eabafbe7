-- One row per state and day of the civil registers.

with

records_cleaned as (

    select
        coalesce(
            pad_code(deaths.state_code, 2), fold_text(deaths.state_code)
        ) as state_code,
        clean_date(deaths.death_date) as death_date,
        clean_count(registered) as deaths_registered_count,
        concat_ws('|', registered) as record_text,
        case
            when clean_date(deaths.death_date) is null then 'INVALID_DATE'
            when states.state_code is null then 'NOT_A_STATE'
            when clean_count(registered) is null then 'INVALID_COUNT'
        end as unfit_reason,
        _file, _record,
    from raw.deaths_ssa as deaths
    left join reference.states on states.state_code = pad_code(deaths.state_code, 2)

),

repeats_judged as (

    select
        _file, _record,
        duplicate_reason(
            min(record_text) over same_key, max(record_text) over same_key,
            row_number() over (same_key order by _file, _record)
        ) as repeat_reason,
    from records_cleaned
    where unfit_reason is null and (state_code, death_date) in (
        select (state_code, death_date)
        from records_cleaned
        where unfit_reason is null
        group by state_code, death_date
        having count(*) > 1
    )
    window same_key as (partition by state_code, death_date)

),

records_judged as (

    select
        state_code, death_date,
        deaths_registered_count,
        _file, _record,
        coalesce(unfit_reason, repeat_reason) as _set_aside,
    from records_cleaned
    left join repeats_judged using (_file, _record)

)

select * from records_judged

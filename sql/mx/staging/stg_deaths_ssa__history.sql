-- One row per version of the file, state and day of the civil registers.

with

records_cleaned as (

    select
        pad_code(deaths.state_code, 2) as state_code,
        clean_date(deaths.death_date) as death_date,
        clean_count(registered) as deaths_registered_count,
        states.state_code is not null as is_state,
        _file, _record,
    from raw.deaths_ssa__history as deaths
    left join reference.states on states.state_code = pad_code(deaths.state_code, 2)

),

records_judged as (

    select
        state_code, death_date, deaths_registered_count, _file, _record,
        case
            when death_date is null then 'INVALID_DATE'
            when not is_state then 'NOT_A_STATE'
            when deaths_registered_count is null then 'INVALID_COUNT'
            when row_number() over (
                partition by _file, state_code, death_date
                order by deaths_registered_count is null, _record
            ) > 1 then 'DUPLICATE'
        end as _set_aside,
    from records_cleaned

)

select * from records_judged

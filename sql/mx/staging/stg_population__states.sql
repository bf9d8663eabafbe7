-- One row per state, year and sex of CONAPO's population.

with

records_cleaned as (

    select
        coalesce(
            pad_code(population.state_code, 2), fold_text(population.state_code)
        ) as state_key,
        clean_count(population.year) as year_number,
        case fold_word(population.sex)
            when 'HOMBRES' then 'MEN'
            when 'MUJERES' then 'WOMEN'
            when 'TOTAL' then 'TOTAL'
        end as sex_found,
        clean_count(start_year) as population_start_count,
        clean_count(mid_year) as population_mid_count,
        concat_ws('|', start_year, mid_year) as record_text,
        _file, _record,
        case
            when year_number is null then 'INVALID_YEAR'
            when sex_found is null then 'UNKNOWN_SEX'
            when sex_found = 'TOTAL' or state_key = '00' then 'TOTAL_ROW'
            when states.state_code is null then 'NOT_A_STATE'
            when population_start_count is null or population_mid_count is null
                then 'INVALID_COUNT'
        end as unfit_reason,
    from raw.population
    left join reference.states
        on states.state_code = pad_code(population.state_code, 2)

),

records_judged as (

    select
        state_key as state_code,
        year_number as year,
        sex_found as sex,
        population_start_count,
        population_mid_count,
        _file, _record,
        coalesce(unfit_reason, duplicate_reason(
            min(record_text) over same_key, max(record_text) over same_key,
            row_number() over (same_key order by _file, _record)
        )) as _set_aside,
    from records_cleaned
    window same_key as (
        partition by unfit_reason is null, state_key, year_number, sex_found
    )

)

select * from records_judged

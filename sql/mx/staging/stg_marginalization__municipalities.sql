-- One row per municipality of CONAPO's index of marginalization (IMM).

with

records_cleaned as (

    select
        coalesce(
            pad_code(areas.municipality_code, 5), fold_text(areas.municipality_code)
        ) as municipality_code,
        fold_text(municipality_name) as municipality_name,
        clean_count(population) as population_count,
        grades.grade as marginalization_grade,
        clean_number(areas.marginalization_index) as marginalization_index,
        clean_number(normalized_index) as marginalization_normalized_index,
        percent_or_null(areas.illiterate_pct) as illiterate_pct,
        percent_or_null(areas.no_basic_education_pct) as no_basic_education_pct,
        percent_or_null(areas.no_drainage_pct) as no_drainage_pct,
        percent_or_null(areas.no_electricity_pct) as no_electricity_pct,
        percent_or_null(areas.no_piped_water_pct) as no_piped_water_pct,
        percent_or_null(areas.dirt_floor_pct) as dirt_floor_pct,
        percent_or_null(areas.overcrowded_pct) as overcrowded_pct,
        concat_ws(
            '|', population, areas.marginalization_grade, areas.marginalization_index,
            normalized_index, areas.illiterate_pct, areas.no_basic_education_pct,
            areas.no_drainage_pct, areas.no_electricity_pct, areas.no_piped_water_pct,
            areas.dirt_floor_pct, areas.overcrowded_pct
        ) as record_text,
        if(pad_code(areas.municipality_code, 5) is null, 'INVALID_CODE', null)
            as unfit_reason,
        _file, _record,
    from raw.marginalization as areas
    left join reference.marginalization_grades as grades
        on grades.word = fold_word(areas.marginalization_grade)

),

repeats_judged as (

    select
        _file, _record,
        duplicate_reason(
            min(record_text) over same_key, max(record_text) over same_key,
            row_number() over (same_key order by _file, _record)
        ) as repeat_reason,
    from records_cleaned
    where unfit_reason is null and municipality_code in (
        select municipality_code
        from records_cleaned
        where unfit_reason is null
        group by municipality_code
        having count(*) > 1
    )
    window same_key as (partition by municipality_code)

),

records_judged as (

    select
        municipality_code, municipality_name,
        left(municipality_code, 2) as state_code,
        population_count, marginalization_grade,
        marginalization_index, marginalization_normalized_index,
        illiterate_pct, no_basic_education_pct, no_drainage_pct, no_electricity_pct,
        no_piped_water_pct, dirt_floor_pct, overcrowded_pct,
        _file, _record,
        coalesce(unfit_reason, repeat_reason) as _set_aside,
    from records_cleaned
    left join repeats_judged using (_file, _record)

)

select * from records_judged

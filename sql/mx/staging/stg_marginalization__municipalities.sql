-- One row per municipality of CONAPO's index of marginalization (IMM).

with

records_read as (

    select
        coalesce(
            pad_code(municipality_code, 5), fold_text(municipality_code)
        ) as area_key,
        fold_text(municipality_name) as municipality_title,
        clean_count(population) as population_count,
        grades.grade as grade_found,
        clean_number(marginalization_index) as index_points,
        clean_number(normalized_index) as normalized_points,
        percent_or_null(illiterate_pct) as illiterate_points,
        [
            percent_or_null(no_basic_education_pct), percent_or_null(no_drainage_pct),
            percent_or_null(no_electricity_pct), percent_or_null(no_piped_water_pct),
            percent_or_null(dirt_floor_pct), percent_or_null(overcrowded_pct),
        ] as lacks,
        concat_ws(
            '|', population, marginalization_grade, marginalization_index,
            normalized_index, illiterate_pct, no_basic_education_pct, no_drainage_pct,
            no_electricity_pct, no_piped_water_pct, dirt_floor_pct, overcrowded_pct
        ) as record_text,
        case
            when pad_code(municipality_code, 5) is null then 'INVALID_CODE'
        end as unfit_reason,
        _file, _record,
    from raw.marginalization as municipalities
    left join reference.marginalization_grades as grades
        on grades.word = fold_word(municipalities.marginalization_grade)

),

records_judged as (

    select
        area_key as municipality_code,
        municipality_title as municipality_name,
        left(area_key, 2) as state_code,
        population_count,
        grade_found as marginalization_grade,
        index_points as marginalization_index,
        normalized_points as marginalization_normalized_index,
        illiterate_points as illiterate_pct,
        lacks[1] as no_basic_education_pct,
        lacks[2] as no_drainage_pct,
        lacks[3] as no_electricity_pct,
        lacks[4] as no_piped_water_pct,
        lacks[5] as dirt_floor_pct,
        lacks[6] as overcrowded_pct,
        _file, _record,
        duplicate_or(
            unfit_reason,
            min(record_text) over same_key, max(record_text) over same_key,
            row_number() over (same_key order by _file, _record)
        ) as _set_aside,
    from records_read
    window same_key as (partition by unfit_reason is null, area_key)

)

select * from records_judged

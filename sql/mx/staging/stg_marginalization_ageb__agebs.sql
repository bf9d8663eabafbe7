-- One row per urban AGEB of CONAPO's index of urban marginalization (IMU).

with

records_read as (

    select
        coalesce(ageb_key(ageb_code), fold_text(ageb_code)) as area_key,
        fold_text(locality_name) as locality_title,
        fold_text(municipality_name) as municipality_title,
        clean_count(population) as population_count,
        grades.grade as grade_found,
        clean_number(marginalization_index) as index_points,
        clean_number(normalized_index) as normalized_points,
        [
            percent_or_null(no_basic_education_pct),
            percent_or_null(no_health_service_pct),
            percent_or_null(no_drainage_pct), percent_or_null(no_electricity_pct),
            percent_or_null(no_piped_water_pct), percent_or_null(dirt_floor_pct),
            percent_or_null(overcrowded_pct), percent_or_null(no_refrigerator_pct),
            percent_or_null(no_internet_pct), percent_or_null(no_cellphone_pct),
        ] as lacks,
        concat_ws(
            '|', population, marginalization_grade, marginalization_index,
            normalized_index, no_basic_education_pct, no_health_service_pct,
            no_drainage_pct, no_electricity_pct, no_piped_water_pct, dirt_floor_pct,
            overcrowded_pct, no_refrigerator_pct, no_internet_pct, no_cellphone_pct
        ) as record_text,
        if(ageb_key(ageb_code) is null, 'INVALID_CODE', null) as unfit_reason,
        _file, _record,
    from raw.marginalization_ageb as agebs
    left join reference.marginalization_grades as grades
        on grades.word = fold_word(agebs.marginalization_grade)

),

records_judged as (

    select
        area_key as ageb_code,
        left(area_key, 9) as locality_code,
        locality_title as locality_name,
        left(area_key, 5) as municipality_code,
        municipality_title as municipality_name,
        population_count,
        grade_found as marginalization_grade,
        index_points as marginalization_index,
        normalized_points as marginalization_normalized_index,
        lacks[1] as no_basic_education_pct,
        lacks[2] as no_health_service_pct,
        lacks[3] as no_drainage_pct,
        lacks[4] as no_electricity_pct,
        lacks[5] as no_piped_water_pct,
        lacks[6] as dirt_floor_pct,
        lacks[7] as overcrowded_pct,
        lacks[8] as no_refrigerator_pct,
        lacks[9] as no_internet_pct,
        lacks[10] as no_cellphone_pct,
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

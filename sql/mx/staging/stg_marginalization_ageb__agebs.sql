-- One row per urban AGEB of CONAPO's index of urban marginalization (IMU).

with

records_cleaned as (

    select
        coalesce(ageb_key(agebs.ageb_code), fold_text(agebs.ageb_code)) as ageb_code,
        fold_text(locality_name) as locality_name,
        fold_text(municipality_name) as municipality_name,
        clean_count(population) as population_count,
        grades.grade as marginalization_grade,
        clean_number(agebs.marginalization_index) as marginalization_index,
        clean_number(normalized_index) as marginalization_normalized_index,
        percent_or_null(agebs.not_attending_6_14_pct) as not_attending_6_14_pct,
        percent_or_null(agebs.no_basic_education_pct) as no_basic_education_pct,
        percent_or_null(agebs.no_health_service_pct) as no_health_service_pct,
        percent_or_null(agebs.no_drainage_pct) as no_drainage_pct,
        percent_or_null(agebs.no_electricity_pct) as no_electricity_pct,
        percent_or_null(agebs.no_piped_water_pct) as no_piped_water_pct,
        percent_or_null(agebs.dirt_floor_pct) as dirt_floor_pct,
        percent_or_null(agebs.overcrowded_pct) as overcrowded_pct,
        percent_or_null(agebs.no_refrigerator_pct) as no_refrigerator_pct,
        percent_or_null(agebs.no_internet_pct) as no_internet_pct,
        percent_or_null(agebs.no_cellphone_pct) as no_cellphone_pct,
        concat_ws(
            '|', population, agebs.not_attending_6_14_pct,
            agebs.marginalization_grade, agebs.marginalization_index,
            normalized_index, agebs.no_basic_education_pct,
            agebs.no_health_service_pct, agebs.no_drainage_pct,
            agebs.no_electricity_pct, agebs.no_piped_water_pct, agebs.dirt_floor_pct,
            agebs.overcrowded_pct, agebs.no_refrigerator_pct, agebs.no_internet_pct,
            agebs.no_cellphone_pct
        ) as record_text,
        if(ageb_key(agebs.ageb_code) is null, 'INVALID_CODE', null) as unfit_reason,
        _file, _record,
    from raw.marginalization_ageb as agebs
    left join reference.marginalization_grades as grades
        on grades.word = fold_word(agebs.marginalization_grade)

),

repeats_judged as (

    select
        _file, _record,
        duplicate_reason(
            min(record_text) over same_key, max(record_text) over same_key,
            row_number() over (same_key order by _file, _record)
        ) as repeat_reason,
    from records_cleaned
    where unfit_reason is null and ageb_code in (
        select ageb_code
        from records_cleaned
        where unfit_reason is null
        group by ageb_code
        having count(*) > 1
    )
    window same_key as (partition by ageb_code)

),

records_judged as (

    select
        ageb_code,
        left(ageb_code, 9) as locality_code, locality_name,
        left(ageb_code, 5) as municipality_code, municipality_name,
        population_count, marginalization_grade,
        marginalization_index, marginalization_normalized_index,
        not_attending_6_14_pct, no_basic_education_pct, no_health_service_pct,
        no_drainage_pct, no_electricity_pct, no_piped_water_pct, dirt_floor_pct, overcrowded_pct,
        no_refrigerator_pct, no_internet_pct, no_cellphone_pct,
        _file, _record,
        coalesce(unfit_reason, repeat_reason) as _set_aside,
    from records_cleaned
    left join repeats_judged using (_file, _record)

)

select * from records_judged

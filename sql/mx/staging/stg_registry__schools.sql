-- One row per school and shift of the register (formato 911).

with

records_cleaned as (

    select
        cct_key(registry.cct) as cct,
        registry.cct as cct_cell,
        shift_or_unknown(shifts.shift, registry.shift) as shift,
        fold_text(registry.name) as school_name,
        left(cct_clean(registry.cct), 2) as state_code,
        registry.municipality_code as municipality_cell,
        fold_text(registry.municipality_name) as municipality_name,
        registry.locality_code as locality_cell,
        fold_text(registry.locality_name) as locality_name,
        fold_word(registry.supervision_zone) as supervision_zone,
        levels.level,
        controls.control,
        if(controls.control = 'PRIVATE', 'PRIVATE', types.type) as type,
        clean_count(pupils_grade_1) as pupils_grade_1_count,
        clean_count(pupils_grade_2) as pupils_grade_2_count,
        clean_count(pupils_grade_3) as pupils_grade_3_count,
        clean_count(pupils_grade_4) as pupils_grade_4_count,
        clean_count(pupils_grade_5) as pupils_grade_5_count,
        clean_count(pupils_grade_6) as pupils_grade_6_count,
        clean_count(pupils_men) as pupils_men_count,
        clean_count(pupils_women) as pupils_women_count,
        clean_count(pupils_total) as pupils_count,
        pupils_total as pupils_cell,
        clean_count(teachers) as teachers_count,
        teachers as teachers_cell,
        clean_count(groups) as groups_count,
        groups as groups_cell,
        concat_ws(
            '|', name, registry.municipality_code, registry.locality_code, program,
            registry.control, registry.level, pupils_grade_1, pupils_grade_2,
            pupils_grade_3, pupils_grade_4, pupils_grade_5, pupils_grade_6, pupils_men,
            pupils_women, pupils_total, teachers, groups
        ) as record_text,
        case
            when cct_clean(registry.cct) is null then 'INVALID_CCT'
            when levels.level is null then 'UNKNOWN_LEVEL'
        end as unfit_reason,
        _file, _record,
    from raw.registry as registry
    left join reference.shifts on shifts.word = fold_word(registry.shift)
    left join reference.levels on levels.word = fold_word(registry.level)
    left join reference.types on types.word = fold_word(registry.program)
    left join reference.controls on controls.word = fold_word(registry.control)

),

repeats_judged as (

    select
        _file, _record,
        duplicate_reason(
            min(record_text) over same_key, max(record_text) over same_key,
            row_number() over (same_key order by _file, _record)
        ) as repeat_reason,
    from records_cleaned
    where unfit_reason is null and (cct, shift) in (
        select (cct, shift)
        from records_cleaned
        where unfit_reason is null
        group by cct, shift
        having count(*) > 1
    )
    window same_key as (partition by cct, shift)

),

records_judged as (

    select
        cct, shift, school_name, state_code,
        municipality_key(state_code, municipality_cell) as municipality_code,
        municipality_name,
        locality_key(municipality_code, locality_cell) as locality_code, locality_name,
        supervision_zone, level, type, control,
        pupils_grade_1_count, pupils_grade_2_count, pupils_grade_3_count,
        pupils_grade_4_count, pupils_grade_5_count, pupils_grade_6_count,
        pupils_men_count, pupils_women_count,
        pupils_count, reason_unless(pupils_count, pupils_cell) as pupils_reason,
        teachers_count, reason_unless(teachers_count, teachers_cell) as teachers_reason,
        groups_count, reason_unless(groups_count, groups_cell) as groups_reason,
        key_flags(cct, cct_cell, shift) as flags,
        _file, _record,
        coalesce(unfit_reason, repeat_reason) as _set_aside,
    from records_cleaned
    left join repeats_judged using (_file, _record)

)

select * from records_judged

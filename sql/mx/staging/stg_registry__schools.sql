-- One row per school and shift of the register (formato 911), primary and secondary.

with

records_read as (

    select
        cct_key(registry.cct) as cct,
        shift_or_unknown(shifts.shift, registry.shift) as shift,
        fold_text(registry.name) as school_name,
        left(cct_clean(registry.cct), 2) as state_code,
        municipality_key(state_code, registry.municipality_code) as municipality_key,
        fold_text(registry.municipality_name) as municipality_title,
        locality_key(
            state_code, registry.municipality_code, registry.locality_code
        ) as locality_key,
        fold_text(registry.locality_name) as locality_title,
        levels.level as level_found,
        controls.control as control_found,
        if(control_found = 'PRIVATE', 'PRIVATE', types.type) as type,
        clean_count(pupils_grade_1) as pupils_grade_1_count,
        clean_count(pupils_grade_2) as pupils_grade_2_count,
        clean_count(pupils_grade_3) as pupils_grade_3_count,
        clean_count(pupils_grade_4) as pupils_grade_4_count,
        clean_count(pupils_grade_5) as pupils_grade_5_count,
        clean_count(pupils_grade_6) as pupils_grade_6_count,
        clean_count(pupils_men) as pupils_men_count,
        clean_count(pupils_women) as pupils_women_count,
        clean_count(pupils_total) as pupils_count,
        reason_unless(pupils_count, pupils_total) as pupils_reason,
        clean_count(teachers) as teachers_count,
        reason_unless(teachers_count, teachers) as teachers_reason,
        clean_count(groups) as groups_count,
        reason_unless(groups_count, groups) as groups_reason,
        school_flags(registry.cct, shifts.shift, registry.shift) as flags,
        concat_ws(
            '|', name, registry.municipality_code, registry.locality_code, program,
            registry.control, registry.level, pupils_grade_1, pupils_grade_2,
            pupils_grade_3, pupils_grade_4, pupils_grade_5, pupils_grade_6, pupils_men,
            pupils_women, pupils_total, teachers, groups
        ) as record_text,
        case
            when state_code is null then 'INVALID_CCT'
            when level_found is null then 'UNKNOWN_LEVEL'
            when not levels.is_in_scope then 'OUT_OF_SCOPE_LEVEL'
        end as unfit_reason,
        _file, _record,
    from raw.registry as registry
    left join reference.shifts on shifts.word = fold_word(registry.shift)
    left join reference.levels on levels.word = fold_word(registry.level)
    left join reference.types on types.word = fold_word(registry.program)
    left join reference.controls on controls.word = fold_word(registry.control)

),

records_judged as (

    select
        cct, shift, school_name, state_code,
        municipality_key as municipality_code, municipality_title as municipality_name,
        locality_key as locality_code, locality_title as locality_name,
        level_found as level, type, control_found as control,
        pupils_grade_1_count, pupils_grade_2_count, pupils_grade_3_count,
        pupils_grade_4_count, pupils_grade_5_count, pupils_grade_6_count,
        pupils_men_count, pupils_women_count, pupils_count, pupils_reason,
        teachers_count, teachers_reason, groups_count, groups_reason, flags,
        _file, _record,
        duplicate_or(
            unfit_reason,
            min(record_text) over same_key, max(record_text) over same_key,
            row_number() over (same_key order by _file, _record)
        ) as _set_aside,
    from records_read
    window same_key as (partition by unfit_reason is null, cct, shift)

)

select * from records_judged

-- One row per school, shift and year of PLANEA, in primary and secondary.

with

records_read as (

    select
        cct_key(results.cct) as cct,
        shift_or_unknown(shifts.shift, results.shift) as shift,
        clean_count(results.year) as test_year,
        levels.level as level_found,
        planea_grades.grade as grade,
        fold_text(results.name) as school_name,
        left(cct_clean(results.cct), 2) as state_code,
        clean_count(programmed) as programmed_count,
        clean_count(language_tested) as language_tested_count,
        clean_count(maths_tested) as maths_tested_count,
        percent_as_share(language_level_1) as language_level_1_share,
        percent_as_share(language_level_2) as language_level_2_share,
        percent_as_share(language_level_3) as language_level_3_share,
        percent_as_share(language_level_4) as language_level_4_share,
        reason_unless(language_level_1_share, language_level_1) as language_reason,
        percent_as_share(maths_level_1) as maths_level_1_share,
        percent_as_share(maths_level_2) as maths_level_2_share,
        percent_as_share(maths_level_3) as maths_level_3_share,
        percent_as_share(maths_level_4) as maths_level_4_share,
        reason_unless(maths_level_1_share, maths_level_1) as maths_reason,
        school_flags(results.cct, shifts.shift, results.shift) as flags,
        concat_ws(
            '|', name, results.level, programmed, language_tested, maths_tested,
            language_level_1, language_level_2, language_level_3, language_level_4,
            maths_level_1, maths_level_2, maths_level_3, maths_level_4
        ) as record_text,
        case
            when state_code is null then 'INVALID_CCT'
            when test_year is null or test_year not between 2000 and 2100
                then 'INVALID_YEAR'
            when level_found is null then 'UNKNOWN_LEVEL'
            when not levels.is_in_scope then 'OUT_OF_SCOPE_LEVEL'
        end as unfit_reason,
        _file, _record,
    from raw.planea as results
    left join reference.shifts on shifts.word = fold_word(results.shift)
    left join reference.levels on levels.word = fold_word(results.level)
    left join reference.planea_grades on planea_grades.level = levels.level

),

records_judged as (

    select
        cct, shift, test_year as year, level_found as level, grade, school_name,
        state_code,
        programmed_count, language_tested_count, maths_tested_count,
        language_level_1_share, language_level_2_share, language_level_3_share,
        language_level_4_share, language_reason,
        maths_level_1_share, maths_level_2_share, maths_level_3_share,
        maths_level_4_share, maths_reason, flags,
        _file, _record,
        duplicate_or(
            unfit_reason,
            min(record_text) over same_key, max(record_text) over same_key,
            row_number() over (same_key order by _file, _record)
        ) as _set_aside,
    from records_read
    window same_key as (partition by unfit_reason is null, cct, shift, test_year)

)

select * from records_judged

-- One row per school, shift and year of PLANEA, in primary and secondary.

with

records_cleaned as (

    select
        cct_key(results.cct) as cct,
        results.cct as cct_cell,
        shift_or_unknown(shifts.shift, results.shift) as shift,
        clean_count(results.year) as year,
        levels.level,
        planea_grades.grade,
        fold_text(results.name) as school_name,
        left(cct_clean(results.cct), 2) as state_code,
        clean_count(programmed) as programmed_count,
        clean_count(language_tested) as language_tested_count,
        clean_count(maths_tested) as maths_tested_count,
        percent_as_share(language_level_1) as language_level_1_share,
        percent_as_share(language_level_2) as language_level_2_share,
        percent_as_share(language_level_3) as language_level_3_share,
        percent_as_share(language_level_4) as language_level_4_share,
        language_level_1 as language_cell,
        percent_as_share(maths_level_1) as maths_level_1_share,
        percent_as_share(maths_level_2) as maths_level_2_share,
        percent_as_share(maths_level_3) as maths_level_3_share,
        percent_as_share(maths_level_4) as maths_level_4_share,
        maths_level_1 as maths_cell,
        concat_ws(
            '|', name, results.level, programmed, language_tested, maths_tested,
            language_level_1, language_level_2, language_level_3, language_level_4,
            maths_level_1, maths_level_2, maths_level_3, maths_level_4
        ) as record_text,
        case
            when cct_clean(results.cct) is null then 'INVALID_CCT'
            when (clean_count(results.year) between 2000 and 2100) is not true
                then 'INVALID_YEAR'
            when levels.level is null then 'UNKNOWN_LEVEL'
            when planea_grades.grade is null then 'OUT_OF_SCOPE_LEVEL'
        end as unfit_reason,
        _file, _record,
    from raw.planea as results
    left join reference.shifts on shifts.word = fold_word(results.shift)
    left join reference.levels on levels.word = fold_word(results.level)
    left join reference.planea_grades on planea_grades.level = levels.level

),

repeats_judged as (

    select
        _file, _record,
        duplicate_reason(
            min(record_text) over same_key, max(record_text) over same_key,
            row_number() over (same_key order by _file, _record)
        ) as repeat_reason,
    from records_cleaned
    where unfit_reason is null and (cct, shift, year) in (
        select (cct, shift, year)
        from records_cleaned
        where unfit_reason is null
        group by cct, shift, year
        having count(*) > 1
    )
    window same_key as (partition by cct, shift, year)

),

records_judged as (

    select
        cct, shift, year, level, grade, school_name, state_code,
        programmed_count, language_tested_count, maths_tested_count,
        language_level_1_share, language_level_2_share, language_level_3_share,
        language_level_4_share,
        reason_unless(language_level_1_share, language_cell) as language_reason,
        maths_level_1_share, maths_level_2_share, maths_level_3_share,
        maths_level_4_share,
        reason_unless(maths_level_1_share, maths_cell) as maths_reason,
        key_flags(cct, cct_cell, shift) as flags,
        _file, _record,
        coalesce(unfit_reason, repeat_reason) as _set_aside,
    from records_cleaned
    left join repeats_judged using (_file, _record)

)

select * from records_judged

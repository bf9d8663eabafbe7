-- One row per school and shift of ENLACE 2012, primary: the results of grade 6.

with

records_cleaned as (

    select
        cct_key(results.cct) as cct,
        results.cct as cct_cell,
        shift_or_unknown(shifts.shift, results.shift) as shift,
        fold_text(results.name) as school_name,
        left(cct_clean(results.cct), 2) as state_code,
        results.municipality_code as municipality_cell,
        fold_text(results.municipality_name) as municipality_name,
        results.locality_code as locality_cell,
        fold_text(results.locality_name) as locality_name,
        types.type,
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
        clean_count(tested) as tested_count,
        tested as tested_cell,
        clean_count(unreliable) as unreliable_count,
        concat_ws(
            '|', name, results.type, results.municipality_code, results.locality_code,
            language_level_1, language_level_2, language_level_3, language_level_4,
            maths_level_1, maths_level_2, maths_level_3, maths_level_4,
            unreliable, tested
        ) as record_text,
        if(cct_clean(results.cct) is null, 'INVALID_CCT', null) as unfit_reason,
        _file, _record,
    from raw.enlace_primary as results
    left join reference.shifts on shifts.word = fold_word(results.shift)
    left join reference.types on types.word = fold_word(results.type)

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
        type,
        language_level_1_share, language_level_2_share, language_level_3_share,
        language_level_4_share,
        reason_unless(language_level_1_share, language_cell) as language_reason,
        maths_level_1_share, maths_level_2_share, maths_level_3_share,
        maths_level_4_share,
        reason_unless(maths_level_1_share, maths_cell) as maths_reason,
        tested_count, reason_unless(tested_count, tested_cell) as tested_reason,
        unreliable_count,
        key_flags(cct, cct_cell, shift) as flags,
        _file, _record,
        coalesce(unfit_reason, repeat_reason) as _set_aside,
    from records_cleaned
    left join repeats_judged using (_file, _record)

)

select * from records_judged

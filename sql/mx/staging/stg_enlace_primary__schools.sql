-- One row per school and shift of ENLACE 2012, primary: the results of grade 6.

with

records_read as (

    select
        cct_key(results.cct) as cct,
        shift_or_unknown(shifts.shift, results.shift) as shift,
        fold_text(results.name) as school_name,
        left(cct_clean(results.cct), 2) as state_key,
        municipality_key(state_key, results.municipality_code) as municipality_key,
        fold_text(results.municipality_name) as municipality_title,
        locality_key(
            state_key, results.municipality_code, results.locality_code
        ) as locality_key,
        fold_text(results.locality_name) as locality_title,
        types.type as type_found,
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
        clean_count(unreliable) as unreliable_count,
        clean_count(tested) as tested_count,
        reason_unless(tested_count, tested) as tested_reason,
        school_flags(results.cct, shifts.shift, results.shift) as flags,
        concat_ws(
            '|', name, results.type, results.municipality_code, results.locality_code,
            language_level_1, language_level_2, language_level_3, language_level_4,
            maths_level_1, maths_level_2, maths_level_3, maths_level_4,
            unreliable, tested
        ) as record_text,
        if(state_key is null, 'INVALID_CCT', null) as unfit_reason,
        _file, _record,
    from raw.enlace_primary as results
    left join reference.shifts on shifts.word = fold_word(results.shift)
    left join reference.types on types.word = fold_word(results.type)

),

records_judged as (

    select
        cct, shift, school_name, state_key as state_code,
        municipality_key as municipality_code, municipality_title as municipality_name,
        locality_key as locality_code, locality_title as locality_name,
        type_found as type,
        language_level_1_share, language_level_2_share, language_level_3_share,
        language_level_4_share, language_reason,
        maths_level_1_share, maths_level_2_share, maths_level_3_share,
        maths_level_4_share, maths_reason,
        tested_count, tested_reason, unreliable_count, flags,
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

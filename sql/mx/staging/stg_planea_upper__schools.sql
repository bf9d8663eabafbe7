-- One row per school, shift and extension of PLANEA 2017 in upper secondary.

with

records_cleaned as (

    select
        cct_key(results.cct) as cct, results.cct as cct_cell,
        shift_or_unknown(shifts.shift, results.shift) as shift,
        coalesce(fold_text(results.extension), 'NONE') as extension_name,
        fold_text(results.name) as school_name,
        left(cct_clean(results.cct), 2) as state_key,
        fold_text(results.municipality_name) as municipality_title,
        fold_text(results.locality_name) as locality_title,
        fold_text(results.subsystem) as subsystem_title,
        controls.control as control_found, grades.grade as grade_found,
        fold_text(results.peer_group) as peer_title,
        clean_count(enrolled) as enrolled_count,
        clean_count(programmed) as programmed_count,
        clean_count(language_tested) as language_tested_count,
        clean_count(maths_tested) as maths_tested_count,
        yes_no(language_representative) = 1 as is_language_representative,
        yes_no(maths_representative) = 1 as is_maths_representative,
        percent_as_share(language_level_1) as language_level_1_share,
        percent_as_share(language_level_2) as language_level_2_share,
        percent_as_share(language_level_3) as language_level_3_share,
        percent_as_share(language_level_4) as language_level_4_share,
        if(
            starts_with(language_level_1, '#'), 'UNDEFINED',
            reason_unless(language_level_1_share, language_level_1)
        ) as language_reason,
        percent_as_share(maths_level_1) as maths_level_1_share,
        percent_as_share(maths_level_2) as maths_level_2_share,
        percent_as_share(maths_level_3) as maths_level_3_share,
        percent_as_share(maths_level_4) as maths_level_4_share,
        if(
            starts_with(maths_level_1, '#'), 'UNDEFINED',
            reason_unless(maths_level_1_share, maths_level_1)
        ) as maths_reason,
        percent_as_share(peers_language_level_1) as peers_language_level_1_share,
        percent_as_share(peers_maths_level_1) as peers_maths_level_1_share,
        concat_ws(
            '|', name, programmed, language_tested, maths_tested, language_level_1,
            language_level_2, language_level_3, language_level_4, maths_level_1,
            maths_level_2, maths_level_3, maths_level_4
        ) as record_text,
        if(state_key is null, 'INVALID_CCT', null) as unfit_reason, _file, _record,
    from raw.planea_upper as results
    left join reference.shifts on shifts.word = fold_word(results.shift)
    left join reference.controls on controls.word = fold_word(results.control)
    left join reference.marginalization_grades as grades
        on grades.word = fold_word(results.marginalization_grade)

),

records_judged as (

    select
        cct, shift, extension_name as extension, school_name, state_key as state_code,
        municipality_title as municipality_name, locality_title as locality_name,
        subsystem_title as subsystem, control_found as control,
        grade_found as marginalization_grade, peer_title as peer_group, enrolled_count,
        programmed_count, language_tested_count, maths_tested_count,
        is_language_representative, is_maths_representative, language_level_1_share,
        language_level_2_share, language_level_3_share, language_level_4_share,
        language_reason, maths_level_1_share, maths_level_2_share, maths_level_3_share,
        maths_level_4_share, maths_reason, peers_language_level_1_share,
        peers_maths_level_1_share, key_flags(cct, cct_cell, shift) as flags,
        _file, _record,
        coalesce(unfit_reason, duplicate_reason(
            min(record_text) over same_key, max(record_text) over same_key,
            row_number() over (same_key order by _file, _record)
        )) as _set_aside,
    from records_cleaned
    window same_key as (partition by unfit_reason is null, cct, shift, extension_name)

)

select * from records_judged

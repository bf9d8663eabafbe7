-- One row per school, shift, scale, year and level of a published test.

with

results_joined as (

    select
        ---------- ids
        links.cct, links.shift, links.scale, links.year, links.level,
        results.grade, links.source_shift, left(links.cct, 2) as state_code,

        ---------- measures
        results.level_1_share,
        if(results.level_1_share is null, results.language_reason, null)
            as level_1_reason,
        results.language_level_1_share, results.language_level_2_share,
        results.language_level_3_share, results.language_level_4_share,
        results.language_reason,
        results.maths_level_1_share, results.maths_level_2_share,
        results.maths_level_3_share, results.maths_level_4_share,
        results.maths_reason,
        results.programmed_count,
        known_or(results.programmed_count) as programmed_reason,
        results.language_tested_count,
        results.maths_tested_count,
        links.result_count,

        ---------- booleans
        scales.feeds_urgency as is_in_urgency,
        flags([
            if(results.subject_count = 1, 'ONE_SUBJECT', null),
            if(links.source_shift <> links.shift, 'SHIFT_SHARED', null),
        ]) as flags,
    from intermediate.int_learning_schools as links
    inner join intermediate.int_learning_results as results
        on
            results.cct = links.cct
            and results.shift = links.source_shift
            and results.scale = links.scale
            and results.year = links.year
            and results.level = links.level
    inner join method.scales on scales.scale = links.scale

)

select * from results_joined

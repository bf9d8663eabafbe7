-- One row per published result: on how many pupils it rests, and whether that is enough.

with

results_counted as (

    select
        cct, shift, scale, year, level,
        level_1_share, subject_count,
        least(
            if(language_level_1_share is null, null, language_tested_count),
            if(maths_level_1_share is null, null, maths_tested_count)
        ) as tested_count,
        share_of(tested_count, programmed_count) as participation,
    from intermediate.int_learning_results

),

results_judged as (

    select
        cct, shift, results_counted.scale, year, level,
        level_1_share, subject_count, tested_count, participation,
        coalesce(
            level_1_share is not null
            and (tested_count < min_tested or participation < min_participation),
            false
        ) as is_unreliable,
        level_1_share is not null and not is_unreliable as is_reliable,
        scales.feeds_urgency,
    from results_counted
    inner join method.scales on scales.scale = results_counted.scale
    cross join method.imputation

)

select * from results_judged

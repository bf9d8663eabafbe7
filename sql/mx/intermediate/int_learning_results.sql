-- One row per published result: school, shift as printed, scale, year and level.

with

results_stacked as (

    select
        cct, shift, 'PLANEA' as scale, year, level, grade,
        programmed_count, language_tested_count, maths_tested_count,
        language_level_1_share, language_level_2_share,
        language_level_3_share, language_level_4_share, language_reason,
        maths_level_1_share, maths_level_2_share,
        maths_level_3_share, maths_level_4_share, maths_reason,
    from staging.stg_planea__schools

    union all

    select
        cct, shift, scale, year, level, grade,
        programmed_count, language_tested_count, maths_tested_count,
        language_level_1_share, language_level_2_share,
        language_level_3_share, language_level_4_share, language_reason,
        maths_level_1_share, maths_level_2_share,
        maths_level_3_share, maths_level_4_share, maths_reason,
    from intermediate.int_upper_results
    inner join reference.assessments on assessments.source = 'planea_upper'

    union all

    select
        cct, shift, scale, year, level, grade,
        null, tested_count, tested_count,
        language_level_1_share, language_level_2_share,
        language_level_3_share, language_level_4_share, language_reason,
        maths_level_1_share, maths_level_2_share,
        maths_level_3_share, maths_level_4_share, maths_reason,
    from staging.stg_enlace_primary__schools
    inner join reference.assessments on assessments.source = 'enlace_primary'

    union all

    select
        cct, shift, scale, year, level, grade,
        null, tested_count, tested_count,
        language_level_1_share, language_level_2_share,
        language_level_3_share, language_level_4_share, language_reason,
        maths_level_1_share, maths_level_2_share,
        maths_level_3_share, maths_level_4_share, maths_reason,
    from staging.stg_enlace_secondary__schools
    inner join reference.assessments on assessments.source = 'enlace_secondary'

),

results_averaged as (

    select
        cct, shift, scale, year, level, grade,
        programmed_count, language_tested_count, maths_tested_count,
        language_level_1_share, language_level_2_share,
        language_level_3_share, language_level_4_share, language_reason,
        maths_level_1_share, maths_level_2_share,
        maths_level_3_share, maths_level_4_share, maths_reason,
        mean_of_known([language_level_1_share, maths_level_1_share], 1)
            as level_1_share,
        list_count([language_level_1_share, maths_level_1_share]) as subject_count,
    from results_stacked

)

select * from results_averaged

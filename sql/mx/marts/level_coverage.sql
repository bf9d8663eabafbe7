-- One row per level: whether its data suffice for the index, and by which figures.

with

levels_told as (

    select
        ---------- ids
        coverage.level,

        ---------- measures
        schools_count, registered_count, states_count, judged_count,
        learning_count, learning_share, conditions_count, conditions_share,
        shares_reason, min_schools, min_learning_share, min_conditions_share,

        ---------- words
        left_out_reason,
        words.text_es as left_out_es,
        words.text_en as left_out_en,

        ---------- booleans
        is_in_index,
    from intermediate.int_level_coverage as coverage
    left join method.coverage_words as words using (left_out_reason)

)

select * from levels_told

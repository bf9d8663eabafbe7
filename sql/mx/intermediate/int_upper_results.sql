-- One row per school and shift of PLANEA in upper secondary, with its extensions.
-- The register has one row for all of them, so their result is one too: a tested pupil counts once.

with

shares_pooled as (

    select
        cct, shift,
        first_known(school_name, extension_place) as school_name,
        first_known(control, extension_place) as control,
        first_known(municipality_name, extension_place) as municipality_name,
        first_known(locality_name, extension_place) as locality_name,
        sum_if_all_known(programmed_count) as programmed_count,
        sum_if_all_known(language_tested_count) as language_tested_count,
        sum_if_all_known(maths_tested_count) as maths_tested_count,
        pooled_share(language_level_1_share, language_tested_count)
            as language_level_1_share,
        pooled_share(language_level_2_share, language_tested_count)
            as language_level_2_share,
        pooled_share(language_level_3_share, language_tested_count)
            as language_level_3_share,
        pooled_share(language_level_4_share, language_tested_count)
            as language_level_4_share,
        min(language_reason) as worst_language_reason,
        pooled_share(maths_level_1_share, maths_tested_count) as maths_level_1_share,
        pooled_share(maths_level_2_share, maths_tested_count) as maths_level_2_share,
        pooled_share(maths_level_3_share, maths_tested_count) as maths_level_3_share,
        pooled_share(maths_level_4_share, maths_tested_count) as maths_level_4_share,
        min(maths_reason) as worst_maths_reason,
        count(*) as records_count,
        flags(list_append(
            flatten(list(flags order by extension)),
            if(bool_or(extension <> 'NONE'), 'EXTENSIONS_POOLED', null)
        )) as flags,
    from (
        select
            *,
            row_number() over (
                partition by cct, shift order by extension <> 'NONE', extension
            ) as extension_place,
        from staging.stg_planea_upper__schools
    ) as results
    group by all

),

reasons_told as (

    select
        cct, shift, school_name, control, municipality_name, locality_name,
        programmed_count, language_tested_count, maths_tested_count,
        language_level_1_share, language_level_2_share,
        language_level_3_share, language_level_4_share,
        if(language_level_1_share is null, coalesce(worst_language_reason, 'MISSING'), null)
            as language_reason,
        maths_level_1_share, maths_level_2_share,
        maths_level_3_share, maths_level_4_share,
        if(maths_level_1_share is null, coalesce(worst_maths_reason, 'MISSING'), null)
            as maths_reason,
        records_count, flags,
    from shares_pooled

)

select * from reasons_told

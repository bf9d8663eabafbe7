-- One row per school, shift and extension of PLANEA 2017 in upper secondary.

with

results_named as (

    select
        ---------- ids
        results.cct, results.shift, results.extension, results.state_code,

        ---------- words
        states.state_name, results.school_name,
        results.municipality_name, results.locality_name,
        results.subsystem, results.control,
        results.marginalization_grade, results.peer_group,

        ---------- measures
        results.enrolled_count, results.programmed_count,
        results.language_tested_count, results.maths_tested_count,
        results.language_level_1_share, results.language_level_2_share,
        results.language_level_3_share, results.language_level_4_share,
        results.language_reason,
        results.maths_level_1_share, results.maths_level_2_share,
        results.maths_level_3_share, results.maths_level_4_share,
        results.maths_reason,
        results.peers_language_level_1_share, results.peers_maths_level_1_share,

        ---------- booleans
        results.is_language_representative, results.is_maths_representative,
        results.flags,
    from staging.stg_planea_upper__schools as results
    inner join reference.states using (state_code)

)

select * from results_named

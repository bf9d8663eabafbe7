-- One row per school and shift: the smallest area around it that the index of marginalization knows, with its grade.

with

areas_matched as (

    select
        ---------- ids
        schools.cct, schools.shift, schools.state_code,
        schools.municipality_code, schools.locality_code, schools.ageb_code,

        ---------- measures
        match_level_of(
            agebs.ageb_code, localities.locality_code, municipalities.municipality_code
        ) as match_level,
        at_level(
            match_level, agebs.marginalization_grade,
            localities.marginalization_grade, municipalities.marginalization_grade
        ) as marginalization_grade,

        ---------- booleans
        coalesce(marginalization_grade in ('HIGH', 'VERY_HIGH'), false)
            as is_high_marginalization,
    from intermediate.int_schools_described as schools
    left join staging.stg_marginalization_ageb__agebs as agebs using (ageb_code)
    left join intermediate.int_marginalization_localities as localities
        on localities.locality_code = schools.locality_code
    left join staging.stg_marginalization__municipalities as municipalities
        on municipalities.municipality_code = schools.municipality_code

)

select * from areas_matched

-- One row per school and shift: the smallest area that the index of marginalization knows.

with

areas_matched as (

    select
        schools.cct, schools.shift, schools.state_code,
        schools.municipality_code, schools.locality_code, schools.ageb_code,
        match_level_of(
            agebs.ageb_code, localities.locality_code, municipalities.municipality_code
        ) as match_level,
        at_level(
            match_level, agebs.marginalization_grade,
            localities.marginalization_grade, municipalities.marginalization_grade
        ) as grade,
    from intermediate.int_schools_described as schools
    left join staging.stg_marginalization_ageb__agebs as agebs using (ageb_code)
    left join intermediate.int_marginalization_localities as localities
        on localities.locality_code = schools.locality_code
    left join staging.stg_marginalization__municipalities as municipalities
        on municipalities.municipality_code = schools.municipality_code

),

schools_graded as (

    select
        cct, shift, state_code, municipality_code, locality_code, ageb_code,
        match_level,
        grade as marginalization_grade,
        coalesce(grade in ('HIGH', 'VERY_HIGH'), false) as is_high_marginalization,
    from areas_matched

)

select * from schools_graded

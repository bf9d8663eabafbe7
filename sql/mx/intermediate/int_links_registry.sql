-- One row per school and shift of the register: which areas it could be linked to.

with

schools_linked as (

    select
        schools.cct, schools.shift, schools.state_code,
        schools.municipality_code, schools.locality_code, described.ageb_code,
        municipalities.municipality_code is not null as has_municipality,
        localities.locality_code is not null as has_locality,
        agebs.ageb_code is not null as has_ageb,
    from staging.stg_registry__schools as schools
    left join intermediate.int_schools_described as described using (cct, shift)
    left join staging.stg_marginalization__municipalities as municipalities
        on municipalities.municipality_code = schools.municipality_code
    left join staging.stg_census_localities__localities as localities
        on localities.locality_code = schools.locality_code
    left join staging.stg_census_ageb__agebs as agebs
        on agebs.ageb_code = described.ageb_code

)

select * from schools_linked

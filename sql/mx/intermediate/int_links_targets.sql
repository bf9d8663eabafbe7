-- One row per source that others are linked to, and state: how many records it has.

with

targets_stacked as (

    select 'registry' as source, left(cct, 2) as state_code
    from staging.stg_registry__schools

    union all

    select 'marginalization', left(municipality_code, 2)
    from staging.stg_marginalization__municipalities

    union all

    select 'census_localities', left(locality_code, 2)
    from staging.stg_census_localities__localities

    union all

    select 'census_ageb', left(ageb_code, 2)
    from staging.stg_census_ageb__agebs

    union all

    select 'marginalization_ageb', left(ageb_code, 2)
    from staging.stg_marginalization_ageb__agebs

    union all

    select 'ageb_polygons', left(ageb_code, 2)
    from staging.stg_ageb_polygons__agebs

),

targets_counted as (

    select source, state_code, count(*) as target_count,
    from targets_stacked
    group by all

)

select * from targets_counted

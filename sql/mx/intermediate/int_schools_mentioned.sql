-- One row per mention of a school and shift: source, school, shift and edition.

with

mentions_stacked as (

    select
        'registry' as source, cct, shift, 'UNDATED' as edition, school_name,
        level, type, control,
        municipality_code, municipality_name, locality_code, locality_name,
        cast(null as varchar) as ageb_code, cast(null as varchar) as ageb_route,
        cast(null as double) as latitude, cast(null as double) as longitude, flags,
    from staging.stg_registry__schools

    union all

    select
        'buildings', cct, shift, 'UNDATED', null,
        null, null, null,
        municipality_code, null, locality_code, null,
        ageb_code, if(ageb_code is null, null, 'GEO_AGEB'), null, null, flags,
    from staging.stg_buildings__schools

    union all

    select
        'planea', cct, shift, cast(year as varchar), school_name,
        level, null, null,
        null, null, null, null,
        null, null, null, null, flags,
    from staging.stg_planea__schools

    union all

    select
        'planea_upper', cct, shift, 'UNDATED', school_name,
        'UPPER_SECONDARY', null, control,
        null, municipality_name, null, locality_name,
        null, null, null, null, flags,
    from intermediate.int_upper_results

    union all

    select
        'enlace_primary', cct, shift, 'UNDATED', school_name,
        'PRIMARY', type, if(type = 'PRIVATE', 'PRIVATE', null),
        municipality_code, municipality_name, locality_code, locality_name,
        null, null, null, null, flags,
    from staging.stg_enlace_primary__schools

    union all

    select
        'enlace_secondary', cct, shift, 'UNDATED', school_name,
        'SECONDARY', type, if(type = 'PRIVATE', 'PRIVATE', null),
        municipality_code, municipality_name, locality_code, locality_name,
        null, null, null, null, flags,
    from staging.stg_enlace_secondary__schools

    union all

    select
        'school_coordinates', cct, 'UNKNOWN', 'UNDATED', null,
        null, null, null,
        left(ageb_code, 5), null, left(ageb_code, 9), null,
        ageb_code, ageb_route, latitude, longitude, flags,
    from intermediate.int_schools_polygons

)

select * from mentions_stacked

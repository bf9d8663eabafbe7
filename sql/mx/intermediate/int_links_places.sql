-- One row per school with coordinates, outline of an AGEB, and AGEB of the census: where it is.

with

places_stacked as (

    select
        'school_coordinates' as source, cct as record_key, state_code, ageb_code,
    from intermediate.int_schools_polygons

    union all

    select 'ageb_polygons', ageb_code, state_code, ageb_code,
    from staging.stg_ageb_polygons__agebs

    union all

    select 'census_ageb', ageb_code, left(ageb_code, 2), ageb_code,
    from staging.stg_census_ageb__agebs

),

places_linked as (

    select
        places.source,
        places.record_key,
        places.state_code,
        places.ageb_code,
        places.ageb_code is not null as has_ageb,
        census.ageb_code is not null as is_in_census,
        marginalization.ageb_code is not null as is_in_marginalization,
    from places_stacked as places
    left join staging.stg_census_ageb__agebs as census
        on census.ageb_code = places.ageb_code
    left join staging.stg_marginalization_ageb__agebs as marginalization
        on marginalization.ageb_code = places.ageb_code

)

select * from places_linked

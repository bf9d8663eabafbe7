-- One row per school and shift that any source names.

with

mentions_counted as (

    select
        cct,
        shift,
        count(*) as own_mention_count,
        bool_or(source = 'registry') as in_registry,
        bool_or(source in ('planea', 'planea_upper')) as in_planea,
        bool_or(source in ('enlace_primary', 'enlace_secondary')) as in_enlace,
        bool_or(source = 'buildings') as in_buildings,
        bool_or(source = 'school_coordinates') as in_coordinates,
    from intermediate.int_schools_mentioned
    group by all

),

shifts_compared as (

    select
        cct, shift, own_mention_count, in_registry, in_planea, in_enlace, in_buildings,
        in_coordinates,
        shift = 'UNKNOWN' as is_unknown,
        row_number() over (partition by cct order by shift = 'UNKNOWN', shift) as place,
        bool_or(shift <> 'UNKNOWN') over same_cct as has_known_shift,
        max(if(shift = 'UNKNOWN', own_mention_count, 0)) over same_cct as unknown_count,
        bool_or(shift = 'UNKNOWN' and in_registry) over same_cct as unknown_in_registry,
        bool_or(shift = 'UNKNOWN' and in_planea) over same_cct as unknown_in_planea,
        bool_or(shift = 'UNKNOWN' and in_enlace) over same_cct as unknown_in_enlace,
        bool_or(shift = 'UNKNOWN' and in_buildings) over same_cct
            as unknown_in_buildings,
        bool_or(shift = 'UNKNOWN' and in_coordinates) over same_cct
            as unknown_in_coordinates,
    from mentions_counted
    window same_cct as (partition by cct)

),

schools_kept as (

    select
        cct,
        shift,
        is_unknown or (place = 1 and not unknown_in_registry) as takes_unknown_shift,
        own_mention_count
        + if(takes_unknown_shift and not is_unknown, unknown_count, 0) as mention_count,
        in_registry as is_in_registry,
        in_planea or unknown_in_planea as is_in_planea,
        in_enlace or unknown_in_enlace as is_in_enlace,
        in_buildings or unknown_in_buildings as is_in_buildings,
        in_coordinates or unknown_in_coordinates as is_in_coordinates,
    from shifts_compared
    where not is_unknown or not has_known_shift or unknown_in_registry

)

select * from schools_kept

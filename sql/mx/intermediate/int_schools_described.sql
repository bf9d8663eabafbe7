-- One row per school and shift, with the words and places that its sources give it.

with

mentions_ranked as (

    select
        schools.cct, schools.shift,
        mentions.school_name, mentions.level, mentions.type, mentions.control,
        mentions.municipality_code, mentions.municipality_name,
        mentions.locality_code, mentions.locality_name,
        mentions.ageb_code, mentions.ageb_route,
        mentions.latitude, mentions.longitude, mentions.flags,
        row_number() over (
            partition by schools.cct, schools.shift
            order by
                source_ranks.source_rank, mentions.shift = 'UNKNOWN',
                mentions.edition desc
        ) as place,
        list_position(['GEO_EXACT', 'GEO_AGEB', 'GEO_NEAR'], mentions.ageb_route)
            as route_rank,
    from intermediate.int_schools_spine as schools
    inner join intermediate.int_schools_mentioned as mentions
        on mentions.cct = schools.cct
            and mentions.shift in (schools.shift, 'UNKNOWN')
    inner join reference.source_ranks on source_ranks.source = mentions.source

),

mentions_merged as (

    select
        cct, shift,
        first_known(school_name, place) as school_name,
        first_known(level, place) as level,
        first_known(type, place) as type,
        first_known(control, place) as control,
        first_known(municipality_code, place) as municipality_code,
        first_known(municipality_name, place) as municipality_name,
        first_known(locality_code, place) as locality_code,
        first_known(locality_name, place) as locality_name,
        first_known(ageb_code, [route_rank, place]) as ageb_code,
        first_known(ageb_route, [route_rank, place]) as ageb_route,
        first_known(latitude, place) as latitude,
        first_known(longitude, place) as longitude,
        flatten(list(flags order by place)) as key_flags,
    from mentions_ranked
    group by all

),

schools_completed as (

    select
        mentions_merged.cct, mentions_merged.shift, mentions_merged.school_name,
        left(mentions_merged.cct, 2) as state_code,
        mentions_merged.municipality_code, mentions_merged.municipality_name,
        mentions_merged.locality_code, mentions_merged.locality_name,
        mentions_merged.ageb_code, mentions_merged.ageb_route,
        mentions_merged.latitude, mentions_merged.longitude,
        coalesce(mentions_merged.level, cct_identifiers.level) as level,
        coalesce(
            mentions_merged.type, nullif(cct_classes.type, ''), cct_identifiers.type
        ) as type,
        coalesce(mentions_merged.control, cct_classes.control) as control,
        flags(list_append(
            mentions_merged.key_flags,
            case
                when left(ageb_code, 5) <> municipality_code then 'GEO_CONFLICT'
            end
        )) as flags,
    from mentions_merged
    left join reference.cct_identifiers
        on cct_identifiers.identifier = substr(mentions_merged.cct, 4, 2)
    left join reference.cct_classes
        on cct_classes.class_letter = substr(mentions_merged.cct, 3, 1)

)

select * from schools_completed

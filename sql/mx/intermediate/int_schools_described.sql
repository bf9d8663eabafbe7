-- One row per school and shift, with the words and places that its sources give it.

with

mention_ranks as (

    select
        source, shift_is_unknown, edition,
        row_number() over (
            order by source_rank, shift_is_unknown, edition desc, source
        ) as place,
    from (
        select distinct source, edition, shift = 'UNKNOWN' as shift_is_unknown,
        from intermediate.int_schools_mentioned
    ) as found
    inner join reference.source_ranks using (source)

),

mentions_ranked as (

    select
        schools.cct, schools.shift, school_name, level, type, control,
        municipality_code, municipality_name, locality_code, locality_name,
        ageb_code, ageb_route, latitude, longitude, place,
        1000 * list_position(['GEO_EXACT', 'GEO_AGEB', 'GEO_NEAR'], ageb_route) + place
            as route_place,
    from intermediate.int_schools_spine as schools
    inner join intermediate.int_schools_mentioned as mentions
        on mentions.cct = schools.cct
            and mentions.shift in (schools.shift, 'UNKNOWN')
    inner join mention_ranks
        on mention_ranks.source = mentions.source
            and mention_ranks.edition = mentions.edition
            and mention_ranks.shift_is_unknown = (mentions.shift = 'UNKNOWN')

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
        first_known(ageb_code, route_place) as ageb_code,
        first_known(ageb_route, route_place) as ageb_route,
        first_known(latitude, place) as latitude,
        first_known(longitude, place) as longitude,
    from mentions_ranked
    group by all

),

flags_united as (

    select
        schools.cct, schools.shift,
        flatten(list(
            mentions.flags order by mentions.source, mentions.shift, mentions.edition
        )) as key_flags,
    from intermediate.int_schools_spine as schools
    inner join intermediate.int_schools_mentioned as mentions
        on mentions.cct = schools.cct
            and mentions.shift in (schools.shift, 'UNKNOWN')
    where len(mentions.flags) > 0
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
            flags_united.key_flags,
            case
                when left(ageb_code, 5) <> municipality_code then 'GEO_CONFLICT'
            end
        )) as flags,
    from mentions_merged
    left join flags_united using (cct, shift)
    left join reference.cct_identifiers
        on cct_identifiers.identifier = substr(mentions_merged.cct, 4, 2)
    left join reference.cct_classes
        on cct_classes.class_letter = substr(mentions_merged.cct, 3, 1)

)

select * from schools_completed

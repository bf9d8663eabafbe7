-- One row per state, level and supervision zone: its schools, their profiles, what is known.

with

zones_named as (

    select
        areas.state_code,
        split_part(areas.area_code, ' ', 1) as level,
        substr(areas.area_code, instr(areas.area_code, ' ') + 1) as supervision_zone,
        states.state_name,
        areas.* exclude (
            area_kind, state_code, area_code, area_name, counted_schools_count
        ),
    from marts.areas as areas
    left join reference.states on states.state_code = areas.state_code
    where areas.area_kind = 'SUPERVISION_ZONE'

)

select * from zones_named

-- One row per state: its schools, their profiles, what is known of them.

with

states_named as (

    select
        areas.state_code, states.state_name,
        areas.* exclude (
            area_kind, state_code, area_code, area_name, counted_schools_count
        ),
    from marts.areas as areas
    left join reference.states on states.state_code = areas.state_code
    where areas.area_kind = 'STATE'

)

select * from states_named

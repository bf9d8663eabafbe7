-- One row per state and municipality: its schools, their profiles, what is known of them.

with

municipalities_named as (

    select
        areas.state_code, areas.area_code as municipality_code,
        states.state_name, areas.area_name as municipality_name,
        areas.* exclude (
            area_kind, state_code, area_code, area_name, counted_schools_count
        ),
    from marts.areas as areas
    left join reference.states on states.state_code = areas.state_code
    where areas.area_kind = 'MUNICIPALITY'

)

select * from municipalities_named

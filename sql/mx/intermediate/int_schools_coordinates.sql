-- One row per school with coordinates: whether its point lies in the state of its key.

with

points_measured as (

    select
        points.cct, points.state_code, points.latitude, points.longitude,
        points.coordinates_reason, points.flags,
        is_inside(longitude, latitude, states.edges) as is_in_state,
        case
            when is_in_state then 0
            else metres_to_edges(longitude, latitude, states.edges)
        end as metres_outside_state,
    from staging.stg_school_coordinates__schools as points
    left join staging.stg_state_polygons__states as states using (state_code)

),

points_judged as (

    select
        cct,
        state_code,
        latitude,
        longitude,
        coordinates_reason,
        metres_outside_state,
        latitude is not null
        and coalesce(metres_outside_state <= state_metres, true) as is_placed,
        flags(list_append(
            points_measured.flags,
            if(metres_outside_state > state_metres, 'GEO_OUTSIDE_STATE', null)
        )) as flags,
    from points_measured
    cross join method.geography

)

select * from points_judged

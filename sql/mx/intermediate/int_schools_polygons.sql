-- One row per school with coordinates: the urban AGEB that its point lies in, or the nearest.

with

agebs_widened as (

    select
        agebs.ageb_code, agebs.state_code, agebs.edges,
        near_metres / metres_per_degree() as margin,
        margin / cos(radians(geography.latitude_max)) as wide_margin,
        agebs.longitude_min - wide_margin as west,
        agebs.longitude_max + wide_margin as east,
        agebs.latitude_min - margin as south, agebs.latitude_max + margin as north,
        grid_cells(south, north, grid_degrees) as row_cells,
        unnest(grid_cells(west, east, grid_degrees)) as column_cell,
    from staging.stg_ageb_polygons__agebs as agebs
    cross join method.geography

),

agebs_gridded as (

    select
        ageb_code, state_code, edges, west, east, south, north, column_cell,
        unnest(row_cells) as row_cell,
    from agebs_widened

),

points_gridded as (

    select
        cct, state_code, latitude, longitude, near_metres,
        grid_cell(longitude, grid_degrees) as column_cell,
        grid_cell(latitude, grid_degrees) as row_cell,
    from intermediate.int_schools_coordinates
    cross join method.geography
    where is_placed

),

agebs_measured as (

    select
        points.cct,
        agebs.ageb_code,
        is_inside(longitude, latitude, edges) as is_exact,
        case
            when is_exact then 0 else metres_to_edges(longitude, latitude, edges)
        end as metres,
    from points_gridded as points
    inner join agebs_gridded as agebs using (state_code, column_cell, row_cell)
    where longitude between west and east and latitude between south and north
        and (is_exact or metres <= near_metres)

),

agebs_ranked as (

    select
        cct, ageb_code, is_exact, metres,
        row_number() over (
            partition by cct order by is_exact desc, metres, ageb_code
        ) as place,
    from agebs_measured

),

points_placed as (

    select
        points.cct, points.state_code, points.latitude, points.longitude,
        points.coordinates_reason,
        agebs.ageb_code,
        if(agebs.is_exact, 'GEO_EXACT', if(agebs.is_exact is null, null, 'GEO_NEAR'))
            as ageb_route,
        agebs.metres as ageb_metres,
        points.is_placed, points.flags,
    from intermediate.int_schools_coordinates as points
    left join agebs_ranked as agebs on agebs.cct = points.cct and agebs.place = 1

)

select * from points_placed

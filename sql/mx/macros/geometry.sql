-- The rings of a GeoJSON polygon or multipolygon, outer rings and holes alike, as lists of [longitude, latitude]; NULL
-- when the text is neither.
create macro geojson_rings(geometry) as
    case json_extract_string(geometry, '$.type')
        when 'MultiPolygon'
            then flatten(try_cast(json_extract(geometry, '$.coordinates') as double[][][][]))
        when 'Polygon'
            then try_cast(json_extract(geometry, '$.coordinates') as double[][][])
    end;

-- One edge with its southern (of a level one its western) end first: an edge that two polygons share is the same in
-- both.
create macro edge_between(first_point, second_point) as
    if(
        [first_point[2], first_point[1]] <= [second_point[2], second_point[1]],
        {
            'west': first_point[1], 'south': first_point[2],
            'east': second_point[1], 'north': second_point[2],
        },
        {
            'west': second_point[1], 'south': second_point[2],
            'east': first_point[1], 'north': first_point[2],
        }
    );

-- Every edge of every ring of a GeoJSON polygon; a ring that is left open is closed. NULL when there is none.
create macro geojson_edges(geometry) as
    nullif(
        flatten(
            list_transform(
                geojson_rings(geometry),
                lambda ring: list_transform(
                    range(1, len(ring) + 1),
                    lambda place: edge_between(ring[place], ring[place % len(ring) + 1])
                )
            )
        ),
        []
    );

-- The bounding box of edges.
create macro edges_box(edges) as
    {
        'longitude_min': list_min(
            list_transform(edges, lambda edge: least(edge.west, edge.east))
        ),
        'longitude_max': list_max(
            list_transform(edges, lambda edge: greatest(edge.west, edge.east))
        ),
        'latitude_min': list_min(list_transform(edges, lambda edge: edge.south)),
        'latitude_max': list_max(list_transform(edges, lambda edge: edge.north)),
    };

-- Whether a line due east from a point meets an edge. With all edges of all rings, inside is where it meets an odd
-- number of them, holes and several parts included. The southern end belongs to an edge and the northern does not, and
-- a point on an edge is west of nothing: so a point on a border that two polygons share lies in exactly one of them.
create macro crosses_edge(longitude, latitude, edge) as
    edge.south <= latitude
    and latitude < edge.north
    and longitude
    < edge.west
    + (latitude - edge.south) / (edge.north - edge.south) * (edge.east - edge.west);

-- Metres in one degree of latitude, on a sphere of the earth's mean radius (6,371,008.8 m).
create macro metres_per_degree() as
    111195.0802335329;

-- The square of the distance from the origin to a segment that begins at (x, y) and goes (dx, dy) on: to its
-- beginning, its end, or the foot of the perpendicular.
create macro square_to_segment(x, y, dx, dy) as
    case
        when x * dx + y * dy >= 0 then x * x + y * y
        when (x + dx) * dx + (y + dy) * dy <= 0
            then (x + dx) * (x + dx) + (y + dy) * (y + dy)
        else (x * dy - y * dx) * (x * dy - y * dx) / (dx * dx + dy * dy)
    end;

-- Metres from a point to the nearest edge, equirectangular at the point's latitude: good for some kilometres.
create macro metres_to_edges(longitude, latitude, edges) as
    metres_per_degree() * sqrt(
        list_min(
            list_transform(
                [cos(radians(latitude))],
                lambda shrink: list_min(
                    list_transform(
                        edges,
                        lambda edge: square_to_segment(
                            (edge.west - longitude) * shrink, edge.south - latitude,
                            (edge.east - edge.west) * shrink, edge.north - edge.south
                        )
                    )
                )
            )
        )
    );

-- Whether a point lies inside the edges: a line due east from it meets an odd number of them.
create macro is_inside(longitude, latitude, edges) as
    len(list_filter(edges, lambda edge: crosses_edge(longitude, latitude, edge))) % 2 = 1;

-- The cells of a grid, `size` degrees wide, that a stretch of longitude or latitude touches.
create macro grid_cells(lowest, highest, size) as
    range(cast(floor(lowest / size) as bigint), cast(floor(highest / size) as bigint) + 1);

-- The cell of a grid that a longitude or latitude lies in.
create macro grid_cell(degrees, size) as
    cast(floor(degrees / size) as bigint);

-- The 9 digits of a census area above the AGEB: state, municipality (000 = all) and locality (0000 = all), zeros put
-- back; a text with hyphens when a part is unreadable.
create macro census_area(ent, mun, loc) as
    coalesce(
        pad_code(ent, 2) || pad_code(mun, 3) || pad_code(loc, 4),
        concat_ws('-', ent, mun, loc)
    );

-- Whether a row of the census by localities is a total: of a state or municipality, or of the masked localities in it.
create macro is_census_total(mun, loc) as
    coalesce(
        regexp_full_match(trim(mun), '0+') or regexp_full_match(trim(loc), '0+|9998|9999'),
        false
    );

-- Of a group's dwellings those that have a good, and all, over the members where both counts are known.
create macro known_goods(holders, dwellings) as
    {
        'holders': cast(sum(holders) filter (where dwellings is not null) as bigint),
        'dwellings': cast(sum(dwellings) filter (where holders is not null) as bigint),
    };

-- The share of dwellings that have each good, from a list of such pairs of counts.
create macro owning_shares(goods) as
    list_transform(goods, lambda good: clamp_unit(share_of(good.holders, good.dwellings)));

-- The same of a whole without its known parts, where `least` dwellings or more are left; parts that are NULL are none.
create macro rest_shares(whole, parts, least) as
    list_transform(
        range(1, len(whole) + 1),
        lambda place: case
            when whole[place].dwellings - coalesce(parts[place].dwellings, 0) >= least
                then clamp_unit(
                    share_of(
                        whole[place].holders - coalesce(parts[place].holders, 0),
                        whole[place].dwellings - coalesce(parts[place].dwellings, 0)
                    )
                )
        end
    );

-- The mean of what homes lack, from the shares that have each good, when at least `needed` are known.
create macro lacking_mean(shares, needed) as
    mean_of_known(list_transform(shares, lambda share: 1 - share), needed);

-- One row per outline of a state.

with

records_read as (

    select
        coalesce(pad_code(state_code, 2), fold_text(state_code)) as area_code,
        fold_text(state_name) as title,
        geojson_edges(geometry) as edges,
        edges_box(edges) as box,
        geometry as record_text,
        case
            when pad_code(state_code, 2) is null then 'INVALID_CODE'
            when edges is null then 'INVALID_GEOMETRY'
        end as unfit_reason,
        _file, _record,
    from raw.state_polygons

),

records_judged as (

    select
        area_code as state_code,
        title as state_name,
        box.longitude_min as longitude_min, box.longitude_max as longitude_max,
        box.latitude_min as latitude_min, box.latitude_max as latitude_max,
        edges,
        _file, _record,
        coalesce(
            unfit_reason,
            duplicate_reason(
                min(record_text) over same_key, max(record_text) over same_key,
                row_number() over (same_key order by _file, _record)
            )
        ) as _set_aside,
    from records_read
    window same_key as (partition by unfit_reason is null, area_code)

)

select * from records_judged

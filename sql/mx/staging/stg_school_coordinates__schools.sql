-- One row per school whose coordinates a source gives.

with

records_read as (

    select
        cct_key(cct) as school_key,
        clean_number(records.latitude) as latitude_read,
        clean_number(records.longitude) as longitude_read,
        latitude_read between latitude_min and latitude_max
        and longitude_read between longitude_min and longitude_max as is_right,
        longitude_read between latitude_min and latitude_max
        and latitude_read between longitude_min and longitude_max as is_swapped,
        coalesce(is_right or is_swapped, false) as is_usable,
        concat_ws('|', records.latitude, records.longitude) as record_text,
        if(cct_clean(cct) is null, 'INVALID_CCT', null) as unfit_reason,
        flags([
            cct_check_flag(school_key),
            cct_padded_flag(school_key, cct),
            if(is_swapped, 'GEO_SWAPPED', null),
            case
                when not is_usable and latitude_read + longitude_read is not null
                    then 'GEO_INVALID'
            end,
        ]) as flags,
        _file, _record,
    from raw.school_coordinates as records
    cross join method.geography

),

records_judged as (

    select
        school_key as cct,
        left(school_key, 2) as state_code,
        case
            when is_usable then if(is_swapped, longitude_read, latitude_read)
        end as latitude,
        case
            when is_usable then if(is_swapped, latitude_read, longitude_read)
        end as longitude,
        if(is_usable, null, 'MISSING') as coordinates_reason,
        flags,
        _file, _record,
        coalesce(
            unfit_reason,
            duplicate_reason(
                min(record_text) over same_key, max(record_text) over same_key,
                row_number() over (same_key order by _file, _record)
            )
        ) as _set_aside,
    from records_read
    window same_key as (partition by unfit_reason is null, school_key)

)

select * from records_judged

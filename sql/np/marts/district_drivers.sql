-- One row per district, level, school year and dimension: what it does to dissimilarity.

with

drivers as (

    select
        district_named(unit_id) as district_name,
        level_named(unit_id) as level,
        period as year_bs,
        dimension, dissimilarity, shapley, one_way, last_in,
    from intermediate.int_index_drivers

),

districts as (

    select
        district_name, level, year_bs, is_partial, is_missing,
        is_coverage_only and not is_missing as is_coverage_only,
        not is_coverage_only and not is_missing as is_open,
    from intermediate.int_district_coverage
    where variant = 'index'

),

limits as (select driver_share_above from method.equity),

drivers_published as (

    select
        ---------- ids
        drivers.district_name,
        drivers.level,
        drivers.year_bs,
        drivers.dimension,

        ---------- measures
        if(is_open, drivers.shapley, null) as shapley,
        if(is_open, drivers.one_way, null) as one_way,
        if(is_open, drivers.last_in, null) as last_in,
        if(is_open, drivers.dissimilarity, null) as dissimilarity,
        index_reason(drivers.dissimilarity, is_missing, is_coverage_only)
            as dissimilarity_reason,
        case
            when is_open and drivers.dissimilarity >= limits.driver_share_above
                then drivers.shapley / drivers.dissimilarity
        end as share,
        case
            when share is null
                then coalesce(
                    index_reason(drivers.dissimilarity, is_missing, is_coverage_only),
                    'UNDEFINED'
                )
        end as share_reason,
        flags([
            if(is_missing, 'MISSING', null),
            if(is_partial, 'PARTIAL', null),
            if(is_coverage_only, 'COVERAGE_ONLY', null),
        ]) as flags,
    from drivers
    inner join districts using (district_name, level, year_bs)
    cross join limits

)

select * from drivers_published

-- One row per district, census year and circumstance: the opportunity index, and its drivers.

with

drivers as (

    select
        unit_id, period, dimension, coverage, dissimilarity,
        shapley, one_way, last_in,
    from intermediate.int_census_drivers

),

limits as (select driver_share_above from method.equity),

drivers_published as (

    select
        ---------- ids
        drivers.unit_id as district_name,
        drivers.period as year_bs,
        drivers.dimension,

        ---------- measures
        if(coverage = 0, 0, coverage * (1 - drivers.dissimilarity)) as ei,
        drivers.coverage as c_bar,
        drivers.dissimilarity,
        case when drivers.dissimilarity is null then 'UNDEFINED' end
            as dissimilarity_reason,
        drivers.shapley,
        drivers.one_way,
        drivers.last_in,
        case
            when drivers.dissimilarity >= limits.driver_share_above
                then drivers.shapley / drivers.dissimilarity
        end as share,
        if(share is null, 'UNDEFINED', null) as share_reason,
        flags([
            'NO_UNCERTAINTY', if(coverage = 0, 'ALL_ZERO', null),
        ]) as flags,
    from drivers
    cross join limits

)

select * from drivers_published

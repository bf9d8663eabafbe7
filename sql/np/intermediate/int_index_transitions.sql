-- One row per district, level, school year, pool and grade with a transition.

with

pools as (

    select
        district_name, level, year_bs, dropped_count, grade,
        pool_gender, pool_caste, pool_location, pool_disability,
        at_risk_count,
        transition_rate(flow_pupils_count, at_risk_count, promoted_count) as transition,
    from intermediate.int_pool_flows
    where variant = 'index' and not is_last

),

pools_named as (

    select
        ---------- ids
        district_name,
        level,
        year_bs,
        dropped_count,
        grade,
        pool_gender,
        pool_caste,
        pool_location,
        pool_disability,

        ---------- what the transforms read
        district_level(district_name, level) as unit_id,
        year_bs as period,
        concat_ws('|', pool_gender, pool_caste, pool_location, pool_disability)
            as pool_id,
        at_risk_count as at_risk,
        transition,
        1::bigint as flow_count,
    from pools
    where transition is not null

)

select * from pools_named

-- One row per variant, district, level, school year, back-off step, pool and grade.

with

groups as (

    select
        variant,
        district_name,
        level,
        year_bs,
        grade,
        gender,
        caste,
        location,
        disability,
        is_entry,
        is_last,
        pupils_count,
        flow_pupils_count,
        at_risk_count,
        promoted_count,
        is_estimated,
    from intermediate.int_group_flows

),

steps as (

    select
        variant,
        dropped_count,
        drops_gender,
        drops_caste,
        drops_location,
        drops_disability,
    from intermediate.int_backoff_steps

),

groups_pooled as (

    select
        ---------- ids
        groups.variant,
        groups.district_name,
        groups.level,
        groups.year_bs,
        steps.dropped_count,
        groups.grade,
        if(steps.drops_gender, 'any', groups.gender) as pool_gender,
        if(steps.drops_caste, 'any', groups.caste) as pool_caste,
        if(steps.drops_location, 'any', groups.location) as pool_location,
        if(steps.drops_disability, 'any', groups.disability) as pool_disability,
        groups.is_entry,
        groups.is_last,

        ---------- measures
        steps.dropped_count = 0 as is_own,
        sum(groups.pupils_count)::bigint as pupils_count,
        sum(groups.flow_pupils_count)::bigint as flow_pupils_count,
        sum(groups.at_risk_count order by gender, caste, location, disability)
            as at_risk_count,
        sum(groups.promoted_count order by gender, caste, location, disability)
            as promoted_count,
        bool_or(groups.is_estimated) as is_estimated,
    from groups
    inner join steps using (variant)
    group by all

)

select * from groups_pooled

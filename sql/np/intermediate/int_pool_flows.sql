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
        concat_ws(chr(1), gender, caste, location, disability) as group_name,
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

-- The members of a pool are sorted once for both sums, which take them in that order.
pools as (

    select
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
        steps.dropped_count = 0 as is_own,
        sum(groups.pupils_count)::bigint as pupils_count,
        sum(groups.flow_pupils_count)::bigint as flow_pupils_count,
        list(
            struct_pack(at_risk := groups.at_risk_count, promoted := groups.promoted_count)
            order by group_name
        ) as members,
        bool_or(groups.is_estimated) as is_estimated,
    from groups
    inner join steps using (variant)
    group by all

),

pools_summed as (

    select
        ---------- ids
        variant, district_name, level, year_bs, dropped_count, grade,
        pool_gender, pool_caste, pool_location, pool_disability,
        is_entry,
        is_last,

        ---------- measures
        is_own,
        pupils_count,
        flow_pupils_count,
        list_sum(list_transform(members, lambda member: member.at_risk))
            as at_risk_count,
        list_sum(list_transform(members, lambda member: member.promoted))
            as promoted_count,
        is_estimated,
    from pools

)

select * from pools_summed

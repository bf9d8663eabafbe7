-- One row per variant, district, level, school year, back-off step and pool: its survival.

with

pools as (

    select
        variant, district_name, level, year_bs, dropped_count,
        pool_gender, pool_caste, pool_location, pool_disability,
        grade,
        is_entry,
        is_last,
        pupils_count,
        at_risk_count,
        case
            when not is_last
                then transition_rate(flow_pupils_count, at_risk_count, promoted_count)
        end as transition,
        is_estimated,
    from intermediate.int_pool_flows

),

levels as (select level, last_grade - first_grade as step_count from method.levels),

limits as (select min_n, min_at_risk from method.equity),

grades_multiplied as (

    select
        variant, district_name, level, year_bs, dropped_count,
        pool_gender, pool_caste, pool_location, pool_disability,
        count(*) as grade_count,
        sum(pupils_count)::bigint as pupils_count,
        (sum(pupils_count) filter (where is_entry))::bigint as entry_pupils_count,
        min(at_risk_count) filter (where not is_last) as min_at_risk_count,
        count(transition) as known_count,
        product(transition order by grade) as transition_product,
        sum(greenwood_term(transition, at_risk_count) order by grade) as greenwood_sum,
        bool_or(is_estimated) as is_estimated,
    from pools
    group by all

),

survival_judged as (

    select
        ---------- ids
        variant,
        district_name,
        level,
        year_bs,
        dropped_count,
        pool_gender,
        pool_caste,
        pool_location,
        pool_disability,

        ---------- measures
        grade_count,
        coalesce(pupils_count, 0) as pupils_count,
        coalesce(entry_pupils_count, 0) as entry_pupils_count,
        min_at_risk_count,
        if(known_count = step_count, transition_product, null) as survival,
        survival * sqrt(greenwood_sum) as survival_se,
        is_estimated,
        survival is null
            or coalesce(grades_multiplied.pupils_count, 0) < limits.min_n
            or min_at_risk_count < limits.min_at_risk as is_small,
    from grades_multiplied
    inner join levels using (level)
    cross join limits

)

select * from survival_judged

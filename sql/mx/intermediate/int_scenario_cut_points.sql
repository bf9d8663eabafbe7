-- One row per scenario and index: where the levels M and H begin.

with

scenarios_relative as (

    select distinct
        scenario, normalisation, cut_points, mnar_delta,
        learning_weight, household_weight, adults_weight,
        wash_weight, crowding_weight, epidemiology_weight,
    from intermediate.int_scenarios
    where cut_points <> 'anchored'

),

schools_averaged as (

    select
        scenario, cut_points, parts.normalisation, pupils_count,
        urgency_level, feasibility_level,
        moved_share(
            urgency_learning, learning_is_imputed, mnar_delta, learning_logit_spread
        ) as learning,
        equity_factor * scenario_mean(
            learning, urgency_household, urgency_adults,
            learning_weight, household_weight, adults_weight
        ) as mean_urgency,
        scenario_mean(
            feasibility_wash, feasibility_crowding, feasibility_epidemiology,
            wash_weight, crowding_weight, epidemiology_weight
        ) as mean_feasibility,
    from intermediate.int_scenario_parts as parts
    inner join scenarios_relative using (normalisation)
    cross join intermediate.int_learning_spread
    where profile is not null and pupils_count > 0

),

values_stacked as (

    select
        scenario, cut_points, pupils_count, 'urgency' as index_name,
        scenario_index(mean_urgency, normalisation) as value,
        urgency_level as nominal_level,
    from schools_averaged
    union all
    select
        scenario, cut_points, pupils_count, 'feasibility',
        scenario_index(mean_feasibility, normalisation),
        feasibility_level,
    from schools_averaged

),

values_placed as (

    select
        scenario, index_name, value,
        sum(sum(pupils_count)) over (partition by scenario, index_name order by value)
            as pupils_until,
        sum(sum(pupils_count)) over (partition by scenario, index_name) as pupils,
        sum(sum(if(nominal_level = 'L', pupils_count, 0)))
            over (partition by scenario, index_name) as low_pupils,
        sum(sum(if(nominal_level in ('L', 'M'), pupils_count, 0)))
            over (partition by scenario, index_name) as medium_pupils,
        if(cut_points = 'terciles', 3 * pupils_until >= pupils, pupils_until > low_pupils)
            as is_medium,
        if(
            cut_points = 'terciles',
            3 * pupils_until >= 2 * pupils, pupils_until > medium_pupils
        ) as is_high,
    from values_stacked
    group by scenario, cut_points, index_name, value

),

cuts_found as (

    select
        scenario, index_name,
        coalesce(min(value) filter (where is_medium), max(value) + 1) as medium_from,
        coalesce(min(value) filter (where is_high), max(value) + 1) as high_from,
    from values_placed
    group by scenario, index_name

),

scenarios_cut as (

    select
        scenarios.scenario,
        anchored.index_name,
        coalesce(found.medium_from, anchored.medium_from) as medium_from,
        coalesce(found.high_from, anchored.high_from) as high_from,
    from method.scenarios
    cross join method.cut_points as anchored
    left join cuts_found as found
        on found.scenario = scenarios.scenario
            and found.index_name = anchored.index_name

)

select * from scenarios_cut

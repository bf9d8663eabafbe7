-- One row per scenario and state: how many schools would change their profile.

with

scenarios_joined as (

    select
        scenarios.*,
        urgency.medium_from as urgency_from, urgency.high_from as urgency_high,
        feasibility.medium_from as feasibility_from,
        feasibility.high_from as feasibility_high,
        epidemiology.feasibility_epidemiology as scenario_epidemiology,
        epidemiology.is_vetoed as scenario_veto,
    from intermediate.int_scenarios as scenarios
    inner join intermediate.int_scenario_cut_points as urgency
        on urgency.scenario = scenarios.scenario and urgency.index_name = 'urgency'
    inner join intermediate.int_scenario_cut_points as feasibility
        on feasibility.scenario = scenarios.scenario
            and feasibility.index_name = 'feasibility'
    inner join intermediate.int_scenario_epidemiology as epidemiology
        on epidemiology.scenario = scenarios.scenario
            and epidemiology.state_code = scenarios.state_code

),

schools_averaged as (

    select
        scenario, state_code, profile as before, parts.normalisation,
        urgency_from, urgency_high, feasibility_from, feasibility_high,
        moved_share(
            urgency_learning, learning_is_imputed, mnar_delta, learning_logit_spread
        ) as learning,
        if(changes_epidemiology, scenario_epidemiology, feasibility_epidemiology)
            as epidemiology,
        if(changes_epidemiology, scenario_veto, is_vetoed) as has_veto,
        equity_factor * scenario_mean(
            learning, urgency_household, urgency_adults,
            learning_weight, household_weight, adults_weight
        ) as mean_urgency,
        scenario_mean(
            feasibility_wash, feasibility_crowding, epidemiology,
            wash_weight, crowding_weight, epidemiology_weight
        ) as mean_feasibility,
    from intermediate.int_scenario_parts as parts
    inner join scenarios_joined using (state_code, normalisation)
    cross join intermediate.int_learning_spread
    where profile is not null

),

schools_valued as (

    select
        * exclude (mean_urgency, mean_feasibility),
        scenario_index(mean_urgency, normalisation) as urgency,
        scenario_index(mean_feasibility, normalisation) as feasibility,
    from schools_averaged

),

schools_grouped as (

    select
        scenario, state_code, before,
        level_of(urgency, urgency_from, urgency_high) as urgency_level,
        if(has_veto, 'L', level_of(feasibility, feasibility_from, feasibility_high))
            as feasibility_level,
        count(*) as schools,
    from schools_valued
    group by all

),

changes_counted as (

    select
        scenario, state_code,
        cast(sum(schools) as bigint) as schools,
        sum(schools) filter (where profile is distinct from before) as changed,
        sum(schools) filter (where profile < before) as earlier,
        sum(schools) filter (where profile > before) as later,
    from schools_grouped
    left join method.profiles using (urgency_level, feasibility_level)
    group by scenario, state_code

),

scenarios_counted as (

    select
        scenarios.scenario, scenarios.state_code,
        coalesce(schools, 0) as schools_count,
        cast(coalesce(changed, 0) as bigint) as changed_count,
        cast(coalesce(earlier, 0) as bigint) as earlier_count,
        cast(coalesce(later, 0) as bigint) as later_count,
    from intermediate.int_scenarios as scenarios
    left join changes_counted as counted
        on counted.scenario = scenarios.scenario
            and counted.state_code = scenarios.state_code

)

select * from scenarios_counted

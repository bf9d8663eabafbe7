-- One row per scenario and state: every parameter of the index, as the scenario has it.

with

cut_points_joined as (

    select
        urgency.medium_from as urgency_medium_from,
        urgency.high_from as urgency_high_from,
        feasibility.medium_from as feasibility_medium_from,
        feasibility.high_from as feasibility_high_from,
    from method.cut_points as urgency
    inner join method.cut_points as feasibility
        on urgency.index_name = 'urgency' and feasibility.index_name = 'feasibility'

),

scenarios_filled as (

    select
        scenarios.scenario,
        states.state_code,
        coalesce(scenarios.learning_weight, urgency.learning_weight) as learning_weight,
        coalesce(scenarios.household_weight, urgency.household_weight)
            as household_weight,
        coalesce(scenarios.adults_weight, urgency.adults_weight) as adults_weight,
        coalesce(scenarios.wash_weight, feasibility.wash_weight) as wash_weight,
        coalesce(scenarios.crowding_weight, feasibility.crowding_weight)
            as crowding_weight,
        coalesce(scenarios.epidemiology_weight, feasibility.epidemiology_weight)
            as epidemiology_weight,
        scenarios.green_below_change,
        scenarios.red_from_change,
        green_below_change <> 0 or red_from_change <> 0 as changes_epidemiology,
        scenarios.normalisation,
        scenarios.cut_points,
        urgency_medium_from, urgency_high_from,
        feasibility_medium_from, feasibility_high_from,
        scenarios.mnar_delta,
    from method.scenarios
    cross join reference.states
    cross join method.urgency
    cross join method.feasibility
    cross join cut_points_joined

)

select * from scenarios_filled

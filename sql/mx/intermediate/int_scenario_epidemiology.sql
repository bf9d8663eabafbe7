-- One row per scenario and state: the state's epidemiology by the thresholds of the scenario.

with

states_classed as (

    select
        scenarios.scenario,
        scenarios.state_code,
        states.p_score,
        states.tercile,
        tercile_bonus,
        green_below + scenarios.green_below_change as green_limit,
        red_from + scenarios.red_from_change as red_limit,
        -- What is too old to judge by stays so under any threshold.
        if(
            states.epidemiology_class = 'UNKNOWN', 'UNKNOWN',
            epidemiology_class_of(
                states.p_score, states.p_score_low_floor, green_limit, red_limit
            )
        ) as class,
    from intermediate.int_scenarios as scenarios
    inner join intermediate.int_epidemiology_states as states using (state_code)
    cross join method.epidemiology

),

states_scored as (

    select
        scenario,
        state_code,
        epidemiology_score_of(
            class, p_score, tercile, green_limit, red_limit, tercile_bonus
        ) as feasibility_epidemiology,
        class = 'RED' as is_vetoed,
    from states_classed

)

select * from states_scored

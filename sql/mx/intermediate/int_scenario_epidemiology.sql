-- One row per scenario and state: the state's epidemiology by the thresholds of the scenario.

with

states_judged as (

    select
        scenario,
        state_code,
        cast(null as double) as feasibility_epidemiology,
        false as is_vetoed,
    from intermediate.int_scenarios

)

select * from states_judged

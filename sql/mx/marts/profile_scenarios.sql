-- One row per scenario and state or country: how many schools would change their profile.

with

states_stacked as (

    select scenario, state_code, schools_count, changed_count, earlier_count, later_count,
    from intermediate.int_scenario_states
    union all
    select
        scenarios.scenario, '00',
        cast(coalesce(sum(schools_count), 0) as bigint),
        cast(coalesce(sum(changed_count), 0) as bigint),
        cast(coalesce(sum(earlier_count), 0) as bigint),
        cast(coalesce(sum(later_count), 0) as bigint),
    from method.scenarios
    left join intermediate.int_scenario_states as counted
        on counted.scenario = scenarios.scenario
    group by scenarios.scenario

),

scenarios_described as (

    select
        ---------- ids
        counts.scenario,
        counts.state_code,
        states.state_name,
        scenarios.position,
        scenarios.title_es,
        scenarios.title_en,

        ---------- measures
        schools_count,
        changed_count,
        share_of(changed_count, schools_count) as changed_share,
        if(schools_count = 0, 'UNDEFINED', null) as changed_reason,
        earlier_count,
        later_count,
    from states_stacked as counts
    inner join method.scenarios on scenarios.scenario = counts.scenario
    left join reference.states on states.state_code = counts.state_code

)

select * from scenarios_described

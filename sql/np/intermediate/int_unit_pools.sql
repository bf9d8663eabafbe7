-- One row per unit, level, school year, number of pairs of years pooled, and grade.

with

flows as (

    select
        unit_level,
        unit_code,
        level,
        year_bs,
        grade,
        pupils_count,
        flow_pupils_count,
        repeaters_count,
        next_grade_pupils_count,
        promoted_count,
        at_risk_count,
        is_partial,
        is_missing,
        is_gap,
    from intermediate.int_unit_flows

),

pools as (

    select unnest(range(1, max_pooled_pairs + 1)) as pair_count from method.flows

),

flows_pooled as (

    select
        ---------- ids
        latest.unit_level,
        latest.unit_code,
        latest.level,
        latest.year_bs,
        pools.pair_count,
        latest.grade,

        ---------- measures
        pools.pair_count = 1 as is_single,
        known_sum(flows.pupils_count) as pupils_count,
        known_sum(flows.flow_pupils_count) as flow_pupils_count,
        known_sum(flows.repeaters_count) as repeaters_count,
        known_sum(flows.next_grade_pupils_count) as next_grade_pupils_count,
        known_sum(flows.promoted_count) as promoted_count,
        known_sum(flows.at_risk_count) as at_risk_count,
        bool_or(flows.is_partial) as is_partial,
        bool_or(flows.is_missing) as is_missing,
        bool_or(flows.is_gap) as is_gap,
    from flows as latest
    inner join pools on latest.unit_level <> 'district' or pools.pair_count = 1
    inner join flows
        on flows.unit_level = latest.unit_level
        and flows.unit_code = latest.unit_code
        and flows.level = latest.level
        and flows.grade = latest.grade
        and flows.year_bs <= latest.year_bs
        and flows.year_bs > latest.year_bs - pools.pair_count
    group by all
    having count(*) = pools.pair_count

)

select * from flows_pooled

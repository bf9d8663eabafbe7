-- One row per unit, level, school year and grade: promotion, repetition and dropout.

with

flows as (

    select
        unit_level,
        unit_code,
        level,
        year_bs,
        grade,
        pupils_count,
        repeaters_count,
        promoted_count,
        at_risk_count,
    from intermediate.int_unit_flows

),

rates as (

    select
        unit_level,
        unit_code,
        level,
        year_bs,
        grade,
        promotion_share,
        repetition_share,
        dropout_share,
        transition,
        flags,
    from intermediate.int_unit_transitions
    where pair_count = 1

),

flows_explained as (

    select
        ---------- ids
        flows.unit_level,
        flows.unit_code,
        flows.level,
        flows.year_bs,
        flows.grade,

        ---------- measures
        rates.transition,
        flags_reason(rates.flags, rates.transition) as transition_reason,
        rates.promotion_share,
        rates.repetition_share,
        rates.dropout_share,
        flows.pupils_count,
        flows.repeaters_count,
        flows.promoted_count,
        flows.at_risk_count,
        rates.flags,
    from flows
    inner join rates using (unit_level, unit_code, level, year_bs, grade)

)

select * from flows_explained

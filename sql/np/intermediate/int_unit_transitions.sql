-- One row per unit, level, school year, number of pairs pooled, and grade: its rates.

with

pools as (

    select
        unit_level,
        unit_code,
        level,
        year_bs,
        pair_count,
        grade,
        pupils_count,
        flow_pupils_count,
        repeaters_count,
        next_grade_pupils_count,
        promoted_count,
        at_risk_count,
        is_partial,
        case
            when is_missing then 'MISSING'
            when is_gap then 'GRADE_GAP'
            else transition_fault(flow_pupils_count, at_risk_count, promoted_count)
        end as fault,
        is_missing or is_gap as is_unknown,
    from intermediate.int_unit_pools

),

limits as (select high_transition from method.flows),

chances as (

    select
        ---------- ids
        unit_level,
        unit_code,
        level,
        year_bs,
        pair_count,
        grade,

        ---------- measures
        at_risk_count,
        case when not is_unknown then share_of(promoted_count, flow_pupils_count) end
            as promotion_share,
        case when not is_unknown then share_of(repeaters_count, flow_pupils_count) end
            as repetition_share,
        1 - promotion_share - repetition_share as dropout_share,
        case when fault is null then promoted_count / at_risk_count end as transition,
        case
            when not is_unknown then share_of(next_grade_pupils_count, pupils_count)
        end as apparent_transition,
        flags([
            fault,
            case when transition > 1 then 'S_GT1' end,
            case when transition > limits.high_transition then 'S_GT105' end,
            case when is_partial then 'PARTIAL' end,
        ]) as flags,
    from pools
    cross join limits

)

select * from chances

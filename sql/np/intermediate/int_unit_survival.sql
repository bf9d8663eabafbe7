-- One row per unit, level, school year and number of pairs pooled: its survival.

with

transitions as (

    select
        unit_level,
        unit_code,
        level,
        year_bs,
        pair_count,
        grade,
        at_risk_count,
        promotion_share,
        repetition_share,
        transition,
        apparent_transition,
        flags,
    from intermediate.int_unit_transitions

),

limits as (select max_repeats_total from method.flows),

grades_multiplied as (

    select
        unit_level,
        unit_code,
        level,
        year_bs,
        pair_count,
        count(*) as grade_count,
        min(at_risk_count) as min_at_risk_count,
        count(*) = count(transition) as is_known,
        product(transition order by grade) as survival,
        sum(greenwood_term(transition, at_risk_count) order by grade) as greenwood_sum,
        product(promotion_share order by grade) as promotion_product,
        list(repetition_share order by grade) as repetition_shares,
        case
            when count(*) = count(apparent_transition)
                then product(apparent_transition order by grade)
        end as apparent_survival,
        flatten(list(flags order by grade)) as flags,
    from transitions
    group by all

),

survival_measured as (

    select
        ---------- ids
        unit_level,
        unit_code,
        level,
        year_bs,
        pair_count,

        ---------- measures
        grade_count,
        min_at_risk_count,
        case when is_known then survival end as survival,
        case when is_known then survival * sqrt(greenwood_sum) end as survival_se,
        case when is_known then promotion_product end as survival_k0,
        survival_k0 * list_sum(repetition_ways(repetition_shares, max_repeats_total))
            as survival_k2,
        apparent_survival,
        flags(flags) as flags,
    from grades_multiplied
    cross join limits

)

select * from survival_measured

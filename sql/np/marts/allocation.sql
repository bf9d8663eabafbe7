-- One row per district, school year and formula: what it gets of the budget.

with

amounts as (

    select
        allocation, unit_id, target_amount, exact_amount, amount, amount_reason,
        amount_reason = 'FLOOR_EXCEEDS_BUDGET' as is_over_budget,
        multiplier, unallocated_amount,
    from intermediate.int_allocation_amounts

),

claims as (

    select
        allocation, unit_id, year_bs, formula, target_share, floor_amount, cap_amount,
        previous_amount,
    from intermediate.int_allocation_claims

),

budgets as (select allocation, budget from intermediate.int_allocation_budgets),

needs as (

    select
        district_name, year_bs, pupils_count, ei_used, is_ei_unknown, ei_target,
        results_need, resources_need, context_need, need, ei_change, progress,
        is_progress_unknown, previous_year_bs, is_district_unknown,
    from intermediate.int_district_needs

),

formulas as (

    select formula, progress_share, title_en, title_ne from method.allocation_formulas

),

allocation_published as (

    select
        ---------- ids and words
        claims.unit_id as district_name,
        claims.year_bs,
        claims.formula,
        formulas.title_en,
        formulas.title_ne,

        ---------- the money
        amounts.amount,
        case amounts.amount_reason
            when 'NOT_AVAILABLE' then 'NOT_AVAILABLE'
            when 'FLOOR_EXCEEDS_BUDGET' then 'UNDEFINED'
        end as amount_reason,
        amounts.amount / nullif(needs.pupils_count, 0) as amount_per_pupil,
        claims.previous_amount,
        needs.previous_year_bs,
        amounts.amount / nullif(claims.previous_amount, 0) - 1 as amount_change,
        claims.target_share,
        amounts.target_amount,
        claims.floor_amount,
        claims.cap_amount,
        amounts.multiplier,
        budgets.budget,
        amounts.unallocated_amount,

        ---------- why
        needs.pupils_count,
        needs.need,
        needs.results_need,
        needs.resources_need,
        needs.context_need,
        needs.ei_used,
        needs.ei_target,
        needs.ei_change,
        needs.progress,
        flags([
            'NO_UNCERTAINTY',
            if(is_over_budget, 'FLOOR_EXCEEDS_BUDGET', null),
            if(is_ei_unknown, 'EI_UNKNOWN', null),
            if(is_progress_unknown and progress_share > 0, 'PROGRESS_UNKNOWN', null),
            if(results_need + resources_need + context_need is null, 'PARTIAL', null),
            if(unallocated_amount > 0, 'UNALLOCATED', null),
            if(is_district_unknown, 'UNKNOWN_DISTRICT', null),
        ]) as flags,
    from claims
    inner join needs
        on needs.district_name = claims.unit_id and needs.year_bs = claims.year_bs
    inner join formulas using (formula)
    inner join budgets using (allocation)
    inner join amounts using (allocation, unit_id)

)

select * from allocation_published

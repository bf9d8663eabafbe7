-- One row per school year and formula: the budget that is shared out.

with

claims as (

    select allocation, year_bs, formula, unit_id, previous_amount
    from intermediate.int_allocation_claims

),

budgets as (select budget from method.allocation),

budgets_set as (

    select
        allocation,
        year_bs,
        formula,
        count(*) as claims_count,
        coalesce(
            min(budgets.budget)::double,
            floor(sum(previous_amount order by unit_id))
        )::bigint as budget,
    from claims
    cross join budgets
    group by all

)

select * from budgets_set

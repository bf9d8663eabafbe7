-- One row per unit, level and school year: how many pairs of years its survival pools.

with

candidates as (

    select
        unit_level,
        unit_code,
        level,
        year_bs,
        pair_count,
        min_at_risk_count,
        survival,
    from intermediate.int_unit_survival

),

limits as (select pool_below_at_risk from method.flows),

candidates_judged as (

    select
        candidates.unit_level,
        candidates.unit_code,
        candidates.level,
        candidates.year_bs,
        candidates.pair_count,
        candidates.min_at_risk_count >= limits.pool_below_at_risk as is_large,
        candidates.survival is not null
            and (
                candidates.pair_count = 1
                or singles.min_at_risk_count < limits.pool_below_at_risk
            ) as is_usable,
    from candidates
    inner join candidates as singles using (unit_level, unit_code, level, year_bs)
    cross join limits
    where singles.pair_count = 1

),

-- The fewest pairs with enough pupils at risk; else the most that give a survival.
pairs_counted as (

    select
        unit_level,
        unit_code,
        level,
        year_bs,
        count(*) as candidate_count,
        coalesce(
            min(pair_count) filter (where is_usable and is_large),
            max(pair_count) filter (where is_usable),
            1
        ) as pair_count,
    from candidates_judged
    group by all

)

select * from pairs_counted

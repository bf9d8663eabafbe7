-- One row per district, school year and formula: its share of the budget, its bounds.

with

needs as (

    select
        district_name, year_bs, pupils_count, need, progress, previous_amount,
        is_district_unknown,
    from intermediate.int_district_needs

),

formulas as (

    select formula, pupils_share, need_share, progress_share
    from method.allocation_formulas

),

bounds as (select floor_ratio, cap_ratio from method.allocation),

-- What counts in each of the three pots.
stakes as (

    select
        needs.district_name,
        needs.year_bs,
        formulas.formula,
        if(is_district_unknown, 0, coalesce(pupils_count, 0))::double as pupils_stake,
        pupils_stake * coalesce(need, 0) as need_stake,
        pupils_stake * progress as progress_stake,
        pupils_share,
        need_share,
        progress_share,
        previous_amount,
    from needs
    cross join formulas

),

pots as (

    select
        year_bs,
        formula,
        sum(pupils_stake order by district_name) as all_pupils,
        sum(need_stake order by district_name) as all_need,
        sum(progress_stake order by district_name) as all_progress,
        if(all_progress > 0, min(progress_share), 0) as progress_pot,
        if(all_need > 0, min(need_share) + min(progress_share) - progress_pot, 0)
            as need_pot,
        1 - need_pot - progress_pot as pupils_pot,
    from stakes
    group by all

),

claims as (

    select
        concat_ws('|', year_bs, formula) as allocation,
        stakes.district_name as unit_id,
        stakes.year_bs,
        stakes.formula,
        pupils_stake,
        coalesce(pupils_pot * pupils_stake / nullif(all_pupils, 0), 0)
        + coalesce(need_pot * need_stake / nullif(all_need, 0), 0)
        + coalesce(progress_pot * progress_stake / nullif(all_progress, 0), 0)
            as target_share,
        -- Without an amount of last year there are no bounds.
        if(previous_amount > 0, floor_ratio * previous_amount, null) as floor_amount,
        if(previous_amount > 0, cap_ratio * previous_amount, null) as cap_amount,
        stakes.previous_amount,
    from stakes
    inner join pots using (year_bs, formula)
    cross join bounds

)

select * from claims

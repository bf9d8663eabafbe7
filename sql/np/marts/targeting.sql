-- One row per school year and formula (or actual): does money go to the lowest districts?

with

funds as (

    select
        year_bs, formula, district_name, pupils_count, is_ei_unknown, is_lowest,
        amount, amount_year_bs, is_over_budget,
        -- Money and pupils are those of the same districts.
        ei_used is not null and amount is not null as is_counted,
    from intermediate.int_targeting_funds

),

correlations as (

    select
        split_part(comparison, '|', 2) as formula,
        split_part(comparison, '|', 3)::bigint as year_bs,
        rho, rho_low, rho_high, rho_reason,
    from intermediate.int_rank_correlations
    where split_part(comparison, '|', 1) = 'money'

),

funds_summed as (

    select
        year_bs,
        formula,
        count(*) as district_rows_count,
        count(*) filter (where is_counted) as districts_count,
        count(*) filter (where is_counted and is_lowest) as lowest_districts_count,
        max(amount_year_bs) as amount_year_bs,
        min(amount_year_bs) < max(amount_year_bs) as has_other_years,
        (sum(amount order by district_name) filter (where is_counted and is_lowest))
        / nullif(sum(amount order by district_name) filter (where is_counted), 0)
            as funds_share,
        (sum(pupils_count) filter (where is_counted and is_lowest))
        / (sum(pupils_count) filter (where is_counted)) as pupils_share,
        bool_or(is_counted and is_ei_unknown) as is_ei_unknown,
        bool_or(is_over_budget) as is_over_budget,
    from funds
    group by all

),

targeting_published as (

    select
        ---------- ids
        funds_summed.year_bs,
        funds_summed.formula,
        amount_year_bs,

        ---------- measures
        funds_share / pupils_share as targeting_ratio,
        case
            when funds_share is not null then null
            when is_over_budget then 'UNDEFINED'
            else 'NOT_AVAILABLE'
        end as targeting_ratio_reason,
        funds_share,
        pupils_share,
        rho as need_rho,
        rho_low as need_rho_low,
        rho_high as need_rho_high,
        case
            when rho is not null then null
            when rho_reason is not null or is_over_budget then 'UNDEFINED'
            else 'NOT_AVAILABLE'
        end as need_rho_reason,

        ---------- what it rests on
        lowest_districts_count,
        districts_count,
        district_rows_count,
        flags([
            'NO_UNCERTAINTY',
            if(rho_reason = 'NO_VARIANCE', 'NO_VARIANCE', null),
            if(is_ei_unknown, 'EI_UNKNOWN', null),
            if(is_over_budget, 'FLOOR_EXCEEDS_BUDGET', null),
            if(districts_count < district_rows_count or has_other_years, 'PARTIAL', null),
        ]) as flags,
    from funds_summed
    left join correlations using (year_bs, formula)

)

select * from targeting_published
